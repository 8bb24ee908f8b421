"""start: a whole `bailey run -- true` and a launch alone, beside `true`, bubblewrap and crun with the same view."""
import json
import os
import pathlib
import shutil
import subprocess

from benchmarks.common import Setting, interleave, median, number, timed
from benchmarks.peers import bubblewrap, crun

WARM_UP_ROUNDS = 3
SYNCS = 40
HELP = "how long a whole run of true takes, beside bubblewrap and crun with the same view"
ROUNDS = 60
FILES = 1000


def launch(setting: Setting, project: pathlib.Path) -> float:
    """One launch inside a `bailey` that has started already, as a run has one: launcher, walls, `true`, and its end."""
    return json.loads(setting.output([setting.bailey, "probe-launch"], project))["milliseconds"][0]


def sync_milliseconds(directory: pathlib.Path) -> float:
    """The median of a write of one line and its fdatasync, the journal's unit of durability, on this file system."""
    with open(directory / "sync", "ab", buffering=0) as file:
        def once() -> None:
            file.write(b"x" * 400 + b"\n")
            os.fdatasync(file.fileno())
        return median([timed(once) for _ in range(SYNCS)])


def measure(setting: Setting, rounds: int, files: int) -> None:
    project, bailey = setting.project(files), setting.bailey
    version = subprocess.run([shutil.which("bwrap") or "bwrap", "--version"], capture_output=True, text=True).stdout
    contenders = {
        "`true`": lambda: setting.run(["/bin/true"], project),
        f"{version.strip()}, same view": lambda: setting.run(
            [*bubblewrap(str(project), str(setting.home)), "/bin/true"], project
        ),
        "bailey, launch alone": lambda: launch(setting, project),
        "bailey, start of the program": lambda: setting.run([bailey, "--version"], project),
        "bailey run, journal durable": lambda: setting.run(
            [bailey, "run", "--apply", "never", "--", "/bin/true"], project
        ),
        "bailey run that may reach a host": lambda: setting.run(
            [bailey, "run", "--apply", "never", "--allow-host", "api.example.com", "--", "/bin/true"], project
        ),
    }
    container = crun(setting.place, str(project), str(setting.home))
    if container is not None:
        contenders["crun, same view, no control group"] = lambda: setting.run(container, project)
    rows = interleave(contenders, rounds, WARM_UP_ROUNDS)
    setting.print(f"{rounds} rounds, a project of {files:,} files.")
    setting.table("a start", rows, base=list(rows)[1])
    bare, _, alone, program, whole, network = (median(times) for times in list(rows.values())[:6])
    setting.print(
        f"`bailey run` over `true`: {number(whole - bare)} ms, of which {number(program)} start of the program, "
        f"{number(alone)} launch, {number(whole - program - alone)} walk, journal and changes. "
        f"One journal line and its `fdatasync`: {number(sync_milliseconds(setting.place))} ms. "
        f"A network adds {number(network - whole)} ms."
    )
