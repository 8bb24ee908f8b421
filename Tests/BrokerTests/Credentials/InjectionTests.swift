import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite("a secret goes into its own field of requests that its binding covers, and nowhere else")
struct InjectionTests {
    @Test func theFieldIsSetOnceWhateverTheClientPutThere() throws {
        let yard = try CredentialYard()
        let fields: [[String]] = [
            [], ["X-Api-Key: \(yard.placeholder)"], ["x-api-key: mine"], ["X_API_KEY: mine"],
            ["X-API_Key: mine", "X.Api.Key: mine"],
            ["X-Api-Key: mine", "x_api_key: mine", "x-api-key: mine"],
        ]
        let answers = try yard.ask(fields.map { [yard.request("/ok", $0)] })
        #expect(answers.allSatisfy { $0.hasSuffix("ok 0") })
        let heads = yard.received.components(separatedBy: "BODY").dropLast()
        #expect(heads.count == fields.count)
        for head in heads {
            let folded = head.lowercased().replacing("_", with: "-").replacing("x.api.key", with: "x-api-key")
            let lines = folded.components(separatedBy: "\r\n")
            #expect(lines.count { $0.hasPrefix("x-api-key:") } == 1)
            #expect(head.contains("x-api-key: \(yard.key)\r\n"))
            #expect(!head.contains("mine"))
        }
    }

    @Test func bearerAndBasicAreWrittenAsTheirStandardsSay() throws {
        let bearer = try CredentialYard(HeaderSlot(field: "authorization"))
        let asked = bearer.request("/ok", ["Authorization: Bearer \(bearer.placeholder)"])
        #expect(try bearer.ask(asked).hasSuffix("ok 0"))
        #expect(bearer.received.contains("authorization: Bearer \(bearer.key)\r\n"))
        let basic = try CredentialYard(HeaderSlot(field: "authorization", scheme: .basic(user: "x-token")))
        let written = Data("git:\(basic.placeholder)".utf8).base64EncodedString()
        #expect(try basic.ask(basic.request("/ok", ["Authorization: Basic \(written)"])).hasSuffix("ok 0"))
        let sent = Data("x-token:\(basic.key)".utf8).base64EncodedString()
        #expect(basic.received.contains("authorization: Basic \(sent)\r\n"))
        // It comes back in neither form.
        let answers = try basic.ask([[basic.request("/plain")], [basic.request("/base64-0")]])
        for answer in answers { #expect(!answer.contains("after") && !answer.contains(basic.key)) }
    }

    @Test func withoutAValueNothingLeaves() throws {
        let yard = try CredentialYard(hasValue: false)
        let answer = try yard.ask(yard.request("/ok"))
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("Bailey-Rule: credential-missing"))
        #expect(answer.contains("SERVICE_KEY"))
        #expect(yard.received.isEmpty)
        #expect(yard.denials(1).first?.rule == RuleID("credential-missing"))
        yard.put("short")
        #expect(try yard.ask(yard.request("/ok")).contains("fewer than 8 are in every answer"))
        yard.put("two\r\nlines: of it")
        #expect(try yard.ask(yard.request("/ok")).contains("credential-missing"))
        #expect(yard.received.isEmpty)
        yard.put(yard.key)
        #expect(try yard.ask(yard.request("/ok")).hasSuffix("ok 0"))
    }

    @Test func aValueThatIsReplacedIsSentFromThenOn() throws {
        let yard = try CredentialYard()
        #expect(try yard.ask(yard.request("/auth?\(yard.key)")).hasSuffix("ok"))
        let second = CredentialYard.randomKey()
        yard.put(second)
        // Two requests over one connection of the client.
        let two = yard.request("/auth?\(second)").replacingOccurrences(of: "Connection: close\r\n", with: "")
        let answers = try yard.ask([[two, yard.request("/auth?\(second)")], [yard.request("/plain")]])
        #expect(answers[0].components(separatedBy: "HTTP/1.1 200").count == 3)
        #expect(!answers[1].contains(second))
    }

