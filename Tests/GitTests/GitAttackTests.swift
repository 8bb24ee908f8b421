import Domain
import Foundation
import Git
import Testing
import Workspace

@Suite("what makes git run code is held at the gate")
struct GitAttackTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let name: String
        let script: String
        /// The path that must be denied, and by which rule.
        let path: String
        let rule: StaticString
        var testDescription: String { name }

        init(_ name: String, _ script: String, _ path: String, _ rule: StaticString) {
            self.name = name
            self.script = script
            self.path = path
            self.rule = rule
        }
    }

    static let attacks: [Attack] = [
        Attack(
            "hook",
            "echo evil > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit",
            ".git/hooks/pre-commit",
            "git-hooks"
        ),
        Attack("fsmonitor", "git config core.fsmonitor ./evil", ".git/config", "git-config"),
        Attack(
            "fsmonitor per worktree",
            "echo '[core] fsmonitor = ./evil' > .git/config.worktree",
            ".git/config.worktree",
            "git-config"
        ),
        Attack(
            "attributes",
            "mkdir -p .git/info; echo '* filter=x' > .git/info/attributes",
            ".git/info/attributes",
            "git-info"
        ),
        Attack("grafts", "mkdir -p .git/info; echo x > .git/info/grafts", ".git/info/grafts", "git-info"),
        Attack(
            "alternates",
            "mkdir -p .git/objects/info; echo /x > .git/objects/info/alternates",
            ".git/objects/info/alternates",
            "git-alternates"
        ),
        Attack("commondir", "echo /tmp/x > .git/commondir", ".git/commondir", "git-worktrees"),
        Attack("shallow", "git rev-parse HEAD > .git/shallow", ".git/shallow", "git-shallow"),
        Attack(
            "module",
            "mkdir -p .git/modules/x; echo x > .git/modules/x/config",
            ".git/modules/x/config",
            "git-modules"
        ),
        Attack(
            "hooks renamed away",
            "mv .git .git2; cp -a .git2 .git; echo x > .git/hooks/post-checkout",
            ".git/hooks/post-checkout",
            "git-hooks"
        ),
        Attack("copied git directory", "cp -a .git .git2", ".git2/config", "git-new-directory"),
        Attack("nested repository", "git init -q nested", "nested/.git/config", "git-new-directory"),
        Attack("bare repository", "git init -q --bare b", "b/config", "git-new-directory"),
        Attack(
            "bare repository by hand",
            "mkdir -p d/objects d/refs; echo 'ref: refs/heads/x' > d/HEAD; echo x > d/config",
            "d/HEAD",
            "git-new-directory"
        ),
        Attack(
            "bare repository in the root",
            "mkdir objects refs; echo 'ref: refs/heads/x' > HEAD; echo x > config",
            "config",
            "git-new-directory"
        ),
        Attack(".git file", "mkdir n; echo 'gitdir: ../b' > n/.git", "n/.git", "git-file"),
        Attack(".git link", "mkdir n; ln -s ../b n/.git", "n/.git", "git-file"),
        Attack(
            "other case",
            "mkdir -p .GIT/hooks; echo x > .GIT/hooks/pre-commit",
            ".GIT/hooks/pre-commit",
            "git-new-directory"
        ),
        Attack(
            "other case inside",
            "mkdir -p .git/HOOKS; echo x > .git/HOOKS/pre-commit",
            ".git/HOOKS/pre-commit",
            "git-hooks"
        ),
        Attack("trailing dot", "mkdir -p '.git.'; echo x > '.git./config'", ".git./config", "git-new-directory"),
        Attack("short name", "mkdir -p 'git~1'; echo x > 'git~1/config'", "git~1/config", "git-new-directory"),
        Attack(
            "zero-width",
            "mkdir -p \"$(printf '.g\\342\\200\\214it')\"; echo x > \"$(printf '.g\\342\\200\\214it/config')\"",
            ".g\u{200c}it/config",
            "git-new-directory"
        ),
        Attack("HEAD as a link", "rm .git/HEAD; ln -s ../evil .git/HEAD", ".git/HEAD", "git-kind"),
        Attack("HEAD with more", "printf 'ref: refs/heads/main\\nmore\\n' > .git/HEAD", ".git/HEAD", "git-content"),
        Attack("HEAD outside refs", "echo 'ref: ../../x' > .git/HEAD", ".git/HEAD", "git-content"),
        Attack("HEAD removed", "rm .git/HEAD", ".git/HEAD", "git-directory-itself"),
        Attack("repository removed", "rm -rf .git", ".git", "git-directory-itself"),
        Attack("objects removed", "rm -rf .git/objects", ".git/objects", "git-directory-itself"),
        Attack("packed refs removed", "rm .git/packed-refs", ".git/packed-refs", "git-unknown"),
        Attack(
            "ref climbing",
            "echo 'ref: refs/heads/../../x' > .git/refs/heads/a",
            ".git/refs/heads/a",
            "git-content"
        ),
        Attack("ref name", "git rev-parse HEAD > '.git/refs/heads/a..b'", ".git/refs/heads/a..b", "git-ref-name"),
        Attack("ref as option", "git rev-parse HEAD > '.git/refs/heads/-f'", ".git/refs/heads/-f", "git-ref-name"),
        Attack("ref link", "ln -s /etc/passwd .git/refs/heads/l", ".git/refs/heads/l", "git-kind"),
        Attack("ref garbage", "echo garbage > .git/refs/heads/g", ".git/refs/heads/g", "git-content"),
        Attack(
            "executable ref",
            "git rev-parse HEAD > .git/refs/heads/x; chmod +x .git/refs/heads/x",
            ".git/refs/heads/x",
            "git-mode"
        ),
        Attack("executable index", "chmod +x .git/index", ".git/index", "git-mode"),
        Attack("packed refs garbage", "echo garbage >> .git/packed-refs", ".git/packed-refs", "git-content"),
        Attack(
            "packed refs climbing",
            "echo \"$(git rev-parse HEAD) refs/../config\" > .git/packed-refs",
            ".git/packed-refs",
            "git-content"
        ),
        Attack("index garbage", "echo garbage > .git/index", ".git/index", "git-content"),
        Attack("split index", "git update-index --split-index", ".git/index", "git-content"),
        Attack("log outside", "mkdir -p .git/logs/x; echo x > .git/logs/x/y", ".git/logs/x/y", "git-ref-name"),
        Attack("log garbage", "echo garbage >> .git/logs/HEAD", ".git/logs/HEAD", "git-content"),
        Attack(
            "rebase state",
            "mkdir .git/rebase-merge; echo 'exec evil' > .git/rebase-merge/git-rebase-todo",
            ".git/rebase-merge/git-rebase-todo",
            "git-unfinished"
        ),
        Attack(
            "sequencer",
            "mkdir .git/sequencer; echo x > .git/sequencer/todo",
            ".git/sequencer/todo",
            "git-unfinished"
        ),
        Attack(
            "object with another name",
            "o=$(find .git/objects -type f | head -1); mkdir -p .git/objects/ff; "
                + "cp $o .git/objects/ff/00000000000000000000000000000000000000",
            ".git/objects/ff/00000000000000000000000000000000000000",
            "git-object"
        ),
        Attack(
            "object that is none",
            "mkdir -p .git/objects/ff; echo x > .git/objects/ff/00000000000000000000000000000000000000",
            ".git/objects/ff/00000000000000000000000000000000000000",
            "git-object"
        ),
        Attack(
            "object with an odd name",
            "mkdir -p .git/objects/ff; echo x > .git/objects/ff/evil",
            ".git/objects/ff/evil",
            "git-unknown"
        ),
        Attack("object directory with an odd name", "mkdir -p .git/objects/evil", ".git/objects/evil", "git-unknown"),
        Attack(
            "pack that is none",
            "n=pack-$(git rev-parse HEAD); echo x > .git/objects/pack/$n.pack; echo x > .git/objects/pack/$n.idx",
            ".git/objects/pack/pack-HEAD.pack",
            "git-pack"
        ),
        Attack(
            "set-id",
            "git rev-parse HEAD > .git/refs/heads/s; chmod 4644 .git/refs/heads/s",
            ".git/refs/heads/s",
            "git-mode"
        ),
        Attack("unknown file", "echo x > .git/description", ".git/description", "git-unknown"),
    ]

    @Test(arguments: attacks)
    func isDenied(_ attack: Attack) throws {
        let fixture = try GitFixture()
        try fixture.git(["pack-refs", "--all"], in: fixture.lower)
        let head = try fixture.git(["rev-parse", "HEAD"], in: fixture.lower).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
        let result = try fixture.inspect { try fixture.run(["sh", "-e", "-c", attack.script], in: $0) }
        let path = attack.path.replacingOccurrences(of: "pack-HEAD", with: "pack-" + head)
        #expect(result.denied(path) == RuleID(attack.rule), "\(String(describing: result.inspections[path]))")
    }

    @Test("the removal of a directory above a repository is denied, of any other is not")
    func removalAbove() throws {
        let fixture = try GitFixture()
        try fixture.make(fixture.lower + "/vendor/lib")
        try fixture.git(["init", "-q", "deep"], in: fixture.lower + "/vendor/lib")
        try fixture.write("x", to: "other/file")
        let tree = { (path: String) in try fixture.run(["sh", "-c", "rm -rf vendor other"], in: path) }
        let result = try fixture.inspect { _ = try tree($0) }
        #expect(result.denied("vendor") == RuleID("git-directory-removed"))
        #expect(result.denied("vendor/lib") == RuleID("git-directory-removed"))
        #expect(result.denied("vendor/lib/deep/.git") == RuleID("git-directory-itself"))
        #expect(result.denied("other") == nil)
        let replaced = try fixture.inspect { path in
            try fixture.run(["sh", "-c", "rm -rf vendor; ln -s other vendor"], in: path)
        }
        #expect(replaced.denied("vendor") == RuleID("git-directory-removed"))
    }

    @Test(
        "a tree whose entry would be written into .git is denied",
        arguments: ["..", ".git", ".GIT", "git~1", ".git "]
    )
    func evilTree(_ name: String) throws {
        let fixture = try GitFixture()
        var made = ""
        let result = try fixture.inspect { path in
            let blob = try fixture.git(["hash-object", "-w", "one.txt"], in: path).prefix(40)
            let raw = try #require(Hex.decode(blob.utf8))
            let content = Data(Array("100644 \(name)".utf8) + [0] + raw)
            try content.write(to: URL(fileURLWithPath: path + "/tree"))
            made = try fixture.git(["hash-object", "-t", "tree", "-w", "--literally", "tree"], in: path)
        }
        let path = ".git/objects/\(made.prefix(2))/\(made.dropFirst(2).prefix(38))"
        #expect(result.denied(path) == RuleID("git-object"))
    }

    @Test(
        "an index whose entry would be written elsewhere is denied",
        arguments: ["../x", ".git/config", "a/../b", "/etc/x", ".GIT/x", "a//b", "git~1/x"]
    )
    func evilIndex(_ name: String) throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect { path in
            let bytes = IndexBytes(paths: [Array(name.utf8)]).data()
            try Data(bytes).write(to: URL(fileURLWithPath: path + "/.git/index"))
        }
        #expect(result.denied(".git/index") == RuleID("git-index-path"), "\(result.inspections)")
    }

    @Test(
        "files that the user's configuration points to are denied",
        arguments: [
            ("[core] hooksPath = .githooks", ".githooks/pre-commit"),
            ("[core] hooksPath = ./tools/../.githooks", ".githooks/x/y"),
            ("[include] path = ../shared.cfg", "shared.cfg"),
            ("[includeIf \"gitdir:x\"] path = ../cond.cfg", "cond.cfg"),
            ("[core] attributesFile = attr", "attr"), ("[core] fsmonitor = scripts/watch", "scripts/watch"),
            ("[filter \"x\"] clean = python3 tools/clean.py --fast", "tools/clean.py"),
            ("[diff \"y\"] textconv = ./conv", "conv"),
            ("[alias] go = \"!sh ./go.sh\"", "go.sh"), ("[merge \"m\"] driver = 'bin/merge' %O %A %B", "bin/merge"),
            ("[credential] helper = !f() { ./cred; }; f", "cred"),
            ("[gc] recentObjectsHook = tools/recent", "tools/recent"),
            ("[sendemail] headerCmd = tools/header", "tools/header"),
            ("[instaweb] httpd = web/serve -f", "web/serve"), ("[instaweb] browser = web/show", "web/show"),
            ("[help] browser = web/help", "web/help"), ("[some] newKey = ./run --fast", "run"),
            ("[some \"x\"] newKey = !sh go/on", "go/on"),
        ]
    )
    func configuredPaths(_ configuration: String, _ path: String) throws {
        let fixture = try GitFixture()
        let config = fixture.lower + "/.git/config"
        let old = try String(contentsOfFile: config, encoding: .utf8)
        try (old + configuration + "\n").write(toFile: config, atomically: true, encoding: .utf8)
        let script = "mkdir -p \"$(dirname '\(path)')\"; echo x > '\(path)'; echo x > ordinary.txt"
        let result = try fixture.inspect { try fixture.run(["sh", "-c", script], in: $0) }
        #expect(result.denied(path) == RuleID("git-configured-path"), "\(result.inspections)")
        #expect(result.notMine.contains("ordinary.txt"))
        let linked = try fixture.inspect { copy in
            let top = path.split(separator: "/")[0]
            try fixture.run(["sh", "-c", "ln -s ordinary.txt '\(top)'"], in: copy)
        }
        #expect(linked.denied(String(path.split(separator: "/")[0])) == RuleID("git-configured-path"))
    }

    @Test("an executable of the project that any key names is denied, other files and places are not")
    func namedExecutables() throws {
        let fixture = try GitFixture()
        try fixture.run(
            ["sh", "-c", "mkdir bin; echo x > bin/tool; chmod +x bin/tool; echo x > bin/text; mkdir other"],
            in: fixture.lower
        )
        for (key, value) in [
            ("some.newkey", "bin/tool --fast"), ("some.other", "bin/text"), ("submodule.s.url", "./other"),
        ] {
            try fixture.git(["config", key, value], in: fixture.lower)
        }
        let result = try fixture.inspect {
            try fixture.run(["sh", "-c", "echo y > bin/tool; echo y > bin/text; echo y > other/f"], in: $0)
        }
        #expect(result.denied("bin/tool") == RuleID("git-configured-path"), "\(result.inspections)")
        #expect(result.notMine.contains("bin/text") && result.notMine.contains("other/f"))
    }

    @Test func theUsersOwnConfigurationCountsToo() throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect(userConfigurations: ["[core]\n\thooksPath = .hooks\n"]) { path in
            try fixture.run(["sh", "-c", "mkdir .hooks; echo x > .hooks/post-merge"], in: path)
        }
        #expect(result.denied(".hooks/post-merge") == RuleID("git-configured-path"))
    }

    @Test func anIncludeOfAnIncludeIsFollowed() throws {
        let fixture = try GitFixture()
        try fixture.git(["config", "include.path", "../a.cfg"], in: fixture.lower)
        try fixture.write("[core]\n\thooksPath = h\n", to: "a.cfg")
        let result = try fixture.inspect { try fixture.run(["sh", "-c", "mkdir h; echo x > h/pre-push"], in: $0) }
        #expect(result.denied("h/pre-push") == RuleID("git-configured-path"))
    }

    @Test func whatIsLeftOverIsDropped() throws {
        let fixture = try GitFixture()
        let script = """
            touch .git/index.lock .git/config.lock .git/refs/heads/x.lock .git/objects/tmp_obj_x .git/gc.pid
            mkfifo .git/refs/pipe; mkdir -p .git/objects/ab; touch .git/objects/ab/tmp_obj_y
            """
        let result = try fixture.inspect { try fixture.run(["sh", "-c", script], in: $0) }
        #expect(result.held.isEmpty, "\(result.inspections)")
        #expect(
            result.dropped == [
                ".git/config.lock", ".git/gc.pid", ".git/index.lock", ".git/objects/ab/tmp_obj_y",
                ".git/objects/tmp_obj_x",
                ".git/refs/heads/x.lock", ".git/refs/pipe",
            ]
        )
    }

    @Test("replacements are asked about, marks that hide changes are noted")
    func levels() throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect { path in
            try fixture.run(
                ["sh", "-c", "git replace $(git rev-parse HEAD:one.txt) $(git rev-parse HEAD:sub/two.txt)"],
                in: path
            )
            try fixture.git(["update-index", "--assume-unchanged", "one.txt"], in: path)
        }
        let replacement = try #require(result.held.first)
        #expect(replacement.hasPrefix(".git/refs/replace/"))
        guard case .finding(let finding)? = result.inspections[".git/index"] else {
            Issue.record("the index was not noted")
            return
        }
        #expect(finding.level == .note)
        #expect(finding.rule == RuleID("git-index-hides"))
    }

    @Test func everyRuleIsListedOnce() {
        let ids = GitRule.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(GitRule.all.allSatisfy { !$0.reason.isEmpty && !$0.pattern.isEmpty })
    }
}
