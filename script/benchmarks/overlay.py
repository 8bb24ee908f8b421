"""overlay: making, changing, applying and throwing away a session's view, beside copies and git worktrees."""
import os
import pathlib
import shutil
import subprocess
import time

from benchmarks.common import FILES_PER_DIRECTORY, Rows, Setting, median, note, timed
from benchmarks.view import in_view

HELP = "a session's view beside cp -a and git worktree: make, list 100 changes, apply, discard"
ROUNDS = 20
FILES = 20_000
CHANGED, CREATED, DELETED = 70, 20, 10
# A directory that changed within two seconds is read again at the next walk: what is warm must be older.
SETTLE_SECONDS = 2.2
# Copies take seconds; a quarter of the rounds is enough for their median.
ROUNDS_PER_COPY = 4

SESSION = "bailey: a session's view, index warm"
DISCARD = "bailey: discard 100 changes"
COPY = "`cp -a --reflink=auto`"
COPY_DISCARD = "`cp -a`: discard"
WORKTREE = "`git worktree add`"
WORKTREE_DISCARD = "`git worktree remove`"
APPLY = "bailey: apply 100 changes, durable"
CLEARED = "bailey: the same, and what it needed removed"
NAIVE = "write beside, fsync, rename, 100 times"


# What is done until each point that an apply passes.
PHASES = {
    "prepared": "compare, stage, read again, write the intent",
    "staged": "make all of it durable",
    "intent written": "the intent's name, durable",
    "before the last sync": "rename into place",
    "synced": "make the renames durable",
    "applied": "the end, durable",
    "cleared": "afterwards: remove old content and layers",
}


class Changes:
    """A hundred changes, spread over the project; other ones in each round."""

    def __init__(self, files: int, round_number: int) -> None:
        self.files, self.round = files, round_number

    def path(self, index: int) -> str:
        number = index * 131 % self.files
        return f"d{number // FILES_PER_DIRECTORY}/f{number}.txt"

    def make(self, root: pathlib.Path) -> dict:
        os.chdir(root)
        first = timed(lambda: self.append(self.path(0)))
        rest = timed(self.make_rest)
        os.chdir("/")
        return {"first write": first, "hundred": first + rest}

    def append(self, path: str) -> None:
        with open(path, "ab") as file:
            file.write(b"x")

    def make_rest(self) -> None:
        for index in range(1, CHANGED):
            self.append(self.path(index))
        for index in range(CREATED):
            with open(f"d{index % (self.files // FILES_PER_DIRECTORY)}/new-{self.round}-{index}", "wb") as file:
                file.write(b"y" * 4096)
        for index in range(DELETED):
            # Those of the round before, so that the project stays as large as it is.
            old = f"d{index % (self.files // FILES_PER_DIRECTORY)}/new-{self.round - 1}-{index}"
            os.unlink(old if os.path.exists(old) else self.path(CHANGED + index + self.round * DELETED))


def session(setting: Setting, project: pathlib.Path, rows: Rows, changes: Changes, ending: str) -> dict:
    view = setting.place / "view"
    view.mkdir(exist_ok=True)
    prepared = setting.bench.ask("prepare", project, setting.state)
    worked = in_view(prepared, view, changes.make)
    listed = setting.bench.ask("list")
    ended = setting.bench.ask(ending)
    return {
        "prepare": prepared["milliseconds"], **worked, "list": listed["milliseconds"], ending: ended["milliseconds"],
        "clearing": ended.get("clearing", 0.0), "phases": ended.get("phases", {}),
    }


def add(rows: Rows, name: str, value: float) -> None:
    rows.setdefault(name, []).append(value)


def views(setting: Setting, rounds: int, project: pathlib.Path, peer: pathlib.Path, files: int) -> tuple[Rows, Rows]:
    """Sessions that are thrown away, and the peers: the project stays as it is, and its index warm."""
    rows: Rows = {}
    parts: Rows = {}
    copy = setting.place / "copy"
    session(setting, project, rows, Changes(files, 0), "discard")
    time.sleep(SETTLE_SECONDS)
    session(setting, project, rows, Changes(files, 0), "discard")
    for round_number in range(rounds):
        seen = session(setting, project, rows, Changes(files, round_number), "discard")
        add(rows, SESSION, seen["prepare"] + seen["namespaces"] + seen["mount"])
        add(rows, DISCARD, seen["discard"])
        for name, part in (
            ("layers, hidden paths, plan", "prepare"), ("user and mount namespace", "namespaces"),
            ("mount", "mount"), ("first write to a file of 4 KiB", "first write"),
            ("all 100 changes in the view", "hundred"), ("list them", "list"),
        ):
            add(parts, name, seen[part])
        if round_number % ROUNDS_PER_COPY == 0:
            add(rows, COPY, setting.run(["/bin/cp", "-a", "--reflink=auto", str(project), str(copy)], setting.place))
            add(rows, COPY_DISCARD, timed(lambda: shutil.rmtree(copy)))
            git = ["/usr/bin/git", "-C", str(peer), "worktree"]
            add(rows, WORKTREE, setting.run([*git, "add", "--quiet", "--detach", str(copy)], setting.place))
            add(rows, WORKTREE_DISCARD, setting.run([*git, "remove", "--force", str(copy)], setting.place))
    return rows, parts


def applies(setting: Setting, rounds: int, project: pathlib.Path, peer: pathlib.Path, files: int) -> tuple[Rows, Rows]:
    """Sessions whose changes enter the project, beside the plain durable way to do as much; and the phases of one."""
    rows: Rows = {}
    phases: Rows = {}
    for round_number in range(rounds + 1):
        seen = session(setting, project, rows, Changes(files, round_number), "apply")
        naive = timed(lambda: write_naively(peer, Changes(files, round_number)))
        if round_number > 0:
            add(rows, NAIVE, naive)
            add(rows, APPLY, seen["apply"])
            add(rows, CLEARED, seen["apply"] + seen["clearing"])
            for name, value in seen["phases"].items():
                add(phases, PHASES[name], value)
    return rows, phases


def write_naively(peer: pathlib.Path, changes: Changes) -> None:
    os.chdir(peer)
    for index in range(CHANGED + CREATED + DELETED):
        path = changes.path(index)
        with open(path + ".new", "wb") as file:
            file.write(b"z" * 4096)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".new", path)
    os.chdir("/")


def measure(setting: Setting, rounds: int, files: int) -> None:
    if files < 200:
        note(f"{files} files are too few for 100 changes; taking 200")
        files = 200
    project = setting.project(files)
    peer = setting.place / "peer"
    subprocess.run(["cp", "-a", project, peer], check=True)
    rows, parts = views(setting, rounds, project, peer, files)
    setting.print(f"{rounds} rounds, a repository of {files:,} files of 4 KiB.")
    setting.table("a view of its own", {name: rows[name] for name in (COPY, WORKTREE, SESSION)}, base=COPY)
    setting.table("thrown away", {name: rows[name] for name in (COPY_DISCARD, WORKTREE_DISCARD, DISCARD)},
                  base=COPY_DISCARD)
    setting.table("the parts of Bailey's", parts)
    applied, phases = applies(setting, rounds, project, peer, files)
    setting.table("brought into the project", applied, base=NAIVE)
    setting.table("the phases of an apply", phases)
    shutil.rmtree(peer)
    shutil.rmtree(project / ".bailey")
