import Foundation
import TestSupport
import Testing

@Suite("A direct run has the projects in its project to itself")
struct DirectNestingTests {
    private static let script = "touch src/begun; while [ ! -e src/end ]; do sleep 0.02; done"

    /// A `.bailey` that is made while the command runs is not covered, and would hold what the command likes.
    @Test(arguments: TestIdentity.available)
    func nothingBeginsInIt(_ identity: TestIdentity) throws {
        let yard = try DirectYard.make(identity)
        try yard.outside("mkdir -p new/deep old")
        let held = try yard.inside("echo x > held", "--project", "old", "--apply", "never")
        #expect(held.status == 0 && yard.exists("project/old/.bailey"), "\(held.summary)")
        let direct = try Background(yard, ["run", "--workspace", "direct", "--", "sh", "-c", Self.script])
        #expect(Eventually.holds { yard.exists("project/src/begun") })
        for arguments in [
            ["run", "--no-wait", "--project", "new/deep", "--", "true"],
            ["run", "--no-wait", "--workspace", "direct", "--project", "new", "--", "true"],
            ["run", "--no-wait", "--project", "old", "--", "true"],
            ["changes", "apply", "--yes", "--project", "old"],
        ] {
            let refused = try yard.bailey(arguments)
            #expect(refused.status == 125, "\(refused.summary)")
            #expect(refused.stderr.contains("a direct run has \(yard.project), where it lies, to itself"))
        }
        #expect(try yard.outside("find new").stdout == "new\nnew/deep\n", "nothing was made")
        #expect(!yard.exists("project/old/held"))
        let waits = try yard.outside(
            """
            "$BAILEY" run --project new/deep -- echo ran 2> ../told & run=$!
            for look in $(seq 500); do grep -q waiting ../told && break; sleep 0.02; done
            find new; touch src/end; wait $run
            """
        )
        #expect(waits.stdout == "new\nnew/deep\nran\n", "\(waits.summary)")
        #expect(direct.end() == 0)
        #expect(yard.exists("project/new/deep/.bailey/id"))
    }

    @Test(arguments: TestIdentity.available)
    func itWaitsForThoseThatLive(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.outside("mkdir -p part/deep")
        let count = "ls part/deep/.bailey/runs | grep -c '^r_'"
        // A run of a time when the project around was none.
        let first = try Background(yard, ["run", "--project", "part/deep", "--", "sleep", "60"])
        #expect(try Eventually.holds { try yard.outside(count).stdout == "1\n" })
        let refused = try yard.inside("true", "--workspace", "direct", "--no-wait")
        #expect(refused.status == 125 && refused.stderr.contains("other runs use part/deep"), "\(refused.summary)")
        first.send(SIGTERM)
        #expect(first.end() == 143)
        let alone = try yard.inside("true", "--workspace", "direct", "--no-wait")
        #expect(alone.status == 0, "\(alone.summary)")
        // From now on it holds the project around.
        let second = try Background(yard, ["run", "--project", "part/deep", "--", "sleep", "60"])
        #expect(try Eventually.holds { try yard.outside(count).stdout == "2\n" })
        let again = try yard.inside("true", "--workspace", "direct", "--no-wait")
        #expect(again.status == 125 && again.stderr.contains("other runs use it"), "\(again.summary)")
        second.send(SIGTERM)
        #expect(second.end() == 143)
    }
}
