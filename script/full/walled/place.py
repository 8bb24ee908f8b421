"""A place for one agent and one account: home, project, state, operator's configuration, and a provider of models."""
import dataclasses
import glob
import json
import os
import pathlib
import random
import shutil
import signal
import string
import subprocess
import tempfile
import time

import logins
from strangers.bed import SYSTEM_PATH, Account, Failure
from walled.programs import PYTHON, Agent

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "Tests" / "Fixtures" / "agents"
# Reached as upstreams: the providers, where logins are renewed, a forge, and one that has nothing to do with models.
NAMES = ["api.anthropic.com", "api.openai.com", "chatgpt.com", "auth.openai.com", "platform.claude.com", "github.com",
         "files.example.com"]
# Requests to it are seen, and nothing is bound to it; of what is copied nobody knows the content.
SEEN = "files.example.com"
# Reached only where somebody logged in.
LOGIN = ["chatgpt.com", "auth.openai.com", "platform.claude.com"]
END_SECONDS = 240
HOLD_SECONDS = 120
FILES = {
    "README.md": "# Money\n\nSplits sums of money. `python3 -m unittest` runs the tests.\n",
    "money/__init__.py": "",
    "money/split.py": '"""Splits sums of money."""\n\n\ndef split(cents, people):\n'
                      '    """Shares of a sum, in cents, that differ by one cent at most."""\n'
                      "    return [cents // people] * people\n",
    "tests/__init__.py": "",
    "tests/test_split.py": "import unittest\n\nfrom money.split import split\n\n\n"
                           "class SplitTests(unittest.TestCase):\n"
                           "    def test_nothing_is_lost(self):\n        self.assertEqual(sum(split(100, 3)), 100)\n\n"
                           "    def test_even(self):\n        self.assertEqual(split(90, 3), [30, 30, 30])\n",
    ".gitignore": "__pycache__/\n.aider*\n",
}


@dataclasses.dataclass
class Ended:
    """How a run ended."""
    code: int
    output: str
    errors: str


