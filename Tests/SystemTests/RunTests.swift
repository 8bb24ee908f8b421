import Foundation
import TestSupport
import Testing

@Suite("bailey run hands on code, streams and environment unchanged")
struct RunTests {
    @Test(arguments: TestIdentity.available) func exitCodes(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        for code in [0, 1, 7, 124, 125, 126, 127, 255] {
            #expect(try yard.inside("exit \(code)").status == Int32(code))
        }
        for signal in [1, 2, 6, 9, 11, 13, 15] {
            #expect(try yard.inside("kill -\(signal) $$").status == Int32(128 + signal))
        }
    }

    @Test(arguments: TestIdentity.available) func streamsStayApart(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let result = try yard.inside("printf 'to out'; printf 'to err' >&2; printf '\\0\\377\\n\\r'")
        #expect(result.standardOutput == Array("to out".utf8) + [0, 0xFF, 0x0A, 0x0D])
        #expect(result.standardError == Array("to err".utf8))
    }

    @Test func manyBytes() throws {
        let yard = try Yard()
        let program = "seq 1 1500000 | head -c 10485760"
        let result = try yard.inside(program + "; exit 3")
        let direct = try yard.outside(program)
        #expect(result.status == 3)
        #expect(result.standardOutput.count == 10 << 20)
        #expect(result.standardOutput == direct.standardOutput)
    }

    @Test func bothStreamsAtOnce() throws {
        let yard = try Yard()
        let result = try yard.inside("for i in $(seq 300); do head -c 5000 /dev/zero; head -c 5000 /dev/zero >&2; done")
        #expect(result.standardOutput.count == 1_500_000)
        #expect(result.standardError.count == 1_500_000)
    }

    @Test func aReaderThatGoesAway() throws {
        let yard = try Yard()
        let result = try yard.outside(
            """
            timeout 30 "$BAILEY" run --json --output-limit 1M -- yes 2>/dev/null | head -1 >/dev/null
            "$BAILEY" run -- sh -c 'yes; echo $? >&2' | head -1
            """
        )
        #expect(!result.timedOut)
        #expect(result.stdout == "y\n", "\(result.summary)")
        let listed = try yard.bailey(["runs", "list"])
        #expect(!listed.stdout.contains("running"), "\(listed.summary)")
    }

    @Test func aReaderThatGoesAwaySendsSIGPIPE() throws {
        let yard = try Yard()
        let result = try yard.outside("timeout 30 \"$BAILEY\" run -- yes | head -1; echo ${PIPESTATUS[0]}")
        #expect(result.stdout == "y\n141\n", "\(result.summary)")
        #expect(try yard.state(of: nil) == "finished")
    }

    @Test func closedStreams() throws {
        let yard = try Yard()
        let result = try yard.outside(
            """
            timeout 30 "$BAILEY" run -- sh -c 'cat; exit 5' <&-; echo "input $?"
            timeout 30 "$BAILEY" run -- sh -c 'echo x; exit 6' >&-; echo "output $?"
            timeout 30 "$BAILEY" run -- sh -c 'echo x >&2; exit 8' 2>&-; echo "error $?"
            timeout 30 "$BAILEY" run -- sh -c 'exit 9' <&- >&- 2>&-; echo "all $?"
            """
        )
        for line in ["input 5", "output 6", "error 8", "all 9"] {
            #expect(result.stdout.contains(line), "\(result.summary)")
        }
        // Whatever was opened in their place, it is not Bailey's own file that the command wrote into.
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        #expect(!(try yard.outside("grep -rl '^x$' ../state .bailey").stdout.contains("bailey")))
    }

    @Test(arguments: TestIdentity.available) func standardInput(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        #expect(try yard.inside("cat", input: "one\ntwo").stdout == "one\ntwo")
        #expect(try yard.inside("cat; echo end").stdout == "end\n")
        let large = String(repeating: "0123456789abcdef", count: 200_000)
        #expect(try yard.inside("sha256sum", input: large).stdout == yard.outside("sha256sum", input: large).stdout)
        // A command that reads nothing does not wait for the writer.
        let pipe = try yard.outside("mkfifo ../pipe; exec 9<>../pipe; timeout 20 \"$BAILEY\" run -- true < ../pipe")
        #expect(pipe.status == 0, "\(pipe.summary)")
    }

