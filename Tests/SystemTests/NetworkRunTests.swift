import Foundation
import TestSupport
import Testing

/// Programs that know nothing of proxies reach a listed name, without a variable set for them.
@Suite("programs reach listed names and know nothing of a proxy")
struct NetworkRunTests {
    private static let bare = """
        unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

        """

    private func check(
        _ script: String,
        gives expected: String,
        identity: TestIdentity = TestIdentity.available[0],
        prepare: (NetworkYard) throws -> Void = { _ in }
    ) throws {
        let network = try NetworkYard(identity)
        try prepare(network)
        let result = try network.inside(Self.bare + script)
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.contains(expected), "\(result.summary)")
    }

    @Test("curl", arguments: TestIdentity.available)
    func curl(_ identity: TestIdentity) throws {
        try check(
            "curl -sS https://api.example.test/a && curl -sS http://api.example.test/b",
            gives: "hello https /a\nhello http /b\n",
            identity: identity
        )
    }

    @Test("curl through the proxy that the variables name", arguments: TestIdentity.available)
    func proxied(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity)
        let script = """
            test -n "$HTTPS_PROXY$https_proxy" || exit 9
            curl -sS https://api.example.test/a && curl -sS http://api.example.test/b
            curl -sS --socks5-hostname 198.18.0.1:1080 https://api.example.test/c
            """
        let result = try network.inside(script)
        #expect(result.stdout == "hello https /a\nhello http /b\nhello https /c\n", "\(result.summary)")
    }

    @Test("a socket of Python's, plain and with TLS", arguments: TestIdentity.available)
    func python(_ identity: TestIdentity) throws {
        try check(
            """
            /usr/bin/python3 - <<'PROGRAM'
            import socket, ssl
            plain = socket.create_connection(("api.example.test", 7777), 10)
            plain.sendall(b"echo me")
            print(plain.recv(100).decode())
            context = ssl.create_default_context()
            with context.wrap_socket(socket.create_connection(("api.example.test", 443), 10),
                                     server_hostname="api.example.test") as secure:
                secure.sendall(b"GET /py HTTP/1.1\\r\\nHost: api.example.test\\r\\nConnection: close\\r\\n\\r\\n")
                print(b"".join(iter(lambda: secure.recv(65536), b"")).decode())
            PROGRAM
            """,
            gives: "hello https /py",
            identity: identity
        )
    }

    @Test("Node's fetch and a raw TLS socket", .enabled(if: Self.has("node"), "there is no Node"))
    func node() throws {
        try check(
            """
            node -e '
            const tls = require("tls");
            fetch("https://api.example.test/node").then(r => r.text()).then(text => {
              console.log(text.trim());
              const socket = tls.connect(443, "api.example.test", {servername: "api.example.test"}, () => {
                socket.write("GET /raw HTTP/1.1\\r\\nHost: api.example.test\\r\\nConnection: close\\r\\n\\r\\n");
              });
              socket.on("data", data => process.stdout.write(data));
            });'
            """,
            gives: "hello https /raw"
        )
    }

    @Test("Java's HttpClient", .enabled(if: Self.has("javac"), "there is no Java"))
    func java() throws {
        try check(
            """
            cat > Fetch.java <<'PROGRAM'
            import java.net.URI;
            import java.net.http.*;
            class Fetch {
                public static void main(String[] words) throws Exception {
                    var request = HttpRequest.newBuilder(URI.create("https://api.example.test/java")).build();
                    var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
                    System.out.print(answer.body());
                }
            }
            PROGRAM
            java Fetch.java
            """,
            gives: "hello https /java"
        )
    }

    @Test("a program of Rust's", .enabled(if: Self.has("cargo"), "there is no Rust"))
    func rust() throws {
        try check(
            """
            cat > main.rs <<'PROGRAM'
            use std::io::{Read, Write};
            fn main() {
                let mut socket = std::net::TcpStream::connect("api.example.test:7777").unwrap();
                socket.write_all(b"from rust").unwrap();
                let mut bytes = [0u8; 9];
                socket.read_exact(&mut bytes).unwrap();
                println!("{}", String::from_utf8_lossy(&bytes));
            }
            PROGRAM
            rustc -o main main.rs && ./main
            """,
            gives: "from rust"
        )
    }

    @Test("git clone over HTTPS", arguments: TestIdentity.available)
    func gitClone(_ identity: TestIdentity) throws {
        try check(
            """
            git clone -q https://files.example.test/files/work.git copy
            cat copy/a.txt
            """,
            gives: "cloned text",
            identity: identity
        ) { network in
            try network.makeRepository("work")
        }
    }

    @Test("pip from an index on the other side")
    func pip() throws {
        try check(
            """
            /usr/bin/python3 -m venv tools && tools/bin/pip --disable-pip-version-check install -q \
                --index-url https://files.example.test/files/simple/ dalmatian && tools/bin/python -c 'import dalmatian'
            """,
            gives: "spotted"
        ) { network in
            let make = """
                import pathlib, sys, zipfile
                place = pathlib.Path(sys.argv[1]) / "simple" / "dalmatian"
                place.mkdir(parents=True)
                wheel = "dalmatian-1.0-py3-none-any.whl"
                about = "dalmatian-1.0.dist-info/"
                with zipfile.ZipFile(place / wheel, "w") as file:
                    file.writestr("dalmatian.py", "print('spotted')\\n")
                    file.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: dalmatian\\nVersion: 1.0\\n")
                    file.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nTag: py3-none-any\\n")
                    file.writestr(about + "RECORD", "")
                (place / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
                """
            let words = ["-c", make, network.yard.path + "/outside/files"]
            let made = try ProcessRunner.run("/usr/bin/python3", arguments: words)
            try #require(made.status == 0, "\(made.summary)")
        }
    }

    @Test("a large answer and a large question arrive whole")
    func large() throws {
        let network = try NetworkYard()
        let result = try network.inside(
            """
            curl -sS 'https://api.example.test/big?n=50000000' | wc -c
            head -c 30000000 /dev/zero | tee copy | sha256sum | cut -c 1-64 > sum
            curl -sS --data-binary @copy -H 'Expect:' https://api.example.test/post > answer
            test "$(cat answer)" = "30000000 $(cat sum)" && echo whole; rm copy
            """
        )
        #expect(result.stdout == "50000000\nwhole\n", "\(result.summary)")
    }

    @Test("a run without network has none, and no broker")
    func without() throws {
        let yard = try Yard()
        let result = try yard.inside("cat /etc/resolv.conf; env | grep -ci proxy; curl -sS http://api.example.test/")
        #expect(result.stdout.hasSuffix("0\n"), "\(result.summary)")
        #expect(result.status != 0)
    }

    private static func has(_ program: String) -> Bool {
        (try? ProcessRunner.run("/bin/sh", arguments: ["-c", "command -v \(program)"]))?.status == 0
    }
}
