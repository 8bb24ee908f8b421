import Domain
import Policy
import Testing

/// One made change.
func change(
    _ path: String,
    _ kind: ChangeKind = .created,
    file: FileKind = .file,
    mode: UInt32 = 0o644,
    previousMode: UInt32? = nil,
    link: String? = nil,
    tree: Int = 0
) throws -> Change {
    Change(
        tree: tree,
        path: try #require(RelativePath(path)),
        kind: kind,
        file: link == nil ? file : .symlink,
        mode: kind == .deleted ? nil : mode,
        previousMode: previousMode,
        linkTarget: link.map { Array($0.utf8) }
    )
}

@Suite("the gate judges names at any depth")
struct GateRuleNameTests {
    @Test(arguments: [
        (".bailey", Verdict.deny), ("a/.bailey/id", .deny), (".BAILEY/x", .deny), ("bailey.yml", .deny),
        ("Bailey.YML", .deny),
        ("sub/bailey.yml", .ask), (".claude/settings.json", .ask), ("x/y/.claude/agents/a.md", .ask),
        (".codex/config.toml", .ask),
        (".mcp.json", .ask), (".cursor/rules/a.mdc", .ask), (".cursorrules", .ask), (".gemini/settings.json", .ask),
        ("AGENTS.md", .ask), ("agents.MD", .ask), ("docs/CLAUDE.md", .ask), ("GEMINI.md", .ask),
        (".github/copilot-instructions.md", .ask), (".vscode/tasks.json", .ask), (".idea/workspace.xml", .ask),
        (".zed/tasks.json", .ask),
        (".devcontainer/devcontainer.json", .ask), ("p.code-workspace", .ask), (".bashrc", .ask), (".profile", .ask),
        (".zshrc", .ask), (".envrc", .ask), (".direnv/bin/x", .ask), (".github/workflows/ci.yml", .ask),
        (".github/actions/a/action.yml", .ask), (".gitlab-ci.yml", .ask), (".circleci/config.yml", .ask),
        ("Jenkinsfile", .ask),
        ("azure-pipelines.yml", .ask), (".travis.yml", .ask), (".buildkite/pipeline.yml", .ask), (".drone.yml", .ask),
        (".gitattributes", .ask), ("sub/.gitmodules", .ask), (".pre-commit-config.yaml", .ask), ("Dockerfile", .ask),
        ("docker-compose.yml", .ask), (".husky/pre-commit", .ask), (".githooks/pre-push", .ask), ("Makefile", .note),
        ("rules.mk", .note), ("package.json", .note), ("setup.py", .note), ("pyproject.toml", .note),
        ("build.rs", .note),
        ("Cargo.toml", .note), (".cargo/config.toml", .note), ("Package.swift", .note), ("CMakeLists.txt", .note),
        ("build.gradle.kts", .note), ("pom.xml", .note), ("gradlew", .note), ("Rakefile", .note),
        ("conftest.py", .note), ("tox.ini", .note),
        ("noxfile.py", .note), ("Justfile", .note), ("Taskfile.yml", .note), ("node_modules/.bin/tsc", .note),
        ("venv/bin/activate", .note), ("venv/bin/activate.fish", .note),
    ])
    func level(_ path: String, _ expected: Verdict) throws {
        #expect(GateRules.judge(try change(path))?.level == expected)
        #expect(GateRules.judge(try change(path, .changed, previousMode: 0o644))?.level == expected)
    }

