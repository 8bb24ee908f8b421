import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import Synchronization
import TestSupport
import Testing

/// A local TLS server with a certificate of an authority of its own, and a forwarder that trusts it.
struct ToolYard {
    let place: TemporaryDirectory
    let yard: ForwardingYard
    let server: ChildServer

    /// - Parameter script: Python that calls `serve`, with `context` around its sockets, or what Node serves.
    init(
        _ names: [String],
        allow: [String],
        forges: [String] = [],
        trusts: Bool = true,
        certificateNames: [String]? = nil,
        script: String = ToolYard.plainServer,
        isNode: Bool = false,
        limits: BrokerLimits = BrokerLimits(),
        secrets: [HeldSecret] = [],
        values: any CredentialValues = SecretStore()
    ) throws {
        place = try TemporaryDirectory()
        let alternatives = (certificateNames ?? names).map { "DNS:\($0)" }.joined(separator: ",")
        let made = try ProcessRunner.run(
            "/bin/sh",
            arguments: [
                "-c",
                """
                cd '\(place.path)' || exit 1
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout up.key -out up.pem \
                    -subj /CN=up -addext 'subjectAltName=\(alternatives)' 2>/dev/null
                """,
            ]
        )
        #expect(made.status == 0, "\(made.summary)")
        let roots = trusts ? try place.read("up.pem") : try Self.otherRoot()
        yard = try ForwardingYard(
            allow: allow,
            forges: forges,
            roots: roots,
            limits: limits,
            secrets: secrets,
            values: values
        )
        try place.write(yard.authority.pem, to: "ca.pem")
        server = try ChildServer(script, in: place, isNode: isNode)
        for name in names { try yard.lead("\(name):443", to: server.port) }
    }

    private static func otherRoot() throws -> String {
        try RunAuthority(policy: NetworkPolicy(), certificatesMax: 1) { Date().timeIntervalSince1970 }.pem
    }

    /// Answers every request with its method, path and body's length; `/big` with 8 MiB, `/slow` bit by bit.
    static let plainServer = """
        import http.server, time
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *a): pass
            def answer(self):
                body = b''
                while self.headers.get('Transfer-Encoding'):
                    n = int(self.rfile.readline(), 16)
                    body += self.rfile.read(n)
                    self.rfile.readline()
                    if n == 0: break
                body += self.rfile.read(int(self.headers.get('Content-Length') or 0))
                text = f'{self.command} {self.path} {self.headers["Host"]} {len(body)}\\n'.encode()
                if self.path == '/big': text = b'x' * (8 << 20)
                self.send_response(200)
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                if self.command == 'HEAD': return
                if self.path == '/slow':
                    for byte in text:
                        self.wfile.write(bytes([byte])); self.wfile.flush(); time.sleep(0.01)
                else: self.wfile.write(text)
            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serve(server.server_address[1], server.serve_forever)
        """

    func curl(_ port: UInt16, _ url: String, _ arguments: [String] = []) throws -> ProcessResult {
        let host = try #require(URL(string: url)?.host)
        return try ProcessRunner.run(
            "/usr/bin/curl",
            arguments: [
                "-sS", "--max-time", "30", "--noproxy", "*", "--cacert", place.path + "/ca.pem", "--connect-to",
                "\(host):443:127.0.0.1:\(port)",
            ] + arguments + [url],
            environment: ["HOME": place.path]
        )
    }
}

@Suite("what real programs say to a host whose requests are seen")
struct ToolTests {
    @Test func curlSpeaksThroughTermination() throws {
        let tools = try ToolYard(
            ["api.example.com"],
            allow: ["api.example.com", "GET https://data.example.com/public/"]
        )
        let port = try tools.yard.door("api.example.com:443", isTLS: true)
        for version in ["--http1.1", "--http2"] {
            let get = try tools.curl(port, "https://api.example.com/a?b", [version])
            #expect(get.stdout == "GET /a?b api.example.com 0\n", "\(get.summary)")
            try tools.place.write(String(repeating: "y", count: 3 << 20), to: "body")
            let post = try tools.curl(
                port,
                "https://api.example.com/p",
                [version, "--data-binary", "@\(tools.place.path)/body"]
            )
            #expect(post.stdout == "POST /p api.example.com \(3 << 20)\n", "\(post.summary)")
            let big = try tools.curl(
                port,
                "https://api.example.com/big",
                [version, "-o", "/dev/null", "-w", "%{size_download} %{http_version}"]
            )
            #expect(big.stdout == "\(8 << 20) \(version == "--http2" ? "2" : "1.1")", "\(big.summary)")
            let many = try tools.curl(port, "https://api.example.com/[1-30]", [version, "--parallel"])
            #expect(many.stdout.split(separator: "\n").count == 30, "\(many.summary)")
            let slow = try tools.curl(port, "https://api.example.com/slow", [version])
            #expect(slow.stdout == "GET /slow api.example.com 0\n", "\(slow.summary)")
            let head = try tools.curl(port, "https://api.example.com/x", [version, "-I"])
            #expect(head.stdout.contains("200"), "\(head.summary)")
        }
        // A client that hangs up broke no rule.
        usleep(200_000)
        #expect(!tools.yard.ledger.records.contains { $0.rule.rawValue == "http2" })
    }

