"""Mounts a workspace as the sandbox would, in namespaces of a child process, and works in it."""
import ctypes
import json
import os
import pathlib
import sys
import time
import traceback
from collections.abc import Callable

from benchmarks.common import fail

CLONE_NEWNS = 0x20000
CLONE_NEWUSER = 0x10000000
MS_REC_PRIVATE = 0x4000 | 0x40000
LIBC = ctypes.CDLL(None, use_errno=True)


def check(code: int, what: str) -> None:
    if code != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def enter_namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    check(LIBC.mount(b"none", b"/", None, MS_REC_PRIVATE, None), "mount /")


def mount_overlay(prepared: dict, target: pathlib.Path) -> None:
    lowers = ":".join(path for path in (prepared["mask"], prepared["lower"]) if path)
    options = (
        "userxattr,volatile,index=off,metacopy=off,redirect_dir=nofollow,xino=off,"
        f"lowerdir={lowers},upperdir={prepared['layers']}/upper,workdir={prepared['layers']}/work"
    )
    check(LIBC.mount(b"overlay", os.fsencode(target), b"overlay", 0, options.encode()), "mount the overlay")


def in_view(prepared: dict, target: pathlib.Path, work: Callable[[pathlib.Path], dict]) -> dict:
    """What `work` returns for the mounted view, with the milliseconds that the namespaces and the mount took.

    The view goes with the child, so that nothing is left to unmount.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            started = time.perf_counter_ns()
            enter_namespaces()
            entered = time.perf_counter_ns()
            mount_overlay(prepared, target)
            mounted = time.perf_counter_ns()
            answer = work(target)
            answer |= {"namespaces": (entered - started) / 1e6, "mount": (mounted - entered) / 1e6}
            os.write(write_end, json.dumps(answer).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        fail("the view could not be mounted; the lines above say why")
    return json.loads(text)
