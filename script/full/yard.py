"""What the long crash tests share: a yard with a project and a state of its own, and what must hold in it.

An event is acknowledged once Bailey has told anybody of it: it lies within a journal's durable mark (`head`), or the
command that reported it has printed its result. Acknowledged events stay, byte for byte and in order, whatever happens.
"""
import fcntl
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ("bailey", "bailey-broker", "bailey-launcher")
VERIFIER = ROOT / "script" / "verify-journal.py"
TERMINAL = ("RUN_COMPLETED", "RUN_FAILED")
STEP_SECONDS = 0.002
COMMAND_SECONDS_MAX = 120
IDS = "/run/bailey/ids"

# What the command does in every round: each kind of change, all with times of their own, so that what is in place can
# be compared to the nanosecond. $1 is the round. Files of earlier rounds carry times of 2001 and 2017.
WORK = r"""
set -e
umask 022
: {token}
for i in $(seq 1 12); do printf 'line of round %s, file %s\n' "$1" "$i" > "made-$1-$i"; done
printf 'more of %s\n' "$1" >> changed
printf '%s' "$1" > replaced.new && mv replaced.new replaced
rm -rf gone-* && mkdir -p "gone-$1/deep" && printf x > "gone-$1/deep/x"
rm -f made-$(($1 - 2))-*
chmod $((600 + $1 % 2 * 40)) mode
rm -f link && ln -s "made-$1-1" link
mkdir -p tree/sub && mv tree/sub "tree/sub-$1" && mkdir tree/sub && rm -rf "tree/sub-$(($1 - 1))"
head -c 70000 /dev/zero | tr '\0' "$(printf '\\%03o' $((65 + $1 % 26)))" > large
{attribute}
find . -path ./.bailey -prune -o -newermt 2020-01-01 ! -type d -exec touch -h -d "@$((1500000000 + $1)).5" {{}} +
"""
ATTRIBUTE = """python3 -c 'import os, sys; os.setxattr("changed", "user.round", sys.argv[1].encode())' "$1" """


class Broken(Exception):
    """An invariant that does not hold."""


def expect(holds, what):
    if not holds:
        raise Broken(what() if callable(what) else what)