    @Test func aLoginMayGiveAnotherValueOnce() throws {
        let renewing = Renewing()
        let yard = try CredentialYard(values: renewing)
        let body = "hello"
        let answers = try yard.ask([
            [yard.request("/auth?\(renewing.second)")], [yard.request("/auth?nobody")],
            [yard.request("/auth?\(renewing.second)", method: "POST", body: body)],
        ])
        #expect(answers[0].hasSuffix("ok"))
        #expect(answers[1].hasPrefix("HTTP/1.1 401 "))
        // A body that has left is not sent again; the next request has the new value.
        #expect(answers[2].hasPrefix("HTTP/1.1 401 "))
        #expect(renewing.rejections.withLock { $0 } == 3)
        #expect(yard.received.components(separatedBy: "BODY").count == 6)
    }

    /// Gives a second value to whoever was refused with the first.
    private final class Renewing: CredentialValues {
        let first = CredentialYard.randomKey()
        let second = CredentialYard.randomKey()
        let rejections = Mutex(0)

        private func value(_ text: String, on loop: any EventLoop) -> EventLoopFuture<SecretValue> {
            loop.makeCompletedFuture { try Array(text.utf8).withUnsafeBytes { try SecretValue($0) } }
        }

        func lease(_ secret: HeldSecret, on loop: any EventLoop) -> EventLoopFuture<SecretValue> {
            let value = value(first, on: loop)
            return loop.scheduleTask(in: .milliseconds(20)) {}.futureResult.flatMap { value }
        }

        func known(_ secret: HeldSecret) -> [SecretValue] { [] }

        func accepted(_ value: SecretValue, of secret: HeldSecret) {}

        func rejected(
            _ value: SecretValue,
            of secret: HeldSecret,
            on loop: any EventLoop
        ) -> EventLoopFuture<SecretValue?> {
            rejections.withLock { $0 += 1 }
            let next = self.value(second, on: loop)
            return loop.scheduleTask(in: .milliseconds(20)) {}.futureResult.flatMap { next.map { $0 } }
        }
    }

    @Test func outsideItsBindingARequestGoesWithoutOrNotAtAll() throws {
        let yard = try CredentialYard(path: "/v1", allow: ["GET https://\(CredentialYard.name)/open"])
        let answers = try yard.ask([
            [yard.request("/v1/ok")], [yard.request("/open/ok", ["X-Api-Key: mine"])],
            [yard.request("/open/ok", ["X-Api-Key: \(yard.placeholder)"])], [yard.request("/v10/ok")],
            [yard.request("/open//ok")],
        ])
        #expect(answers[0].hasSuffix("ok 0"))
        #expect(answers[1].hasSuffix("ok 0"))
        #expect(answers[2].contains("Bailey-Rule: credential-placeholder"))
        #expect(answers[3].contains("Bailey-Rule: network-request"))
        #expect(answers[4].contains("Bailey-Rule: path-syntax"))
        #expect(yard.received.components(separatedBy: yard.key).count == 2)
        #expect(yard.received.contains("X-Api-Key: mine"))
    }

    @Test func inClearNothingGoesToItsHost() throws {
        let yard = try CredentialYard()
        let client = try RawClient(port: yard.tools.yard.door("\(CredentialYard.name):80"))
        client.send(yard.request("/ok"))
        #expect(client.read().contains("Bailey-Rule: credential-plain"))
        #expect(yard.denials(1).first?.rule == RuleID("credential-plain"))
    }

