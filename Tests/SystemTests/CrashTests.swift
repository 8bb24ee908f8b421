import Foundation
import TestSupport
import Testing

@Suite("A killed bailey leaves nothing half done", .enabled(if: CrashPoints.exist, "no crash points in this build"))
struct CrashTests {
    static let starting = [
        "run directory made", "workspace prepared", "journal created", "grant recorded", "sandbox started",
    ]
    static let ending = ["command exited", "changes recorded", "changes settled", "head recorded"]
    static let applying = [
        "apply recorded", "prepared", "staged", "intent written", "operation performed", "before the last sync",
        "synced", "applied", "apply ended", "cleared",
    ]
    static let terminal = ["RUN_COMPLETED", "RUN_FAILED"]

    private static let script = """
        echo more >> changed; rm deleted; echo new > created; chmod 700 mode; mkdir -p d/e; echo f > d/e/f; mv old new
        """

    private func place(_ identity: TestIdentity) throws -> Yard {
        let yard = try Yard(identity)
        for name in ["changed", "deleted", "mode", "old/one", "old/two"] {
            try yard.write(name + "\n", to: "project/" + name)
        }
        try identity.own(yard.project)
        return yard
    }

    private func goal(_ identity: TestIdentity) throws -> String {
        let control = try place(identity)
        try control.outside(Self.script)
        return try control.picture()
    }

    /// Everything that must hold after a crash, and after the next start. Returns the run's state then.
    private func recover(_ yard: Yard, _ run: String, token: String, before: String, after: String) throws -> String {
        #expect(Eventually.holds(withinSeconds: 10) { Leftovers.processes(token).isEmpty })
        #expect(Leftovers.mounts(yard.path).isEmpty)
        let acknowledged = (try? yard.events(run)) ?? []
        let early = try yard.bailey(["journal", "verify"])
        #expect(early.status == 0, "before recovery: \(early.summary)")

        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        let verified = try yard.bailey(["journal", "verify"])
        #expect(verified.status == 0, "after recovery: \(verified.summary)")
        #expect(try Leftovers.named(run).isEmpty, "control groups and temporary files")
        let events = try yard.events(run)
        #expect(events.starts(with: acknowledged), "\(acknowledged) became \(events)")
        let state = try yard.state(of: run)
        let isHeld = state == "held"
        #expect(isHeld || Self.terminal.contains(events.last ?? ""), "\(state): \(events)")
        let picture = try yard.picture()
        #expect(picture == (["applied", "finished"].contains(state) ? after : before), "\(state)")
        #expect(yard.exists("project/.bailey/runs/\(run)/settled"))
        if state == "applied" {
            for left in ["tree0", "apply"] { #expect(!yard.exists("project/.bailey/runs/\(run)/workspace/\(left)")) }
        }
        return state
    }

    @Test(arguments: starting + ending + applying, TestIdentity.available)
    func duringARun(_ point: String, _ identity: TestIdentity) throws {
        let yard = try place(identity)
        let before = try yard.picture()
        let after = try goal(identity)
        try yard.bailey(["run", "--", "true"])
        let token = "token\(UInt32.random(in: 100_000..<999_999))"
        let crashed = try yard.inside(": \(token)\n" + Self.script, "--apply", "auto", with: ["BAILEY_CRASH_AT": point])
        #expect(crashed.status == 137, "\(crashed.summary)")
        let run = try yard.lastRun()
        let state = try recover(yard, run, token: token, before: before, after: after)
        switch point {
        // Whatever the command had done by then is held, and it need not be all.
        case "sandbox started": #expect(["failed", "held"].contains(state))
        case _ where Self.starting.contains(point): #expect(state == "failed")
        case "command exited", "changes recorded", "apply recorded", "prepared", "staged": #expect(state == "held")
        default: #expect(state == "applied")
        }
        if state == "held", point == "sandbox started" {
            #expect(try yard.bailey(["changes", "discard", run]).status == 0)
            #expect(try yard.picture() == before)
        } else if state == "held" {
            let apply = try yard.bailey(["changes", "apply", run])
            #expect(apply.status == 0, "\(apply.summary)")
            #expect(try yard.picture() == after)
            #expect(try yard.bailey(["journal", "verify"]).status == 0)
        }
    }

    @Test(arguments: applying) func duringALaterApply(_ point: String) throws {
        let yard = try place(TestIdentity.available[0])
        let before = try yard.picture()
        let after = try goal(TestIdentity.available[0])
        try yard.inside(Self.script)
        let run = try yard.lastRun()
        let crashed = try yard.bailey(["changes", "apply"], with: ["BAILEY_CRASH_AT": point])
        #expect(crashed.status == 137, "\(crashed.summary)")
        let state = try recover(yard, run, token: run, before: before, after: after)
        #expect(state == (["apply recorded", "prepared", "staged"].contains(point) ? "held" : "applied"))
        if state == "held" {
            let discard = try yard.bailey(["changes", "discard", run])
            #expect(discard.status == 0, "\(discard.summary)")
            #expect(try yard.picture() == before && yard.state(of: run) == "discarded")
        }
    }

    @Test(arguments: ["discard recorded", "discarded"]) func duringADiscard(_ point: String) throws {
        let yard = try place(TestIdentity.available[0])
        let before = try yard.picture()
        try yard.inside(Self.script)
        let run = try yard.lastRun()
        let crashed = try yard.bailey(["changes", "discard"], with: ["BAILEY_CRASH_AT": point])
        #expect(crashed.status == 137, "\(crashed.summary)")
        let state = try recover(yard, run, token: run, before: before, after: before)
        #expect(state == "discarded")
        let left = try yard.outside("ls .bailey/runs/\(run)/workspace").stdout
        #expect(left.split(separator: "\n") == ["changes"], "\(left)")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test(arguments: ["prune recorded", "run set aside"]) func duringAPrune(_ point: String) throws {
        let yard = try place(TestIdentity.available[0])
        try yard.inside(Self.script)
        let run = try yard.lastRun()
        let arguments = ["runs", "prune", "--older-than", "0", "--held"]
        let crashed = try yard.bailey(arguments, with: ["BAILEY_CRASH_AT": point])
        #expect(crashed.status == 137 && !crashed.stdout.contains("removed"), "\(crashed.summary)")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        #expect(try yard.runs() == (point == "prune recorded" ? [run] : []))
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: yard.bailey + "/runs")
        #expect(names.allSatisfy { $0.hasPrefix("r_") }, "\(names)")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        if point == "prune recorded" { #expect(try yard.state(of: run) == "held") }
        #expect(try yard.bailey(arguments).status == 0)
        #expect(try yard.runs().isEmpty)
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func duringTheVeryFirstRun() throws {
        let yard = try place(TestIdentity.available[0])
        let before = try yard.picture()
        let point = ["BAILEY_CRASH_AT": "project directory filled"]
        #expect(try yard.bailey(["run", "--", "true"], with: point).status == 137)
        #expect(try yard.picture() != before)
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(try yard.picture() == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: yard.state + "/bailey/projects").count == 1)
    }

