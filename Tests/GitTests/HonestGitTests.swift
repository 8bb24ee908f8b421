import Domain
import Git
import TestSupport
import Testing

@Suite("ordinary git work is ordinary")
struct HonestGitTests {
    struct Work: Sendable, CustomTestStringConvertible {
        let name: String
        /// Commands before the run, in the user's tree.
        let before: [[String]]
        let commands: [[String]]
        var testDescription: String { name }

        init(_ name: String, before: [[String]] = [], _ commands: [[String]]) {
            self.name = name
            self.before = before
            self.commands = commands
        }
    }

    static let edit = ["sh", "-c", "echo more >> one.txt"]
    static let topic: [[String]] = [
        ["git", "checkout", "-q", "-b", "topic"], ["sh", "-c", "echo t > topic.txt"], ["git", "add", "-A"],
        ["git", "commit", "-q", "-m", "topic"], ["git", "checkout", "-q", "main"],
    ]
    static let onMain: [[String]] = [edit, ["git", "commit", "-q", "-a", "-m", "main moves"]]

    static let works: [Work] = [
        Work("add", [edit, ["git", "add", "-A"]]),
        Work("commit", [edit, ["git", "commit", "-q", "-a", "-m", "second"]]),
        Work("amend", [["git", "commit", "-q", "--amend", "-m", "better"]]),
        Work("branch", [["git", "branch", "feature/x"]]),
        Work("branch removed", before: [["git", "branch", "old"]], [["git", "branch", "-q", "-D", "old"]]),
        Work("branch renamed", before: [["git", "branch", "old"]], [["git", "branch", "-m", "old", "deep/new"]]),
        Work("checkout", before: topic, [["git", "checkout", "-q", "topic"]]),
        Work("detached", [["git", "checkout", "-q", "--detach"]]),
        Work("tag", [["git", "tag", "v1"], ["git", "tag", "-a", "-m", "x", "v2"]]),
        Work("stash", [edit, ["git", "stash", "-q"]]),
        Work("stash and pop", [edit, ["git", "stash", "-q"], ["git", "stash", "pop", "-q"]]),
        Work("fast-forward", before: topic, [["git", "merge", "-q", "topic"]]),
        Work("merge", before: topic + onMain, [["git", "merge", "-q", "-m", "joined", "topic"]]),
        Work(
            "rebase",
            before: topic + onMain,
            [["git", "checkout", "-q", "topic"], ["git", "rebase", "-q", "main"]]
        ),
        Work("cherry-pick", before: topic + onMain, [["git", "cherry-pick", "topic"]]),
        Work("revert", before: onMain, [["git", "revert", "--no-edit", "HEAD"]]),
        Work("reset", before: onMain, [["git", "reset", "-q", "--hard", "HEAD~1"]]),
        Work("pack refs", before: topic, [["git", "pack-refs", "--all"]]),
        Work("notes", [["git", "notes", "add", "-m", "n"]]),
        Work("index version 4", [["git", "update-index", "--index-version", "4"], edit, ["git", "add", "-A"]]),
        Work(
            "fetch from a path",
            before: [["git", "clone", "-q", "--bare", ".", "../remote"]],
            [["git", "fetch", "-q", "../remote", "main"]]
        ),
        Work("worktree state of a restore", [edit, ["git", "restore", "."]]),
    ]

    @Test(arguments: works, ["sha1", "sha256"])
    func isOrdinary(_ work: Work, _ format: String) throws {
        let fixture = try GitFixture(format: format)
        for command in work.before { try fixture.run(command, in: fixture.lower) }
        let result = try fixture.inspect { path in
            for command in work.commands { try fixture.run(command, in: path) }
        }
        #expect(result.held.isEmpty, "\(result.inspections.filter { result.held.contains($0.key) })")
        #expect(result.notMine.allSatisfy { !$0.contains(".git/") })
        #expect(result.changes.isEmpty == false)
    }

