import Foundation
import TestSupport
import Testing

@Suite("Each denial is one line: what, which rule, what would allow it")
struct DenialTests {
    private static let network = """
        import socket
        for address in [("203.0.113.9", 443), ("203.0.113.9", 443), ("198.51.100.7", 80), ("127.0.0.1", 9)]:
            try: socket.socket().connect(address)
            except OSError: pass
        try: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 443))
        except OSError: pass
        for path in ["/var/run/docker.sock", "/run/user/1000/bus", "/tmp/.X11-unix/X0", "/tmp/own", "/run/nscd/socket"]:
            try: socket.socket(socket.AF_UNIX).connect(path)
            except OSError: pass
        for port in [80, 0, 8080]:
            try: socket.socket().bind(("127.0.0.1", port))
            except OSError: pass
        """

    @Test(arguments: TestIdentity.available) func addresses(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write(Self.network, to: "project/n.py")
        let run = try yard.bailey(["run", "--json", "--", "python3", "n.py"])
        #expect(run.status == 0, "\(run.summary)")
        let expected = [
            "connect 203.0.113.9:443 network-none", "connect 198.51.100.7:80 network-none",
            "connect [2001:db8::1]:443 network-none", "connect /var/run/docker.sock host-socket",
            "connect /run/user/1000/bus host-socket", "connect /tmp/.X11-unix/X0 host-socket",
            "bind 127.0.0.1:80 bind-low-port",
        ]
        func lines(_ denials: [[String: Any]]) -> [String] {
            denials.map { denial in
                ["act", "target", "rule"].map { denial[$0] as? String ?? "?" }.joined(separator: " ")
            }
        }
        let answer = try run.answer
        #expect(lines(answer.objects("denials.list")) == expected)
        #expect(answer.number("denials.count") == 8 && answer.number("denials.left_out") == 0)
        let seen = try ObservedRun(yard)
        #expect(lines(seen.denials) == expected)
        #expect(seen.denials[0]["count"] as? Int == 2)
        #expect((seen.denials[0]["path"] as? String)?.contains("python") == true)
        #expect(try yard.events().filter { $0 == "ACCESS_DENIED" }.count == expected.count)
        let printed = run.stderr.split(separator: "\n").filter { $0.hasPrefix("bailey: ACCESS DENIED: ") }
        #expect(printed.count == expected.count)
        #expect(
            printed[0].contains("connect to 203.0.113.9:443, 2 times [network-none]; what would allow it: an operator")
                && printed[0].hasSuffix("do not try another way")
        )
    }

    /// What sends without a connect: datagrams, and the three calls that connect while they send.
    private static let sending = """
        import ctypes, socket, struct
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for address in [("203.0.113.9", 4433), ("203.0.113.9", 4433), ("127.0.0.1", 9)]:
            try: udp.sendto(b"x", address)
            except OSError: pass
        place, fastopen = ("198.51.100.7", 443), 0x20000000
        for send in [
            lambda s: s.sendto(b"x", fastopen, place),
            lambda s: s.sendmsg([b"x"], [], fastopen, place),
        ]:
            try: send(socket.socket())
            except OSError: pass
        name = ctypes.create_string_buffer(struct.pack("<H", 2) + struct.pack(">H4B8x", 443, 198, 51, 100, 8))
        byte = ctypes.create_string_buffer(b"x")
        part = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(byte), 1))
        message = ctypes.create_string_buffer(
            struct.pack("PI4xPNPNi4xI4x", ctypes.addressof(name), 16, ctypes.addressof(part), 1, 0, 0, 0, 0))
        ctypes.CDLL(None).sendmmsg(socket.socket().fileno(), message, 1, fastopen)
        """

    @Test(arguments: TestIdentity.available) func sends(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write(Self.sending, to: "project/s.py")
        let run = try yard.inside("/usr/bin/python3 s.py")
        #expect(run.status == 0, "\(run.summary)")
        let denials = try ObservedRun(yard).denials.map { denial in
            ["act", "target", "rule", "count"].map { "\(denial[$0] ?? "?")" }.joined(separator: " ")
        }
        #expect(
            denials == [
                "send 203.0.113.9:4433 network-none 2", "connect 198.51.100.7:443 network-none 2",
                "connect 198.51.100.8:443 network-none 1",
            ]
        )
        #expect(run.stderr.contains("ACCESS DENIED: send to 203.0.113.9:4433, 2 times [network-none]"))
    }

    @Test("a name that cannot be looked up is one line, and programs hear at once that there is no such name")
    func names() throws {
        for identity in TestIdentity.available {
            let yard = try Yard(identity)
            try yard.write(
                """
                import socket, sys
                for name in ["example.test", "www.example.test"]:
                    try: socket.getaddrinfo(name, 443)
                    except socket.gaierror as error: print(error.errno == socket.EAI_NONAME)
                # As a resolver asks that never connects.
                if sys.argv[1:]: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53))
                print(socket.gethostbyname("localhost"), socket.gethostbyname("bailey"))
                """,
                to: "project/n.py"
            )
            let run = try yard.inside("/usr/bin/python3 n.py; /usr/bin/python3 n.py send")
            let answers = "True\nTrue\n127.0.0.1 127.0.0.1\n"
            #expect(run.stdout == answers + answers, "\(run.summary)")
            let lines = run.stderr.split(separator: "\n").filter { $0.contains("ACCESS DENIED: ") }
            #expect(lines.count == 2, "\(run.stderr)")
            #expect(lines.first?.contains("connect to a name server") == true)
            let remedy = "[name-lookup]; what would allow it: an operator lists the name"
            #expect(lines.allSatisfy { $0.contains(remedy) })
            #expect(try ObservedRun(yard).rules == ["name-lookup", "name-lookup"])
        }
    }

    @Test(arguments: TestIdentity.available) func programs(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("#!/bin/sh\necho secret tool\n", to: "home/tool")
        // Looked at, so that the kernel knows it without asking a disk.
        #expect(try yard.outside("chmod 755 '\(yard.home)/tool' && '\(yard.home)/tool'").status == 0)
        let run = try yard.inside(
            """
            '\(yard.home)/tool'; '\(yard.home)/none'; ./absent; nosuchcommand; touch plain; ./plain
            printf '#!/bin/sh\\n' > "$HOME/own"; chmod +x "$HOME/own"; "$HOME/own"
            """
        )
        let seen = try ObservedRun(yard)
        #expect(seen.denials.compactMap { $0["target"] as? String } == ["\(yard.home)/tool"], "\(run.summary)")
        #expect(seen.rules == ["not-visible"] && run.stderr.contains("--readable PATH shows it"))
        let shown = try yard.bailey(["runs", "show"]).stdout
        #expect(shown.contains("denied    execute \(yard.home)/tool [not-visible]"), "\(shown)")
    }

    @Test("ordinary work has none", .enabled(if: ToolchainYard.has("cc", "make")), arguments: TestIdentity.available)
    func ordinary(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("all: a.o b.o\n\tcc -o prog a.o b.o && ./prog\n%.o: %.c\n\tcc -c $<\n", to: "project/Makefile")
        try yard.write("int b(void); int main(void) { return b(); }\n", to: "project/a.c")
        try yard.write("int b(void) { return 0; }\n", to: "project/b.c")
        try yard.write(
            """
            import http.server, threading, urllib.request, socket, subprocess, multiprocessing, tempfile, os
            server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            urllib.request.urlopen("http://localhost:%d/" % server.server_port).read()
            six = socket.socket(socket.AF_INET6); six.bind(("::1", 0)); six.listen()
            socket.create_connection(six.getsockname()[:2]).close()
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); probe.connect(("127.0.0.1", 9))
            mate = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); mate.bind(("127.0.0.1", 0))
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", mate.getsockname()); mate.recv(1)
            probe.connect_ex(("0.0.0.0", 9))
            place = os.path.join(tempfile.mkdtemp(), "s")
            local = socket.socket(socket.AF_UNIX); local.bind(place); local.listen()
            socket.socket(socket.AF_UNIX).connect(place)
            socket.socket(socket.AF_UNIX).bind("\\0abstract")
            subprocess.run(["git", "--version"], check=True)
            try: subprocess.run(["no-such-program"])
            except FileNotFoundError: pass
            socket.getaddrinfo("localhost", 80); socket.getfqdn()
            print(multiprocessing.Pool(2).map(abs, [-1, 2]))
            """,
            to: "project/t.py"
        )
        let script = "make -j2 && python3 t.py && git init -q . && git add -A && id && hostname; logger x; true"
        let run = try yard.inside(script)
        #expect(run.status == 0, "\(run.summary)")
        let seen = try ObservedRun(yard)
        #expect(seen.denials.isEmpty && !run.stderr.contains("DENIED"), "\(seen.denials)")
        #expect(seen.process("cc1") != nil && seen.process("git") != nil)
    }

    @Test("a flood of them is counted", .enabled(if: ToolchainYard.has("cc")), arguments: TestIdentity.available)
    func flood(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try ObservationProgram.build(in: yard)
        let run = try yard.bailey(["run", "--json", "--", "./probe", "flood", "100000"])
        #expect(run.status == 0, "\(run.summary)")
        let answer = try run.answer
        #expect(answer.number("denials.count") == 100_000)
        #expect(answer.objects("denials.list").count == 64)
        #expect(answer.number("denials.left_out") == 100_000 - 64 * 500)
        let printed = run.stderr.split(separator: "\n").filter { $0.contains("ACCESS DENIED: ") }
        #expect(printed.count == 21, "twenty, and how many more")
        #expect(try ObservedRun(yard).denials.count == 64)
    }
}
