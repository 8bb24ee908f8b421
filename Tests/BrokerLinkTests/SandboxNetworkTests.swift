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
}
