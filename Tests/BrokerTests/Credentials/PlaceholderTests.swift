import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

@Suite("a placeholder that stands where it does not belong is denied and told")
struct PlaceholderTests {
    private static let alarm = RuleID("credential-placeholder")

    private func forms(_ text: String) -> [String] {
        let core = String(text.suffix(Placeholder.coreCount))
        let encoded = (0..<3).flatMap { before in
            let base64 = Data((String(repeating: "x", count: before) + core + "z").utf8).base64EncodedString()
            return [base64, base64.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")]
        }
        let hex = core.utf8.map { String($0, radix: 16) }.joined()
        return [text, core, hex, hex.uppercased(), core.utf8.map { "%" + String($0, radix: 16) }.joined()] + encoded
    }

    @Test func inPathsQueriesAndFieldsInEveryForm() throws {
        let yard = try CredentialYard()
        let requests = forms(yard.placeholder).flatMap { form in
            [
                yard.request("/a/\(form.replacingOccurrences(of: "/", with: "%2f"))"),
                yard.request("/a?key=\(form)"), yard.request("/a", ["Referer: https://example.com/\(form)"]),
                yard.request("/a", ["Cookie: a=\(form)"]),
            ]
        }
        let half = yard.placeholder.replacingOccurrences(of: "B", with: "%42")
        let more = [
            yard.request("/a?\(half)"), yard.request("/a", ["X-\(yard.placeholder): a"]),
            yard.request("/a", ["X-Api-Key: a \(yard.placeholder)"]),
            yard.request("/a", ["X-Api-Key: Bearer \(yard.placeholder) b"]),
        ]
        let answers = try yard.ask((requests + more).map { [$0] })
        for (request, answer) in zip(requests + more, answers) {
            #expect(answer.contains("Bailey-Rule: credential-placeholder"), "\(request)\(answer)")
        }
        #expect(yard.received.isEmpty)
        #expect(yard.denials(answers.count).allSatisfy { $0.rule == Self.alarm })
    }

    @Test func inBodiesInWhateverPieces() throws {
        let yard = try CredentialYard()
        var cases: [[String]] = []
        for form in forms(yard.placeholder) {
            let body = "a=b&key=\(form)&" + String(repeating: "c", count: 100)
            cases.append([yard.request("/a", method: "POST", body: body)])
        }
        let whole = yard.request("/a", method: "POST", body: "{\"key\":\"\(yard.placeholder)\"} and more")
        let start = whole.distance(
            from: whole.startIndex,
            to: whole.range(of: yard.placeholder)?.lowerBound ?? whole.startIndex
        )
        for place in stride(from: start, to: start + yard.placeholder.count, by: 7) {
            cases.append([String(whole.prefix(place)), String(whole.dropFirst(place))])
        }
        let chunk = String(yard.placeholder.count, radix: 16) + "\r\n\(yard.placeholder)\r\n0\r\n"
        let head = yard.request("/a", method: "POST", ["Transfer-Encoding: chunked", "Trailer: X-A"])
        cases.append([head, chunk + "\r\n"])
        cases.append([head + "1\r\na\r\n0\r\nX-A: \(yard.placeholder)\r\n\r\n"])
        let answers = try yard.ask(cases)
        for (pieces, answer) in zip(cases, answers) {
            #expect(answer.contains("Bailey-Rule: credential-placeholder"), "\(pieces)\(answer)")
        }
        #expect(!yard.received.contains("BODY"))
        #expect(yard.denials(answers.count).allSatisfy { $0.rule == Self.alarm })
    }

    @Test func otherBodiesGoOnWhole() throws {
        let yard = try CredentialYard()
        let big = String(repeating: "BAILEY and others, ", count: 50_000)
        let end = "ends like one: " + yard.placeholder.dropLast()
        let answers = try yard.ask([
            [yard.request("/ok", method: "POST", body: big)], [yard.request("/ok", method: "POST", body: end)],
            [yard.request("/early", method: "POST", body: big)],
        ])
        #expect(answers[0].hasSuffix("ok \(big.utf8.count)"))
        #expect(answers[1].hasSuffix("ok \(end.utf8.count)"))
        #expect(answers[2].contains("ok "))
    }

    @Test func toOtherHostsAndThroughTheProxyInClear() throws {
        let yard = try CredentialYard(allow: ["http://plain.example.com/", "*.wide.example.com:80"])
        let empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        let server = try ScriptedServer { $0.contains("\r\n\r\n") ? empty : nil }
        try yard.tools.yard.lead("plain.example.com:80", to: server.port)
        let proxy = try yard.tools.yard.door("plain.example.com:80", .proxy)
        let core = String(yard.placeholder.suffix(Placeholder.coreCount)).lowercased()
        for request in [
            "GET http://plain.example.com/?\(yard.placeholder) HTTP/1.1\r\nHost: plain.example.com\r\n\r\n",
            "GET http://\(core).wide.example.com/ HTTP/1.1\r\nHost: \(core).wide.example.com\r\n\r\n",
            "GET http://unlisted.example.com/ HTTP/1.1\r\nHost: unlisted.example.com\r\nX: \(yard.placeholder)\r\n\r\n",
        ] {
            let client = try RawClient(port: proxy)
            client.send(request)
            client.endOutput()
            #expect(client.read().contains("Bailey-Rule: credential-placeholder"), "\(request)")
        }
        #expect(server.received.isEmpty)
        let good = try RawClient(port: proxy)
        good.send("GET http://plain.example.com/ HTTP/1.1\r\nHost: plain.example.com\r\n\r\n")
        #expect(good.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
    }

    /// A client that follows a redirect to another host and takes its fields along.
    @Test func aRedirectCarriesNothingAway() throws {
        let yard = try CredentialYard()
        let answer = try yard.ask(yard.request("/away", ["X-Api-Key: \(yard.placeholder)"]))
        #expect(answer.contains("Location: https://other.example.com/"))
        let other = try yard.tools.yard.door("other.example.com:443", isTLS: true)
        let followed = yard.request("/", host: "other.example.com", ["X-Api-Key: \(yard.placeholder)"])
        let answers = try yard.ask([[followed]], host: "other.example.com", port: other)
        #expect(answers.first?.contains("Bailey-Rule: credential-placeholder") == true)
        #expect(yard.received.components(separatedBy: "BODY").count == 2)
    }
}
