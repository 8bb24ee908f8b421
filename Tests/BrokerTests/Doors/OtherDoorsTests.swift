import Broker
import BrokerLink
import Domain
import Egress
import Glibc
import Testing

@Suite("SOCKS passes what CONNECT by name asks for, and no more")
struct SOCKSDoorTests {
    /// A request by name.
    private static func request(_ command: UInt8, _ type: UInt8, _ address: [UInt8], port: UInt16) -> [UInt8] {
        [5, command, 0, type] + address + [UInt8(port >> 8), UInt8(port & 255)]
    }

    private static func named(_ name: String) -> [UInt8] { [UInt8(name.utf8.count)] + Array(name.utf8) }

    private static func greet(_ yard: TestYard) throws -> Wire {
        let wire = try Wire(port: yard.socksPort)
        try wire.say([5, 2, 2, 0])
        #expect(try wire.hear(exactly: 2) == [5, 0])
        return wire
    }

    @Test func aNameOnAnotherPortIsConnectedAndItsServerMaySpeakFirst() throws {
        let yard = try TestYard(allow: ["*.example.com:22"])
        defer { yard.stop() }
        let listener = Listener()
        let wire = try Self.greet(yard)
        try wire.say(Self.request(1, 3, Self.named("p\(listener.port).example.com"), port: 22))
        #expect(try wire.hear(exactly: 10).prefix(2) == [5, 0])
        let server = listener.accept()
        try server.say("SSH-2.0-server\r\n")
        #expect(try wire.hear(exactly: 16) == Array("SSH-2.0-server\r\n".utf8))
        try wire.say("SSH-2.0-client\r\n")
        #expect(try server.hear(exactly: 16) == Array("SSH-2.0-client\r\n".utf8))
        server.end()
        #expect(try wire.hear().isEmpty)
    }

    @Test func aClientThatOnlyListensMayEndFirst() throws {
        let yard = try TestYard(allow: ["*.example.com:13"])
        defer { yard.stop() }
        let listener = Listener()
        let wire = try Self.greet(yard)
        try wire.say(Self.request(1, 3, Self.named("p\(listener.port).example.com"), port: 13))
        wire.end()
        let server = listener.accept()
        #expect(try server.hear().isEmpty)
        try server.say("noon")
        server.end()
        #expect(wire.hearAll().suffix(4) == Array("noon".utf8))
    }

    @Test func aServerThatNeverAnswersDoesNotOutliveItsClient() throws {
        let yard = try TestYard(allow: ["*.example.com"])
        defer { yard.stop() }
        let listener = Listener()
        let name = "p\(listener.port).example.com"
        let server: Wire
        do {
            let (client, _) = try yard.connect("\(name):443")
            try client.say(HelloBytes(name).stream)
            server = listener.accept()
            _ = try server.hear()
        }
        #expect(server.hearAll().isEmpty)
        #expect(yard.ledger.first { $0.host == name } != nil)
        #expect(yard.keeper.crossings.count == 0)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: [UInt8]
        let code: UInt8
    }

    @Test(arguments: [
        Refusal(testDescription: "BIND", request: request(2, 3, named("a.example.com"), port: 22), code: 7),
        Refusal(testDescription: "UDP ASSOCIATE", request: request(3, 1, [0, 0, 0, 0], port: 0), code: 7),
        Refusal(testDescription: "IPv4", request: request(1, 1, [127, 0, 0, 1], port: 22), code: 2),
        Refusal(
            testDescription: "IPv6",
            request: request(1, 4, [UInt8](repeating: 0, count: 15) + [1], port: 22),
            code: 2
        ),
        Refusal(testDescription: "an address as a name", request: request(1, 3, named("1.2.3.4"), port: 22), code: 2),
        Refusal(testDescription: "no name", request: request(1, 3, [0], port: 22), code: 2),
        Refusal(testDescription: "another type", request: request(1, 2, [0], port: 22), code: 8),
        Refusal(testDescription: "port 0", request: request(1, 3, named("a.example.com"), port: 0), code: 2),
        Refusal(testDescription: "unlisted", request: request(1, 3, named("a.evil.example"), port: 22), code: 2),
        Refusal(testDescription: "nobody", request: request(1, 3, named("dead.example.com"), port: 22), code: 4),
    ])
    func everythingElseIsAnsweredWithItsCode(refusal: Refusal) throws {
        let yard = try TestYard(allow: ["*.example.com:22"])
        defer { yard.stop() }
        let wire = try Self.greet(yard)
        try wire.say(refusal.request)
        #expect(wire.hearAll() == [5, refusal.code, 0, 1, 0, 0, 0, 0, 0, 0])
        #expect(yard.ledger.first { $0.door == .socks && $0.treatment == .refused } != nil)
    }

