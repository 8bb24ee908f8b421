"""gateway: requests to a model through the gateway of a run, beside no gateway and LiteLLM."""
import contextlib
import pathlib
import secrets
import subprocess
from collections.abc import Callable, Iterator

from benchmarks.common import Rows, Setting, fail, installed, median, number
from benchmarks.egress import compiled, free_port, started
from benchmarks.terminate import certificates

HELP = "time to the first frame, a frame's way, and whole requests: direct, bailey, LiteLLM"
ROUNDS = 7
STREAMS = 16
FRAMES = 100
FRAME_MILLISECONDS = 20
REQUESTS = 50
LITELLM = "litellm[proxy]==1.106.2"
PROVIDER = "api.openai.com"
CONFIGURATION = """network:
  upstreams:
    - {{ host: {provider}, port: 443, address: "127.0.0.1:{port}", ca: "{root}" }}
"""
LITELLM_CONFIGURATION = """model_list:
  - model_name: mock
    litellm_params: {{ model: openai/mock, api_base: "https://{provider}:{port}/v1", api_key: none }}
litellm_settings: {{ telemetry: false, num_retries: 0 }}
general_settings: {{ dangerously_permit_weak_or_unset_master_key: true }}
"""
# What each way of asking prints, in its order.
STREAM_FIGURES = ("first frame p50 us", "p99 us", "a frame's way p50 us", "frame p99 us", "frames")
REQUEST_FIGURES = ("p50 us", "p99 us", "a second")

Client = Callable[[list[str]], list[str]]


def finished(command: list[str], **options) -> list[str]:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        fail(f"{' '.join(command)[:200]}: {done.stderr.strip()[-400:]}")
    return done.stdout.split()


def direct(program: str, port: int, root: pathlib.Path) -> Client:
    return lambda words: finished([program, "127.0.0.1", str(port), PROVIDER, str(root), *words])


def behind_bailey(setting: Setting, program: str, port: int, root: pathlib.Path) -> Client:
    """The client as a run's command, which reaches the service at the base URL that it is given."""
    configuration = setting.home / ".config" / "bailey"
    configuration.mkdir(parents=True, mode=0o700)
    (configuration / "config.yml").write_text(
        CONFIGURATION.format(provider=PROVIDER, port=port, root=root), encoding="utf-8"
    )
    project = setting.project(10)
    client = project / "stream_client"
    client.write_bytes(pathlib.Path(program).read_bytes())
    client.chmod(0o755)
    environment = dict(setting.environment, OPENAI_API_KEY=secrets.token_urlsafe(40))
    place = 'url=${OPENAI_BASE_URL#http://}; url=${url%%/*}'
    shell = place + '; exec ./stream_client "${url%:*}" "${url##*:}" "$url" - "$@"'
    run = [setting.bailey, "run", "--apply", "never", "--model-provider", "openai", "--", "/bin/sh", "-c", shell, "sh"]
    return lambda words: finished([*run, *words], cwd=project, env=environment)


@contextlib.contextmanager
def behind_litellm(setting: Setting, client: str, port: int, root: pathlib.Path) -> Iterator[Client]:
    program = installed("LiteLLM", LITELLM, "litellm")
    if program is None:
        fail("LiteLLM cannot be installed")
    own, file = free_port(), setting.place / "litellm.yml"
    # It is told no root certificate of its own, so that the service goes by a name of this machine.
    file.write_text(LITELLM_CONFIGURATION.format(provider="localhost", port=port), encoding="utf-8")
    command = ["/usr/bin/env", f"SSL_CERT_FILE={root}", "LITELLM_LOCAL_MODEL_COST_MAP=True", program]
    with started([*command, "--config", str(file), "--host", "127.0.0.1", "--port", str(own)], own, tries=1200):
        yield lambda words: finished([client, "127.0.0.1", str(own), "localhost", "-", *words])


def measure(setting: Setting, rounds: int, files: int) -> None:
    libraries = ("-lssl", "-lcrypto")
    client = compiled(setting, "stream_client", *libraries)
    service = compiled(setting, "stream_origin", *libraries)
    root = certificates(setting.place, f"DNS:localhost,DNS:{PROVIDER}")
    port, leaf = free_port(), setting.place / "leaf"
    command = [service, str(port), f"{leaf}.pem", f"{leaf}.key", str(FRAMES), str(FRAME_MILLISECONDS)]
    with started(command, port), behind_litellm(setting, client, port, root) as other:
        peers = {"direct": direct(client, port, root), "bailey": behind_bailey(setting, client, port, root),
                 "LiteLLM": other}
        streams = interleaved(peers, ["streams", str(STREAMS)], STREAM_FIGURES, rounds)
        requests = interleaved(peers, ["requests", str(STREAMS), str(REQUESTS)], REQUEST_FIGURES, rounds)
    setting.print(f"{rounds} rounds; {STREAMS} clients at once, a frame every {FRAME_MILLISECONDS} ms; beside each "
                  "median, what it is more than without a gateway.")
    show(setting, f"{STREAMS} streams of {FRAMES} frames", streams, STREAM_FIGURES)
    show(setting, f"{STREAMS} clients, {REQUESTS} requests each", requests, REQUEST_FIGURES)


def interleaved(
    peers: dict[str, Client], words: list[str], figures: tuple[str, ...], rounds: int
) -> dict[str, Rows]:
    """Each contender once a round; the first is not counted."""
    rows: dict[str, Rows] = {figure: {name: [] for name in peers} for figure in figures}
    for round_number in range(rounds + 1):
        for name, ask in peers.items():
            for figure, word in zip(figures, ask(words), strict=True):
                if round_number > 0:
                    rows[figure][name].append(float(word))
    return rows


def show(setting: Setting, title: str, rows: dict[str, Rows], figures: tuple[str, ...]) -> None:
    lines = []
    for name in rows[figures[0]]:
        line = [name]
        for figure in figures:
            value, base = median(rows[figure][name]), median(rows[figure]["direct"])
            more = ("+" if value >= base else "-") + number(abs(value - base))
            added = f" ({more})" if name != "direct" and figure.endswith("us") else ""
            line.append(number(value) + added)
        lines.append(line)
    setting.lines([title, *figures], lines)
