import Broker
import BrokerLink
import Domain
import Egress
import Glibc
import Testing

@Suite("the HTTP proxy lets a listed name through, and says why another is not")
struct ProxyDoorTests {
    private static let hello = HelloBytes.answer(isRetry: false)

    @Test func aTunnelCarriesTLSOfItsNameBothWays() throws {
        let yard = try TestYard(allow: ["*.example.com"])
        defer { yard.stop() }
        let listener = Listener()
        let name = "p\(listener.port).example.com"
        let (client, head) = try yard.connect("\(name):443")
        #expect(head.hasPrefix("HTTP/1.1 200 "))
        let server = listener.accept()
        let hello = HelloBytes(name).stream
        try client.say(hello)
        #expect(try server.hear(exactly: hello.count) == hello)
        try server.say(Self.hello)
        #expect(try client.hear(exactly: Self.hello.count) == Self.hello)
        try client.say("up")
        #expect(try server.hear(exactly: 2) == Array("up".utf8))
        // An end is carried over, and the other direction goes on.
        client.end()
        #expect(try server.hear().isEmpty)
        try server.say("down")
        server.end()
        #expect(client.hearAll() == Array("down".utf8))
        let record = yard.ledger.first { $0.treatment == .spliced }
        #expect(record?.host == name)
        #expect(record?.port == 443)
        #expect(record?.bytesOut == UInt64(hello.count + 2))
        #expect(record?.bytesIn == UInt64(Self.hello.count + 4))
        #expect(record?.ending == nil)
        #expect(record?.address == IPAddress("127.0.0.1"))
        #expect(yard.keeper.crossings.count == 0)
    }

