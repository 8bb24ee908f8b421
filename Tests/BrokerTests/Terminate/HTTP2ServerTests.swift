import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import Synchronization
import TestSupport
import Testing

/// Node's server for HTTP/2 outside, a forwarder, and clients of the sandbox's side.
struct HTTP2Yard {
    static let name = "api.example.com"
    let tools: ToolYard
    let port: UInt16

    /// - Parameter settings: what the server says of itself in HTTP/2.
    /// - Parameter isPlain: it answers with a request's version and path, and speaks both versions.
    init(_ settings: String = "{}", isPlain: Bool = false) throws {
        let script = Self.server.replacing("SETTINGS", with: settings).replacing("HTTP1", with: "\(isPlain)")
        tools = try ToolYard([Self.name], allow: [Self.name], script: script, isNode: true)
        port = try tools.yard.door("\(Self.name):443", isTLS: true)
        try tools.place.write(Self.clientPrelude, to: "client.js")
    }

    var dialled: Int { tools.yard.dialing.dialled.withLock { $0.count } }

    func curl(_ path: String, _ arguments: [String]) throws -> ProcessResult {
        try tools.curl(port, "https://\(Self.name)\(path)", arguments)
    }

    /// Runs a script for Node with `session` connected; it ends with the session.
    ///
    /// - Parameter meanwhile: called again and again until then.
    func node(_ script: String, meanwhile: (@Sendable () -> Void)? = nil) throws -> ProcessResult {
        let file = "client-\(UUID().uuidString).js"
        try tools.place.write(Self.clientPrelude + script, to: file)
        let watch = meanwhile.map { Watch($0) }
        defer { watch?.isOver.withLock { $0 = true } }
        return try ProcessRunner.run(
            "/usr/bin/env",
            arguments: ["node", "\(tools.place.path)/\(file)", "\(tools.place.path)/ca.pem", "\(port)"],
            timeoutSeconds: 60
        )
    }

    private static let clientPrelude = """
        const fs = require('fs'), http2 = require('http2');
        const connect = () => http2.connect('https://api.example.com', {
            createConnection: () => require('tls').connect({
                host: '127.0.0.1', port: +process.argv[3], servername: 'api.example.com',
                ca: fs.readFileSync(process.argv[2]), ALPNProtocols: ['h2'] }) });
        const session = connect();
        session.on('error', (e) => console.log('session', e.message));
        const ask = (path, more, over = session) => over.request({ ':path': path, ...more });
        const body = (s) => new Promise((done) => {
            let text = ''; s.setEncoding('utf8'); s.on('data', (d) => text += d);
            s.on('error', (e) => done('error ' + s.rstCode)); s.on('end', () => done(text)); });
        setTimeout(() => { console.log('too slow'); process.exit(1); }, 45000).unref();

        """

    private static let server = """
        let refused = 0, written = 0, sessions = 0;
        const c = http2.constants;
        const server = http2.createSecureServer({ ...options, settings: SETTINGS });
        server.on('session', () => { sessions += 1; });
        // Node answers streams itself once somebody wants to hear of requests.
        if (HTTP1) server.on('request', (q, r) => r.end(`HTTP/${q.httpVersion} ${q.url}\\n`));
        else server.on('stream', (s, h) => {
            s.on('error', () => {});
            const path = h[':path'].split('?')[0], end = (text) => { s.respond({ ':status': 200 }); s.end(text); };
            switch (path) {
            case '/grpc':
                s.respond({ ':status': 200, 'content-type': h['content-type'] + '/' + h['te'] },
                    { waitForTrailers: true });
                s.once('wantTrailers', () => s.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
                s.on('data', (d) => s.write(d)); s.on('end', () => s.end()); break;
            case '/trailers-only': s.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }); break;
            case '/empty': s.respond({ ':status': 200 }, { endStream: true }); break;
            case '/hints':
                s.additionalHeaders({ ':status': 103, link: '</a>' }); end('after hints\\n'); break;
            case '/big': s.respond({ ':status': 200 }); s.end(Buffer.alloc(24 << 20, 'x')); break;
            case '/endless': {
                s.respond({ ':status': 200 });
                const more = () => {
                    for (let goes = true; goes && !s.destroyed; written += 65536)
                        goes = s.write(Buffer.alloc(65536)); };
                s.on('drain', more); more(); break; }
            case '/written': end(String(written)); break;
            case '/sessions': end(String(sessions)); break;
            case '/stall': s.respond({ ':status': 200 }); s.write('begun'); s.pause(); break;
            case '/early': end('no thanks\\n'); break;
            case '/calm': s.close(c.NGHTTP2_ENHANCE_YOUR_CALM); break;
            case '/refuse': if (refused++ === 0) s.close(c.NGHTTP2_REFUSED_STREAM); else end('refused once\\n'); break;
            case '/goaway': s.session.goaway(0, s.id); setTimeout(() => end('gone soon\\n'), 200); break;
            case '/gone': s.session.destroy(); break;
            case '/wait': setTimeout(() => end('waited\\n'), 200); break;
            default: {
                let count = 0; s.on('data', (d) => count += d.length);
                s.on('end', () => end(`${h[':method']} ${h[':path']} ${h[':authority']} ${count}\\n`)); }
            }
        });
        serve(server);
        """
}

