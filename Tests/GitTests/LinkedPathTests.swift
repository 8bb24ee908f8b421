import Domain
import Foundation
import Git
import Testing
import Workspace

@Suite("where the links of a git directory lead is held at the gate")
struct LinkedPathTests {
    struct Link: Sendable, CustomTestStringConvertible {
        let name: String
        /// Run in the user's tree before the command starts.
        let setUp: String
        /// What the command does.
        let attack: String
        let path: String
        /// What the reason names.
        let source: String
        var testDescription: String { name }

        init(_ name: String, _ setUp: String, _ attack: String, _ path: String, _ source: String) {
            self.name = name
            self.setUp = setUp
            self.attack = attack
            self.path = path
            self.source = source
        }
    }

    static let links: [Link] = [
        Link(
            "a hook that is a link",
            "mkdir scripts; echo true > scripts/pre-commit.sh; ln -s ../../scripts/pre-commit.sh .git/hooks/pre-commit",
            "echo evil >> scripts/pre-commit.sh",
            "scripts/pre-commit.sh",
            ".git/hooks/pre-commit"
        ),
        Link(
            "an absolute link",
            "mkdir scripts; echo true > scripts/a; ln -s \"$PWD/scripts/a\" .git/hooks/pre-push",
            "echo evil >> scripts/a",
            "scripts/a",
            ".git/hooks/pre-push"
        ),
        Link(
            "a hook that leads nowhere yet",
            "ln -s ../../scripts/later .git/hooks/pre-commit",
            "mkdir scripts; echo evil > scripts/later",
            "scripts/later",
            ".git/hooks/pre-commit"
        ),
        Link(
            "the directory of hooks",
            "mkdir hooksdir; rm -rf .git/hooks; ln -s ../hooksdir .git/hooks",
            "echo evil > hooksdir/post-checkout",
            "hooksdir/post-checkout",
            ".git/hooks"
        ),
        Link(
            "a link in a linked directory of hooks",
            "mkdir -p h s; echo x > s/a; rm -rf .git/hooks; ln -s ../h .git/hooks; ln -s ../s/a h/pre-commit",
            "echo evil > s/a",
            "s/a",
            ".git/hooks/pre-commit"
        ),
        Link(
            "a link in core.hooksPath",
            "mkdir .githooks s; echo x > s/a; ln -s ../s/a .githooks/pre-commit; git config core.hooksPath .githooks",
            "echo evil > s/a",
            "s/a",
            ".githooks/pre-commit"
        ),
        Link(
            "a link on the way, where it ends",
            "mkdir tools; echo x > tools/a; ln -s tools scripts; ln -s ../../scripts/a .git/hooks/pre-commit",
            "echo evil > tools/a",
            "tools/a",
            ".git/hooks/pre-commit"
        ),
        Link(
            "a link on the way, replaced by a directory",
            "mkdir tools; echo x > tools/a; ln -s tools scripts; ln -s ../../scripts/a .git/hooks/pre-commit",
            "rm scripts; mkdir scripts; echo evil > scripts/a",
            "scripts",
            ".git/hooks/pre-commit"
        ),
        Link(
            "the directory above replaced",
            "mkdir -p a/b; echo x > a/b/c; ln -s ../../a/b/c .git/hooks/pre-commit",
            "rm -rf a; ln -s sub a",
            "a",
            ".git/hooks/pre-commit"
        ),
        Link(
            "the configuration",
            "mv .git/config shared.cfg; ln -s ../shared.cfg .git/config",
            "printf '[core]\\n\\tfsmonitor = ./evil\\n' >> shared.cfg",
            "shared.cfg",
            ".git/config"
        ),
        Link(
            "what a linked configuration names",
            "mv .git/config s.cfg; ln -s ../s.cfg .git/config; printf '[core]\\n\\thooksPath = h\\n' >> s.cfg",
            "mkdir h; echo evil > h/pre-commit",
            "h/pre-commit",
            "core.hookspath"
        ),
        Link(
            "attributes",
            "mkdir -p .git/info; echo > attrs; ln -s ../../attrs .git/info/attributes",
            "echo '* filter=x' > attrs",
            "attrs",
            ".git/info/attributes"
        ),
        Link(
            "a hook of a submodule",
            "mkdir -p .git/modules/libs; git init -q --bare .git/modules/libs/one; rm -rf .git/modules/libs/one/hooks; "
                + "mkdir s; ln -s ../../../../s .git/modules/libs/one/hooks",
            "echo evil > s/pre-commit",
            "s/pre-commit",
            ".git/modules/libs/one/hooks"
        ),
        Link(
            "the hooks path of a submodule",
            "git init -q --bare .git/modules/one; git -C .git/modules/one config core.worktree ../../../one; "
                + "git -C .git/modules/one config core.hooksPath ../s",
            "mkdir s; echo evil > s/pre-commit",
            "s/pre-commit",
            "core.hookspath"
        ),
        Link(
            "the settings of a linked working tree",
            "git worktree add -q ../linked; echo > c; ln -s ../../../c .git/worktrees/linked/config.worktree",
            "echo '[core] fsmonitor = ./evil' > c",
            "c",
            ".git/worktrees/linked/config.worktree"
        ),
        Link(
            ".git itself",
            "mkdir meta; mv .git meta/git; ln -s meta/git .git; git config core.hooksPath \"$PWD/h\"",
            "mkdir h; echo evil > h/pre-commit",
            "h/pre-commit",
            "core.hookspath"
        ),
        Link(
            "a repository that the project is a part of",
            "cd ..; git init -q .; git config core.hooksPath lower/h",
            "mkdir h; echo evil > h/pre-commit",
            "h/pre-commit",
            "core.hookspath"
        ),
    ]

