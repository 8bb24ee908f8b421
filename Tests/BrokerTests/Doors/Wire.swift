import Glibc

/// A blocking connection on loopback, as a program in the sandbox or a server outside would hold it. Nothing waits
/// longer than ``secondsMax``.
final class Wire: Sendable {
    struct Failure: Error { let code: Int32 }

    let descriptor: Int32
    private static let secondsMax = 20

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: Self.secondsMax, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
        }
    }

    convenience init(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let code = withLoopback(port) { connect(descriptor, $0, $1) }
        guard code == 0 else {
            close(descriptor)
            throw Failure(code: errno)
        }
        self.init(descriptor: descriptor)
    }

    deinit { close(descriptor) }

    func say(_ text: String) throws { try say(Array(text.utf8)) }

    func say(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads once; empty at the end.
    func hear(atMost count: Int = 65_536) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Failure(code: errno) }
        return Array(buffer.prefix(count))
    }

    /// Reads exactly so many bytes, or up to the end.
    func hear(exactly count: Int) throws -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            let part = try hear(atMost: count - result.count)
            if part.isEmpty { break }
            result += part
        }
        return result
    }

    /// Reads up to the end of the connection, however it ends.
    func hearAll() -> [UInt8] {
        var result: [UInt8] = []
        while let part = try? hear(), !part.isEmpty { result += part }
        return result
    }

    /// Reads the head of a response, and nothing behind it.
    func hearHead() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_PEEK))
            guard count > 0 else { throw Failure(code: errno) }
            for end in 4...max(4, count) where buffer[(end - 4)..<end].elementsEqual("\r\n\r\n".utf8) {
                return String(decoding: try hear(exactly: end), as: UTF8.self)
            }
        }
    }

    func end() { shutdown(descriptor, Int32(SHUT_WR)) }
}

/// A listening socket on loopback, on a port of the kernel's choice.
struct Listener: ~Copyable {
    let descriptor: Int32
    let port: UInt16

    init() {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        _ = withLoopback(0) { bind(made, $0, $1) }
        listen(made, 4096)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout.size(ofValue: address))
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(made, $0, &length) }
        }
        (descriptor, port) = (made, UInt16(bigEndian: address.sin_port))
    }

    func accept() -> Wire { Wire(descriptor: Glibc.accept(descriptor, nil, nil)) }

    deinit { close(descriptor) }
}

private func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
