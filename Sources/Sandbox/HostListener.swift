package import BrokerLink
import CLinux
import Egress
package import Files
import Glibc

/// A socket that listens on the host's own loopback for a port that a run publishes. It is closed with this object;
/// what was handed on lives as long as whoever has it.
package final class HostListener: Sendable {
    package let request: ListenerRequest
    let descriptor: Int32

    /// On 127.0.0.1, and where the machine has IPv6 on ::1.
    ///
    /// - Throws: EADDRINUSE where another program has the port on one of them.
    package static func both(port: UInt16) throws(SystemError) -> [HostListener] {
        let first = try HostListener(.v4(IPv4Address(value: 0x7F00_0001)), port)
        do throws(SystemError) {
            return [first, try HostListener(.v6(IPv6Address(high: 0, low: 1)), port)]
        } catch {
            guard [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.code) else { throw error }
            return [first]
        }
    }

    private init(_ address: IPAddress, _ port: UInt16) throws(SystemError) {
        let made = bailey_listen_loopback(address.family, UInt32(port))
        descriptor = try SystemError.check("listen", made, path: "\(address.bracketed):\(port)")
        request = ListenerRequest(role: .published, address: address, port: port)
    }

    deinit { close(descriptor) }
}
