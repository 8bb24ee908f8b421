import Domain
import Files
import Glibc

/// Reads what the command left in a file: its digest, whether it is text, and whether it equals what was there.
struct FileComparison {
    let digest: Digest
    let isText: Bool
    let isEqual: Bool

    private static let chunkBytes = 1 << 16

    /// Reads the open file `file` once, and `previous` beside it as long as both are equal.
    init(_ file: Int32, previous: Int32?) throws(SystemError) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        let other = UnsafeMutableRawBufferPointer.allocate(
            byteCount: previous == nil ? 0 : Self.chunkBytes,
            alignment: 16
        )
        defer {
            chunk.deallocate()
            other.deallocate()
        }
        var hash = ContentHash()
        var isText = true
        var position = 0
        var isEqual = previous != nil
        var isAtEnd = false
        while !isAtEnd {
            let count = try FileContent.fill(chunk, from: file)
            let bytes = UnsafeRawBufferPointer(rebasing: chunk[..<count])
            isAtEnd = count < chunk.count
            if isEqual, let previous {
                let otherCount = try FileContent.fill(other, from: previous)
                isEqual = otherCount == count && Self.isEqual(bytes, other)
            }
            if isText { isText = !Self.holdsNUL(bytes.prefix(max(0, WorkspaceLimits.textProbeBytes - position))) }
            hash.update(bytes)
            position += count
        }
        digest = hash.finalize()
        self.isText = isText
        self.isEqual = isEqual
    }

    private static func holdsNUL(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let start = UnsafeRawBufferPointer(rebasing: bytes).baseAddress else { return false }
        return memchr(start, 0, bytes.count) != nil
    }

    private static func isEqual(_ bytes: UnsafeRawBufferPointer, _ other: UnsafeMutableRawBufferPointer) -> Bool {
        guard let left = bytes.baseAddress, let right = other.baseAddress else { return bytes.isEmpty }
        return memcmp(left, right, bytes.count) == 0
    }
}
