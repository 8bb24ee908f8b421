import Broker
import BrokerLink
import Domain
import Egress
import Synchronization
import Testing

@Suite("addresses that stand for names are never used twice")
struct SyntheticNamesTests {
    @Test func aNameKeepsItsAddressesAndTheyLeadBack() throws {
        let names = SyntheticNames()
        let name = try HostName("api.example.com")
        let first = try names.addresses(of: name, limits: BrokerLimits())
        #expect(try names.addresses(of: name, limits: BrokerLimits()) == first)
        #expect(names.name(of: first.v4) == name && names.name(of: first.v6) == name)
        #expect(first.v4.description == "198.18.1.1")
        #expect(first.v6.description == "fd62:6169:6c65:7900::c612:101")
        // As a socket for both families shows it.
        #expect(names.name(of: try #require(IPAddress("::ffff:198.18.1.1"))) == name)
        #expect(names.all == [first])
    }

    @Test(
        "addresses without a name lead nowhere",
        arguments: [
            "198.18.0.1", "198.18.0.0", "198.18.1.0", "198.18.1.255", "198.18.1.2", "198.19.255.255", "198.20.1.1",
            "127.0.0.1",
            "fd62:6169:6c65:7900::1", "fd62:6169:6c65:7900:1::c612:101", "fd62:6169:6c65:7901::c612:101", "::c612:101",
            "64:ff9b::c612:101", "fd62:6169:6c65:7900::", "::ffff:198.18.1.2",
        ]
    )
    func nameless(_ text: String) throws {
        let names = SyntheticNames()
        _ = try names.addresses(of: try HostName("api.example.com"), limits: BrokerLimits())
        #expect(names.name(of: try #require(IPAddress(text))) == nil)
    }

    @Test("every name has its own address, none is the broker's, and none looks like a network's own")
    func distinct() throws {
        let names = SyntheticNames()
        let blocks = try (#require(AddressBlock(SandboxNetwork.v4Text)), #require(AddressBlock(SandboxNetwork.v6Text)))
        let broker = try #require(IPAddress(SandboxNetwork.brokerText))
        var seen: Set<IPAddress> = []
        for number in 0..<5000 {
            let name = try HostName("n\(number).example.com")
            let pair = try names.addresses(of: name, limits: BrokerLimits())
            #expect(seen.insert(pair.v4).inserted && seen.insert(pair.v6).inserted)
            #expect(blocks.0.contains(pair.v4) && blocks.1.contains(pair.v6) && pair.v4 != broker)
            guard case .v4(let v4) = pair.v4 else { continue }
            #expect(![0, 255].contains(v4.value & 0xFF))
            #expect(names.name(of: pair.v4) == name && names.name(of: pair.v6) == name)
        }
    }

    @Test("the limit ends it, and names that have an address keep it")
    func limit() throws {
        var limits = BrokerLimits()
        limits.names = 2
        let names = SyntheticNames()
        let first = try names.addresses(of: try HostName("a.com"), limits: limits)
        _ = try names.addresses(of: try HostName("b.com"), limits: limits)
        let error = #expect(throws: EgressRefusal.self) {
            try names.addresses(of: try HostName("c.com"), limits: limits)
        }
        #expect(error?.rule.rawValue == "limit-names")
        #expect(try names.addresses(of: try HostName("a.com"), limits: limits) == first)
        limits.names = .max
        #expect(SyntheticNames.capacity < 131_072)
    }

    @Test("two threads that ask for the same names agree")
    func threads() async throws {
        let names = SyntheticNames()
        let hosts = try (0..<500).map { try HostName("n\($0).example.com") }
        let all = await withTaskGroup(of: [SyntheticName].self) { group in
            for _ in 0..<4 {
                group.addTask { hosts.shuffled().compactMap { try? names.addresses(of: $0, limits: BrokerLimits()) } }
            }
            return await group.reduce(into: Set<SyntheticName>()) { $0.formUnion($1) }
        }
        #expect(all.count == 500 && Set(all.map(\.v4)).count == 500)
    }
}
