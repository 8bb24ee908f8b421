import Domain
import Foundation
import Git
import TestSupport
import Testing

@testable import Git

@Suite("git's text formats are read as git reads them")
struct GitTextTests {
    @Test(
        "configuration",
        arguments: [
            "[a]\nb = c\n", "[A \"Sub\"]\n\tKey = value # comment\n", "[a.Sub]\nkey\n", "[a] b = \"x # y\" ; z\n",
            "[a]\nb = one\\\n two\n",
            "[a]\nb = a\\tb\\nc\\\\d\\\"e\n", "# only\n; comments\n", "[a]\r\nb = c\r\n",
            "[a \"q\\\"uo\\\\te\"]\nb=1\n", "[a]\nb =\n", "[a]\nb = \"\"\n",
            "[a]\nb = x   y  \n", "[a][b]\nc = d\n", "\u{feff}[a]\nb = c\n", "[a]\nb = 'x' \"y\"z\n",
            "[a-b]\nc-d = e\n", "[a]\nb = x;y\n",
            "[a]\nb=1\nb=2\n[a]\nb=3", "[x \"\"]\ny = z\n",
        ]
    )
    func configuration(_ text: String) throws {
        let fixture = try GitFixture(empty: true)
        try fixture.write(text, to: "config")
        let listed = try fixture.git(["config", "--list", "-z", "-f", "config"], in: fixture.lower)
        let file = try GitConfigFile(Array(text.utf8))
        let ours = file.entries.map { entry in entry.name + (entry.value.map { "\n" + $0 } ?? "") + "\0" }.joined()
        #expect(ours == listed)
    }

    @Test(
        "configuration that git refuses",
        arguments: [
            "key = value\n", "[a\nb = c\n", "[a \"b]\n", "[a b]\n", "[a]\n= c\n", "[a]\n1b = c\n", "[a]\nb = \"c\n",
            "[a]\nb = \\q\n", "[a \"b\"x]\n",
            "[]\n", "[a]\nb ! c\n", "[a]\n\u{1}\n",
        ]
    )
    func configurationRefused(_ text: String) {
        #expect(throws: GitError.self) { try GitConfigFile(Array(text.utf8)) }
    }

    @Test func configurationIsBounded() {
        #expect(throws: GitError.self) { try GitConfigFile([UInt8](repeating: 0x20, count: 2 << 20)) }
        let many = "[a]\n" + String(repeating: "b\n", count: 30_000)
        #expect(throws: GitError.self) { try GitConfigFile(Array(many.utf8)) }
    }

    @Test("damaged configuration never crashes the parser")
    func configurationFuzz() {
        var state: UInt64 = 5
        let pieces = ["[", "]", "\"", "\\", "\n", "a", "=", " ", "#", ";", "\r\n", "core", ".", "\t", "\0", "é"]
        for _ in 0..<5000 {
            var text = ""
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            _ = try? GitConfigFile(Array(text.utf8))
        }
    }

    @Test(
        "names of refs, as git check-ref-format has them",
        arguments: [
            "refs/heads/a", "refs/heads/a/b", "refs/heads/a.b", "refs/heads/ä", "refs/stash", "refs", "heads/a",
            "refs/heads/.a", "refs/heads/a..b",
            "refs/heads/a.lock", "refs/heads/a.lock/b", "refs/heads/a~b", "refs/heads/a^", "refs/heads/a:b",
            "refs/heads/a?", "refs/heads/a*",
            "refs/heads/[a", "refs/heads/a\\b", "refs/heads/a b", "refs/heads/a\tb", "refs/heads/a@{b", "refs/heads/@",
            "refs/heads/a.", "refs/heads//a",
            "refs/heads/a/", "/refs/heads/a", "refs/heads/a\u{7f}", "refs/heads/@a", "refs/heads/a{b",
        ]
    )
    func refNames(_ name: String) throws {
        let fixture = try GitFixture(empty: true)
        let echoed = try fixture.run(
            ["sh", "-c", "git check-ref-format \"$1\" && echo yes", "sh", name],
            in: fixture.lower,
            allowsFailure: true
        )
        // Stricter than git: only below refs/, and a lone `@` is refused there too.
        let expected = echoed == "yes\n" && name.hasPrefix("refs/") && name != "refs/heads/@"
        #expect(RefName.isValid(name.utf8) == expected)
    }

