import Foundation
import TestSupport
import Testing

@Suite("Changes wait, and are applied whole or not at all")
struct ChangesCommandTests {
    private static let edits = """
        echo more >> changed.txt; rm deleted.txt; echo new > created.txt; chmod 755 mode.txt
        ln -s changed.txt link; mkdir -p d/e; echo deep > d/e/f; mv old new
        """
    private static let files = [
        "changed.txt": "a\n", "deleted.txt": "b\n", "mode.txt": "c\n", "old/one": "1", "old/two": "2", "same.txt": "s",
    ]

    private func place(_ identity: TestIdentity = TestIdentity.available[0]) throws -> Yard {
        let yard = try Yard(identity)
        for (name, text) in Self.files { try yard.write(text, to: "project/" + name) }
        try identity.own(yard.project)
        return yard
    }

    @Test(arguments: TestIdentity.available) func heldThenApplied(_ identity: TestIdentity) throws {
        let yard = try place(identity)
        let before = try yard.picture()
        let run = try yard.inside(Self.edits)
        #expect(run.status == 0, "\(run.summary)")
        #expect(run.stderr.contains("changes are held") && run.stderr.contains("bailey changes show"), "\(run.summary)")
        #expect(run.stderr.split(separator: "\n").count == 1, "one line says so")
        #expect(try yard.picture() == before)

        let list = try yard.bailey(["changes", "list"])
        #expect(list.stdout.hasPrefix(try yard.lastRun()) && list.stdout.contains("created"))
        let shown = try yard.bailey(["changes", "show"])
        for text in [
            "created  created.txt", "deleted  deleted.txt", "link -> changed.txt", "mode 644 -> 755", "+more",
            "+++ b/d/e/f",
        ] {
            #expect(shown.stdout.contains(text), "\(text): \(shown.summary)")
        }
        let names = try yard.bailey(["changes", "show", "--names"])
        #expect(!names.stdout.contains("+more"))

        let applied = try yard.bailey(["changes", "apply"])
        #expect(applied.status == 0, "\(applied.summary)")
        let control = try place(identity)
        try control.outside(Self.edits)
        #expect(try yard.picture() == control.picture())
        #expect(try yard.outside("stat -c '%u' created.txt").stdout == "\(identity.uid)\n")
        #expect(try yard.state() == "applied")
        #expect(try yard.bailey(["changes", "apply"]).status == 1, "there is nothing left to apply")
        #expect(try yard.bailey(["changes", "list"]).stdout.isEmpty)
    }

    @Test func heldThenDiscarded() throws {
        let yard = try place()
        let before = try yard.picture()
        try yard.inside(Self.edits)
        let discarded = try yard.bailey(["changes", "discard"])
        #expect(discarded.status == 0, "\(discarded.summary)")
        #expect(try yard.picture() == before)
        #expect(try yard.state() == "discarded")
        #expect(try yard.bailey(["changes", "apply"]).status == 1)
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func json() throws {
        let yard = try place()
        try yard.inside(Self.edits)
        let answer = try yard.bailey(["changes", "show", "--json"]).answer
        #expect(answer.text("state") == "held")
        #expect(try answer.text("run") == yard.lastRun())
        var kinds: [String: String] = [:]
        for change in answer.objects("changes") { kinds[change["path"] as? String ?? ""] = change["kind"] as? String }
        #expect(kinds["created.txt"] == "created" && kinds["deleted.txt"] == "deleted" && kinds["mode.txt"] == "mode")
        #expect(kinds["changed.txt"] == "changed" && kinds["link"] == "created")
        #expect(kinds["old/one"] == "deleted" && kinds["new/two"] == "created" && kinds["same.txt"] == nil)
        let listed = try yard.bailey(["changes", "list", "--json"]).answer
        let deleted = answer.objects("changes").filter {
            $0["kind"] as? String == "deleted" && $0["file"] as? String == "file"
        }
        #expect(listed.number("changes.deleted") == deleted.count)
    }

    struct Verdict: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        /// What `--apply auto` makes of it, and `changes apply` after that.
        let state: String
        let applyCode: Int32
        let rule: String
    }

