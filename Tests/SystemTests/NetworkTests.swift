import Foundation
import TestSupport
import Testing

@Suite("a run with a network has sockets of its broker inside, and no other way out")
struct NetworkTests {
    private static let options = ["run", "--allow-host", "api.example.com"]

    /// One line for each attempt: what was tried, and the name of the error or "done".
    private static let attempts = """
        import errno, os, socket
        def attempt(name, act):
            try: act(); print(name, "done")
            except OSError as error: print(name, errno.errorcode.get(error.errno, error.errno))
        def connect(address, port, family=socket.AF_INET):
            with socket.socket(family) as client:
                client.settimeout(5)
                client.connect((address, port))
                assert client.getpeername()[0] == address
        def send(address, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client: client.sendto(b"x", (address, port))
        def closed(address, port, family=socket.AF_INET):
            # The broker hangs up, before the program looks or after.
            with socket.socket(family) as client:
                client.settimeout(10)
                try:
                    client.connect((address, port))
                    if client.recv(1): raise OSError("somebody answered")
                except ConnectionResetError: pass
        inside, six = "198.18.0.1", socket.AF_INET6
        for port in [53, 3128, 1080]: attempt(f"broker-{port}", lambda: connect(inside, port))
        for port in [22, 80, 443]: attempt(f"name-{port}", lambda: closed("198.19.255.1", port))
        attempt("name-v6", lambda: closed("fd62:6169:6c65:7900::42", 443, six))
        attempt("name-444", lambda: connect("198.18.0.7", 444))
        for address in ["1.1.1.1", "169.254.169.254", "192.168.0.1", "198.20.0.1"]:
            attempt(address, lambda: connect(address, 443))
        attempt("v6", lambda: connect("2606:4700::1111", 443, six))
        attempt("udp", lambda: send("1.1.1.1", 443))
        attempt("udp-53", lambda: send("1.1.1.1", 53))
        attempt("icmp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(
            b"\\x08" + bytes(7), ("1.1.1.1", 0)))
        attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
        attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
        attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0bailey-test"))
        attempt("bind-loopback", lambda: socket.socket().bind(("127.0.0.1", 3128)))
        attempt("bind-low", lambda: socket.socket().bind(("127.0.0.1", 81)))
        attempt("bind-broker", lambda: socket.socket().bind((inside, 3128)))
        print("descriptors", len(os.listdir("/proc/self/fd")))
        print(open("/etc/resolv.conf").readline().strip())
        print(os.environ.get("https_proxy"), os.environ.get("NO_PROXY"))
        """

    private static let expected = """
        broker-53 done
        broker-3128 done
        broker-1080 done
        name-22 done
        name-80 done
        name-443 done
        name-v6 done
        name-444 ECONNREFUSED
        1.1.1.1 ENETUNREACH
        169.254.169.254 ENETUNREACH
        192.168.0.1 ENETUNREACH
        198.20.0.1 ENETUNREACH
        v6 ENETUNREACH
        udp ENETUNREACH
        udp-53 ENETUNREACH
        icmp EACCES
        raw EPERM
        vsock ENOSYS
        abstract ECONNREFUSED
        bind-loopback done
        bind-low EACCES
        bind-broker EADDRINUSE
        descriptors 4
        nameserver 198.18.0.1
        http://198.18.0.1:3128 localhost,127.0.0.1,::1,198.18.0.1

        """

    @Test(arguments: TestIdentity.available) func attempts(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write(Self.attempts, to: "project/a.py")
        let run = try yard.bailey(Self.options + ["--", "/usr/bin/python3", "a.py"])
        #expect(run.status == 0 && run.stdout == Self.expected, "\(run.summary)")
        #expect(run.stderr.contains("ACCESS DENIED: connect to 169.254.169.254:443 [network-none]"), "\(run.summary)")
        #expect(!run.stderr.contains("198.18.0.7"), "\(run.summary)")
        #expect(try yard.events().contains("NETWORK_ENDED"))
        #expect(Leftovers.processes(yard.path).isEmpty)
    }

    @Test("a port from 1024 on has its maker of listeners", arguments: TestIdentity.available)
    func later(_ identity: TestIdentity) throws {
        let run = try Yard(identity).bailey(["run", "--allow-host", "db.example.com:5432", "--", "/bin/true"])
        #expect(run.status == 0, "\(run.summary)")
    }

    @Test func withoutANetworkThereIsNoneOfIt() throws {
        let yard = try Yard()
        let run = try yard.inside("cat /etc/resolv.conf; env | grep -i proxy; cat /proc/net/tcp | wc -l")
        #expect(run.stdout == "# No network.\n1\n", "\(run.summary)")
        #expect(try !yard.events().contains("NETWORK_ENDED"))
    }

