import BrokerLink
import Egress
import Testing

@Suite("a sandbox's own network")
struct SandboxNetworkTests {
    @Test func theBrokerListensInsideTheBlockThatStandsForNames() throws {
        let block = try #require(AddressBlock(SandboxNetwork.v4Text))
        #expect(block.contains(try #require(IPAddress(SandboxNetwork.brokerText))))
        #expect(AddressBlock(SandboxNetwork.v6Text) != nil)
    }

    @Test(
        "its addresses are known, however a socket shows them",
        arguments: [
            ("198.18.0.1", true), ("198.19.255.255", true), ("::ffff:198.18.0.9", true),
            ("fd62:6169:6c65:7900::1", true),
            ("198.17.255.255", false), ("198.20.0.0", false), ("::198.18.0.1", false), ("64:ff9b::198.18.0.1", false),
            ("fd62:6169:6c65:7901::1", false),
        ]
    )
    func contains(_ text: String, _ isInside: Bool) throws {
        #expect(SandboxNetwork.contains(try #require(IPAddress(text))) == isInside)
    }
}