    @Test func whatIsNotListedIsDeniedInWords() throws {
        let yard = try TestYard(allow: ["api.example.com"])
        defer { yard.stop() }
        let wire = try Wire(port: yard.proxyPort)
        try wire.say("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n" + "more that nobody reads")
        let answer = String(decoding: wire.hearAll(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 403 Denied by policy (network-unlisted)\r\n"))
        for part in [
            "Denied by Bailey's policy", "Rule: network-unlisted", "Allowed by:", "Do not look for another way",
        ] {
            #expect(answer.contains(part))
        }
        let record = yard.ledger.first { $0.host == "evil.example" }
        #expect(record?.verdict == .deny)
        #expect(record?.treatment == .refused)
        let json = try Wire(port: yard.proxyPort)
        try json.say("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nAccept: application/json\r\n\r\n")
        let body = String(decoding: json.hearAll(), as: UTF8.self)
        #expect(body.contains(#"{"error":"denied_by_policy","rule":"network-unlisted""#))
    }

    @Test func nobodyAtHomeIsNoDenial() throws {
        let yard = try TestYard(allow: ["dead.example.com"])
        defer { yard.stop() }
        let (client, head) = try yard.connect("dead.example.com:443")
        #expect(head.hasPrefix("HTTP/1.1 502 "))
        #expect(String(decoding: client.hearAll(), as: UTF8.self).contains("did not answer"))
        let record = yard.ledger.first { $0.host == "dead.example.com" }
        #expect(record?.verdict == .allow)
        #expect(record?.ending?.contains("did not answer") == true)
    }

    @Test func timeThatRanOutIsSaid() throws {
        let yard = try TestYard(allow: ["slow.example.com"])
        defer { yard.stop() }
        #expect(try yard.connect("slow.example.com:443").1.hasPrefix("HTTP/1.1 504 "))
    }

    /// What stands in the tunnel in place of a ClientHello with its name.
    struct Misuse: Sendable, CustomTestStringConvertible {
        let rule: String
        let bytes: [UInt8]
        let answer: [UInt8]
        var testDescription: String { rule }
    }

    @Test(arguments: [
        Misuse(
            rule: "tls-name-other",
            bytes: HelloBytes("evil.example").stream,
            answer: [0x15, 3, 3, 0, 2, 2, 112]
        ),
        Misuse(rule: "tls-name-missing", bytes: HelloBytes().stream, answer: [0x15, 3, 3, 0, 2, 2, 112]),
        Misuse(rule: "tls-not", bytes: Array("SSH-2.0-x\r\n".utf8), answer: Array("HTTP/1.1 403".utf8)),
        Misuse(
            rule: "tls-not",
            bytes: Array("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n".utf8),
            answer: Array("HTTP/1.1 403".utf8)
        ),
        Misuse(rule: "tls-hello", bytes: [0x16, 3, 1, 0, 4, 2, 0, 0, 0], answer: [0x15, 3, 3, 0, 2, 2, 49]),
    ])
    func nothingElsePassesATunnelToTLS(misuse: Misuse) throws {
        let yard = try TestYard(allow: ["*.example.com"])
        defer { yard.stop() }
        let listener = Listener()
        let (client, head) = try yard.connect("p\(listener.port).example.com:443")
        #expect(head.hasPrefix("HTTP/1.1 200 "))
        let server = listener.accept()
        try client.say(misuse.bytes)
        #expect(client.hearAll().starts(with: misuse.answer))
        #expect(server.hearAll().isEmpty)
        let record = yard.ledger.first { $0.treatment == .refused }
        #expect(record?.rule.rawValue == misuse.rule)
        #expect(record?.bytesOut == 0)
    }

    @Test func anEncryptedHelloIsRefused() throws {
        let yard = try TestYard(allow: ["*.example.com"])
        defer { yard.stop() }
        let listener = Listener()
        let name = "p\(listener.port).example.com"
        let (client, _) = try yard.connect("\(name):443")
        var hello = HelloBytes(name)
        hello.extensions = [(0xFE0D, [0, 0])]
        try client.say(hello.stream)
        #expect(client.hearAll() == [0x15, 3, 3, 0, 2, 2, 49])
        #expect(yard.ledger.first { $0.rule.rawValue == "tls-encrypted-hello" } != nil)
    }

    @Test func requestsAreHandedOn() throws {
        let yard = try TestYard(allow: ["example.com:80", "GET https://api.example.com/v1", "forge.example.com"])
        defer { yard.stop() }
        var settings = yard.store.current
        settings.forges = [try HostName("forge.example.com")]
        yard.store.replace(settings)
        let plain = try Wire(port: yard.proxyPort)
        let request = "GET http://example.com/a?b HTTP/1.1\r\nHost: example.com\r\n\r\nrest"
        try plain.say(request)
        #expect(plain.hearAll() == Array("forwarded\n".utf8))
        let expected = TestForwarder.Handed(target: "example.com:80", head: Array(request.utf8), isTLS: false)
        #expect(yard.forwarder.all.first == expected)
        for name in ["api.example.com", "forge.example.com"] {
            let (client, head) = try yard.connect("\(name):443")
            #expect(head.hasPrefix("HTTP/1.1 200 "))
            let hello = HelloBytes(name).stream
            try client.say(hello)
            #expect(client.hearAll() == Array("forwarded\n".utf8))
            #expect(yard.forwarder.all.contains { $0.target == "\(name):443" && $0.head == hello && $0.isTLS })
        }
        let (fronted, _) = try yard.connect("api.example.com:443")
        try fronted.say(HelloBytes("evil.example").stream)
        #expect(fronted.hearAll() == [0x15, 3, 3, 0, 2, 2, 112])
        #expect(yard.forwarder.all.count == 3)
    }

    @Test func aSlowGreetingAndAnEndlessOneAreCutOff() throws {
        var limits = BrokerLimits()
        limits.greetingSeconds = 0.3
        limits.headBytes = 4096
        let yard = try TestYard(allow: ["*.example.com"], limits: limits)
        defer { yard.stop() }
        let silent = try Wire(port: yard.proxyPort)
        try silent.say("CONNECT ")
        #expect(String(decoding: silent.hearAll(), as: UTF8.self).hasPrefix("HTTP/1.1 408 "))
        let endless = try Wire(port: yard.proxyPort)
        try? endless.say("GET http://example.com/ HTTP/1.1\r\nX: " + String(repeating: "a", count: 8192))
        #expect(String(decoding: endless.hearAll(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        // Within a tunnel, a ClientHello that was begun is owed, too.
        let listener = Listener()
        let (client, _) = try yard.connect("p\(listener.port).example.com:443")
        try client.say([0x16, 3, 1])
        #expect(client.hearAll().isEmpty)
        #expect(yard.ledger.first { $0.ending?.contains("greetingSeconds") == true } != nil)
    }

    @Test func limitsAreNamed() throws {
        var limits = BrokerLimits()
        limits.connections = 2
        let yard = try TestYard(allow: ["*.example.com"], limits: limits)
        defer { yard.stop() }
        let first = try Wire(port: yard.proxyPort)
        let second = try Wire(port: yard.proxyPort)
        for wire in [first, second] { try wire.say("C") }
        while yard.keeper.crossings.count < 2 { usleep(1000) }
        let third = try Wire(port: yard.proxyPort)
        #expect(third.hearAll().isEmpty)
        #expect(yard.ledger.first { $0.rule.rawValue == "limit-connections" } != nil)
    }

    @Test func asManyAsMayBeDecidedAtOnceAreAndNoMore() throws {
        var limits = BrokerLimits()
        limits.pending = 2
        let yard = try TestYard(allow: ["*.example.com"], limits: limits)
        defer { yard.stop() }
        let silent = try Wire(port: yard.proxyPort)
        let begun = try [Wire(port: yard.proxyPort), Wire(port: yard.proxyPort)]
        for wire in begun { try wire.say("CONN") }
        var answer = ""
        for _ in 0..<200 where !answer.hasPrefix("HTTP/1.1 503 ") {
            let more = try Wire(port: yard.proxyPort)
            try more.say("CONNECT dead.example.com:443 HTTP/1.1\r\nHost: dead.example.com\r\n\r\n")
            answer = String(decoding: more.hearAll(), as: UTF8.self)
        }
        #expect(answer.contains("limit-pending"))
        // They end, and others are decided again.
        for wire in begun { try wire.say("\r\n\r\n") }
        for wire in begun { #expect(String(decoding: wire.hearAll(), as: UTF8.self).hasPrefix("HTTP/1.1 400 ")) }
        try silent.say("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        #expect(String(decoding: silent.hearAll(), as: UTF8.self).hasPrefix("HTTP/1.1 403 "))
    }

    @Test func passwordsStayOutOfRecords() throws {
        let yard = try TestYard(allow: ["*.example.com"])
        defer { yard.stop() }
        let wire = try Wire(port: yard.proxyPort)
        try wire.say("CONNECT user:hunter2@a.example.com:443 HTTP/1.1\r\nHost: a.example.com\r\n\r\n")
        #expect(String(decoding: wire.hearAll(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        #expect(yard.ledger.first { $0.host.hasPrefix("a.example.com") } != nil)
        #expect(!yard.ledger.all.contains { $0.host.contains("hunter2") })
    }
}
