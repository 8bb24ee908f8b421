import TestSupport
import Testing

@Suite("programs that draw on the whole screen work behind the wall", .enabled(if: TerminalScreen.isPossible))
struct TerminalProgramTests {
    private static let editor = ["vim", "vi"].first { ToolchainYard.has($0) }

    @Test(
        "vim writes a file, which is asked about and applied",
        .enabled(if: editor != nil),
        arguments: TestIdentity.available
    )
    func edits(_ identity: TestIdentity) throws {
        let screen = try TerminalScreen(try ToolchainYard(identity))
        try screen.run("\(Self.editor ?? "vi") -u NONE note.txt")
        try screen.wait(for: "~")
        try screen.enter("iwritten in the editor")
        try screen.press("Escape")
        try screen.type(":wq")
        try screen.wait(for: "bailey: apply, keep, discard or diff?")
        try screen.type("apply")
        try screen.wait(for: "host>")
        #expect(try screen.answer("cat note.txt") == ["written in the editor"])
    }

    @Test(
        "less shows a file, moves, searches and ends",
        .enabled(if: ToolchainYard.has("less")),
        arguments: TestIdentity.available
    )
    func pages(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.write((1...2000).map { "line \($0)\n" }.joined(), to: "lines.txt")
        let screen = try TerminalScreen(yard)
        try screen.run("less lines.txt")
        try screen.wait(for: "line 1")
        try screen.press("G")
        try screen.wait(for: "line 2000")
        try screen.type("?^line 777$")
        try screen.wait(for: "line 777")
        try screen.press("q")
        try screen.wait(for: "host>")
        #expect(try screen.answer("echo code $code") == ["code 0"])
    }
}
