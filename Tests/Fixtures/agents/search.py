#!/usr/bin/env python3
"""Looks for secrets where none may be: in processes behind a wall, in what they can see, and in files.

usage: search.py NEEDLES PLACE...

NEEDLES is a JSON file of names and texts. Each is looked for as it is, in base64 at each of the three alignments and in both
alphabets, in hexadecimal and in UTF-16. A PLACE is

  memory:PID   of all processes in other process namespaces below PID: resident memory, environment, arguments
  view:PID     all files that these processes can see, but for those that are the host's own, read-only
  tree:DIR     all files below a directory
  names:DIR    the names of these files

It prints one JSON object: `searched`, for each place the number of `items` and `bytes`, and `hits`, a list of `needle`,
`form` and `place`. A place in which nothing could be searched is an error.
"""
import base64
import json
import os
import pathlib
import stat
import struct
import sys

CHUNK = 16 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
PAGES_AT_ONCE = 4096
# Of the kernel's making.
NO_FILES = {"/proc", "/sys", "/dev"}


def forms(text: str) -> dict[str, bytes]:
    """A text in the forms in which it could be carried."""
    plain = text.encode()
    made = {"plain": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode(),
            "utf-16": text.encode("utf-16-le")}
    for lead in range(3):
        # What the bytes before and after share a character with is left out.
        first = (lead * 8 + 5) // 6
        last = (lead + len(plain)) * 8 // 6
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            made[f"{name}+{lead}"] = encode(b"\0" * lead + plain)[first:last]
    return made


class Search:
    def __init__(self, needles: dict[str, str]) -> None:
        self.needles = [(name, form, word) for name, text in needles.items() for form, word in forms(text).items()]
        self.overlap = max(len(word) for _, _, word in self.needles) - 1
        self.searched: dict[str, dict[str, int]] = {}
        self.hits: set[tuple[str, str, str]] = set()
        self.files_seen: set[tuple[int, int]] = set()

    def count(self, place: str, items: int, size: int) -> None:
        entry = self.searched.setdefault(place, {"items": 0, "bytes": 0})
        entry["items"] += items
        entry["bytes"] += size

    def look(self, data: bytes, where: str) -> None:
        for name, form, word in self.needles:
            if word in data:
                self.hits.add((name, form, where))

    def look_stream(self, parts, where: str) -> int:
        tail, total = b"", 0
        for part in parts:
            total += len(part)
            self.look(tail + part, where)
            tail = (tail + part)[-self.overlap:]
        return total

    def memory(self, pid: int) -> None:
        for process in inside(pid):
            name = f"{process} {read_small(process, 'comm').decode().strip()}"
            size = 0
            for kind in ("environ", "cmdline"):
                text = read_small(process, kind)
                self.look(text, f"{kind} of {name}")
                size += len(text)
            size += self.look_stream(resident(process), f"memory of {name}")
            self.count("memory", 1, size)

    def view(self, pid: int) -> None:
        for process in inside(pid):
            root = f"/proc/{process}/root"
            hosts = host_places(process)
            if hosts and os.path.isdir(root):
                self.tree(pathlib.Path(root), "view", {root + place for place in hosts | NO_FILES})
                return

    def tree(self, top: pathlib.Path, place: str, besides: frozenset[str] | set[str] = frozenset()) -> None:
        for path in files(top, besides):
            try:
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode):
                    self.look(os.fsencode(os.readlink(path)), f"link {path}")
                if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) in self.files_seen:
                    continue
                self.files_seen.add((status.st_dev, status.st_ino))
                with open(path, "rb") as file:
                    size = self.look_stream(iter(lambda: file.read(CHUNK), b""), f"file {path}")
                self.count(place, 1, size)
            except OSError as error:
                print(f"search.py: {path}: {error.strerror}", file=sys.stderr)

    def names(self, top: pathlib.Path, place: str) -> None:
        for path in files(top):
            self.look(os.fsencode(path), f"name {path}")
            self.count(place, 1, len(path))


