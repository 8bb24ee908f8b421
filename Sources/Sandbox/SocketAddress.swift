import Glibc

/// The address of a connect or bind, parsed from the bytes that the caller's memory held.
package enum SocketAddress: Equatable {
    /// `isInside` says that the sandbox's own loopback answers for it.
    case internet(text: String, isInside: Bool, port: UInt16, octets: [UInt8])
    /// A path of the file system, without what follows its first zero byte.
    case path([UInt8])
    /// A name of the network namespace's own.
    case abstract([UInt8])
    case family(UInt16)

    /// The longest that the kernel reads.
    package static let bytesMax = 128

    /// Nil for what is no address of a destination: too short, or the family that dissolves a connection.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        let family = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
        switch Int32(family) {
        case AF_UNSPEC: return nil
        case AF_INET:
            guard bytes.count >= 8 else { return nil }
            self = Self.internet(Array(bytes[4..<8]), port: Self.port(bytes))
        case AF_INET6:
            guard bytes.count >= 24 else { return nil }
            self = Self.internet(Array(bytes[8..<24]), port: Self.port(bytes))
        case AF_UNIX:
            let name = bytes[2...]
            guard let first = name.first else { return nil }
            self = first == 0 ? .abstract(Array(name.dropFirst())) : .path(Array(name.prefix { $0 != 0 }))
        default: self = .family(family)
        }
    }

    private static func port(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    private static func internet(_ octets: [UInt8], port: UInt16) -> SocketAddress {
        let host = text(octets)
        return .internet(
            text: octets.count == 4 ? "\(host):\(port)" : "[\(host)]:\(port)",
            isInside: isInside(octets),
            port: port,
            octets: octets
        )
    }

    /// The loopback networks, and the addresses that stand for "this machine".
    private static func isInside(_ octets: [UInt8]) -> Bool {
        if octets.count == 4 { return octets[0] == 127 || octets.allSatisfy { $0 == 0 } }
        if octets.prefix(10).allSatisfy({ $0 == 0 }), octets[10] == 0xFF, octets[11] == 0xFF {
            return isInside(Array(octets[12...]))
        }
        return octets.prefix(15).allSatisfy { $0 == 0 } && octets[15] <= 1
    }

    private static func text(_ octets: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1)
        let family = octets.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, octets, &buffer, socklen_t(buffer.count)) != nil else { return "?" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
