import Domain

/// Where the members of an object in JSON lie. Nothing is built of values, which may be secret.
///
/// It is strict wherever two readers could see different members: in how strings, braces and brackets lie, in names
/// that stand twice.
struct MemberPlaces {
    /// Behind the brace that opens the object.
    private(set) var start = 0

    private static let depthMax = 64
    private static let membersMax = 1024
    private let bytes: UnsafeRawBufferPointer
    private let end: Int
    private var offset: Int
    private var places: [String: Range<Int>] = [:]

    /// - Parameter range: where one object lies, with white space around it.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(JSONError) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
        try read()
    }

    /// The value of a member.
    subscript(_ name: String) -> Range<Int>? { places[name] }

    private func fault(_ reason: String) -> JSONError { JSONError(reason, at: offset) }

    private var next: UInt8? { offset < end ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: UInt8, _ reason: String) throws(JSONError) {
        skipSpace()
        guard next == byte else { throw fault(reason) }
        offset += 1
        skipSpace()
    }

    private mutating func read() throws(JSONError) {
        try take(UInt8(ascii: "{"), "no object starts here")
        start = offset
        while next != UInt8(ascii: "}") {
            if !places.isEmpty {
                try take(UInt8(ascii: ","), "an object goes on with neither a comma nor its end")
            }
            guard places.count < Self.membersMax else { throw fault("an object has too many members") }
            guard next == UInt8(ascii: "\"") else { throw fault("a member has no name") }
            let from = offset
            try skipString()
            guard let name = try JSONParser.parse(bytes[from..<offset]).stringValue, places[name] == nil else {
                throw JSONError("a name stands twice in one object", at: from)
            }
            try take(UInt8(ascii: ":"), "a colon is missing after a name")
            let value = offset
            try skipValue()
            places[name] = value..<offset
            skipSpace()
        }
        offset += 1
        skipSpace()
        guard offset == end else { throw fault("something follows the value") }
    }

    /// Leaves the offset behind one value.
    private mutating func skipValue() throws(JSONError) {
        switch next {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
        default:
            let from = offset
            while let byte = next, Self.isInWord(byte) { offset += 1 }
            guard offset > from, offset - from <= JSONParser.numberBytesMax else { throw fault("no value starts here") }
            _ = try JSONParser.parse(bytes[from..<offset])
        }
    }

    /// Brackets and braces must close as they opened.
    private mutating func skipNested() throws(JSONError) {
        var open: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                try skipString()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.count < Self.depthMax else { throw fault("values are nested deeper than \(Self.depthMax)") }
                open.append(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // Each opens two places before it closes.
                guard open.popLast() == byte - 2 else { throw fault("a brace and a bracket close each other") }
            default: break
            }
            offset += 1
            if open.isEmpty { return }
        }
        throw fault("the text ends where a value should be")
    }

    /// From the quote that opens it to behind the one that closes it.
    private mutating func skipString() throws(JSONError) {
        offset += 1
        while let byte = next {
            if byte < 0x20 { throw fault("a control character stands in a string") }
            offset += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        throw fault("a string has no end")
    }

    /// Of numbers, and of `true`, `false` and `null`.
    private static func isInWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "E")
    }
}
