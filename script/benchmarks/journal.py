"""journal: durable appends to Bailey's journal, beside the least that such an append can be, and SQLite."""
import hashlib
import pathlib
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable

from benchmarks.common import Rows, Setting, fail, median, number, interleave

HELP = "durable lines a second at several batch sizes, beside a raw chained append and SQLite"
ROUNDS = 15
BATCHES = (1, 16, 256)
# Enough syncs for a figure, few enough that a slow disk ends too.
APPENDS = {1: 200, 16: 100, 256: 40}
SOURCE = pathlib.Path(__file__).resolve().parent / "chained_append.c"


def compiled(setting: Setting) -> str:
    """The raw append is in C: a slow peer would be a kind one."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        fail("a C compiler is missing; script/setup --tests installs one")
    program = str(setting.place / "chained_append")
    subprocess.run([compiler, "-O2", "-o", program, str(SOURCE), "-ldl"], check=True)
    return program


def bailey(setting: Setting, lines: int, batch: int, lengths: list[int]) -> float:
    directory = setting.place / "journal-bench"
    directory.mkdir(mode=0o700)
    try:
        answer = setting.bench.ask("journal", directory, lines, batch)
    finally:
        shutil.rmtree(directory)
    lengths.append(answer["bytes"] // answer["lines"])
    return answer["milliseconds"]


def raw(setting: Setting, program: str, lines: int, batch: int, length: int) -> float:
    file = setting.place / "raw.jsonl"
    try:
        return float(setting.output([program, str(file), str(lines), str(batch), str(length)], setting.place))
    finally:
        file.unlink(missing_ok=True)


def sqlite(setting: Setting, lines: int, batch: int, length: int) -> float:
    """A table of chained rows in write-ahead mode, one transaction a batch, durable by synchronous=FULL."""
    directory = setting.place / "sqlite"
    directory.mkdir()
    database = sqlite3.connect(directory / "rows.db", isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE line(number INTEGER PRIMARY KEY, body TEXT, hash BLOB)")
        previous = bytes(32)
        padding = "x" * max(0, length - 32)
        started = time.perf_counter_ns()
        for start in range(0, lines, batch):
            rows = []
            for index in range(start, min(start + batch, lines)):
                body = f'{{"seq":{index},"data":"{padding}"}}'
                previous = hashlib.sha256(b"\0" + previous + body.encode()).digest()
                rows.append((index, body, previous))
            database.execute("BEGIN")
            database.executemany("INSERT INTO line VALUES(?, ?, ?)", rows)
            database.execute("COMMIT")
        return (time.perf_counter_ns() - started) / 1e6
    finally:
        database.close()
        shutil.rmtree(directory)


def measure(setting: Setting, rounds: int, files: int) -> None:
    program = compiled(setting)
    lengths: list[int] = []
    bailey(setting, 16, 16, lengths)
    length = lengths[0] - 1
    results: dict[int, Rows] = {}
    for batch in BATCHES:
        lines = APPENDS[batch] * batch
        contenders: dict[str, Callable[[], float]] = {
            "raw chained append": lambda: raw(setting, program, lines, batch, length),
            "bailey": lambda: bailey(setting, lines, batch, lengths),
            "SQLite": lambda: sqlite(setting, lines, batch, length),
        }
        times = interleave(contenders, rounds)
        results[batch] = {
            name: [lines / milliseconds * 1e3 for milliseconds in values] for name, values in times.items()
        }
    setting.print(f"{rounds} rounds, lines of {length} bytes; median durable lines a second.")
    columns = ["lines in one append", "raw chained append", "bailey", "of raw", "SQLite, WAL, FULL", "of raw"]
    lines = []
    for batch, rows in results.items():
        base = median(rows["raw chained append"])
        cells = [f"{batch:,}", number(base)]
        for name in ("bailey", "SQLite"):
            cells += [number(median(rows[name])), f"{median(rows[name]) / base:.0%}"]
        lines.append(cells)
    setting.lines(columns, lines)
