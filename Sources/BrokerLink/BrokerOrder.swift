import CLinux
import Domain
package import Egress

/// What the supervisor tells the broker.
package enum BrokerOrder: Sendable, Equatable {
    /// Settings to keep to from now on, in the sealed memory that comes with it; see ``SettingsDocument``. The first
    /// message of all, and again whenever they change.
    case settings
    /// A listening socket of the sandbox's comes with it.
    case listener(ListenerRequest)
    /// A socket comes with it over which further listeners can be had; see ``ListenerOrder``.
    case maker
    /// The value of one of the settings' secrets, by its place there, in the sealed memory that comes with it. Sent
    /// again when it changes.
    case secret(UInt16)
    /// That was all: serve.
    case begin
    /// The run is over.
    case end

    package static let bytesMax = 32

    private enum Kind {
        static let settings: UInt8 = 1, listener: UInt8 = 2, maker: UInt8 = 3, begin: UInt8 = 4, end: UInt8 = 5
        static let secret: UInt8 = 6
    }

    /// True for the orders that a descriptor comes with.
    package var bringsDescriptor: Bool {
        switch self {
        case .settings, .listener, .maker, .secret: true
        case .begin, .end: false
        }
    }

    package var bytes: [UInt8] {
        switch self {
        case .settings: [Kind.settings]
        case .listener(let request): [Kind.listener] + request.bytes
        case .maker: [Kind.maker]
        case .secret(let place): [Kind.secret, UInt8(place >> 8), UInt8(place & 0xFF)]
        case .begin: [Kind.begin]
        case .end: [Kind.end]
        }
    }

    /// Nil for what is no order, byte for byte.
    package init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first else { return nil }
        switch kind {
        case Kind.settings where bytes.count == 1: self = .settings
        case Kind.maker where bytes.count == 1: self = .maker
        case Kind.secret where bytes.count == 3: self = .secret(UInt16(bytes[1]) << 8 | UInt16(bytes[2]))
        case Kind.begin where bytes.count == 1: self = .begin
        case Kind.end where bytes.count == 1: self = .end
        case Kind.listener:
            guard let request = ListenerRequest(Array(bytes.dropFirst())) else { return nil }
            self = .listener(request)
        default: return nil
        }
    }
}

extension ListenerRequest {
    /// Role, port, and 4 or 16 bytes of address.
    package var bytes: [UInt8] { [role.rawValue, UInt8(port >> 8), UInt8(port & 0xFF)] + address.networkBytes }

    package init?(_ bytes: [UInt8]) {
        guard bytes.count > 3, let role = ListenerRole(rawValue: bytes[0]),
            let address = IPAddress(networkBytes: Array(bytes[3...]))
        else { return nil }
        let port = UInt16(bytes[1]) << 8 | UInt16(bytes[2])
        guard port > 0 else { return nil }
        self.init(role: role, address: address, port: port)
    }
}

extension IPAddress {
    package var family: Int32 { if case .v4 = self { BAILEY_FAMILY_V4 } else { BAILEY_FAMILY_V6 } }
}
