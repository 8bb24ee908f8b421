import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite("a secret that a service sends back does not come in")
struct ReflectionTests {
    /// Heads go out before bodies are read, so that a hit there cuts the answer off.
    @Test func ofEveryFormNothingComesIn() throws {
        let yard = try CredentialYard(key: CredentialYard.randomKey(30) + "+/=&\"" + CredentialYard.randomKey(5))
        let heads = ["field", "reason", "cookie", "redirect", "hint"]
        let bodies = [
            "plain", "base64-0", "base64-1", "base64-2", "url64-0", "url64-1", "url64-2", "bytes", "gzip", "twogzip",
            "deflate", "rawdeflate", "trailer", "percent", "form", "json", "slash", "hex",
        ]
        let answers = try yard.ask((heads + bodies).map { [yard.request("/" + $0)] })
        let pieces = Set((0...yard.key.count - 8).map { String(yard.key.dropFirst($0).prefix(8)) })
        for (name, answer) in zip(heads + bodies, answers) {
            #expect(!pieces.contains { answer.contains($0) }, "\(name): \(answer)")
            #expect(!answer.contains(Data(yard.key.utf8).base64EncodedString().prefix(20)), "\(name)")
            if heads.contains(name) {
                #expect(answer.hasPrefix("HTTP/1.1 502 "), "\(name): \(answer)")
                #expect(answer.contains("Bailey-Rule: credential-reflected"), "\(name)")
            } else {
                #expect(!answer.hasSuffix("0\r\n\r\n"), "\(name): an answer that was cut looks whole")
            }
        }
        let denials = yard.denials(answers.count)
        #expect(denials.count == answers.count)
        #expect(denials.allSatisfy { $0.rule == RuleID("credential-reflected") })
        #expect(yard.received.components(separatedBy: yard.key).count == answers.count + 1)
    }

    /// A service may have kept what came with another request.
    @Test func answersToRequestsWithoutItAreLookedThroughToo() throws {
        let yard = try CredentialYard(path: "/api", allow: ["https://\(CredentialYard.name)/"])
        let part = ["Range: bytes=5-12"]
        let requests = [("/api/keep", []), ("/kept", []), ("/kept", part), ("/zipped", []), ("/ok", [])]
        let answers = try requests.map { try yard.ask(yard.request($0.0, $0.1)) }
        #expect(answers[0].hasSuffix("ok 0") && answers[4].hasSuffix("ok 0"), "\(answers)")
        #expect(!answers.contains { $0.contains(yard.key.prefix(8)) }, "\(answers)")
        #expect(yard.received.components(separatedBy: yard.key).count == 2)
        #expect(!yard.received.contains("Range:"))
        let denials = yard.denials(answers.count)
        #expect(denials.count == 3 && denials.allSatisfy { $0.rule == RuleID("credential-reflected") })
    }

    /// A login is renewed while services still know the token before it.
    @Test("what was carried before does not come in either") func carriedBefore() throws {
        for (path, name) in [(nil, "bound"), ("/api", "unbound")] {
            let renewed = RenewedValues()
            let yard = try CredentialYard(
                path: path,
                allow: path == nil ? [] : ["https://\(CredentialYard.name)/"],
                values: renewed
            )
            #expect(try yard.ask(yard.request("/api/keep")).hasSuffix("ok 0"))
            renewed.renew()
            let answer = try yard.ask(yard.request("/kept"))
            #expect(!answer.contains(renewed.first.prefix(8)), "\(name): \(answer)")
            #expect(try yard.ask(yard.request("/ok")).hasSuffix("ok 0"), "\(name)")
            let denials = yard.denials(3)
            #expect(denials.map(\.rule) == [RuleID("credential-reflected")], "\(name)")
        }
    }

    /// One value, and then another.
    private final class RenewedValues: CredentialValues {
        let first = CredentialYard.randomKey()
        let second = CredentialYard.randomKey()
        private let isRenewed = Mutex(false)

        func renew() { isRenewed.withLock { $0 = true } }

        private func value(_ text: String) throws -> SecretValue {
            try Array(text.utf8).withUnsafeBytes { try SecretValue($0) }
        }

        func lease(_ secret: HeldSecret, on loop: any EventLoop) -> EventLoopFuture<SecretValue> {
            let text = isRenewed.withLock { $0 } ? second : first
            return loop.makeCompletedFuture { try value(text) }
        }

        func known(_ secret: HeldSecret) -> [SecretValue] {
            let texts = isRenewed.withLock { $0 } ? [second, first] : [first]
            return texts.compactMap { try? value($0) }
        }

        func accepted(_ value: SecretValue, of secret: HeldSecret) {}

        func rejected(
            _ value: SecretValue,
            of secret: HeldSecret,
            on loop: any EventLoop
        ) -> EventLoopFuture<SecretValue?> { loop.makeSucceededFuture(nil) }
    }