    @Test(arguments: TestIdentity.available) func environment(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let result = try yard.bailey(
            ["run", "--env", "GIVEN", "--env", "SET=a=b c", "--", "env", "-0"],
            with: [
                "GIVEN": "yes", "TERM": "dumb", "SSH_AUTH_SOCK": "/x", "AWS_PROFILE": "x", "LD_PRELOAD": "",
                "BASH_ENV": "/x", "PYTHONPATH": "/x", "HTTP_PROXY": "x", "DBUS_SESSION_BUS_ADDRESS": "x", "OTHER": "x",
            ]
        )
        let names = result.stdout.split(separator: "\0").map { String($0.prefix { $0 != "=" }) }
        let expected = [
            "BAILEY_RUN", "GIT_TERMINAL_PROMPT", "GIVEN", "HOME", "LANG", "LOGNAME", "PATH", "SET", "SHELL", "TERM",
            "TMPDIR", "USER",
        ]
        #expect(names.sorted() == expected, "\(result.summary)")
        #expect(result.stdout.contains("SET=a=b c\0") && result.stdout.contains("GIVEN=yes\0"))
    }

    @Test func inheritedDescriptors() throws {
        let yard = try Yard()
        let result = try yard.outside(
            "exec 7</etc/hostname 8>../open 63<.; \"$BAILEY\" run -- sh -c 'ls /proc/self/fd | tr \"\\n\" \" \"; : <&7'"
        )
        #expect(result.stdout.hasPrefix("0 1 2 3 "), "\(result.summary)")
        #expect(!result.stdout.contains("7") && result.status != 0, "\(result.summary)")
    }

    @Test(arguments: TestIdentity.available) func json(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let result = try yard.inside("echo out; echo err >&2; echo 1 > a; mkdir d; exit 4", "--json")
        #expect(result.status == 4)
        #expect(result.stdout.split(separator: "\n").count == 1 && result.stdout.hasSuffix("}\n"))
        #expect(result.stderr.contains("out\n") && result.stderr.contains("err\n"))
        let answer = try result.answer
        let names = "cause changes denials engine exit_code hosts hosts_left_out layers models run was_killed"
        #expect(answer.names == names.split(separator: " ").map(String.init))
        #expect(answer.number("exit_code") == 4 && answer.flag("was_killed") == false && answer.isNull("cause"))
        #expect(answer.text("run") == (try yard.lastRun()) && answer.text("engine") == "native")
        #expect((answer.value("layers") as? [String])?.contains("seccomp") == true)
        #expect(answer.text("changes.state") == "held")
        #expect(answer.number("changes.created") == 1, "directories do not count: \(result.stdout)")
        #expect(answer.number("changes.changed") == 0 && answer.number("changes.deleted") == 0)
    }

    @Test func workingDirectory() throws {
        let yard = try Yard()
        try yard.makeRepository(["sub/deep/a.txt": "x"])
        #expect(try yard.inside("pwd", in: yard.project + "/sub/deep").stdout == yard.project + "/sub/deep\n")
        #expect(
            try yard.bailey(["run", "--project", yard.project, "--", "pwd"], in: yard.home).stdout == yard.project
                + "/\n"
                || yard.bailey(["run", "--project", yard.project, "--", "pwd"], in: yard.home).stdout == yard.project
                    + "\n"
        )
        #expect(!yard.exists("project/sub/.bailey") && yard.exists("project/.bailey"))
    }

    @Test func aDaemonDiesWithTheCommand() throws {
        let yard = try Yard()
        let token = "9\(UInt32.random(in: 100_000..<999_999))"
        let result = try yard.inside(
            "(setsid sleep \(token) >/dev/null 2>&1 &) ; setsid sleep \(token) & sleep 0.2; exit 3"
        )
        #expect(result.status == 3)
        #expect(Leftovers.processes("sleep \(token)").isEmpty)
    }

    @Test func cachesPersistUntilReset() throws {
        let yard = try Yard()
        #expect(
            try yard.inside("mkdir -p ~/.cache/tool && echo kept > ~/.cache/tool/f; echo lost > ~/note").status == 0
        )
        let second = try yard.inside("cat ~/.cache/tool/f; test ! -e ~/note")
        #expect(second.status == 0 && second.stdout == "kept\n", "\(second.summary)")
        #expect(!yard.exists("home/.cache/tool") && !yard.exists("home/note"))
        let reset = try yard.bailey(["home", "reset"])
        #expect(reset.status == 0, "\(reset.summary)")
        #expect(try yard.inside("test ! -e ~/.cache/tool").status == 0)
    }

    @Test func theCopyWorkspace() throws {
        let yard = try Yard()
        try yard.makeRepository()
        let result = try yard.inside("echo two >> a.txt; echo new > b.txt", "--workspace", "copy", "--apply", "auto")
        #expect(result.status == 0, "\(result.summary)")
        #expect(try yard.read("project/a.txt") == "one\ntwo\n" && yard.read("project/b.txt") == "new\n")
        let journal = try yard.outside("cat .bailey/runs/*/journal/journal.jsonl").stdout
        #expect(journal.contains("\"workspace\":\"copy\""))
    }
}
