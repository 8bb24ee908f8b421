import Synchronization

/// What waits of bodies in HTTP/2, of all connections of a sandbox together: windows and gates bound each of them, and
/// there may be thousands whose clients take nothing.
package final class HTTP2Backlog: Sendable {
    /// Beyond so many bytes, a connection on which something waits is not read from. What waits takes up to four times
    /// its length, because it lies in pieces of what it came with.
    package static let bytesMax = 64 << 20
    /// So much may always wait of a connection, so that each goes on.
    package static let freeBytes = 32 << 10

    private let bytes = Atomic(0)

    package init() {}

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }

    /// Bytes that wait now.
    package var count: Int { bytes.load(ordering: .relaxed) }

    var isFull: Bool { count > Self.bytesMax }
}
