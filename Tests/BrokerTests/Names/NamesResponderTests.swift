import Broker
import BrokerLink
import Domain
import Egress
import NIOCore
import Synchronization
import Testing

@Suite("the resolver inside answers what is listed and asks nobody")
struct NamesResponderTests {
    private static let listed = [
        "api.anthropic.com:443", "*.githubusercontent.com:443", "github.com:443", "github.com:22", "example.com:80",
    ]

    private func ask(_ fixture: NamesFixture, _ question: TestQuestion, way: NamesResponder.Way = .datagram)
        async throws
        -> TestAnswer?
    {
        try await ask(fixture.responder(), fixture, question.bytes, way)
    }

    private func ask(
        _ responder: NamesResponder,
        _ fixture: NamesFixture,
        _ bytes: [UInt8],
        _ way: NamesResponder.Way = .datagram
    ) async throws -> TestAnswer? {
        switch responder.respond(to: bytes, by: way, on: fixture.loop) {
        case .now(let bytes): TestAnswer(bytes)
        case .later(let future): TestAnswer(try await future.get())
        case .silence, .tooMany: nil
        }
    }

    @Test("a listed name has an address of each family, in any case and with its question repeated")
    func listed() async throws {
        let fixture = try NamesFixture(Self.listed)
        let a = try #require(try await ask(fixture, TestQuestion("api.anthropic.com")))
        #expect(a.address == "198.18.1.1" && a.code == 0 && a.id == 0x1234 && a.flags == 0x8180)
        let aaaa = try #require(try await ask(fixture, TestQuestion("ApI.aNtHrOpIc.CoM", 28)))
        #expect(aaaa.address == "fd62:6169:6c65:7900::c612:101")
        #expect(aaaa.text.contains("aNtHrOpIc"))
        #expect(try await ask(fixture, TestQuestion("raw.githubusercontent.com"))?.address == "198.18.1.2")
        #expect(fixture.ledger.records.isEmpty)
    }

    @Test(
        "what no program needs of a listed name is empty, and the name still exists",
        arguments: [
            2, 5, 6, 12, 15, 16, 33, 35, 43, 48, 64, 65, 255, 257, 0, 65_280,
        ] as [UInt16]
    )
    func empty(_ type: UInt16) async throws {
        let fixture = try NamesFixture(Self.listed)
        let answer = try #require(try await ask(fixture, TestQuestion("github.com", type)))
        #expect(answer.code == 0 && answer.counts == [1, 0, 0, 0])
        #expect(fixture.announced.withLock { $0.isEmpty })
    }

    static let unlisted: [(String, UInt16)] = [
        ("secret-data-0001.evil.example", 1), ("evil.example", 16), ("api.anthropic.com.evil.example", 1),
        ("anthropic.com", 1), ("xapi.anthropic.com", 28), ("github.com", 252), ("github.com", 251),
        ("githubusercontent.com", 1),
        ("4.3.2.1.in-addr.arpa", 12), ("metadata.google.internal", 1), ("169.254.169.254", 1), ("api", 1), ("", 2),
        ("", 1),
        ("_https._tcp.evil.example", 33), ("_https._sctp.github.com", 33), ("https._tcp.github.com", 33),
        ("_tcp.github.com", 33), ("_a._b._tcp.github.com", 33), ("evil.example", 65), ("evil.example", 255),
        (String(repeating: "a", count: 63) + ".evil.example", 1), ("local", 6), ("wpad", 1), ("a b.github.com", 1),
        ("1.0.0.127.in-addr.arpa.evil.example", 12), ("localhost.evil.example", 1),
    ]

    @Test("everything else is refused at once, and recorded", arguments: unlisted)
    func refused(_ name: String, _ type: UInt16) async throws {
        let fixture = try NamesFixture(Self.listed)
        // musl and the GNU C library take only "no such name" for a final answer, so whoever speaks no EDNS gets that.
        let plain = try #require(try await ask(fixture, TestQuestion(name, type)))
        #expect(plain.code == 3 && plain.counts == [1, 0, 0, 0])
        let told = try #require(try await ask(fixture, TestQuestion(name, type, edns: 1232)))
        #expect(told.code == 5 && told.counts == [1, 0, 0, 1])
        let record = try #require(fixture.ledger.records.first)
        #expect(record.door == .names && record.treatment == .refused && record.verdict == .deny)
        #expect(told.text.contains(record.rule.rawValue + ": ") && told.text.contains(record.reason))
        #expect(fixture.announced.withLock { $0.isEmpty })
        #expect(fixture.names.all.isEmpty)
    }

    @Test("a service of a listed host is none, and nothing is said of who asks", arguments: [33, 1, 16] as [UInt16])
    func service(_ type: UInt16) async throws {
        let fixture = try NamesFixture(Self.listed)
        for edns in [nil, 1232] as [UInt16?] {
            let answer = try #require(try await ask(fixture, TestQuestion("_https._tcp.GitHub.com", type, edns: edns)))
            #expect(answer.code == 3 && answer.counts.prefix(3) == [1, 0, 0])
        }
        #expect(fixture.ledger.records.isEmpty && fixture.names.all.isEmpty)
    }

