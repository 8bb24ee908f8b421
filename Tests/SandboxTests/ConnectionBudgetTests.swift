import BrokerLink
import Egress
import Testing

@testable import Sandbox

@Suite("the record of connections has an end")
struct ConnectionBudgetTests {
    private func record(_ request: String) throws -> ConnectionRecord {
        var record = ConnectionRecord(
            door: .proxy,
            host: "api.example.com",
            port: 443,
            treatment: .terminated,
            decision: NetworkPolicy.everythingPublic.decide(host: Array("api.example.com".utf8)),
            beganSeconds: 1
        )
        record.request = request
        return record
    }

    @Test("ordinary ones are counted, and long ones by their bytes")
    func ends() throws {
        var ordinary = ConnectionBudget()
        let short = try record("GET /v1/messages")
        for _ in 0..<10_000 { #expect(ordinary.take(short) == nil) }
        #expect(ordinary.bytes / ordinary.connections * ConnectionBudget.connectionsMax <= 560 << 20)
        var flooded = ConnectionBudget()
        let long = try record("GET /" + String(repeating: "x", count: 500_000))
        var excess: String?
        for _ in 0..<2000 where excess == nil { excess = flooded.take(long) }
        #expect(excess == "the records of a run's connections have at most 512 MiB")
    }
}