    @Test func fieldsMayNotBeNamedForIt() throws {
        let yard = try CredentialYard()
        #expect(try yard.ask(yard.request("/fieldname")).hasPrefix("HTTP/1.1 502 "))
        // What is in upper case outside is in lower case inside.
        let lower = try CredentialYard(key: CredentialYard.randomKey().lowercased())
        #expect(try lower.ask(lower.request("/uppername")).hasPrefix("HTTP/1.1 502 "))
    }

    @Test func splitAtEveryByteItIsFound() throws {
        let yard = try CredentialYard()
        let text = "before \(yard.key) after"
        let answers = try yard.ask((1..<text.count).map { [yard.request("/split?\($0)")] })
        for (place, answer) in answers.enumerated() {
            #expect(!answer.contains(yard.key.prefix(8)), "\(place + 1): \(answer)")
            #expect(!answer.contains("after"), "\(place + 1)")
        }
    }

    @Test func otherAnswersComeUnchanged() throws {
        let yard = try CredentialYard()
        let names = ["ok", "half", "goodgzip", "big", "away", "hint?no"]
        let fields = ["Range: bytes=0-3", "Accept-Encoding: gzip"]
        let answers = try yard.ask(names.map { [yard.request("/" + $0, fields)] })
        #expect(answers[0].hasSuffix("\r\n\r\nok 0"))
        #expect(answers[1].hasSuffix(String(repeating: "x", count: 100) + yard.key.dropLast()))
        let good = answers[2]
        #expect(good.components(separatedBy: "good ").count > 3900)
        #expect(!good.lowercased().contains("content-encoding"))
        #expect(!good.contains("Content-Length"))
        #expect(good.contains("ETag: W/\"a\""))
        #expect(answers[3].hasSuffix(String(repeating: "abcdefgh", count: 1 << 20)))
        #expect(answers[4].contains("Location: https://other.example.com/\r\n"))
        // Parts and codings were not asked for.
        #expect(!yard.received.lowercased().contains("range:"))
        #expect(yard.received.components(separatedBy: "Accept-Encoding: identity").count == names.count + 1)
    }

    /// What cannot begin the secret does not wait; what can, waits for the end of the answer at most.
    @Test func anAnswerThatDripsPassesAsItComes() throws {
        let yard = try CredentialYard()
        let client = """
            import socket, ssl, time
            context = ssl.create_default_context(cafile='\(yard.tools.place.path)/ca.pem')
            raw = socket.create_connection(('127.0.0.1', \(yard.port)), timeout=30)
            c = context.wrap_socket(raw, server_hostname='\(CredentialYard.name)')
            c.sendall(b'GET /drip HTTP/1.1\\r\\nHost: \(CredentialYard.name)\\r\\nConnection: close\\r\\n\\r\\n')
            began, drops, early, got = time.monotonic(), 0, b'', b''
            while True:
                part = c.recv(65536)
                if not part: break
                got += part
                if b'1\\r\\n\\n\\r\\n' in part: drops += 1
                if time.monotonic() - began < 2.5: early = got
            print(drops > 5, b'\(yard.key.prefix(8))' in early, b'\(yard.key.dropLast())' in got,
                got.endswith(b'0\\r\\n\\r\\n'))
            """
        let result = try ProcessRunner.run("/usr/bin/env", arguments: ["python3", "-c", client], timeoutSeconds: 60)
        #expect(result.stdout == "True False True True\n", "\(result.summary)")
    }

    @Test func whatCannotBeReadIsRefused() throws {
        let yard = try CredentialYard()
        let names = ["br", "double", "part", "badgzip", "cutgzip", "bomb", "latebomb"]
        let answers = try yard.ask(names.map { [yard.request("/" + $0)] })
        for (name, answer) in zip(names, answers).prefix(3) {
            #expect(answer.hasPrefix("HTTP/1.1 502 "), "\(name): \(answer.prefix(200))")
        }
        #expect(answers[0].contains("Bailey-Rule: credential-encoding"))
        #expect(answers[2].contains("Bailey-Rule: credential-partial"))
        for answer in answers { #expect(!answer.hasSuffix("0\r\n\r\n")) }
        let kibibytes = answers.suffix(2).map { $0.utf8.count { $0 == UInt8(ascii: "0") } }
        // What came well before does not buy it room.
        #expect(kibibytes.allSatisfy { $0 < 12 << 10 }, "\(kibibytes)")
        #expect(yard.denials(names.count).count == names.count)
    }

    @Test func aWebSocketIsRefused() throws {
        let yard = try CredentialYard()
        let answer = try yard.ask(
            """
            GET /upgrade HTTP/1.1\r\nHost: api.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
            GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n
            """
        )
        #expect(answer.contains("Bailey-Rule: credential-websocket"))
        #expect(yard.received.isEmpty)
    }
}