    static let verdicts = [
        Verdict(testDescription: "allow", script: "echo x > plain.txt", state: "applied", applyCode: 1, rule: ""),
        Verdict(
            testDescription: "note",
            script: "printf x > tool; chmod 755 tool",
            state: "applied",
            applyCode: 1,
            rule: ""
        ),
        Verdict(
            testDescription: "ask",
            script: "echo x > AGENTS.md; echo y > fine.txt",
            state: "held",
            applyCode: 1,
            rule: "agent-settings"
        ),
        Verdict(
            testDescription: "deny",
            script: "echo 'limits: {}' > bailey.yml; echo y > fine.txt",
            state: "held",
            applyCode: 1,
            rule: "bailey-policy"
        ),
        Verdict(
            testDescription: "link out",
            script: "ln -s /etc/shadow leak",
            state: "held",
            applyCode: 1,
            rule: "link-leaves-project"
        ),
        Verdict(
            testDescription: "newline",
            script: "echo x > \"$(printf 'two\\nlines')\"",
            state: "held",
            applyCode: 1,
            rule: "deceptive-name"
        ),
        Verdict(
            testDescription: "invalid UTF-8",
            script: "echo x > \"$(printf 'b\\377d')\"",
            state: "held",
            applyCode: 1,
            rule: "unreadable-name"
        ),
        Verdict(
            testDescription: "set-id",
            script: "echo x > s; chmod 4755 s",
            state: "held",
            applyCode: 1,
            rule: "set-id-bit"
        ),
    ]

    @Test(arguments: verdicts) func automaticApply(_ item: Verdict) throws {
        let yard = try place()
        let before = try yard.picture()
        let run = try yard.inside(item.script, "--apply", "auto", "--json")
        #expect(run.status == 0, "\(run.summary)")
        #expect(try run.answer.text("changes.state") == item.state, "\(run.summary)")
        #expect(try (yard.picture() == before) == (item.state == "held"))
        let apply = try yard.bailey(["changes", "apply"])
        #expect(apply.status == item.applyCode, "\(apply.summary)")
        guard item.state == "held" else { return }
        #expect(apply.stderr.contains(item.rule), "\(apply.summary)")
        #expect(
            !apply.stderr.dropLast().contains { $0.isNewline == false && ($0.asciiValue ?? 32) < 32 },
            "raw bytes reach a terminal"
        )
        #expect(try yard.picture() == before, "nothing of a held set is applied")
        if item.testDescription == "ask" {
            #expect(try yard.bailey(["changes", "apply", "--yes"]).status == 0)
            #expect(try yard.read("project/AGENTS.md") == "x\n" && yard.read("project/fine.txt") == "y\n")
        } else {
            #expect(
                try yard.bailey(["changes", "apply", "--yes"]).status == 1,
                "--yes answers questions and no denials"
            )
            #expect(try yard.bailey(["changes", "discard"]).status == 0)
        }
    }

    @Test(arguments: TestIdentity.available) func longNamesAndPaths(_ identity: TestIdentity) throws {
        let yard = try place(identity)
        let name = String(repeating: "n", count: 255)
        let run = try yard.inside("echo x > \(name); mkdir \(name).d 2>/dev/null; true", "--apply", "auto", "--json")
        #expect(try run.answer.text("changes.state") == "applied", "\(run.summary)")
        #expect(yard.exists("project/" + name))
        let deep = try yard.bailey(["run", "--json", "--", "python3", "-c", Self.deepProgram])
        #expect(deep.status == 0, "\(deep.summary)")
        #expect(["held", "none"].contains(try deep.answer.text("changes.state")), "\(deep.summary)")
        #expect(try yard.bailey(["changes", "show", "--names"]).status == 0)
        #expect(try yard.bailey(["changes", "discard"]).status == 0)
        #expect(try yard.bailey(["runs", "prune", "--older-than", "0"]).status == 0)
        #expect(try yard.runs().isEmpty)
    }

    private static let deepProgram = """
        import os
        for _ in range(40):
            os.mkdir("p" * 200)
            os.chdir("p" * 200)
        open("file", "w").write("deep")
        """

    @Test func hiddenFilesStay() throws {
        let yard = try place()
        let secret = "SECRET=" + String(repeating: "k", count: 20)
        try yard.write(secret, to: "project/.env")
        let run = try yard.inside(
            "cat .env; ls -A; rm -rf .env; echo mine > .env; echo y > fine.txt",
            "--apply",
            "auto"
        )
        #expect(run.status == 0)
        #expect(!run.stdout.contains("SECRET") && !run.stdout.split(separator: "\n").contains(".env"), "\(run.summary)")
        #expect(run.stderr.contains("masked-path"), "\(run.summary)")
        #expect(try yard.bailey(["changes", "apply", "--yes"]).status == 1)
        #expect(try yard.read("project/.env") == secret && !yard.exists("project/fine.txt"))
        let untouched = try yard.inside("echo y > fine.txt", "--apply", "auto")
        #expect(untouched.status == 0 && yard.exists("project/fine.txt"))
        #expect(try yard.read("project/.env") == secret)
    }
}
