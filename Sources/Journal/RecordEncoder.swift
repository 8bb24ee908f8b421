import Domain
import Redaction

/// Writes a record's fields straight into bytes.
enum RecordEncoder {
    /// What most records need, so that their bytes are moved once.
    private static let bytesUsual = 512

    /// The `data` object of a line.
    static func data(of record: Record) throws(JournalError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(bytesUsual)
        try write(record.fields, depth: 0, type: record.type, to: &bytes)
        return bytes
    }

    private static func write(
        _ fields: [(StaticString, RecordValue)],
        depth: Int,
        type: RecordType,
        to bytes: inout [UInt8]
    ) throws(JournalError) {
        bytes.append(UInt8(ascii: "{"))
        for (index, field) in fields.enumerated() {
            // Two readers of one line would disagree about a name that stands twice.
            guard !fields[..<index].contains(where: { isSame($0.0, field.0) }) else {
                throw JournalError(
                    .invalidRecord,
                    "write a \(type.rawValue) record: its field \(field.0) stands twice"
                )
            }
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            field.0.withUTF8Buffer { JSONText.write($0, to: &bytes) }
            bytes.append(UInt8(ascii: ":"))
            try write(field.1, depth: depth + 1, type: type, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// A record has a dozen fields at most: a set of names would cost more than it saves.
    private static func isSame(_ name: StaticString, _ other: StaticString) -> Bool {
        name.utf8CodeUnitCount == other.utf8CodeUnitCount
            && name.withUTF8Buffer { left in other.withUTF8Buffer { left.elementsEqual($0) } }
    }

    private static func write(
        _ value: RecordValue,
        depth: Int,
        type: RecordType,
        to bytes: inout [UInt8]
    ) throws(JournalError) {
        guard depth <= JournalLimits.depthMax else {
            throw JournalError(
                .invalidRecord,
                "write a \(type.rawValue) record: its values are nested deeper than \(JournalLimits.depthMax)"
            )
        }
        guard bytes.count <= JournalLimits.lineBytesMax else { throw tooLong(type) }
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .text(let text): JSONText.write(text.text.utf8, to: &bytes)
        case .integer(let integer): bytes.append(contentsOf: String(integer).utf8)
        case .unsigned(let integer): bytes.append(contentsOf: String(integer).utf8)
        case .flag(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .digest(let digest):
            bytes.append(UInt8(ascii: "\""))
            Hex.encode(digest.bytes, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case .symbol(let symbol): JSONText.write(symbol.text.utf8, to: &bytes)
        case .list(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try write(value, depth: depth + 1, type: type, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let fields): try write(fields, depth: depth, type: type, to: &bytes)
        }
    }

    static func tooLong(_ type: RecordType) -> JournalError {
        JournalError(
            .invalidRecord,
            "write a \(type.rawValue) record: its line is longer than \(JournalLimits.lineBytesMax) bytes",
            hint: "Keep long lists in a file and record its digest."
        )
    }
}
