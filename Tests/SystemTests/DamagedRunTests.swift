import Foundation
import TestSupport
import Testing

@Suite("A run whose stored changes are damaged can be thrown away")
struct DamagedRunTests {
    static let damages = [
        "printf x >>FILE/changes", "truncate -s 0 FILE/changes", "rm FILE/changes",
        "rm FILE/changes; mkdir FILE/changes",
        "truncate -s 0 FILE/plan", "truncate -s -1 FILE/index0",
    ]

    private func held(_ identity: TestIdentity) throws -> (Yard, run: String, before: String) {
        let yard = try Yard(identity)
        try yard.write("old\n", to: "project/changed")
        let before = try yard.picture()
        try yard.inside("echo new > changed; echo new > created")
        return (yard, try yard.lastRun(), before)
    }

    @Test("discard says what is lost, records it and leaves the project alone", arguments: damages)
    func discard(_ damage: String) throws {
        let (yard, run, before) = try held(TestIdentity.available[0])
        let workspace = yard.bailey + "/runs/\(run)/workspace"
        try yard.outside(damage.replacingOccurrences(of: "FILE", with: "'\(workspace)'"))
        for verb in ["show", "apply"] {
            let refused = try yard.bailey(["changes", verb, run])
            #expect(refused.status != 0 && refused.stderr.contains("iscard"), "\(refused.summary)")
        }
        let discard = try yard.bailey(["changes", "discard", run])
        #expect(discard.status == 0, "\(discard.summary)")
        #expect(discard.stderr.contains("1 created, 1 changed, 0 deleted"), "\(discard.summary)")
        #expect(try yard.state(of: run) == "discarded")
        #expect(try yard.events(run).suffix(3) == ["GRANT_ISSUED", "CHANGES_DISCARDED", "RUN_COMPLETED"])
        #expect(try yard.read("project/.bailey/runs/\(run)/journal/journal.jsonl").contains(#""damaged":true"#))
        #expect(try yard.picture() == before)
        #expect(!yard.exists("project/.bailey/runs/\(run)/workspace/tree0"))
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        #expect(try yard.bailey(["changes", "discard", run]).status == 1)
    }

    /// Needs the named moments of a debug build.
    @Test("an apply that was killed is finished though the listing is damaged", .enabled(if: CrashPoints.exist))
    func recovers() throws {
        let (yard, run, before) = try held(TestIdentity.available[0])
        let killed = try yard.bailey(["changes", "apply", run], with: ["BAILEY_CRASH_AT": "operation performed"])
        #expect(killed.status == 137, "\(killed.summary)")
        #expect(try yard.picture() != before)
        try yard.outside("printf x >>'\(yard.bailey)/runs/\(run)/workspace/changes'")
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0 && next.stderr.isEmpty, "\(next.summary)")
        #expect(try yard.state(of: run) == "applied")
        #expect(try yard.read("project/changed") == "new\n" && yard.read("project/created") == "new\n")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }
}
