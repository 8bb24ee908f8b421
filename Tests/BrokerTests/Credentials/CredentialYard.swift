import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

/// A service that reads a key from a field and can be made to send it back, and a forwarder that holds the key.
struct CredentialYard {
    static let name = "api.example.com"

    let tools: ToolYard
    let secret: HeldSecret
    let key: String
    let store = SecretStore()
    let port: UInt16
    var placeholder: String { secret.placeholder.text }

    /// - Parameters:
    ///   - key: nil for one of letters and digits.
    ///   - hasValue: whether the broker gets it.
    init(
        _ slot: HeaderSlot? = nil,
        key: String? = nil,
        hasValue: Bool = true,
        methods: [String]? = nil,
        path: String? = nil,
        allow: [String] = [],
        forges: [String] = [],
        values: (any CredentialValues)? = nil
    ) throws {
        self.key = key ?? Self.randomKey()
        var random = SystemRandomNumberGenerator()
        let slot = try slot ?? HeaderSlot(field: "x-api-key")
        let binding = try SecretBinding(host: Self.name, slot: slot, methods: methods, path: path)
        secret = HeldSecret(
            name: "SERVICE_KEY",
            placeholder: Placeholder(prefix: "pk-", length: 48, random: &random),
            bindings: [binding]
        )
        tools = try ToolYard(
            [Self.name, "other.example.com"],
            allow: [binding.scope.text, "https://other.example.com/", "\(Self.name):80"] + allow,
            forges: forges,
            script: Self.server.replacing("SLOT", with: slot.field),
            secrets: [secret],
            values: values ?? store
        )
        port = try tools.yard.door("\(Self.name):443", isTLS: true)
        if hasValue { put(self.key) }
    }

