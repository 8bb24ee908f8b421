import Files

extension FileContent {
    /// As ``forEachChunk(_:_:)`` for a body that throws anything.
    static func forEachChunkThrowing(
        _ file: borrowing Descriptor,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var failure: (any Error)?
        do {
            try forEachChunk(file) { (chunk: UnsafeRawBufferPointer) throws(SystemError) in
                do {
                    try body(chunk)
                } catch {
                    failure = error
                    // Only stops the reading; the error that is thrown is the body's.
                    throw SystemError("read", code: 0)
                }
            }
        } catch {
            throw failure ?? error
        }
    }
}
