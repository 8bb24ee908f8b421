import TestSupport
import Testing

@Suite("at a terminal Bailey asks before changes come in", .enabled(if: TerminalScreen.isPossible))
struct TerminalAskTests {
    private static let question = "bailey: apply, keep, discard or diff?"

    private static func screen(_ identity: TestIdentity) throws -> TerminalScreen {
        let yard = try ToolchainYard(identity)
        try yard.write("old\n", to: "file.txt")
        return try TerminalScreen(yard)
    }

    /// A word at the question, and what the file holds afterwards.
    private static let answers = [("apply", "new"), ("keep", "old"), ("discard", "old")]

    @Test(
        "the listing is shown and a word decides",
        arguments: TestIdentity.available.flatMap { identity in answers.map { (identity, $0.0, $0.1) } }
    )
    func word(_ identity: TestIdentity, _ word: String, _ content: String) throws {
        let screen = try Self.screen(identity)
        try screen.run("sh -c 'echo new > file.txt; echo made > created.txt'")
        try screen.wait(for: Self.question)
        let listing = try screen.lines()
        #expect(listing.contains { $0.hasPrefix("bailey: changed  file.txt") }, "\(listing)")
        #expect(listing.contains { $0.hasPrefix("bailey: created  created.txt") }, "\(listing)")
        try screen.type("diff")
        try screen.wait(for: "+new")
        try screen.type(word)
        try screen.wait(for: "host>")
        #expect(try screen.answer("cat file.txt") == [content])
        let held = try screen.answer("'\(screen.yard.programPath)' changes list | wc -l")
        #expect(held == [word == "keep" ? "1" : "0"])
    }

    @Test("a letter, a key or another word decides nothing", arguments: TestIdentity.available)
    func otherWords(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        try screen.run("sh -c 'echo new > file.txt'")
        try screen.wait(for: Self.question)
        for word in ["a", "y", "yes", "APPLY", "apply now", ""] {
            try screen.type("")
            try screen.type(word)
            try screen.wait(for: "bailey: please type one of")
        }
        #expect(try screen.yard.outside("cat file.txt").stdout == "old\n")
        try screen.type("keep")
        try screen.wait(for: "host>")
        #expect(try screen.answer("cat file.txt") == ["old"])
    }

    @Test("what was typed before the question does not count", arguments: TestIdentity.available)
    func typedAhead(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        try screen.run("sh -c 'echo new > file.txt; echo began; sleep 2'")
        try screen.wait(for: "began")
        for _ in 0..<5 { try screen.type("apply") }
        try screen.wait(for: Self.question)
        // Whatever reads ahead would have answered by now: a word typed after it is read after it.
        try screen.type("no word")
        try screen.wait(for: "bailey: please type one of")
        #expect(try screen.yard.outside("cat file.txt").stdout == "old\n")
        try screen.type("discard")
        try screen.wait(for: "host>")
        #expect(try screen.answer("cat file.txt") == ["old"])
    }

    @Test("a command cannot hide the question or answer it", arguments: TestIdentity.available)
    func preparedScreen(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        // The alternate screen, a hidden cursor, a scroll region of one line, concealed text, insert and origin mode,
        // and a question for the terminal's status, whose answer would be typed input.
        let codes = "\\033[?1049h\\033[?25l\\033[5;6r\\033[8m\\033[4h\\033[?6h\\033[c\\033[6n"
        try screen.run("sh -c 'echo new > file.txt; printf \"\(codes)\"'")
        try screen.wait(for: Self.question)
        let listing = try screen.lines()
        #expect(listing.contains { $0.hasPrefix("bailey: changed  file.txt") }, "\(listing)")
        #expect(try screen.yard.outside("cat file.txt").stdout == "old\n")
        try screen.type("keep")
        try screen.wait(for: "host>")
    }

    @Test("a set with a denied change is shown and never asked about", arguments: TestIdentity.available)
    func denied(_ identity: TestIdentity) throws {
        let screen = try Self.screen(identity)
        try screen.run("sh -c 'echo new > file.txt; mkdir -p sub/.git/hooks; echo x > sub/.git/hooks/pre-commit'")
        try screen.wait(for: "bailey: changes are held")
        let listing = try screen.lines()
        #expect(!listing.contains { $0.hasPrefix(Self.question) }, "\(listing)")
        #expect(listing.contains { $0.hasPrefix("bailey: deny") }, "\(listing)")
        try screen.wait(for: "host>")
        #expect(try screen.answer("cat file.txt") == ["old"])
    }
}
