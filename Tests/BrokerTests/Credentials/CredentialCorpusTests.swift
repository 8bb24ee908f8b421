import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

/// Every row of kind `credential` of the corpus, as what a program inside would send.
@Suite("the corpus of credentials")
struct CredentialCorpusTests {
    /// What a row says in words, as bytes.
    private struct Attempt {
        let pieces: [String]
        var isPlain = false
        var toOther = false
        var path: String?
        /// What a denial says.
        var rule = "credential-placeholder"
    }

    private static let messages = "/v1/messages"

    private static func attempts(_ yard: CredentialYard) -> [String: Attempt] {
        let own = yard.placeholder
        var random = SystemRandomNumberGenerator()
        let foreign = Placeholder(prefix: "pk-", length: 48, random: &random).text
        func post(_ path: String, _ fields: [String], body: String = "{}") -> String {
            yard.request(path, method: "POST", fields, body: body)
        }
        let split = post(messages, ["X-Api-Key: \(own)"])
        let middle = split.index(split.range(of: own)?.lowerBound ?? split.startIndex, offsetBy: 20)
        return [
            "E507": Attempt(
                pieces: [yard.request("/", host: "other.example.com", ["Authorization: Bearer \(own)"])],
                toOther: true
            ),
            "E508": Attempt(pieces: [yard.request(messages, ["X-Api-Key: \(own)"])], isPlain: true),
            "E509": Attempt(pieces: [post(messages, ["X-Api-Key: \(foreign)"])]),
            "E510": Attempt(pieces: [post(messages, ["User-Agent: \(own)"])]),
            "E511": Attempt(pieces: [post(messages, [], body: "{\"key\":\"\(own)\"}")]),
            "E513": Attempt(pieces: [yard.request(messages, method: "TRACE")], rule: "http-method"),
            "E514": Attempt(
                pieces: [
                    post(messages, ["X-Api-Key: a"]).replacingOccurrences(
                        of: "Connection: close",
                        with: "Connection: close, x-api-key"
                    )
                ],
                rule: "http-connection"
            ),
            "E516": Attempt(pieces: [post(messages, ["X-Api-Key: \(own)", "X-Api-Key: other"])]),
            "E517": Attempt(pieces: [post(messages, ["X-Ap\u{131}-Key: \(own)"])], rule: "http-syntax"),
            "E518": Attempt(pieces: [post("/v1/../admin", [])], rule: "path-syntax"),
            "E519": Attempt(pieces: [post("/v1/%2e%2e/admin", [])], rule: "path-syntax"),
            "E520": Attempt(pieces: [post("/v1/%252e%252e/admin", [])], rule: "path-syntax"),
            "E523": Attempt(pieces: [post("/v1/messages;x=/../admin", [])], rule: "path-syntax"),
            "E527": Attempt(pieces: [post(messages, ["X-Api-Key: \(own)"])]),
            "E528": Attempt(pieces: [post(messages, [])]),
            "E529": Attempt(pieces: [String(split[..<middle]), String(split[middle...])]),
            "E530": Attempt(pieces: [post(messages + "?beta=true", [])]),
        ]
    }

    @Test func everyRowIsDecidedAsItMustBe() throws {
        let yard = try CredentialYard(methods: ["POST"], path: Self.messages)
        let clear = try yard.tools.yard.door("\(CredentialYard.name):80")
        let other = try yard.tools.yard.door("other.example.com:443", isTLS: true)
        let rows = try Self.rows()
        let attempts = Self.attempts(yard)
        #expect(Set(rows.map(\.id)) == Set(attempts.keys))
        var received = 0
        for row in rows {
            let attempt = try #require(attempts[row.id])
            let answer: String
            if attempt.isPlain {
                let client = try RawClient(port: clear)
                client.send(attempt.pieces.joined())
                answer = client.read()
            } else if attempt.toOther {
                answer = try #require(
                    try yard.ask([attempt.pieces], host: "other.example.com", port: other).first
                )
            } else {
                answer = try #require(try yard.ask([attempt.pieces]).first)
            }
            if row.isAllowed {
                received += 1
                #expect(answer.hasSuffix("ok 2"), "\(row.id): \(answer)")
            } else {
                #expect(answer.hasPrefix("HTTP/1.1 4"), "\(row.id): \(answer)")
                #expect(answer.contains("Bailey-Rule: \(attempt.rule)"), "\(row.id): \(answer)")
            }
            #expect(yard.received.components(separatedBy: yard.key).count == received + 1, "\(row.id)")
            #expect(!yard.received.contains("BAILEY"), "\(row.id)")
        }
        let alarms = yard.denials(rows.count).filter { $0.rule == RuleID("credential-placeholder") }
        #expect(alarms.count == 6)
    }

    private static func rows() throws -> [(id: String, isAllowed: Bool)] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fixtures/egress/ssrf-cases.tsv")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 8, cells[5] == "credential", cells[7] == "must" else { return nil }
            return (cells[0], cells[3] == "allow")
        }
    }
}
