"""hide: what hidden files cost at start, beside one mount for each of them."""
import pathlib
import shutil
import subprocess
import time

from benchmarks.common import Rows, Setting, interleave, median, note, number
from benchmarks.overlay import SETTLE_SECONDS
from benchmarks.peers import bubblewrap
from benchmarks.view import in_view

HELP = "0, 10, 100 and 1,000 hidden files, with a cold and a warm index, beside a mount for each"
ROUNDS = 15
FILES = 20_000
COUNTS = (0, 10, 100, 1000)
RUN = ["run", "--apply", "never", "--", "/bin/true"]
# A mount for each of a thousand files takes bubblewrap most of a second.
PEER_ROUNDS_MAX = 5


def make(setting: Setting, files: int, count: int) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """A copy of the project with that many files that are hidden by their names, three in a directory at most."""
    project = setting.place / f"hide-{count}"
    subprocess.run(["cp", "-a", setting.project(files), project], check=True)
    directories = sorted(path for path in project.iterdir() if path.name.startswith("d"))
    hidden = []
    for index in range(count):
        path = directories[index % len(directories)] / f".env.{index // len(directories)}"
        path.write_text(f"KEY_{index}=value-of-{index}\n")
        hidden.append(path)
    # The product makes its own directory there first; bailey-bench would leave one that it does not trust.
    setting.run([setting.bailey, *RUN], project)
    return project, hidden


def view(setting: Setting, project: pathlib.Path, state: pathlib.Path) -> float:
    """Layers, hidden paths, namespaces and mount: what a run adds to a launch."""
    target = setting.place / "view"
    target.mkdir(exist_ok=True)
    prepared = setting.bench.ask("prepare", project, state)
    seen = in_view(prepared, target, lambda _: {})
    setting.bench.ask("list")
    setting.bench.ask("discard")
    return prepared["milliseconds"] + seen["namespaces"] + seen["mount"]


def cold(setting: Setting, project: pathlib.Path) -> float:
    state = setting.place / "cold-state"
    state.mkdir(mode=0o700)
    try:
        return view(setting, project, state)
    finally:
        shutil.rmtree(state)


def peer_command(setting: Setting, project: pathlib.Path, hidden: list[pathlib.Path]) -> list[str]:
    words = bubblewrap(str(project), str(setting.home))[:-1]
    for path in hidden:
        words += ["--ro-bind", "/dev/null", str(path)]
    return [*words, "--", "/bin/true"]


def measure(setting: Setting, rounds: int, files: int) -> None:
    projects = {count: make(setting, files, count) for count in COUNTS}
    run = [setting.bailey, *RUN]
    contenders = {}
    for count, (project, hidden) in projects.items():
        contenders[("warm", count)] = lambda project=project: view(setting, project, setting.state)
        contenders[("cold", count)] = lambda project=project: cold(setting, project)
        contenders[("run", count)] = lambda project=project: setting.run(run, project)
    time.sleep(SETTLE_SECONDS)
    for measure_once in contenders.values():
        measure_once()
    # The first run made the project's .bailey: from now on nothing changes there.
    time.sleep(SETTLE_SECONDS)
    rows = interleave(contenders, rounds)
    peers = interleave({
        count: lambda command=peer_command(setting, project, hidden), project=project: setting.run(command, project)
        for count, (project, hidden) in projects.items()
    }, min(rounds, PEER_ROUNDS_MAX))
    report(setting, rounds, files, rows, peers)
    for project, _ in projects.values():
        shutil.rmtree(project)


def report(setting: Setting, rounds: int, files: int, rows: Rows, peers: Rows) -> None:
    setting.print(f"{rounds} rounds, a repository of {files:,} files; median ms.")
    columns = ["hidden files", "view, index cold", "view, index warm", "over none", "bailey run, warm", "over none",
               "bubblewrap, a mount each"]
    lines = []
    for count in COUNTS:
        warm, whole = median(rows[("warm", count)]), median(rows[("run", count)])
        lines.append([
            f"{count:,}", number(median(rows[("cold", count)])), number(warm),
            f"{warm - median(rows[('warm', 0)]):+.2f}", number(whole), f"{whole - median(rows[('run', 0)]):+.2f}",
            number(median(peers[count])),
        ])
    setting.lines(columns, lines)
