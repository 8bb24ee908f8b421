import Domain
import Files
import Glibc

/// The file `head` beside a journal: the last line that was known to be durable, as a lower bound.
///
/// It is overwritten in place after every batch and not synchronised, so after a power cut it may be older than the
/// journal; it is never newer. What lies behind it may be an unfinished write; what lies before it must be whole.
struct DurableMark: Sendable, Equatable {
    static let fileName = Array("head".utf8)
    /// Two numbers of 20 digits, 64 of a digest, two spaces and a newline: within one sector, so it is never half
    /// written.
    static let byteCount = 107

    let size: UInt64
    let byteOffset: UInt64
    let leaf: Digest

    var bytes: [UInt8] {
        let pad = { (number: UInt64) in
            let text = String(number)
            return String(repeating: "0", count: 20 - text.utf8.count) + text
        }
        return Array("\(pad(size)) \(pad(byteOffset)) \(leaf.hex)\n".utf8)
    }

    init(size: UInt64, byteOffset: UInt64, leaf: Digest) {
        self.size = size
        self.byteOffset = byteOffset
        self.leaf = leaf
    }

    init(_ chain: Chain) {
        self.init(size: chain.head.size, byteOffset: chain.byteCount, leaf: chain.head.leaf)
    }

    /// Nil unless the bytes are exactly what ``bytes`` writes.
    init?(_ bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).dropLast().split(separator: " ")
        guard parts.count == 3, let size = UInt64(parts[0]), let byteOffset = UInt64(parts[1]),
            let leaf = Digest(hex: parts[2])
        else { return nil }
        self.init(size: size, byteOffset: byteOffset, leaf: leaf)
        guard self.bytes == bytes else { return nil }
    }

    /// Nil if there is no such file.
    static func read(in directory: borrowing Directory) throws(SystemError) -> [UInt8]? {
        try FileContent.readIfPresent(fileName, in: directory, bytesMax: 1 << 12)
    }

    func write(to file: borrowing Descriptor) throws(SystemError) {
        let bytes = bytes
        let count = bytes.withUnsafeBytes { pwrite(file.raw, $0.baseAddress, $0.count, 0) }
        guard try SystemError.check("write", count) == Self.byteCount else { throw SystemError("write", code: EIO) }
    }
}
