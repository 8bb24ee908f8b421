import Domain
import Files

/// Reads what the command left in a file: its digest, whether it is text, and whether it equals what was there.
struct FileComparison {
    let digest: Digest
    let isText: Bool
    let isEqual: Bool

    private static let chunkBytes = 1 << 16

    /// Reads the open file `file` once, and `previous` beside it as long as both are equal.
    init(_ file: Int32, previous: Int32?) throws(SystemError) {
        var hash = ContentHash()
        var isText = true
        var position = 0
        var isEqual = previous != nil
        while true {
            let chunk = try FileContent.readPrefix(file, bytesMax: Self.chunkBytes)
            if isEqual, let previous {
                isEqual = try FileContent.readPrefix(previous, bytesMax: max(1, chunk.count)) == chunk
            }
            if chunk.isEmpty { break }
            if position < WorkspaceLimits.textProbeBytes, isText {
                isText = !chunk.prefix(WorkspaceLimits.textProbeBytes - position).contains(0)
            }
            hash.update(chunk)
            position += chunk.count
        }
        digest = hash.finalize()
        self.isText = isText
        self.isEqual = isEqual
    }
}
