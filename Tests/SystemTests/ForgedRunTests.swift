import Foundation
import TestSupport
import Testing

/// A foreign hand in a project's `.bailey`, as a direct run of a directory above it would be.
@Suite("What a foreign hand writes into a run's directory never reaches a file", .enabled(if: CrashPoints.exist))
struct ForgedRunTests {
    /// Two runs that hold changes; the apply of the second was killed before its first operation.
    private func interrupted() throws -> (Yard, held: String, killed: String, before: String) {
        let yard = try Yard(TestIdentity.available[0])
        try yard.write("old\n", to: "project/f")
        try yard.inside("echo one > f; echo one > first")
        let held = try yard.lastRun()
        try yard.inside("echo two > f; echo two > second")
        let killed = try yard.lastRun()
        let before = try yard.picture()
        let result = try yard.bailey(["changes", "apply", killed], with: ["BAILEY_CRASH_AT": "intent written"])
        #expect(result.status == 137, "\(result.summary)")
        #expect(try yard.picture() == before)
        return (yard, held, killed, before)
    }

    @Test("the intent and the staged files of one run are not carried out for another")
    func replay() throws {
        let (yard, held, killed, before) = try interrupted()
        let runs = yard.bailey + "/runs"
        try yard.outside(
            """
            cp -a '\(runs)/\(killed)/workspace/intent' '\(runs)/\(killed)/workspace/apply' '\(runs)/\(held)/workspace/'
            rm '\(runs)/\(held)/settled'; rm -r '\(runs)/\(killed)'
            """
        )
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(next.stderr.contains("run \(held) was left as it is"), "\(next.summary)")
        #expect(try yard.picture() == before)
        #expect(try yard.bailey(["changes", "apply", held]).status != 0)
        #expect(try yard.picture() == before)
    }

    @Test("a plan of one run is not believed for another, and a patched one not at all", arguments: [true, false])
    func plan(_ isReplayed: Bool) throws {
        let (yard, held, killed, before) = try interrupted()
        let workspace = yard.bailey + "/runs/\(killed)/workspace"
        if isReplayed {
            try yard.outside("cp '\(yard.bailey)/runs/\(held)/workspace/plan' '\(workspace)/plan'")
        } else {
            // The last byte of what the tag covers, and an unkeyed hash that fits.
            try yard.outside(
                """
                cd '\(workspace)'; head -c -33 plan >p; printf '\\377' >>p
                printf "$(sha256sum <p | cut -c-64 | sed 's/../\\\\x&/g')" >>p; mv p plan
                """
            )
        }
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(next.stderr.contains("run \(killed) was left as it is"), "\(next.summary)")
        #expect(next.stderr.contains("changed by somebody else"), "\(next.summary)")
        #expect(try yard.picture() == before)
        let shown = try yard.bailey(["changes", "show", killed])
        #expect(shown.status != 0 && shown.stderr.contains("changed by somebody else"), "\(shown.summary)")
        #expect(try yard.picture() == before)
    }

    @Test("a journal that was made to say that a run was cut off brings nothing in")
    func journal() throws {
        let (yard, held, killed, before) = try interrupted()
        let run = yard.bailey + "/runs/\(held)"
        // Only its first lines, which a chain without a key does not miss.
        try yard.outside(
            """
            rm -r '\(yard.bailey)/runs/\(killed)'
            cd '\(run)'; head -n 2 journal/journal.jsonl >j; mv j journal/journal.jsonl; rm -f settled journal/head
            echo mine >workspace/tree0/upper/third || echo mine >workspace/tree0/copy/third
            """
        )
        let next = try yard.bailey(["run", "--apply", "auto", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(try yard.picture() == before)
        #expect(try yard.state(of: held) != "applied")
    }
}
