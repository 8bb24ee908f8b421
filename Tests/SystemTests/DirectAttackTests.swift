import Foundation
import TestSupport
import Testing

/// One thing that a command may try against what a direct run guards.
struct DirectAttack: Sendable, CustomStringConvertible {
    let description: String
    let script: String

    init(_ description: String, _ script: String) {
        self.description = description
        self.script = script
    }

    /// A system call that no tool makes for us; a number below zero is an errno.
    private static func python(_ body: String) -> String {
        """
        /usr/bin/python3 - <<'END'
        import ctypes, os, fcntl
        libc = ctypes.CDLL(None, use_errno=True)
        def exchange(a, b): return libc.renameat2(-100, a.encode(), -100, b.encode(), 2)
        \(body)
        END
        """
    }

    /// Attempts to see what is hidden. Outside, each prints the secret.
    static let reading: [DirectAttack] = [
        .init("read it", "cat .env"),
        .init("read it deep", "cat sub/deep/.env"),
        .init("read a hidden directory", "cat sub/.ssh/id_rsa"),
        .init("list and read by pattern", "grep -r KEY= . --include='.env'"),
        .init("rename it", "mv .env seen; cat seen"),
        .init("rename its directory", "mv sub seen; cat seen/deep/.env"),
        .init("rename the directory nearest", "mv sub/deep seen; cat seen/.env"),
        .init("link to it", "ln .env seen; cat seen"),
        .init("a symbolic link to it", "ln -s .env seen; cat seen"),
        .init("open its mode", "chmod 777 .env; cat .env"),
        .init("through its own root", "cat /proc/self/root$PWD/.env"),
        .init("through the first process", "cat /proc/1/root$PWD/.env || cat .env"),
        .init("from a descriptor of its directory", "cd sub/deep; exec 3< .; cat /proc/self/fd/3/.env"),
        .init("copy it", "cp .env seen; cat seen"),
        .init("archive it", "tar cf - .env | tar xOf -"),
        .init("unmount the cover", "umount .env; umount -l .env; cat .env"),
        .init("in a namespace of its own", "unshare -Urm sh -c 'umount .env; cat .env' || cat .env"),
        .init("remove it and look", "cp -a sub seen; cat seen/deep/.env; rm -f .env"),
        .init("exchange it", python("exchange('.env', 'src/one.txt'); print(open('src/one.txt').read())")),
        .init(
            "open it without access first",
            python("f = os.open('.env', os.O_PATH); print(open('/proc/self/fd/%d' % f).read())")
        ),
    ]

    /// Attempts to change what git and other programs take orders from. Outside, each changes something.
    static let writing: [DirectAttack] = [
        .init("a hook", "echo x > .git/hooks/pre-commit"),
        .init("the configuration", "git config core.fsmonitor 'sh -c id'"),
        .init("a configuration of the working tree", "echo '[core]' > .git/config.worktree"),
        .init("a commit", "git commit -q --allow-empty -m no --no-verify"),
        .init("rename .git", "mv .git old"),
        .init("rename .git and make another", "mv .git old; cp -a old .git; echo x > .git/hooks/x"),
        .init("remove .git", "rm -rf .git"),
        .init("rename the parent of a repository", "mv sub old; mkdir sub; cp -a old/.git sub/"),
        .init("change a nested repository", "git -C sub config core.pager 'sh -c id'"),
        .init("change a bare repository", "echo x > bare/store/hooks/update"),
        .init("rename the parent of a bare repository", "mv bare old"),
        .init("turn a .git file", "printf 'gitdir: /tmp/x\\n' > docs/inner/.git"),
        .init("replace a .git file", "rm -f docs/inner/.git; ln -s ../store docs/inner/.git"),
        .init("change what a .git file names", "git -C docs/inner config core.editor x"),
        .init("a file of the configured hooks", "echo x > pkg/hooks/pre-commit"),
        .init("a new file among the configured hooks", "echo x > pkg/hooks/post-commit"),
        .init("rename what leads to the hooks", "mv pkg old"),
        .init("settings", "echo x > .vscode/settings.json"),
        .init("new settings beside", "echo x > .vscode/tasks.json"),
        .init("settings by rename over them", "echo x > new; mv -f new .vscode/settings.json"),
        .init("the directory of settings", "mv .vscode old"),
        .init("a rename over instructions", "echo x > new; mv -f new AGENTS.md"),
        .init("instructions", "echo x > AGENTS.md"),
        .init("instructions removed", "rm -f AGENTS.md"),
        .init("instructions through their link", "echo x > CLAUDE.md"),
        .init("another link for instructions", "rm -f CLAUDE.md; ln -s src/one.txt CLAUDE.md"),
        .init("instructions through a new link", "ln -s AGENTS.md new; echo x > new"),
        .init("instructions through a hard link", "ln AGENTS.md new && echo x > new"),
        .init("a workflow", "echo x > .github/workflows/ci.yml"),
        .init("the parent of workflows", "mv .github old"),
        .init("the policy", "echo 'limits: {timeout: 9m}' > bailey.yml"),
        .init("a mode", "chmod 777 .git/config AGENTS.md"),
        .init("a time", "touch -d @1 AGENTS.md .git/config"),
        .init("an attribute", python("os.setxattr('AGENTS.md', 'user.x', b'y'); os.utime('AGENTS.md', (5, 5))")),
        .init("a hidden file replaced", "rm -f .env; echo KEY=other > .env"),
        .init("a hidden file renamed over", "echo KEY=other > new; mv -f new .env"),
        .init("a hidden file's directory replaced", "rm -rf sub/deep; mkdir sub/deep; echo KEY=other > sub/deep/.env"),
        .init("a hidden link turned", "ln -sfn ../src/two.txt sub/.env.link"),
        .init("exchanged for another directory", "mkdir -p new; " + python("exchange('new', '.git')")),
        .init("exchanged parent", "mkdir -p new/.git; " + python("exchange('new', 'sub')")),
        .init("truncated", python("os.truncate('.git/config', 0)")),
        .init("a mount over it", "mount -t tmpfs none .git || mount --bind src .git || echo x > .git/description"),
        .init("unmounted, then written", "umount -l .git; echo x > .git/description"),
    ]
}

