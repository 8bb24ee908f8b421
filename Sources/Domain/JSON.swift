/// A JSON value that keeps the order of its members and the whole range of 64-bit integers.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    /// The value as one line, without a newline at its end.
    package func bytes() -> [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    /// Appends the value's bytes.
    package func write(to output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let integer): output.append(contentsOf: String(integer).utf8)
        case .unsigned(let integer): output.append(contentsOf: String(integer).utf8)
        // JSON has no infinity and no NaN; null is what readers expect in their place.
        case .number(let number): output.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
        case .string(let text): JSONText.write(text.utf8, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONText.write(member.0.utf8, to: &output)
                output.append(UInt8(ascii: ":"))
                member.1.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue {
    /// The member of an object; nil for another value or another name.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.0 == name }?.1
    }

    /// An object with further members; another value is left as it is.
    package func adding(_ further: [(String, JSONValue)]) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members + further)
    }

    package var stringValue: String? { if case .string(let text) = self { text } else { nil } }
    package var boolValue: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var arrayValue: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    package var integerValue: Int64? {
        switch self {
        case .integer(let integer): integer
        case .unsigned(let integer): Int64(exactly: integer)
        default: nil
        }
    }

    package var unsignedValue: UInt64? {
        switch self {
        case .integer(let integer): UInt64(exactly: integer)
        case .unsigned(let integer): integer
        default: nil
        }
    }
}

extension JSONValue: Equatable {
    /// Equal kinds with equal content; the two integer kinds are equal where their values are.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.unsigned(let left), .unsigned(let right)): left == right
        case (.integer(let signed), .unsigned(let unsigned)), (.unsigned(let unsigned), .integer(let signed)):
            UInt64(exactly: signed) == unsigned
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left.elementsEqual(right) { $0.0 == $1.0 && $0.1 == $1.1 }
        default: false
        }
    }
}

/// The text form of JSON strings.
package enum JSONText {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Appends a quoted string. What is not plain is escaped: quotes and backslashes, control characters with DEL and
    /// the C1 range, line and paragraph separators, and the marks that change the direction of text, so that a line
    /// stays one line and a terminal that shows it is not steered. The bytes must be valid UTF-8.
    package static func write(_ utf8: some Collection<UInt8>, to output: inout [UInt8]) {
        let isDone: Void? = utf8.withContiguousStorageIfAvailable { bytes in
            output.append(UInt8(ascii: "\""))
            // Nearly all text needs no escape, and is copied at once.
            let plain = bytes.firstIndex(where: isSpecial) ?? bytes.endIndex
            output.append(contentsOf: bytes[..<plain])
            writeRest(bytes, from: plain, to: &output)
        }
        if isDone != nil { return }
        output.append(UInt8(ascii: "\""))
        writeRest(utf8, from: utf8.startIndex, to: &output)
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F || byte == 0xC2
            || byte == 0xE2
    }

    /// Writes what comes from an index on, and the closing quote.
    private static func writeRest<Bytes: Collection<UInt8>>(
        _ utf8: Bytes,
        from start: Bytes.Index,
        to output: inout [UInt8]
    ) {
        var index = start
        while index != utf8.endIndex {
            let byte = utf8[index]
            utf8.formIndex(after: &index)
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x0A: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0x0D: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
            case 0x09: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
            case 0..<0x20, 0x7F: escape(UInt32(byte), to: &output)
            case 0xC2, 0xE2: writeMultibyte(byte, utf8, &index, to: &output)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Handles the two lead bytes below which all other characters that need escapes lie.
    private static func writeMultibyte<Bytes: Collection<UInt8>>(
        _ lead: UInt8,
        _ utf8: Bytes,
        _ index: inout Bytes.Index,
        to output: inout [UInt8]
    ) {
        var character = [lead]
        let length = lead == 0xC2 ? 2 : 3
        while character.count < length, index != utf8.endIndex {
            character.append(utf8[index])
            utf8.formIndex(after: &index)
        }
        guard character.count == length else {
            output.append(contentsOf: character)
            return
        }
        let scalar =
            length == 2
            ? UInt32(character[1])
            : 0x2000 | UInt32(character[1] & 0x3F) << 6 | UInt32(character[2] & 0x3F)
        switch scalar {
        case 0x80...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: escape(scalar, to: &output)
        default: output.append(contentsOf: character)
        }
    }

    private static func escape(_ scalar: UInt32, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        output.append(UInt8(ascii: "u"))
        for shift in [12, 8, 4, 0] as [UInt32] { output.append(digits[Int(scalar >> shift & 15)]) }
    }
}
