package import Domain

/// The members at the top of a JSON object, found without building anything of what lies within them. Bodies of
/// requests to models are large, and what matters of them are a few members.
///
/// It is strict wherever two readers could see different members: in how strings, braces and brackets lie, in names
/// that stand twice. What a value within a value means is for the service that reads it.
package struct JSONSkim {
    package struct Member {
        /// Unescaped; nil for a name that is longer than any that matters.
        package let name: String?
        /// Where the value lies, white space left out.
        package let value: Range<Int>
    }

    package private(set) var members: [Member] = []
    /// Behind the brace that opens the object.
    package private(set) var start = 0
    /// Is told what lies within the members, if somebody wants to know.
    package private(set) var finder: ExtraFinder?

    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private let end: Int

    package static let depthMax = 512
    private static let membersMax = 1024
    private static let nameBytesMax = 192

    /// - Parameter range: where one object lies, with white space around it.
    package init(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        finder: ExtraFinder? = nil
    ) throws(JSONError) {
        self.bytes = bytes
        self.finder = finder
        offset = range.lowerBound
        end = range.upperBound
        try read()
    }

    package init(_ bytes: UnsafeRawBufferPointer, finder: ExtraFinder? = nil) throws(JSONError) {
        try self.init(bytes, 0..<bytes.count, finder: finder)
    }

    /// The value of a member that may stand once.
    package func value(_ name: String) -> Range<Int>? { members.first { $0.name == name }?.value }

    private func fault(_ reason: String) -> JSONError { JSONError(reason, at: offset) }

    private var next: UInt8? { offset < end ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func read() throws(JSONError) {
        skipSpace()
        guard next == UInt8(ascii: "{") else { throw fault("no object starts here") }
        offset += 1
        start = offset
        skipSpace()
        var names: Set<String> = []
        var isFirst = true
        while next != UInt8(ascii: "}") {
            if !isFirst {
                guard next == UInt8(ascii: ",") else {
                    throw fault("an object goes on with neither a comma nor its end")
                }
                offset += 1
                skipSpace()
            }
            isFirst = false
            guard members.count < Self.membersMax else {
                throw fault("an object has more than \(Self.membersMax) members")
            }
            let name = try name()
            if let name, !names.insert(name).inserted { throw fault("a name stands twice in one object") }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw fault("a colon is missing after a name") }
            offset += 1
            skipSpace()
            let from = offset
            let isOff = isOff
            finder?.begin(member: name, isOff: isOff)
            try skipValue()
            members.append(Member(name: name, value: from..<offset))
            skipSpace()
        }
        offset += 1
        skipSpace()
        guard offset == end else { throw fault("something follows the value") }
    }

    /// The value that comes is `null` or `false`.
    private var isOff: Bool {
        ["null", "false"].contains { word in
            let end = offset + word.utf8.count
            return end <= self.end && bytes[offset..<end].elementsEqual(word.utf8)
        }
    }

    private mutating func name() throws(JSONError) -> String? {
        guard next == UInt8(ascii: "\"") else { throw fault("a member has no name") }
        let from = offset
        try skipString()
        guard offset - from <= Self.nameBytesMax else { return nil }
        return try JSONParser.parse(bytes[from..<offset]).stringValue
    }

    /// Leaves the offset behind one value.
    private mutating func skipValue() throws(JSONError) {
        switch next {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
        case nil: throw fault("the text ends where a value should be")
        default:
            let from = offset
            while let byte = next, JSONBytes.isInWord(byte) { offset += 1 }
            guard offset > from, offset - from <= JSONParser.numberBytesMax else { throw fault("no value starts here") }
            _ = try JSONParser.parse(bytes[from..<offset])
        }
    }

    /// Brackets and braces must close as they opened; of what lies between, strings and words are told apart.
    private mutating func skipNested() throws(JSONError) {
        var open: [UInt8] = []
        // What was said last, which is a name if a colon follows.
        var last: Range<Int>?
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                let from = offset + 1
                try skipString()
                last = from..<offset - 1
                skipSpace()
                guard next != UInt8(ascii: ":") else { continue }
                finder?.take(value: bytes[from..<(last?.upperBound ?? from)])
                last = nil
                continue
            case UInt8(ascii: ":"):
                guard let named = last else { throw fault("a colon follows no name") }
                finder?.take(name: bytes[named])
                last = nil
            case UInt8(ascii: ","): finder?.forgetName()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.count < Self.depthMax else { throw fault("values are nested deeper than \(Self.depthMax)") }
                open.append(byte)
                finder?.begin(isObject: byte == UInt8(ascii: "{"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // Each opens two places before it closes.
                guard open.popLast() == byte - 2 else { throw fault("a brace and a bracket close each other") }
                finder?.end()
                if open.isEmpty {
                    offset += 1
                    return
                }
            default: guard JSONBytes.isOutsideStrings(byte) else { throw fault("no value starts here") }
            }
            offset += 1
        }
        throw fault("the text ends where a value should be")
    }

    /// From the quote that opens it to behind the one that closes it.
    private mutating func skipString() throws(JSONError) {
        offset += 1
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return
            case UInt8(ascii: "\\"):
                offset += 2
            case 0..<0x20: throw fault("a control character stands in a string")
            default: offset += 1
            }
        }
        offset = end
        throw fault("a string has no end")
    }
}

/// Classes of bytes in JSON text.
enum JSONBytes {
    /// Of numbers, and of `true`, `false` and `null`.
    static func isInWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "E")
    }

    static func isOutsideStrings(_ byte: UInt8) -> Bool {
        isInWord(byte) || byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 || byte == UInt8(ascii: ",")
            || byte == UInt8(ascii: ":")
    }

    static func isBase64(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}