    @Test(arguments: links)
    func isDenied(_ link: Link) throws {
        let fixture = try GitFixture()
        try fixture.run(["sh", "-e", "-c", link.setUp], in: fixture.lower)
        let result = try fixture.inspect { copy in
            try fixture.run(["sh", "-e", "-c", link.attack + "; echo x > ordinary.txt"], in: copy)
        }
        #expect(result.denied(link.path) == RuleID("git-configured-path"), "\(result.inspections)")
        #expect(result.notMine.contains("ordinary.txt"), "\(result.inspections)")
        guard case .finding(let finding)? = result.inspections[link.path] else { return }
        #expect(finding.reason.contains(link.source), "\(finding.reason)")
    }

    @Test func linksThatTurnInACircleEnd() throws {
        let fixture = try GitFixture()
        try fixture.run(["sh", "-c", "ln -s b a; ln -s a b; ln -s ../../a .git/hooks/pre-commit"], in: fixture.lower)
        let result = try fixture.inspect { try fixture.run(["sh", "-c", "rm a; echo evil > a; echo > c"], in: $0) }
        #expect(result.denied("a") == RuleID("git-configured-path"))
        #expect(result.notMine.contains("c"))
    }

    @Test(
        "a configuration that is not understood holds every change in its repository, and is no error",
        arguments: ["[core\n", "hooksPath = x\n", "[core]\n\tx = \"open\n", "[core]\n\t= 3\n"]
    )
    func unparsable(_ text: String) throws {
        let fixture = try GitFixture()
        try fixture.run(["sh", "-c", "mkdir -p deep/er; git init -q deep/er"], in: fixture.lower)
        try fixture.write(text, to: "deep/er/.git/config")
        let script = "echo x > outside.txt; echo x > deep/er/inside.txt; mkdir deep/er/.git/refs/heads/d"
        let result = try fixture.inspect { try fixture.run(["sh", "-c", script], in: $0) }
        #expect(result.denied("deep/er/inside.txt") == RuleID("git-unreadable"))
        #expect(result.denied("deep/er/.git/refs/heads/d") == RuleID("git-unreadable"))
        #expect(result.notMine.contains("outside.txt"))
        guard case .finding(let finding)? = result.inspections["deep/er/inside.txt"] else { return }
        #expect(finding.reason.contains("deep/er/.git/config"), "\(finding.reason)")
    }

    @Test func theUsersOwnConfigurationThatIsNotUnderstoodHoldsToo() throws {
        let fixture = try GitFixture()
        let result = try fixture.inspect(userConfigurations: ["[core\n"]) { try "x".write(toFile: $0 + "/x") }
        #expect(result.denied("x") == RuleID("git-unreadable"))
    }

    @Test(
        "a common directory without HEAD is a git directory",
        arguments: ["config", "hooks/pre-commit", "worktrees/w/config.worktree"]
    )
    func commonDirectory(_ name: String) throws {
        let fixture = try GitFixture(empty: true)
        let script = """
            git init -q --bare meta/common; mkdir -p meta/common/worktrees/w
            mv meta/common/HEAD meta/common/worktrees/w/HEAD; echo ../.. > meta/common/worktrees/w/commondir
            echo 'gitdir: meta/common/worktrees/w' > .git; git status -s
            """
        try fixture.run(["sh", "-e", "-c", script], in: fixture.lower)
        let result = try fixture.inspect { try fixture.run(["sh", "-c", "echo evil >> meta/common/\(name)"], in: $0) }
        #expect(result.denied("meta/common/" + name) != nil, "\(result.inspections)")
    }

    @Test(
        "what becomes a common directory by the change is a new git directory",
        arguments: ["config", "hooks/pre-commit", "worktrees/w/gitdir"]
    )
    func newCommonDirectory(_ name: String) throws {
        let fixture = try GitFixture(empty: true)
        try fixture.run(["sh", "-c", "mkdir -p c/objects c/refs"], in: fixture.lower)
        let script = "mkdir -p \"$(dirname c/\(name))\"; echo evil > c/\(name)"
        let result = try fixture.inspect { try fixture.run(["sh", "-c", script], in: $0) }
        #expect(result.denied("c/" + name) == RuleID("git-new-directory"), "\(result.inspections)")
    }
}

extension String {
    fileprivate func write(toFile path: String) throws { try write(toFile: path, atomically: false, encoding: .utf8) }
}
