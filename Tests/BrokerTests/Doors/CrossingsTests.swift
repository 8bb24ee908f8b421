import Broker
import BrokerLink
import Egress
import Testing

@Suite("connections have only so many sockets")
struct CrossingsTests {
    @Test func aSocketOutsideCountsToo() throws {
        var settings = BrokerSettings()
        settings.limits.sockets = 4
        let crossings = Crossings(SettingsStore(settings))
        let first = try crossings.enter(now: 0)
        let second = try crossings.enter(now: 0)
        try crossings.goOut(first)
        try crossings.goOut(first)
        _ = try crossings.enter(now: 0)
        #expect(throws: EgressRefusal.self) { try crossings.goOut(second) }
        #expect(throws: EgressRefusal.self) { _ = try crossings.enter(now: 0) }
        crossings.leave(first)
        try crossings.goOut(second)
        _ = try crossings.enter(now: 0)
        #expect(throws: EgressRefusal.self) { _ = try crossings.enter(now: 0) }
    }
}