    @Test("git status rewrites the index, which is no change")
    func statusIsNoChange() throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect { path in
            try fixture.run(["touch", "-d", "2001-01-01", path + "/one.txt"], in: path)
            try fixture.git(["status"], in: path)
        }
        #expect(result.unchanged == [".git/index"])
        #expect(result.held.isEmpty)
    }

    @Test("gc packs objects anew: packs come in, deletions are dropped")
    func gc() throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect { try fixture.git(["gc", "-q"], in: $0) }
        #expect(result.held.isEmpty, "\(result.inspections.filter { result.held.contains($0.key) })")
        #expect(result.ordinary.contains { $0.hasSuffix(".pack") })
        #expect(result.ordinary.contains { $0.hasSuffix(".idx") })
        let deletions = result.changes.filter { $0.kind == .deleted && $0.path.description.hasPrefix(".git/objects/") }
        #expect(!deletions.isEmpty)
        #expect(deletions.allSatisfy { result.dropped.contains($0.path.description) })
        #expect(result.dropped.contains(".git/objects/info/packs"))
    }

    @Test func packsAreRefusedWhereNothingVerifiesThem() throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect(verifiesPacks: false) { try fixture.git(["gc", "-q"], in: $0) }
        #expect(!result.held.isEmpty)
        #expect(result.held.allSatisfy { result.denied($0) == RuleID("git-pack") })
    }

    @Test("a commit in a submodule is ordinary, adding one is not")
    func submodules() throws {
        let fixture = try GitFixture()
        let source = fixture.directory.path + "/source"
        try fixture.run(["cp", "-a", fixture.lower, source], in: fixture.directory.path)
        let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "module"]
        let adding = try fixture.inspect { try fixture.git(add, in: $0) }
        #expect(adding.denied(".git/config") == RuleID("git-config"))
        #expect(adding.denied("module/.git") == RuleID("git-file"))
        try fixture.git(add, in: fixture.lower)
        try fixture.git(["commit", "-q", "-m", "module"], in: fixture.lower)
        let result = try fixture.inspect { path in
            try fixture.run(["sh", "-c", "echo x >> one.txt"], in: path + "/module")
            try fixture.git(["commit", "-q", "-a", "-m", "in the module"], in: path + "/module")
            try fixture.git(["commit", "-q", "-a", "-m", "in the project"], in: path)
        }
        #expect(result.held.isEmpty, "\(result.inspections.filter { result.held.contains($0.key) })")
        #expect(result.ordinary.contains(".git/modules/module/index"))
    }

    @Test("a commit in a linked working tree inside is ordinary, adding one is not")
    func worktrees() throws {
        let fixture = try GitFixture()
        let add = ["worktree", "add", "-q", "-b", "tree", "linked"]
        let adding = try fixture.inspect { try fixture.git(add, in: $0) }
        #expect(adding.denied("linked/.git") == RuleID("git-file"))
        #expect(adding.denied(".git/worktrees/linked/gitdir") == RuleID("git-new-directory"))
        // Named by a relative path, so that the copy names its own.
        try fixture.git(add, in: fixture.lower)
        try fixture.write("gitdir: ../.git/worktrees/linked\n", to: "linked/.git")
        let result = try fixture.inspect { path in
            try fixture.run(["sh", "-c", "echo x >> one.txt"], in: path + "/linked")
            try fixture.git(["commit", "-q", "-a", "-m", "linked"], in: path + "/linked")
        }
        #expect(result.held.isEmpty, "\(result.inspections.filter { result.held.contains($0.key) })")
        #expect(result.ordinary.contains(".git/worktrees/linked/index"))
    }

    @Test("a merge that is not finished is held")
    func unfinished() throws {
        let fixture = try GitFixture()
        for command in [
            ["git", "checkout", "-q", "-b", "topic"], ["sh", "-c", "echo other > one.txt"],
            ["git", "commit", "-q", "-a", "-m", "t"],
            ["git", "checkout", "-q", "main"], ["sh", "-c", "echo mine > one.txt"],
            ["git", "commit", "-q", "-a", "-m", "m"],
        ] { try fixture.run(command, in: fixture.lower) }
        let result = try fixture.inspect { try fixture.git(["merge", "topic"], in: $0, allowsFailure: true) }
        #expect(result.denied(".git/MERGE_HEAD") == RuleID("git-unfinished"))
        let rebase = try fixture.inspect { path in
            try fixture.git(["checkout", "-q", "topic"], in: path)
            try fixture.git(["rebase", "main"], in: path, allowsFailure: true)
        }
        #expect(rebase.held.contains { $0.hasPrefix(".git/rebase-merge") })
        #expect(rebase.denied(".git/rebase-merge/git-rebase-todo") == RuleID("git-unfinished"))
    }

    @Test("a commit in a bare repository that the user keeps in the tree")
    func bareRepository() throws {
        let fixture = try GitFixture()
        try fixture.git(["init", "-q", "--bare", "store"], in: fixture.lower)
        let result = try fixture.inspect { try fixture.git(["push", "-q", "store", "main"], in: $0) }
        #expect(result.held.isEmpty, "\(result.inspections.filter { result.held.contains($0.key) })")
        #expect(result.ordinary.contains("store/refs/heads/main"))
    }
}