    @Test func whatIsNotListedIsRefusedWithin() throws {
        let tools = try ToolYard(["data.example.com"], allow: ["GET https://data.example.com/public/"])
        let port = try tools.yard.door("data.example.com:443", isTLS: true)
        for version in ["--http1.1", "--http2"] {
            #expect(
                try tools.curl(port, "https://data.example.com/public/x", [version]).stdout.hasPrefix("GET /public/x")
            )
            for arguments in [["-X", "POST", "-d", "x"], ["-X", "DELETE"]] {
                let refused = try tools.curl(port, "https://data.example.com/public/x", [version] + arguments)
                #expect(refused.stdout.contains("Rule: network-request"), "\(refused.summary)")
            }
            let other = try tools.curl(port, "https://data.example.com/private", [version, "-w", "%{http_code}"])
            #expect(other.stdout.hasSuffix("403"), "\(other.summary)")
            // Another host in the request than in the handshake.
            let front = try tools.curl(
                port,
                "https://data.example.com/public/x",
                [version, "-H", "Host: evil.example.com"]
            )
            #expect(front.stdout.contains("Rule: http-host"), "\(front.summary)")
        }
        let records = tools.yard.ledger.records(10)
        #expect(records.contains { $0.rule.rawValue == "http-host" && $0.verdict == .deny })
    }

    @Test func aServerWhoseCertificateIsNotTrustedIsRefused() throws {
        let untrusted = try ToolYard(["api.example.com"], allow: ["api.example.com"], trusts: false)
        let misnamed = try ToolYard(
            ["api.example.com"],
            allow: ["api.example.com"],
            certificateNames: ["other.example.com"]
        )
        for tools in [untrusted, misnamed] {
            let port = try tools.yard.door("api.example.com:443", isTLS: true)
            let answer = try tools.curl(port, "https://api.example.com/", ["-w", "%{http_code}"])
            #expect(answer.stdout.hasSuffix("502"), "\(answer.summary)")
            #expect(answer.stdout.contains("could not be verified"), "\(answer.summary)")
        }
    }

    @Test func aServerThatSaysNothingIsGivenUpInTime() throws {
        var limits = BrokerLimits()
        limits.dialSeconds = 0.3
        let silent = """
            import socket
            listener = socket.create_server(('127.0.0.1', 0))
            serve(listener.getsockname()[1], lambda: time.sleep(100))
            """
        let tools = try ToolYard(["api.example.com"], allow: ["api.example.com"], script: silent, limits: limits)
        let port = try tools.yard.door("api.example.com:443", isTLS: true)
        let answer = try tools.curl(port, "https://api.example.com/", ["-w", "%{http_code}"])
        #expect(answer.stdout.hasSuffix("504"), "\(answer.summary)")
        #expect(answer.stdout.contains("handshake was not over"), "\(answer.summary)")
    }

    @Test func aClientThatPinsIsRecognised() throws {
        let tools = try ToolYard(["api.example.com"], allow: ["api.example.com"])
        let port = try tools.yard.door("api.example.com:443", isTLS: true)
        let result = try tools.curl(port, "https://api.example.com/", ["--cacert", tools.place.path + "/up.pem"])
        #expect(result.status == 60, "\(result.summary)")
        let record = try #require(tools.yard.ledger.records(1).first)
        #expect(record.rule.rawValue == "client-pins" && record.verdict == .deny, "\(record)")
    }

    @Test func anotherServerNameIsRefused() throws {
        let tools = try ToolYard(["api.example.com"], allow: ["api.example.com", "other.example.com"])
        let port = try tools.yard.door("api.example.com:443", isTLS: true)
        let result = try tools.curl(port, "https://other.example.com/")
        #expect(result.status != 0, "\(result.summary)")
        let record = try #require(tools.yard.ledger.records(1).first)
        #expect(record.verdict == .deny, "\(record)")
        #expect(tools.yard.dialing.dialled.withLock { $0 }.isEmpty)
    }

    @Test func hostsBeyondTheAuthorityAreNotVouchedFor() throws {
        let tools = try ToolYard(["api.example.com"], allow: ["api.example.com"])
        let port = try tools.yard.door("later.example.com:443", isTLS: true)
        #expect(try tools.curl(port, "https://later.example.com/").status != 0)
        #expect(tools.yard.ledger.records(1).first?.rule.rawValue == "not-vouched")
    }
}
