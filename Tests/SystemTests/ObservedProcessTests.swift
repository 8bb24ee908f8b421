import Foundation
import TestSupport
import Testing

@Suite("The record of a run holds its process tree")
struct ObservedProcessTests {
    @Test("each with its path, arguments, parent, end and use", arguments: TestIdentity.available)
    func tree(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let script = """
            printf '#!/bin/sh\\nexec /usr/bin/env true\\n' > tool; chmod +x tool; ./tool
            /bin/sh -c '/bin/sh -c "exit 7"; sleep 0.5; exit 4'
            /bin/sh -c 'kill -9 $$'
            (sleep 0.4; exit 0) & wait
            python3 -c 'x = bytearray(60 << 20); import time; time.sleep(0.6); sum(range(5000000))'
            exit 3
            """
        let run = try yard.inside(script)
        #expect(run.status == 3, "\(run.summary)")
        let seen = try ObservedRun(yard)
        #expect(seen.state == "complete" && seen.denials.isEmpty)
        let main = try #require(seen.processes.first)
        #expect(main.path == "/bin/sh" && main.arguments.first == "/bin/sh" && main.parent == 1 && main.exitCode == 3)
        #expect(main.id == 2 && main.signal == nil)

        // A script is what was asked for; what its first line names is the kernel's own business. One process executes
        // three times.
        let tool = try #require(seen.processes.first { $0.arguments.first == "true" })
        #expect(tool.path?.hasSuffix("/true") == true && (tool.number("executions") ?? 0) >= 3 && tool.exitCode == 0)

        let outer = try #require(seen.processes.first { $0.arguments.last?.hasSuffix("sleep 0.5; exit 4") == true })
        let inner = try #require(seen.processes.first { $0.arguments.last == "exit 7" })
        #expect(outer.parent == main.id && outer.exitCode == 4)
        #expect(inner.parent == outer.id && inner.exitCode == 7)
        #expect(seen.processes.first { $0.arguments.last == "kill -9 $$" }?.signal == 9)

        // A subshell executes nothing itself: its child hangs on the next one up.
        #expect(seen.process("sleep", "0.4")?.parent == main.id)

        let python = try #require(seen.processes.last)
        #expect((python.number("peak_memory_bytes") ?? 0) > 60 << 20)
        #expect((python.number("cpu_microseconds") ?? 0) > 1000)
        let start = try #require(python.number("start_microseconds"))
        #expect(try #require(python.number("end_microseconds")) - start > 500_000)
    }

    @Test("daemons, threads and vfork are seen too", .enabled(if: ToolchainYard.has("cc")))
    func oddBirths() throws {
        for identity in TestIdentity.available {
            let yard = try Yard(identity)
            try ObservationProgram.build(in: yard)
            let script = """
                ./probe thread
                ./probe vfork
                ./probe static 2>/dev/null
                (setsid sh -c 'sh -c "sleep 0.3; exit 6" & exit 0' &)
                sleep 0.8
                (setsid sleep 77 &)
                sleep 0.2
                """
            #expect(try yard.inside(script).status == 0)
            let seen = try ObservedRun(yard)
            let thread = try #require(seen.processes.first { $0.arguments.last == "exit 5" })
            #expect(thread.exitCode == 5 && thread.number("executions") == 2, "the process that had the thread")
            #expect(seen.processes.first { $0.arguments.last == "by vfork" }?.exitCode == 0)
            #expect(seen.processes.first { $0.arguments.last == "exit 6" }?.exitCode == nil, "it ran on in the shell")
            #expect(seen.processes.filter { $0.exitCode == 6 }.count == 1)
            // What is alive when the command ends dies with it.
            #expect(seen.process("sleep", "77")?.signal == 9)
        }
    }

    @Test("secrets in arguments are redacted, and foreign characters cannot steer a terminal")
    func words() throws {
        for identity in TestIdentity.available {
            let yard = try Yard(identity)
            let secret = "v" + String(UInt64.random(in: 1 << 50 ... .max), radix: 36)
            let script = """
                /bin/echo "$MY_TOKEN" >/dev/null
                /bin/echo --password "$MY_TOKEN" >/dev/null
                /bin/echo "$(printf 'a\\033[31mb\\342\\200\\256c\\377d')" >/dev/null
                cp /bin/true "$(printf 'x\\033y')"; "./$(printf 'x\\033y')"
                """
            let run = try yard.inside(script, "--env", "MY_TOKEN=\(secret)")
            #expect(run.status == 0, "\(run.summary)")
            let journal = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
            #expect(!journal.contains(secret) && journal.contains("********"))
            let shown = try yard.bailey(["runs", "show", "--processes"])
            #expect(!shown.stdout.contains(secret) && shown.stdout.contains("--password ********"), "\(shown.summary)")
            #expect(!shown.stdout.contains("\u{1B}") && !shown.stdout.contains("\u{202E}"))
            #expect(shown.stdout.contains("a\\x1b[31mb\\u{202e}c"), "\(shown.stdout)")
            let json = try yard.bailey(["runs", "show", "--json"]).stdout
            #expect(!json.contains("\u{1B}") && !json.contains("\u{202E}") && !json.contains(secret))
        }
    }

