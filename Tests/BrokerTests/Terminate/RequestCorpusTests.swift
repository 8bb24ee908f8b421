import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import Synchronization
import Testing

/// A row of the corpus that a live connection decides.
private struct Row: Sendable, CustomStringConvertible {
    let id: String
    let input: String
    let isAllowed: Bool

    var description: String { id }

    static func all(_ kind: String) throws -> [Row] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fixtures/egress/ssrf-cases.tsv")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 8, cells[5] == kind, cells[7] == "must" else { return nil }
            return Row(id: cells[0], input: unescaped(cells[1]), isAllowed: cells[3] == "allow")
        }
    }

    private static func unescaped(_ text: String) -> String {
        text.replacingOccurrences(of: "\\r", with: "\r").replacingOccurrences(of: "\\n", with: "\n")
            .replacingOccurrences(of: "\\0", with: "\0")
    }
}

@Suite("the corpus of requests")
struct RequestCorpusTests {
    /// Rows in absolute form; the others never become a request, as the proxy's door cannot say where they go.
    private static func rows() throws -> [Row] {
        try Row.all("request").filter { $0.input.contains(" http://") }
    }

    @Test("every row in absolute form is decided as it must be", arguments: try rows())
    private func requests(_ row: Row) throws {
        let server = try ScriptedServer {
            $0.contains("\r\n\r\n") ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" : nil
        }
        var limits = BrokerLimits()
        limits.greetingSeconds = 0.5
        let yard = try ForwardingYard(allow: ["example.com:80"], limits: limits)
        try yard.lead("example.com:80", to: server.port)
        try yard.lead("127.0.0.1:80", to: server.port)
        let client = try RawClient(port: yard.door("example.com:80", .proxy))
        client.send(row.input)
        if row.isAllowed {
            #expect(client.read(until: "ok").hasPrefix("HTTP/1.1 200 OK\r\n"), "\(row.id)")
            #expect(server.received.contains("Host: example.com\r\n"))
            return
        }
        client.endOutput()
        let answer = client.read()
        // A second request on the connection is the bad one in one row.
        let isSecond = row.input.components(separatedBy: " HTTP/1.1").count == 3
        let refused = isSecond ? answer.components(separatedBy: "HTTP/1.1 ").last ?? "" : answer.replacingPrefix
        #expect(refused.isEmpty || refused.hasPrefix("4") || refused.hasPrefix("5"), "\(row.id): \(answer)")
        #expect(server.received.components(separatedBy: "Host:").count == (isSecond ? 2 : 1), "\(row.id)")
        #expect(!server.received.contains("127.0.0.1"))
        #expect(yard.dialing.dialled.withLock { $0 }.allSatisfy { $0 == "example.com:80" })
        #expect(yard.ledger.records(1).contains { $0.verdict == .deny }, "\(row.id)")
    }

    /// The broker never follows; the client does, and its next request is judged like any other.
    @Test(arguments: ["http://169.254.169.254/latest/", "http://127.0.0.1/", "http://localhost/"])
    func redirectsAreJudgedWhenTheyAreFollowed(_ location: String) throws {
        let server = try ScriptedServer { text in
            text.contains("\r\n\r\n") ? "HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n" : nil
        }
        let yard = try ForwardingYard(allow: ["example.com:80"])
        try yard.lead("example.com:80", to: server.port)
        let client = try RawClient(port: yard.door("example.com:80", .proxy))
        client.send("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n")
        #expect(client.read(until: "\r\n\r\n").contains("Location: \(location)"))
        let host = location.split(separator: "/")[1]
        client.send("GET \(location) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        #expect(client.read(until: "work for.").hasPrefix("HTTP/1.1 403"))
        #expect(yard.dialing.dialled.withLock { $0 } == ["example.com:80"])
    }

    @Test(
        "further spellings of the same classes are refused",
        arguments: [
            "GET / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nContent_Length: 5\r\n\r\nhello",
            "GET / HTTP/1.1\r\nHost: example.com\r\nX: a\r\n b: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\n: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nX\u{e9}: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\rX: y\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: example.com\r\n\r\n", "GET / HTTP/1.1 \r\nHost: example.com\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "GET / HTTP/1.2\r\nHost: example.com\r\n\r\n",
            "GET / http/1.1\r\nHost: example.com\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: example.com\r\n\r\n",
            "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: example.com\r\n\r\n",
            "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com@evil.com\r\n\r\n", "GET / HTTP/1.1\r\nHost: example.com:81\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Authorization\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nX-HTTP-Method-Override: DELETE\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nX-Original-URL: /admin\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nExpect: 200-ok\r\n\r\n",
        ]
    )
    func otherSpellings(_ request: String) throws {
        let server = try ScriptedServer {
            $0.contains("\r\n\r\n") ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" : nil
        }
        let yard = try ForwardingYard(allow: ["example.com:80"])
        try yard.lead("example.com:80", to: server.port)
        let client = try RawClient(port: yard.door("example.com:80"))
        client.send(request)
        client.endOutput()
        #expect(client.read().hasPrefix("HTTP/1.1 4") || request.contains("1.2") || request.contains("http/1.1"))
        #expect(server.received.isEmpty)
        #expect(yard.ledger.records(1).first?.verdict == .deny)
    }

    @Test(
        "bodies that end in two places never reach a server whole",
        arguments: [
            "5;x=y\r\nhello\r\n", "5 \r\nhello\r\n", "0x5\r\nhello\r\n", "5\r\nhello!\r\n", "5\r\nhello0\r\n", "\r\n",
        ]
    )
    func badChunks(_ chunks: String) throws {
        let server = try ScriptedServer { _ in nil }
        let yard = try ForwardingYard(allow: ["example.com:80"])
        try yard.lead("example.com:80", to: server.port)
        let client = try RawClient(port: yard.door("example.com:80"))
        client.send("POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n")
        #expect(!client.read().hasPrefix("HTTP/1.1 200"))
        #expect(!server.received.contains("\r\n0\r\n"))
    }

    @Test func headsWithoutEndAreRefused() throws {
        var limits = BrokerLimits()
        limits.greetingSeconds = 0.3
        limits.headBytes = 4096
        limits.headFields = 10
        let yard = try ForwardingYard(allow: ["example.com:80"], limits: limits)
        let slow = try RawClient(port: yard.door("example.com:80"))
        slow.send("GET / HTTP/1.1\r\nHost: exa")
        #expect(slow.read().hasPrefix("HTTP/1.1 408 "))
        let second = try RawClient(port: yard.door("example.com:80"))
        second.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
        #expect(second.read(until: "nobody answers at example.com:80\n").hasPrefix("HTTP/1.1 502 "))
        second.send("GET / HTTP/1.1\r\nHost: exa")
        #expect(second.read().hasPrefix("HTTP/1.1 408 "))
        let long = try RawClient(port: yard.door("example.com:80"))
        long.send("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 5000))
        #expect(long.read().hasPrefix("HTTP/1.1 431 "))
        let many = try RawClient(port: yard.door("example.com:80"))
        many.send("GET / HTTP/1.1\r\n" + String(repeating: "X: a\r\n", count: 11))
        #expect(many.read().hasPrefix("HTTP/1.1 431 "))
    }
}

extension String {
    /// What follows the version of an answer.
    fileprivate var replacingPrefix: String { hasPrefix("HTTP/1.1 ") ? String(dropFirst(9)) : self }
}
