import TestSupport
import Testing

@Suite("an interactive shell works behind the wall", .enabled(if: TerminalScreen.isPossible))
struct TerminalShellTests {
    /// A screen on which a shell inside waits for a line.
    private static func shell(_ identity: TestIdentity) throws -> TerminalScreen {
        let screen = try TerminalScreen(try ToolchainYard(identity))
        try screen.run("bash --norc --noprofile")
        try screen.wait(for: "bash-")
        return screen
    }

    @Test("it has a terminal of its own, of the outer one's size", arguments: TestIdentity.available)
    func terminal(_ identity: TestIdentity) throws {
        let screen = try Self.shell(identity)
        #expect(try screen.answer("tty") == ["/dev/pts/0"])
        #expect(try screen.answer("stty size") == ["\(TerminalScreen.rows) \(TerminalScreen.columns)"])
        #expect(try screen.answer("test -t 0 -a -t 1 -a -t 2 && echo yes; ls /dev/pts") == ["yes", "0  ptmx"])
        #expect(try screen.answer(": >/dev/tty && echo writable") == ["writable"])
    }

    @Test("a resize arrives inside, at a program that waits too", arguments: TestIdentity.available)
    func resize(_ identity: TestIdentity) throws {
        let screen = try Self.shell(identity)
        // Its answer says that the trap stands: a signal before it would be lost.
        #expect(try screen.answer("trap 'printf \"%s%s\\n\" size- changed' WINCH").isEmpty)
        try screen.resize(columns: 70, rows: 20)
        #expect(try screen.waits { lines in lines.contains { $0.hasSuffix("size-changed") } })
        #expect(try screen.answer("stty size") == ["20 70"])
    }

    @Test("Ctrl-C ends a program in the foreground and not the shell", arguments: TestIdentity.available)
    func interrupt(_ identity: TestIdentity) throws {
        let screen = try Self.shell(identity)
        try screen.type("clear; sh -c 'printf \"%s%s\\\\n\" now- asleep; exec sleep 300'")
        try screen.wait(for: "now-asleep")
        try screen.press("C-c")
        #expect(try screen.answer("echo code $code") == ["code 130"])
        #expect(try screen.answer("echo $SHLVL $$ | wc -w") == ["2"])
    }

    @Test("Ctrl-Z stops a program, and the shell continues it", arguments: TestIdentity.available)
    func stop(_ identity: TestIdentity) throws {
        let screen = try Self.shell(identity)
        try screen.type("clear; sh -c 'printf \"%s%s\\\\n\" now- asleep; exec sleep 300'")
        try screen.wait(for: "now-asleep")
        try screen.press("C-z")
        try screen.wait(for: "[1]+  Stopped")
        let jobs = try screen.answer("jobs; bg >/dev/null; jobs; kill %1; wait 2>/dev/null")
        #expect(jobs.count >= 2, "\(jobs)")
        #expect(jobs.first?.contains("Stopped") ?? false, "\(jobs)")
        #expect(jobs.dropFirst().first?.contains("Running") ?? false, "\(jobs)")
    }

    @Test("the terminal is as it was when the shell ends", arguments: TestIdentity.available)
    func restores(_ identity: TestIdentity) throws {
        let screen = try TerminalScreen(try ToolchainYard(identity))
        let before = try screen.answer("stty -a")
        #expect(!before.isEmpty)
        for ending in ["exit 7", "stty raw -echo; exit 7", "kill -9 $$"] {
            try screen.run("bash --norc --noprofile")
            try screen.wait(for: "bash-")
            try screen.type(ending)
            try screen.wait(for: "host>")
            let code = try screen.answer("echo code $code")
            #expect(code == [ending.hasPrefix("kill") ? "code 137" : "code 7"], "\(ending)")
            #expect(try screen.answer("stty -a") == before, "\(ending)")
        }
    }

    @Test("a signal to bailey ends the tree and restores the terminal", arguments: TestIdentity.available)
    func terminated(_ identity: TestIdentity) throws {
        let screen = try TerminalScreen(try ToolchainYard(identity))
        let before = try screen.answer("stty -a")
        let pidFile = screen.yard.path + "/home/pid"
        let bailey = screen.yard.programPath
        try screen.type("clear; (sh -c 'echo $PPID' >'\(pidFile)'; exec '\(bailey)' run -- bash --norc --noprofile)")
        try screen.wait(for: "bash-")
        let killed = try screen.yard.outside("kill -TERM $(cat '\(pidFile)')")
        #expect(killed.status == 0, "\(killed.summary)")
        try screen.wait(for: "host>")
        #expect(try screen.answer("echo code $code") == ["code 143"])
        #expect(try screen.answer("stty -a") == before)
    }
}
