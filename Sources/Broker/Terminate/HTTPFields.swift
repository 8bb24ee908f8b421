/// One field of a head.
package struct HTTPField: Hashable, Sendable {
    /// As written.
    package let name: String
    /// The name in lower case.
    package let key: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        key = name.lowercased()
        self.value = value
    }

    /// The key as servers read it that take underscores for hyphens.
    var hyphenated: String {
        key.utf8.contains(UInt8(ascii: "_")) ? String(key.map { $0 == "_" ? "-" : $0 }) : key
    }
}

/// The fields of a head or of what follows a body, in order.
package struct HTTPFields: Hashable, Sendable {
    package private(set) var all: [HTTPField] = []

    package init() {}

    package init(_ fields: [HTTPField]) { all = fields }

    package mutating func append(_ name: String, _ value: String) { all.append(HTTPField(name, value)) }

    package mutating func append(_ field: HTTPField) { all.append(field) }

    package func values(_ key: String) -> [String] { all.compactMap { $0.key == key ? $0.value : nil } }

    package func contains(_ key: String) -> Bool { all.contains { $0.key == key } }

    package mutating func remove(_ keys: Set<String>) { all.removeAll { keys.contains($0.key) } }

    /// The members of a list field, in lower case, empty ones left out.
    package func members(_ key: String) -> [String] {
        values(key).flatMap { value in
            value.utf8.split(separator: UInt8(ascii: ",")).compactMap { member in
                let word = HTTPSyntax.trimmed(member)
                return word.isEmpty ? nil : String(decoding: word, as: UTF8.self).lowercased()
            }
        }
    }
}

/// What HTTP is written with: RFC 9110 and RFC 9112, and nothing that only some readers accept.
enum HTTPSyntax {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")

    private static let tokenBytes: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { table[Int(byte)] = true }
        for byte in UInt8(ascii: "a")...UInt8(ascii: "z") { table[Int(byte)] = true }
        for byte in UInt8(ascii: "A")...UInt8(ascii: "Z") { table[Int(byte)] = true }
        for byte in "!#$%&'*+-.^_`|~".utf8 { table[Int(byte)] = true }
        return table
    }()

    static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { tokenBytes[Int($0)] }
    }

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