    /// Some servers read what stands behind the body as if it stood before it.
    @Test func behindTheBodyItsFieldIsTakenOut() throws {
        let yard = try CredentialYard()
        let head = yard.request("/ok", method: "POST", ["Transfer-Encoding: chunked", "Trailer: X-Api-Key"])
        let trailers = ["X-Api-Key: mine", "x_api_key: mine", "X-API_Key: mine", "x-api-key: \(yard.placeholder)"]
        let answers = try yard.ask(trailers.map { [head + "2\r\nhi\r\n0\r\n\($0)\r\n\r\n"] })
        for answer in answers.prefix(3) { #expect(answer.hasSuffix("ok 12"), "\(answer)") }
        #expect(answers[3].contains("Bailey-Rule: credential-placeholder"), "\(answers[3])")
        #expect(!yard.received.contains("mine"))
        let client = """
            const session = require('http2').connect('https://\(CredentialYard.name)', {
                createConnection: () => require('tls').connect({ host: '127.0.0.1', port: \(yard.port),
                    servername: '\(CredentialYard.name)', ALPNProtocols: ['h2'],
                    ca: require('fs').readFileSync('\(yard.tools.place.path)/ca.pem') }) });
            const s = session.request({ ':method': 'POST', ':path': '/ok' }, { waitForTrailers: true });
            s.on('wantTrailers', () => s.sendTrailers({ 'x-api-key': 'mine', 'x_api_key': 'mine' }));
            let text = ''; s.on('data', (d) => text += d);
            s.on('end', () => { console.log(text); session.close(); });
            s.end('hi');
            """
        let result = try ProcessRunner.run("/usr/bin/env", arguments: ["node", "-e", client], timeoutSeconds: 30)
        #expect(result.stdout == "ok 12\n", "\(result.summary)")
    }

    @Test func overHTTP2EveryRequestHasItAndNoTableKeepsIt() throws {
        let script = """
            const server = http2.createSecureServer(options);
            server.on('stream', (s, h) => {
                const key = h['x-api-key'], kept = (h[http2.sensitiveHeaders] || []).includes('x-api-key');
                s.on('error', () => {});
                if (h[':path'] === '/plain') { s.respond({ ':status': 200 }); s.write('x'); s.end('key ' + key); }
                else if (h[':path'] === '/trailer') {
                    s.respond({ ':status': 200 }, { waitForTrailers: true });
                    s.on('wantTrailers', () => s.sendTrailers({ seen: key })); s.end('text');
                } else if (h[':path'] === '/field') { s.respond({ ':status': 200, seen: key }); s.end('text'); }
                else { s.respond({ ':status': 200 }); s.end([typeof key, (key || '').length, kept] + '\\n'); }
            });
            serve(server);
            """
        let key = CredentialYard.randomKey()
        var random = SystemRandomNumberGenerator()
        let binding = try SecretBinding(host: HTTP2Yard.name, slot: HeaderSlot(field: "x-api-key"))
        let placeholder = Placeholder(prefix: "", length: 40, random: &random)
        let secret = HeldSecret(name: "KEY", placeholder: placeholder, bindings: [binding])
        let store = SecretStore()
        Array(key.utf8).withUnsafeBytes { store.put($0, for: secret) }
        let tools = try ToolYard(
            [HTTP2Yard.name],
            allow: [HTTP2Yard.name],
            script: script,
            isNode: true,
            secrets: [secret],
            values: store
        )
        let port = try tools.yard.door("\(HTTP2Yard.name):443", isTLS: true)
        let url = "https://\(HTTP2Yard.name)"
        let good = try tools.curl(port, url + "/a", ["--http2", url + "/b", "-H", "x-api-key: \(placeholder.text)"])
        #expect(good.stdout == "string,40,true\nstring,40,true\n", "\(good.summary)")
        #expect(tools.yard.dialing.dialled.withLock { $0.count } == 1)
        for path in ["/plain", "/trailer", "/field"] {
            let bad = try tools.curl(port, url + path, ["--http2", "-i"])
            #expect(!bad.stdout.contains(key.prefix(8)), "\(path): \(bad.summary)")
            #expect(bad.status != 0 || bad.stdout.contains("credential-reflected"), "\(path): \(bad.summary)")
        }
    }
}