    @Test func besideAQuickerFirstRun() throws {
        let yard = try place(TestIdentity.available[0])
        let before = try yard.picture()
        let point = ["BAILEY_CRASH_AT": "project directory filled"]
        #expect(try yard.bailey(["run", "--", "true"], with: point).status == 137)
        try yard.outside("mkdir ../aside; mv .bailey.p_* ../aside/; mkdir .bailey.mine .bailey.p_0000000000aaaaaaaaaa")
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        try yard.outside("mv ../aside/.bailey.p_* .")
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        // What no first run of the user's has made is none of ours.
        try yard.outside("rmdir .bailey.mine .bailey.p_0000000000aaaaaaaaaa")
        #expect(try yard.picture() == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: yard.state + "/bailey/projects").count == 1)
    }

    @Test func halfWrittenFilesGo() throws {
        let yard = try place(TestIdentity.available[0])
        try yard.inside(Self.script, with: ["BAILEY_CRASH_AT": "changes recorded"])
        let run = try yard.lastRun()
        let places = [
            yard.bailey + "/authority", "\(yard.bailey)/runs/\(run)", "\(yard.bailey)/runs/\(run)/workspace",
            yard.state + "/bailey/projects",
        ]
        for place in places { try yard.outside("printf half > '\(place)/.new.1.1'") }
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        func left() -> [String] { places.filter { FileManager.default.fileExists(atPath: $0 + "/.new.1.1") } }
        // Where no lock says that its writer is dead, age does.
        #expect(left() == places.suffix(1))
    }

    @Test func againDuringTheRecovery() throws {
        let yard = try place(TestIdentity.available[0])
        let before = try yard.picture()
        let after = try goal(TestIdentity.available[0])
        try yard.inside(Self.script)
        let run = try yard.lastRun()
        for point in ["intent written", "operation performed", "before the last sync", "synced", "applied"] {
            let first = point == "intent written" ? ["changes", "apply", run] : ["run", "--", "true"]
            let crashed = try yard.bailey(first, with: ["BAILEY_CRASH_AT": point])
            #expect(crashed.status == 137, "\(point): \(crashed.summary)")
        }
        #expect(try recover(yard, run, token: run, before: before, after: after) == "applied")
    }

    @Test func aKilledRunIsFoundByEveryCommand() throws {
        for arguments in [
            ["changes", "show"], ["changes", "apply"], ["runs", "show"], ["journal", "show"], ["runs", "list"],
        ] {
            let yard = try place(TestIdentity.available[0])
            try yard.inside(Self.script, with: ["BAILEY_CRASH_AT": "sandbox started"])
            let result = try yard.bailey(arguments)
            #expect([0, 1].contains(result.status), "\(arguments): \(result.summary)")
            #expect(!(result.stdout + result.stderr).isEmpty)
        }
    }
}
