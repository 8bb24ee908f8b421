import BrokerLink
import Egress
import Foundation
import Synchronization
import Testing

@testable import Broker

/// The rows of `Tests/Fixtures/egress/ssrf-cases.tsv` that are about names, against a name server that lies as the row
/// says, and against the resolver inside.
@Suite("rows about names hold with live name servers")
struct LookupCorpusTests {
    struct Row: Sendable, CustomStringConvertible {
        let id: String
        let input: String
        let expected: String
        let kind: String
        let isMust: Bool
        var description: String { "\(id) \(input)" }
    }

    static let rows: [Row] = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = tests.appendingPathComponent("Fixtures/egress/ssrf-cases.tsv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropFirst().map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Row(id: cells[0], input: cells[1], expected: cells[3], kind: cells[5], isMust: cells[7] == "must")
        }
    }()

    static let lookups = rows.filter { $0.kind == "dns" }
    static let queries = rows.filter { $0.kind == "dnsquery" }

    @Test func thereAreRows() { #expect(Self.lookups.count == 16 && Self.queries.count == 8) }

    /// `NAME => ANSWER, …; ANSWER`, with `CNAME TARGET =>` in between; `; then` is the second look-up.
    private struct Script {
        let name: String
        var rounds: [[ScriptedNameServer.Record]] = [[]]

        init(_ input: String) {
            var parts = input.components(separatedBy: " => ")
            name = parts.removeFirst()
            var owner = name
            for part in parts {
                // What a program inside keeps is not asked here: only the broker's own look-up counts.
                let seen = part.components(separatedBy: "broker sees ").last ?? part
                for piece in seen.components(separatedBy: CharacterSet(charactersIn: ",;")) {
                    var words = piece.split(separator: " ").map(String.init)
                    if words.first == "then" {
                        words.removeFirst()
                        rounds.append([])
                    }
                    guard words.count >= 2 else { continue }
                    let life: UInt32 = words.contains("ttl=0") ? 0 : 60
                    switch words[0] {
                    case "A": rounds[rounds.count - 1].append(.a(owner, words[1], life: life))
                    case "AAAA": rounds[rounds.count - 1].append(.aaaa(owner, words[1]))
                    case "CNAME":
                        rounds[rounds.count - 1].append(.alias(owner, words[1]))
                        owner = words[1]
                    default: continue
                    }
                }
            }
        }
    }

    @Test("look-ups", arguments: lookups)
    func lookUp(_ row: Row) throws {
        let script = Script(row.input)
        let server = try ScriptedNameServer { question in
            let round = script.rounds[min(question.count, script.rounds.count - 1)]
            return [.records(round.filter { $0.type == question.type || $0.type == 5 })]
        }
        let fixture = try DialFixture(nil, servers: [server])
        let dialer = fixture.dialer()
        for _ in script.rounds { _ = try fixture.dial("\(script.name):443", dialer) }
        let dialled = fixture.dialled.withLock { $0 }
        let isGood = dialled.allSatisfy {
            IPAddress($0.replacing(":443", with: "")).map { AddressGuard().refusal(of: $0) } == .some(nil)
        }
        #expect(isGood, "\(dialled)")
        // Of a name that turns bad at its second look-up, the first address may be dialled.
        let isDialled = dialled.count == script.rounds.count
        #expect(isDialled == (row.expected == "allow"), "\(dialled)")
    }

    @Test("questions of programs", arguments: queries)
    func question(_ row: Row) throws {
        let types: [String: UInt16] = ["A": 1, "AAAA": 28, "TXT": 16, "PTR": 12, "AXFR": 252]
        let words = row.input.split(separator: " ").map(String.init)
        let type = try #require(types[words[0]])
        let fixture = try NamesFixture([
            "api.anthropic.com:443", "*.githubusercontent.com:443", "github.com:443", "github.com:22",
            "files.example.net:443", "example.com:80",
        ])
        let answering = fixture.responder().respond(
            to: TestQuestion(words[1], type).bytes,
            by: .stream,
            on: fixture.loop
        )
        // A listed name waits for nothing here but the turn of the loop.
        let isAnswered = if case .later = answering { true } else { false }
        if case .now(let bytes) = answering { #expect(TestAnswer(bytes)?.code == 3) }
        let allowed = row.isMust ? row.expected == "allow" : true
        #expect(isAnswered == allowed)
    }
}
