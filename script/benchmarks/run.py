"""run: what work costs behind the wall, beside the same work outside."""
import json
import pathlib
import shutil
import subprocess

from benchmarks.common import ROOT, Rows, Setting, fail, median, number

HELP = "git status, tar, find, a C build and the start of programs, bare and behind the wall"
ROUNDS = 10
FILES = 20_000
# Each command three times in one sandbox: the first finds its caches cold, and git's index with other inodes.
REPEATS = 3
SOURCES = 200
# A build takes seconds.
ROUNDS_PER_BUILD = 3
INSIDE = ROOT / "script/benchmarks/inside.py"
FUNCTIONS = 20
# Not the one that runs this file, which may lie in a home that no sandbox shows.
PYTHON = "/usr/bin/python3"
COMMANDS = {
    "git status": "/usr/bin/git status --porcelain",
    "tar": "/usr/bin/tar cf /dev/null --exclude=.git .",
    "tar to a pipe": "/bin/sh fill-pipe",
    "find": "/usr/bin/find . -type f -newer d0/f0.txt",
    "100 programs": "/bin/sh hundred",
}


def add_sources(project: pathlib.Path) -> None:
    """A build of many small C files, one process each."""
    build = project / "build"
    build.mkdir()
    for index in range(SOURCES):
        functions = "\n".join(
            f"int f{index}_{part}(int a, int b) {{ int c = a; for (int i = 0; i < b; i++) c = c * {part + 3} + i; "
            "printf(\"%d\\n\", c); return c; }"
            for part in range(FUNCTIONS)
        )
        headers = "".join(f"#include <{name}.h>\n" for name in ("stdio", "stdlib", "string", "unistd"))
        (build / f"s{index}.c").write_text(f"{headers}{functions}\n")
    objects = " ".join(f"s{index}.o" for index in range(SOURCES))
    (build / "Makefile").write_text(f"all.a: {objects}\n\tar crs $@ $^\n%.o: %.c\n\tcc -O1 -c -o $@ $<\n")
    (project / "hundred").write_text("for i in $(seq 100); do /bin/true; done\n")
    (project / "fill-pipe").write_text("tar cf - --exclude=.git . | cat >/dev/null\n")
    git = ["git", "-C", str(project), "-c", "user.name=Bench", "-c", "user.email=bench@example.invalid"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "Add a build"], check=True)


def walled(setting: Setting, command: list[str]) -> list[str]:
    return [setting.bailey, "run", "--apply", "never", "--", *command]


def commands(setting: Setting, project: pathlib.Path, rounds: int) -> tuple[Rows, Rows, Rows]:
    """The time of each command where it runs: the first of a sandbox, and the later ones; and of a whole run."""
    timer = [PYTHON, str(project / "inside.py"), str(REPEATS)]
    timer += [f"{name}={words}" for name, words in COMMANDS.items()]
    first: Rows = {}
    later: Rows = {}
    whole: Rows = {}
    for round_number in range(rounds + 1):
        for place, command in (("bare", timer), ("wall", walled(setting, timer))):
            times = json.loads(setting.output(command, project).splitlines()[-1])
            whole_status = COMMANDS["git status"].split()
            total = setting.run(whole_status if place == "bare" else walled(setting, whole_status), project)
            if round_number == 0:
                continue
            whole.setdefault((place, "git status"), []).append(total)
            for name, values in times.items():
                first.setdefault((place, name), []).append(values[0])
                later.setdefault((place, name), []).extend(values[1:])
    return first, later, whole


def build(setting: Setting, project: pathlib.Path, rounds: int) -> Rows:
    """The build's own time and that of a whole run; what it makes is thrown away behind the wall, removed outside."""
    make = "build=/usr/bin/make -s -C build -j2"
    timer = [PYTHON, str(project / "inside.py"), "1", make]
    rows: Rows = {("bare", "build"): [], ("wall", "build"): []}
    for round_number in range(rounds + 1):
        for place, command in (("bare", timer), ("wall", walled(setting, timer))):
            took = json.loads(setting.output(command, project).splitlines()[-1])["build"][0]
            for path in (project / "build").iterdir():
                if path.suffix in (".o", ".a"):
                    path.unlink()
            if place == "wall":
                setting.run([setting.bailey, "changes", "discard", "last"], project)
            if round_number > 0:
                rows[(place, "build")].append(took)
    return rows


def measure(setting: Setting, rounds: int, files: int) -> None:
    project = setting.place / "run-project"
    subprocess.run(["cp", "-a", setting.project(max(files, 1)), project], check=True)
    shutil.copy(INSIDE, project / "inside.py")
    add_sources(project)
    if not pathlib.Path("/usr/bin/make").exists():
        fail("make is missing; script/setup --tests installs it")
    first, later, whole = commands(setting, project, rounds)
    builds = build(setting, project, max(1, rounds // ROUNDS_PER_BUILD))
    lines = []
    for label, rows in (
        ("first in its sandbox", first), ("again", later), ("the whole run", whole), ("200 files, make -j2", builds),
    ):
        for name in dict.fromkeys(name for _, name in rows):
            bare, wall = median(rows[("bare", name)]), median(rows[("wall", name)])
            lines.append([f"{name}, {label}", number(bare), number(wall), f"{(wall / bare - 1) * 100:+.1f} %"])
    setting.print(f"{rounds} rounds, a repository of {files:,} files; median ms.")
    setting.lines(["command", "bare", "behind the wall", "more"], lines)
    shutil.rmtree(project, ignore_errors=True)
