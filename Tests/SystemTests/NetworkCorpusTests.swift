import Foundation
import TestSupport
import Testing

/// Rows of the corpus that need a connection, made behind the wall, with real servers outside. The names of the corpus
/// are those of the test's servers here.
@Suite("rows of the corpus that need a connection hold against real servers")
struct NetworkCorpusTests {
    /// Prints a line for each row: its id, and the status of each answer, or `held` for what could not be said at all.
    private static let program = #"""
        import socket, ssl, sys
        socket.setdefaulttimeout(20)
        host = "api.example.test"

        def statuses(s):
            data = b""
            try:
                while part := s.recv(65536): data += part
            except (OSError, ssl.SSLError): pass
            return " ".join(part[:3].decode("latin1") for part in data.split(b"HTTP/1.1 ")[1:]) or "held"

        def say(s, *messages):
            try:
                for message in messages: s.sendall(message.encode("latin1"))
            except OSError: pass
            return statuses(s)

        def tunnel(name=host):
            s = socket.create_connection(("198.18.0.1", 3128))
            s.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
            if not s.recv(1000).startswith(b"HTTP/1.1 200"): raise OSError("no tunnel")
            return s

        def secure(s, name=host):
            return ssl.create_default_context().wrap_socket(s, server_hostname=name)

        def get(path, host, more=""):
            return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"

        def proxied(text):
            s = socket.create_connection(("198.18.0.1", 3128))
            try:
                s.sendall(text)
                s.shutdown(socket.SHUT_WR)
            except OSError: pass
            return statuses(s)

        last = "Connection: close\r\n"
        switch = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
        rows = {
            "E468": lambda: say(secure(tunnel()), get("/E468", "evil.example", last)),
            "E471": lambda: say(secure(tunnel()), get("https://evil.example/E471", host, last)),
            "E472": lambda: say(secure(tunnel()), get("/control", host), get("/E472", "files.example.test", last)),
            "E473": lambda: say(tunnel(), get("/E473", host, last)),
            "E474": lambda: say(tunnel(), "SSH-2.0-OpenSSH\r\n"),
            "E476": lambda: say(secure(tunnel("self.example.test"), "self.example.test"),
                                get("/E476", "self.example.test", last)),
            "E478": lambda: say(secure(socket.create_connection(("1.1.1.1", 443))), get("/E478", host, last)),
            "E480": lambda: say(secure(tunnel()), get("/E480", host, switch + last)),
            "E484": lambda: say(secure(tunnel()), get("/E484", host, last)),
            "E485": lambda: say(secure(tunnel(), host.upper()), get("/E485", host.upper() + ":443", last)),
            "E487": lambda: say(secure(socket.create_connection((socket.gethostbyname(host), 443))),
                                get("/E487", host, last)),
        }
        for line in open("requests"):
            name, text = line.rstrip("\n").split("\t")
            rows[name] = lambda text=text: proxied(text.encode().decode("unicode_escape").encode("latin1"))
        for name, row in sorted(rows.items()):
            try: print(name, row())
            except (OSError, ssl.SSLError): print(name, "held")
        """#

    /// What each row's answers are; the rows of requests say it themselves.
    private static let tunnels = [
        "E468": "421", "E471": "400", "E472": "200 421", "E473": "403", "E474": "403", "E476": "502", "E478": "held",
        "E480": "403", "E484": "200", "E485": "200", "E487": "200",
    ]

    @Test(arguments: TestIdentity.available)
    func rows(_ identity: TestIdentity) throws {
        let unverified = """
                - {host: self.example.test, port: 443, address: "127.0.0.1:9"}
              forges: [api.example.test, self.example.test]

            """
        let network = try NetworkYard(identity, extra: unverified)
        let real = "127.0.0.1:\(network.port("https"))"
        let settings = try network.yard.read("config/bailey/config.yml").replacing("127.0.0.1:9\"", with: real + "\"")
        try network.yard.write(settings, to: "config/bailey/config.yml")
        let requests = try EgressRow.texts("request", only: ["E455", "E456", "E457"]).map { id, text in
            "\(id)\t\(text.replacing("example.com", with: NetworkYard.other))\n"
        }
        #expect(requests.count == 3)
        try network.yard.write(requests.joined(), to: "project/requests")
        try network.yard.write(Self.program, to: "project/rows.py")
        let result = try network.yard.bailey(["run", "--", "/usr/bin/python3", "rows.py"])
        let answers = Dictionary(
            uniqueKeysWithValues: result.stdout.split(separator: "\n").map {
                (String($0.prefix(4)), String($0.dropFirst(5)))
            }
        )
        for (id, answer) in Self.tunnels { #expect(answers[id] == answer, "\(id): \(result.summary)") }
        #expect(answers["E455"] == "400" && answers["E456"] == "400", "\(result.summary)")
        #expect(answers["E457"]?.hasPrefix("200 4") == true, "\(result.summary)")
        let seen = try network.seen()
        #expect(seen.split(separator: "\n").count == 5, "\(seen)")
        for path in ["E484", "E485", "E487"] {
            #expect(seen.contains("GET https api.example.test /\(path)\n"), "\(seen)")
        }
        #expect(!seen.contains("evil.example") && !seen.contains("127.0.0.1"), "\(seen)")
    }
}

extension EgressRow {
    /// The inputs of some rows as the corpus writes them, with their escapes.
    static func texts(_ kind: String, only ids: Set<String>) throws -> [(id: String, text: String)] {
        var found: [(id: String, text: String)] = []
        for line in try file().split(separator: "\n") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if cells[5] == kind, ids.contains(cells[0]) { found.append((cells[0], cells[1])) }
        }
        return found
    }
}
