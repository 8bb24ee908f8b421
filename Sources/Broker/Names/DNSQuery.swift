/// A question that a program of the sandbox sends, read strictly: one question and at most one OPT record, and nothing
/// behind them.
package struct DNSQuery: Sendable, Equatable {
    package let id: UInt16
    package let wantsRecursion: Bool
    package let question: DNSQuestion
    /// Nil where the client speaks no EDNS (RFC 6891).
    package let edns: Extension?

    /// What a client says of itself in an OPT record.
    package struct Extension: Sendable, Equatable {
        /// Bytes of a datagram that it takes.
        package let payloadBytes: UInt16
        package let version: UInt8
    }

    /// What is made of a message.
    package enum Reading: Sendable, Equatable {
        case query(DNSQuery)
        /// No question, but something that is answered with a code.
        case fault(DNSHeader, DNSCode)
        /// Not to be answered: too short to be a message, or an answer, which two resolvers could send each other for
        /// ever.
        case ignored
    }

    package static func read(_ bytes: [UInt8]) -> Reading {
        var reader = DNSReader(bytes)
        guard let header = try? DNSHeader(&reader), !header.isAnswer else { return .ignored }
        guard header.operation == 0 else { return .fault(header, .notImplemented) }
        guard let query = try? DNSQuery(header, &reader) else { return .fault(header, .malformed) }
        return .query(query)
    }

    private init(_ header: DNSHeader, _ reader: inout DNSReader) throws(DNSFault) {
        guard header.questions == 1, header.answers == 0, header.authorities == 0, header.additionals <= 1,
            !header.isTruncated
        else { throw .header }
        id = header.id
        wantsRecursion = header.wantsRecursion
        question = try DNSQuestion(&reader)
        edns = header.additionals == 1 ? try Self.options(&reader) : nil
        guard reader.isAtEnd else { throw .length }
    }

    private static func options(_ reader: inout DNSReader) throws(DNSFault) -> Extension {
        guard try reader.name() == .root, try reader.number16() == DNSType.options.rawValue else { throw .record }
        let payloadBytes = try reader.number16()
        let version = try reader.number32() >> 16 & 0xFF
        _ = try reader.data(Int(try reader.number16()))
        return Extension(payloadBytes: payloadBytes, version: UInt8(version))
    }
}