class Yard:
    """A home, a project, a state directory and copies of the programs, for one account."""

    def __init__(self, programs, uid, place=None):
        self.uid, self.remarks = uid, ""
        self.base = tempfile.mkdtemp(prefix="bailey-crash.", dir="/var/tmp")
        os.chmod(self.base, 0o755)
        self.place = place or self.base
        self.project, self.state = self.place + "/project", self.place + "/state"
        for name in ("bin", "home", "config"):
            os.mkdir(f"{self.base}/{name}")
        for path in (self.project, self.state):
            os.mkdir(path)
        for name in PROGRAMS:
            shutil.copy2(f"{programs}/{name}", f"{self.base}/bin/{name}")
        self.bailey = self.base + "/bin/bailey"
        self.identities = {file_identity(f"{self.base}/bin/{name}") for name in PROGRAMS}
        self.bailey_directory = self.project + "/.bailey"
        for path in (self.base, self.base + "/home", self.base + "/config", self.project, self.state):
            os.chown(path, uid, uid)
        os.chmod(self.project, 0o755)
        self.has_attributes = self._tries_attributes()
        self.fill()

    def _tries_attributes(self):
        try:
            os.setxattr(self.project, "user.probe", b"1")
            os.removexattr(self.project, "user.probe")
            return True
        except OSError:
            return False

    def fill(self):
        for name in ("changed", "replaced", "mode", "large", "untouched", "tree/sub/one", "tree/two", "gone-0/x"):
            path = f"{self.project}/{name}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write(name + "\n")
        for number in range(30):
            with open(f"{self.project}/plain{number}", "w", encoding="ascii") as file:
                file.write("plain\n" * number)
        self._own(self.project)

    def _own(self, top):
        for directory, names, files in os.walk(top):
            for path in [directory] + [os.path.join(directory, name) for name in names + files]:
                os.lchown(path, self.uid, self.uid)
                os.utime(path, ns=(10**18 + 1, 10**18 + 123456789))

    @property
    def environment(self):
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.base + "/home", "XDG_STATE_HOME": self.state,
            "XDG_CONFIG_HOME": self.base + "/config", "LANG": "C.UTF-8",
        }

    def _account(self):
        return {"user": self.uid, "group": self.uid, "extra_groups": []} if self.uid != os.getuid() else {}

    def start(self, *arguments, output=subprocess.PIPE, input=subprocess.DEVNULL):
        """Starts bailey and returns its process."""
        return subprocess.Popen(
            [self.bailey, *arguments], cwd=self.project, env=self.environment, stdin=input,
            stdout=output, stderr=subprocess.PIPE, start_new_session=True, **self._account())

    def run(self, *arguments, codes=(0,)):
        """Runs bailey to its end; the code must be one of those that are named. Returns what it printed."""
        process = self.start(*arguments)
        try:
            output, errors = process.communicate(timeout=COMMAND_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Broken(f"bailey {' '.join(arguments)} did not end within {COMMAND_SECONDS_MAX} s") from None
        expect(process.returncode in codes,
               lambda: f"bailey {' '.join(arguments)} ended with {process.returncode}: "
               f"{output.decode(errors='replace')[-600:]} {errors.decode(errors='replace')[-600:]}")
        self.remarks = errors.decode(errors="replace")
        return output.decode(errors="replace")

    def work(self, number, token):
        """The words of `bailey run` that do one round's work."""
        return ["/bin/sh", "-c", self.script(token), "sh", str(number)]

    def script(self, token):
        return WORK.format(token=token, attribute=ATTRIBUTE if self.has_attributes else "")

    def goal(self, number, token):
        """What the tree looks like after a round's work: done on a copy, outside."""
        copy = self.base + "/goal"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", self.project, copy], check=True)
        shutil.rmtree(copy + "/.bailey", ignore_errors=True)
        subprocess.run(self.work(number, token), cwd=copy, env=self.environment, check=True, **self._account())
        return picture(copy)

    def runs(self):
        """The ids of all runs, oldest first."""
        try:
            return sorted(name for name in os.listdir(self.bailey_directory + "/runs") if name.startswith("r_"))
        except FileNotFoundError:
            return []

    def journals(self):
        """Paths of all journals below `.bailey`."""
        runs = [f"runs/{run}/journal" for run in self.runs()]
        return [name for name in ["authority"] + runs
                if os.path.exists(f"{self.bailey_directory}/{name}/journal.jsonl")]

    def lines(self, name):
        """The whole lines of a journal."""
        with open(f"{self.bailey_directory}/{name}/journal.jsonl", "rb") as file:
            return file.read().split(b"\n")[:-1]

    def marked(self, name):
        """The lines that a journal's durable mark covers."""
        try:
            with open(f"{self.bailey_directory}/{name}/head", "rb") as file:
                count = int(file.read(20) or b"0")
        except (FileNotFoundError, ValueError):
            return []
        return self.lines(name)[:count]

    def acknowledged(self, whole=False):
        """For each journal the lines that may not be lost. What a killed process wrote is with the kernel: there every
        whole line counts."""
        read = self.lines if whole else self.marked
        return {name: read(name) for name in self.journals()}

    def state_of(self, run):
        return json.loads(self.run("runs", "show", "--json", run))["state"]

    def remove(self):
        subprocess.run(["rm", "-rf", self.base], check=False)


def file_identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino


def picture(top):
    """Every entry but Bailey's own, with everything that a user could miss: kind, mode, owner, content, link target,
    extended attributes, and the time to the nanosecond. Directories change their time with each name in them."""
    found = {}
    for directory, names, files in os.walk(top):
        if directory == top:
            names[:] = [name for name in names if name != ".bailey"]
        for name in names + files + ([""] if directory == top else []):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            entry = [stat.filemode(status.st_mode), status.st_uid, status.st_gid]
            if stat.S_ISLNK(status.st_mode):
                entry += [os.readlink(path), status.st_mtime_ns]
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    entry += [file.read(), status.st_mtime_ns]
            entry += [(key, os.getxattr(path, key, follow_symlinks=False))
                      for key in sorted(os.listxattr(path, follow_symlinks=False))]
            found[os.path.relpath(path, top)] = entry
    return found


def difference(one, other):
    """The first few paths in which two pictures differ."""
    paths = [path for path in sorted(set(one) | set(other)) if one.get(path) != other.get(path)]
    return "; ".join(f"{path}: {str(one.get(path))[:160]} / {str(other.get(path))[:160]}" for path in paths[:4])


def processes(yard, token):
    """Living processes that are one of the yard's programs, or hold the token in their words or environment."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if file_identity(f"/proc/{entry}/exe") in yard.identities:
                found.append(entry)
                continue
        except OSError:
            pass
        try:
            text = b"".join(pathlib.Path(f"/proc/{entry}/{name}").read_bytes() for name in ("cmdline", "environ"))
            if token.encode() in text:
                found.append(entry)
        except OSError:
            continue
    return found


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        expect(time.monotonic() < deadline, what)
        time.sleep(STEP_SECONDS)


def check_quiet(yard, token):
    """What must hold soon after a kill, without anybody's help."""
    wait_until(lambda: not processes(yard, token), 20,
               lambda: f"orphans: {[describe(entry) for entry in processes(yard, token)]}")
    text = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    mounts = [line for line in text.split("\n") if yard.base in line and f" {yard.place} " not in line]
    expect(not mounts, f"mounts: {mounts}")


def describe(entry):
    try:
        words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        status = pathlib.Path(f"/proc/{entry}/status").read_text(encoding="utf-8")
        return entry, words[:200], re.findall(r"(?:State|PPid):\s*(.*)", status)
    except OSError:
        return entry


def check_journals(yard, acknowledged):
    """Both verifiers agree that all is whole, and nothing acknowledged is lost."""
    yard.run("journal", "verify")
    key = yard.state + "/bailey/signing.pub"
    # Before the first run there is neither a project nor a key.
    words = ["--key", key] if os.path.exists(key) else []
    other = subprocess.run([sys.executable, str(VERIFIER), yard.bailey_directory, *words], capture_output=True,
                           check=False)
    expect(other.returncode == 0, lambda: f"verify-journal.py: {other.stdout.decode()} {other.stderr.decode()}")
    pruned = {json.loads(line)["data"].get("run") for line in yard.lines("authority")
              if json.loads(line)["type"] == "RUN_PRUNED"} if "authority" in yard.journals() else set()
    for name, lines in acknowledged.items():
        run = name.split("/")[1] if name.startswith("runs/") else None
        if run in pruned and run not in yard.runs():
            continue
        expect(name in yard.journals() or not lines, f"the journal {name} is gone, and {len(lines)} lines with it")
        if lines:
            expect(yard.lines(name)[:len(lines)] == lines, f"acknowledged lines of {name} are lost or changed")
    for name in yard.journals():
        events = [json.loads(line) for line in yard.lines(name)]
        expect([event["seq"] for event in events] == list(range(1, len(events) + 1)), f"{name} has a gap")
        ends = [number for number, event in enumerate(events) if event["type"] in TERMINAL]
        expect(not ends or ends == [len(events) - 1], f"{name} goes on after its end")


def check_left(yard, live=()):
    """What must hold after the start that follows a crash: no litter, no group, no lease, no open end."""
    for run in yard.runs():
        if run in live:
            continue
        directory = f"{yard.bailey_directory}/runs/{run}"
        expect(os.path.exists(directory + "/settled"), f"{run} was not settled: {yard.remarks}")
        names = [name for _, names, files in os.walk(directory) for name in names + files]
        litter = [name for name in names if name.startswith((".new.", ".removing-")) or name in ("intent", "apply")]
        expect(not litter, f"{run} holds {litter}")
    names = os.listdir(yard.bailey_directory) + os.listdir(yard.bailey_directory + "/authority")
    expect(not [name for name in names if name.startswith(".new.")], f"litter: {names}")
    others = [name for name in os.listdir(yard.bailey_directory + "/runs") if not name.startswith(("r_", ".new."))]
    expect(not others, f"beside the runs lie {others}")
    groups = [directory for directory, names, _ in os.walk("/sys/fs/cgroup")
              if any(directory.endswith("-" + run) for run in yard.runs())]
    expect(not groups, f"control groups: {groups}")
    check_locks(yard)


def check_locks(yard):
    """No lock of the yard's runs and no lease of a user id is held for a dead process."""
    inodes = {}
    for run in yard.runs():
        inodes[os.stat(f"{yard.bailey_directory}/runs/{run}/lock").st_ino] = run
    for path in [f"{yard.bailey_directory}/runs/{run}/lock" for run in yard.runs()]:
        with open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Broken(f"{path} is locked by nobody that lives") from None
    if yard.uid != 0 or not os.path.isdir(IDS):
        return
    leases = {os.stat(f"{IDS}/{name}").st_ino: name for name in os.listdir(IDS)}
    for line in pathlib.Path("/proc/locks").read_text(encoding="ascii").split("\n"):
        fields = line.split()
        if len(fields) < 6 or fields[1] != "FLOCK" or int(fields[5].split(":")[2]) not in leases:
            continue
        expect(fields[4] == "0" or os.path.exists("/proc/" + fields[4]), f"a user id is leased to the dead: {line}")


def aged_litter(yard, seconds=60):
    """Temporary files anywhere below the project's `.bailey` and the state directory that are older than that."""
    oldest, found = time.time() - seconds, []
    for top in (yard.bailey_directory, yard.state):
        for directory, names, files in os.walk(top):
            for name in names + files:
                path = os.path.join(directory, name)
                if (".new." in name or name.startswith("probe-")) and os.lstat(path).st_ctime < oldest:
                    found.append(path)
    return found


def programs(given):
    """The directory of the programs to test: as given, else of a debug build made now."""
    if given:
        if not os.access(given, os.X_OK):
            sys.exit(f"{sys.argv[0]}: there is no program {given}")
        return os.path.dirname(os.path.abspath(given))
    command = ["swift", "build", "--package-path", str(ROOT)]
    for product in PROGRAMS:
        subprocess.run([*command, "--product", product], check=True, stdout=sys.stderr, stdin=subprocess.DEVNULL)
    shown = subprocess.run([*command, "--show-bin-path"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return shown.stdout.decode().strip()
