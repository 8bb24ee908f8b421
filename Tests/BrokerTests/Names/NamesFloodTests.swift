import Broker
import BrokerLink
import Domain
import Synchronization
import TestSupport
import Testing

@Suite("floods of questions cost a sandbox nothing but its answers", .enabled(if: NetworkNamespace.isPossible))
struct NamesFloodTests {
    /// Sends questions as fast as the kernel takes them, for made-up names, from a program inside.
    private static let flood = """
        import socket, sys, time
        end = time.time() + float(sys.argv[1])
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
        number = 0
        while time.time() < end:
            for s in sockets:
                number += 1
                label = b"x%d" % number
                name = bytes([len(label)]) + label + b"\\4evil\\7example\\0"
                try: s.sendto(b"\\1\\2\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + name + b"\\0\\1\\0\\1", 0, ("198.18.0.1", 53))
                except OSError: pass
        print(number)
        """

    @Test("a flood is bounded in records and names, and the resolver answers afterwards")
    func flood() async throws {
        var limits = BrokerLimits()
        limits.questionsPerSecond = 500
        let yard = try await NamesYard(["api.example.com"], limits: limits)
        let words = ["python3", "-c", Self.flood, "1.0"]
        async let clock: Void = {
            // The fixture's clock stands still unless somebody moves it.
            for tick in 1...10 {
                yard.fixture.clock.withLock { $0 = Double(tick) / 10 }
                try await Task.sleep(for: .milliseconds(100))
            }
        }()
        let result = try await yard.run(words).result
        try await clock
        let sent = try #require(Int(result.stdout.split(separator: "\n").first ?? ""), "\(result.summary)")
        // Each second's worth once, and the worth that may come at once.
        #expect(sent > 2000)
        #expect(yard.fixture.ledger.records.count <= 1026)
        #expect(yard.fixture.ledger.records.filter { $0.rule.rawValue == "limit-questions" }.count <= 1)
        #expect(yard.fixture.names.all.isEmpty)
        yard.fixture.clock.withLock { $0 = 100 }
        let after = try await yard.run(["getent", "ahosts", "api.example.com"]).result
        #expect(after.status == 0, "\(after.summary)")
        try await yard.close()
    }
}
