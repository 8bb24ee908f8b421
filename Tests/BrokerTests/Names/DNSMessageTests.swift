import Broker
import Egress
import Testing

@Suite("messages of the resolver are read strictly")
struct DNSMessageTests {
    private static let plain = TestQuestion("api.example.com").bytes

    @Test func anOrdinaryQuestionIsRead() throws {
        guard case .query(let query) = DNSQuery.read(Self.plain) else {
            Issue.record("no question")
            return
        }
        #expect(query.id == 0x1234 && query.wantsRecursion && query.edns == nil)
        #expect(query.question.name.description == "api.example.com")
        #expect(query.question.name == DNSName(try HostName("api.example.com")))
        #expect(query.question.type == .a)
    }

    @Test func whatAClientSaysOfItselfIsRead() {
        guard case .query(let query) = DNSQuery.read(TestQuestion("a.com", 28, edns: 4096).bytes) else {
            Issue.record("no question")
            return
        }
        #expect(query.edns?.payloadBytes == 4096 && query.edns?.version == 0)
    }

    @Test("answers and what is too short are never answered")
    func ignored() {
        let answer: [UInt8] = [0x12, 0x34, 0x81, 0x80] + Self.plain[4...]
        for bytes: [UInt8] in [[], [0x12], Array(Self.plain[..<11]), answer] {
            #expect(DNSQuery.read(bytes) == .ignored)
        }
    }

    struct Fault: Sendable {
        let what: String
        let code: DNSCode
        let bytes: [UInt8]
    }

    private static func counts(_ questions: UInt8, _ answers: UInt8, _ authorities: UInt8, _ more: UInt8) -> [UInt8] {
        [0x12, 0x34, 1, 0, 0, questions, 0, answers, 0, authorities, 0, more]
    }

    private static let question = Array(plain[12...])
    private static let long = [UInt8](repeating: 63, count: 1) + [UInt8](repeating: 97, count: 63)

    static let faults = [
        Fault(what: "notify", code: .notImplemented, bytes: [0x12, 0x34, 0x20, 0] + plain[4...]),
        Fault(what: "update", code: .notImplemented, bytes: [0x12, 0x34, 0x28, 0] + plain[4...]),
        Fault(what: "truncated", code: .malformed, bytes: [0x12, 0x34, 0x03, 0] + plain[4...]),
        Fault(what: "no question", code: .malformed, bytes: counts(0, 0, 0, 0)),
        Fault(what: "two questions", code: .malformed, bytes: counts(2, 0, 0, 0) + question + question),
        Fault(what: "an answer in it", code: .malformed, bytes: counts(1, 1, 0, 0) + question),
        Fault(what: "an authority in it", code: .malformed, bytes: counts(1, 0, 1, 0) + question),
        Fault(what: "more behind", code: .malformed, bytes: plain + [0]),
        Fault(what: "two options", code: .malformed, bytes: counts(1, 0, 0, 2) + question),
        Fault(
            what: "a signature",
            code: .malformed,
            bytes: counts(1, 0, 0, 1) + question + [0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0]
        ),
        Fault(
            what: "options cut",
            code: .malformed,
            bytes: counts(1, 0, 0, 1) + question + [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 9]
        ),
        Fault(
            what: "options with a name",
            code: .malformed,
            bytes: counts(1, 0, 0, 1) + question + [1, 97, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0]
        ),
        Fault(what: "a name cut", code: .malformed, bytes: counts(1, 0, 0, 0) + [3, 97, 97]),
        Fault(what: "no type", code: .malformed, bytes: counts(1, 0, 0, 0) + [1, 97, 0, 0]),
        Fault(what: "a pointer at itself", code: .malformed, bytes: counts(1, 0, 0, 0) + [0xC0, 12, 0, 1, 0, 1]),
        Fault(what: "a pointer into the header", code: .malformed, bytes: counts(1, 0, 0, 0) + [0xC0, 4, 0, 1, 0, 1]),
        Fault(what: "a pointer forwards", code: .malformed, bytes: counts(1, 0, 0, 0) + [0xC0, 18, 0, 1, 0, 1, 0]),
        Fault(
            what: "a label of another kind",
            code: .malformed,
            bytes: counts(1, 0, 0, 0) + [0x41, 97, 0, 0, 1, 0, 1]
        ),
        Fault(
            what: "a name that is too long",
            code: .malformed,
            bytes: counts(1, 0, 0, 0) + long + long + long + long + [0, 0, 1, 0, 1]
        ),
    ]

