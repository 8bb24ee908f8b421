import Egress
import Glibc
import NIOCore

/// Calls of connected sockets, without SwiftNIO.
enum OutsideSocket {
    /// Begins to connect, without waiting.
    ///
    /// - Returns: a socket that becomes writable once it is connected, or could not be.
    static func connect(to address: CheckedAddress, for target: ConnectTarget) throws(DialFailure) -> Int32 {
        let family = if case .v4 = address.address { AF_INET } else { AF_INET6 }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard let remote = try? address.address.socketAddress(port: address.port) else {
            throw DialFailure("\(address) is no address of a socket")
        }
        let made = socket(family, kind, 0)
        guard made >= 0 else { throw unreachable(target, errno) }
        sendAtOnce(made)
        let result = remote.withSockAddr { Glibc.connect(made, $0, socklen_t($1)) }
        guard result == 0 || errno == EINPROGRESS else {
            let code = errno
            close(made)
            throw unreachable(target, code)
        }
        return made
    }

    static func unreachable(_ target: ConnectTarget, _ code: Int32) -> DialFailure {
        let reason = String(cString: strerror(code))
        let text = "\(target) cannot be reached: one address was tried, and it said \"\(reason)\""
        return DialFailure(text, isTimeout: code == ETIMEDOUT)
    }

    /// What went wrong with a socket; nil where nothing did. The next question has the next answer.
    static func failure(of socket: Int32) -> Int32? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: code))
        guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
        return code == 0 ? nil : code
    }

    /// Small pieces are not kept back until the other end has answered. Accepted sockets have this from their listener.
    static func sendAtOnce(_ socket: Int32) {
        var one: Int32 = 1
        _ = setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout.size(ofValue: one)))
    }

    /// A socket's own address; an IPv4 address that a socket of both families shows is given as such.
    static func localPlace(of socket: Int32) -> (IPAddress?, UInt16) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout.size(ofValue: storage))
        return withUnsafeMutableBytes(of: &storage) { bytes in
            let isNamed = bytes.withMemoryRebound(to: sockaddr.self) { getsockname(socket, $0.baseAddress, &length) }
            guard isNamed == 0 else { return (nil, 0) }
            let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
            case AF_INET: return (IPAddress(networkBytes: bytes[4..<8]), port)
            case AF_INET6: return (IPAddress(networkBytes: bytes[8..<24])?.unmapped, port)
            default: return (nil, 0)
            }
        }
    }
}
