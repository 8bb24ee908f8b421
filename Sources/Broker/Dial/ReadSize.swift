import NIOCore

/// How much is read of a connection before what came is handed on. By one call: each of several would tell the other
/// side that there is room again, and have it woken.
enum ReadSize {
    static let callsMax: UInt = 1
    private static let bytesMax = 256 << 10

    /// Begins small and grows with what comes.
    static var allocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 4 << 10, maximum: bytesMax)
    }
}
