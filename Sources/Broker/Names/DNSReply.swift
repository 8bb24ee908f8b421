package import Egress

/// An answer to a program of the sandbox.
package struct DNSReply: Sendable, Equatable {
    /// What an answer says, beside its code.
    package enum Record: Sendable, Equatable {
        case address(IPAddress)
        case pointer(DNSName)
    }

    package let id: UInt16
    package let wantsRecursion: Bool
    /// Nil where the question could not be read.
    package let question: DNSQuestion?
    package var code: DNSCode
    package var records: [Record]
    /// Said to clients that speak EDNS (RFC 8914, code 15): why it was refused, one line.
    package var explanation: String?
    private let speaksExtension: Bool

    /// Seconds that a program may keep an answer. Addresses stay as they are while the sandbox lives; what changes is
    /// whether the policy lets them be reached, and that is asked again with each connection.
    static let timeToLiveSeconds: UInt32 = 30
    /// Bytes of a datagram for clients that name no size (RFC 1035, section 4.2.1).
    package static let plainBytesMax = 512
    /// Bytes of a datagram that pass everywhere; here the way is a loopback, but a size is said all the same.
    package static let datagramBytesMax = 1232
    package static let streamBytesMax = 65_535
    static let explanationBytesMax = 400
    private static let blocked: UInt16 = 15
    private static let explanationOption: UInt16 = 15

    package init(to query: DNSQuery, code: DNSCode = .done, records: [Record] = []) {
        id = query.id
        wantsRecursion = query.wantsRecursion
        question = query.question
        speaksExtension = query.edns != nil
        self.code = code
        self.records = records
    }

    package init(to header: DNSHeader, code: DNSCode) {
        id = header.id
        wantsRecursion = header.wantsRecursion
        question = nil
        speaksExtension = false
        self.code = code
        records = []
    }

    /// The message. Where it is too long, first the explanation is left out and then the records, and the client is
    /// told to ask over TCP.
    package func bytes(atMost bytesMax: Int) -> [UInt8] {
        let whole = encoded(explanation: explanation, records: records)
        if whole.count <= bytesMax { return whole }
        let plain = encoded(explanation: nil, records: records)
        return plain.count <= bytesMax ? plain : encoded(explanation: nil, records: [], isTruncated: true)
    }

    private func encoded(explanation: String?, records: [Record], isTruncated: Bool = false) -> [UInt8] {
        var flags = DNSHeader.answerFlag | DNSHeader.recursionAvailableFlag | code.rawValue & 0xF
        if wantsRecursion { flags |= DNSHeader.recursionDesiredFlag }
        if isTruncated { flags |= DNSHeader.truncatedFlag }
        var writer = DNSWriter()
        DNSHeader(
            id: id,
            flags: flags,
            questions: question == nil ? 0 : 1,
            answers: records.count,
            additionals: speaksExtension ? 1 : 0
        ).write(&writer)
        question?.write(&writer)
        for record in records { write(record, &writer) }
        if speaksExtension { writeOptions(explanation, &writer) }
        return writer.bytes
    }

    private func write(_ record: Record, _ writer: inout DNSWriter) {
        let (type, data) = Self.encoded(record)
        // A pointer to the question's name, which stands right behind the header.
        writer.number16(0xC000 | UInt16(DNSHeader.bytes))
        writer.number16(type.rawValue)
        writer.number16(DNSQuestion.internet)
        writer.number32(Self.timeToLiveSeconds)
        writer.number16(UInt16(data.count))
        writer.data(data)
    }

    private static func encoded(_ record: Record) -> (DNSType, [UInt8]) {
        var writer = DNSWriter()
        switch record {
        case .address(.v4(let address)):
            writer.number32(address.value)
            return (.a, writer.bytes)
        case .address(.v6(let address)):
            for half in [address.high, address.low] {
                writer.number32(UInt32(half >> 32))
                writer.number32(UInt32(half & 0xFFFF_FFFF))
            }
            return (.aaaa, writer.bytes)
        case .pointer(let name): return (.pointer, name.wire)
        }
    }

    private func writeOptions(_ explanation: String?, _ writer: inout DNSWriter) {
        writer.name(.root)
        writer.number16(DNSType.options.rawValue)
        writer.number16(UInt16(Self.datagramBytesMax))
        writer.number32(UInt32(code.rawValue >> 4) << 24)
        guard let explanation else { return writer.number16(0) }
        let text = explanation.utf8.prefix(Self.explanationBytesMax)
        writer.number16(UInt16(text.count + 6))
        writer.number16(Self.explanationOption)
        writer.number16(UInt16(text.count + 2))
        writer.number16(Self.blocked)
        writer.data(text)
    }
}
