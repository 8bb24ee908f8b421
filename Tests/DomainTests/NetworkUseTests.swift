import Domain
import Testing

@Suite("refusals are kept by kind, and counted")
struct NetworkUseTests {
    private func refusal(_ target: String, _ rule: RuleID = RuleID("network-unlisted")) -> NetworkUse.Refusal {
        NetworkUse.Refusal(target: target, rule: rule, reason: "it is not listed", remedy: nil)
    }

    @Test func aKindIsNewOnce() {
        var use = NetworkUse()
        let other = refusal("a.example.com:443", RuleID("network-port"))
        let isNew = [refusal("a.example.com:443"), other, refusal("a.example.com:443")].map { use.add($0) }
        #expect(isNew == [true, true, false])
        #expect(use.refusals.map(\.count) == [2, 1])
        #expect(use.refusalCount == 3)
    }

    @Test func noMoreKindsAreKeptThanTheLimit() {
        var use = NetworkUse()
        let isNew = (0...NetworkUse.refusalsMax).map { use.add(refusal("\($0).example.com")) }
        #expect(isNew.dropLast().allSatisfy { $0 } && isNew.last == false)
        #expect(use.refusals.count == NetworkUse.refusalsMax && use.refusalsLeftOut == 1)
        #expect(use.refusalCount == UInt64(NetworkUse.refusalsMax) + 1)
    }

    @Test func noNumberOfRefusalsHidesAnAlarm() {
        var use = NetworkUse()
        for index in 0...NetworkUse.refusalsMax { _ = use.add(refusal("\(index).example.com")) }
        let isNew = use.add(refusal("a.example.com:443", .credentialPlaceholder))
        #expect(isNew)
        #expect(use.refusals.last?.rule == .credentialPlaceholder)
        #expect(RuleID.credentialReflected.isAlarm && !RuleID("network-unlisted").isAlarm)
    }

    /// A program raises the one as often as it likes, of other names each time; only a service raises the other.
    @Test func noNumberOfAlarmsHidesAnother() {
        var use = NetworkUse()
        for index in 0..<100_000 { _ = use.add(refusal("\(index).example.com", .credentialPlaceholder)) }
        #expect(use.refusals.count == NetworkUse.alarmsMax)
        #expect(use.alarmsLeftOut == UInt64(100_000 - NetworkUse.alarmsMax))
        let others = [refusal("a.example.com:443", .credentialReflected), refusal("b.example.com:443")]
        let areNew = others.map { use.add($0) }
        #expect(areNew == [true, true])
        #expect(use.refusalCount == 100_002)
    }

    @Test func aRuleThatIsToldIsAName() {
        #expect(RuleID(told: "network-port")?.rawValue == "network-port")
        for text in ["", "Network", "a b", "a_b", "a\n", String(repeating: "a", count: 65)] {
            #expect(RuleID(told: text) == nil, "\(text)")
        }
    }
}