    @Test(
        "secrets, and what programs run or obey when they start",
        arguments: [
            (".env", Verdict.ask), ("sub/.env.local", .ask), (".Env", .ask), (".env ", .ask), (".netrc", .ask),
            (".npmrc", .ask), ("sub/.npmrc", .ask), (".pypirc", .ask), (".aws/config", .ask),
            (".aws/credentials", .ask), (".kube/config", .ask), (".kube/cache/x", .ask), (".gnupg/gpg.conf", .ask),
            (".ssh/config", .ask), (".ssh/authorized_keys", .ask), ("pip.conf", .ask), (".config/pip/pip.conf", .ask),
            ("pip.ini", .ask), ("server.key", .ask), ("server.key~", .ask), ("id_ed25519", .ask),
            ("credentials.json", .ask), (".git-credentials", .ask), ("prod.tfvars", .ask),
            (".docker/config.json", .ask),
            (".RData", .ask), (".Rprofile", .ask), (".pnp.cjs", .ask), (".pnp.loader.mjs", .ask), (".ocamlinit", .ask),
            (".sbclrc", .ask), ("Session.vim", .ask), (".exrc", .ask), (".vimrc", .ask), (".nvimrc", .ask),
            ("startup.m", .ask), (".gdbinit", .ask), (".gdbinit.py", .ask), (".lldbinit", .ask),
            ("sitecustomize.py", .ask), ("lib/usercustomize.py", .ask), ("venv/lib/evil.pth", .ask),
            (".clangd", .note), ("compile_commands.json", .note), (".sourcekit-lsp/config.json", .note),
            (".luarc.json", .note), (".R/Makevars", .note), ("go.env", .ask), ("tsconfig.json", .note),
            ("phpunit.xml", .note), ("phpunit.xml.dist", .note), ("jupyter_notebook_config.py", .note),
            (".stylelintrc.js", .note), (".eslintrc.js", .note), ("vite.config.ts", .note), ("a.config.js", .note),
            ("a.config.mjs", .note), ("a.config.cjs", .note), (".terraformrc", .ask),
        ]
    )
    func startsAndSecrets(_ path: String, _ expected: Verdict) throws {
        #expect(GateRules.judge(try change(path))?.level == expected)
        #expect(GateRules.judge(try change(path, .changed, previousMode: 0o644))?.level == expected)
    }

    @Test("an example without values is no secret")
    func examples() throws {
        for path in [".env.example", "sub/.env.sample", "example.env", "cert.pem", "environment.yml"] {
            #expect(GateRules.judge(try change(path)) == nil, "\(path)")
        }
    }

    @Test("a start file of an environment that the run made is noted, of any other is asked about")
    func environments() throws {
        let file = "venv/lib/python3.13/site-packages/a.pth"
        let marker = try change("venv/pyvenv.cfg")
        let directory = try change("venv", file: .directory)
        let sets: [([Change], Verdict)] = [
            ([directory, marker], .note), ([marker], .ask), ([directory], .ask),
            ([try change("pyvenv.cfg")], .ask), ([try change("venv", .changed, file: .directory), marker], .ask),
            ([directory, try change("venv/pyvenv.cfg", .changed)], .ask),
            ([try change("venv/lib", file: .directory), try change("other/pyvenv.cfg")], .ask),
        ]
        for (changes, expected) in sets {
            let environments = GateRules.newEnvironments(changes)
            #expect(GateRules.judge(try change(file), newEnvironments: environments)?.level == expected)
        }
        let environments = GateRules.newEnvironments([directory, marker])
        #expect(GateRules.judge(try change("a.pth"), newEnvironments: environments)?.level == .ask)
        #expect(GateRules.judge(try change("venv/.gdbinit"), newEnvironments: environments)?.level == .ask)
    }

    @Test("a directory that shuts its owner out is noted, the project itself is denied")
    func shut() throws {
        for mode: UInt32 in [0o000, 0o300, 0o500, 0o077] {
            let made = try change("d", file: .directory, mode: mode)
            #expect(GateRules.judge(made)?.rule == RuleID("shut-directory"))
            let changed = try change("d", .mode, file: .directory, mode: mode, previousMode: 0o755)
            #expect(GateRules.judge(changed)?.level == .note)
            let root = Change(path: .root, kind: .mode, file: .directory, mode: mode, previousMode: 0o755)
            #expect(GateRules.judge(root)?.rule == RuleID("shut-project"))
            #expect(GateRules.judge(root)?.level == .deny)
        }
        let wider = Change(path: .root, kind: .mode, file: .directory, mode: 0o755, previousMode: 0o700)
        #expect(GateRules.judge(wider) == nil)
    }

