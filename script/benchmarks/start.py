"""start: a whole `bailey run -- true` and a launch alone, beside bare `true` and bubblewrap with the same view."""
import json
import os
import pathlib
import shutil
import subprocess

from benchmarks.common import Setting, fail, interleave, median, number, timed

SYSTEM_DIRECTORIES = ("/usr", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    "passwd", "group", "nsswitch.conf", "hosts", "host.conf", "resolv.conf", "localtime", "ld.so.cache", "ssl/certs",
    "alternatives", "fonts", "ld.so.conf.d", "perl", "services", "protocols", "terminfo", "xdg",
)
WARM_UP_ROUNDS = 3
SYNCS = 40
HELP = "how long a whole run of true takes, beside bubblewrap with the same view"
ROUNDS = 60
FILES = 1000


def bubblewrap(project: str, home: str) -> list[str]:
    """bubblewrap with a Bailey sandbox's view: read-only system, private rest, writable project, no network.

    The project is a plain writable mount: bubblewrap has overlays from 0.11 on only.
    """
    program = shutil.which("bwrap")
    if program is None:
        fail("bubblewrap is missing; script/setup --tests installs it")
    command = [program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    for place in SYSTEM_DIRECTORIES:
        if os.path.islink(place):
            command += ["--symlink", os.readlink(place), place]
        elif os.path.isdir(place):
            command += ["--ro-bind", place, place]
    for name in SETTINGS:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp"]
    command += ["--tmpfs", "/dev/shm", "--tmpfs", home]
    command += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    command += ["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", home]
    return command + ["--bind", project, project, "--chdir", project, "--"]


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
    rows = interleave({
        "`true`": lambda: setting.run(["/bin/true"], project),
        f"{version.strip()}, same view": lambda: setting.run(
            [*bubblewrap(str(project), str(setting.home)), "/bin/true"], project
        ),
        "bailey, launch alone": lambda: launch(setting, project),
        "bailey, start of the program": lambda: setting.run([bailey, "--version"], project),
        "bailey run, journal durable": lambda: setting.run(
            [bailey, "run", "--apply", "never", "--", "/bin/true"], project
        ),
    }, rounds, WARM_UP_ROUNDS)
    setting.print(f"{rounds} rounds, a project of {files:,} files.")
    setting.table("a start", rows, base=list(rows)[1])
    bare, _, alone, program, whole = (median(times) for times in rows.values())
    setting.print(
        f"`bailey run` over `true`: {number(whole - bare)} ms, of which {number(program)} start of the program, "
        f"{number(alone)} launch, {number(whole - program - alone)} walk, journal and changes. "
        f"One journal line and its `fdatasync`: {number(sync_milliseconds(setting.place))} ms."
    )
