import Foundation
import TestSupport
import Testing

@Suite("A direct run has the project to itself")
struct DirectLockTests {
    /// Starts a direct run that lives until `end` exists, and waits until it does.
    private func start(_ yard: Yard, token: String) throws -> Background {
        let script = "touch src/begun; while [ ! -e src/end ]; do sleep 0.02; done; : \(token)"
        let run = try Background(yard, ["run", "--workspace", "direct", "--", "sh", "-c", script])
        #expect(Eventually.holds { yard.exists("project/src/begun") })
        return run
    }

    @Test(arguments: TestIdentity.available)
    func othersWaitOrFailAtOnce(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let held = try yard.inside("echo held > src/held", "--apply", "never")
        #expect(held.status == 0, "\(held.summary)")
        let direct = try start(yard, token: "lives")
        for arguments in [
            ["run", "--no-wait", "--", "true"], ["run", "--no-wait", "--workspace", "direct", "--", "true"],
        ] {
            let refused = try yard.bailey(arguments)
            #expect(refused.status == 125 && refused.stderr.contains("error: use the project "), "\(refused.summary)")
        }
        let apply = try yard.bailey(["changes", "apply", "--yes", "last"])
        #expect(apply.status == 125 && !yard.exists("project/src/held"), "\(apply.summary)")
        let waits = try yard.outside(
            """
            "$BAILEY" run -- cat src/end 2> ../told & run=$!
            for look in $(seq 500); do grep -q waiting ../told && break; sleep 0.02; done
            echo over > src/end; wait $run
            """
        )
        #expect(waits.stdout == "over\n", "\(waits.summary)")
        #expect(try yard.read("told").contains("waiting for the project"))
        #expect(direct.end() == 0)
        // The other way round: a direct run does not start beside another.
        try yard.outside("rm src/end src/begun")
        let other = try Background(yard, ["run", "--", "sh", "-c", "sleep 60"])
        #expect(try Eventually.holds { try yard.runs().count == 5 })
        let refused = try yard.inside("true", "--workspace", "direct", "--no-wait")
        #expect(refused.status == 125 && refused.stderr.contains("other runs use it"), "\(refused.summary)")
        other.send(SIGTERM)
        #expect(other.end() == 143)
    }

    @Test(arguments: TestIdentity.available)
    func aKilledOneFreesTheProjectWhenItsSandboxIsDead(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        let before = try DirectYard.fingerprint(yard)
        let token = "token\(UInt32.random(in: 100_000..<999_999))"
        let direct = try start(yard, token: token)
        let run = try yard.lastRun()
        try yard.outside("echo x > .gdbinit.local")
        // Until its sandbox is gone as well, nobody else has the project.
        direct.send(SIGKILL)
        let next = try yard.bailey(["run", "--", "sh", "-c", "ls src"])
        #expect(Leftovers.processes(token).isEmpty)
        #expect(next.status == 0 && next.stdout.contains("begun"), "\(next.summary)")
        #expect(next.stderr.contains("the direct run \(run) was cut off"), "\(next.stderr)")
        #expect(next.stderr.contains("warning: .gdbinit.local: "), "\(next.stderr)")
        #expect(direct.end() == 137)
        #expect(try yard.events(run).suffix(3) == ["COMMAND_EXITED", "LIVE_CHANGES_CHECKED", "RUN_FAILED"])
        #expect(try yard.state(of: run) == "failed")
        #expect(try DirectYard.fingerprint(yard) == before)
        #expect(Leftovers.processes(token).isEmpty && Leftovers.mounts(yard.path).isEmpty)
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }
}
