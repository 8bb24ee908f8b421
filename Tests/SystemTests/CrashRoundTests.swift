import TestSupport
import Testing

@Suite("Killed at random moments, Bailey loses nothing and leaves nothing")
struct CrashRoundTests {
    @Test("ten rounds of SIGKILL; the seed is in what a failure shows", arguments: TestIdentity.available)
    func tenRounds(_ identity: TestIdentity) throws {
        let result = try LongScript.run("crash", "--rounds", "10", "--user", LongScript.word(identity))
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.contains("every invariant held"))
    }

    @Test("twenty runs in a row leave nothing and nothing grows", arguments: TestIdentity.available)
    func twentyRuns(_ identity: TestIdentity) throws {
        let result = try LongScript.run(
            "soak",
            "--runs",
            "20",
            "--connections",
            "400",
            "--user",
            LongScript.word(identity)
        )
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.contains("nothing is left and nothing grows"))
    }
}
