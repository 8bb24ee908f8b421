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

    /// What the kernel sends to itself comes from the address it goes to, or from loopback.
    private static func isLoopback(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let v4): v4.value >> 24 == 127
        case .v6(let v6): v6.high == 0 && v6.low == 1
        }
    }

    /// True for an address of this host, whatever interface has it: the kernel would answer it itself. It is asked from
    /// which address it would send there; nothing is sent.
    ///
    /// - Returns: true also where that cannot be found out, as then nothing can be dialled either.
    var isOwn: Bool {
        let isV4 = if case .v4 = self { true } else { false }
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let probe = socket(isV4 ? AF_INET : AF_INET6, type, 0)
        guard probe >= 0, let remote = try? socketAddress(port: 9) else { return true }
        defer { close(probe) }
        // Where no way leads to an address, dialling it fails too.
        guard remote.withSockAddr({ connect(probe, $0, socklen_t($1)) }) == 0 else { return false }
        var local = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
        var length = socklen_t(local.count)
        let isNamed = local.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(probe, $0.baseAddress, &length) } == 0
        }
        guard isNamed else { return true }
        // Behind family and port; with IPv6 behind the flow too.
        let source = IPAddress(bytes: isV4 ? local[4..<8] : local[8..<24])
        return source == self || source.map(Self.isLoopback) ?? true
    }
}

extension NameServer {
    var socketAddress: SocketAddress { get throws { try address.socketAddress(port: port) } }
}
