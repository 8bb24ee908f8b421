import Foundation
import TestSupport
import Testing

@Suite("bailey runs lists, shows and prunes")
struct RunsCommandTests {
    @Test(arguments: TestIdentity.available) func listAndShow(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.inside("exit 3")
        try yard.inside("echo x > a")
        let list = try yard.bailey(["runs"])
        let lines = list.stdout.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("exit 3") && lines[1].contains("held"), "\(list.summary)")
        let json = try yard.bailey(["runs", "list", "--json"]).stdout.split(separator: "\n")
        #expect(try json.map { try Answer(Data($0.utf8)).text("state") } == ["finished", "held"])
        let shown = try yard.bailey(["runs", "show", "last", "--json"]).answer
        #expect(shown.number("changes.created") == 1 && shown.number("exit_code") == 0)
        #expect(shown.value("command") as? [String] == ["/bin/sh", "-c", "echo x > a"])
    }

    @Test func aRunThatIsGoingOn() throws {
        let yard = try Yard()
        let token = "5\(UInt32.random(in: 100_000..<999_999))"
        let run = try Background(yard, ["run", "--", "sleep", token])
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").count >= 2 })
        #expect(try yard.state() == "running")
        #expect(try yard.bailey(["changes", "apply"]).status == 1)
        let prune = try yard.bailey(["runs", "prune", "--older-than", "0", "--held"])
        #expect(prune.status == 0 && prune.stdout.isEmpty, "\(prune.summary)")
        // Another start does not take it for one that was left behind.
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        #expect(try yard.runs().count == 2)
        #expect(try yard.state(of: yard.runs()[0]) == "running")
        run.send(SIGTERM)
        #expect(run.end() == 143)
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func prune() throws {
        let yard = try Yard()
        try yard.inside("true")
        try yard.inside("echo x > a")
        let runs = try yard.runs()
        #expect(try yard.bailey(["runs", "prune"]).stdout.isEmpty, "none is old")
        let dry = try yard.bailey(["runs", "prune", "--older-than", "0", "--dry-run"])
        #expect(dry.stdout == "would remove \(runs[0])\n", "\(dry.summary)")
        #expect(try yard.runs() == runs)
        let first = try yard.bailey(["runs", "prune", "--older-than", "0"])
        #expect(first.stdout == "removed \(runs[0])\n" && first.stderr.contains(runs[1]), "\(first.summary)")
        #expect(try yard.runs() == [runs[1]])
        #expect(try yard.bailey(["changes", "apply", runs[1]]).status == 0)
        let second = try yard.bailey(["runs", "prune", "--older-than", "0"])
        #expect(second.stdout == "removed \(runs[1])\n")
        let verified = try yard.bailey(["journal", "verify"])
        #expect(verified.status == 0, "pruned runs are no gap: \(verified.summary)")
        #expect(try yard.bailey(["runs", "prune", "--older-than", "abc"]).status == 2)
    }

    @Test func damagedRunsAreEvidence() throws {
        let yard = try Yard()
        try yard.inside("true")
        let run = try yard.lastRun()
        try yard.outside(
            "cd .bailey/runs/\(run)/journal; sed -i '2s/GRANT/GRUNT/; 3s/^.//' journal.jsonl"
        )
        let list = try yard.bailey(["runs", "list"])
        #expect(list.status == 0 && list.stdout.contains(run) && list.stdout.contains("damaged"), "\(list.summary)")
        let show = try yard.bailey(["runs", "show"])
        #expect(
            show.status == 125 && show.stderr.contains(run) && show.stderr.contains("journal verify"),
            "\(show.summary)"
        )
        let prune = try yard.bailey(["runs", "prune", "--older-than", "0"])
        #expect(try yard.runs() == [run], "\(prune.summary)")
        #expect(prune.stderr.contains("damaged"))
    }
}
