import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("requests to models pass the gateway, are judged before they leave, and metered after", .serialized)
struct ModelForwardingTests {
    private static let messages = #"{"model":"m-1","max_tokens":20,"stream":true,"metadata":{"x":1}}"#

    @Test("plain HTTP inside goes on over TLS, byte for byte, and is told of before and after")
    func gateway() throws {
        let yard = try ModelYard()
        let answer = try yard.ask("/v1/messages?beta=true", Self.messages)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answer)")
        #expect(answer.contains("data: {\"type\": \"message_stop\"}"), "\(answer)")
        #expect(yard.seen() == ["/v1/messages?beta=true api.example.com identity " + Self.messages])
        let reports = yard.yard.ledger.models(2)
        guard case .requested(let requested) = reports.first else {
            Issue.record("\(reports)")
            return
        }
        #expect(requested.number == 1 && requested.provider == "example" && requested.model == "m-1")
        #expect(requested.tokens.output == 20 && requested.microdollars != nil)
        let tokens = ModelUse.Tokens(input: 40, output: 9)
        #expect(reports.last == .settled(.init(number: 1, tokens: tokens, microdollars: 85, basis: .metered)))
    }

    @Test("a whole answer, and HTTP/2 under the provider's own name")
    func ownName() throws {
        let yard = try ModelYard()
        try yard.tools.place.write(#"{"model":"m","max_output_tokens":5,"input":"x"}"#, to: "request")
        let words = ["--http2", "--data-binary", "@\(yard.tools.place.path)/request"]
        let answer = try yard.tools.curl(yard.port, "https://api.example.com/v1/responses", words)
        #expect(answer.stdout.contains(#""id": "x""#), "\(answer.summary)")
        #expect(yard.settled().first?.tokens == .init(input: 11, output: 3))
    }

    @Test(
        "a provider that speaks HTTP/2",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/node"))
    )
    func http2() throws {
        let yard = try ModelYard(isHTTP2: true)
        for _ in 0..<3 {
            let answer = try yard.ask("/v1/messages", Self.messages)
            #expect(answer.contains("data: {\"usage\":{\"output_tokens\":9}}\n\n"), "\(answer)")
        }
        #expect(yard.settled(6).map(\.tokens) == Array(repeating: .init(input: 40, output: 9), count: 3))
    }

    @Test("a WebSocket is refused with the status after which clients ask without one")
    func socket() throws {
        let yard = try ModelYard()
        let client = try RawClient(port: yard.gateway)
        client.send(
            "GET /v1/responses HTTP/1.1\r\nHost: \(ModelYard.host)\r\nConnection: Upgrade, close\r\n"
                + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        let answer = client.read(until: "}")
        #expect(answer.hasPrefix("HTTP/1.1 426 Upgrade Required") && answer.contains("model-websocket"), "\(answer)")
    }

    @Test("a chat's usage is asked for, and its frame kept from a client that did not ask")
    func chat() throws {
        let yard = try ModelYard()
        let quiet = try yard.ask("/v1/chat/completions", #"{"model":"m","stream":true}"#)
        #expect(quiet.contains("Hi") && quiet.contains("[DONE]") && !quiet.contains("completion_tokens"), "\(quiet)")
        let asked = #"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#
        #expect(try yard.ask("/v1/chat/completions", asked).contains("completion_tokens"))
        #expect(yard.seen()[0].contains(#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#))
        #expect(yard.settled(4).map(\.tokens) == Array(repeating: .init(input: 50, output: 7), count: 2))
    }

    @Test("only the gateway's own host is a request's host there, and only paths as they are written are metered")
    func hosts() throws {
        let yard = try ModelYard()
        for host in ["api.example.com", "198.18.0.1", "198.18.0.1:3131", "localhost:3130"] {
            let client = try RawClient(port: yard.gateway)
            client.send(yard.request("/v1/messages", Self.messages).replacing(ModelYard.host, with: host))
            #expect(client.read().hasPrefix("HTTP/1.1 421"), "\(host)")
        }
        for path in ["/v1/messages/", "//v1/messages", "/V1/messages", "/v1/mess%61ges"] {
            #expect(try yard.ask(path, Self.messages).contains("model-path"), "\(path)")
        }
        #expect(yard.seen() == [])
        #expect(yard.yard.ledger.models(0) == [])
    }

    @Test("what a budget does not hold is refused in the dialect's words, and nothing leaves")
    func budget() throws {
        let yard = try ModelYard(ModelRules(tokensMax: 1100))
        let first = try yard.ask("/v1/messages", Self.messages)
        #expect(first.hasPrefix("HTTP/1.1 200"), "\(first)")
        _ = yard.settled()
        let second = try yard.ask("/v1/messages", Self.messages.replacing("20", with: "60"))
        #expect(second.hasPrefix("HTTP/1.1 400") && second.contains("Bailey-Rule: model-budget"), "\(second)")
        #expect(second.contains(#"{"type":"error","error":{"type":"invalid_request_error","message":"Denied by"#))
        #expect(second.contains("49 are used") && second.contains("limits.tokens"), "\(second)")
        let chat = try yard.ask("/v1/chat/completions", #"{"model":"m"}"#)
        #expect(chat.contains(#""code":"model-budget"}}"#) && chat.contains("X-Should-Retry: false"), "\(chat)")
        #expect(yard.seen().count == 1)
        let refused = yard.yard.ledger.records.filter { $0.rule == RuleID("model-budget") }
        #expect(refused.count == 2 && refused.allSatisfy { $0.verdict == .deny })
    }

    @Test("of requests at once only as many leave as fit")
    func race() throws {
        let yard = try ModelYard(ModelRules(microdollarsMax: 3 * 1200 + 100))
        // Each sets aside 1,031 tokens of input, and 20 of output that cost five times as much.
        let body = #"{"model":"m","max_tokens":20,"stream":true,"user":"endless"}"#
        let descriptors = try (0..<12).map { _ in
            let client = try RawClient(port: yard.gateway)
            client.send(yard.request("/v1/messages", body))
            return try client.again()
        }
        // Whoever left would give back what was set aside for it.
        defer { for descriptor in descriptors { close(descriptor) } }
        let answers = descriptors.map { RawClient(owning: dup($0)).read(until: "\r\n") }
        #expect(answers.filter { $0.hasPrefix("HTTP/1.1 200") }.count == 3, "\(answers)")
        #expect(answers.filter { $0.hasPrefix("HTTP/1.1 400") }.count == 9)
        #expect(yard.seen().count == 3)
    }

    @Test("models outside the list, without a price, and bodies that cannot be read are refused")
    func refusals() throws {
        let yard = try ModelYard(ModelRules(models: ["m-*", "n"], microdollarsMax: 1_000_000), prices: [])
        for (body, rule, words) in [
            (#"{"model":"x"}"#, "model-unlisted", "m-*, n"), (#"{"model":"n"}"#, "model-unpriced", "models.prices"),
            (#"{"model":"m-1","models":["x"]}"#, "model-elsewhere", "models"), ("nonsense", "model-body", "no JSON"),
            (#"{"model":"m-1","model":"m-2"}"#, "model-body", "twice"),
        ] {
            let answer = try yard.ask("/v1/chat/completions", body)
            #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("Bailey-Rule: \(rule)"), "\(answer)")
            #expect(answer.contains(words), "\(answer)")
        }
        let packed = try yard.ask("/v1/chat/completions", "x", "Content-Encoding: zstd\r\n")
        #expect(packed.contains("model-body") && packed.contains("zstd"), "\(packed)")
        #expect(try yard.ask("/v1/embeddings", "{}").contains("model-unmetered"))
        #expect(yard.seen() == [])
    }

    @Test("errors cost nothing, and what does not say what it used is estimated and flagged")
    func endings() throws {
        let yard = try ModelYard()
        func ask(_ how: String, _ stream: Bool = false) throws {
            let body = #"{"model":"m","max_tokens":9,"stream":\#(stream),"user":"\#(how)"}"#
            _ = try yard.ask("/v1/messages", body)
        }
        try ask("error")
        try ask("limit")
        try ask("silent")
        try ask("half", true)
        let settled = yard.settled(8)
        #expect(settled.map(\.basis) == [.free, .free, .estimated, .estimated], "\(settled)")
        #expect(settled[0].tokens == .init() && settled[2].tokens.input > 1000)
        #expect(settled[3].tokens.input == 40 && (1...9).contains(settled[3].tokens.output), "\(settled[3])")
    }

    @Test("a client that leaves ends the request outside, which is settled by what was seen")
    func disconnect() throws {
        let yard = try ModelYard()
        do {
            let client = try RawClient(port: yard.gateway)
            client.send(yard.request("/v1/messages", #"{"model":"m","max_tokens":9,"stream":true,"user":"endless"}"#))
            #expect(client.read(until: "message_start").contains("200"))
        }
        let settled = yard.settled()
        #expect(settled.count == 1 && settled.first?.basis == .estimated && settled.first?.tokens.input == 40)
        for _ in 0..<500 where (try? yard.tools.place.read("broken.log")) == nil { usleep(10_000) }
        #expect((try? yard.tools.place.read("broken.log")) == "broken\n")
    }

    @Test("nothing leaves that nobody would hear of, and what cannot be sent costs nothing")
    func unheard() throws {
        let yard = try ModelYard(ModelRules(tokensMax: 2000))
        yard.yard.ledger.isHeard.withLock { $0 = false }
        let answer = try yard.ask("/v1/messages", Self.messages)
        #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("model-ledger"), "\(answer)")
        #expect(yard.seen() == [])
        yard.yard.ledger.isHeard.withLock { $0 = true }
        try yard.yard.lead("\(ModelYard.name):443", to: ForwardingYard.freePort())
        #expect(try yard.ask("/v1/messages", Self.messages).hasPrefix("HTTP/1.1 502"))
        #expect(yard.settled(3).map(\.basis) == [.free])
        try yard.yard.lead("\(ModelYard.name):443", to: yard.tools.server.port)
        #expect(try yard.ask("/v1/messages", Self.messages).hasPrefix("HTTP/1.1 200"))
    }

    @Test("where whoever hears of it is behind, a request waits, and leaves when it is told")
    func late() throws {
        let yard = try ModelYard(ModelRules(tokensMax: 2000))
        yard.yard.ledger.delay.withLock { $0 = 300 }
        #expect(try yard.ask("/v1/messages", Self.messages).hasPrefix("HTTP/1.1 200"))
        #expect(yard.settled().map(\.basis) == [.metered])
        yard.yard.ledger.isHeard.withLock { $0 = false }
        let answer = try yard.ask("/v1/messages", Self.messages)
        #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("model-ledger"), "\(answer)")
        #expect(yard.seen().count == 1)
        yard.yard.ledger.isHeard.withLock { $0 = true }
        #expect(try yard.ask("/v1/messages", Self.messages).hasPrefix("HTTP/1.1 200"))
        #expect(yard.yard.ledger.models(5).count == 5)
    }

    @Test("a request that ends while it waits to be told is not told, and gives back what was set aside")
    func forbidden() throws {
        // There is room for one request at a time.
        let yard = try ModelYard(ModelRules(tokensMax: 1100))
        yard.yard.ledger.delay.withLock { $0 = 20_000 }
        let client = try RawClient(port: yard.gateway)
        client.send(yard.request("/v1/messages", Self.messages))
        usleep(300_000)
        let settings = yard.yard.store.current
        var other = settings
        other.policy = NetworkPolicy()
        yard.yard.store.replace(other)
        #expect(client.read(until: "Bailey-Rule: ").hasPrefix("HTTP/1.1 403"))
        yard.yard.store.replace(settings)
        yard.yard.ledger.delay.withLock { $0 = nil }
        let answer = try yard.ask("/v1/messages", Self.messages)
        #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
        #expect(yard.seen().count == 1)
        #expect(yard.settled().map(\.number) == [2])
    }

    @Test("placeholders are masked on the way to a model, and the request goes on")
    func mask() throws {
        let yard = try ModelYard()
        var random = SystemRandomNumberGenerator()
        let own = Placeholder(prefix: "key-", length: 60, random: &random)
        let other = Placeholder(prefix: "", length: 40, random: &random)
        var settings = yard.yard.store.current
        settings.secrets = [HeldSecret(name: "KEY", placeholder: own, bindings: [])]
        yard.yard.store.replace(settings)
        let body = #"{"model":"m","max_tokens":9,"system":"KEY=\#(own.text)\n\#(other.text)\n"}"#
        let answer = try yard.ask("/v1/messages", body)
        #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
        let seen = try #require(yard.seen().first)
        #expect(seen.contains(#""system":"KEY=********\n"#), "\(seen)")
        #expect(Placeholder.cores(in: Array(seen.utf8)) == [])
        let alarms = yard.yard.ledger.records.filter { $0.rule == RuleID("credential-placeholder") }
        #expect(alarms.count == 1 && alarms.first?.verdict == .deny)
    }
}
