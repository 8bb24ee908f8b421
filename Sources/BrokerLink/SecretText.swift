import Domain
import Glibc

/// A word that is secret, such as a token: in pages of its own, and nowhere else. It says nothing of itself.
package final class SecretText: Sendable, Equatable {
    private let pages: SecretPages
    package let count: Int

    package init(_ bytes: some Collection<UInt8>, _ locking: SecretPages.Locking) throws(LinkError) {
        pages = try SecretPages(bytesMin: bytes.count, locking)
        count = bytes.count
        UnsafeMutableRawBufferPointer(start: pages.base, count: count).copyBytes(from: bytes)
    }

    package func withBytes<Value: ~Copyable, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(start: pages.base, count: count))
    }

    package static func == (left: SecretText, right: SecretText) -> Bool {
        left.count == right.count && memcmp(left.pages.base, right.pages.base, left.count) == 0
    }

    /// True where the text holds it.
    func stands(in text: String) -> Bool {
        withBytes { word in
            let text = Array(text.utf8)
            guard text.count >= word.count else { return false }
            return (0...text.count - word.count).contains { text[$0...].starts(with: word) }
        }
    }

    /// It as a JSON string, byte by byte; what is no printable ASCII must not stand in it.
    package func writeQuoted(_ emit: (UInt8) -> Void) {
        withBytes { bytes in
            emit(UInt8(ascii: "\""))
            for byte in bytes {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { emit(UInt8(ascii: "\\")) }
                emit(byte)
            }
            emit(UInt8(ascii: "\""))
        }
    }

    /// No more bytes are written.
    package var quotedBytesMax: Int { 2 * count + 2 }
}