    static func randomKey(_ count: Int = 40) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        return String((0..<count).compactMap { _ in letters.randomElement() })
    }

    func put(_ key: String) { Array(key.utf8).withUnsafeBytes { store.put($0, for: secret) } }

    /// Records of what was refused, once there are so many records.
    func denials(_ count: Int) -> [ConnectionRecord] { tools.yard.ledger.records(count).filter { $0.verdict == .deny } }

    /// Heads of requests as the service got them.
    var received: String { (try? tools.place.read("requests.log")) ?? "" }

    /// A request as it is written to the service.
    func request(
        _ path: String,
        method: String = "GET",
        host: String = CredentialYard.name,
        _ fields: [String] = [],
        body: String = ""
    ) -> String {
        let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
        let lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Connection: close"] + length + fields
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// Sends what is given over connections of their own, and returns all that comes back, bytes as Latin-1.
    ///
    /// - Parameter pieces: of each connection, which leave one by one.
    func ask(_ pieces: [[String]], host: String = CredentialYard.name, port: UInt16? = nil) throws -> [String] {
        let file = "cases-\(UUID().uuidString).json"
        let data = try JSONSerialization.data(withJSONObject: pieces)
        try tools.place.write(String(decoding: data, as: UTF8.self), to: file)
        let result = try ProcessRunner.run(
            "/usr/bin/env",
            arguments: ["python3", "-c", Self.client, tools.place.path, "\(port ?? self.port)", host, file],
            timeoutSeconds: 120
        )
        #expect(result.status == 0, "\(result.summary)")
        let answers = try JSONSerialization.jsonObject(with: Data(result.standardOutput)) as? [String]
        return try #require(answers)
    }

    func ask(_ request: String) throws -> String { try #require(try ask([[request]]).first) }

    private static let client = """
        import json, ssl, socket, sys, time
        place, port, host, cases = sys.argv[1:]
        context = ssl.create_default_context(cafile=place + '/ca.pem')
        answers = []
        for pieces in json.load(open(place + '/' + cases)):
            got = b''
            with socket.create_connection(('127.0.0.1', int(port)), timeout=30) as raw:
                with context.wrap_socket(raw, server_hostname=host) as c:
                    try:
                        for n, piece in enumerate(pieces):
                            if n: time.sleep(0.05)
                            c.sendall(piece.encode('utf-8'))
                        while True:
                            part = c.recv(65536)
                            if not part: break
                            got += part
                    except OSError: pass
            # What bombs are made of, a kibibyte to a digit.
            answers.append(got.replace(b'\\0' * 1024, b'0').decode('latin-1'))
        print(json.dumps(answers))
        """

    /// What it sends back depends on the path; `key` is what it was given.
    private static let server = #"""
        import base64, gzip, json, random, socket, time, urllib.parse, zlib
        log = open('requests.log', 'a', buffering=1)
        def read(c):
            got = b''
            while b'\r\n\r\n' not in got:
                part = c.recv(65536)
                if not part: return None
                got += part
            head, rest = got.split(b'\r\n\r\n', 1)
            log.write(head.decode('latin-1') + '\r\n\r\n')
            fields = [l.split(b':', 1) for l in head.split(b'\r\n')[1:]]
            fields = {n.lower().decode(): v.strip().decode('latin-1') for n, v in fields}
            path = head.split(b' ')[1].decode()
            if path != '/early':
                while len(rest) < int(fields.get('content-length', 0)):
                    part = c.recv(65536)
                    if not part: return None
                    rest += part
                while fields.get('transfer-encoding') and not rest.endswith(b'0\r\n\r\n'):
                    part = c.recv(65536)
                    if not part: return None
                    rest += part
            log.write('BODY ' + str(len(rest)) + '\n')
            return path, fields, rest
        def answer(body, more='', status='200 OK'):
            return f'HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n'.encode() + body
        def coded(body, coding):
            return answer(body, f'Content-Encoding: {coding}\r\nETag: "a"\r\n')
        def chunked(chunks, trailers=b''):
            body = b''.join(b'%x\r\n%s\r\n' % (len(x), x) for x in chunks)
            return b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + body + b'0\r\n' + trailers + b'\r\n'
        def raw_deflate(b):
            z = zlib.compressobj(wbits=-15); return z.compress(b) + z.flush()
        def noise(): return gzip.compress(random.Random(7).randbytes(1 << 21).hex().replace('0', 'g').encode())
        kept = []
        def answers(path, key, body, fields, c):
            k = key.encode()
            if path == '/api/keep': kept.append(k)
            if path.startswith('/kept'): return answer(b'kept ' + b''.join(kept))
            if path.startswith('/zipped'): return coded(gzip.compress(b'kept ' + b''.join(kept)), 'gzip')
            text = b'before ' + k + b' after'
            name, _, more = path[1:].partition('?')
            if name == 'plain': return answer(text)
            if name.startswith('base64-'): return answer(base64.b64encode(b'x' * int(name[7:]) + k + b'yz'))
            if name.startswith('url64-'): return answer(base64.urlsafe_b64encode(b'x' * int(name[6:]) + k + b'yz'))
            if name == 'split': n = int(more); return chunked([text[:n], text[n:]])
            if name == 'bytes': return chunked([text[n:n + 1] for n in range(len(text))])
            if name == 'gzip': return coded(gzip.compress(text), 'gzip')
            if name == 'twogzip': return coded(gzip.compress(text[:20]) + gzip.compress(text[20:]), 'x-gzip')
            if name == 'deflate': return coded(zlib.compress(text), 'deflate')
            if name == 'rawdeflate': return coded(raw_deflate(text), 'deflate')
            if name == 'goodgzip': return coded(gzip.compress(b'good ' * 4000), 'gzip')
            if name == 'cutgzip': return coded(gzip.compress(b'good ' * 4000)[:-9], 'gzip')
            if name == 'badgzip': return coded(b'no gzip at all', 'gzip')
            if name == 'bomb': return coded(gzip.compress(bytes(200 << 20)), 'gzip')
            if name == 'latebomb': return coded(noise() + gzip.compress(bytes(200 << 20)), 'gzip')
            if name == 'br': return coded(b'whatever', 'br')
            if name == 'double': return coded(gzip.compress(gzip.compress(text)), 'gzip, gzip')
            if name == 'field': return answer(b'ok', f'X-Seen: {key}\r\n')
            if name == 'fieldname': return answer(b'ok', f'X-{key}: a\r\n')
            if name == 'uppername': return answer(b'ok', f'X-{key.upper()}: a\r\n')
            if name == 'reason': return answer(b'ok', '', f'200 {key}')
            if name == 'cookie': return answer(b'ok', 'Set-Cookie: a=' + base64.b64encode(k).decode() + '\r\n')
            if name == 'redirect': return answer(b'', f'Location: https://other.example.com/?k={key}\r\n', '302 Found')
            if name == 'away': return answer(b'', 'Location: https://other.example.com/\r\n', '302 Found')
            if name == 'hint': return f'HTTP/1.1 103 Hints\r\nLink: </{key}>\r\n\r\n'.encode() + answer(b'ok')
            if name == 'trailer': return chunked([b'ok'], f'X-Seen: {key}\r\n'.encode())
            if name == 'percent': return answer(urllib.parse.quote(key, safe='').encode())
            if name == 'form': return answer(urllib.parse.urlencode({'a': key}).encode())
            if name == 'json': return answer(json.dumps({'a': key}).encode())
            if name == 'slash': return answer(json.dumps({'a': key}).replace('/', '\\/').encode())
            if name == 'hex': return answer(k.hex().encode())
            if name == 'drip':
                c.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
                for n in range(20): c.sendall(b'1\r\n\n\r\n'); time.sleep(0.05)
                c.sendall(b'%x\r\n%s\r\n' % (len(k) - 1, k[:-1])); time.sleep(2)
                return b'0\r\n\r\n'
            if name == 'part': return answer(text[:9], '', '206 Partial Content')
            if name == 'half': return answer(b'x' * 70000 + k[:-1])
            if name == 'unauthorized': return answer(b'no', '', '401 Unauthorized')
            if name == 'upgrade': return b'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
            if name == 'big': return answer(b'abcdefgh' * (1 << 20))
            if name == 'auth': return answer(b'ok' if key == more else b'no', '', '200 OK' if key == more else '401 No')
            return answer(f'ok {len(body)}'.encode())
        def speak(raw):
            try:
                with context.wrap_socket(raw, server_side=True) as c:
                    while True:
                        got = read(c)
                        if not got: return
                        key = got[1].get('SLOT', 'none')
                        if key.startswith('Bearer '): key = key[7:]
                        if key.startswith('Basic '): key = base64.b64decode(key[6:]).decode().partition(':')[2]
                        c.sendall(answers(got[0], key, got[2], got[1], c))
            except OSError: pass
        listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        def forever():
            while True: threading.Thread(target=speak, args=(listener.accept()[0],), daemon=True).start()
        serve(listener.getsockname()[1], forever)
        """#
}