    @Test("other classes are refused", arguments: [3, 4, 254, 255, 0] as [UInt16])
    func classes(_ network: UInt16) async throws {
        var question = TestQuestion("github.com")
        question.network = network
        #expect(try await ask(NamesFixture(Self.listed), question)?.code == 3)
    }

    @Test("localhost is the programs' own loopback, whatever the policy says", arguments: ["localhost", "a.LocalHost"])
    func localhost(_ name: String) async throws {
        let fixture = try NamesFixture([])
        #expect(try await ask(fixture, TestQuestion(name))?.address == "127.0.0.1")
        #expect(try await ask(fixture, TestQuestion(name, 28))?.address == "::1")
        #expect(try await ask(fixture, TestQuestion(name, 15))?.counts == [1, 0, 0, 0])
        #expect(fixture.ledger.records.isEmpty)
    }

    @Test("addresses of the sandbox's network lead back to their names, and loopback to localhost")
    func reverse() async throws {
        let fixture = try NamesFixture(Self.listed)
        let responder = fixture.responder()
        func pointer(_ name: String) async throws -> TestAnswer? {
            try await ask(responder, fixture, TestQuestion(name, 12).bytes)
        }
        #expect(try await pointer("1.1.18.198.in-addr.arpa")?.code == 3)
        _ = try await ask(responder, fixture, TestQuestion("github.com").bytes)
        let wire = TestQuestion.wire("github.com")
        #expect(try await pointer("1.1.18.198.in-addr.arpa")?.data == wire)
        let nibbles = "1.0.1.0.2.1.6.c.0.0.0.0.0.0.0.0.0.0.9.7.5.6.c.6.9.6.1.6.2.6.d.f.ip6.arpa"
        #expect(try await pointer(nibbles)?.data == wire)
        #expect(try await pointer(nibbles.uppercased())?.data == wire)
        #expect(try await pointer("1.0.0.127.in-addr.arpa")?.data == TestQuestion.wire("localhost"))
        #expect(fixture.ledger.records.isEmpty)
        #expect(try await pointer("01.1.18.198.in-addr.arpa")?.counts[1] == 0)
        #expect(try await pointer("1.1.1.18.198.in-addr.arpa")?.counts[1] == 0)
    }

    @Test("EDNS: a size is kept to, another version is refused, and the reason fits or is left out")
    func edns() async throws {
        let fixture = try NamesFixture(Self.listed)
        var question = TestQuestion("github.com", 1, edns: 512)
        question.version = 1
        let bad = try #require(try await ask(fixture, question))
        #expect(bad.code == 0 && bad.counts == [1, 0, 0, 1] && bad.bytes.suffix(6).first == 1)
        let long = (0..<3).map { _ in String(repeating: "a", count: 60) }.joined(separator: ".") + ".evil.example"
        for size in [0, 100, 512, 1232, 65_535] as [UInt16] {
            let answer = try #require(try await ask(fixture, TestQuestion(long, 1, edns: size)))
            #expect(answer.bytes.count <= max(512, min(Int(size), 1232)) && answer.code == 5)
        }
        #expect(try await ask(fixture, TestQuestion(long, 1, edns: 1232))?.text.contains("network-unlisted") == true)
    }

