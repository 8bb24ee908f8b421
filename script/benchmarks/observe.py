"""observe: what it costs that the record holds each program that a command starts."""
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from benchmarks.common import ROOT, Setting, fail, median, number
from benchmarks.run import SOURCES, add_sources

HELP = "processor time of a C build and of starting programs, observed and unobserved"
ROUNDS = 11
FILES = 1000
LISTEN = ROOT / "script/benchmarks/listen.py"
PROGRAMS = 1000
SENDS = 20_000
PR_SET_CHILD_SUBREAPER = 36
COMMANDS = {
    f"make -j2, {SOURCES} C files": ["/usr/bin/make", "-s", "-C", "build", "-j2"],
    f"{PROGRAMS} programs, one after the other": [
        "/bin/sh", "-c", f"i=0; while [ $i -lt {PROGRAMS} ]; do /bin/true; i=$((i+1)); done"
    ],
    f"{SENDS} datagrams over the loopback, each with its address": [
        "/usr/bin/python3", "-c",
        "import socket; s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in (0, 1)]\n"
        "s[0].bind(('127.0.0.1', 0)); a = s[0].getsockname()\n"
        f"for _ in range({SENDS}): s[1].sendto(b'x', a); s[0].recv(1)"
    ],
}


def processor_seconds(setting: Setting, command: list[str], project: pathlib.Path) -> tuple[float, float]:
    """User and system time of a command and of all that it started (nothing escapes a subreaper), and its own."""
    os.chdir(project)
    process = os.posix_spawn(command[0], command, setting.environment, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ])
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    # The clock of a process, as the kernel numbers it; it stands until somebody waits for the dead.
    own = time.clock_gettime(~process << 3 | 2)
    seconds = 0.0
    while True:
        try:
            ended, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return seconds, own
        seconds += usage.ru_utime + usage.ru_stime
        if ended == process and status != 0:
            fail(f"{' '.join(command)[:200]} ended with {os.waitstatus_to_exitcode(status)}")


def once(setting: Setting, project: pathlib.Path, mode: str, command: list[str]) -> tuple[float, float, int]:
    """The processor seconds of one run, of these Bailey's own, and how many processes its record holds."""
    run = [setting.bailey, "run", "--apply", "never", "--", *command]
    seconds, own = processor_seconds(setting, [sys.executable, str(LISTEN), mode, *run], project)
    shown = json.loads(setting.output([setting.bailey, "runs", "show", "--json"], project))["observation"]
    if shown["state"] != {"observed": "complete", "unobserved": "unavailable"}[mode]:
        fail(f"a run that should be {mode} has the state {shown['state']}")
    if command[0] == "/usr/bin/make":
        setting.output([setting.bailey, "changes", "discard", "last"], project)
    return seconds, own, len(shown["processes"]) + shown["processes_left_out"]


def measure(setting: Setting, rounds: int, files: int) -> None:
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        fail("this process cannot wait for others' children")
    project = setting.place / "observe-project"
    subprocess.run(["cp", "-a", setting.project(max(files, 1)), project], check=True)
    add_sources(project)
    setting.print(
        f"{rounds} pairs, a project of {files:,} files; processor seconds of everything in a run, medians. Unobserved: "
        "a filter outside listens already. Observed: the same filter without a listener."
    )
    lines = []
    for name, command in COMMANDS.items():
        pairs: list[dict[str, tuple[float, float]]] = []
        processes = 0
        for row in range(rounds + 1):
            # Whoever is first takes turns, too.
            modes = ("observed", "unobserved") if row % 2 else ("unobserved", "observed")
            taken = {mode: once(setting, project, mode, command) for mode in modes}
            processes = taken["observed"][2]
            if row > 0:
                pairs.append({mode: figures[:2] for mode, figures in taken.items()})
        more = [(pair["observed"][0] / pair["unobserved"][0] - 1) * 100 for pair in pairs]
        quarters = statistics.quantiles(more, n=4, method="inclusive")
        with_it, without = (median([pair[mode][0] for pair in pairs]) for mode in ("observed", "unobserved"))
        own = median([pair["observed"][1] - pair["unobserved"][1] for pair in pairs])
        lines.append([
            name, f"{processes:,}", number(with_it), number(without), f"{(with_it / without - 1) * 100:+.1f} %",
            f"{median(more):+.1f} %", f"{quarters[0]:+.1f} to {quarters[2]:+.1f} %", f"{own * 1000:+.0f}",
        ])
    setting.lines([
        "what", "processes", "observed s", "unobserved s", "more", "median of pairs", "middle half of pairs",
        "of it Bailey's own, ms",
    ], lines)
