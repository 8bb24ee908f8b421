/// Turns foreign bytes into text that cannot move a cursor, hide itself or break a line.
///
/// Control characters, bidirectional controls, zero-width characters, backslashes and bytes that are no UTF-8 are
/// written as `\xNN` or `\u{…}`; the result is one line.
package enum Printable {
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        // Most texts are printable ASCII.
        if bytes.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var iterator = bytes.makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        var position = 0
        var result = ""
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                append(Unicode.UTF8.decode(encoded), to: &result)
                position += encoded.count
            case .error(let length):
                for byte in bytes[position..<position + length] { result += "\\x" + Hex.encode([byte]) }
                position += length
            case .emptyInput:
                return result
            }
        }
    }

    package static func text(_ string: String) -> String { text(Array(string.utf8)) }

    /// True if `text` would change the bytes: the name holds something that a terminal acts on or that is no text.
    package static func isPlain(_ bytes: [UInt8]) -> Bool { text(bytes).utf8.elementsEqual(bytes) }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        if scalar == "\\" {
            result += "\\\\"
        } else if isDangerous(scalar) {
            result += scalar.value < 0x80 ? "\\x" + Hex.encode([UInt8(scalar.value)]) : "\\u{" + hex(scalar.value) + "}"
        } else {
            result.unicodeScalars.append(scalar)
        }
    }

    private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    private static func hex(_ value: UInt32) -> String { String(value, radix: 16) }
}
