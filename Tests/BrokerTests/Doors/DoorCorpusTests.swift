import Broker
import BrokerLink
import Egress
import Foundation
import Testing

/// A row of `Tests/Fixtures/egress/ssrf-cases.tsv` that needs a live connection.
private struct LiveRow {
    let id: String
    let input: String
    let isAllowed: Bool

    static let policy = [
        "api.anthropic.com:443", "*.githubusercontent.com:443", "github.com:443", "github.com:22",
        "files.example.net:443", "example.com:80",
    ]

    static func all(_ kind: String) throws -> [LiveRow] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = tests.deletingLastPathComponent().appendingPathComponent("Fixtures/egress/ssrf-cases.tsv")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst().map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        return rows.filter { $0[5] == kind }.map { cells in
            var input = cells[1]
            for (escape, text) in [("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\0", "\0")] {
                input = input.replacingOccurrences(of: escape, with: text)
            }
            return LiveRow(id: cells[0], input: input, isAllowed: cells[3] == "allow")
        }
    }
}

@Suite("rows of the corpus that the doors decide")
struct DoorCorpusTests {
    /// What stands behind a head is not the door's: these are refused by whoever reads the requests.
    private static let readLater: Set<String> = ["E455", "E456", "E457"]

    @Test func requestsAtTheProxy() throws {
        let listener = Listener()
        let yard = try TestYard(allow: LiveRow.policy, elsewhere: listener.port)
        defer { yard.stop() }
        let rows = try LiveRow.all("request")
        #expect(rows.count >= 20)
        for row in rows {
            let wire = try Wire(port: yard.proxyPort)
            try wire.say(row.input)
            wire.end()
            let answer = String(decoding: try wire.hear(), as: UTF8.self)
            let passes = answer.hasPrefix("forwarded") || answer.hasPrefix("HTTP/1.1 200 ")
            #expect(passes == (row.isAllowed || Self.readLater.contains(row.id)), "\(row.id) \(answer)")
        }
    }

    @Test func whatAnAnswerPointsToIsAskedForAnew() throws {
        let yard = try TestYard(allow: LiveRow.policy)
        defer { yard.stop() }
        for row in try LiveRow.all("redirect") {
            let target = try #require(row.input.split(separator: " ").last).replacingOccurrences(of: "http:", with: "")
            let wire = try Wire(port: yard.proxyPort)
            let host = try #require(target.split(separator: "/").first)
            try wire.say("GET http:\(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(String(decoding: wire.hearAll(), as: UTF8.self).hasPrefix("HTTP/1.1 403 "), "\(row.id)")
        }
        #expect(yard.forwarder.all.isEmpty)
    }

    @Test func requestsToSOCKS() throws {
        let listener = Listener()
        let yard = try TestYard(allow: LiveRow.policy, elsewhere: listener.port)
        defer { yard.stop() }
        let rows = try LiveRow.all("socks")
        #expect(rows.count >= 9)
        for row in rows {
            let wire = try Wire(port: yard.socksPort)
            try wire.say([5, 1, 0])
            #expect(try wire.hear(exactly: 2) == [5, 0])
            try wire.say(try Self.socks(row.input))
            #expect((try wire.hear(exactly: 10)[1] == 0) == row.isAllowed, "\(row.id) \(row.input)")
        }
    }

    /// `v5 CONNECT domain 'github.com':22` and its like, as bytes.
    private static func socks(_ text: String) throws -> [UInt8] {
        let commands: [String: UInt8] = ["CONNECT": 1, "BIND": 2, "UDP": 3]
        let words = text.split(separator: " ").map(String.init)
        let command = try #require(commands[words[1]])
        let port = UInt16(text.split(separator: ":").last.flatMap { Int($0) } ?? 1)
        let end = [UInt8(port >> 8), UInt8(port & 255)]
        switch words[2] {
        case "ipv4": return [5, command, 0, 1, 127, 0, 0, 1] + end
        case "ipv6": return [5, command, 0, 4] + [UInt8](repeating: 0, count: 15) + [1] + end
        case "domain":
            let name = Array(text.split(separator: "'", omittingEmptySubsequences: false)[1].utf8)
            return [5, command, 0, 3, UInt8(name.count)] + name + end
        default: return [5, command, 0, 3, 10] + Array("github.com".utf8) + end
        }
    }

    /// What stands in the tunnel of a row; the rows that are not here are about requests within terminated TLS.
    private static let tunnels: [String: [UInt8]] = [
        "E473": Array("GET / HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n".utf8),
        "E474": Array("SSH-2.0-OpenSSH\r\n".utf8),
        "E481": HelloBytes().stream,
        "E482": {
            var hello = HelloBytes("api.anthropic.com")
            hello.extensions = [(0xFE0D, [0, 0, 1])]
            return hello.stream
        }(),
        "E483": HelloBytes("api.anthropic.com.").stream,
        "E484": HelloBytes("api.anthropic.com").stream,
        "E485": HelloBytes("API.ANTHROPIC.COM").stream,
    ]

    @Test func whatStandsInATunnel() throws {
        let listener = Listener()
        let yard = try TestYard(allow: LiveRow.policy, elsewhere: listener.port)
        defer { yard.stop() }
        let rows = try LiveRow.all("tunnel").filter { Self.tunnels[$0.id] != nil }
        #expect(rows.count == Self.tunnels.count)
        for row in rows {
            let (client, head) = try yard.connect("api.anthropic.com:443")
            #expect(head.hasPrefix("HTTP/1.1 200 "))
            let server = listener.accept()
            try client.say(Self.tunnels[row.id] ?? [])
            if row.isAllowed {
                #expect(try !server.hear(exactly: 5).isEmpty, "\(row.id)")
            } else {
                #expect(server.hearAll().isEmpty, "\(row.id)")
            }
        }
    }
}
