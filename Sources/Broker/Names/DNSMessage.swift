/// The first twelve bytes of every message (RFC 1035, section 4.1.1).
package struct DNSHeader: Sendable, Equatable {
    package var id: UInt16
    package var flags: UInt16
    package var questions: UInt16
    package var answers: UInt16
    package var authorities: UInt16
    package var additionals: UInt16

    package static let bytes = 12

    static let answerFlag: UInt16 = 0x8000
    static let truncatedFlag: UInt16 = 0x0200
    static let recursionDesiredFlag: UInt16 = 0x0100
    static let recursionAvailableFlag: UInt16 = 0x0080

    package init(
        id: UInt16,
        flags: UInt16,
        questions: Int = 0,
        answers: Int = 0,
        authorities: Int = 0,
        additionals: Int = 0
    ) {
        self.id = id
        self.flags = flags
        self.questions = UInt16(questions)
        self.answers = UInt16(answers)
        self.authorities = UInt16(authorities)
        self.additionals = UInt16(additionals)
    }

    init(_ reader: inout DNSReader) throws(DNSFault) {
        id = try reader.number16()
        flags = try reader.number16()
        questions = try reader.number16()
        answers = try reader.number16()
        authorities = try reader.number16()
        additionals = try reader.number16()
    }

    package var isAnswer: Bool { flags & Self.answerFlag != 0 }
    /// 0 for an ordinary question.
    package var operation: UInt8 { UInt8(flags >> 11 & 0xF) }
    package var isTruncated: Bool { flags & Self.truncatedFlag != 0 }
    package var wantsRecursion: Bool { flags & Self.recursionDesiredFlag != 0 }
    package var code: DNSCode { DNSCode(rawValue: flags & 0xF) }

    func write(_ writer: inout DNSWriter) {
        for word in [id, flags, questions, answers, authorities, additionals] { writer.number16(word) }
    }
}

/// What became of a question (RFC 1035, section 4.1.1; RFC 6895).
package struct DNSCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let done = DNSCode(rawValue: 0)
    package static let malformed = DNSCode(rawValue: 1)
    package static let failed = DNSCode(rawValue: 2)
    package static let noSuchName = DNSCode(rawValue: 3)
    package static let notImplemented = DNSCode(rawValue: 4)
    package static let refused = DNSCode(rawValue: 5)
    /// An EDNS version that is not spoken here; its upper bits travel in the OPT record.
    package static let badVersion = DNSCode(rawValue: 16)
}

/// The type of a record or of what is asked for.
package struct DNSType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = DNSType(rawValue: 1)
    package static let alias = DNSType(rawValue: 5)
    package static let pointer = DNSType(rawValue: 12)
    package static let aaaa = DNSType(rawValue: 28)
    package static let options = DNSType(rawValue: 41)
    /// From here to 254: transfers of whole zones and other questions that are no ordinary records.
    static let firstTransfer = DNSType(rawValue: 249)
    static let lastTransfer = DNSType(rawValue: 254)

    var isTransfer: Bool { (Self.firstTransfer.rawValue...Self.lastTransfer.rawValue).contains(rawValue) }

    private static let names: [UInt16: String] = [
        1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 35: "NAPTR",
        41: "OPT", 64: "SVCB", 65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
    ]

    package var description: String { Self.names[rawValue] ?? "TYPE\(rawValue)" }
}

/// What is asked.
package struct DNSQuestion: Hashable, Sendable {
    /// In the case it was asked in: an answer repeats it.
    package let name: DNSName
    package let type: DNSType
    package let network: UInt16

    /// The Internet; other classes are never answered.
    package static let internet: UInt16 = 1

    package init(_ name: DNSName, _ type: DNSType, network: UInt16 = DNSQuestion.internet) {
        self.name = name
        self.type = type
        self.network = network
    }

    init(_ reader: inout DNSReader) throws(DNSFault) {
        name = try reader.name()
        type = DNSType(rawValue: try reader.number16())
        network = try reader.number16()
    }

    func write(_ writer: inout DNSWriter) {
        writer.name(name)
        writer.number16(type.rawValue)
        writer.number16(network)
    }
}
