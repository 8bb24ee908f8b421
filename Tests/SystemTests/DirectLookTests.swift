import Foundation
import TestSupport
import Testing

@Suite("What a direct run leaves is looked at")
struct DirectLookTests {
    @Test(arguments: TestIdentity.available)
    func noCommandMakesASetIDFile(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let ran = try yard.inside(
            """
            cp /bin/true src/tool
            chmod 4755 src/tool || echo refused
            chmod u+s,g+s src/tool || echo refused
            install -m 4755 /bin/true src/other || echo refused
            mkdir -m 2755 src/shared || echo refused
            /usr/bin/python3 - <<'END'
            import ctypes, os
            os.umask(0)
            libc = ctypes.CDLL(None, use_errno=True)
            def fails(call):
                try:
                    if call() == -1: raise OSError(ctypes.get_errno(), "")
                    print("made")
                except OSError as error: print(error.errno)
            fails(lambda: os.open("src/a", os.O_CREAT | os.O_WRONLY, 0o4755))
            fails(lambda: os.open("src", os.O_TMPFILE | os.O_WRONLY, 0o4755))
            fails(lambda: os.mknod("src/b", 0o104755))
            fails(lambda: os.fchmod(os.open("src/one.txt", os.O_RDONLY), 0o6755))
            fails(lambda: libc.creat(b"src/c", 0o4755))
            fails(lambda: libc.syscall(452, -100, b"src/one.txt", 0o4755, 0))
            END
            chmod 1777 src && chmod 755 src src/tool && echo ordinary
            """,
            "--workspace",
            "direct"
        )
        let refusals = String(repeating: "refused\n", count: 4) + String(repeating: "1\n", count: 6)
        #expect(ran.stdout == refusals + "ordinary\n", "\(ran.summary)")
        #expect(try yard.outside("find . -path ./.bailey -prune -o -perm /6000 -print").stdout.isEmpty)
    }

    @Test(arguments: TestIdentity.available)
    func aSetIDBitThatAppearsIsTakenOff(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let made = try yard.outside(
            """
            cp /bin/true old && chmod 4755 old && cp /bin/true ../beside && chmod 4755 ../beside
            "$BAILEY" run --workspace direct -- sh -c 'touch src/begun; until [ -e src/end ]; do sleep 0.02; done' \\
                2> ../told & run=$!
            for look in $(seq 500); do [ -e src/begun ] && break; sleep 0.02; done
            mkdir -p new/.git/inner src/objects src/refs && echo x > src/HEAD
            for place in tool new/.git/inner/tool src/objects/tool; do cp /bin/true $place; chmod 6755 $place; done
            ln -s ../beside link; touch src/end; wait $run
            """
        )
        #expect(made.status == 0, "\(made.summary)")
        let told = try yard.read("told")
        for place in ["tool", "new/.git/inner/tool", "src/objects/tool"] {
            let line = "warning: \(place): it had a set-uid or set-gid bit, which was taken off [set-id-taken-off]"
            #expect(told.contains(line), "\(told)")
        }
        #expect(!told.contains("warning: old: "), "it was there before")
        let left = try yard.outside("find . ../beside -path ./.bailey -prune -o -perm /6000 -print").stdout
        #expect(left == "./old\n../beside\n", "\(left)")
    }

    @Test(arguments: TestIdentity.available)
    func whatLooksLikeGitIsSearched(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let ran = try yard.inside(
            """
            mkdir -p src/objects src/refs src/inner && echo x > src/HEAD
            echo x > src/inner/.gdbinit; echo K=v > src/objects/.env; ln -s /etc/passwd src/away
            """,
            "--workspace",
            "direct"
        )
        for place in ["src", "src/inner/.gdbinit", "src/objects/.env", "src/away"] {
            #expect(ran.stderr.contains("warning: \(place): "), "\(place): \(ran.stderr)")
        }
    }

    @Test(arguments: TestIdentity.available)
    func linksAmongSettingsAreFollowed(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        try yard.outside(
            """
            mkdir -p .claude lib/deep hooks && echo '{}' > lib/settings.json && echo run > lib/deep/run
            ln -s ../lib/settings.json .claude/settings.json && ln -s ../lib/later.json .claude/later.json
            ln -s ../hooks .claude/hooks && ln -s ../lib/deep hooks/more
            ln -s ../lib/tasks .vscode/tasks.json && echo '{}' > lib/tasks
            """
        )
        let ran = try yard.inside(
            """
            for place in lib/settings.json lib/tasks lib/deep/run hooks/new .claude/settings.json .claude/later.json; do
                echo x >> $place || echo refused
            done 2>/dev/null
            mv lib other 2>/dev/null || echo refused
            echo x > lib/later.json; echo x > lib/free
            """,
            "--workspace",
            "direct"
        )
        #expect(ran.stdout == String(repeating: "refused\n", count: 6), "\(ran.summary)")
        #expect(ran.stderr.contains("warning: lib/later.json: a link among the guarded settings leads here"))
        #expect(!ran.stderr.contains("lib/free"))
        #expect(try yard.read("project/lib/settings.json") == "{}\n" && yard.read("project/lib/tasks") == "{}\n")
        #expect(try yard.read("project/lib/deep/run") == "run\n")
    }

    @Test func aShutProjectIsOpenedAgainAfterAKill() throws {
        let yard = try DirectYard.make(TestIdentity.available[TestIdentity.available.count - 1])
        let before = try yard.outside("stat -c %a .").stdout
        let script = "chmod 0 .; sleep 60"
        let direct = try Background(yard, ["run", "--workspace", "direct", "--", "sh", "-c", script])
        #expect(try Eventually.holds { try yard.outside("stat -c %a project", in: yard.path).stdout == "0\n" })
        direct.send(SIGKILL)
        #expect(direct.end() == 137)
        let next = try yard.bailey(["run", "--project", yard.project, "--", "cat", "src/one.txt"], in: yard.path)
        #expect(next.status == 0 && next.stdout == "one\n", "\(next.summary)")
        #expect(try yard.outside("stat -c %a .").stdout == before)
        #expect(try yard.outside("ls ../state/bailey/live").stdout.isEmpty)
    }

    @Test(.enabled(if: TestIdentity.available.contains { $0 != .root }))
    func aDirectoryThatCannotBeListedIsNamed() throws {
        let yard = try DirectYard.make(TestIdentity.available[TestIdentity.available.count - 1])
        try yard.outside("mkdir -p docs/closed/inner && chmod 644 docs/closed")
        let ran = try yard.inside("true", "--workspace", "direct")
        try yard.outside("chmod 755 docs/closed")
        #expect(ran.status == 125 && ran.stderr.contains("docs/closed"), "\(ran.summary)")
    }
}