    @Test("what is no question is answered with a code", arguments: faults)
    func faulty(_ fault: Fault) {
        guard case .fault(let header, let code) = DNSQuery.read(fault.bytes) else {
            Issue.record("\(fault.what) was read")
            return
        }
        #expect(header.id == 0x1234 && code == fault.code, "\(fault.what)")
    }

    @Test("every part of a question, and every byte of it changed, is read or refused")
    func total() {
        let bytes = TestQuestion("api.example.com", 1, edns: 1232).bytes
        for end in bytes.indices { _ = DNSQuery.read(Array(bytes[..<end])) }
        for at in bytes.indices {
            for value in UInt8.min...UInt8.max {
                var changed = bytes
                changed[at] = value
                _ = DNSQuery.read(changed)
                _ = try? DNSAnswer(changed)
            }
        }
    }

    @Test("a pointer leads back to a name, and never in a circle")
    func pointers() throws {
        var reader = DNSReader([UInt8](repeating: 0, count: 12) + [1, 97, 0, 1, 98, 0xC0, 12, 1, 99, 0xC0, 15])
        _ = try reader.data(12)
        #expect(try reader.name().description == "a")
        #expect(try reader.name().description == "b.a")
        #expect(try reader.name().description == "c.b.a")
        #expect(reader.isAtEnd)
        // Two names that each end in the other.
        var circle = DNSReader([UInt8](repeating: 0, count: 12) + [1, 97, 0xC0, 16, 1, 98, 0xC0, 12])
        _ = try circle.data(12)
        #expect(throws: DNSFault.pointer) { try circle.name() }
    }

    @Test("a label that holds a dot is no part of a host's name")
    func dots() throws {
        var reader = DNSReader([3, 97, 46, 98, 3, 99, 111, 109, 0])
        let name = try reader.name()
        #expect(name.host == nil)
        #expect(name.description == "a\\.b.com")
        #expect(DNSName.root.host == nil && DNSName.root.description == ".")
    }

    @Test("of an answer only the records that answer are read, and they have their shape")
    func answers() throws {
        let question = TestQuestion("a.com")
        let asked = DNSQuestion(DNSName(try HostName("a.com")), .a)
        func answer(_ count: UInt8, _ records: [UInt8], flags: [UInt8] = [0x81, 0x80]) -> [UInt8] {
            [0x12, 0x34] + flags + [0, 1, 0, count, 0, 0, 0, 0] + question.bytes[12...] + records
        }
        let good: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 93, 184, 216, 34]
        let read = try DNSAnswer(answer(1, good))
        #expect(read.question == asked)
        #expect(read.records.map(\.data) == [.address(try #require(IPAddress("93.184.216.34")))])
        #expect(read.records.first?.timeToLiveSeconds == 60)
        // What follows the answers is never looked at.
        #expect(try DNSAnswer(answer(1, good + [0xFF, 0xFF])) == read)
        #expect(try DNSAnswer(answer(9, good, flags: [0x83, 0x80])).records == [])
        for bad in [
            [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 3, 93, 184, 216],
            [0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 4, 1, 1, 1, 1],
            [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 5, 0xC0, 12, 0, 0, 0],
            [0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0xFF, 0xFF],
            [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 1, 0xC0, 12],
        ] as [[UInt8]] {
            #expect(throws: DNSFault.self) { try DNSAnswer(answer(1, bad)) }
        }
        #expect(throws: DNSFault.self) { try DNSAnswer(answer(2, good)) }
        #expect(throws: DNSFault.header) { try DNSAnswer(question.bytes) }
    }
}
