import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import Synchronization
import TestSupport
import Testing

/// What a server may say that speaks HTTP/2 and wants to harm somebody, or does not know better.
@Suite("answers in HTTP/2 that no client should get do not arrive, and floods end")
struct HostileHTTP2Tests {
    struct Case: CustomStringConvertible {
        /// The first label of the server's name, which chooses what it does.
        let name: String
        /// What the client gets says this.
        let answer: String
        var arguments: [String] = []
        /// Status, where it is not 502.
        var status = "502"

        var description: String { name }
    }

    /// Each scenario is called with a stream's number when its head has come.
    private static let scenarios = #"""
        def again(c, answer):
            tries[c.scenario] = tries.get(c.scenario, 0) + 1
            return answer if tries[c.scenario] == 1 else None
        def many(c, one, count):
            for _ in range(count // 500): c.sendall(one * 500)
        scenarios = {
            'good': lambda c, s: good(s),
            'upper': lambda c, s: head(s, OK, ('X-Upper', 'a')) + data(s, b'x'),
            'connection': lambda c, s: head(s, OK, ('connection', 'close')) + data(s, b'x'),
            'chunked': lambda c, s: head(s, OK, ('transfer-encoding', 'chunked')) + data(s, b'0\r\n\r\n'),
            'alike': lambda c, s: head(s, OK, ('content_length', '5')) + data(s, b'x'),
            'control': lambda c, s: head(s, OK, ('x', 'a\r\nset-cookie: b')) + data(s, b'x'),
            'twice': lambda c, s: head(s, OK, (':status', '204')) + data(s, b'x'),
            'nothing': lambda c, s: head(s, ('x', 'y')) + data(s, b'x'),
            'late': lambda c, s: head(s, ('x', 'y'), OK) + data(s, b'x'),
            'path': lambda c, s: head(s, OK, (':path', '/')) + data(s, b'x'),
            'switch': lambda c, s: head(s, (':status', '101')) + data(s, b'x'),
            'odd': lambda c, s: head(s, (':status', '2OO')) + data(s, b'x'),
            'lengths': lambda c, s: head(s, OK, ('content-length', '1'), ('content-length', '1')) + data(s, b'x'),
            'word': lambda c, s: head(s, OK, ('content-length', '+1')) + data(s, b'x'),
            'none': lambda c, s: head(s, OK, ('content-length', '3'), end=True),
            'announce': lambda c, s: head(s, (':status', '103')) * 17 + good(s),
            'ended': lambda c, s: head(s, (':status', '103'), end=True),
            'body': lambda c, s: data(s, b'x'),
            'long': lambda c, s: head(s, OK, ('content-length', '2')) + data(s, b'12345'),
            'short': lambda c, s: head(s, OK, ('content-length', '9')) + data(s, b'12345'),
            'trailing': lambda c, s: head(s, OK) + data(s, b'x', False) + head(s, ('content-length', '1'), end=True),
            'trailers': lambda c, s: head(s, OK) + data(s, b'x', False) + head(s, OK, end=True),
            'unended': lambda c, s: head(s, OK) + data(s, b'x', False) + head(s, ('x', 'y')) + data(s, b'z'),
            'push': lambda c, s: frame(5, 4, s, struct.pack('>I', 2) + block((':method', 'GET'), (':path', '/'),
                (':scheme', 'https'), (':authority', 'push.example.com'))) + good(s),
            'half': lambda c, s: head(s, OK) + data(s, b'half', False) + frame(3, 0, s, struct.pack('>I', 8)),
            'goaway': lambda c, s: again(c, frame(7, 0, 0, struct.pack('>II', 0, 0))) or good(s),
            'refuse': lambda c, s: again(c, frame(3, 0, s, struct.pack('>I', 7))) or good(s),
            'always': lambda c, s: frame(3, 0, s, struct.pack('>I', 7)),
            'old': lambda c, s: frame(3, 0, s, struct.pack('>I', 13)),
            'fields': lambda c, s: head(s, OK, *[('x%d' % i, 'y') for i in range(300)]) + data(s, b'x'),
            'bomb': lambda c, s: bomb(c, s),
            'continued': lambda c, s: frame(1, 0, s, block(OK)) + frame(9, 0, s) * 100000,
            'ping': lambda c, s: many(c, frame(6, 0, 0, b'12345678'), 20000) or good(s),
            'settings': lambda c, s: many(c, frame(4, 0, 0), 20000) or good(s),
            'window': lambda c, s: many(c, frame(8, 0, 0, struct.pack('>I', 1)), 200000) or good(s),
            'unknown': lambda c, s: many(c, frame(0x77, 0, 0), 200000) or good(s),
            'reset': lambda c, s: many(c, frame(3, 0, s, struct.pack('>I', 8)), 20000),
            'empty': lambda c, s: (c.sendall(head(s, OK)), many(c, data(s, b'', False), 1000)) and data(s, b'x'),
            'garbage': lambda c, s: b'HTTP/1.1 400 Bad Request\r\n\r\n' * 1000,
        }
        def bomb(c, s):
            # One long field into the table, then its number again and again.
            field = b'\x40' + text('x') + text('y' * 3000)
            return frame(1, 4, s, block(OK) + field + b'\xbe' * 10000)
        """#

    private static let server = [HostileFrames.prelude, scenarios, HostileFrames.serving].joined(separator: "\n")

    private static let cases: [Case] = [
        Case(name: "good", answer: "good", status: "200"),
        Case(name: "upper", answer: "no token in lower case"),
        Case(name: "connection", answer: "belongs to no message of HTTP/2"),
        Case(name: "chunked", answer: "belongs to no message of HTTP/2"),
        Case(name: "alike", answer: "is taken by some for content-length"),
        Case(name: "control", answer: "control character"),
        Case(name: "twice", answer: "stands twice"),
        Case(name: "nothing", answer: "has no status"),
        Case(name: "late", answer: "stands behind fields"),
        Case(name: "path", answer: "more than a status"),
        Case(name: "switch", answer: "switches to no other protocol"),
        Case(name: "odd", answer: "has no status"),
        Case(name: "lengths", answer: "length stands twice"),
        Case(name: "word", answer: "no decimal number"),
        Case(name: "none", answer: "shorter than its head says"),
        Case(name: "announce", answer: "announced more than 16 times"),
        Case(name: "ended", answer: "ends before it begins"),
        Case(name: "body", answer: "a rule of HTTP/2 was broken"),
        Case(name: "push", answer: "pushed what nobody asked for"),
        Case(name: "goaway", answer: "good", status: "200"),
        Case(name: "goaway", answer: "good", arguments: ["-X", "POST"], status: "200"),
        Case(name: "refuse", answer: "good", arguments: ["-X", "DELETE"], status: "200"),
        Case(name: "always", answer: "reset the stream"),
        Case(name: "old", answer: "old", arguments: ["-X", "PUT"], status: "200"),
        Case(name: "fields", answer: "more than 200 fields"),
        Case(name: "bomb", answer: "HTTP/2"),
        Case(name: "continued", answer: "HTTP/2"),
        Case(name: "ping", answer: "HTTP/2"),
        Case(name: "settings", answer: "HTTP/2"),
        Case(name: "window", answer: "empty frames"),
        Case(name: "unknown", answer: "empty frames"),
        Case(name: "reset", answer: "reset the stream"),
        Case(name: "garbage", answer: "HTTP/2"),
    ]

    /// An answer that has begun cannot be taken back: the client must see that it is not whole.
    private static let cut = ["long", "short", "trailing", "trailers", "unended", "half", "empty"]

    @Test func judged() throws {
        let names = Set(Self.cases.map(\.name) + Self.cut).map { "\($0).example.com" }
        let tools = try ToolYard(names, allow: names, script: Self.server)
        var ports: [String: UInt16] = [:]
        for name in names { ports[name] = try tools.yard.door("\(name):443", isTLS: true) }
        for version in ["--http1.1", "--http2"] {
            for row in Self.cases {
                let host = "\(row.name).example.com"
                let arguments = [version, "-w", "%{http_code}"] + row.arguments
                let result = try tools.curl(try #require(ports[host]), "https://\(host)/", arguments)
                // A reset is told as a reset where there are any.
                let isReset = version == "--http2" && ["always", "reset"].contains(row.name)
                if isReset {
                    #expect([56, 92].contains(result.status), "\(row) \(version): \(result.summary)")
                } else {
                    #expect(result.stdout.hasSuffix(row.status), "\(row) \(version): \(result.summary)")
                    #expect(result.stdout.contains(row.answer), "\(row) \(version): \(result.summary)")
                }
            }
            for name in Self.cut {
                let host = "\(name).example.com"
                let result = try tools.curl(try #require(ports[host]), "https://\(host)/", [version])
                #expect([18, 56, 92].contains(result.status), "\(name) \(version): \(result.summary)")
            }
        }
        let endings = tools.yard.ledger.records.compactMap(\.ending)
        #expect(endings.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }, "\(endings)")
    }
}
