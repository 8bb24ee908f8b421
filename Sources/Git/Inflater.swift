import CZlib

/// A zlib stream that is inflated piece by piece, and has nothing behind its end.
final class Inflater {
    /// On the heap, because zlib keeps the address.
    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var isAtEnd = false

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw LooseObject.Flaw(reason: "zlib could not be started")
        }
    }

    deinit {
        _ = inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates a piece of the stream and hands out what came of it, at most 64 KiB at a time.
    func feed(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let start = input.baseAddress, !input.isEmpty else { return }
        let surplus = LooseObject.Flaw(reason: "there are bytes behind its end")
        guard !isAtEnd else { throw surplus }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            while !isAtEnd {
                stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(buffer.count)
                let code = inflate(stream, Z_NO_FLUSH)
                let written = buffer.count - Int(stream.pointee.avail_out)
                if written > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<written])) }
                let wantsInput = stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
                switch code {
                case Z_STREAM_END: isAtEnd = true
                case Z_OK, Z_BUF_ERROR: if wantsInput { return }
                default: throw LooseObject.Flaw(reason: "it is no zlib stream")
                }
            }
            guard stream.pointee.avail_in == 0 else { throw surplus }
        }
    }
}
