import Foundation
import TestSupport
import Testing

@Suite("Whoever is observed can neither stall nor fool the supervisor beyond the record")
struct ObservationAttackTests {
    @Test("pointers that lie, and memory that changes", .enabled(if: ToolchainYard.has("cc")))
    func lies() throws {
        for identity in TestIdentity.available {
            let yard = try Yard(identity)
            try ObservationProgram.build(in: yard)
            let run = try yard.inside("./probe lies && ./probe race && ./probe interrupted")
            #expect(run.status == 0 && run.stdout == "still here\nwent on\n", "\(run.summary)")
            let seen = try ObservedRun(yard)
            #expect(seen.state == "complete")
            #expect(seen.processes.filter { $0.path == "/bin/true" }.count <= 300)
            #expect(seen.denials.allSatisfy { $0["rule"] as? String == "network-none" })
            #expect(try yard.bailey(["journal", "verify"]).status == 0)
        }
    }

    @Test("a flood of executions or connections does not hold up the limits", .enabled(if: ToolchainYard.has("cc")))
    func limitsHold() throws {
        for identity in TestIdentity.available {
            let yard = try Yard(identity)
            try ObservationProgram.build(in: yard)
            let executions = "for i in 1 2 3; do (while :; do /bin/true; done) & done; wait"
            let connections = "for i in 1 2 3; do ./probe flood 2000000000 & done; wait"
            for script in [executions, connections] {
                let start = Date()
                let late = try yard.inside(script, "--timeout", "1s")
                #expect(late.status == 124, "\(late.summary)")
                #expect(Date().timeIntervalSince(start) < 20, "well before the test's own patience")
                let loud = try yard.inside("(\(script)) & yes", "--output-limit", "1M", "--timeout", "60s")
                #expect(loud.status == 137 && loud.stderr.contains("--output-limit"), "\(loud.status)")
                #expect(loud.stdout.utf8.count >= 1_000_000)
            }
        }
    }

    @Test("words that grow when they are escaped still fit into the record")
    func growingWords() throws {
        let yard = try Yard()
        // 7,680 bytes of arguments for each of 200 processes, every one of which takes six bytes in JSON.
        let script = """
            w=$(printf '\\001%.0s' $(seq 256)); l=$(for i in $(seq 30); do echo "$w"; done)
            i=0; while [ $i -lt 200 ]; do /bin/true $l; i=$((i+1)); done
            """
        let run = try yard.inside(script)
        #expect(run.status == 0, "\(run.summary)")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        let parts = try yard.events().filter { $0 == "COMMAND_OBSERVED" }.count
        #expect(parts > 5 && parts < 40)
        let seen = try ObservedRun(yard).processes.filter { $0.path == "/bin/true" }
        #expect(seen.count == 200)
        #expect(seen.filter { $0.arguments.count == 31 }.count > 100, "as many as the words that are kept")
        #expect(seen.last?.arguments.isEmpty == true && seen.last?.fields["is_cut"] as? Bool == true)
    }

    @Test("a sandbox dies with a supervisor that was busy answering", .enabled(if: ToolchainYard.has("cc")))
    func supervisorDead() throws {
        let yard = try Yard()
        try ObservationProgram.build(in: yard)
        let token = "6\(UInt32.random(in: 100_000..<999_999))"
        let script = "sleep \(token) & while :; do /bin/true; done & ./probe flood 2000000000"
        let run = try Background(yard, ["run", "--", "/bin/sh", "-c", script])
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").count >= 2 })
        run.send(SIGKILL)
        #expect(run.end() == 137)
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").isEmpty })
        #expect(Eventually.holds { Leftovers.processes("probe flood 2000000000").isEmpty })
    }

    /// Loads a filter that reports a call nobody makes, with a listener, and then runs what follows.
    private static let listening = """
        import ctypes, os, struct, sys
        libc = ctypes.CDLL(None, use_errno=True)
        code = [(0x20, 0, 0, 0), (0x15, 0, 1, 163), (0x06, 0, 0, 0x7FC00000), (0x06, 0, 0, 0x7FFF0000)]
        program = b"".join(struct.pack("HBBI", *line) for line in code)
        held = ctypes.create_string_buffer(program)
        filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(held)))
        libc.prctl(38, 1, 0, 0, 0)
        listener = libc.syscall(317, 1, 8, filter)
        if listener < 0: sys.exit("refused %d" % ctypes.get_errno())
        os.dup2(listener, 9)
        os.execvp(sys.argv[1], sys.argv[1:])
        """

    @Test("where somebody outside listens already the run goes on and says so", arguments: TestIdentity.available)
    func unavailable(_ identity: TestIdentity) throws {
        let yard = try Yard(identity, copies: true)
        try yard.write(Self.listening, to: "listen.py")
        let run = try yard.outside("python3 $YARD/listen.py $BAILEY run --json -- /bin/sh -c 'echo x > a; exit 3'")
        #expect(run.status == 3, "\(run.summary)")
        #expect(try run.answer.number("changes.created") == 1)
        let seen = try ObservedRun(yard)
        #expect(seen.state == "unavailable" && seen.answer.number("observation.code") == Int(EBUSY))
        #expect(try yard.bailey(["runs", "show"]).stdout.contains("not observed"))
    }

    @Test("nobody inside gets a listener", arguments: TestIdentity.available)
    func nested(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write(Self.listening, to: "project/listen.py")
        #expect(try yard.outside("python3 listen.py true").status == 0, "outside it is allowed")
        let run = try yard.inside("python3 listen.py true")
        #expect(run.status == 1 && run.stderr.contains("refused"), "\(run.summary)")
    }
}