    @Test func otherVersionsAndMethodsAreRefused() throws {
        let yard = try TestYard(allow: ["*.example.com:22"])
        defer { yard.stop() }
        let old: [UInt8] = [4, 1, 0, 22, 0, 0, 0, 1, 0] + Array("a.example.com".utf8) + [0]
        let cases: [([UInt8], [UInt8])] = [
            (old, [0, 0x5B, 0, 0, 0, 0, 0, 0]), ([5, 1, 2], [5, 0xFF]), ([0x16, 3, 1], []),
        ]
        for (said, answer) in cases {
            let wire = try Wire(port: yard.socksPort)
            try wire.say(said)
            #expect(wire.hearAll() == answer)
        }
    }
}

@Suite("a connection to an address that stands for a name goes where the name goes")
struct TransparentDoorTests {
    /// On a port that is neither 80 nor 443, so the port is listed for the name.
    private static func yard(_ name: String, isListed: Bool = true) throws -> TestYard {
        let yard = try TestYard(allow: [], transparentName: name)
        if isListed { try yard.replace(allow: ["*.example.com:\(yard.transparentPort)"]) }
        return yard
    }

    @Test func itIsConnectedWithoutAWord() throws {
        let listener = Listener()
        let yard = try Self.yard("p\(listener.port).example.com")
        defer { yard.stop() }
        let client = try Wire(port: yard.transparentPort)
        let server = listener.accept()
        try server.say("hello")
        #expect(try client.hear(exactly: 5) == Array("hello".utf8))
        try client.say("there")
        #expect(try server.hear(exactly: 5) == Array("there".utf8))
        client.end()
        server.end()
        #expect(yard.ledger.first { $0.door == .transparent }?.treatment == .spliced)
    }

    @Test func tlsOfAnotherNameIsRefusedOnEveryPort() throws {
        let listener = Listener()
        let yard = try Self.yard("p\(listener.port).example.com")
        defer { yard.stop() }
        let client = try Wire(port: yard.transparentPort)
        try client.say(HelloBytes("evil.example").stream)
        #expect(client.hearAll() == [0x15, 3, 3, 0, 2, 2, 112])
        #expect(listener.accept().hearAll().isEmpty)
    }

    @Test func whatIsDeniedIsBrokenOff() throws {
        let yard = try Self.yard("p1.example.com", isListed: false)
        defer { yard.stop() }
        let client = try Wire(port: yard.transparentPort)
        #expect(client.hearAll().isEmpty)
        #expect(yard.ledger.first { $0.host == "p1.example.com" }?.rule.rawValue == "network-unlisted")
        let nameless = try TestYard(allow: ["*.example.com"])
        defer { nameless.stop() }
        #expect(try Wire(port: nameless.transparentPort).hearAll().isEmpty)
        let record = nameless.ledger.first { $0.rule.rawValue == "address-unnamed" }
        #expect(record?.host == "127.0.0.1")
        #expect(record?.port == nameless.transparentPort)
    }

    @Test func aDenialWaitsForTheFirstByteWhereThereAreWordsForIt() throws {
        var greeting = TransparentGreeting(
            address: IPAddress("198.18.0.7"),
            port: 443,
            name: try HostName("a.example.com")
        )
        var none: ArraySlice<UInt8> = []
        let target = try ConnectTarget(Array("a.example.com:443".utf8))
        #expect(try greeting.read(&none, BrokerLimits()) == .tunnel(target))
        #expect(greeting.answersInKind)
        let refusal = EgressRefusal(RuleID("network-unlisted"), "it is not listed")
        #expect(greeting.denied(refusal, isMalformed: false, first: 0x16) == [0x15, 3, 3, 0, 2, 2, 49])
        #expect(
            greeting.denied(refusal, isMalformed: false, first: UInt8(ascii: "G"))?.starts(with: "HTTP/1.1 403".utf8)
                == true
        )
        #expect(greeting.denied(refusal, isMalformed: false, first: 0) == nil)
    }
}
