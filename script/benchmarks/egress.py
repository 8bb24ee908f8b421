"""egress: connections through the broker's doors, beside no proxy, a relay without policy, squid and tinyproxy."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

from benchmarks.common import Rows, Setting, fail, median, note, number

HELP = "throughput, requests and memory of tunnels: direct, a bare relay, bailey, squid, tinyproxy"
ROUNDS = 7
LARGE_BYTES = 1 << 30
KEPT = 5_000
NEW = 2_000
SECONDS_MAX = 40
IDLE = 500
HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/nginx.log;
events {{ worker_connections 8192; }}
http {{ access_log off; sendfile on; keepalive_requests 10000000; client_body_temp_path {place}/body;
proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi;
scgi_temp_path {place}/scgi; server {{ listen 127.0.0.1:{port} backlog=4096; root {place}/files; }} }}
"""
SQUID = """http_port 127.0.0.1:{port}
http_access allow all
cache deny all
cache_mem 8 MB
access_log none
cache_log {place}/squid.log
pid_filename {place}/squid.pid
coredump_dir {place}
pinger_enable off
shutdown_lifetime 0 seconds
"""
TINYPROXY = """Port {port}
Listen 127.0.0.1
MaxClients 2000
Timeout 600
LogLevel Critical
PidFile "{place}/tiny.pid"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, tries: int = 200) -> None:
    for _ in range(tries):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    fail(f"nothing listens on port {port}")


def compiled(setting: Setting, name: str, *options: str) -> str:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        fail("a C compiler is missing; script/setup --tests installs one")
    program = str(setting.place / name)
    subprocess.run([compiler, "-O2", "-pthread", "-o", program, str(HERE / f"{name}.c"), *options], check=True)
    return program


class Contender:
    """A proxy: its port, its processes, and the spelling of the origin that it takes."""

    def __init__(self, port: int, process: int, target: str, root: pathlib.Path | None = None) -> None:
        self.port = port
        self.process = process
        self.target = target
        # The one root that its certificates come from, where TLS is spoken.
        self.root = root

    def processes(self) -> list[int]:
        """The process and all below it."""
        found = [self.process] if self.process else []
        for parent in found:
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{parent}/task"):
                    children = pathlib.Path(f"/proc/{parent}/task/{task}/children").read_text(encoding="ascii")
                    found += [int(child) for child in children.split()]
        return found

    def cpu_seconds(self) -> float:
        total = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_kilobytes(self) -> int:
        total = 0
        for process in self.processes():
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total


@contextlib.contextmanager
def started(command: list[str], port: int, tries: int = 200) -> Iterator[int]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, tries)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def contenders(setting: Setting, origin: int) -> Iterator[dict[str, Contender]]:
    target = f"127.0.0.1:{origin}"
    with contextlib.ExitStack() as stack:
        made = {"direct": Contender(0, 0, target)}
        port = free_port()
        relay = stack.enter_context(started([compiled(setting, "egress_relay"), str(port)], port))
        made["bare relay"] = Contender(port, relay, target)
        answer = setting.bench.ask("egress", origin)
        made["bailey"] = Contender(answer["proxy"], answer["process"], f"p{origin}.example.com:9000")
        for name, template, options in (
            ("squid", SQUID, ["-N", "-f"]), ("tinyproxy", TINYPROXY, ["-d", "-c"]),
        ):
            program = shutil.which(name, path="/usr/sbin:/usr/bin")
            if program is None:
                note(f"{name} is not installed and left out")
                continue
            port = free_port()
            file = setting.place / f"{name}.conf"
            file.write_text(template.format(port=port, place=setting.place), encoding="utf-8")
            process = stack.enter_context(started([program, *options, str(file)], port))
            made[name] = Contender(port, process, target)
        yield made


@contextlib.contextmanager
def origin_server(setting: Setting, template: str = NGINX, large_bytes: int = LARGE_BYTES) -> Iterator[int]:
    """nginx with a small and a large file, on the port that is given."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        fail("nginx is missing, which answers here: apt-get install nginx-light squid tinyproxy")
    files = setting.place / "files"
    files.mkdir(exist_ok=True)
    (files / "small").write_bytes(b"x" * 1024)
    with open(files / "large", "wb") as file:
        file.truncate(large_bytes)
    for path in (setting.place, files):
        path.chmod(0o755)
    port = free_port()
    configuration = setting.place / "nginx.conf"
    configuration.write_text(template.format(place=setting.place, port=port), encoding="utf-8")
    with started([program, "-c", str(configuration)], port):
        yield port


