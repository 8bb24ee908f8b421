import Broker
import Domain
import Egress

extension FuzzTarget {
    /// Questions to the resolver inside: whatever is answered fits, repeats the question, and gives no address to a
    /// name that is not listed.
    static let dnsQuestion = FuzzTarget("dns-question", bytesMax: 2048) {
        ["api.example.com", "LOCALHOST", "1.0.0.127.in-addr.arpa", "x.files.example.com", "evil.example"].flatMap {
            name in
            [[], [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]].map { (options: [UInt8]) in
                let counts: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, options.isEmpty ? 0 : 1]
                return counts + wire(name) + [0, 1, 0, 1] + options
            }
        }
    } prepare: {
        let policy = NetworkPolicy(allow: [try NetworkRule("api.example.com"), try NetworkRule("*.files.example.com")])
        let refusal = EgressRefusal(RuleID("fuzz"), "a reason")
        return { bytes in
            let message = DNSQuery.read(bytes)
            var reply: DNSReply
            switch message {
            case .ignored: return try promise(bytes.count < 12 || bytes[2] & 0x80 != 0, "a question is ignored")
            case .fault(let header, let code): reply = DNSReply(to: header, code: code)
            case .query(let query):
                reply = DNSReply(to: query)
                try expectRuling(NameRuling(query.question, policy), query.question)
                reply.explanation = refusal.reason
                reply.records = [.address(.v4(IPv4Address(value: 0xC612_0101))), .pointer(query.question.name)]
            }
            for bytesMax in [DNSReply.plainBytesMax, DNSReply.streamBytesMax] {
                let encoded = reply.bytes(atMost: bytesMax)
                try promise(encoded.count <= bytesMax, "an answer does not fit")
                try promise(encoded.starts(with: bytes[..<2]) && encoded[2] & 0x80 != 0, "no answer to this")
                guard case .query(let query) = message else { continue }
                let read = try DNSAnswer(encoded)
                try promise(read.question == query.question, "an answer repeats another question")
                try promise(read.header.isTruncated || read.records.count == 2, "an answer reads differently")
            }
        }
    }

    /// What name servers of the host answer: it is read or refused, and its names are spelled one way.
    static let dnsAnswer = FuzzTarget("dns-answer", bytesMax: 4096) {
        let alias: [UInt8] = [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 98, 0xC0, 16]
        let a: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 93, 184, 216, 34]
        let aaaa: [UInt8] = [0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16] + [UInt8](repeating: 0x26, count: 16)
        return [[], a, alias + a, a + aaaa, alias + alias].map { (records: [UInt8]) in
            let count = UInt8(records.isEmpty ? 0 : records.count > 16 ? 2 : 1)
            let header: [UInt8] = [0x12, 0x34, 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]
            return header + wire("api.example.com") + [0, 1, 0, 1] + records
        }
    } prepare: {
        { bytes in
            guard let answer = try? DNSAnswer(bytes) else { return }
            try promise(answer.records.count <= DNSAnswer.recordsMax, "records without end")
            try expectName(answer.question.name)
            for record in answer.records {
                try expectName(record.owner)
                if case .alias(let name) = record.data { try expectName(name) }
            }
        }
    }

    private static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func expectName(_ name: DNSName) throws {
        try promise(name.wire.count <= DNSName.wireBytesMax && name.wire.last == 0, "a name without end")
        var reader = DNSReader(name.wire)
        try promise(try reader.name() == name && reader.isAtEnd, "a name reads differently the second time")
        try promise(isOneLine(name.description), "a name steers a terminal")
        try promise(name.isSame(as: name.folded), "a name is another in lower case")
        guard let host = name.host, case .name(let read)? = try? Host(host) else { return }
        try promise(DNSName(read).isSame(as: name), "a host's name is another name")
    }

    private static func expectRuling(_ ruling: NameRuling, _ question: DNSQuestion) throws {
        try expectName(question.name)
        switch ruling {
        case .listed(let name, _):
            let text = name.text
            try promise(text == "api.example.com" || text.hasSuffix(".files.example.com"), "\(text) is not listed")
            try promise(DNSName(name).isSame(as: question.name), "another name is answered")
        case .refused(let refusal): try promise(isOneLine(refusal.reason), "a reason steers a terminal")
        case .local, .localName, .reverse, .nothing, .noService: return
        }
    }
}
