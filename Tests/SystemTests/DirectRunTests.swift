import Foundation
import TestSupport
import Testing

@Suite("A direct run works on the project itself and says what it cannot promise")
struct DirectRunTests {
    @Test(arguments: TestIdentity.available)
    func changesAreLiveAndNothingElseIsLeft(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let before = try DirectYard.fingerprint(yard)
        let control = yard.path + "/control"
        // The second half waits for the host, which answers what it sees of the first.
        let first = "echo live > src/new.txt; echo more >> src/one.txt; mkdir src/made; mv src/two.txt src/made/"
        let second = "rm src/named; chmod 600 src/one.txt; printf '%s' done"
        let ran = try yard.outside(
            """
            "$BAILEY" run --workspace direct -- sh -c '\(first); while [ ! -e src/go ]; do sleep 0.02; done
                cat src/go; rm src/go; \(second)' & run=$!
            for look in $(seq 500); do [ -d src/made ] && [ ! -e src/two.txt ] && break; sleep 0.02; done
            cat src/new.txt src/one.txt src/made/two.txt; echo host > src/go; wait $run
            """
        )
        #expect(ran.stdout == "live\none\nmore\ntwo\nhost\ndone", "\(ran.summary)")
        #expect(ran.stderr.contains("no gate and no undo"), "\(ran.stderr)")
        #expect(!ran.stderr.contains("warning"), "\(ran.stderr)")
        #expect(try DirectYard.fingerprint(yard) == before)
        let made = try yard.outside(
            "git clean -qdfx src; git reset -q --hard; cp -a . '\(control)'; \(first); \(second)"
        )
        #expect(made.status == 0, "\(made.summary)")
        let expected = try yard.picture()
        try yard.outside("cp -a '\(control)/src' again && rm -rf src && mv again src")
        try yard.inside(first + ";" + second, "--workspace", "direct")
        #expect(try yard.picture() == expected)
        #expect(Leftovers.mounts(yard.path).isEmpty)
        let owners = try yard.outside("find src -not -user \(identity.uid)").stdout
        #expect(owners.isEmpty, "\(owners)")
    }

    @Test(arguments: TestIdentity.available)
    func theRecordAndTheAnswerSayWhatChanged(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let changed = try yard.inside(
            "echo a > src/a; echo b >> src/one.txt; rm src/two.txt",
            "--workspace",
            "direct",
            "--json"
        )
        #expect(changed.status == 0, "\(changed.summary)")
        #expect(changed.stdout.contains(#""changes":{"state":"applied","created":1,"changed":1,"deleted":1}"#))
        #expect(
            try yard.events()
                == [
                    "RUN_CREATED", "GRANT_ISSUED", "COMMAND_OBSERVED", "COMMAND_EXITED", "LIVE_CHANGES_CHECKED",
                    "RUN_COMPLETED",
                ]
        )
        let journal = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
        #expect(journal.contains(#""workspace":"direct""#) && journal.contains(#""rule":"operator-direct-run""#))
        #expect(try yard.state() == "finished")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        #expect(!yard.exists("project/.bailey/runs/\(try yard.lastRun())/workspace/plan"))
        let idle = try yard.inside("cat src/one.txt", "--workspace", "direct", "--json")
        #expect(idle.stdout.contains(#""changes":{"state":"none","created":0,"changed":0,"deleted":0}"#))
        #expect(try yard.bailey(["changes", "show", "last"]).status != 125)
    }

    @Test(arguments: TestIdentity.available)
    func whatTheGateWouldHaveStoppedIsTold(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let script = """
            mkdir -p new/.git deep/er && git init -q deep/er/work 2>/dev/null
            mkdir -p plain/objects plain/refs && echo 'ref: refs/heads/main' > plain/HEAD
            echo x > .gdbinit; echo 'K=v' > src/.env; ln -s /etc/passwd away; mkfifo pipe
            mkdir -p x/workflows; echo x > x/workflows/a.yml; mv x src/.github
            """
        let ran = try yard.inside(script, "--workspace", "direct")
        #expect(ran.status == 0, "\(ran.summary)")
        for place in [
            "new/.git", "deep/er/work/.git", "plain", ".gdbinit", "src/.env", "away", "pipe",
            "src/.github/workflows/a.yml",
        ] {
            #expect(ran.stderr.contains("warning: \(place): "), "\(place): \(ran.stderr)")
        }
        let journal = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
        for rule in ["git-new-directory", "editor-settings", "secret-file", "link-leaves-project"] {
            #expect(journal.contains(#""rule":"\#(rule)""#), "\(rule)")
        }
        // What was there before, and what is ordinary, is not told.
        let quiet = try yard.inside("echo x > src/b; echo all: > Makefile", "--workspace", "direct")
        #expect(!quiet.stderr.contains("warning"), "\(quiet.stderr)")
    }

    @Test(arguments: TestIdentity.available)
    func aShutProjectIsOpenedAgain(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let ran = try yard.inside("chmod 0 .", "--workspace", "direct")
        #expect(ran.status == 0 && ran.stderr.contains("[shut-project]"), "\(ran.summary)")
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
    }

    @Test(arguments: TestIdentity.available)
    func aGitDirectoryOutsideIsReadable(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let made = try yard.outside("git worktree add -q ../linked && echo more >> ../linked/src/one.txt")
        #expect(made.status == 0, "\(made.summary)")
        let script = "git status --short; git log --format=%s; git commit -qam no || echo refused"
        let ran = try yard.inside(script, "--workspace", "direct", in: yard.path + "/linked")
        #expect(ran.stdout == " M src/one.txt\nfirst\nrefused\n", "\(ran.summary)")
        #expect(ran.stderr.contains("Read-only file system"))
    }

    @Test(arguments: TestIdentity.available)
    func whatCannotBeGuardedIsRefused(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        func expectRefusal(_ prepare: String, _ words: String, in directory: String? = nil) throws {
            let made = try yard.outside(prepare)
            #expect(made.status == 0, "\(made.summary)")
            let ran = try yard.inside("echo ran", "--workspace", "direct", in: directory)
            #expect(ran.status == 125 && ran.stdout.isEmpty && ran.stderr.contains(words), "\(ran.summary)")
            #expect(ran.stderr.contains("hint: "), "\(ran.stderr)")
        }
        try expectRefusal("git init -q --bare ../store", "a git directory itself", in: yard.path + "/store")
        try expectRefusal("mkdir -p odd && git init -q odd && echo '[' >> odd/.git/config", "is not understood")
        try yard.outside("rm -rf odd && mkdir many && cd many && seq -f '%g.env' 5000 | xargs touch")
        try expectRefusal("true", "places that need a mount of their own")
        try yard.outside("rm -rf many && mkdir \"$(printf 'a\\377')\" && echo x > \"$(printf 'a\\377')/.env\"")
        try expectRefusal("true", "not valid UTF-8")
        guard identity == .root else { return }
        try expectRefusal("rm -rf \"$(printf 'a\\377')\"; echo x > src/theirs; chown 7:7 src/theirs", "another owner")
    }
}
