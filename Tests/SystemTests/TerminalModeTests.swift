import Foundation
import TestSupport
import Testing

@Suite(
    "a program may do with the terminal what it likes, and the caller gets it back",
    .enabled(if: TerminalScreen.isPossible)
)
struct TerminalModeTests {
    /// Says the keys that it gets as numbers, and sizes as they change; `q` ends it, and a paste is told by its digest.
    private static let raw = #"""
        import hashlib, os, re, signal, sys, tty
        def say(text): os.write(1, text.encode() + b"\r\n")
        def size(*_): say("size %dx%d" % os.get_terminal_size(0))
        tty.setraw(0)
        signal.signal(signal.SIGWINCH, size)
        os.write(1, b"\x1b[?2004h")
        say("ready")
        data = b""
        while True:
            data += os.read(0, 65536)
            if data.startswith(b"\x1b[200~"):
                if not data.endswith(b"\x1b[201~"): continue
                say("digest " + hashlib.sha256(data[6:-6]).hexdigest())
            elif data == b"q": break
            else: say("keys " + data.hex())
            data = b""
        """#

    private static func screen(_ identity: TestIdentity) throws -> TerminalScreen {
        let yard = try ToolchainYard(identity)
        try yard.write(raw, to: "raw.py")
        return try TerminalScreen(yard)
    }

    @Test("every key goes inside as its bytes, and each size arrives", arguments: TestIdentity.available)
    func keys(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        try screen.run("python3 raw.py", options: "--summary")
        try screen.wait(for: "ready")
        for (key, bytes) in [("C-c", "03"), ("C-z", "1a"), ("C-\\", "1c"), ("C-d", "04"), ("Up", "1b5b41")] {
            try screen.press(key)
            try screen.wait(for: "keys " + bytes)
        }
        for (columns, rows) in [(70, 20), (81, 25)] {
            try screen.resize(columns: columns, rows: rows)
            try screen.wait(for: "size \(columns)x\(rows)")
        }
        try screen.press("q")
        try screen.wait(for: "bailey: exit 0 after")
        #expect(try screen.answer("echo code $code") == ["code 0"])
    }

    @Test("a paste of a megabyte loses nothing", arguments: TestIdentity.available)
    func paste(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        let bytes = (0..<1 << 20).map { _ in UInt8.random(in: 0x20...0x7E) }
        try screen.yard.write(String(decoding: bytes, as: UTF8.self), to: "text")
        let digest = try screen.yard.outside("sha256sum < text").stdout.prefix(64)
        try screen.run("python3 raw.py")
        try screen.wait(for: "ready")
        try screen.paste(file: screen.yard.project + "/text", bracketed: true)
        try screen.wait(for: "digest " + digest)
        try screen.press("q")
        try screen.wait(for: "host>")
        // The program left the mode on; a paste into another program bears no marks any more.
        try screen.type("clear; cat -v")
        try screen.yard.write("word", to: "text")
        try screen.paste(file: screen.yard.project + "/text", bracketed: true)
        try screen.wait(for: "word")
        #expect(try !screen.lines().contains { $0.contains("200~") })
        try screen.press("C-c")
    }

    /// How a program that has drawn a whole screen comes to its end.
    private static let ends = ["kill -9 $$", "exit 3", "sleep 300"]

    @Test(
        "a program that dies in the midst of its drawing leaves no mode behind",
        arguments: TestIdentity.available.flatMap { identity in ends.map { (identity, $0) } }
    )
    func killed(_ identity: TestIdentity, _ end: String) throws {
        let screen = try Self.screen(identity)
        let modes = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{mouse_sgr_flag} #{keypad_flag} #{pane_title}"
        try screen.type("printf '\\033]2;mine\\007'")
        #expect(try Eventually.holds { try screen.value("#{pane_title}") == "mine" })
        let before = try screen.value(modes)
        let codes = "\\033[?1049h\\033[?25l\\033[?1003h\\033[?1006h\\033=\\033[2;5r\\033[1;31m\\033]2;theirs\\007drawn"
        let pidFile = screen.yard.path + "/home/pid"
        let run = "'\(screen.yard.programPath)' run -- sh -c 'printf \"\(codes)\"; sleep 1; \(end)'"
        try screen.type("clear; (sh -c 'echo $PPID' >'\(pidFile)'; exec \(run))")
        #expect(try Eventually.holds { try screen.value("#{alternate_on} #{pane_title}") == "1 theirs" })
        if end.hasPrefix("sleep") {
            #expect(try screen.yard.outside("kill -TERM $(cat '\(pidFile)')").status == 0)
        }
        try screen.wait(for: "host>")
        #expect(try Eventually.holds { try screen.value(modes) == before })
        let code = end.hasPrefix("kill") ? 137 : end.hasPrefix("exit") ? 3 : 143
        #expect(try screen.answer("echo code $code") == ["code \(code)"])
    }

    @Test("a terminal that is taken away ends the run, which is recorded", arguments: TestIdentity.available)
    func hangUp(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        let token = "3\(UInt32.random(in: 100_000..<999_999))"
        try screen.run("sh -c 'echo new > made.txt; echo began; exec sleep \(token)'")
        try screen.wait(for: "began")
        try screen.close()
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").isEmpty })
        let yard = screen.yard
        func shown() throws -> Answer { try yard.bailey(["runs", "show", "--json"]).answer }
        #expect(try Eventually.holds { try shown().text("state") == "held" })
        #expect(try shown().text("cause") == "terminated")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test("a curses program draws, follows a resize and gives the screen back", arguments: TestIdentity.available)
    func curses(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        let program = """
            import curses
            def main(screen):
                while True:
                    screen.erase(); screen.border()
                    screen.addstr(2, 4, "%d rows, %d columns" % screen.getmaxyx()); screen.refresh()
                    if screen.getch() == ord("q"): return
            curses.wrapper(main)
            """
        try screen.yard.write(program, to: "draw.py")
        try screen.run("python3 draw.py")
        func shows(_ text: String) throws -> Bool { try screen.waits { $0.contains { $0.contains(text) } } }
        #expect(try shows("\(TerminalScreen.rows) rows, \(TerminalScreen.columns) columns"))
        try screen.resize(columns: 70, rows: 20)
        #expect(try shows("20 rows, 70 columns"))
        try screen.press("q")
        try screen.wait(for: "host>")
        #expect(try screen.value("#{alternate_on}") == "0")
    }
}
