import CZlib
package import NIOCore

/// Undoes the coding of an answer's body, piece by piece: gzip (RFC 1952) and deflate, with the header of zlib
/// (RFC 1950) or, as some servers write it, without (RFC 1951).
package final class BodyDecoder {
    package enum Coding: String, Sendable {
        case gzip, deflate
    }

    /// Why a body cannot be decoded: a sentence without its full stop, lower case.
    package struct Flaw: Error {
        package let reason: String
    }

    /// Of what comes, so much may come out; a text of one letter becomes a thousand times as long.
    private static let expansionMax = 100
    /// A short body may become longer than that. A long one that has not is given no more: what a piece becomes lies
    /// in memory as a whole.
    private static let freeBytes = 1 << 20

    private let coding: Coding
    /// On the heap, because zlib keeps the address; nil before the first byte.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isBegun = false
    private var isAtEnd = false
    /// Bytes that may come out of what has come so far.
    private var allowance = freeBytes

    package init(_ coding: Coding) {
        self.coding = coding
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        if isBegun { _ = inflateEnd(stream) }
        stream.deallocate()
    }

    package func take(_ bytes: ByteBuffer) throws(Flaw) -> ByteBuffer {
        var out = ByteBuffer()
        guard let first = bytes.readableBytesView.first else { return out }
        if !isBegun { try begin(first) }
        allowance = min(allowance, Self.freeBytes) + bytes.readableBytes * Self.expansionMax
        // zlib does not write to what it reads.
        try bytes.withUnsafeReadableBytes { input throws(Flaw) in
            let start = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
            stream.pointee.next_in = start?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(input.count)
            while try step(&out) {}
        }
        return out
    }

    /// Nothing more comes.
    package func end() throws(Flaw) {
        guard !isBegun || isAtEnd else { throw Flaw(reason: "it ends before its \(coding) stream does") }
    }

    private func begin(_ first: UInt8) throws(Flaw) {
        let bits: Int32 =
            switch coding {
            case .gzip: 15 + 16
            // The header's low half is 8, and the high half at most 7.
            case .deflate: first & 0x0F == 8 && first >> 4 < 8 ? 15 : -15
            }
        guard inflateInit2_(stream, bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Flaw(reason: "zlib could not be started")
        }
        isBegun = true
    }

    /// Decodes some; false where more input is needed.
    private func step(_ out: inout ByteBuffer) throws(Flaw) -> Bool {
        if isAtEnd {
            guard stream.pointee.avail_in > 0 else { return false }
            // One gzip stream may follow another (RFC 1952, section 2.2).
            guard coding == .gzip, inflateReset(stream) == Z_OK else {
                throw Flaw(reason: "there are bytes behind its \(coding) stream")
            }
            isAtEnd = false
        }
        var code = Z_OK
        let before = stream.pointee.avail_in
        let written = out.writeWithUnsafeMutableBytes(minimumWritableBytes: 16 << 10) { room in
            stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room.count)
            code = inflate(stream, Z_NO_FLUSH)
            return room.count - Int(stream.pointee.avail_out)
        }
        allowance -= written
        guard allowance >= 0 else {
            throw Flaw(reason: "it becomes more than \(Self.expansionMax) times as long")
        }
        switch code {
        case Z_STREAM_END:
            isAtEnd = true
            return true
        case Z_OK: return written > 0 || stream.pointee.avail_in < before
        case Z_BUF_ERROR: return false
        default: throw Flaw(reason: "it is no \(coding) stream")
        }
    }
}
