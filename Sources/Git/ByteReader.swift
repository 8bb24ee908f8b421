/// Reads numbers and pieces from bytes that an attacker may have written: every step checks that there is enough left.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var offset: Int
    let end: Int

    init(_ bytes: [UInt8], end: Int) {
        precondition(end <= bytes.count, "a reader ends within its bytes")
        self.bytes = bytes
        self.end = end
        offset = 0
    }

    var left: Int { end - offset }

    mutating func take(_ count: Int) throws(GitError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= left else { throw GitError(.malformed, "read a git file: it ends too early") }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    /// Big-endian.
    mutating func number16() throws(GitError) -> UInt16 { try take(2).reduce(0) { $0 << 8 | UInt16($1) } }

    /// Big-endian.
    mutating func number32() throws(GitError) -> UInt32 { try take(4).reduce(0) { $0 << 8 | UInt32($1) } }

    /// The bytes before the next NUL, which is passed over.
    mutating func untilNul(atMost max: Int) throws(GitError) -> ArraySlice<UInt8> {
        guard let nul = bytes[offset..<min(end, offset + max + 1)].firstIndex(of: 0) else {
            throw GitError(.malformed, "read a git file: a name is too long or does not end")
        }
        defer { offset = nul + 1 }
        return bytes[offset..<nul]
    }

    /// A number in git's offset encoding, at most 2^31.
    mutating func offsetNumber() throws(GitError) -> Int {
        var value = 0
        for index in 0..<5 {
            guard let byte = try take(1).first else { break }
            value = (index == 0 ? 0 : (value + 1) << 7) | Int(byte & 0x7F)
            if byte & 0x80 == 0 { return value }
        }
        throw GitError(.malformed, "read a git file: a number is too large")
    }
}
