import BrokerLink
package import Files
import Glibc

/// Where a run that lives takes requests: a socket in a directory of the caller's, closed to everybody else. One packet
/// in, one packet out, and the connection is over.
///
/// No sandbox shows the directory, and whoever connects must be the same user of the machine.
package final class ControlSocket {
    /// Answers one request.
    package typealias Handler = (_ request: [UInt8]) -> [UInt8]

    package static let messageBytesMax = 64 << 10
    /// Connections that were made and asked nothing yet; the oldest goes when there are more.
    private static let connectionsMax = 8
    private static let backlog: Int32 = 8
    /// How long a caller waits for its answer.
    private static let answerMilliseconds: Int32 = 30_000

    private let directory: Descriptor
    private let name: String
    private let listener: Descriptor
    private let handler: Handler
    private var connections: [PacketLink] = []

    /// - Parameter directory: closed to others; its path may be longer than a socket's address.
    package init(_ name: String, in directory: borrowing Directory, handler: @escaping Handler) throws(SystemError) {
        self.name = name
        self.handler = handler
        self.directory = Descriptor(owning: try SystemError.check("dup", fcntl(directory.raw, F_DUPFD_CLOEXEC, 3)))
        listener = try Self.socket()
        // Under its name it is served at once: one that is not is taken for left behind.
        let unfinished = name + ".new.socket"
        let path = Self.path(directory.raw, unfinished)
        _ = try SystemError.check("bind", Self.withAddress(path) { bind(listener.raw, $0, $1) }, path: name)
        guard chmod(path, 0o600) == 0, listen(listener.raw, Self.backlog) == 0,
            renameat(directory.raw, unfinished, directory.raw, name) == 0
        else {
            let code = errno
            unlinkat(directory.raw, unfinished, 0)
            throw SystemError("listen", code: code, path: name)
        }
    }

    deinit { unlinkat(directory.raw, name, 0) }

    /// What to wait for, each with POLLIN; as many as ``waitsCount``.
    static let waitsCount = 1 + connectionsMax

    func fillWaits(_ waits: inout [pollfd], from row: Int) {
        waits[row] = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
        for place in 0..<Self.connectionsMax {
            let descriptor = place < connections.count ? connections[place].descriptor : -1
            waits[row + 1 + place] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        }
    }

    /// Takes what there is, of the waits that ``fillWaits(_:from:)`` filled.
    func handle(_ waits: ArraySlice<pollfd>) {
        let ready = Set(waits.filter { $0.revents != 0 }.map(\.fd))
        for connection in connections where ready.contains(connection.descriptor) { answer(connection) }
        connections.removeAll { ready.contains($0.descriptor) }
        if ready.contains(listener.raw) { take() }
    }

    private func take() {
        let made = accept(listener.raw, nil, nil)
        guard made >= 0 else { return }
        let link = PacketLink(owning: made)
        guard fcntl(made, F_SETFD, FD_CLOEXEC) == 0, Self.user(of: made) == getuid() else { return }
        if connections.count == Self.connectionsMax { connections.removeFirst() }
        connections.append(link)
    }

    private func answer(_ connection: PacketLink) {
        let arrival = try? connection.receive(bytesMax: Self.messageBytesMax, waits: false)
        guard case .packet(let packet) = arrival else { return }
        if packet.descriptor >= 0 { close(packet.descriptor) }
        // A caller that does not take its answer is not waited for.
        _ = try? connection.send(handler(packet.bytes), waits: false)
    }

    /// Asks a run that lives.
    ///
    /// - Returns: its answer; nil if nobody serves such a socket any more.
    package static func ask(
        _ name: String,
        in directory: borrowing Directory,
        _ request: [UInt8]
    ) throws -> [UInt8]? {
        guard let link = try connected(name, in: directory) else { return nil }
        guard case .sent = try link.send(request) else { return nil }
        var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&wait, 1, answerMilliseconds) < 0, errno == EINTR {}
        guard case .packet(let packet) = try link.receive(bytesMax: messageBytesMax, waits: false) else { return nil }
        if packet.descriptor >= 0 { close(packet.descriptor) }
        return packet.bytes
    }

    /// Removes a socket that a killed process left, and leaves one that somebody serves.
    package static func removeIfUnserved(_ name: String, in directory: borrowing Directory) throws {
        if try connected(name, in: directory) == nil { unlinkat(directory.raw, name, 0) }
    }

    private static func connected(_ name: String, in directory: borrowing Directory) throws -> PacketLink? {
        let socket = try socket()
        let path = path(directory.raw, name)
        guard withAddress(path, { connect(socket.raw, $0, $1) }) != 0 else {
            return PacketLink(owning: socket.release())
        }
        guard [ENOENT, ECONNREFUSED].contains(errno) else { throw SystemError("connect", code: errno, path: name) }
        return nil
    }

    private static func socket() throws(SystemError) -> Descriptor {
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return Descriptor(owning: try SystemError.check("socket", Glibc.socket(AF_UNIX, kind, 0)))
    }

    private static func path(_ directory: Int32, _ name: String) -> String { "/proc/self/fd/\(directory)/\(name)" }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// The user behind the other end, as the kernel says; nil if it does not.
    private static func user(of socket: Int32) -> UInt32? {
        // Process, user, group.
        var credentials: [UInt32] = [0, .max, .max]
        var size = socklen_t(12)
        guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0, size == 12 else { return nil }
        return credentials[1]
    }
}
