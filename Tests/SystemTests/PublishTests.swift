import Foundation
import TestSupport
import Testing

/// `--publish`: programs of the machine reach a server inside, and nothing more becomes possible.
@Suite("a published port leads in, and nowhere else")
struct PublishTests {
    /// `$port` is free on both loopback addresses; `fetch` prints what curl got, `served` waits for the server inside.
    private static let beginning = """
        port=$(/usr/bin/python3 -c 'import socket
        while True:
            try:
                one = socket.socket(); one.bind(("127.0.0.1", 0)); number = one.getsockname()[1]
                two = socket.socket(socket.AF_INET6); two.bind(("::1", number)); break
            except OSError: pass
        print(number)')
        fetch() { curl -sS -m 20 --noproxy '*' "http://$1:$port/a.txt" 2>&1; }
        served() {
            for i in $(seq 300); do fetch "$1" | grep -q 'a text' && return; sleep 0.1; done
            echo "not served"
        }

        """

    @Test("curl outside, a web server inside", arguments: TestIdentity.available, ["127.0.0.1", "::1"])
    func webServer(_ identity: TestIdentity, _ bound: String) throws {
        let yard = try Yard(identity)
        try yard.write("a text\n", to: "project/a.txt")
        let script = """
            "$BAILEY" run --publish $port -- /usr/bin/python3 -m http.server $port --bind \(bound) >/dev/null 2>&1 &
            bailey=$!
            served 127.0.0.1
            for i in $(seq 20); do fetch 127.0.0.1 > "got.$i" & fetches="$fetches $!"; done
            wait $fetches
            cat got.* | sort | uniq -c | tr -s ' '; rm got.*
            fetch '[::1]'
            kill -TERM $bailey; wait $bailey; echo "ended $?"
            fetch 127.0.0.1 >/dev/null; echo "then $?"
            """
        let result = try yard.outside(Self.beginning + script)
        #expect(result.stdout == " 20 a text\na text\nended 143\nthen 7\n", "\(result.summary)")
        let log = try yard.bailey(["egress", "log", "--json"])
        let records = log.stdout.split(separator: "\n").filter { $0.contains(#""door":"published""#) }
        #expect(records.count { $0.contains(#""treatment":"spliced""#) } >= 21, "\(log.summary)")
        #expect(records.contains { $0.contains(#""address":"\#(bound)""#) }, "\(log.summary)")
    }

    @Test("a direct run's server, and one that came to an end by kill -9", arguments: TestIdentity.available)
    func killed(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("a text\n", to: "project/a.txt")
        let script = """
            "$BAILEY" run --workspace direct --publish $port -- /usr/bin/python3 -m http.server $port >/dev/null 2>&1 &
            bailey=$!
            served 127.0.0.1
            kill -9 $bailey; wait $bailey
            for i in $(seq 300); do fetch 127.0.0.1 >/dev/null; code=$?; test $code = 7 && break; sleep 0.1; done
            echo "then $code"
            """
        let result = try yard.outside(Self.beginning + script)
        #expect(result.stdout == "then 7\n", "\(result.summary)")
    }

    @Test("a long conversation goes both ways, and each end is carried over")
    func conversation() throws {
        let yard = try Yard()
        try yard.write(
            """
            import socket, sys
            listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
            while True:
                client, peer = listener.accept()
                said = b""
                while True:
                    part = client.recv(4096)
                    if not part: break
                    said += part
                    client.sendall(b"heard " + part)
                client.sendall(b"in all %d from %s" % (len(said), peer[0].encode()))
                client.close()
            """,
            to: "project/echo.py"
        )
        let talk = """
            import socket, sys, time
            for attempt in range(300):
                try:
                    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
                    server.sendall(b"x")
                    if server.recv(100) == b"heard x": break
                except ConnectionError: pass
                time.sleep(0.1)
            for turn in range(50):
                server.sendall(b"turn %02d" % turn)
                answer = server.recv(100)
                assert answer == b"heard turn %02d" % turn, answer
                time.sleep(0.01)
            server.shutdown(socket.SHUT_WR)
            print(b"".join(iter(lambda: server.recv(100), b"")).decode())
            """
        let script = """
            "$BAILEY" run --publish $port -- /usr/bin/python3 echo.py $port >/dev/null 2>&1 & bailey=$!
            /usr/bin/python3 -c '\(talk)' $port
            kill -TERM $bailey; wait $bailey
            """
        let result = try yard.outside(Self.beginning + script)
        #expect(result.stdout == "in all 351 from 127.0.0.1\n", "\(result.summary)")
    }

    @Test("inside, the port is the sandbox's own, and the host's loopback stays out of reach")
    func oneWay() throws {
        let network = try NetworkYard()
        let host = network.port("http")
        let script = """
            "$BAILEY" run --publish $port -- /bin/sh -c '
                curl -sS -m 5 --noproxy "*" http://127.0.0.1:'$port'/ >/dev/null 2>&1; echo "own $?"
                curl -sS -m 5 --noproxy "*" http://127.0.0.1:\(host)/ >/dev/null 2>&1; echo "host $?"
                curl -s -m 5 --noproxy x -o /dev/null -w "%{http_code}\\n" http://127.0.0.1:'$port'/
                curl -s -m 5 --noproxy x -o /dev/null -w "%{http_code}\\n" http://localhost:\(host)/' 2>/dev/null
            """
        let result = try network.yard.outside(Self.beginning + script)
        #expect(result.stdout == "own 7\nhost 7\n403\n403\n", "\(result.summary)")
        #expect(try !network.seen().contains("GET"))
    }

    @Test("with nothing listed, nothing goes out")
    func nothingElse() throws {
        let yard = try Yard()
        let result = try yard.outside(
            Self.beginning + """
                "$BAILEY" run --publish $port -- curl -s -o /dev/null -w '%{http_code}\\n' http://example.com/
                """
        )
        #expect(result.stdout == "403\n", "\(result.summary)")
        let created = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
        #expect(created.contains(#""network":["published "#))
    }

    @Test("a port that is taken is refused before anything begins, and nothing is left")
    func taken() throws {
        let yard = try Yard()
        let server = try OutsideServer(in: yard.path + "/outside", names: ["api.example.test"])
        let result = try yard.inside("echo ran", "--publish", "\(server.ports["http"] ?? 0)")
        #expect(result.status == 125 && result.stdout.isEmpty, "\(result.summary)")
        #expect(result.stderr.contains("another program of this machine listens there already"), "\(result.summary)")
        #expect(result.stderr.contains("ss -ltnp"), "\(result.summary)")
        #expect(try yard.runs().isEmpty)
    }

    @Test("what is no port is refused", arguments: ["0", "80", "1023", "65536", "-1", "http", "", "3000:3000"])
    func wrong(_ port: String) throws {
        let yard = try Yard()
        let result = try yard.inside("echo ran", "--publish", port)
        #expect(result.status == 2 && result.stdout.isEmpty, "\(result.summary)")
        #expect(result.stderr.contains("read --publish"), "\(result.summary)")
        #expect(try yard.runs().isEmpty)
    }
}
