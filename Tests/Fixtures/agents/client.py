#!/usr/bin/env python3
"""A small agent: it asks a model what to do, runs what it says, and tells it the result, until the model has nothing more.

usage: client.py DIALECT [--stream] TASK        DIALECT: anthropic, chat or responses

As agents do, it takes its key and the place of the provider from the environment (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL,
OPENAI_API_KEY, OPENAI_BASE_URL), keeps a transcript (transcript.jsonl in the working directory) and has one tool, `bash`.
It ends with 1 where the provider answers anything but 200, and prints that answer.
"""
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

ROUNDS_MAX = 40
RESULT_CHARACTERS_MAX = 20_000
PARAMETERS = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
WHAT = "Runs a command in a shell."


class Anthropic:
    def __init__(self, task: str) -> None:
        base = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
        self.url = base + "/v1/messages"
        self.fields = {"x-api-key": os.environ.get("ANTHROPIC_API_KEY", ""), "anthropic-version": "2023-06-01"}
        self.messages: list[dict] = [{"role": "user", "content": task}]

    def body(self) -> dict:
        tool = {"name": "bash", "description": WHAT, "input_schema": PARAMETERS}
        return {"model": "claude-sonnet-4-5", "max_tokens": 500, "messages": self.messages, "tools": [tool]}

    def assemble(self, events: list[dict]) -> dict:
        block: dict = {}
        text = ""
        for event in events:
            if event["type"] == "content_block_start":
                block = event["content_block"]
            elif event["type"] == "content_block_delta":
                text += event["delta"].get("text", event["delta"].get("partial_json", ""))
        block = {**block, "input": json.loads(text)} if block["type"] == "tool_use" else {**block, "text": text}
        return {"content": [block]}

    def take(self, answer: dict) -> tuple[str | None, str]:
        """The command that the model wants to have run, or its last words."""
        block = answer["content"][0]
        self.messages.append({"role": "assistant", "content": [block]})
        if block["type"] == "text":
            return None, block["text"]
        self.call = block["id"]
        return block["input"]["command"], ""

    def tell(self, result: str) -> None:
        block = {"type": "tool_result", "tool_use_id": self.call, "content": result}
        self.messages.append({"role": "user", "content": [block]})


class Chat:
    def __init__(self, task: str) -> None:
        self.url = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1") + "/chat/completions"
        self.fields = {"authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", "")}
        self.messages: list[dict] = [{"role": "user", "content": task}]

    def body(self) -> dict:
        tool = {"type": "function", "function": {"name": "bash", "description": WHAT, "parameters": PARAMETERS}}
        return {"model": "gpt-5-mini", "messages": self.messages, "tools": [tool], "max_completion_tokens": 500}

    def assemble(self, events: list[dict]) -> dict:
        message: dict = {"role": "assistant", "content": ""}
        for event in events:
            for delta in [choice["delta"] for choice in event["choices"]]:
                message["content"] += delta.get("content") or ""
                for call in delta.get("tool_calls", []):
                    if "id" in call:
                        message["tool_calls"] = [{name: call[name] for name in ("id", "type", "function")}]
                    else:
                        message["tool_calls"][0]["function"]["arguments"] += call["function"]["arguments"]
        return {"choices": [{"message": message}]}

    def take(self, answer: dict) -> tuple[str | None, str]:
        message = answer["choices"][0]["message"]
        self.messages.append(message)
        if not message.get("tool_calls"):
            return None, message["content"]
        call = message["tool_calls"][0]
        self.call = call["id"]
        return json.loads(call["function"]["arguments"])["command"], ""

    def tell(self, result: str) -> None:
        self.messages.append({"role": "tool", "tool_call_id": self.call, "content": result})


class Responses(Chat):
    def __init__(self, task: str) -> None:
        super().__init__(task)
        self.url = self.url.replace("/chat/completions", "/responses")

    def body(self) -> dict:
        tool = {"type": "function", "name": "bash", "description": WHAT, "parameters": PARAMETERS}
        return {"model": "gpt-5-mini", "input": self.messages, "tools": [tool], "max_output_tokens": 500}

    def assemble(self, events: list[dict]) -> dict:
        return {"output": [event["item"] for event in events if event["type"] == "response.output_item.done"]}

    def take(self, answer: dict) -> tuple[str | None, str]:
        item = answer["output"][0]
        self.messages.append(item)
        if item["type"] == "message":
            return None, item["content"][0]["text"]
        self.call = item["call_id"]
        return json.loads(item["arguments"])["command"], ""

    def tell(self, result: str) -> None:
        self.messages.append({"type": "function_call_output", "call_id": self.call, "output": result})


def ask(model, is_streamed: bool) -> dict:
    body = {**model.body(), **({"stream": True} if is_streamed else {})}
    fields = {**model.fields, "content-type": "application/json"}
    request = urllib.request.Request(model.url, json.dumps(body).encode(), fields)
    with urllib.request.urlopen(request, timeout=120) as answer:
        text = answer.read().decode()
    if not is_streamed:
        return json.loads(text)
    frames = [line[6:] for line in text.splitlines() if line.startswith("data: ") and line != "data: [DONE]"]
    return model.assemble([json.loads(frame) for frame in frames])


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--stream"]
    model = {"anthropic": Anthropic, "chat": Chat, "responses": Responses}[words[0]](words[1])
    for _ in range(ROUNDS_MAX):
        try:
            command, text = model.take(ask(model, "--stream" in sys.argv))
        except urllib.error.HTTPError as error:
            print(f"{error.code} {error.reason}\n{error.read().decode()}")
            return 1
        with open("transcript.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(model.messages[-1]) + "\n")
        if command is None:
            print(text)
            return 0
        done = subprocess.run(["/bin/bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        result = done.stdout.decode("utf-8", "replace")[-RESULT_CHARACTERS_MAX:] + f"\n[exit code {done.returncode}]"
        print(f"$ {command}\n{result}", flush=True)
        model.tell(result)
    print("the model does not come to an end")
    return 1


if __name__ == "__main__":
    sys.exit(main())
