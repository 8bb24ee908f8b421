#!/usr/bin/env python3
"""A provider of models that says what a script says, over TLS, on loopback, until standard input ends.

It speaks Anthropic Messages, OpenAI Chat Completions and OpenAI Responses, streamed and not, answers 401 to whoever does
not show the key, and writes down every request. Other paths, and other hosts of its certificate, are answered with 404.

usage: provider.py DIRECTORY NAME...        NAME: the names that its certificate is for

It prints `https=PORT`. In DIRECTORY it reads, anew for each request,

  key           the credential that a request must carry, as x-api-key or as a bearer
  script.json   {"steps": [STEP…], "counts": "results"|"requests", "side": [{"holds": TEXT, "text": TEXT}…],
                "usage": {"input": TOKENS, "output": TOKENS}}

where a STEP is {"text": …}, {"call": TOOL, "input": {…}} or {"call": TOOL, "words": …} (a tool whose input is no JSON),
in each case with "hold": NAME if hold-NAME is to be made and the answer to wait until go-NAME is there. The step is chosen by
counting the results of tools in the request, since agents ask for titles and summaries in between; with "requests", by
counting requests. A request that offers no tools while results are counted is such a side call. A STEP with "refuse": true
takes back the token of requests first: the login must be renewed (logins.py). "refuses": true answers every request 401.

It writes

  ca.pem        the root of its certificate
  requests.jsonl   one line for each request: its method, host, path, field names, credential, model and step
  bodies/N         the body of request N
"""
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

import logins  # noqa: E402
from certificates import make_certificates  # noqa: E402

BODY_BYTES_MAX = 64 << 20
HOLD_SECONDS_MAX = 120
PIECE_CHARACTERS = 7
USAGE = {"input": 1200, "output": 80}


def pieces(text: str) -> list[str]:
    """A text as it comes from a model: in small parts."""
    return [text[start:start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)] or [""]


class Messages:
    """Anthropic's dialect."""
    name = "anthropic-messages"

    @staticmethod
    def results(body: dict) -> int:
        blocks = [block for message in body.get("messages", []) if isinstance(message.get("content"), list)
                  for block in message["content"]]
        return sum(1 for block in blocks if block.get("type") == "tool_result")

    @staticmethod
    def block(step: dict, number: int) -> dict:
        if "call" in step:
            return {"type": "tool_use", "id": f"toolu_{number:04}", "name": step["call"], "input": step["input"]}
        return {"type": "text", "text": step["text"]}

    @classmethod
    def whole(cls, step: dict, model: str, number: int) -> dict:
        return {
            "id": f"msg_{number:04}", "type": "message", "role": "assistant", "model": model,
            "content": [cls.block(step, number)], "stop_reason": "tool_use" if "call" in step else "end_turn",
            "stop_sequence": None, "usage": {
                "input_tokens": step["usage"]["input"], "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                "output_tokens": step["usage"]["output"],
            },
        }

    @classmethod
    def events(cls, step: dict, model: str, number: int) -> list[tuple[str, dict]]:
        message = cls.whole(step, model, number)
        block, reason = message["content"][0], message["stop_reason"]
        empty = {**block, "input": {}} if "call" in step else {**block, "text": ""}
        head = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
        made = [{"type": "message_start", "message": head},
                {"type": "content_block_start", "index": 0, "content_block": empty}, {"type": "ping"}]
        text = json.dumps(block["input"]) if "call" in step else block["text"]
        kind, member = ("input_json_delta", "partial_json") if "call" in step else ("text_delta", "text")
        made += [{"type": "content_block_delta", "index": 0, "delta": {"type": kind, member: part}}
                 for part in pieces(text)]
        made += [{"type": "content_block_stop", "index": 0},
                 {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
                  "usage": {"output_tokens": step["usage"]["output"]}},
                 {"type": "message_stop"}]
        return [(event["type"], event) for event in made]

    @staticmethod
    def refusal(text: str) -> dict:
        return {"type": "error", "error": {"type": "authentication_error", "message": text}}


