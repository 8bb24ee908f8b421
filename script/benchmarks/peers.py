"""The view of a Bailey sandbox, made by others: bubblewrap, and crun, the OCI runtime that starts fastest."""
import json
import os
import pathlib
import shutil
import subprocess

from benchmarks.common import fail, note

SYSTEM_DIRECTORIES = ("/usr", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    "passwd", "group", "nsswitch.conf", "hosts", "host.conf", "resolv.conf", "localtime", "ld.so.cache", "ssl/certs",
    "alternatives", "fonts", "ld.so.conf.d", "perl", "services", "protocols", "terminfo", "xdg",
)
NAMESPACES = ("pid", "ipc", "uts", "mount", "network", "user")
IDENTIFIER = "bailey-bench"


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


def crun(place: pathlib.Path, project: str, home: str) -> list[str] | None:
    """The command that runs `true` in such a container; where crun is missing or cannot, says so and returns None.

    Without a control group: an ordinary user has none to give, and Bailey's launch makes one only as root.
    """
    program = shutil.which("crun")
    if program is None:
        return note("crun is not installed: its row is left out")
    bundle = place / "bundle"
    (bundle / "rootfs").mkdir(parents=True)
    (bundle / "config.json").write_text(json.dumps(configuration(project, home)))
    state = place / "crun"
    state.mkdir(mode=0o700)
    command = [program, "--cgroup-manager=disabled", f"--root={state}", "run", f"--bundle={bundle}", IDENTIFIER]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return note(f"crun starts no container here, its row is left out: {done.stderr.strip()}")
    return command


def configuration(project: str, home: str) -> dict:
    """https://github.com/opencontainers/runtime-spec, version 1.0.0."""
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"}]
    mounts += [temporary(place) for place in ("/dev", "/tmp", "/var/tmp", "/dev/shm", home)]
    # A link as a top directory is seen as what it leads to: a bundle has no links but those of its root.
    sources = [place for place in SYSTEM_DIRECTORIES if os.path.isdir(place)]
    sources += [f"/etc/{name}" for name in SETTINGS if os.path.exists(f"/etc/{name}")]
    mounts += [bound(place, "ro") for place in sources + ["/sys/devices/system/cpu"]]
    return {
        "ociVersion": "1.0.0",
        "root": {"path": "rootfs"},
        "process": {
            "args": ["/bin/true"], "cwd": project, "env": ["PATH=/usr/bin:/bin", f"HOME={home}"],
            "user": {"uid": 0, "gid": 0}, "capabilities": {}, "noNewPrivileges": True,
        },
        "mounts": mounts + [bound(project, "rw")],
        "linux": {
            "namespaces": [{"type": name} for name in NAMESPACES],
            "uidMappings": [{"containerID": 0, "hostID": os.getuid(), "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": os.getgid(), "size": 1}],
        },
    }


def temporary(place: str) -> dict:
    return {"destination": place, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=0755"]}


def bound(place: str, mode: str) -> dict:
    return {"destination": place, "type": "bind", "source": place, "options": ["rbind", mode]}