    /// Kills the broker of a run that is under way. What `$BROKER` does is said in the script's own words.
    private func broken(_ identity: TestIdentity, _ signal: String) throws -> (Yard, ProcessResult) {
        let yard = try Yard(identity)
        try yard.write(
            """
            import os, socket, time
            socket.create_connection(("198.18.0.1", 3128), 5).close()
            open("begun", "w").close()
            deadline = time.time() + 30
            while time.time() < deadline:
                try: socket.create_connection(("198.18.0.1", 3128), 5).close()
                except OSError: print("no way out"); break
                time.sleep(0.02)
            """,
            to: "project/a.py"
        )
        let script = """
            "$BAILEY" run --workspace direct --allow-host api.example.com -- /usr/bin/python3 a.py &
            run=$!
            for i in $(seq 500); do [ -e begun ] && break; sleep 0.02; done
            kill -\(signal) $(pgrep -P $run -x bailey-broker)
            wait $run
            """
        return (yard, try yard.outside(script))
    }

    @Test("a broker that is killed is no way out, and the run goes on and says so", arguments: TestIdentity.available)
    func killed(_ identity: TestIdentity) throws {
        let (yard, run) = try broken(identity, "KILL")
        #expect(run.status == 0 && run.stdout == "no way out\n", "\(run.summary)")
        #expect(run.stderr.contains("the network of the run broke down: it was ended by signal 9"), "\(run.summary)")
        let log = try yard.bailey(["egress", "log"])
        #expect(log.status == 0 && log.stdout.contains("broke down: it was ended by signal 9"), "\(log.summary)")
        let json = try yard.bailey(["egress", "log", "--json"])
        #expect(try json.answer.text("type") == "NETWORK_ENDED", "\(json.summary)")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func aBrokerGoesWithItsSupervisor() throws {
        let yard = try Yard(copies: true)
        let script = """
            "$BAILEY" run --workspace direct --allow-host api.example.com -- /bin/sh -c 'touch begun; sleep 60' &
            run=$!
            for i in $(seq 500); do [ -e begun ] && break; sleep 0.02; done
            broker=$(pgrep -P $run -x bailey-broker)
            kill -KILL $run
            for i in $(seq 500); do [ -e /proc/$broker ] || break; sleep 0.02; done
            [ -e begun ] && [ ! -e /proc/$broker ] && echo gone
            """
        #expect(try yard.outside(script).stdout == "gone\n")
        #expect(Eventually.holds { Leftovers.processes(yard.path + "/bin").isEmpty })
    }

    @Test func aRunWithoutItsBrokerDoesNotBegin() throws {
        let yard = try Yard(copies: true)
        _ = try yard.outside("mv $YARD/bin/bailey-broker $YARD/bin/other")
        let missing = try yard.bailey(Self.options + ["--", "/usr/bin/touch", "made"])
        #expect(missing.status == 125 && missing.stderr.contains("bailey-broker does not exist"), "\(missing.summary)")
        _ = try yard.outside("cp /bin/false $YARD/bin/bailey-broker")
        let other = try yard.bailey(Self.options + ["--workspace", "direct", "--", "/usr/bin/touch", "made"])
        #expect(other.status == 125 && other.stderr.contains("start the network of the run"), "\(other.summary)")
        #expect(!yard.exists("project/made"))
        #expect(try yard.bailey(["run", "--", "/bin/true"]).status == 0)
    }

    @Test(arguments: [
        (["--allow-host", "https://api.example.com/"], "Write --allow-net"),
        (["--allow-host", "10.0.0.1"], "names an address"), (["--allow-host", "localhost"], "single label"),
        (["--allow-net", "api.example.com"], "Write --allow-host"),
        (["--allow-net", "get https://api.example.com/"], "is no method"),
    ])
    func options(_ words: [String], _ message: String) throws {
        let run = try Yard().bailey(["run"] + words + ["--", "/bin/true"])
        #expect(run.status == 2 && run.stderr.contains(message), "\(run.summary)")
    }

    @Test func theCertificateOfAnUpstreamIsReadBeforeAnythingStarts() throws {
        let yard = try Yard()
        let section = """
            network:
              forges: [git.example.com]
              upstreams:
                - {host: model.example.org, port: 443, address: "127.0.0.1:8443", ca: model.pem}

            """
        try yard.write(section, to: "config/bailey/config.yml")
        func run() throws -> ProcessResult { try yard.bailey(["run", "--", "/bin/true"]) }
        let missing = try run()
        #expect(missing.status == 125 && missing.stderr.contains("No such file"), "\(missing.summary)")
        try yard.write("nothing\n", to: "config/bailey/model.pem")
        #expect(try run().stderr.contains("holds no certificate in PEM form"))
        try yard.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "config/bailey/model.pem")
        #expect(try run().status == 0)
        _ = try yard.outside("chmod g+w $YARD/config/bailey/model.pem")
        #expect(try run().stderr.contains("others can change it"))
    }
}
