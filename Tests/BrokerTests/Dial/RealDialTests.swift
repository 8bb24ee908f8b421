import Broker
import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore
import NIOPosix
import Testing

/// Two machines with public addresses and a cable between them: one that dials, one that is dialled.
@Suite("connections over a real network", .enabled(if: NetworkNamespace.isPossible), .serialized)
struct RealDialTests {
    private final class Wire: Sendable {
        let near: NetworkNamespace
        let far: NetworkNamespace
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

        init() async throws {
            near = try NetworkNamespace()
            far = try NetworkNamespace()
            try near.ip("link set lo up", "link add near type veth peer name far netns \(far.path)")
            try near.ip(
                "addr add 93.184.216.1/24 dev near",
                "addr add 93.184.216.2/24 dev near",
                "addr add 2606:2800:220:1::1/64 dev near nodad",
                "link set near up"
            )
            try far.ip(
                "link set lo up",
                "addr add 93.184.216.34/24 dev far",
                "addr add 2606:2800:220:1::34/64 dev far nodad",
                "link set far up"
            )
            try await near.enter(group.next())
        }

        func close() async throws { try await group.shutdownGracefully() }
    }

    private func dial(_ wire: Wire, _ addresses: [String], port: Int = 443) async throws -> String {
        var settings = BrokerSettings()
        settings.policy = NetworkPolicy(allow: [try NetworkRule("api.example.com:\(port)")])
        settings.knownNames = [try HostName("api.example.com"): try addresses.map { try #require(IPAddress($0)) }]
        settings.limits.dialSeconds = 5
        let dialer = Dialer(settings: SettingsStore(settings))
        let target = try ConnectTarget(Array("api.example.com:\(port)".utf8))
        do {
            let dialled = try await dialer.dial(target, on: wire.group.next()).get()
            try await dialled.channel.close()
            return dialled.address.description
        } catch let refusal as EgressRefusal {
            return refusal.rule.rawValue
        } catch let failure as DialFailure {
            return failure.reason
        }
    }

    @Test("a public address is reached, and an address that nobody answers at holds up no other")
    func reached() async throws {
        let wire = try await Wire()
        let socket = try wire.far.socket(Int32(SOCK_STREAM.rawValue), "93.184.216.34", 443)
        #expect(try await dial(wire, ["93.184.216.34"]) == "93.184.216.34:443")
        // Nobody has the first; the second refuses at once.
        let mixed = ["2606:2800:220:1::99", "2606:2800:220:1::34", "93.184.216.34"]
        #expect(try await dial(wire, mixed) == "93.184.216.34:443")
        #expect(try await dial(wire, ["93.184.216.34"], port: 444).contains("refused"))
        Plain.close([socket])
        try await wire.close()
    }

    @Test("this host's own public addresses are not dialled, though nobody named them")
    func own() async throws {
        let wire = try await Wire()
        let sockets = try ["93.184.216.1", "93.184.216.2"].map { address in
            try wire.near.socket(Int32(SOCK_STREAM.rawValue), address, 443)
        }
        for address in ["93.184.216.1", "93.184.216.2", "2606:2800:220:1::1"] {
            #expect(try await dial(wire, [address]) == "address-own", "\(address)")
        }
        #expect(try await dial(wire, ["93.184.216.99", "93.184.216.2"]) == "address-own")
        // A machine that lets sockets have any address still knows its first ones.
        try wire.near.allowForeignAddresses()
        #expect(try await dial(wire, ["93.184.216.1"]) == "address-own")
        let socket = try wire.far.socket(Int32(SOCK_STREAM.rawValue), "93.184.216.34", 443)
        #expect(try await dial(wire, ["93.184.216.34"]) == "93.184.216.34:443")
        Plain.close(sockets + [socket])
        try await wire.close()
    }
}
