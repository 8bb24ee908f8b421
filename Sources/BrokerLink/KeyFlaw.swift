/// Why bytes are no key: what stands in a field of requests, and is found in answers, is one line of 8 to 8192 bytes of
/// printable ASCII.
package enum KeyFlaw: Equatable, CustomStringConvertible {
    case empty, tooLong, severalLines, unprintable, spaces
    case tooShort(bytes: Int)

    /// A shorter one is found by chance in what services answer, and hides nothing.
    package static let bytesMin = 8
    /// More is no key, and servers refuse longer fields.
    package static let bytesMax = 8 << 10

    /// Nil for a key.
    package init?(of bytes: UnsafeRawBufferPointer) {
        if bytes.count > Self.bytesMax {
            self = .tooLong
        } else if bytes.isEmpty {
            self = .empty
        } else if bytes.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
            self = .severalLines
        } else if !bytes.allSatisfy({ (0x20...0x7E).contains($0) }) {
            self = .unprintable
        } else if bytes.first == 0x20 || bytes.last == 0x20 {
            self = .spaces
        } else if bytes.count < Self.bytesMin {
            self = .tooShort(bytes: bytes.count)
        } else {
            return nil
        }
    }

    /// What follows the name of what was read; no byte of it.
    package var description: String {
        switch self {
        case .empty: "is empty"
        case .tooLong: "has more than \(Self.bytesMax) bytes"
        case .severalLines: "has more than one line"
        case .unprintable: "holds a control character, or what is not ASCII"
        case .spaces: "begins or ends with a space"
        case .tooShort(let bytes):
            "has \(bytes) bytes, and fewer than \(Self.bytesMin) are in every answer by chance"
        }
    }
}