    @Test(arguments: [
        "refs/heads/-x", "refs/heads/a\u{202e}b", "refs/heads/a\u{200b}", "refs/../HEAD",
        "refs/heads/" + String(repeating: "a", count: 2000),
    ])
    func refNamesRefusedBeyondGit(_ name: String) { #expect(!RefName.isValid(name.utf8)) }

    @Test(arguments: [
        (".git", true), (".GIT", true), (".git.", true), (".git ", true), (".git::$INDEX_ALLOCATION", true),
        ("git~1", true),
        ("x\\.git", true), (".g\u{200c}it", true), (".g\u{131}t", true), (".gitignore", false), ("git", false),
        ("a.git", false), ("git~", false),
        ("git~12", false),
    ])
    func gitNames(_ name: String, _ expected: Bool) { #expect(GitName.isGit(Array(name.utf8)) == expected) }
}

@Suite("the identity goes inside, and nothing that runs")
struct GitIdentityTests {
    @Test func theStrongerLayerWins() {
        let layers = [
            "[user]\n name = System\n email = s@example.com\n[init] defaultBranch = trunk\n",
            "[user]\n name = \"My \\\"Name\\\"\"\n",
            "broken [",
            "[core]\n excludesFile = ~/.ignore\n pager = evil\n[filter \"lfs\"]\n process = evil\n[include] path = x\n",
        ]
        let identity = GitIdentity(layers: layers.map { Array($0.utf8) })
        #expect(identity.name == "My \"Name\"")
        #expect(identity.email == "s@example.com")
        #expect(identity.defaultBranch == "trunk")
        #expect(identity.excludesFile == "~/.ignore")
        #expect(identity.usesLFS)
        #expect(identity.unreadableLayers == [2])
        let text = identity.render(excludesPath: "/home/u/.config/git/ignore", hasLFS: true, ownersDiffer: false)
        #expect(!text.contains("evil") && !text.contains("include") && !text.contains("pager"))
        #expect(!identity.render(excludesPath: nil, hasLFS: false, ownersDiffer: false).contains("filter"))
        #expect(!text.contains("checkStat"))
        let rendered = identity.render(excludesPath: nil, hasLFS: false, ownersDiffer: true)
        #expect(rendered.contains("checkStat = \"minimal\""))
    }

    @Test(
        "git reads what is written",
        arguments: ["Plain", "Ä \"quoted\" \\ back", "semi;colon # hash", "  spaces  ", "[section]"]
    )
    func roundTrip(_ name: String) throws {
        let escaped = name.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        let identity = GitIdentity(layers: [Array("[user]\n\tname = \"\(escaped)\"\n".utf8)])
        #expect(identity.name == name)
        let fixture = try GitFixture(empty: true)
        try fixture.write(identity.render(excludesPath: "/a b/c", hasLFS: false, ownersDiffer: false), to: "config")
        let read = try fixture.git(["config", "-z", "-f", "config", "user.name"], in: fixture.lower)
        #expect(read == name + "\0")
        #expect(try fixture.git(["config", "-f", "config", "core.excludesFile"], in: fixture.lower) == "/a b/c\n")
    }

    @Test(
        "values that could do more than name somebody are left out",
        arguments: [
            "a\\nb", "a\u{1b}[2J", "x\u{202e}y", String(repeating: "n", count: 3000),
        ]
    )
    func dropped(_ value: String) {
        #expect(GitIdentity(layers: [Array("[user]\n name = \"\(value)\"\n".utf8)]).name == nil)
    }

    @Test func aBranchNameIsCheckedToo() {
        #expect(GitIdentity(layers: [Array("[init]\n defaultBranch = ../x\n".utf8)]).defaultBranch == nil)
        #expect(GitIdentity(layers: []).render(excludesPath: nil, hasLFS: true, ownersDiffer: false).isEmpty)
    }
}
