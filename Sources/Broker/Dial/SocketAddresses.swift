import BrokerLink
import Egress
import Glibc
import NIOCore

extension IPAddress {
    /// In the order in which they travel: 4 or 16.
    var bytes: [UInt8] {
        switch self {
        case .v4(let v4): withUnsafeBytes(of: v4.value.bigEndian) { Array($0) }
        case .v6(let v6): [v6.high, v6.low].flatMap { half in withUnsafeBytes(of: half.bigEndian) { Array($0) } }
        }
    }

    init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(IPv4Address(value: bytes.reduce(0) { $0 << 8 | UInt32($1) }))
        case 16:
            let high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            self = .v6(IPv6Address(high: high, low: bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }))
        default: return nil
        }
    }

    func socketAddress(port: UInt16) throws -> SocketAddress {
        try SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
    }
}

extension NameServer {
    var socketAddress: SocketAddress { get throws { try address.socketAddress(port: port) } }
}