class Completions:
    """OpenAI's older dialect."""
    name = "openai-chat"

    @staticmethod
    def usage(step: dict) -> dict:
        used = step["usage"]
        return {"prompt_tokens": used["input"], "completion_tokens": used["output"], "total_tokens": sum(used.values())}

    @staticmethod
    def results(body: dict) -> int:
        return sum(1 for message in body.get("messages", []) if message.get("role") == "tool")

    @staticmethod
    def call(step: dict, number: int) -> dict:
        return {"id": f"call_{number:04}", "type": "function",
                "function": {"name": step["call"], "arguments": json.dumps(step["input"])}}

    @classmethod
    def whole(cls, step: dict, model: str, number: int) -> dict:
        message: dict = {"role": "assistant", "content": step.get("text")}
        if "call" in step:
            message["tool_calls"] = [cls.call(step, number)]
        reason = "tool_calls" if "call" in step else "stop"
        return {"id": f"chatcmpl-{number:04}", "object": "chat.completion", "created": 1, "model": model,
                "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": cls.usage(step)}

    @classmethod
    def events(cls, step: dict, model: str, number: int) -> list[tuple[str, dict]]:
        def chunk(delta: dict, reason=None) -> tuple[str, dict]:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            return "", {"id": f"chatcmpl-{number:04}", "object": "chat.completion.chunk", "created": 1, "model": model,
                        "choices": [choice]}

        made = [chunk({"role": "assistant", "content": ""})]
        if "call" in step:
            call = cls.call(step, number)
            text, call["function"]["arguments"] = call["function"]["arguments"], ""
            made.append(chunk({"tool_calls": [{"index": 0, **call}]}))
            made += [chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in pieces(text)]
            made.append(chunk({}, "tool_calls"))
        else:
            made += [chunk({"content": part}) for part in pieces(step["text"])]
            made.append(chunk({}, "stop"))
        return made

    @staticmethod
    def refusal(text: str) -> dict:
        return {"error": {"message": text, "type": "invalid_request_error", "code": "invalid_api_key"}}


class Responses:
    """OpenAI's newer dialect."""
    name = "openai-responses"

    @staticmethod
    def results(body: dict) -> int:
        items = body.get("input") if isinstance(body.get("input"), list) else []
        return sum(1 for item in items if str(item.get("type", "")).endswith("call_output"))

    @staticmethod
    def item(step: dict, number: int) -> dict:
        if "words" in step:
            return {"type": "custom_tool_call", "id": f"ctc_{number:04}", "call_id": f"call_{number:04}",
                    "name": step["call"], "input": step["words"], "status": "completed"}
        if "call" in step:
            return {"type": "function_call", "id": f"fc_{number:04}", "call_id": f"call_{number:04}",
                    "name": step["call"], "arguments": json.dumps(step["input"]), "status": "completed"}
        content = [{"type": "output_text", "text": step["text"], "annotations": []}]
        return {"type": "message", "id": f"msg_{number:04}", "role": "assistant", "content": content,
                "status": "completed"}

    @classmethod
    def whole(cls, step: dict, model: str, number: int) -> dict:
        used = step["usage"]
        usage = {"input_tokens": used["input"], "input_tokens_details": {"cached_tokens": 0},
                 "output_tokens": used["output"], "output_tokens_details": {"reasoning_tokens": 0},
                 "total_tokens": sum(used.values())}
        return {"id": f"resp_{number:04}", "object": "response", "created_at": 1, "status": "completed", "model": model,
                "output": [cls.item(step, number)], "error": None, "incomplete_details": None, "usage": usage}

    @classmethod
    def events(cls, step: dict, model: str, number: int) -> list[tuple[str, dict]]:
        whole = cls.whole(step, model, number)
        item = whole["output"][0]
        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        place = {"item_id": item["id"], "output_index": 0}
        made = [{"type": "response.created", "response": begun}]
        if item["type"] == "message":
            made.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}})
            made += [{"type": "response.output_text.delta", **place, "content_index": 0, "delta": part}
                     for part in pieces(step["text"])]
        elif item["type"] == "function_call":
            made.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "arguments": ""}})
            made += [{"type": "response.function_call_arguments.delta", **place, "delta": part}
                     for part in pieces(item["arguments"])]
            made.append({"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]})
        else:
            made.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "input": ""}})
        made += [{"type": "response.output_item.done", "output_index": 0, "item": item},
                 {"type": "response.completed", "response": whole}]
        return [(event["type"], {**event, "sequence_number": index}) for index, event in enumerate(made)]

    refusal = Completions.refusal


