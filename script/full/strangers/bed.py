"""A place for one project and one account, and what is needed to run a command there on both sides of the wall."""
import dataclasses
import hashlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from typing import Optional

OUTPUT_BYTES_MAX = 64 << 20
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# An account of every Debian system that owns nothing and is nobody's: the ordinary user where root runs the group.
ORDINARY_ACCOUNT = "games"


class Failure(Exception):
    """Something that has to work for a comparison at all did not."""


@dataclasses.dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    @staticmethod
    def named(name: str) -> "Account":
        entry = pwd.getpwnam(name)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @staticmethod
    def own() -> "Account":
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            name = str(os.getuid())
        return Account(name, os.getuid(), os.getgid())


@dataclasses.dataclass
class Ended:
    """How a command ended."""
    code: int
    output: str
    errors: str
    seconds: float
    answer: Optional[dict] = None

    def tail(self, lines: int = 25) -> str:
        return "\n".join((self.output + "\n" + self.errors).strip().splitlines()[-lines:])


class Bed:
    """Home, project and state of one account, with copies of the programs that it can reach."""

    def __init__(
        self, account: Account, bailey: Optional[pathlib.Path], project: Optional[pathlib.Path] = None
    ) -> None:
        self.account = account
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="bailey-strangers.", dir="/var/tmp"))
        os.chmod(self.path, 0o755)
        self.project = project or self.path / "project"
        self.home = self.path / "home"
        self.bin = self.path / "bin"
        self.cache = self.path / "cache"
        for place in (self.home, self.bin, self.cache, self.path / "state"):
            place.mkdir()
            os.chown(place, account.uid, account.gid)
        for name in ("bailey", "bailey-broker", "bailey-launcher") if bailey else ():
            shutil.copy(bailey.parent / name, self.bin / name)
        self.bailey = str(self.bin / "bailey")

    def close(self) -> None:
        for place in (self.project, self.path):
            subprocess.run(["chmod", "-R", "u+rwX", str(place)], check=False, capture_output=True)
            shutil.rmtree(place, ignore_errors=True)

    def fresh_project(self) -> None:
        """Empties project and home, as if nothing had ever run here."""
        for place in (self.project, self.home):
            if place.exists():
                subprocess.run(["chmod", "-R", "u+rwX", str(place)], check=False, capture_output=True)
                subprocess.run(["rm", "-rf", str(place)], check=True)
            place.mkdir()
            os.chown(place, self.account.uid, self.account.gid)

    def own(self, path: pathlib.Path) -> None:
        subprocess.run(["chown", "-R", f"{self.account.uid}:{self.account.gid}", str(path)], check=True)

    def write(self, name: str, text: str, executable: bool = False) -> None:
        """Puts a file into the project, as the account's own."""
        path = self.project / name
        missing = [parent for parent in path.parents if not parent.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if executable:
            os.chmod(path, 0o755)
        for place in [path, *missing]:
            os.chown(place, self.account.uid, self.account.gid)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home), "PATH": SYSTEM_PATH, "LANG": "C.UTF-8",
            "XDG_STATE_HOME": str(self.path / "state"), "XDG_CONFIG_HOME": str(self.path / "config"),
        }

    def run(self, words: list[str], seconds: float, account: Optional[Account] = None, **extra: str) -> Ended:
        """Runs a command in the project as the account, with a deadline for its whole process group."""
        account = account or self.account
        identity = {}
        if os.getuid() == 0 and account.uid != 0:
            identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
        started = os.times().elapsed
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            # A signal that is ignored here, as under nohup, would be ignored outside and not behind the wall.
            child = subprocess.Popen(
                ["env", "--default-signal", *words], cwd=self.project, env={**self.environment, **extra},
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True, umask=0o022,
                **identity,
            )
            try:
                code = child.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                code = -1
            texts = []
            for stream in (output, errors):
                stream.seek(0)
                texts.append(stream.read(OUTPUT_BYTES_MAX).decode("utf-8", "replace"))
        return Ended(code, texts[0], texts[1], os.times().elapsed - started)

    def must(self, words: list[str], seconds: float = 300, **extra: str) -> str:
        """Runs a command that has to work, and returns what it printed."""
        ended = self.run(words, seconds, **extra)
        if ended.code != 0:
            raise Failure(f"{' '.join(words)[:300]} ended with {ended.code}:\n{ended.tail()}")
        return ended.output

    def behind(self, words: list[str], seconds: float, options: tuple[str, ...] = (), **extra: str) -> Ended:
        """Runs a command behind the wall; its output and its errors are one stream then."""
        ended = self.run(
            [self.bailey, "run", "--json", "--project", str(self.project), *options, "--", *words], seconds, **extra
        )
        lines = ended.output.strip().splitlines()
        try:
            ended.answer = json.loads(lines[-1]) if lines else None
        except json.JSONDecodeError:
            ended.answer = None
        if ended.answer is None:
            raise Failure(f"bailey gave no answer, code {ended.code}:\n{ended.tail()}")
        ended.output, ended.errors = ended.errors, ""
        return ended

    def change_set(self) -> dict:
        words = [self.bailey, "changes", "show", "--json", "--project", str(self.project), "last"]
        return json.loads(self.must(words))


def picture(root: pathlib.Path) -> dict[str, tuple]:
    """Every path of a tree but Bailey's own: kind, mode, and what it holds."""
    seen: dict[str, tuple] = {}

    def visit(directory: bytes, prefix: bytes) -> None:
        with os.scandir(directory) as entries:
            for entry in entries:
                name = prefix + entry.name
                if name == b".bailey":
                    continue
                status = entry.stat(follow_symlinks=False)
                mode = stat.S_IMODE(status.st_mode)
                text = name.decode("utf-8", "backslashreplace")
                if entry.is_symlink():
                    seen[text] = ("link", 0, os.readlink(entry.path))
                elif entry.is_dir():
                    seen[text] = ("directory", mode, None)
                    visit(entry.path, name + b"/")
                elif entry.is_file():
                    with open(entry.path, "rb") as file:
                        seen[text] = ("file", mode, hashlib.file_digest(file, "sha256").hexdigest())
                else:
                    seen[text] = ("special", mode, None)

    visit(os.fsencode(root), b"")
    return seen


def difference(before: dict[str, tuple], after: dict[str, tuple]) -> dict[str, str]:
    """What became of each path, in a change set's words."""
    result = {name: "created" for name in after.keys() - before.keys()}
    result.update({name: "deleted" for name in before.keys() - after.keys()})
    result.update({name: "changed" for name in before.keys() & after.keys() if before[name] != after[name]})
    return result
