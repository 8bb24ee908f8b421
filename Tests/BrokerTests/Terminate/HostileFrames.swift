/// A server in Python that writes HTTP/2 frame by frame. Between the two parts stands `scenarios`, by the first label
/// of the name that the client asks for: each is called with the connection and the stream of a head that has come.
enum HostileFrames {
    static let prelude = #"""
        import socket, struct
        context.set_alpn_protocols(['h2', 'http/1.1'])
        def asked(connection, name, old):
            connection.scenario = (name or 'none').split('.')[0]
        context.sni_callback = asked
        tries = {}
        def frame(kind, flags, stream, payload=b''):
            return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload
        def text(s):
            s = s.encode('latin-1')
            return (bytes([len(s)]) if len(s) < 127 else b'\x7f' + number(len(s) - 127)) + s
        def number(n):
            out = b''
            while n > 127: out += bytes([n % 128 + 128]); n //= 128
            return out + bytes([n])
        def block(*fields): return b''.join(b'\x00' + text(n) + text(v) for n, v in fields)
        def head(stream, *fields, end=False): return frame(1, 5 if end else 4, stream, block(*fields))
        def data(stream, body, end=True): return frame(0, 1 if end else 0, stream, body)
        OK = (':status', '200')
        def good(stream, body=b'good\n'): return head(stream, OK) + data(stream, body)
        """#

    static let serving = #"""
        def read(c, count):
            got = b''
            while len(got) < count:
                part = c.recv(count - len(got))
                if not part: raise EOFError
                got += part
            return got
        def speak(raw):
            try:
                with context.wrap_socket(raw, server_side=True) as c:
                    if c.selected_alpn_protocol() != 'h2':
                        c.recv(65536); c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nold\n'); return
                    read(c, 24)
                    c.sendall(frame(4, 0, 0))
                    while True:
                        first = read(c, 9)
                        payload = read(c, int.from_bytes(first[:3], 'big'))
                        stream = int.from_bytes(first[5:9], 'big')
                        if first[3] == 4 and first[4] == 0: c.sendall(frame(4, 1, 0))
                        if first[3] == 1: c.sendall(scenarios[c.scenario](c, stream) or b'')
            except (OSError, EOFError): pass
        listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        def forever():
            while True: threading.Thread(target=speak, args=(listener.accept()[0],), daemon=True).start()
        serve(listener.getsockname()[1], forever)
        """#
}
