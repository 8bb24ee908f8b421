#!/usr/bin/env python3
"""The world outside, for tests: an HTTPS server, an HTTP server and one that echoes bytes, on loopback, until standard
input ends. It makes its own root certificate and writes down what it was asked.

usage: server.py DIRECTORY NAME...        NAME: the names that its certificate is for

In DIRECTORY: ca.pem, seen.log (a line for each request: METHOD SCHEME HOST PATH), and files/, which is served. A path that
ends with /who asks who asks; one with /oauth/token renews a login.
"""
import hashlib
import http.server
import json
import pathlib
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "certificates"))

from certificates import make_certificates  # noqa: E402

CHUNK = b"0123456789abcdef" * 4096


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scheme = "http"
    place = pathlib.Path()
    lock = threading.Lock()

    def note(self) -> None:
        with self.lock, (self.place / "seen.log").open("a") as file:
            file.write(f"{self.command} {self.scheme} {self.headers.get('Host', '')} {self.path}\n")

    def answer(self, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.note()
        path, _, query = self.path.partition("?")
        if path == "/headers":
            self.answer(json.dumps(dict(self.headers)).encode(), "application/json")
        elif path == "/big":
            self.send_big(int(urllib.parse.parse_qs(query)["n"][0]))
        elif path.endswith("/who"):
            self.send_who()
        elif path.startswith("/files/"):
            super().do_GET()
        else:
            self.answer(f"hello {self.scheme} {path}\n".encode())

    def do_HEAD(self) -> None:
        self.note()
        self.answer(b"hello\n")

    def do_POST(self) -> None:
        self.note()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path.endswith("/oauth/token"):
            return self.send_tokens(body)
        self.answer(f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode())

    do_PUT = do_POST
    do_DELETE = do_GET

    def write_down(self, name: str, line: str) -> int:
        """How many lines there are then."""
        with self.lock, (self.place / name).open("a+") as file:
            file.write(line + "\n")
            file.seek(0)
            return len(file.readlines())

    def send_who(self) -> None:
        """Whose request it is goes into who.log; only words of the file accepted are welcome, where there is one."""
        word = self.headers.get("Authorization", "") or self.headers.get("X-Api-Key", "")
        accepted = self.place / "accepted"
        is_stranger = accepted.exists() and word.removeprefix("Bearer ") not in accepted.read_text().split()
        # Whoever reads the log may change who is welcome.
        self.write_down("who.log", word)
        if is_stranger:
            self.send_error(401)
        else:
            self.answer(b"welcome\n")

    def send_tokens(self, body: bytes) -> None:
        """Renews a login as the file token-mode says; what was asked goes into tokens.log."""
        count = self.write_down("tokens.log", f"{self.headers['Host']} {body.decode()}")
        mode = self.place / "token-mode"
        mode = mode.read_text().strip() if mode.exists() else ""
        if mode == "slow":
            time.sleep(2)
        if mode in ("revoked", "broken"):
            return self.send_error(400 if mode == "revoked" else 500)
        number = f"{count:04}"
        answer = {"access_token": f"renewed-access-{number}", "refresh_token": f"renewed-refresh-{number}"}
        answer |= {"expires_in": 3600, "id_token": f"renewed-identity-{number}", "token_type": "Bearer"}
        self.answer(json.dumps(answer).encode(), "application/json")

    def send_big(self, count: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        while count > 0:
            part = CHUNK[:count]
            self.wfile.write(part)
            count -= len(part)

    def log_message(self, *_: object) -> None:
        pass


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        pass


class SecureServer(Server):
    """The handshake is made by the connection's own thread, so that a slow client holds nobody up."""

    context: ssl.SSLContext

    def finish_request(self, request, client_address) -> None:
        with self.context.wrap_socket(request, server_side=True) as secure:
            self.RequestHandlerClass(secure, client_address, self)


def main() -> None:
    place = pathlib.Path(sys.argv[1])
    (place / "files").mkdir(exist_ok=True)
    (place / "seen.log").touch()
    make_certificates(place, sys.argv[2:])
    Handler.place = place

    def handler(scheme: str) -> type:
        made = type("Scheme", (Handler,), {"scheme": scheme})
        return lambda *arguments: made(*arguments, directory=place)

    secure = SecureServer(("127.0.0.1", 0), handler("https"))
    secure.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.context.load_cert_chain(place / "leaf.pem", place / "leaf.key")
    plain = Server(("127.0.0.1", 0), handler("http"))
    servers = {"https": secure, "http": plain, "echo": Server(("127.0.0.1", 0), Echo)}
    for server in servers.values():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(" ".join(f"{name}={server.server_address[1]}" for name, server in servers.items()), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
