package import Egress

/// What a socket inside the sandbox is for.
package enum ListenerRole: UInt8, Sendable, CaseIterable {
    /// Questions to the resolver, UDP.
    case datagramNames = 1
    /// Questions to the resolver, TCP.
    case streamNames
    /// An HTTP proxy: CONNECT and requests in absolute form.
    case proxy
    /// SOCKS5.
    case socks
    /// Whoever connects to an address that stands for a name, and knows of no proxy.
    case transparent
    /// A listener on the host's own loopback, outside of the sandbox: whoever connects there is led to whoever listens
    /// on the same port inside. Of the maker of sockets it asks for one that is connected there.
    case published
    /// Plain HTTP to a provider of models: the port says to which.
    case gateway
}

/// A listening socket, or one to be made in a sandbox's network namespace.
package struct ListenerRequest: Sendable, Hashable {
    package var role: ListenerRole
    package var address: IPAddress
    package var port: UInt16

    package init(role: ListenerRole, address: IPAddress, port: UInt16) {
        self.role = role
        self.address = address
        self.port = port
    }
}

/// The addresses of a sandbox's own network. They stand for names and exist nowhere else.
///
/// 198.18.0.0/15 is for measurements inside a network (RFC 2544), so nothing public has an address in it; the other is
/// a unique local prefix (RFC 4193).
package enum SandboxNetwork {
    /// Addresses that stand for names, and the broker's own.
    package static let v4Text = "198.18.0.0/15"
    package static let v6Text = "fd62:6169:6c65:7900::/64"
    package static let blocks = [v4Text, v6Text].compactMap { AddressBlock($0) }
    /// The same as numbers: the first IPv4 address, and the upper half of every IPv6 address.
    package static let v4First: UInt32 = 0xC612_0000
    package static let v6High: UInt64 = 0xFD62_6169_6C65_7900
    /// Where the resolver, the HTTP proxy and SOCKS listen. Loopback stays the programs' own, on every port.
    package static let brokerText = "198.18.0.1"
    package static let namesPort: UInt16 = 53
    package static let proxyPort: UInt16 = 3128
    package static let socksPort: UInt16 = 1080

    /// True for an address of the sandbox's own network, whether it stands for a name or not.
    package static func contains(_ address: IPAddress) -> Bool {
        let place = address.unmapped
        return blocks.contains { $0.contains(place) }
    }
}