    @Test(arguments: [
        "src/main.swift", "README.md", "a/b/c.txt", "claude.txt", "docs/agents.txt", "vscode/tasks.json",
        "github/workflows/ci.yml",
        "bailey.yml.txt", "my-bailey.md", "env", "profile", "git/config", ".gitignore", ".gitkeep", "tests/test_a.py",
        "made/file.c",
        "emoji-❤️.txt", "日本語.md", "naïve.txt", "with space.txt", "a:b", "file~1x", "lib.rs",
    ])
    func ordinary(_ path: String) throws { #expect(GateRules.judge(try change(path)) == nil) }

    @Test(
        "names that another reader takes for git's",
        arguments: [
            ".git", ".git/hooks/pre-commit", "sub/.git/config", ".GIT/hooks/x", ".Git", ".git ", ".git.", ".git. . ",
            ".git::$INDEX_ALLOCATION",
            ".git:stream", "git~1", "GIT~1/config", "git~2", ".git\\hooks\\x", "a\\.git\\config", ".g\u{200c}it",
            ".gi\u{200d}t/config",
            "\u{feff}.git", ".g\u{131}t", ".git\u{202e}",
        ]
    )
    func gitLookalikes(_ path: String) throws { #expect(GateRules.judge(try change(path))?.level == .deny) }

    @Test(
        "names that another reader takes for an agent's or Bailey's",
        arguments: [
            ("CLAUDE.md.", Verdict.ask), ("CLAUDE.md ", .ask), ("claude~1/settings.json", .ask),
            (".ba\u{131}ley", .deny),
            ("bailey~1/id", .deny), (".Bailey ./x", .deny), (".v\u{17f}code/tasks.json", .ask),
            (".\u{212a}iro/x", .ask),
            ("gi7eba~1", .ask), (".con\u{fb01}g/fish/config.fish", .ask), (".claude\\settings.json", .ask),
        ]
    )
    func lookalikes(_ path: String, _ expected: Verdict) throws {
        #expect(GateRules.judge(try change(path))?.level == expected)
    }

    @Test func rulesAreListed() {
        #expect(GateRules.all.allSatisfy { !$0.reason.isEmpty && !$0.pattern.isEmpty && $0.level != .allow })
        let patterns = GateRules.all.map(\.pattern)
        #expect(Set(patterns).count == patterns.count, "a pattern is there twice")
        #expect(Set(GateRules.all.map(\.id)).count >= 20)
    }

    @Test("what runs later does not run when it is gone, what is asked about is asked about either way")
    func deletions() throws {
        #expect(GateRules.judge(try change("Makefile", .deleted)) == nil)
        #expect(GateRules.judge(try change("bin/tool", .deleted)) == nil)
        #expect(GateRules.judge(try change("CLAUDE.md", .deleted))?.level == .ask)
        #expect(GateRules.judge(try change(".github/workflows/ci.yml", .deleted))?.level == .ask)
        #expect(GateRules.judge(try change(".bailey/id", .deleted))?.level == .deny)
        #expect(GateRules.judge(try change(".git/HEAD", .deleted))?.level == .deny)
        #expect(GateRules.judge(try change("bad\u{1b}[31m", .deleted)) == nil)
    }

    @Test func nothingOutsideTheProjectPasses() throws {
        #expect(GateRules.judge(try change("objects/aa/bb", tree: 1))?.level == .deny)
        #expect(GateRules.judge(try change("x", .deleted, tree: 2))?.rule == RuleID("foreign-tree"))
    }
}

@Suite("the gate judges kinds, modes and names that deceive")
struct GateRulePropertyTests {
    @Test(arguments: [
        "a\nb", "a\u{1b}[2Jb", "a\u{202e}txt.exe", "zero\u{200b}width", "soft\u{ad}", "x\u{7f}", "fill\u{3164}er",
        "dots\u{2800}",
    ])
    func deceptive(_ name: String) throws {
        #expect(GateRules.judge(try change("dir/" + name))?.rule == RuleID("deceptive-name"))
        #expect(GateRules.judge(try change(name + "/inner"))?.level == .deny)
    }

    @Test func notUTF8() throws {
        let path = try #require(RelativePath(bytes: [0x61, 0xFF, 0x62]))
        let finding = GateRules.judge(Change(path: path, kind: .created, file: .file, mode: 0o644))
        #expect(finding?.rule == RuleID("unreadable-name"))
        #expect(finding?.level == .deny)
    }

    @Test func properties() throws {
        #expect(GateRules.judge(try change("x", mode: 0o4755))?.rule == RuleID("set-id-bit"))
        #expect(GateRules.judge(try change("x", mode: 0o2755))?.level == .deny)
        #expect(GateRules.judge(try change("x", .mode, mode: 0o6644, previousMode: 0o644))?.level == .deny)
        #expect(GateRules.judge(try change("x", .changed, mode: 0o4755, previousMode: 0o4755))?.level == .deny)
        #expect(GateRules.judge(try change("d", file: .directory, mode: 0o2755))?.level == .note)
        #expect(GateRules.judge(try change("x", file: .device))?.level == .deny)
        #expect(GateRules.judge(try change("x", file: .fifo))?.rule == RuleID("dropped"))
        #expect(GateRules.judge(try change("x", file: .socket))?.level == .note)
        #expect(GateRules.judge(try change("x", mode: 0o755))?.rule == RuleID("new-executable"))
        #expect(
            GateRules.judge(try change("x", .mode, mode: 0o755, previousMode: 0o644))?.rule == RuleID("new-executable")
        )
        #expect(GateRules.judge(try change("x", .changed, mode: 0o755, previousMode: 0o755)) == nil)
        #expect(GateRules.judge(try change("x", mode: 0o666))?.rule == RuleID("world-writable"))
        #expect(GateRules.judge(try change("d", file: .directory, mode: 0o755)) == nil)
        #expect(GateRules.judge(try change("a\\b"))?.rule == RuleID("backslash-name"))
    }

    @Test(arguments: [
        ("x", "y", Verdict?.none), ("a/b/x", "../../y", nil), ("a/x", "..", nil), ("lib64", "lib", nil),
        ("x", "./y//z/", nil), ("x", ".", nil),
        ("x", "/usr/bin/python3", .note), ("x", "/opt/tool", .note), ("x", "/lib/x", .note),
        ("x", "/tool/chain/bin/x", .note),
        ("x", "/etc/passwd", .deny), ("x", "/", .deny), ("x", "/usr/../etc/passwd", .deny), ("x", "/usrlocal", .deny),
        ("x", "..", .deny),
        ("a/x", "../..", .deny), ("a/x", "../../etc", .deny), ("x", "y/../../z", .deny), ("x", "y/../z", .deny),
        ("x", "", .deny),
        ("x", "/home/u/.ssh/id", .deny), ("x", "/proc/self/root", .deny), ("x", ".git/hooks", .deny),
        ("x", ".GIT/config", .deny),
        ("a/x", "../.bailey", .deny), ("x", "bailey.yml", .deny), ("x", "a\u{1b}b", .deny),
        ("CLAUDE.md", "AGENTS.md", .ask),
        ("x", "//usr/bin/x", .note), ("x", "/tool/chain2", .deny),
    ])
    func links(_ path: String, _ target: String, _ expected: Verdict?) throws {
        #expect(
            GateRules.judge(try change(path, mode: 0o777, link: target), toolchainRoots: ["/tool/chain"])?.level
                == expected
        )
    }

    @Test func aLinkToASecretIsAskedAbout() throws {
        #expect(GateRules.judge(try change("public/x.txt", link: "../.env"))?.rule == RuleID("link-to-hidden"))
        #expect(GateRules.judge(try change("x", link: ".ssh/id"))?.level == .ask)
        #expect(GateRules.judge(try change("x", link: ".env.example")) == nil)
    }

    @Test func aNameThatLooksLikeAnOptionIsAskedAbout() throws {
        #expect(GateRules.judge(try change("src/--checkpoint-action=exec=sh x"))?.rule == RuleID("option-name"))
        #expect(GateRules.judge(try change("-x/y")) == nil)
    }

    @Test func aLinkWithoutATargetIsDenied() throws {
        #expect(GateRules.judge(try change("x", file: .symlink))?.level == .deny)
    }

    @Test("a link that is lexically inside but passes through a noted link is denied")
    func linkChain() throws {
        #expect(GateRules.judge(try change("n", link: "/usr"))?.level == .note)
        #expect(GateRules.judge(try change("b", link: "n/../etc/passwd"))?.level == .deny)
    }
}