@Suite("What a direct run guards cannot be seen or changed")
struct DirectAttackTests {
    /// A copy of the project without a wall, where the same attempt works.
    private func control(_ yard: Yard) throws -> String {
        let place = yard.path + "/control"
        let copied = try yard.outside("rm -rf '\(place)' && cp -a . '\(place)' && rm -rf '\(place)/.bailey'")
        #expect(copied.status == 0, "\(copied.summary)")
        return place
    }

    @Test(arguments: TestIdentity.available)
    func hiddenFilesStayHidden(_ identity: TestIdentity) throws {
        let secret = "secret\(UInt64.random(in: 0 ... .max))"
        let yard = try DirectYard.make(identity, secret: secret)
        let before = try DirectYard.fingerprint(yard)
        for attack in DirectAttack.reading {
            let free = try yard.outside(attack.script, in: control(yard))
            #expect(free.stdout.contains(secret), "\(attack) does not work outside: \(free.summary)")
            let walled = try yard.inside(attack.script, "--workspace", "direct")
            #expect(!(walled.stdout + walled.stderr).contains(secret), "\(attack)")
            #expect(try DirectYard.fingerprint(yard) == before, "\(attack)")
            let copies = try yard.outside("grep -rl '\(secret)' . | grep -vE '^./(.bailey|.env|sub)(/|$)'").stdout
            #expect(copies.isEmpty, "\(attack): \(copies)")
            try yard.outside("rm -rf seen")
        }
        let kept = try yard.outside("grep -rl '\(secret)' . | grep -v '^./.bailey/' | LC_ALL=C sort").stdout
        #expect(kept == "./.env\n./sub/.ssh/id_rsa\n./sub/deep/.env\n", "no copy was made: \(kept)")
    }

    @Test(arguments: TestIdentity.available)
    func ordersStayAsTheyAre(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let before = try DirectYard.fingerprint(yard)
        for attack in DirectAttack.writing {
            let place = try control(yard)
            let untouched = try DirectYard.fingerprint(yard, in: place)
            // Mounts are root's alone; what follows them in such a script is not.
            try yard.outside("mount() { false; }; umount() { false; }; " + attack.script, in: place)
            #expect(try DirectYard.fingerprint(yard, in: place) != untouched, "\(attack) does not work outside")
            let walled = try yard.inside(attack.script, "--workspace", "direct")
            #expect(walled.status != 125, "\(attack): \(walled.summary)")
            #expect(try DirectYard.fingerprint(yard) == before, "\(attack)")
            try yard.outside("rm -rf new old")
        }
    }

    @Test(arguments: TestIdentity.available)
    func aDirectoryThatBecomesALinkLeadsNowhere(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        try yard.write("KEY=outside\n", to: "elsewhere/deep/.env")
        try yard.outside("chmod -R u+rwX '\(yard.path)/elsewhere'")
        // The host swaps a directory that holds guarded places for a link that leaves, again and again. What it puts
        // back after Bailey has looked is as visible as anything that it makes during a run; what lies outside is not.
        let swapped = try yard.outside(
            """
            ( while [ ! -e ../stop ]; do mv sub ../kept 2>/dev/null && ln -s ../elsewhere sub && sleep 0.01
              rm -f sub; mv ../kept sub; sleep 0.01; done ) & swapper=$!
            for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
                "$BAILEY" run --workspace direct -- sh -c 'cat sub/deep/.env; echo x > sub/deep/planted' 2>&1
            done
            touch ../stop; wait $swapper
            """
        )
        #expect(!swapped.stdout.contains("KEY=outside"), "\(swapped.summary)")
        #expect(try yard.read("elsewhere/deep/.env") == "KEY=outside\n")
        #expect(!yard.exists("elsewhere/deep/planted"))
    }
}
