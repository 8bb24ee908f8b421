"""terminate: TLS that is read on its way, through the broker, beside no proxy and mitmproxy."""
import contextlib
import pathlib
import subprocess
from collections.abc import Callable, Iterator

from benchmarks.common import Bench, Rows, Setting, fail, installed, median, note, number
from benchmarks.egress import Contender, compiled, free_port, interleaved, origin_server, started

HELP = "requests and throughput of TLS that is read on its way: direct, bailey, mitmproxy"
ROUNDS = 5
LARGE_BYTES = 256 << 20
KEPT = 2_000
NEW = 200
MITMPROXY = "mitmproxy==11.0.2"

NGINX = """daemon off; worker_processes 1; pid {place}/tls.pid; error_log {place}/tls.log;
events {{ worker_connections 8192; }}
http {{ access_log off; sendfile on; keepalive_requests 10000000; client_body_temp_path {place}/body;
proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi;
scgi_temp_path {place}/scgi; server {{ listen 127.0.0.1:{port} ssl backlog=4096; root {place}/files;
ssl_certificate {place}/leaf.pem; ssl_certificate_key {place}/leaf.key; ssl_session_cache off;
ssl_session_tickets off; }} }}
"""
Contenders = Callable[[Setting, int, pathlib.Path], contextlib.AbstractContextManager[dict[str, Contender]]]
NAMES = "DNS:localhost,DNS:*.example.com"


def openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"openssl {words[0]}: {done.stderr.strip()[-300:]}")


def certificates(place: pathlib.Path, names: str = NAMES) -> pathlib.Path:
    """A root of the origin's own, and a leaf for the names that it is called by."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", f"{place}/root.key", "-out", f"{place}/root.pem", "-days", "2",
            "-subj", "/CN=bench root", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", *curve, "-keyout", f"{place}/leaf.key", "-out", f"{place}/leaf.csr", "-subj", "/CN=bench")
    (place / "names").write_text(f"subjectAltName={names}\n", encoding="utf-8")
    openssl("x509", "-req", "-in", f"{place}/leaf.csr", "-CA", f"{place}/root.pem", "-CAkey", f"{place}/root.key",
            "-CAcreateserial", "-out", f"{place}/leaf.pem", "-days", "2", "-extfile", f"{place}/names")
    return place / "root.pem"


def ours(
    setting: Setting, stack: contextlib.ExitStack, origin: int, root: pathlib.Path, *words: str
) -> Contender:
    """The broker, in a process of its own."""
    bench = Bench(setting.bench_program)
    stack.callback(bench.close)
    answer = bench.ask("egress", origin, root, *words)
    authority = setting.place / f"authority-{answer['process']}.pem"
    authority.write_text(answer["authority"], encoding="utf-8")
    return Contender(answer["proxy"], answer["process"], f"p{origin}.example.com:443", authority)


def theirs(
    setting: Setting, stack: contextlib.ExitStack, origin: int, root: pathlib.Path, *more: str
) -> Contender | None:
    program = installed("mitmproxy", MITMPROXY, "mitmdump")
    if program is None:
        note("mitmproxy cannot be installed and is left out")
        return None
    port, directory = free_port(), setting.place / "mitmproxy"
    # Large bodies go on as they come: what it keeps whole as a rule would be slower still.
    options = [f"confdir={directory}", f"ssl_verify_upstream_trusted_ca={root}", "stream_large_bodies=1m",
               "flow_detail=0", *more]
    command = [program, "-q", "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    process = stack.enter_context(started(command + [word for option in options for word in ("--set", option)], port))
    return Contender(port, process, f"localhost:{origin}", directory / "mitmproxy-ca-cert.pem")


@contextlib.contextmanager
def contenders(setting: Setting, origin: int, root: pathlib.Path) -> Iterator[dict[str, Contender]]:
    with contextlib.ExitStack() as stack:
        made = {"direct": Contender(0, 0, f"localhost:{origin}", root), "bailey": ours(setting, stack, origin, root)}
        other = theirs(setting, stack, origin, root)
        yield made | ({"mitmproxy": other} if other else {})


def measure(setting: Setting, rounds: int, files: int) -> None:
    measured(setting, rounds, contenders)


def measured(setting: Setting, rounds: int, contenders: Contenders) -> None:
    client = compiled(setting, "egress_client", "-DTLS", "-lssl", "-lcrypto")
    root = certificates(setting.place)
    with origin_server(setting, NGINX, LARGE_BYTES) as origin, contenders(setting, origin, root) as peers:
        figures = {what: interleaved(client, peers, what, amount, rounds)
                   for what, amount in (("get", LARGE_BYTES), ("keep", KEPT), ("new", NEW))}
    show(setting, rounds, figures)


def show(setting: Setting, rounds: int, figures: dict[str, dict[str, Rows]]) -> None:
    setting.print(f"{rounds} rounds; the client trusts the proxy's own authority alone, so each handshake ends there.")
    base = "mitmproxy" if "mitmproxy" in figures["get"]["rate"] else "direct"
    for what, title, amount, unit, scale in (
        ("get", f"{LARGE_BYTES >> 20} MiB, one connection", LARGE_BYTES, "MB/s", 1e6),
        ("keep", "requests, one connection", KEPT, "a second", 1),
        ("new", "a handshake and a request each", NEW, "a second", 1),
    ):
        rates, medians, cpu = (figures[what][kind] for kind in ("rate", "median", "cpu"))
        lines = []
        for name in [name for name in rates if len(rates[name]) > 1]:
            own = "" if name == "direct" else number(
                median(cpu[name]) * 1e9 / amount if what == "get" else median(cpu[name]) * 1e6 / amount)
            ratio = f"{median(rates[name]) / median(rates[base]):.2f}" if len(rates[base]) > 1 else ""
            p50 = "" if what == "get" else number(median(medians[name]))
            lines.append([name, number(median(rates[name]) / scale), ratio, p50, own])
        heading = [title, unit, f"of {base}", "p50 us", "CPU s/GB" if what == "get" else "CPU us each"]
        setting.lines(heading, lines)
