import Foundation
import TestSupport
import Testing

@Suite("git works inside as it does outside, and plants nothing")
struct GitTests {
    private static let work = """
        git status --short && echo two >> a.txt && echo new > b.txt && git add -A &&
        git -c core.quotePath=false commit -qm second && git status --short && git log --format=%s%n%an
        """

    private func place(_ identity: TestIdentity) throws -> Yard {
        let yard = try Yard(identity)
        try yard.makeRepository()
        return yard
    }

    @Test(arguments: TestIdentity.available) func commit(_ identity: TestIdentity) throws {
        let yard = try place(identity)
        let run = try yard.inside(Self.work, "--apply", "auto", "--json")
        #expect(run.status == 0, "\(run.summary)")
        #expect(try run.answer.text("changes.state") == "applied", "\(run.summary)")
        let log = try yard.outside(
            "git fsck --strict && git log --format=%s%n%an && git status --short && git show --stat HEAD"
        )
        #expect(log.status == 0 && log.stdout.hasPrefix("second\ntester\nfirst\ntester\n"), "\(log.summary)")
        #expect(log.stdout.contains("a.txt") && log.stdout.contains("b.txt"))
        #expect(!log.stdout.contains(" M ") && !log.stdout.contains("??"))
        #expect(try yard.outside("stat -c %u .git/HEAD .git/objects/* | sort -u").stdout == "\(identity.uid)\n")
    }

    @Test func branchesTagsAndMerges() throws {
        let yard = try place(TestIdentity.available[0])
        let run = try yard.inside(
            """
            git checkout -qb topic && echo t > t.txt && git add t.txt && git commit -qm topic && git checkout -q main &&
            echo m > m.txt && git add m.txt && git commit -qm main && git merge -q -m merge topic && git tag v1 &&
            git stash list && git branch -d topic && git gc -q 2>/dev/null; git log --oneline | wc -l
            """,
            "--apply",
            "auto",
            "--json"
        )
        #expect(run.status == 0, "\(run.summary)")
        let state = try run.answer.text("changes.state")
        let listing = try yard.bailey(["changes", "show", "--names"]).stdout
        #expect(state == "applied", "\(listing)")
        let log = try yard.outside("git fsck --strict && git log --oneline | wc -l; git tag; git status --short")
        #expect(log.stdout == "4\nv1\n", "\(log.summary)")
    }

    struct Plant: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
    }

    static let plants = [
        Plant(
            testDescription: "a hook",
            script: "printf '#!/bin/sh\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit"
        ),
        Plant(testDescription: "a pager", script: "git config core.pager 'sh -c id'"),
        Plant(
            testDescription: "a hooks path",
            script: "git config core.hooksPath .evil; mkdir .evil; echo x > .evil/pre-commit"
        ),
        Plant(testDescription: "a monitor", script: "git config core.fsmonitor ./evil"),
        Plant(testDescription: "an included file", script: "git config include.path ../evil.cfg; echo x > evil.cfg"),
        Plant(testDescription: "an alias", script: "git config alias.status '!id'"),
    ]

    @Test(arguments: plants) func planted(_ plant: Plant) throws {
        let yard = try place(TestIdentity.available[0])
        let before = try yard.outside("find .git -type f | sort; cat .git/config").stdout
        let run = try yard.inside(plant.script + "; echo x > fine.txt", "--apply", "auto", "--json")
        #expect(try run.answer.text("changes.state") == "held", "\(run.summary)")
        let apply = try yard.bailey(["changes", "apply", "--yes"])
        #expect(apply.status == 1 && apply.stderr.contains("deny .git/"), "\(apply.summary)")
        #expect(try yard.outside("find .git -type f | sort; cat .git/config").stdout == before)
        #expect(!yard.exists("project/fine.txt"))
    }

    @Test(arguments: TestIdentity.available) func linkedWorktree(_ identity: TestIdentity) throws {
        let yard = try place(identity)
        let added = try yard.outside("git worktree add -q -b side ../tree")
        #expect(added.status == 0, "\(added.summary)")
        let tree = yard.path + "/tree"
        let run = try yard.inside(Self.work, "--apply", "auto", "--json", in: tree)
        #expect(run.status == 0, "\(run.summary)")
        #expect(try run.answer.text("changes.state") == "applied", "\(run.summary)")
        let log = try yard.outside("git fsck --strict && git log --format=%s && git status --short", in: tree)
        #expect(log.stdout == "second\nfirst\n", "\(log.summary)")
        let main = try yard.outside("git log --format=%s && git log --format=%s side && git status --short")
        #expect(main.stdout == "first\nsecond\nfirst\n", "\(main.summary)")
    }

    @Test(arguments: TestIdentity.available) func submodule(_ identity: TestIdentity) throws {
        let yard = try place(identity)
        let made = try yard.outside(
            """
            git init -q -b main ../library && cd ../library && git config user.name l &&
            git config user.email l@example.test &&
            echo one > a.txt && git add -A && git commit -qm first && cd ../project &&
            git -c protocol.file.allow=always submodule --quiet add ../library library && git commit -qm submodule &&
            git -C library config user.name tester && git -C library config user.email tester@example.test
            """
        )
        #expect(made.status == 0, "\(made.summary)")
        let run = try yard.inside(Self.work, "--apply", "auto", "--json", in: yard.project + "/library")
        #expect(run.status == 0, "\(run.summary)")
        #expect(try run.answer.text("changes.state") == "applied", "\(run.summary)")
        let log = try yard.outside(
            "git -C library fsck --strict && git -C library log --format=%s && git status --short"
        )
        #expect(log.stdout == "second\nfirst\n M library\n", "\(log.summary)")
        // And the same from above, in a run over the whole.
        let above = try yard.inside(
            "git add library && git commit -qm bump && git status --short",
            "--apply",
            "auto",
            "--json"
        )
        #expect(above.status == 0, "\(above.summary)")
        #expect(try yard.outside("git log -1 --format=%s; git status --short").stdout == "bump\n")
    }
}