def measure(setting: Setting, rounds: int, files: int) -> None:
    client = compiled(setting, "egress_client")
    with origin_server(setting) as origin, contenders(setting, origin) as peers:
        idle = {name: peer.memory_kilobytes() for name, peer in peers.items() if peer.process}
        figures: dict[str, dict[str, Rows]] = {}
        for what, amount in (("get", LARGE_BYTES), ("keep", KEPT), ("new", NEW)):
            figures[what] = interleaved(client, peers, what, amount, rounds)
        tunnels = {name: held(client, peer) for name, peer in peers.items() if peer.process}
    show(setting, rounds, figures, idle, tunnels)


def interleaved(
    client: str, peers: dict[str, Contender], what: str, amount: int, rounds: int
) -> dict[str, Rows]:
    """Each contender once a round: amounts a second, median microseconds, and CPU seconds of the proxy."""
    rows: dict[str, Rows] = {kind: {name: [] for name in peers} for kind in ("rate", "median", "cpu")}
    hung: set[str] = set()
    for round_number in range(rounds + 1):
        for name, peer in peers.items():
            if name in hung:
                continue
            before = peer.cpu_seconds()
            words = spent(client, peer, what, amount)
            if words is None:
                note(f"{name} does not get through {what} within {SECONDS_MAX} s and is left out")
                hung.add(name)
            if words is None or round_number == 0:
                continue
            rows["rate"][name].append(amount / float(words[0]))
            rows["median"][name].append(float(words[1]))
            rows["cpu"][name].append(peer.cpu_seconds() - before)
    return rows


def spent(client: str, peer: Contender, what: str, amount: int) -> list[str] | None:
    """What the client says it took; nothing where it hangs, which tinyproxy sometimes does."""
    command = [client, str(peer.port), peer.target, what, str(amount)] + ([str(peer.root)] if peer.root else [])
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        fail(done.stderr.strip()[-300:])
    return done.stdout.split()


def held(client: str, peer: Contender) -> float:
    """Kilobytes that a proxy needs for a tunnel that is silent, once it was used."""
    before = peer.memory_kilobytes()
    process = subprocess.Popen([client, str(peer.port), peer.target, "idle", str(IDLE)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        fail("the client could not open its tunnels")
    time.sleep(0.5)
    after = peer.memory_kilobytes()
    process.communicate("\n")
    return (after - before) / IDLE


def show(
    setting: Setting, rounds: int, figures: dict[str, dict[str, Rows]], idle: dict[str, int], tunnels: dict[str, float]
) -> None:
    setting.print(f"{rounds} rounds; plain bytes in a tunnel; the client, the proxy and nginx share the machine.")
    base = "squid" if "squid" in idle else "bare relay"
    names = [name for name in figures["get"]["rate"] if all(len(figures[what]["rate"][name]) > 1 for what in figures)]

    def ratio(what: str, name: str) -> str:
        return f"{median(figures[what]['rate'][name]) / median(figures[what]['rate'][base]):.2f}"

    def cpu(name: str, what: str, unit: Callable[[float], float]) -> str:
        return "" if name == "direct" else number(unit(median(figures[what]["cpu"][name])))

    lines = [[name, number(median(figures["get"]["rate"][name]) / 1e6), number(max(figures["get"]["rate"][name]) / 1e6),
              ratio("get", name), cpu(name, "get", lambda seconds: seconds * 1e9 / LARGE_BYTES)] for name in names]
    setting.lines(["1 GiB, one connection", "MB/s", "best", f"of {base}", "CPU s/GB"], lines)
    for what, amount, title in (("keep", KEPT, "requests, one connection"), ("new", NEW, "a connection each")):
        direct = median(figures[what]["median"]["direct"])
        lines = [[name, number(median(figures[what]["rate"][name])), ratio(what, name),
                  number(median(figures[what]["median"][name])),
                  "" if name == "direct" else number(median(figures[what]["median"][name]) - direct),
                  cpu(name, what, lambda seconds: seconds * 1e6 / amount)] for name in names]
        setting.lines([title, "a second", f"of {base}", "p50 us", "added us", "CPU us each"], lines)
    lines = [[name, number(idle[name] / 1024), number(tunnels[name])] for name in idle]
    setting.lines(["memory (PSS)", "idle MB", "KB a tunnel"], lines)
