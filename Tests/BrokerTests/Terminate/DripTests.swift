import Broker
import BrokerLink
import Foundation
import TestSupport
import Testing

@Suite("what comes drop by drop and is never whole holds nobody for ever")
struct DripTests {
    private static let name = "api.example.com"

    /// What the service does, by the path, and what the client does, by its name; and what the client gets.
    private static let cases: [(service: String, client: String, status: String)] = [
        ("head", "whole", "504"), ("hints", "whole", "504"), ("trailers", "whole", "200"), ("size", "whole", "200"),
        ("silent", "whole", "504"), ("whole", "head", "408"), ("whole", "trailers", "504"), ("whole", "size", "400"),
        ("whole", "half", "504"),
    ]

    private static let server = #"""
        import socket, time
        head = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n'
        drips = {
            '/head': (b'HTTP/1.1 200 OK\r\nX: ', b'y'), '/hints': (b'HTTP/1.1 103 Hints\r\nX: ', b'y'),
            '/trailers': (head + b'\r\n2\r\nhi\r\n0\r\nX: ', b'y'), '/size': (head + b'\r\n2\r\nhi\r\n', b'0'),
            '/silent': (b'', b''), '/whole': (b'', b''),
        }
        def speak(raw):
            try:
                with context.wrap_socket(raw, server_side=True) as c:
                    path = c.recv(65536).split(b' ')[1].decode()
                    first, drop = drips[path]
                    c.sendall(first)
                    while True: c.sendall(drop); time.sleep(0.2)
            except (OSError, IndexError): pass
        listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        def forever():
            while True: threading.Thread(target=speak, args=(listener.accept()[0],), daemon=True).start()
        serve(listener.getsockname()[1], forever)
        """#

    private static let client = #"""
        import json, socket, ssl, sys, threading, time
        authority, port, cases = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
        host = 'api.example.com'
        chunked = 'POST %s HTTP/1.1\r\nHost: ' + host + '\r\nTransfer-Encoding: chunked\r\n\r\n'
        drips = {
            'whole': ('GET %s HTTP/1.1\r\nHost: ' + host + '\r\n\r\n', ''),
            'head': ('GET %s HTTP/1.1\r\nX: ', 'y'), 'half': (chunked + 'ff\r\n', ''),
            'trailers': (chunked + '2\r\nhi\r\n0\r\nX: ', 'y'), 'size': (chunked, '0' * 9),
        }
        answers = {}
        def ask(number, service, client):
            context = ssl.create_default_context(cafile=authority)
            c = context.wrap_socket(socket.create_connection(('127.0.0.1', port)), server_hostname=host)
            first, drop = drips[client]
            c.sendall((first % ('/' + service)).encode())
            got = b''
            c.settimeout(0.2)
            while True:
                try:
                    part = c.recv(65536)
                    if not part: break
                    got += part
                except TimeoutError:
                    try: c.sendall(drop.encode())
                    except OSError: pass
                except OSError: break
            answers[number] = got.decode('latin-1').split(' ')[1:2]
        threads = [threading.Thread(target=ask, args=(n, *case), daemon=True) for n, case in enumerate(cases)]
        for thread in threads: thread.start()
        end = time.monotonic() + 20
        for thread in threads: thread.join(max(0, end - time.monotonic()))
        for n in range(len(cases)): print(*answers.get(n, ['for ever']))
        """#

    @Test func bothSides() throws {
        var limits = BrokerLimits()
        limits.idleSeconds = 4
        limits.greetingSeconds = 2
        let tools = try ToolYard(
            [Self.name],
            allow: ["https://\(Self.name)/"],
            script: Self.server,
            limits: limits
        )
        let port = try tools.yard.door("\(Self.name):443", isTLS: true)
        let cases = try JSONSerialization.data(withJSONObject: Self.cases.map { [$0.service, $0.client] })
        let result = try ProcessRunner.run(
            "/usr/bin/env",
            arguments: [
                "python3", "-c", Self.client, tools.place.path + "/ca.pem", "\(port)",
                String(decoding: cases, as: UTF8.self),
            ],
            timeoutSeconds: 60
        )
        let answers = result.stdout.split(separator: "\n").map(String.init)
        #expect(answers == Self.cases.map(\.status), "\(result.summary)")
        #expect(tools.yard.ledger.records(Self.cases.count).count >= Self.cases.count)
    }
}
