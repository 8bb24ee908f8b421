/// One field of a head.
package struct HTTPField: Hashable, Sendable {
    /// As written.
    package let name: String
    /// The name in lower case.
    package let key: String
    package let value: String
    /// Some servers take its underscores for hyphens.
    let hasUnderscores: Bool

    package init(_ name: String, _ value: String) {
        var isLower = true
        var hasUnderscores = false
        var text = name
        text.withUTF8 { bytes in
            for byte in bytes {
                if byte >= 0x80 || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) { isLower = false }
                if byte == UInt8(ascii: "_") { hasUnderscores = true }
            }
        }
        self.name = name
        key = isLower ? name : name.lowercased()
        self.value = value
        self.hasUnderscores = hasUnderscores
    }

    /// The key as servers read it that take underscores for hyphens.
    var hyphenated: String { hasUnderscores ? String(key.map { $0 == "_" ? "-" : $0 }) : key }
}

/// The fields of a head or of what follows a body, in order.
package struct HTTPFields: Hashable, Sendable {
    package private(set) var all: [HTTPField] = []

    package init() {}

    package init(_ fields: [HTTPField]) { all = fields }

    package mutating func append(_ name: String, _ value: String) { all.append(HTTPField(name, value)) }

    package mutating func append(_ field: HTTPField) { all.append(field) }

    mutating func reserve(_ count: Int) { all.reserveCapacity(count) }

    package func values(_ key: String) -> [String] { all.compactMap { $0.key == key ? $0.value : nil } }

    package func contains(_ key: String) -> Bool { all.contains { $0.key == key } }

    /// The values of `Content-Length` and of `Transfer-Encoding`, found together.
    var lengthsAndCodings: (lengths: [String], codings: [String]) {
        var found: (lengths: [String], codings: [String]) = ([], [])
        for field in all {
            switch field.key.utf8.count {
            case 14 where field.key == "content-length": found.lengths.append(field.value)
            case 17 where field.key == "transfer-encoding": found.codings.append(field.value)
            default: break
            }
        }
        return found
    }

    mutating func remove(_ keys: FieldNames) {
        // To move what stays would cost more than to look before.
        if all.contains(where: { keys.contains($0.key) }) { all.removeAll { keys.contains($0.key) } }
    }

    /// The members of a list field, in lower case, empty ones left out.
    package func members(_ key: String) -> [String] {
        var members: [String] = []
        for field in all where field.key == key {
            // Most have one member.
            if HTTPSyntax.isToken(field.value.utf8) {
                members.append(field.value.lowercased())
                continue
            }
            for member in field.value.utf8.split(separator: UInt8(ascii: ",")) {
                let word = HTTPSyntax.trimmed(member)
                if !word.isEmpty { members.append(String(decoding: word, as: UTF8.self).lowercased()) }
            }
        }
        return members
    }
}

/// Names of fields in lower case, found by their length first: most names have one that is not among them.
struct FieldNames: ExpressibleByArrayLiteral, Sendable {
    let all: Set<String>
    private var names: [[String]] = []

    init(arrayLiteral names: String...) {
        all = Set(names)
        for name in all {
            let count = name.utf8.count
            while self.names.count <= count { self.names.append([]) }
            self.names[count].append(name)
        }
    }

    func contains(_ name: String) -> Bool {
        let count = name.utf8.count
        return count < names.count && names[count].contains(name)
    }
}

/// What HTTP is written with: RFC 9110 and RFC 9112, and nothing that only some readers accept.
enum HTTPSyntax {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")

    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "^")...UInt8(ascii: "z"), UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "|"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func isToken(_ bytes: some Collection<UInt8>) -> Bool { !bytes.isEmpty && bytes.allSatisfy(isTokenByte) }

    /// Printable ASCII, tabs and what is not ASCII: no control character, so no line within a line.
    static func isFieldContent(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

    /// Without the spaces and tabs around it.
    static func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
        var rest = bytes[...]
        while let first = rest.first, first == 0x20 || first == 0x09 { rest.removeFirst() }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return rest
    }

    /// A number in decimal digits and nothing else; nil beyond 18 digits.
    static func decimal(_ bytes: some Collection<UInt8>) -> UInt64? {
        guard (1...18).contains(bytes.count) else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    static func decimal(_ bytes: Span<UInt8>) -> UInt64? {
        guard bytes.count <= 18 else { return nil }
        return decimal(bytes.withUnsafeBufferPointer { Array($0) })
    }

    /// A number in hexadecimal digits and nothing else; nil beyond 15 digits.
    static func hexadecimal(_ bytes: some Collection<UInt8>) -> UInt64? {
        guard (1...15).contains(bytes.count) else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}

/// The same where bytes lie.
extension HTTPSyntax {
    /// How many bytes at the beginning are of a kind.
    @inline(__always)
    static func count(in bytes: Span<UInt8>, while isWanted: (UInt8) -> Bool) -> Int {
        var count = 0
        while count < bytes.count, isWanted(bytes[count]) { count += 1 }
        return count
    }

    /// How many bytes at the beginning are a token's.
    static func tokenCount(_ bytes: Span<UInt8>) -> Int { count(in: bytes, while: isTokenByte) }

    static func isText(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBufferPointer { bytes in text.withUTF8Buffer { $0.elementsEqual(bytes) } }
    }

    static func text(_ bytes: Span<UInt8>) -> String {
        bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// What lies between the spaces and tabs around it.
    static func trimmed(_ bytes: Span<UInt8>) -> Range<Int> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let start = count(in: bytes, while: isSpace)
        var end = bytes.count
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}

/// Why a message cannot be passed on: what is said to whoever sent it, and the rule's name.
package struct HTTPRefusal: Error, Sendable, Equatable {
    /// The status of the answer, where there can be one.
    package let status: Int
    package let rule: StaticString
    /// A sentence without its full stop, lower case.
    package let reason: String

    init(_ status: Int = 400, _ rule: StaticString = "http-syntax", _ reason: String) {
        self.status = status
        self.rule = rule
        self.reason = reason
    }

    package static func == (left: HTTPRefusal, right: HTTPRefusal) -> Bool {
        left.status == right.status && left.rule.description == right.rule.description && left.reason == right.reason
    }
}
