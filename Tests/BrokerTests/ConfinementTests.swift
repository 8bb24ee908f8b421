import Glibc
import TestSupport
import Testing

@Suite("the broker walls itself in before it serves")
struct ConfinementTests {
    /// Ordinary users may not reach the build directory.
    private func check(_ identity: TestIdentity, _ words: [String]) throws -> ProcessResult {
        let place = try TemporaryDirectory("bailey-broker", in: "/var/tmp")
        _ = try BuiltProducts.install(in: place.path)
        chmod(place.path, 0o755)
        return try identity.run(
            place.path + "/bailey-broker",
            arguments: ["--check"] + words,
            environment: ["SWIFT_BACKTRACE": "enable=no"]
        )
    }

    /// The look tries to open, to make, to bind and to have sockets of other families, and says which walls hold.
    @Test(arguments: TestIdentity.available) func everyWallHolds(_ identity: TestIdentity) throws {
        let result = try check(identity, [])
        #expect(result.status == 0, "\(result.summary)")
        for wall in ["no-files", "own-system-calls", "user-namespace", "empty-root", "no-own-listeners", "serves"] {
            #expect(result.stdout.contains(wall), "\(wall) in \(result.stdout)")
        }
    }

    @Test("calls that only an intruder makes end it", arguments: 0..<9)
    func deadly(call: Int) throws {
        for identity in TestIdentity.available {
            let result = try check(identity, ["\(call)"])
            #expect(result.signal == SIGSYS, "\(identity.name): \(result.summary)")
        }
    }

    @Test func itServesNobodyWithoutASupervisor() throws {
        let result = try ProcessRunner.run(try BuiltProducts.broker())
        #expect(result.status == 2 && result.stderr.contains("started by bailey"), "\(result.summary)")
    }
}
