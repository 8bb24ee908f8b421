import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import Synchronization
import TestSupport
import Testing

/// Rows of the corpus that happen inside a connection whose TLS ends in the broker.
@Suite("the corpus of tunnels")
struct TunnelCorpusTests {
    /// Speaks TLS to the door and says the status of each answer, or what went wrong.
    private static let client = """
        import socket, ssl, sys
        port, ca, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        context = ssl.create_default_context(cafile=ca)
        raw = socket.create_connection(('127.0.0.1', port), timeout=20)
        sock = context.wrap_socket(raw, server_hostname=name)
        data = b''
        for request in sys.argv[4:]:
            sock.sendall(request.encode().decode('unicode_escape').encode('latin1'))
        while True:
            try: part = sock.recv(65536)
            except (ssl.SSLError, ConnectionError): break
            if not part: break
            data += part
        print(' '.join(x[:3].decode() for x in data.split(b'HTTP/1.1 ')[1:]))
        """

    private static func get(_ path: String, _ host: String, _ more: String = "") -> String {
        "GET \(path) HTTP/1.1\\r\\nHost: \(host)\\r\\n\(more)\\r\\n"
    }

    private static let last = "Connection: close\\r\\n"

    struct Row: Sendable, CustomStringConvertible {
        let id: String
        let requests: [String]
        let answers: String
        var description: String { id }
    }

    private static let name = "api.anthropic.com"
    static let rows = [
        Row(id: "E468", requests: [get("/", "evil.example", last)], answers: "421"),
        Row(id: "E471", requests: [get("https://evil.example/", name, last)], answers: "400"),
        Row(id: "E472", requests: [get("/", name), get("/", "github.com", last)], answers: "200 421"),
        Row(
            id: "E480",
            requests: [
                get("/", name, "Connection: Upgrade, HTTP2-Settings\\r\\nUpgrade: h2c\\r\\nHTTP2-Settings: AA\\r\\n")
            ],
            answers: "403"
        ),
        Row(id: "E484", requests: [get("/", name, last)], answers: "200"),
        Row(id: "E485", requests: [get("/", "API.anthropic.COM:443", last)], answers: "200"),
        Row(id: "CONNECT", requests: ["CONNECT x.com:443 HTTP/1.1\\r\\nHost: x.com:443\\r\\n\\r\\n"], answers: "405"),
    ]

    @Test("every row is decided as it must be", arguments: rows)
    func isDecided(_ row: Row) throws {
        let tools = try ToolYard([Self.name], allow: [Self.name, "github.com"])
        let port = try tools.yard.door("\(Self.name):443", .proxy, isTLS: true)
        try tools.place.write(Self.client, to: "client.py")
        let result = try ProcessRunner.run(
            "/usr/bin/env",
            arguments: ["python3", tools.place.path + "/client.py", "\(port)", tools.place.path + "/ca.pem", Self.name]
                + row.requests
        )
        #expect(result.stdout == row.answers + "\n", "\(row.id): \(result.summary)")
        #expect(tools.yard.dialing.dialled.withLock { $0 }.allSatisfy { $0 == "\(Self.name):443" })
    }

    /// E470 and its relatives: in HTTP/2 a host has two places.
    struct Authority: Sendable {
        var pseudo: [String: String] = [:]
        var host: String?
        var isRead = false
    }

    static let authorities: [Authority] = [
        Authority(pseudo: [":authority": "api.anthropic.com"], host: "evil.example"),
        Authority(pseudo: [":authority": "evil.example"]),
        Authority(pseudo: [":authority": "api.anthropic.com"], host: "api.anthropic.com", isRead: true),
        Authority(host: "api.anthropic.com", isRead: true),
        Authority(pseudo: [":authority": "API.anthropic.com:443"], isRead: true),
        Authority(),
        Authority(pseudo: [":authority": "api.anthropic.com", ":scheme": "http"]),
        Authority(pseudo: [":authority": "x@api.anthropic.com"]),
        Authority(pseudo: [":authority": "api.anthropic.com", ":path": "*"]),
        Authority(pseudo: [":authority": "api.anthropic.com", ":path": "https://evil.example/"]),
        Authority(pseudo: [":authority": "api.anthropic.com", ":method": "CONNECT"]),
    ]

    @Test(arguments: authorities)
    func authorityAgrees(_ row: Authority) throws {
        let target = try ConnectTarget(Array("api.anthropic.com:443".utf8))
        let reading = RequestReading(target: target, isTLS: true, isProxy: false)
        let all = [":method": "GET", ":scheme": "https", ":path": "/"].merging(row.pseudo) { $1 }
        let fields = HTTPFields(row.host.map { [HTTPField("host", $0)] } ?? [])
        let request = try? reading.read(pseudo: all, fields: fields, isEnd: true)
        #expect((request != nil) == row.isRead)
        #expect(request?.authority ?? "api.anthropic.com" == "api.anthropic.com")
    }

    /// Nobody speaks in clear on the port for TLS.
    @Test func plainRequestsToATLSPortAreRefused() throws {
        let yard = try ForwardingYard(allow: [Self.name])
        let client = try RawClient(port: yard.door("\(Self.name):443", .proxy))
        client.send("GET / HTTP/1.1\r\nHost: \(Self.name):443\r\nConnection: close\r\n\r\n")
        #expect(client.read().contains("Rule: tls-missing"))
        #expect(yard.dialing.dialled.withLock { $0 }.isEmpty)
    }
}
