import Glibc

/// Bytes of a secret on their way: pages of their own that are kept from swap and from core files, and wiped when they
/// are let go of. It cannot be copied, and says nothing of itself.
package struct SecretBuffer: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let room: Int
    package private(set) var count = 0

    /// - Parameter bytesMax: how much it can hold.
    package init(bytesMax: Int) throws(LinkError) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        room = max(page, (bytesMax + page - 1) / page * page)
        let mapped = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw LinkError("make memory for a secret: \(String(cString: strerror(errno)))")
        }
        base = mapped
        // Where the limits allow no locked page it is as good as any other memory until it is wiped.
        _ = mlock(base, room)
        _ = madvise(base, room, MADV_DONTDUMP)
        _ = madvise(base, room, MADV_WIPEONFORK)
    }

    deinit {
        explicit_bzero(base, room)
        munmap(base, room)
    }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Where the next bytes can be read to.
    package var free: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + count, count: room - count)
    }

    /// So many bytes were put where ``free`` says.
    package mutating func advance(_ added: Int) {
        precondition((0...room - count).contains(added), "no more than there is room for")
        count += added
    }

    /// Reads a file to its end.
    ///
    /// - Returns: what went wrong; nil where nothing did.
    package mutating func fill(from file: Int32, bytesMax: Int) -> String? {
        while true {
            guard count <= bytesMax, !free.isEmpty else { return "it has more than \(bytesMax) bytes" }
            let added = read(file, free.baseAddress, free.count)
            if added < 0, errno == EINTR { continue }
            guard added >= 0 else { return String(cString: strerror(errno)) }
            if added == 0 { return nil }
            advance(added)
        }
    }

    /// Forgets what stands behind so many bytes.
    package mutating func shorten(to length: Int) {
        precondition((0...count).contains(length), "it is not made longer")
        explicit_bzero(base + length, count - length)
        count = length
    }

    /// Sealed memory with what it holds; the caller's to close.
    package func sealed() throws(LinkError) -> Int32 { try SealedMemory.make(bytes) }
}