/// Looks again and again, on a thread of its own.
private final class Watch: Sendable {
    let isOver = Mutex(false)

    init(_ look: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            while !isOver.withLock({ $0 }) {
                look()
                usleep(20_000)
            }
        }
        thread.start()
    }
}

@Suite(
    "services that speak HTTP/2 are spoken to in HTTP/2",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/node"))
)
struct HTTP2ServerTests {
    @Test("curl in both versions: requests, large bodies both ways, announcements, empty answers")
    func curl() throws {
        let yard = try HTTP2Yard()
        try yard.tools.place.write(String(repeating: "y", count: 9 << 20), to: "body")
        for version in ["--http1.1", "--http2"] {
            let get = try yard.curl("/a?b", [version])
            #expect(get.stdout == "GET /a?b api.example.com 0\n", "\(get.summary)")
            let post = try yard.curl("/p", [version, "--data-binary", "@\(yard.tools.place.path)/body"])
            #expect(post.stdout == "POST /p api.example.com \(9 << 20)\n", "\(post.summary)")
            let none = try yard.curl("/p", [version, "-X", "POST"])
            #expect(none.stdout == "POST /p api.example.com 0\n", "\(none.summary)")
            let big = try yard.curl("/big", [version, "-o", "/dev/null", "-w", "%{size_download}"])
            #expect(big.stdout == "\(24 << 20)", "\(big.summary)")
            let hints = try yard.curl("/hints", [version, "-i"])
            #expect(hints.stdout.contains("103") && hints.stdout.hasSuffix("after hints\n"), "\(hints.summary)")
            let empty = try yard.curl("/empty", [version, "-w", "%{http_code} %{size_download}"])
            #expect(empty.stdout == "200 0", "\(empty.summary)")
            let head = try yard.curl("/x", [version, "-I"])
            #expect(head.stdout.contains("200"), "\(head.summary)")
            let early = try yard.curl("/early", [version, "--data-binary", "@\(yard.tools.place.path)/body"])
            #expect(early.stdout == "no thanks\n", "\(early.summary)")
        }
        let records = yard.tools.yard.ledger.records(16)
        #expect(records.allSatisfy { $0.verdict == .allow }, "\(records)")
    }

