/// Why bytes are no JSON, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let reason: String
    package let offset: Int

    package init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason) at byte \(offset)" }
}

/// A strict reader of RFC 8259 JSON from hostile hands: one pass, bounded depth, no duplicate names, no lone
/// surrogates, only valid UTF-8. The caller bounds the number of bytes.
package struct JSONParser {
    /// Arrays and objects within each other. Bailey's own documents need 6; a bound keeps the stack small.
    package static let depthMax = 32
    /// A number longer than this is refused rather than rounded.
    package static let numberBytesMax = 64

    private let bytes: [UInt8]
    private var offset = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Parses bytes that hold exactly one value, with white space around it.
    package static func parse(_ bytes: some Sequence<UInt8>) throws(JSONError) -> JSONValue {
        var parser = JSONParser(Array(bytes))
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.offset < parser.bytes.count { throw parser.fault("something follows the value") }
        return value
    }

    private func fault(_ reason: String) -> JSONError { JSONError(reason, at: offset) }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard let wanted = byte.asciiValue, next == wanted else { return false }
        offset += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= Self.depthMax else { throw fault("values are nested deeper than \(Self.depthMax)") }
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
            return try number()
        case nil: throw fault("the text ends where a value should be")
        default: throw fault("no value starts here")
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else { throw fault("no value starts here") }
        offset += word.utf8.count
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw fault("an array goes on with neither a comma nor its end") }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var members: [(String, JSONValue)] = []
        // Names are compared by bytes: String's own equality would hold two spellings of "é" for one name.
        var names: Set<[UInt8]> = []
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a member has no name") }
            let start = offset
            let name = try string()
            guard names.insert(Array(name.utf8)).inserted else {
                throw JSONError("a name stands twice in one object", at: start)
            }
            skipSpace()
            guard take(":") else { throw fault("a colon is missing after a name") }
            skipSpace()
            members.append((name, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw fault("an object goes on with neither a comma nor its end") }
        }
    }

    private mutating func string() throws(JSONError) -> String {
        let start = offset
        offset += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw JSONError("a string is not valid UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &text)
            case 0..<0x20: throw fault("a control character stands in a string")
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw fault("a string has no end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw fault("a string has no end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), take("\\"), take("u") {
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("a surrogate stands alone") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("a surrogate stands alone") }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw fault("an unknown escape stands in a string")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw fault("four hexadecimal digits should follow \\u")
            }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        var isWhole = true
        let isNegative = take("-")
        let first = next
        try digits()
        if first == UInt8(ascii: "0"), offset - start > (isNegative ? 2 : 1) {
            throw JSONError("a number starts with a zero", at: start)
        }
        if take(".") {
            isWhole = false
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isWhole = false
            offset += 1
            if !take("+") { _ = take("-") }
            try digits()
        }
        guard offset - start <= Self.numberBytesMax else {
            throw JSONError("a number is longer than \(Self.numberBytesMax) bytes", at: start)
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        if isWhole, let integer = UInt64(text) { return .unsigned(integer) }
        guard let number = Double(text), number.isFinite else {
            throw JSONError("a number is out of range", at: start)
        }
        return .number(number)
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
        if offset == start { throw fault("a number has no digits") }
    }
}
