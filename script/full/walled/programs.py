"""The agents that are run: which packages bring them, how they are called, and how a script speaks to them."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys

PYTHON = "/usr/bin/python3"
TASK = "The shares of a sum do not always add up to it. Make the tests pass and commit."
BROKEN = "    return [cents // people] * people\n"
MENDED = "    share, rest = divmod(cents, people)\n    return [share + (index < rest) for index in range(people)]\n"
TESTS = "python3 -m unittest 2>&1"
COMMIT = "git commit -qam 'Lose no cent' && git log --oneline"


@dataclasses.dataclass(frozen=True)
class Agent:
    """A program, and the words by which a scripted model has it do something."""
    name: str
    packages: tuple[str, ...]
    program: str
    # Below the environment's directory; where the package does not link its program into bin.
    inner: str
    provider: str
    host: str
    variable: str
    call: tuple[str, ...]
    resume: tuple[str, ...] = ()
    # What `bailey run` is given for the base URL, and the command, where the variable alone does not do.
    base: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    # Given to `bailey run` where the model refuses for good, which it would ask again and again for minutes.
    impatient: tuple[str, ...] = ()
    # The tool that runs a command, and the name of its argument; none if it has no tools.
    shell: tuple[str, str] | None = None
    counts: str = "results"
    # Where it keeps a login, below the home; none if it has none.
    login: str = ""

    def command(self, task: str, way: str = "call") -> list[str]:
        """The words of a call, of one that continues (`resume`), or of one by the base URL (`base`)."""
        words = {"call": self.call, "resume": self.resume, "base": self.base[1] or self.call}[way]
        return [word.replace("TASK", task) for word in words]

    def run(self, command: str) -> dict:
        tool, argument = self.shell
        return {"call": tool, "input": {argument: command}}

    def work(self, project: pathlib.Path) -> list[dict]:
        """Reads, edits, runs the tests and commits; the answer after the edit waits until somebody has looked."""
        steps = [self.run("ls -R . && git log --oneline && cat money/split.py"), *self.edit(project),
                 {**self.run(TESTS), "hold": "search"}, self.run(COMMIT), *self.end()]
        return steps

    def edit(self, project: pathlib.Path) -> list[dict]:
        change = f"text.replace({BROKEN!r}, {MENDED!r})"
        lines = ["import pathlib", "path = pathlib.Path('money/split.py')", "text = path.read_text()",
                 f"path.write_text({change})"]
        return [self.run("\n".join(["python3 - <<'PROGRAM'", *lines, "PROGRAM"]))]

    def end(self) -> list[dict]:
        return [{"text": "The shares add up."}]

    def script(self, steps: list[dict], **more: dict) -> str:
        side = [{"holds": "Git commit message", "text": "fix: Lose no cent"}]
        return json.dumps({"steps": steps, "counts": self.counts, "side": side, **more})


class Claude(Agent):
    def edit(self, project: pathlib.Path) -> list[dict]:
        path = str(project / "money/split.py")
        words = {"file_path": path, "old_string": BROKEN, "new_string": MENDED}
        return [{"call": "Read", "input": {"file_path": path}}, {"call": "Edit", "input": words}]


class Codex(Agent):
    def edit(self, project: pathlib.Path) -> list[dict]:
        lines = [f"-{line}" for line in BROKEN.splitlines()] + [f"+{line}" for line in MENDED.splitlines()]
        text = "\n".join(["*** Begin Patch", "*** Update File: money/split.py", "@@", *lines, "*** End Patch"])
        return [{"call": "apply_patch", "words": text}]


class Mini(Agent):
    def end(self) -> list[dict]:
        return [self.run("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")]


class Aider(Agent):
    """It edits by text, commits each edit, and runs the tests after it."""

    def work(self, project: pathlib.Path) -> list[dict]:
        text = block("money/split.py", BROKEN, MENDED)
        return [{"text": f"The remainder is lost.\n\n{text}", "hold": "search"}, {"text": "The shares add up."}]

    def hostile(self, commands: list[str]) -> list[dict]:
        """What it runs is the tests, so these are what a hostile model changes."""
        program = "import subprocess\nfor command in " + json.dumps(commands) + ":\n" \
            "    subprocess.run(['/bin/bash', '-c', command], stdin=subprocess.DEVNULL)\n"
        return [{"text": block("tests/__init__.py", "", program)}, {"text": "That is all."}]


def block(path: str, old: str, new: str) -> str:
    return f"{path}\n```python\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"


AGENTS = [
    Claude(
        "claude", ("claude-agent-sdk==0.2.186",), "claude",
        "lib/python*/site-packages/claude_agent_sdk/_bundled/claude", "anthropic", "api.anthropic.com",
        "ANTHROPIC_API_KEY",
        ("claude", "-p", "TASK", "--output-format", "stream-json", "--verbose", "--model", "claude-sonnet-4-5",
         "--dangerously-skip-permissions"),
        resume=("claude", "--continue", "-p", "TASK", "--output-format", "stream-json", "--verbose", "--model",
                "claude-sonnet-4-5", "--dangerously-skip-permissions"),
        shell=("Bash", "command"), login=".claude/.credentials.json",
    ),
    Codex(
        "codex", ("openai-codex-cli-bin==0.163.0",), "codex", "lib/python*/site-packages/codex_cli_bin/bin/codex",
        "openai", "api.openai.com", "OPENAI_API_KEY",
        ("codex", "exec", "--json", "-m", "gpt-5.5", "TASK"),
        resume=("codex", "exec", "--json", "-m", "gpt-5.5", "resume", "--last", "TASK"),
        base=(("--recipe", "codex"), ("sh", "-c", "exec codex exec --json -m gpt-5.5"
              ' -c "model_providers.openai-http.base_url=\\"$OPENAI_BASE_URL\\"" "$0"', "TASK")),
        shell=("exec_command", "cmd"), login=".codex/auth.json",
    ),
    Mini(
        # LiteLLM needs the package mcp and does not ask for it.
        "mini", ("mini-swe-agent==2.4.6", "mcp==2.3.0"), "mini", "bin/mini", "openai", "api.openai.com",
        "OPENAI_API_KEY",
        ("mini", "-m", "openai/gpt-5-mini", "-t", "TASK", "-y", "--exit-immediately", "-o", "/tmp/trajectory.json"),
        impatient=("--env", "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT=2"), shell=("bash", "command"),
    ),
    Aider(
        "aider", ("aider-chat==0.86.2",), "aider", "bin/aider", "openai", "api.openai.com", "OPENAI_API_KEY",
        ("aider", "--model", "openai/gpt-4o", "--no-show-model-warnings", "--yes-always", "--no-gitignore",
         "--edit-format", "diff", "--test-cmd", TESTS, "--auto-test", "--message", "TASK", "money/split.py",
         "tests/__init__.py"),
        counts="requests",
    ),
]


def install(agent: Agent, cache: pathlib.Path) -> pathlib.Path:
    """The environment that holds the agent, made once for its versions; scripts in it work wherever it lies."""
    uv = cache / "uv-client"
    # The version of the form in which they are kept, and what is in it.
    place = cache / f"{agent.name}-{'-'.join(word.rpartition('==')[2] for word in agent.packages)}"
    if place.exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    if not (uv / "bin/uv").exists():
        must([PYTHON, "-m", "venv", str(uv)])
        must([str(uv / "bin/pip"), "install", "-q", "uv"])
    new = place.with_name(place.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    print(f"script/test: installing {' '.join(agent.packages)}", file=sys.stderr, flush=True)
    setting = {**os.environ, "UV_CACHE_DIR": str(cache / "uv"), "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
    must([str(uv / "bin/uv"), "venv", "-q", "--relocatable", "--python", PYTHON, str(new)], setting)
    must([str(uv / "bin/uv"), "pip", "install", "-q", "--system-certs", "--python", str(new), *agent.packages], setting)
    new.rename(place)
    return place


def must(words: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"script/test: {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
