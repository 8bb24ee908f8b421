/// One direction of a splice: what was taken from one side and not yet given to the other.
struct SpliceFlow {
    /// Bytes that wait for room, from ``offset`` on.
    private(set) var waiting: [UInt8] = []
    private(set) var offset = 0
    /// The source said its end.
    var hasEnded = false
    /// The end was said to the destination, or there is nobody to say it to.
    var isFinished = false
    /// Bytes given to the destination.
    var bytes: UInt64 = 0

    var backlog: Int { waiting.count - offset }

    mutating func keep(_ bytes: some Sequence<UInt8>) { waiting.append(contentsOf: bytes) }

    mutating func keep(_ bytes: UnsafeRawBufferPointer) { waiting.append(contentsOf: bytes) }

    /// The bytes that wait.
    var held: ArraySlice<UInt8> { waiting[offset...] }

    mutating func drop(_ count: Int) {
        offset += count
        if offset == waiting.count {
            // The memory is given back: most connections never wait again.
            waiting = []
            offset = 0
        }
    }

    mutating func dropAll() { drop(backlog) }
}
