import CLinux
import Glibc

/// One end of the socket between supervisor and broker: whole messages, each with at most one descriptor.
package final class PacketLink: Sendable {
    package let descriptor: Int32

    /// Takes the descriptor over.
    package init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Both ends, ours and theirs.
    package static func pair() throws(LinkError) -> (PacketLink, PacketLink) {
        var ends: [Int32] = [-1, -1]
        guard bailey_socketpair_packets(&ends) == 0 else { throw LinkError("make a socket pair: \(Self.reason())") }
        return (PacketLink(owning: ends[0]), PacketLink(owning: ends[1]))
    }

    /// A message that came.
    package struct Packet: Sendable {
        package let bytes: [UInt8]
        /// -1 where none came; else the receiver's to close.
        package let descriptor: Int32
    }

    /// What there is to read.
    package enum Arrival: Sendable {
        case packet(Packet)
        /// Nothing yet.
        case nothing
        /// The other end is gone.
        case end
    }

    /// - Parameter waits: until there is something.
    /// - Throws: for a message that is longer than what is taken, or that brings more than one descriptor.
    package func receive(bytesMax: Int, waits: Bool) throws(LinkError) -> Arrival {
        var descriptor: Int32 = -1
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, initialized in
            count = bailey_receive(self.descriptor, buffer.baseAddress, bytesMax, &descriptor, waits ? 1 : 0)
            // That the other end left something unread is said once, and before what it had sent.
            if count < 0, errno == ECONNRESET {
                count = bailey_receive(self.descriptor, buffer.baseAddress, bytesMax, &descriptor, waits ? 1 : 0)
            }
            initialized = max(0, count)
        }
        if count > 0 { return .packet(Packet(bytes: bytes, descriptor: descriptor)) }
        if descriptor >= 0 { close(descriptor) }
        if count == 0 || errno == ECONNRESET { return .end }
        if errno == EAGAIN { return .nothing }
        throw LinkError("read a message: \(Self.reason())")
    }

    /// Says that nothing more comes. The other end hears it before this process has ended, which takes the kernel
    /// milliseconds.
    package func sayEnd() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// What became of a message.
    package enum Sending: Sendable {
        case sent
        /// The other end is behind; nothing was sent.
        case full
        /// The other end is gone.
        case end
    }

    /// - Parameter waits: until the other end has room for it.
    package func send(_ bytes: [UInt8], descriptor other: Int32 = -1, waits: Bool = true) throws(LinkError) -> Sending {
        let send = waits ? bailey_send : bailey_send_now
        let result = send(descriptor, bytes, bytes.count, other)
        if result == 0 { return .sent }
        switch errno {
        case EAGAIN: return .full
        case EPIPE, ECONNRESET: return .end
        default: throw LinkError("send a message: \(Self.reason())")
        }
    }

    static func reason() -> String { String(cString: strerror(errno)) }
}

/// Memory that nobody can change any more, by which settings travel.
package enum SealedMemory {
    /// A descriptor of new memory with this content; the caller's to close.
    package static func make(_ bytes: [UInt8]) throws(LinkError) -> Int32 {
        // Those of the standard library that take a body cannot say what it throws.
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(LinkError) in try make(bytes) } }
        return try result.get()
    }

    /// As above, without a copy of the content in this process.
    package static func make(_ bytes: UnsafeRawBufferPointer) throws(LinkError) -> Int32 {
        let memory = bailey_memfd_create("bailey-settings", 0)
        guard memory >= 0 else { throw LinkError("make memory for the settings: \(PacketLink.reason())") }
        var done = 0
        while done < bytes.count {
            let count = write(memory, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            done += count
        }
        guard done == bytes.count, bailey_memfd_seal(memory) == 0 else {
            let reason = PacketLink.reason()
            close(memory)
            throw LinkError("fill the memory for the settings: \(reason)")
        }
        return memory
    }

    /// The content of memory that came with a message. Closes nothing.
    package static func read(_ memory: Int32, bytesMax: Int) throws(LinkError) -> [UInt8] {
        var bytes: [UInt8] = []
        try withBytes(memory, bytesMax: bytesMax) { bytes = Array($0) }
        return bytes
    }

    /// The content of memory that came with a message, where it lies: no copy is made. Closes nothing.
    package static func withBytes(
        _ memory: Int32,
        bytesMax: Int,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LinkError) {
        guard memory >= 0, bailey_memfd_is_sealed(memory) == 1 else {
            throw LinkError("the settings are in no sealed memory")
        }
        let size = Int(lseek(memory, 0, SEEK_END))
        guard (1...bytesMax).contains(size) else { throw LinkError("the settings have \(size) bytes") }
        guard let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, memory, 0), mapped != MAP_FAILED else {
            throw LinkError("map the settings: \(PacketLink.reason())")
        }
        defer { munmap(mapped, size) }
        body(UnsafeRawBufferPointer(start: mapped, count: size))
    }
}
