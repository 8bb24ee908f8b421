import Egress
import Glibc
import NIOCore

/// Whether an address is this host's own, whatever interface has it and whoever gave it: a connection there would come
/// back to this machine. The kernel is asked, at each connection; nothing is sent.
enum OwnAddress {
    /// - Returns: true also where it cannot be found out.
    static func isOwn(_ address: IPAddress) -> Bool {
        switch bound(address) {
        case .foreign: return false
        case .unknown: return true
        case .own: break
        }
        // Where the machine lets sockets have addresses that are not its own (ip_nonlocal_bind), that says nothing, and
        // the address that the kernel would send from is looked at: it finds an interface's first address only.
        guard bound(unassigned(address)) == .own else { return true }
        return source(address).map { $0 == address || isLoopback($0) } ?? false
    }

    private enum Finding { case own, foreign, unknown }

    /// Only an address of its own can be given to a socket, whether or not it is the first of its interface.
    private static func bound(_ address: IPAddress) -> Finding {
        guard let probe = socket(address) else { return errno == EAFNOSUPPORT ? .foreign : .unknown }
        defer { close(probe) }
        guard let local = try? address.socketAddress(port: 0) else { return .unknown }
        if local.withSockAddr({ bind(probe, $0, socklen_t($1)) }) == 0 { return .own }
        return errno == EADDRNOTAVAIL ? .foreign : .unknown
    }

    /// Of the blocks for documentation (RFC 5737, RFC 3849), which no machine has an address in.
    private static func unassigned(_ address: IPAddress) -> IPAddress {
        switch address {
        case .v4: .v4(IPv4Address(value: 0xC000_0201))
        case .v6: .v6(IPv6Address(high: 0x2001_0DB8_0000_0000, low: 1))
        }
    }

    private static func source(_ address: IPAddress) -> IPAddress? {
        guard let probe = socket(address), let remote = try? address.socketAddress(port: 9) else { return nil }
        defer { close(probe) }
        guard remote.withSockAddr({ connect(probe, $0, socklen_t($1)) }) == 0 else { return nil }
        var local = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
        var length = socklen_t(local.count)
        let isNamed = local.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(probe, $0.baseAddress, &length) } == 0
        }
        guard isNamed else { return nil }
        // Behind family and port; with IPv6 behind the flow too.
        if case .v4 = address { return IPAddress(networkBytes: local[4..<8]) }
        return IPAddress(networkBytes: local[8..<24])
    }

    private static func socket(_ address: IPAddress) -> CInt? {
        let family = if case .v4 = address { AF_INET } else { AF_INET6 }
        let descriptor = Glibc.socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        return descriptor >= 0 ? descriptor : nil
    }

    private static func isLoopback(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let v4): v4.value >> 24 == 127
        case .v6(let v6): v6.high == 0 && v6.low == 1
        }
    }
}