class Place:
    def __init__(
        self, agent: Agent, account: Account, bailey: pathlib.Path, installed: pathlib.Path, seed: int
    ) -> None:
        self.agent, self.account = agent, account
        self.random = random.Random(f"{seed} {agent.name} {account.name}")
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="bailey-agents.", dir="/var/tmp"))
        os.chmod(self.path, 0o755)
        self.home, self.project, self.outside = (self.path / name for name in ("home", "project", "outside"))
        for place in (self.home, self.path / "state", self.path / "config" / "bailey", self.outside, self.path / "bin"):
            place.mkdir(parents=True)
        for name in ("bailey", "bailey-broker", "bailey-launcher"):
            shutil.copy(bailey.parent / name, self.path / "bin" / name)
        self.bailey = str(self.path / "bin" / "bailey")
        self.show(installed)
        self.key = self.make_key()
        self.is_logged_in = False
        self.start_provider()
        self.own(self.path, besides="outside")
        self.make_project()

    def make_key(self) -> str:
        letters = string.ascii_letters + string.digits
        lead = "sk-ant-" + "api03-" if self.agent.provider == "anthropic" else "sk-" + "proj-"
        return lead + "".join(self.random.choices(letters, k=64))

    def show(self, installed: pathlib.Path) -> None:
        """Puts the agent into the home, in the layout in which uv's tools lie there."""
        tools = self.home / ".local/share/uv/tools"
        tools.mkdir(parents=True)
        words = [str(installed), str(tools / self.agent.name)]
        if subprocess.run(["cp", "-al", *words], check=False, capture_output=True).returncode != 0:
            shutil.rmtree(tools / self.agent.name, ignore_errors=True)
            subprocess.run(["cp", "-a", "--reflink=auto", *words], check=True)
        (self.home / ".local/bin").mkdir()
        programs = glob.glob(str(tools / self.agent.name / self.agent.inner))
        if len(programs) != 1:
            raise Failure(f"the packages {self.agent.packages} hold {len(programs)} programs {self.agent.inner}")
        (self.home / ".local/bin" / self.agent.program).symlink_to(programs[0])

    def start_provider(self) -> None:
        (self.outside / "key").write_text(self.key)
        self.provider = subprocess.Popen(
            [PYTHON, str(FIXTURES / "provider.py"), str(self.outside), *NAMES], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )
        self.port = self.provider.stdout.readline().strip().partition("=")[2]
        if not self.port:
            raise Failure("the provider does not start")
        shutil.copy(self.outside / "ca.pem", self.path / "config" / "bailey" / "outside.pem")
        self.configure([name for name in NAMES if name not in LOGIN])

    def configure(self, names: list[str], more: str = "") -> None:
        rest = f'port: 443, address: "127.0.0.1:{self.port}", ca: outside.pem'
        lines = [f"    - {{host: {name}, {rest}}}" for name in names]
        (self.path / "config" / "bailey" / "config.yml").write_text(
            "network:\n  upstreams:\n" + "\n".join(lines) + f"\n  forges: [{SEEN}]\n{more}")

    def log_in(self, seconds: int) -> dict[str, str]:
        """In place of the key there is a login, good for so long. Its tokens come back."""
        kind = self.agent.name
        tokens = logins.words(kind, self.random, seconds)
        self.login_file.parent.mkdir(exist_ok=True)
        self.login_file.write_text(json.dumps(logins.document(kind, tokens, seconds)))
        self.login_file.chmod(0o600)
        self.own(self.login_file.parent)
        (self.outside / "key").write_text(tokens["access"])
        (self.outside / "login.json").write_text(json.dumps({"form": kind, "refresh": tokens["refresh"]}))
        self.configure(NAMES, f"secrets: [{{login: {kind}}}]\n")
        # An upstream is there for everybody; what is renewed inside by itself shall not be.
        (self.project / "bailey.yml").write_text(f"network:\n  allow: [{self.login_host}]\n")
        self.own(self.project / "bailey.yml")
        self.is_logged_in = True
        return tokens

    def forget_login(self) -> None:
        """The provider renews it no more."""
        state = self.outside / "login.json"
        state.write_text(json.dumps({**json.loads(state.read_text()), "renews": False}))

    @property
    def login_file(self) -> pathlib.Path:
        return self.home / (self.agent.login or ".none")

    @property
    def login_host(self) -> str:
        return "chatgpt.com" if self.agent.name == "codex" else self.agent.host

    def make_project(self) -> None:
        for name, text in FILES.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.own(self.project)
        self.must("git config --global user.name Somebody && git config --global user.email somebody@example.test &&"
                  "git init -q -b main && git add -A && git commit -qm 'Split sums'")

    def own(self, path: pathlib.Path, besides: str = "") -> None:
        """Gives a tree to the account, but for files with other names: those of the installed agent."""
        if self.account.uid == os.getuid():
            return
        for directory, below, names in os.walk(path):
            below[:] = [name for name in below if name not in (besides, "tools")]
            for place in [directory, *(os.path.join(directory, name) for name in names)]:
                os.lchown(place, self.account.uid, self.account.gid)

    def can(self, part: str) -> bool:
        """Whether the agent has what the part is about."""
        return {"again": bool(self.agent.resume), "login": bool(self.agent.login),
                "refused": bool(self.agent.login)}.get(part, True)

    def stop(self) -> None:
        self.provider.stdin.close()
        self.provider.wait()

    def close(self) -> None:
        self.stop()
        subprocess.run(["chmod", "-R", "u+rwX", str(self.path / "project"), str(self.path / "state")], check=False,
                       capture_output=True)
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **({} if self.is_logged_in else {self.agent.variable: self.key}),
            "HOME": str(self.home), "PATH": f"{self.home}/.local/bin:{SYSTEM_PATH}", "LANG": "C.UTF-8",
            "TERM": "dumb", "XDG_STATE_HOME": str(self.path / "state"), "XDG_CONFIG_HOME": str(self.path / "config"),
        }

    def start(self, words: list[str]) -> subprocess.Popen:
        identity = {}
        if os.getuid() != self.account.uid:
            identity = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return subprocess.Popen(
            words, cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=(self.outside / "output").open("w"), stderr=(self.outside / "errors").open("w"),
            start_new_session=True, umask=0o022, **identity,
        )

    def end(self, child: subprocess.Popen) -> Ended:
        try:
            code = child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            code = -1
        texts = [(self.outside / name).read_text(errors="replace") for name in ("output", "errors")]
        return Ended(code, *texts)

    def run(self, words: list[str]) -> Ended:
        return self.end(self.start(words))

    def must(self, command: str) -> str:
        ended = self.run(["/bin/bash", "-c", command])
        if ended.code != 0:
            raise Failure(f"{command} ended with {ended.code}: {ended.output} {ended.errors}")
        return ended.output

    def play(self, steps: list[dict], **more: dict) -> None:
        """What the model says from now on."""
        for name in ("counter", "hold-search", "go-search"):
            (self.outside / name).unlink(missing_ok=True)
        (self.outside / "tokens.jsonl").write_text("")
        (self.outside / "requests.jsonl").write_text("")
        (self.outside / "script.json").write_text(self.agent.script(steps, **more))

    def behind(self, options: list[str], task: str, way: str = "call") -> subprocess.Popen:
        return self.start([self.bailey, "run", *options, "--", *self.agent.command(task, way)])

    def held(self, child: subprocess.Popen) -> None:
        """Returns when the script has come to the answer that waits."""
        ends = time.monotonic() + HOLD_SECONDS
        while not (self.outside / "hold-search").exists():
            if child.poll() is not None or time.monotonic() > ends:
                ended = self.end(child)
                said = f"{ended.output[-1500:]}\n{ended.errors}"
                raise Failure(f"the agent did not come to the edit, code {ended.code}:\n{said}")
            time.sleep(0.05)

    def go(self) -> None:
        (self.outside / "go-search").touch()

    def requests(self) -> list[dict]:
        return [json.loads(line) for line in (self.outside / "requests.jsonl").read_text().splitlines()]

    def renewals(self) -> list[dict]:
        """What the provider was asked for by who wanted other tokens."""
        return [json.loads(line) for line in (self.outside / "tokens.jsonl").read_text().splitlines()]

    def body(self, request: dict) -> str:
        return (self.outside / "bodies" / str(request["number"])).read_text(errors="replace")
