import TestSupport
import Testing

@Suite("bailey changes show is a page: in colours, by path, in numbers, through the caller's pager")
struct ChangesPageTests {
    private static func changed(_ identity: TestIdentity = TestIdentity.available[0]) throws -> Yard {
        let yard = try Yard(identity)
        try yard.write("one\ntwo\nthree\n", to: "project/src/a.txt")
        try yard.write("x\n", to: "project/b.txt")
        let script =
            "sed -i 's/two/-- 2/' src/a.txt; printf 'y\\033[31m\\n\\342\\200\\256z\\n' > b.txt; "
            + "mkdir -p src/n; echo 1 > src/n/c"
        #expect(try yard.inside(script).status == 0)
        return yard
    }

    @Test("colours are there when asked for, and nowhere else", arguments: TestIdentity.available)
    func colours(_ identity: TestIdentity) throws {
        let yard = try Self.changed(identity)
        let plain = try yard.bailey(["changes", "show"])
        #expect(plain.status == 0 && !plain.stdout.contains("\u{1B}"), "\(plain.summary)")
        #expect(plain.stdout.contains("\n-two\n+-- 2\n") && plain.stdout.contains("+y\\x1b[31m\n+\\u{202e}z\n"))
        let painted = try yard.bailey(["changes", "show", "--color", "always"]).stdout
        #expect(painted.contains("\u{1B}[31m-two\u{1B}[m\n\u{1B}[32m+-- 2\u{1B}[m\n"))
        #expect(painted.contains("\u{1B}[32m+y\\x1b[31m\u{1B}[m"), "what is in a file paints nothing")
        let stripped = painted.replacing(try Regex("\u{1B}\\[[0-9]*m"), with: "")
        #expect(stripped == plain.stdout)
        #expect(try yard.bailey(["changes", "show", "--color", "green"]).status == 2)
    }

    @Test("paths choose, from where one stands, and each must have been changed")
    func paths() throws {
        let yard = try Self.changed()
        let one = try yard.bailey(["changes", "show", "last", "src"]).stdout
        #expect(one.contains("src/a.txt") && one.contains("src/n/c") && !one.contains("b.txt"))
        let below = try yard.bailey(["changes", "show", "--names", "last", "n/../n"], in: yard.project + "/src").stdout
        #expect(below.contains("src/n/c") && !below.contains("a.txt"))
        let json = try yard.bailey(["changes", "show", "--json", "last", yard.project + "/b.txt"]).answer
        #expect(json.objects("changes").map { $0["path"] as? String } == ["b.txt"])
        let none = try yard.bailey(["changes", "show", "last", "src/none"])
        #expect(none.status == 1 && none.stderr.contains("src/none"), "\(none.summary)")
        for outside in ["../..", "/etc/passwd"] {
            let refused = try yard.bailey(["changes", "show", "last", outside])
            #expect(refused.status == 2 && refused.stderr.contains(outside), "\(refused.summary)")
        }
    }

    @Test("numbers of lines, in place of them")
    func statistics() throws {
        let yard = try Self.changed()
        let shown = try yard.bailey(["changes", "show", "--stat"]).stdout
        #expect(
            shown.contains(" src/a.txt | 2 +-\n") && shown.contains(" 3 files, 4 lines added, 2 removed\n"),
            "\(shown)"
        )
        #expect(!shown.contains("diff --git"))
        #expect(try yard.bailey(["changes", "show", "--stat", "--names"]).status == 2)
    }

    @Test(
        "on a terminal the caller's pager shows it, and a project's never",
        .enabled(if: TerminalScreen.isPossible),
        arguments: TestIdentity.available
    )
    func pager(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        yard.extraPath = [yard.project + "/bin", "bin"]
        try yard.write("#!/bin/sh\necho planted; cat\n", to: "bin/less")
        #expect(try yard.outside("chmod +x bin/less").status == 0)
        #expect(try yard.inside("seq 1 500 > many.txt").status == 0)
        let screen = try TerminalScreen(yard)
        let show = "'\(yard.programPath)' changes show"
        try screen.type("clear; \(show)")
        try screen.wait(for: "+1")
        #expect(try !screen.lines().contains { $0.hasPrefix("planted") || $0.hasPrefix("+500") })
        try screen.press("q")
        try screen.wait(for: "host>")
        #expect(try screen.answer("echo code $code") == ["code 0"])
        // One that ends early, one that is none, and one that the project has.
        for (pager, text) in [("head -1", "created"), ("true", "host>"), ("command -v less; cat >/dev/null", "/usr/")] {
            try screen.type("clear; PAGER='\(pager)' \(show)")
            try screen.wait(for: text)
            #expect(try screen.answer("echo code $code") == ["code 0"], "\(pager)")
        }
    }
}