DIALECTS = {"/messages": Messages, "/chat/completions": Completions, "/responses": Responses}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    place = pathlib.Path()
    lock = threading.Lock()
    number = 0
    answered = 0

    def credential(self) -> str:
        """What the request shows: `bound` for the key, `old` for one that was, `other`, `none`, `twice` for several."""
        key = (self.place / "key").read_text().strip()
        shown = self.headers.get_all("x-api-key", []) + self.headers.get_all("authorization", [])
        if len(shown) != 1:
            return "twice" if shown else "none"
        kind, _, rest = shown[0].partition(" ")
        word = rest if kind.lower() == "bearer" else shown[0]
        return "bound" if word == key else "old" if logins.is_old(self.place, word) else "other"

    def read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(min(int(self.headers.get("Content-Length", "0")), BODY_BYTES_MAX))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def note(self, body: bytes, **facts: object) -> None:
        with self.lock:
            Handler.number += 1
            (self.place / "bodies" / str(Handler.number)).write_bytes(body)
            line = {"number": Handler.number, "method": self.command, "host": self.headers.get("Host", ""),
                    "path": self.path, "fields": sorted({name.lower() for name in self.headers.keys()}), **facts}
            with (self.place / "requests.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")

    def send(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def do_GET(self) -> None:
        body = self.read_body()
        self.note(body, credential=self.credential())
        path = urllib.parse.urlsplit(self.path).path
        if path.endswith("/models"):
            self.send(200, {"object": "list", "data": [], "models": []})
        elif path.endswith("/accounts/check"):
            self.send(200 if self.credential() == "bound" else 401, logins.WORKSPACES)
        else:
            self.send(404, {"error": {"type": "not_found_error", "message": "there is nothing here"}})

    do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def do_POST(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        body = self.read_body()
        dialect = next((DIALECTS[end] for end in DIALECTS if path.endswith(end)), None)
        if path.endswith("/messages/count_tokens"):
            self.note(body, credential=self.credential())
            self.send(200, {"input_tokens": USAGE["input"]})
        elif path.endswith("/oauth/token"):
            self.renew(body)
        elif dialect is None:
            self.do_other(body)
        else:
            self.say(dialect, body)

    def renew(self, body: bytes) -> None:
        self.note(b"", credential=self.credential(), renewal=True)
        with self.lock:
            answer = logins.renew(self.place, self.headers.get("Host", ""), json.loads(body))
        self.send(200 if answer else 400, answer or {"error": "invalid_grant"})

    def do_other(self, body: bytes) -> None:
        self.note(body, credential=self.credential())
        self.send(404, {"error": {"type": "not_found_error", "message": "there is nothing here"}})

    def say(self, dialect: type, raw: bytes) -> None:
        body, credential = json.loads(raw), self.credential()
        script = json.loads((self.place / "script.json").read_text())
        step, index = self.choose(dialect, body, script, raw.decode("utf-8", "replace"))
        step = {"usage": script.get("usage", USAGE), **step}
        if step.get("refuse") and not (self.place / f"refused-{index}").exists():
            (self.place / f"refused-{index}").touch()
            logins.revoke(self.place)
            credential = self.credential()
        model, is_streamed = str(body.get("model", "")), body.get("stream") is True
        self.note(raw, credential=credential, dialect=dialect.name, model=model, stream=is_streamed, step=index)
        if credential != "bound" or script.get("refuses"):
            self.send(401, dialect.refusal(f"the provider's answer to a credential that is '{credential}'"))
            return
        self.hold(step)
        with self.lock:
            Handler.answered += 1
            number = Handler.answered
        if not is_streamed:
            self.send(200, dialect.whole(step, model, number))
            return
        events = dialect.events(step, model, number)
        if dialect is Completions:
            events += [("", {**events[0][1], "choices": [], "usage": Completions.usage(step)})] if (
                body.get("stream_options") or {}).get("include_usage") else []
        self.stream(events, dialect is Completions)

    def choose(self, dialect: type, body: dict, script: dict, text: str) -> tuple[dict, int]:
        """The step that answers a request; -1 stands for side calls."""
        for side in script.get("side", []):
            if side["holds"] in text:
                return {"text": side["text"]}, -1
        steps = script["steps"]
        if script.get("counts") == "requests":
            with self.lock:
                counter = self.place / "counter"
                index = int(counter.read_text()) if counter.exists() else 0
                counter.write_text(str(index + 1))
        elif not body.get("tools"):
            return {"text": "as you wish"}, -1
        else:
            index = dialect.results(body)
        return (steps[index], index) if index < len(steps) else ({"text": "the script has ended"}, index)

    def hold(self, step: dict) -> None:
        """Waits until somebody has looked at whoever asks."""
        if "hold" not in step or (self.place / f"go-{step['hold']}").exists():
            return
        (self.place / f"hold-{step['hold']}").touch()
        ends = time.monotonic() + HOLD_SECONDS_MAX
        while not (self.place / f"go-{step['hold']}").exists() and time.monotonic() < ends:
            time.sleep(0.02)

    def stream(self, events: list[tuple[str, dict]], has_done: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        frames = [(f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in events]
        for frame in frames + (["data: [DONE]\n\n"] if has_done else []):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame.encode()), frame.encode()))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingTCPServer):
    """The handshake is made by the connection's own thread, so that a slow client holds nobody up."""
    daemon_threads = True
    request_queue_size = 128
    context: ssl.SSLContext

    def finish_request(self, request, client_address) -> None:
        with self.context.wrap_socket(request, server_side=True) as secure:
            self.RequestHandlerClass(secure, client_address, self)

    def handle_error(self, *_: object) -> None:
        pass


def main() -> None:
    place = pathlib.Path(sys.argv[1])
    (place / "bodies").mkdir(exist_ok=True)
    (place / "requests.jsonl").touch()
    make_certificates(place, sys.argv[2:])
    Handler.place = place
    server = Server(("127.0.0.1", 0), Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(place / "leaf.pem", place / "leaf.key")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"https={server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
