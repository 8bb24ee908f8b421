package import Egress

/// What a name server of the host answers. Only the records that answer the question are read; whatever a server adds
/// beside them is never looked at, so it can say nothing about other names.
package struct DNSAnswer: Sendable, Equatable {
    package struct Record: Sendable, Equatable {
        package let owner: DNSName
        package let timeToLiveSeconds: UInt32
        package let data: Data
    }

    package enum Data: Sendable, Equatable {
        case address(IPAddress)
        case alias(DNSName)
        /// Of a type that nobody asked for.
        case other
    }

    package let header: DNSHeader
    package let question: DNSQuestion
    package let records: [Record]

    /// Records of one answer that are read; more make it an answer that is not understood.
    package static let recordsMax = 256

    package init(_ bytes: [UInt8]) throws(DNSFault) {
        var reader = DNSReader(bytes)
        header = try DNSHeader(&reader)
        guard header.isAnswer, header.operation == 0, header.questions == 1 else { throw .header }
        question = try DNSQuestion(&reader)
        guard header.answers <= Self.recordsMax else { throw .record }
        var records: [Record] = []
        // What a truncated answer still holds is asked for again over TCP.
        if !header.isTruncated {
            for _ in 0..<header.answers { records.append(try Self.record(&reader)) }
        }
        self.records = records
    }

    private static func record(_ reader: inout DNSReader) throws(DNSFault) -> Record {
        let owner = try reader.name()
        let type = DNSType(rawValue: try reader.number16())
        let network = try reader.number16()
        let timeToLiveSeconds = try reader.number32()
        let length = Int(try reader.number16())
        let end = reader.position + length
        let data: Data
        switch (network, type) {
        case (DNSQuestion.internet, .a):
            guard length == 4 else { throw .record }
            data = .address(.v4(IPv4Address(value: try reader.number32())))
        case (DNSQuestion.internet, .aaaa):
            guard length == 16 else { throw .record }
            let high = UInt64(try reader.number32()) << 32 | UInt64(try reader.number32())
            let low = UInt64(try reader.number32()) << 32 | UInt64(try reader.number32())
            data = .address(.v6(IPv6Address(high: high, low: low)))
        case (DNSQuestion.internet, .alias): data = .alias(try reader.name())
        default:
            _ = try reader.data(length)
            data = .other
        }
        guard reader.position == end else { throw .record }
        return Record(owner: owner, timeToLiveSeconds: timeToLiveSeconds, data: data)
    }
}

extension DNSQuestion {
    /// The question as it is sent to a name server of the host: without EDNS, so that no answer comes in fragments.
    package func bytes(id: UInt16) -> [UInt8] {
        var writer = DNSWriter()
        DNSHeader(id: id, flags: DNSHeader.recursionDesiredFlag, questions: 1).write(&writer)
        write(&writer)
        return writer.bytes
    }
}