    @Test("an answer that does not fit a datagram is cut, and is whole on a stream")
    func truncation() async throws {
        let label = String(repeating: "a", count: 60)
        let host = [label, label, label, "example.com"].joined(separator: ".")
        let fixture = try NamesFixture(["*.example.com"])
        let responder = fixture.responder()
        let name = try HostName(host)
        #expect(try fixture.names.addresses(of: name, limits: BrokerLimits()).v4.description == "198.18.1.1")
        let reply = DNSReply(
            to: try query(TestQuestion("1.1.18.198.in-addr.arpa", 12).bytes),
            records: [.pointer(DNSName(name)), .pointer(DNSName(name)), .pointer(DNSName(name))]
        )
        let cut = try #require(TestAnswer(reply.bytes(atMost: DNSReply.plainBytesMax)))
        #expect(cut.isTruncated && cut.counts == [1, 0, 0, 0])
        let whole = try #require(TestAnswer(reply.bytes(atMost: DNSReply.streamBytesMax)))
        #expect(!whole.isTruncated && whole.counts[1] == 3 && whole.data == TestQuestion.wire(host))
        #expect(
            try await ask(responder, fixture, TestQuestion("1.1.18.198.in-addr.arpa", 12).bytes, .stream)?.code == 0
        )
    }

    private func query(_ bytes: [UInt8]) throws -> DNSQuery {
        guard case .query(let query) = DNSQuery.read(bytes) else { throw DNSFault.header }
        return query
    }

    @Test("a name is announced with its ports once, before its address goes out")
    func announced() async throws {
        let fixture = try NamesFixture(Self.listed)
        let responder = fixture.responder()
        let promise = fixture.loop.makePromise(of: Void.self)
        fixture.hook.withLock { $0 = { _ in promise.futureResult } }
        guard
            case .later(let v4) = responder.respond(
                to: TestQuestion("github.com").bytes,
                by: .datagram,
                on: fixture.loop
            ),
            case .later(let v6) = responder.respond(
                to: TestQuestion("github.com", 28).bytes,
                by: .stream,
                on: fixture.loop
            )
        else {
            Issue.record("an address went out before anybody listens there")
            return
        }
        #expect(fixture.announced.withLock { $0.map(\.ports) } == [[22, 443]])
        promise.succeed()
        #expect(TestAnswer(try await v4.get())?.address == "198.18.1.1")
        #expect(TestAnswer(try await v6.get())?.address == "fd62:6169:6c65:7900::c612:101")
        guard case .now = responder.respond(to: TestQuestion("github.com").bytes, by: .datagram, on: fixture.loop)
        else {
            Issue.record("a known name waits")
            return
        }
        #expect(fixture.announced.withLock { $0.count } == 1)
    }

    @Test("a name whose sockets cannot be made is no dead address, and the next question tries again")
    func announcementFails() async throws {
        struct Broken: Error {}
        let fixture = try NamesFixture(Self.listed)
        let responder = fixture.responder()
        fixture.hook.withLock { $0 = { $0.makeFailedFuture(Broken()) } }
        let failed = try #require(try await ask(responder, fixture, TestQuestion("github.com").bytes))
        #expect(failed.code == 2 && failed.counts == [1, 0, 0, 0])
        fixture.hook.withLock { $0 = { $0.makeSucceededVoidFuture() } }
        #expect(try await ask(responder, fixture, TestQuestion("github.com").bytes)?.address == "198.18.1.1")
        #expect(fixture.announced.withLock { $0.count } == 2)
    }

    @Test("ports that a changed policy adds are announced for names that have their addresses")
    func grants() async throws {
        let fixture = try NamesFixture(["github.com:443"])
        let responder = fixture.responder()
        _ = try await ask(responder, fixture, TestQuestion("github.com").bytes)
        try fixture.allow(["github.com:443", "github.com:8443"])
        try await responder.announceAgain(on: fixture.loop).get()
        #expect(fixture.announced.withLock { $0.map(\.ports) } == [[443], [443, 8443]])
        try fixture.allow(["other.com"])
        #expect(try await ask(responder, fixture, TestQuestion("github.com").bytes)?.code == 3)
    }

    @Test("a declared upstream has an address inside like any listed name")
    func upstream() async throws {
        let fixture = try NamesFixture([])
        var settings = fixture.settings.current
        settings.policy.upstreams = [
            try Upstream(host: "model.example.test", port: 8443, address: "127.0.0.1:9", ca: nil)
        ]
        fixture.settings.replace(settings)
        #expect(try await ask(fixture, TestQuestion("model.example.test"))?.address == "198.18.1.1")
        #expect(fixture.announced.withLock { $0.map(\.ports) } == [[8443]])
    }

    @Test("too many questions in a second are not answered, and that is recorded once")
    func rate() async throws {
        var limits = BrokerLimits()
        limits.questionsPerSecond = 10
        let fixture = try NamesFixture(Self.listed, limits: limits)
        let responder = fixture.responder()
        var answered = 0
        for _ in 0..<100 where try await ask(responder, fixture, TestQuestion("github.com").bytes) != nil {
            answered += 1
        }
        #expect(answered == 10)
        fixture.clock.withLock { $0 = 0.5 }
        for _ in 0..<100 where try await ask(responder, fixture, TestQuestion("github.com").bytes) != nil {
            answered += 1
        }
        #expect(answered == 15)
        #expect(fixture.ledger.records.map(\.rule.rawValue) == ["limit-questions"])
    }

    @Test("made-up names without end are recorded up to a limit, each once")
    func recordsAreBounded() async throws {
        var limits = BrokerLimits()
        limits.questionsPerSecond = 1_000_000
        let fixture = try NamesFixture(Self.listed, limits: limits)
        let responder = fixture.responder()
        for number in 0..<3000 {
            for _ in 0..<2 { _ = try await ask(responder, fixture, TestQuestion("x\(number).evil.example").bytes) }
        }
        #expect(fixture.ledger.records.count == 1025)
        #expect(fixture.ledger.records.last?.rule.rawValue == "limit-refused-names")
    }

    @Test("names below a wildcard are as many as the limit says")
    func namesAreBounded() async throws {
        var limits = BrokerLimits()
        limits.names = 3
        let fixture = try NamesFixture(["*.example.com"], limits: limits)
        let responder = fixture.responder()
        var codes: [Int] = []
        for number in 0..<5 {
            codes.append(try await ask(responder, fixture, TestQuestion("n\(number).example.com").bytes)?.code ?? -1)
        }
        #expect(codes == [0, 0, 0, 3, 3])
        #expect(fixture.ledger.records.map(\.rule.rawValue) == ["limit-names", "limit-names"])
    }
}
