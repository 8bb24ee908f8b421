import Foundation
import TestSupport
import Testing

@Suite("Every limit of bailey run ends the whole tree and says so")
struct RunLimitTests {
    private func check(
        _ yard: Yard,
        _ cause: String,
        code: Int32,
        _ options: [String],
        _ script: String
    ) throws {
        let token = "8\(UInt32.random(in: 100_000..<999_999))"
        let text = "(setsid sleep \(token) >/dev/null 2>&1 &)\n" + script + "\nsleep \(token)"
        let result = try yard.bailey(["run", "--json"] + options + ["--", "/bin/sh", "-c", text])
        #expect(!result.timedOut)
        #expect(result.status == code, "\(result.status): \(result.stderr.suffix(500))")
        let answer = try result.answer
        #expect(answer.text("cause") == cause, "\(result.stdout)")
        #expect(answer.flag("was_killed") == true && answer.number("exit_code") == Int(code))
        #expect(result.stderr.suffix(400).contains("the command was killed"))
        #expect(Leftovers.processes("sleep \(token)").isEmpty)
        #expect(try Leftovers.named(yard.lastRun()).isEmpty)
        let shown = try yard.bailey(["runs", "show", "--json"]).answer
        #expect(shown.text("cause") == cause && shown.flag("was_killed") == true)
    }

    @Test(arguments: TestIdentity.available) func time(_ identity: TestIdentity) throws {
        try check(Yard(identity), "timeout", code: 124, ["--timeout", "700ms"], "trap '' TERM INT HUP")
    }

    @Test(arguments: TestIdentity.available) func output(_ identity: TestIdentity) throws {
        try check(Yard(identity), "output", code: 137, ["--output-limit", "100K"], "yes")
        try check(Yard(identity), "output", code: 137, ["--output-limit", "100K"], "yes >&2")
    }

    @Test(arguments: TestIdentity.available) func memory(_ identity: TestIdentity) throws {
        let program = "exec python3 -c 'x = bytearray(400 << 20)\nimport time\ntime.sleep(60)'"
        try check(Yard(identity), "memory", code: 137, ["--memory", "64MiB"], program)
    }

    @Test(arguments: TestIdentity.available) func processorTime(_ identity: TestIdentity) throws {
        try check(Yard(identity), "cpu_time", code: 128 + SIGXCPU, ["--cpu-time", "1"], "while :; do :; done")
        try check(
            Yard(identity),
            "cpu_time",
            code: 137,
            ["--cpu-time", "1"],
            "(while :; do :; done)& while :; do :; done"
        )
    }

    @Test(arguments: TestIdentity.available) func workspaceBytes(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("limits:\n  workspace_bytes: 2MiB\n", to: "project/bailey.yml")
        try check(yard, "workspace", code: 137, [], "for i in 1 2 3 4 5; do head -c 1500000 /dev/zero > big$i; done")
    }

    @Test(arguments: TestIdentity.available) func workspaceFiles(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("limits:\n  workspace_files: 100\n", to: "project/bailey.yml")
        try check(yard, "workspace", code: 137, [], "for i in $(seq 400); do : > f$i; done")
    }

    @Test(arguments: TestIdentity.available) func aForkBombStaysInside(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let token = "7\(UInt32.random(in: 100_000..<999_999))"
        let script = "bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep \(token)"
        let result = try yard.inside(script, "--processes", "60", "--timeout", "3s", "--json")
        #expect(!result.timedOut)
        #expect([124, 137, 2, 254].contains(result.status), "\(result.stdout)")
        #expect(Leftovers.processes(token).isEmpty)
        #expect(try yard.inside("true").status == 0)
        let many = "for i in $(seq 100); do sleep 60 & done 2>/dev/null; ls -d /proc/[0-9]* | wc -l"
        let counted = try yard.inside(many, "--processes", "30", "--timeout", "10s")
        let count = Int(counted.stdout.split(separator: "\n").last ?? "") ?? 0
        #expect(count <= 32, "\(counted.summary)")
    }
}
