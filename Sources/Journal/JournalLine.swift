package import Domain

/// One line of a journal as a reader sees it.
package struct JournalLine: Sendable, Equatable {
    package let sequence: UInt64
    package let timestamp: String
    /// A run's name, or `authority`.
    package let run: String
    /// A ``RecordType``, or what a later version added.
    package let type: String
    package let previous: Digest
    package let actor: String
    package let data: JSONValue
    /// The line as it stands in the file, without its newline.
    package let bytes: [UInt8]
    /// The hash of those bytes.
    package let leaf: Digest

    /// Parses a line without its newline. The envelope has one spelling, byte by byte; `data` is any JSON object.
    package init(_ bytes: [UInt8]) throws(LineFault) {
        var cursor = Cursor(bytes: bytes)
        try cursor.expect(#"{"v":1,"seq":"#)
        sequence = try cursor.number()
        try cursor.expect(#","ts":""#)
        timestamp = try cursor.timestamp()
        try cursor.expect(#"","run":""#)
        run = try cursor.word(bytesMax: JournalLimits.nameBytesMax) {
            Cursor.isLower($0) || Cursor.isDigit($0) || $0 == 0x5F
        }
        try cursor.expect(#"","type":""#)
        type = try cursor.word(bytesMax: JournalLimits.nameBytesMax) { Cursor.isUpper($0) || $0 == 0x5F }
        try cursor.expect(#"","prev":""#)
        let link = try cursor.word(bytesMax: 64) {
            Cursor.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        guard let previous = Digest(hex: link) else { throw LineFault("is no journal line: prev is no digest") }
        self.previous = previous
        try cursor.expect(#"","actor":""#)
        actor = try cursor.word(bytesMax: JournalLimits.actorBytesMax, Cursor.isActorByte)
        try cursor.expect(#"","data":"#)
        data = try cursor.data()
        self.bytes = bytes
        leaf = Hashing.leaf(bytes)
    }

    /// Appends a line and its newline.
    static func write(
        sequence: UInt64,
        timestamp: String,
        subject: JournalSubject,
        type: RecordType,
        previous: Digest,
        actor: String,
        data: [UInt8],
        to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: #"{"v":1,"seq":"#.utf8)
        bytes.append(contentsOf: String(sequence).utf8)
        bytes.append(contentsOf: #","ts":""#.utf8)
        bytes.append(contentsOf: timestamp.utf8)
        bytes.append(contentsOf: #"","run":""#.utf8)
        bytes.append(contentsOf: subject.name.utf8)
        bytes.append(contentsOf: #"","type":""#.utf8)
        bytes.append(contentsOf: type.rawValue.utf8)
        bytes.append(contentsOf: #"","prev":""#.utf8)
        Hex.encode(previous.bytes, to: &bytes)
        bytes.append(contentsOf: #"","actor":""#.utf8)
        bytes.append(contentsOf: actor.utf8)
        bytes.append(contentsOf: #"","data":"#.utf8)
        bytes.append(contentsOf: data)
        bytes.append(contentsOf: "}\n".utf8)
    }

    /// The `actor` field: letters, digits and a few marks, so that it needs no escapes; other bytes of an agent's name
    /// are percent-encoded.
    static func actor(_ principal: Principal) throws(JournalError) -> String {
        switch principal {
        case .human(let userID): return "human:\(userID)"
        case .system: return "system"
        case .agent(let name):
            var text = Array("agent:".utf8)
            for byte in name.utf8 {
                let isPlain = Cursor.isActorByte(byte) && byte != UInt8(ascii: "%") && byte != UInt8(ascii: ":")
                text.append(contentsOf: isPlain ? [byte] : Array("%".utf8) + Array(Hex.encode([byte]).utf8))
            }
            guard text.count <= JournalLimits.actorBytesMax else {
                throw JournalError(
                    .invalidRecord,
                    "write a record: the agent's name is longer than a journal line's actor may be",
                    hint: "Choose a name of at most 40 letters."
                )
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}

/// What is wrong with one line.
package struct LineFault: Error, Equatable, CustomStringConvertible {
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    package var description: String { reason }
}

/// Walks over an envelope's bytes.
private struct Cursor {
    let bytes: [UInt8]
    var offset = 0

    mutating func expect(_ text: StaticString) throws(LineFault) {
        let matches = text.withUTF8Buffer { wanted in bytes[offset...].starts(with: wanted) }
        guard matches else { throw fault() }
        offset += text.utf8CodeUnitCount
    }

    private func fault() -> LineFault { LineFault("is no journal line: byte \(offset) is out of place") }

    mutating func word(bytesMax: Int, _ isMember: (UInt8) -> Bool) throws(LineFault) -> String {
        let start = offset
        while offset < bytes.count, offset - start < bytesMax, isMember(bytes[offset]) { offset += 1 }
        guard offset > start else { throw fault() }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// A positive number without leading zeros that fits 63 bits, as other readers have them.
    mutating func number() throws(LineFault) -> UInt64 {
        let text = try word(bytesMax: 19, Self.isDigit)
        guard let number = UInt64(text), number <= UInt64(Int64.max), !text.hasPrefix("0") else { throw fault() }
        return number
    }

    /// `2026-01-31T23:59:59.999Z`, by shape.
    mutating func timestamp() throws(LineFault) -> String {
        let shape = Array("0000-00-00T00:00:00.000Z".utf8)
        guard bytes.count - offset >= shape.count else { throw fault() }
        let text = bytes[offset..<offset + shape.count]
        let fits = zip(shape, text).allSatisfy { $0 == UInt8(ascii: "0") ? Self.isDigit($1) : $0 == $1 }
        guard fits else { throw fault() }
        offset += shape.count
        return String(decoding: text, as: UTF8.self)
    }

    /// The object that fills the rest of the line up to the envelope's closing brace.
    mutating func data() throws(LineFault) -> JSONValue {
        guard bytes.count - offset >= 3, bytes[offset] == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}"),
            bytes[bytes.count - 2] == UInt8(ascii: "}")
        else { throw fault() }
        do {
            return try JSONParser.parse(bytes[offset..<bytes.count - 1])
        } catch {
            throw LineFault("is no journal line: data is no JSON object (\(error))")
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }

    static func isActorByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLower(byte) || isUpper(byte) || ":._%-".utf8.contains(byte)
    }
}
