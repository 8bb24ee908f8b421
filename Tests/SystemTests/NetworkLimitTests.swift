import TestSupport
import Testing

@Suite("what a run's network takes of the machine has an end")
struct NetworkLimitTests {
    @Test("a broker that tells nothing at the end holds nobody up, and it is said", arguments: TestIdentity.available)
    func silentEnd(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let script = """
            command='touch begun; while [ ! -e stopped ]; do sleep 0.02; done'
            "$BAILEY" run --workspace direct --allow-host api.example.com -- /bin/sh -c "$command" &
            run=$!
            for i in $(seq 500); do [ -e begun ] && break; sleep 0.02; done
            kill -STOP $(pgrep -P $run -x bailey-broker)
            touch stopped
            wait $run
            """
        let run = try yard.outside(script)
        #expect(run.status == 0, "\(run.summary)")
        #expect(run.stderr.contains("did not tell all of its connections"), "\(run.summary)")
        let log = try yard.bailey(["egress", "log"])
        #expect(log.stdout.contains("did not tell all of its connections"), "\(log.summary)")
    }

    @Test("where a process may have few descriptors, connections are refused before there are none")
    func descriptors() throws {
        let yard = try Yard()
        try yard.write(
            """
            import socket, time
            def connect():
                # Whom there is no place for is refused at once.
                try: return socket.create_connection(("198.18.0.1", 3128), 10)
                except ConnectionResetError: return None
            def is_open(client):
                if client is None: return False
                client.setblocking(False)
                try: return client.recv(1) != b""
                except BlockingIOError: return True
                except OSError: return False
            clients = [connect() for _ in range(150)]
            deadline = time.time() + 5
            while sum(map(is_open, clients)) > 140 and time.time() < deadline: time.sleep(0.1)
            count = sum(map(is_open, clients))
            for client in filter(None, clients): client.close()
            # The places are free a moment later.
            def asked():
                client = connect()
                try:
                    client.sendall(b"CONNECT x.example.com:443 HTTP/1.1\\r\\nHost: x.example.com:443\\r\\n\\r\\n")
                    return client.recv(100).split(b" ")[1]
                except (OSError, IndexError, AttributeError): return None
            deadline = time.time() + 20
            while not (answer := asked()) and time.time() < deadline: time.sleep(0.1)
            print(10 < count <= 140, answer)
            """,
            to: "project/a.py"
        )
        let run = try yard.outside(
            #"ulimit -n 256; "$BAILEY" run --allow-host api.example.com -- /usr/bin/python3 a.py"#
        )
        #expect(run.stdout == "True b'403'\n", "\(run.summary)")
        #expect(run.stderr.contains("limit-connections"), "\(run.summary)")
    }
}