    @Test("gRPC: both sides speak in turn, and what follows a body arrives; an answer that is only trailers stays one")
    func gRPC() throws {
        let yard = try HTTP2Yard()
        let result = try yard.node(
            """
            const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
            const s = ask('/grpc', grpc);
            let turn = 0;
            s.on('response', (h) => console.log(h['content-type']));
            s.on('trailers', (h) => console.log('trailers', h['grpc-status'], h['grpc-message']));
            s.on('data', (d) => {
                console.log('heard', String(d)); turn += 1; turn < 3 ? s.write('turn ' + turn) : s.end(); });
            s.on('end', () => {
                const only = ask('/trailers-only', grpc);
                only.on('response', (h, flags) => console.log(h['grpc-status'], 'whole', (flags & 1) === 1));
                only.on('end', () => session.close()); only.resume(); only.end();
            });
            s.write('turn 0');
            """
        )
        #expect(
            result.stdout == """
                application/grpc/trailers
                heard turn 0
                heard turn 1
                heard turn 2
                trailers 0 fine
                12 whole true

                """,
            "\(result.summary)"
        )
    }

    @Test("a hundred requests at once share one connection, and wait where the server takes fewer")
    func parallel() throws {
        for (settings, connections) in [("{}", 1...1), ("{ maxConcurrentStreams: 8 }", 1...4)] {
            let yard = try HTTP2Yard(settings)
            let result = try yard.node(
                """
                const all = []; for (let i = 0; i < 100; i++) all.push(body(ask('/wait?' + i)));
                Promise.all(all).then((texts) => {
                    console.log(texts.filter((t) => t === 'waited\\n').length, texts.find((t) => t !== 'waited\\n'));
                    session.close(); });
                """
            )
            #expect(result.stdout == "100 undefined\n", "\(result.summary)")
            #expect(connections.contains(yard.dialled), "\(yard.dialled) connections")
        }
    }

    @Test("whoever does not read holds up the other side, and little waits in between")
    func backPressure() throws {
        let yard = try HTTP2Yard()
        let result = try yard.node(
            """
            // Each of them could have a window's worth waiting; all together may have less.
            for (let i = 0; i < 60; i++) {
                const slow = ask('/endless'); slow.on('response', () => {}); slow.on('error', () => {}); slow.pause(); }
            const other = connect();
            const stall = ask('/stall', { ':method': 'POST' }, other); stall.on('error', () => {});
            let sent = 0;
            const more = () => { for (let goes = true; goes; sent += 65536) goes = stall.write(Buffer.alloc(65536)); };
            stall.on('drain', more); more();
            setTimeout(async () => {
                const down = +await body(ask('/written', {}, other)) >> 20;
                console.log(down > 2 && down < 30 ? 'down bounded' : down);
                console.log(sent > 65536 && sent < (12 << 20) ? 'up bounded' : sent);
                console.log(await body(ask('/beside', {}, other)));
                process.exit(0);
            }, 1500);
            """
        )
        #expect(
            result.stdout == "down bounded\nup bounded\nGET /beside api.example.com 0\n\n",
            "\(result.summary)"
        )
    }

    @Test("a reset, a refusal and an end of the connection are passed on, or tried again where that is safe")
    func endings() throws {
        let yard = try HTTP2Yard()
        let result = try yard.node(
            """
            (async () => {
                console.log('calm', await body(ask('/calm')));
                console.log(await body(ask('/refuse', { ':method': 'POST' }).end()));
                const soon = new Promise((r) => setTimeout(r, 100));
                console.log(await Promise.all([body(ask('/goaway')), soon.then(() => body(ask('/wait')))]));
                console.log('gone', await body(ask('/gone', { ':method': 'DELETE' })));
                console.log(await body(ask('/last')));
                session.close();
            })();
            """
        )
        #expect(
            result.stdout == """
                calm error 11
                refused once

                [ 'gone soon\\n', 'waited\\n' ]
                gone error 2
                GET /last api.example.com 0


                """,
            "\(result.summary)"
        )
        let calm = try yard.curl("/calm", ["--http1.1", "-w", "%{http_code}"])
        #expect(calm.stdout.contains("the server reset the stream") && calm.stdout.hasSuffix("502"), "\(calm.summary)")
    }

    @Test("a WebSocket has a connection of its own, over which HTTP/1.1 is spoken")
    func webSocket() throws {
        let yard = try HTTP2Yard(isPlain: true)
        let socket = try yard.curl(
            "/socket",
            [
                "--http1.1", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
                "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ]
        )
        #expect(socket.stdout == "HTTP/1.1 /socket\n", "\(socket.summary)")
        #expect(try yard.curl("/other", ["--http1.1"]).stdout == "HTTP/2.0 /other\n")
    }
}