def files(top: pathlib.Path, besides: frozenset[str] | set[str] = frozenset()):
    """All files below a directory, but for some places."""
    if not top.is_dir():
        yield str(top)
        return
    # The root of a process is a link, which only a path with a slash follows.
    for directory, below, names in os.walk(str(top) + "/"):
        below[:] = [name for name in below if os.path.join(directory, name) not in besides]
        for name in names:
            if os.path.join(directory, name) not in besides:
                yield os.path.join(directory, name)


def host_places(process: int) -> set[str]:
    """Where a process sees, read-only, what the host has at the same place: no run could have written there."""
    found = set()
    for line in read_small(process, "mountinfo").decode("utf-8", "replace").splitlines():
        words = line.split()
        inner, place, options = words[3:6]
        kind = words[words.index("-") + 1]
        is_tool_chain = kind == "overlay" and inner == "/"
        if "ro" in options.split(",") and place != "/" and (place.endswith(inner) or is_tool_chain):
            found.add(place)
    return found


def read_small(process: int, name: str) -> bytes:
    try:
        return pathlib.Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""


def inside(pid: int) -> list[int]:
    """The processes below one that live in another process namespace than this program."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            words = read_small(int(entry), "stat").rpartition(b")")[2].split()
            if len(words) > 1:
                parents[int(entry)] = int(words[1])
    own = os.readlink("/proc/self/ns/pid")

    def is_inside(process: int) -> bool:
        current = process
        while current in parents and current != pid:
            current = parents[current]
        try:
            return current == pid and os.readlink(f"/proc/{process}/ns/pid") != own
        except OSError:
            return False

    # What executed a program last comes first: it is in the view, while an init may not be.
    return sorted((process for process in parents if is_inside(process)), reverse=True)


def resident(process: int):
    """All memory of a process that is there, whatever its protection."""
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory, \
            open(f"/proc/{process}/pagemap", "rb", buffering=0) as pagemap:
        for line in read_small(process, "maps").decode("utf-8", "replace").splitlines():
            words = line.split(maxsplit=5)
            start, end = (int(word, 16) for word in words[0].split("-"))
            if words[5:] in (["[vvar]"], ["[vsyscall]"], ["[vvar_vclock]"]):
                continue
            yield from present(memory, pagemap, start, end)


def present(memory, pagemap, start: int, end: int):
    for first in range(start // PAGE, end // PAGE, PAGES_AT_ONCE):
        count = min(PAGES_AT_ONCE, end // PAGE - first)
        os.lseek(pagemap.fileno(), first * 8, os.SEEK_SET)
        entries = struct.unpack(f"<{count}Q", pagemap.read(count * 8).ljust(count * 8, b"\0"))
        run = 0
        for index in range(count + 1):
            # Bit 63: the page is present, bit 62: it is swapped out.
            if index < count and entries[index] >> 62:
                run += 1
                continue
            if run:
                try:
                    yield os.pread(memory.fileno(), run * PAGE, (first + index - run) * PAGE)
                except OSError:
                    pass
                run = 0


def main() -> int:
    search = Search(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    for word in sys.argv[2:]:
        kind, _, rest = word.partition(":")
        if kind == "memory":
            search.memory(int(rest))
        elif kind == "view":
            search.view(int(rest))
        elif kind in ("tree", "names"):
            getattr(search, kind)(pathlib.Path(rest), word)
        else:
            sys.exit(f"search.py: a place is expected, not '{word}'")
        place = word if kind in ("tree", "names") else kind
        if not search.searched.get(place, {}).get("bytes"):
            sys.exit(f"search.py: nothing could be searched in '{word}'")
    hits = [dict(zip(("needle", "form", "place"), hit)) for hit in sorted(search.hits)]
    print(json.dumps({"searched": search.searched, "hits": hits}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
