// SwiftNIO's module of C has the same types, and which of the two they come from depends on the files compiled beside.
import CNIOLinux
import Glibc

/// Sockets as an ordinary program uses them: blocking, with a time limit.
enum Plain {
    struct Failure: Error { let code = errno }

    /// A socket on loopback, by default with a port of the kernel's choice, not listening yet.
    static func bound(_ type: CInt, port: UInt16 = 0) throws -> (CInt, UInt16) {
        let descriptor = try bound(type, "127.0.0.1", port)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard withAddress(&address, { getsockname(descriptor, $0, &length) }) == 0 else { throw Failure() }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    static func bound(_ type: CInt, _ text: String, _ port: UInt16) throws -> CInt {
        let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(port)
        inet_pton(AF_INET, text, &address.sin_addr)
        let isBound = withAddress(&address) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) } == 0
        guard isBound else {
            let failure = Failure()
            Glibc.close(descriptor)
            throw failure
        }
        return descriptor
    }

    static func connected(_ type: CInt, _ port: UInt16, seconds: Int = 10) throws -> CInt {
        let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var address = loopback(port)
        let result = withAddress(&address) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        guard result == 0 else { throw Failure() }
        return descriptor
    }

    static func send(_ descriptor: CInt, _ bytes: [UInt8]) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// One datagram, or what a stream has; nil at its end and when the time is over.
    static func receive(_ descriptor: CInt, _ bytesMax: Int = 65_536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        let count = recv(descriptor, &buffer, bytesMax, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    static func exchange(_ descriptor: CInt, _ bytes: [UInt8]) -> [UInt8]? {
        send(descriptor, bytes)
        return receive(descriptor)
    }

    /// A message behind its length; nil at the end of the stream.
    static func frame(_ descriptor: CInt) -> [UInt8]? {
        guard let length = exactly(descriptor, 2) else { return nil }
        return exactly(descriptor, Int(length[0]) << 8 | Int(length[1]))
    }

    static func close(_ descriptors: [CInt]) { for descriptor in descriptors { Glibc.close(descriptor) } }

    private static func exactly(_ descriptor: CInt, _ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = receive(descriptor, count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    static func withAddress<Result>(
        _ address: inout sockaddr_in,
        _ body: (UnsafeMutablePointer<sockaddr>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