    @Test("an execution that failed is shown as one, and the process as what it was", arguments: TestIdentity.available)
    func failedExecutions(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write(
            """
            import os, subprocess, sys, time
            places = ["/usr/local/bin", "/usr/local/games", "/usr/bin"]
            environment = {"PATH": ":".join(places)}
            try: subprocess.run(["no-such-program", "x"], env=environment)
            except FileNotFoundError: pass
            subprocess.run(["true", "found"], env=environment)
            try: subprocess.run(["./plain", "y"])
            except PermissionError: pass
            for path in ["/none/x", "./plain", "./no-interpreter"]:
                try: os.execv(path, [path, "z"])
                except OSError: pass
            if sys.argv[1] == "stay":
                time.sleep(0.6)
                sys.exit(5)
            os.execv("/bin/sh", ["sh", "-c", "exit 6"])
            """,
            to: "project/t.py"
        )
        try yard.write("no program", to: "project/plain")
        try yard.write("#!/none/sh\n", to: "project/no-interpreter")
        let script = """
            chmod +x no-interpreter; /usr/bin/python3 t.py stay; /usr/bin/python3 t.py go
            cp /bin/true gone; ./gone once; rm gone; ./gone twice; cd sub; ../t.py
            """
        try yard.write("x", to: "project/sub/x")
        let run = try yard.inside(script)
        #expect(run.status == 126, "\(run.summary)")
        let seen = try ObservedRun(yard)
        func text(_ process: ObservedRun.Process?, _ name: String) -> String? { process?.fields[name] as? String }

        for (word, code) in [("stay", 5), ("go", 6)] {
            let python = try #require(seen.processes.first { $0.exitCode == code }, "\(word)")
            let searches = seen.processes.filter { $0.parent == python.id }
            #expect(searches.count == 3, "\(searches)")
            #expect(searches.map { text($0, "image") == "forked" } == [true, false, true], "\(searches)")
            // A fork shows what it was forked from.
            #expect(searches[0].arguments == ["/usr/bin/python3", "t.py", word])
            #expect(text(searches[0], "failed_path") == "/usr/bin/no-such-program")
            #expect(searches[0].number("executions") == 3 && searches[0].path == "/usr/bin/python3")
            #expect(searches[1].path == "/usr/bin/true" && searches[1].arguments == ["true", "found"])
            #expect(text(searches[1], "failed_path") == nil && searches[1].number("executions") == 3)
            #expect(text(searches[2], "failed_path") == "./plain" && searches[2].path == "/usr/bin/python3")
        }
        let stayed = try #require(seen.processes.first { $0.exitCode == 5 })
        #expect(stayed.path == "/usr/bin/python3" && stayed.arguments.last == "stay")
        #expect(text(stayed, "failed_path") == "./no-interpreter" && text(stayed, "image") == "executed")
        let went = try #require(seen.processes.first { $0.exitCode == 6 })
        #expect(went.path == "/bin/sh" && went.arguments == ["sh", "-c", "exit 6"])
        #expect(text(went, "failed_path") == nil)

        // A program that is removed at once was there when it was asked for.
        #expect(seen.process("gone", "once") != nil && seen.process("gone", "twice") == nil)
        #expect(seen.processes.contains { text($0, "failed_path") == "../t.py" && $0.exitCode == 126 })
        let shown = try yard.bailey(["runs", "show", "--processes"]).stdout
        #expect(shown.contains("could not execute ./plain"))
    }

    @Test("the ends of many that live at once are known")
    func manyAtOnce() throws {
        let yard = try Yard()
        let script = "i=0; while [ $i -lt 700 ]; do /bin/sleep 8 & i=$((i+1)); done; wait"
        #expect(try yard.inside(script, "--processes", "1000").status == 0)
        let seen = try ObservedRun(yard)
        let sleepers = seen.processes.filter { $0.path == "/bin/sleep" }
        #expect(sleepers.count == 700 && sleepers.allSatisfy { $0.exitCode == 0 })
        #expect(seen.answer.number("observation.endings_unknown") == 0)
        #expect(sleepers.allSatisfy { $0.number("end_microseconds") != nil })
    }

    @Test("more processes than are kept are counted")
    func many() throws {
        let yard = try Yard()
        #expect(try yard.inside("i=0; while [ $i -lt 1100 ]; do /bin/true $i; i=$((i+1)); done").status == 0)
        let seen = try ObservedRun(yard)
        #expect(seen.processes.count == 1000)
        #expect(seen.answer.number("observation.processes_left_out") == 101)
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        let shown = try yard.bailey(["runs", "show"]).stdout
        #expect(shown.contains("980 more; --processes shows them") && shown.contains("101 more, not kept"))
        let ends = seen.processes.filter { $0.exitCode == 0 }
        #expect(ends.count == 1000)
    }
}
