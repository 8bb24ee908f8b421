import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

/// A provider of models outside, over TLS, and a forwarder that knows it: by its gateway and by its own name.
struct ModelYard {
    static let name = "api.example.com"
    static let host = "198.18.0.1:3130"
    let tools: ToolYard
    /// Where requests come in clear.
    let gateway: UInt16
    /// Where they come in TLS.
    let port: UInt16

    var yard: ForwardingYard { tools.yard }

    /// - Parameter isHTTP2: the provider is a server for Node, which streams one answer.
    init(
        _ rules: ModelRules = ModelRules(),
        prices: [ModelProvider.Price] = Self.prices,
        isHTTP2: Bool = false,
        change: (inout ModelProvider) -> Void = { _ in }
    ) throws {
        let script = isHTTP2 ? Self.http2Server : Self.server
        tools = try ToolYard([Self.name], allow: [Self.name], script: script, isNode: isHTTP2)
        var settings = tools.yard.store.current
        settings.models = rules
        settings.providers = [
            ModelProvider(
                name: "example",
                host: try HostName(Self.name),
                endpoints: [
                    .init(path: "/v1/messages", dialect: .messages), .init(path: "/v1/responses", dialect: .responses),
                    .init(path: "/v1/chat/completions", dialect: .chat),
                ],
                credentialFields: ["x-api-key"],
                prices: prices,
                gatewayPort: 3130
            )
        ]
        change(&settings.providers[0])
        tools.yard.store.replace(settings)
        gateway = try tools.yard.door("\(Self.name):443", .gateway)
        port = try tools.yard.door("\(Self.name):443", isTLS: true)
    }

    static let prices = [
        ModelProvider.Price(
            model: "m*",
            input: 1_000_000,
            cacheRead: 100_000,
            cacheWrite: 1_250_000,
            longCacheWrite: 2_000_000,
            output: 5_000_000
        )
    ]

    /// A request in clear, to the gateway.
    func request(_ path: String, _ body: String, _ fields: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: \(Self.host)\r\nContent-Type: application/json\r\n\(fields)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Sends one request to the gateway and reads the answer to its end.
    func ask(_ path: String, _ body: String, _ fields: String = "") throws -> String {
        let client = try RawClient(port: gateway)
        client.send(request(path, body, "Connection: close\r\n" + fields))
        return client.read()
    }

    /// The requests that arrived: `PATH HOST BODY`.
    func seen() -> [String] {
        ((try? tools.place.read("seen.log")) ?? "").split(separator: "\n").map(String.init)
    }

    func settled(_ count: Int = 2) -> [ModelReport.Settled] {
        yard.ledger.models(count).compactMap { if case .settled(let settled) = $0 { settled } else { nil } }
    }

    private static let http2Server = #"""
        const server = http2.createSecureServer(options);
        server.on('stream', (s) => {
            s.on('error', () => {});
            s.respond({ ':status': 200, 'content-type': 'text/event-stream' });
            s.write('data: {"message":{"usage":{"input_tokens":40,"output_tokens":1}}}\n\n');
            s.end('data: {"usage":{"output_tokens":9}}\n\n');
        });
        serve(server);
        """#

    /// Answers as the request's `user` says.
    private static let server = #"""
        import http.server, json, time
        CHAT = [
            {"choices": [{"index": 0, "delta": {"content": "Hi"}}], "usage": None},
            {"choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": 7}}]
        MESSAGES = [
            {"type": "message_start", "message": {"usage": {"input_tokens": 40, "output_tokens": 1}}},
            {"type": "content_block_delta", "delta": {"text": "Hi"}},
            {"type": "message_delta", "usage": {"output_tokens": 9}}, {"type": "message_stop"}]
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *a): pass
            def whole(self, status, value):
                text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            def stream(self, events, how):
                self.send_response(200)
                self.send_header('Content-Type', 'text/event-stream; charset=utf-8')
                self.send_header('Connection', 'close')
                self.end_headers()
                self.close_connection = True
                for event in events:
                    self.wfile.write(b'data: ' + json.dumps(event).encode() + b'\n\n')
                    self.wfile.flush()
                    if how == 'half' and 'delta' in event.get('type', 'delta'): return
                    while how == 'endless':
                        time.sleep(0.02)
                        self.wfile.write(b': still here\n\n')
                        self.wfile.flush()
                if 'choices' in events[0]: self.wfile.write(b'data: [DONE]\n\n')
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                with open('seen.log', 'ab') as f:
                    f.write(f'{self.path} {self.headers["Host"]} {self.headers["Accept-Encoding"]} '.encode())
                    f.write(body + b'\n')
                said = json.loads(body)
                how = said.get('user')
                events = CHAT if 'chat' in self.path else MESSAGES
                if how == 'error': return self.whole(529, {"type": "error"})
                if how == 'limit': return self.whole(429, {"error": {}})
                if said.get('stream'):
                    try: return self.stream(events, how)
                    except OSError:
                        with open('broken.log', 'a') as f: f.write('broken\n')
                        return
                usage = {} if how == 'silent' else {"input_tokens": 11, "output_tokens": 3}
                self.whole(200, {"id": "x", "usage": usage})
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serve(server.server_address[1], server.serve_forever)
        """#
}
