import Glibc

/// Bytes of a secret on their way, in pages of their own. It cannot be copied, and says nothing of itself.
package struct SecretBuffer: ~Copyable {
    private let pages: SecretPages
    package private(set) var count = 0

    /// - Parameter bytesMax: how much it can hold.
    package init(bytesMax: Int, _ locking: SecretPages.Locking = .wherePossible) throws(LinkError) {
        pages = try SecretPages(bytesMin: bytesMax, locking)
    }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pages.base, count: count) }

    /// Where the next bytes can be read to.
    package var free: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: pages.base + count, count: pages.count - count)
    }

    /// So many bytes were put where ``free`` says.
    package mutating func advance(_ added: Int) {
        precondition((0...pages.count - count).contains(added), "no more than there is room for")
        count += added
    }

    /// There must be room for them.
    package mutating func append(_ added: some Collection<UInt8>) {
        precondition(added.count <= pages.count - count, "no more than there is room for")
        free.copyBytes(from: added)
        count += added.count
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
        explicit_bzero(pages.base + length, count - length)
        count = length
    }

    /// Sealed memory with what it holds; the caller's to close.
    package func sealed() throws(LinkError) -> Int32 { try SealedMemory.make(bytes) }
}
