import Foundation
import TestSupport
import Testing

@Suite("A killed direct run leaves nothing but what its command did", .enabled(if: CrashPoints.exist))
struct DirectCrashTests {
    static let points = [
        "run directory made", "workspace prepared", "journal created", "grant recorded", "sandbox started",
        "command exited", "changes settled", "head recorded",
    ]

    @Test(arguments: points) func atAnyMoment(_ point: String) throws {
        let yard = try DirectYard.make(TestIdentity.available[TestIdentity.available.count - 1])
        let guarded = try DirectYard.fingerprint(yard)
        let before = try yard.picture()
        let token = "token\(UInt32.random(in: 100_000..<999_999))"
        let crashed = try yard.inside(
            ": \(token)\necho x > src/new",
            "--workspace",
            "direct",
            with: ["BAILEY_CRASH_AT": point]
        )
        #expect(crashed.status == 137, "\(crashed.summary)")
        let run = try yard.lastRun()
        let next = try yard.bailey(["run", "--workspace", "direct", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(Leftovers.processes(token).isEmpty && Leftovers.mounts(yard.path).isEmpty)
        #expect(try DirectYard.fingerprint(yard) == guarded)
        let isPast = Self.points.firstIndex(of: point) ?? 0 >= 5
        if isPast || yard.exists("project/src/new") { try yard.outside("rm src/new") }
        #expect(try yard.picture() == before)
        #expect(["RUN_COMPLETED", "RUN_FAILED"].contains(try yard.events(run).last))
        #expect(yard.exists("project/.bailey/runs/\(run)/settled"))
        #expect(!yard.exists("project/.bailey/runs/\(run)/workspace/plan"))
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    /// It would open a project again that its owner shut later.
    @Test func itsNoteOfTheProjectsModeGoes() throws {
        let yard = try DirectYard.make(TestIdentity.available[TestIdentity.available.count - 1])
        let notes = yard.state + "/bailey/live"
        let crashed = try yard.inside(":", "--workspace", "direct", with: ["BAILEY_CRASH_AT": "sandbox started"])
        #expect(crashed.status == 137, "\(crashed.summary)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: notes).count == 1)
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: notes).isEmpty)
    }
}
