"""What every benchmark needs: programs, projects, timed processes and tables."""
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FILE_BYTES = 4096
FILES_PER_DIRECTORY = 50

Rows = dict[str, list[float]]


def fail(message: str) -> None:
    print(f"script/bench: {message}", file=sys.stderr)
    sys.exit(2)


def note(message: str) -> None:
    """Says what goes on, or what is left out, beside the results."""
    print(f"script/bench: {message}", file=sys.stderr)


def installed(name: str, requirement: str, program: str) -> str | None:
    """A peer's program, from an environment of Python's that is made once; nothing where it cannot be."""
    place = ROOT / ".cache" / name.lower()
    path = place / "bin" / program
    if not os.access(path, os.X_OK):
        note(f"{name} is installed once, into .cache")
        for command in ([sys.executable, "-m", "venv", str(place)], [f"{place}/bin/pip", "-q", "install", requirement]):
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode != 0:
                return None
    return str(path)


class Bench:
    """`bailey-bench`, which measures parts of the product inside one process, so that no start is in the figures."""

    def __init__(self, program: str) -> None:
        if not os.access(program, os.X_OK):
            fail(f"{program} is not there; `script/build-release --bench` builds it")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words: object) -> dict:
        self.process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "bailey-bench ended"}
        if "error" in answer:
            fail(f"bailey-bench {' '.join(str(word) for word in words)}: {answer['error']}")
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Setting:
    """A temporary place on a disk, a clean environment, and the programs to measure."""

    def __init__(self, bailey: pathlib.Path | None, markdown: bool) -> None:
        self.bailey = os.path.abspath(bailey or ROOT / ".build-release/release/bailey")
        if not os.access(self.bailey, os.X_OK):
            fail(f"{self.bailey} is not there; script/build-release builds it")
        self.markdown = markdown
        # Not /tmp, which is often in memory: what is measured is what a project on a disk pays.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bailey-bench.", dir="/var/tmp"))
        self.home = self.place / "home"
        self.state = self.place / "state"
        for directory in (self.home, self.state):
            directory.mkdir(mode=0o700)
        self.environment = {"HOME": str(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self._bench: Bench | None = None
        self._projects: dict[int, pathlib.Path] = {}

    @property
    def bench(self) -> Bench:
        if self._bench is None:
            self._bench = Bench(self.bench_program)
        return self._bench

    @property
    def bench_program(self) -> str:
        return os.path.join(os.path.dirname(self.bailey), "bailey-bench")

    def project(self, files: int) -> pathlib.Path:
        """A git repository with that many files, made once."""
        if files not in self._projects:
            directory = self.place / f"project-{files}"
            make_project(directory, files)
            self._projects[files] = directory
        return self._projects[files]

    def run(self, command: list[str], directory: pathlib.Path) -> float:
        return milliseconds(command, self.environment, str(directory))

    def output(self, command: list[str], directory: pathlib.Path) -> str:
        done = subprocess.run(command, env=self.environment, cwd=directory, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"{' '.join(command)[:200]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def print(self, text: str) -> None:
        print(text, flush=True)

    def table(self, heading: str, rows: Rows, base: str | None = None, unit: str = "ms") -> None:
        """Median and tenth percentile of each row, and its median over that of the base."""
        columns = [heading, f"median {unit}", f"p10 {unit}"] + (["ratio"] if base else [])
        lines = []
        for name, values in rows.items():
            line = [name, number(median(values)), number(low(values))]
            if base:
                line.append(f"{median(values) / median(rows[base]):.2f}" if median(rows[base]) else "")
            lines.append(line)
        self.lines(columns, lines)

    def lines(self, columns: list[str], lines: list[list[str]]) -> None:
        if self.markdown:
            self.print("\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
            for line in lines:
                self.print("| " + " | ".join(line) + " |")
            self.print("")
            return
        # Each column is as wide as what stands in it.
        widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
        for line in [columns] + lines:
            cells = [f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True)]
            self.print("  ".join([f"{line[0]:<{widths[0]}}", *cells]))
        self.print("")

    def close(self) -> None:
        if self._bench is not None:
            self._bench.close()
        os.chdir("/")
        # Overlays leave work directories that shut their owner out.
        subprocess.run(["chmod", "-R", "u+rwx", self.place], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.place, ignore_errors=True)


@contextlib.contextmanager
def setting(bailey: pathlib.Path | None, markdown: bool) -> Iterator[Setting]:
    made = Setting(bailey, markdown)
    try:
        yield made
    finally:
        made.close()


def median(values: list[float]) -> float:
    return statistics.median(values)


def low(values: list[float]) -> float:
    """The tenth percentile: what the machine can do when it is not disturbed."""
    return statistics.quantiles(values, n=10, method="inclusive")[0] if len(values) > 1 else values[0]


def number(value: float) -> str:
    """At most two places after the point, and none where they say nothing."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def milliseconds(command: list[str], environment: dict[str, str], directory: str) -> float:
    """The wall-clock time from starting a command to having its exit code."""
    os.chdir(directory)
    started = time.perf_counter_ns()
    process = os.posix_spawn(command[0], command, environment, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ])
    _, status = os.waitpid(process, 0)
    elapsed = (time.perf_counter_ns() - started) / 1e6
    if status != 0:
        fail(f"{' '.join(command)[:200]} ended with {os.waitstatus_to_exitcode(status)}")
    return elapsed


def timed(body: Callable[[], object]) -> float:
    started = time.perf_counter_ns()
    body()
    return (time.perf_counter_ns() - started) / 1e6


def interleave(contenders: dict[str, Callable[[], float]], rounds: int, warm_up: int = 1) -> Rows:
    """Every contender once a round, so that a busy moment falls on all of them."""
    rows: Rows = {name: [] for name in contenders}
    for round_number in range(warm_up + rounds):
        for name, measure in contenders.items():
            elapsed = measure()
            if round_number >= warm_up:
                rows[name].append(elapsed)
    return rows


def make_project(directory: pathlib.Path, files: int) -> None:
    """A packed and committed repository whose files have the same size in directories of fifty."""
    directory.mkdir()
    for index in range(files):
        path = directory / f"d{index // FILES_PER_DIRECTORY}" / f"f{index}.txt"
        if index % FILES_PER_DIRECTORY == 0:
            path.parent.mkdir()
        line = f"file {index} of this project\n"
        path.write_text((line * (FILE_BYTES // len(line) + 1))[:FILE_BYTES])
    # Git's own tidying in the background would be measured, too.
    git = ["git", "-C", str(directory), "-c", "gc.auto=0"]
    git += ["-c", "user.name=Bench", "-c", "user.email=bench@example.invalid"]
    for arguments in (
        ["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--allow-empty", "--message", "Begin"],
        ["gc", "--quiet"],
    ):
        subprocess.run(git + arguments, check=True)


def machine() -> str:
    """Where this was measured, in a line."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    identity = "root" if os.getuid() == 0 else "an ordinary user"
    kind = subprocess.run(["df", "--output=fstype", "/var/tmp"], capture_output=True, text=True).stdout.split()[-1]
    return (
        f"On {datetime.date.today()}, {os.cpu_count()} cores of {names[0] if names else os.uname().machine}, "
        f"Linux {os.uname().release}, {kind}, as {identity}; load {os.getloadavg()[0]:.1f} at the start"
    )
