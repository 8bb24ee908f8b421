"""Projects that are compiled and run, one for each kind of tool chain; what no registry brings is written here."""
import dataclasses
import os
import pathlib
import shutil
import subprocess
from typing import Callable

from strangers import repository
from strangers.bed import Bed, Failure
from strangers.python_projects import run, unpack
from strangers.tests import from_cargo, from_lines, from_tap

ROOT = pathlib.Path(__file__).resolve().parents[3]
SECONDS_MAX = 420


@dataclasses.dataclass(frozen=True)
class BuiltProject:
    """A project, the command that builds and tests it, and what of its tree may differ between any two builds."""
    name: str
    what: str
    prepare: Callable[[Bed, pathlib.Path], None]
    command: list[str]
    results: Callable[[str], dict[str, str]] = from_lines
    # Patterns of names whose content holds times, process numbers or inodes, so that two builds outside differ there.
    volatile: tuple[str, ...] = ()
    # Programs that must be in a directory of the system, each with the Debian package that brings it.
    needs: tuple[tuple[str, str], ...] = ()
    apply: str = "auto"
    seconds: float = SECONDS_MAX
    inherent: dict[str, str] = dataclasses.field(default_factory=dict)


def prepare_hello(bed: Bed, cache: pathlib.Path) -> None:
    """GNU hello from the distribution's source archive, through the distribution's own client."""
    place = cache / "sources"
    if not list(place.glob("hello_*.orig.tar.gz")):
        fetch_source("hello", place)
    unpack(next(place.glob("hello_*.orig.tar.gz")), bed)


def fetch_source(name: str, place: pathlib.Path) -> None:
    """Asks the configured archives for a source package, with lists of its own: the system's stay as they are."""
    parts, lists = place / "parts", place / "lists"
    for directory in (parts, lists / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    etc = pathlib.Path("/etc/apt")
    for source in [*etc.glob("sources.list.d/*.sources")]:
        text = source.read_text(encoding="utf-8").replace("Types: deb\n", "Types: deb-src\n")
        (parts / source.name).write_text(text, encoding="utf-8")
    for source in [etc / "sources.list", *etc.glob("sources.list.d/*.list")]:
        if source.exists():
            lines = [line.replace("deb ", "deb-src ", 1) for line in source.read_text(encoding="utf-8").splitlines()
                     if line.startswith("deb ")]
            (parts / f"{source.stem}.list").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = ["-qq", "-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={parts}",
               "-o", f"Dir::State::Lists={lists}"]
    run(["apt-get", *options, "update"])
    done = subprocess.run(["apt-get", *options, "--download-only", "source", name], cwd=place, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"apt-get source {name} ended with {done.returncode}:\n{done.stderr[-2000:]}")


def prepare_swift(bed: Bed, cache: pathlib.Path) -> None:
    """A package with this repository's own dependency Yams as a directory beside its sources."""
    del cache
    copy_sample("swift", bed)
    checkout = ROOT / ".build" / "checkouts" / "Yams"
    if not checkout.exists():
        run(["swift", "package", "--package-path", str(ROOT), "resolve"])
    shutil.copytree(checkout, bed.project / "Vendor" / "Yams", ignore=shutil.ignore_patterns(".git*"))
    bed.own(bed.project)


def sample(name: str) -> Callable[[Bed, pathlib.Path], None]:
    """A project that is written in this repository, and also used by its shorter tests."""
    return lambda bed, cache: copy_sample(name, bed)


def copy_sample(name: str, bed: Bed) -> None:
    shutil.copytree(ROOT / "Tests" / "ProjectTests" / "Projects" / name, bed.project, dirs_exist_ok=True)
    bed.own(bed.project)


def swift_directory() -> str:
    program = shutil.which("swift")
    return os.path.dirname(os.path.realpath(program)) if program else "/usr/bin"


PROJECTS = [
    BuiltProject(
        "hello", "C with configure and make", prepare_hello,
        ["sh", "-c", "./configure --quiet && make -s && make check && ./hello --greeting='PASS: it greets'"],
        volatile=(r"config\.log", r".*\.trs"), needs=(("gcc", "gcc"), ("make", "make")),
    ),
    BuiltProject(
        "swift", "Swift package, vendored dependency", prepare_swift,
        # An index of the sources holds what several compilers at once happened to look at first.
        ["sh", "-c", f"PATH={swift_directory()}:$PATH; "
         "swift build --disable-sandbox --disable-index-store -q && .build/debug/tool"],
        volatile=(r"\.build/.*",),
    ),
    BuiltProject(
        "cargo", "Rust workspace without dependencies", sample("cargo"),
        ["env", "CARGO_INCREMENTAL=0", "cargo", "test", "--offline", "--workspace"], results=from_cargo,
        volatile=(r"target/.*",),
        needs=(("cargo", "cargo"),),
    ),
    BuiltProject(
        "node", "Node without a registry", sample("node"),
        ["node", "--test", "--test-reporter=tap", "test/"], results=from_tap, needs=(("node", "nodejs"),),
    ),
    BuiltProject(
        "java", "Java compiled, packed and run", sample("java"),
        ["sh", "-c", "mkdir out && javac -d out $(find src -name '*.java') && "
         "jar --create --file out/suite.jar --main-class yard.Suite --date=2020-01-01T00:00:00Z -C out yard && "
         "java -jar out/suite.jar"],
        needs=(("javac", "openjdk-17-jdk-headless"),),
    ),
    BuiltProject(
        "git", "a repository of 20,000 files", repository.prepare, ["sh", "tools/work.sh"],
        volatile=(r"\.git/(.*/)?index", r"\.git/(.*/)?logs/.*"), needs=(("git", "git"),),
        inherent={"rename-directory": "an overlay answers EXDEV, which mv copes with and git does not"},
    ),
]
