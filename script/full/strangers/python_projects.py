"""Test suites of Python projects, from their source archives, in an environment inside the project as a user has it."""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

from strangers.bed import Bed, Failure
from strangers.tests import from_junit, with_report

PYTHON = "/usr/bin/python3"
UV_VERSION = "0.13.9"
PYTEST = "pytest==9.2.0"
ENVIRONMENT_BIN = ".venv/bin/"


@dataclasses.dataclass(frozen=True)
class PythonProject:
    """One source archive and how its tests are run."""
    name: str
    version: str
    what: str
    # What the environment holds beside pytest.
    packages: tuple[str, ...]
    # Words after `pytest`.
    arguments: tuple[str, ...]
    # A command before the tests, on the same side of the wall: a compilation.
    build: tuple[str, ...] = ()
    # Whether the project itself is installed, with links from the environment to its files.
    is_installed: bool = True
    needs: tuple[tuple[str, str], ...] = (("gcc", "gcc"),)
    # Tests whose result inside differs by a rule of the product, each with the rule.
    inherent: dict[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 300
    apply: str = "never"
    results = staticmethod(from_junit)

    @property
    def command(self) -> list[str]:
        tests = [ENVIRONMENT_BIN + "python", "-m", "pytest", "-q", "-p", "no:randomly", *self.arguments]
        words = with_report(tests)
        return ["sh", "-c", " ".join(self.build) + ' && exec "$@"', "sh", *words] if self.build else words

    def prepare(self, bed: Bed, cache: pathlib.Path) -> None:
        unpack(source_archive(self.name, self.version, cache), bed)
        uv = str(tools(cache, bed) / "uv")
        setting = {"UV_CACHE_DIR": str(bed.cache / "uv"), "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
        bed.must([uv, "venv", "-q", "--python", PYTHON, ".venv"], **setting)
        install = [uv, "pip", "install", "-q", "--system-certs", "--python", ".venv"]
        bed.must([*install, PYTEST, *self.packages], **setting)
        if self.build and not self.is_installed and (bed.project / "src").is_dir():
            # As an editable installation would, without one.
            site = next((bed.project / ".venv" / "lib").glob("python*/site-packages"))
            bed.must(["sh", "-c", f'echo "$PWD/src" >"{site}/project.pth"'])
        if self.is_installed:
            bed.must([*install, "--no-deps", "-e", "."], **setting)


def source_archive(name: str, version: str, cache: pathlib.Path) -> pathlib.Path:
    """The archive as the registry's client brings it; it is asked once."""
    place = cache / "archives"
    found = [
        path for ending in (".tar.gz", ".zip") for path in place.glob(f"*{ending}")
        if path.name.lower().replace("_", "-") == f"{name}-{version}{ending}".lower().replace("_", "-")
    ]
    if found:
        return found[0]
    place.mkdir(parents=True, exist_ok=True)
    pip = own_tools(cache) / "pip"
    run([
        str(pip), "download", "-q", "--no-deps", "--no-binary", name, "-d", str(place), f"{name}=={version}",
    ])
    return source_archive(name, version, cache)


def own_tools(cache: pathlib.Path) -> pathlib.Path:
    """The programs of an environment that this group keeps for itself."""
    place = cache / "tools"
    if not (place / "bin" / "uv").exists():
        run([PYTHON, "-m", "venv", "--clear", str(place)])
        run([str(place / "bin" / "pip"), "install", "-q", f"uv=={UV_VERSION}"])
    return place / "bin"


def tools(cache: pathlib.Path, bed: Bed) -> pathlib.Path:
    """`uv` where the bed's account can reach it."""
    if not (bed.bin / "uv").exists():
        shutil.copy(own_tools(cache) / "uv", bed.bin / "uv")
    return bed.bin


def unpack(archive: pathlib.Path, bed: Bed) -> None:
    """Unpacks into the project without the archive's outermost directory."""
    run(["tar", "-xf", str(archive), "--strip-components=1", "--no-same-owner", "-C", str(bed.project)])
    bed.own(bed.project)


def run(words: list[str]) -> None:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(words)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")


PROJECTS = [
    PythonProject(
        "attrs", "26.1.0", "pure Python, property tests",
        packages=("hypothesis==6.150.2", "cloudpickle==3.1.2"), arguments=("tests",),
    ),
    PythonProject(
        "msgpack", "1.2.4", "C extension, compiled on either side",
        packages=("setuptools==80.9.0", "cython==3.2.4"), arguments=("test",), is_installed=False,
        build=(ENVIRONMENT_BIN + "python", "setup.py", "-q", "build_ext", "--inplace"),
    ),
    PythonProject(
        "markupsafe", "3.0.4", "C extension", packages=("setuptools==80.9.0",), arguments=("tests",),
        is_installed=False, build=(ENVIRONMENT_BIN + "python", "setup.py", "-q", "build_ext", "--inplace"),
    ),
    PythonProject(
        "pexpect", "4.9.0", "subprocesses and terminals",
        packages=("ptyprocess==0.7.0",),
        arguments=tuple(f"tests/test_{name}.py" for name in (
            "replwrap", "run", "popen_spawn", "socket", "isalive", "unicode", "ctrl_chars", "which", "log",
        )),
    ),
    PythonProject("sh", "2.4.0", "many subprocesses", packages=("psutil",), arguments=("tests/sh_test.py",)),
    PythonProject(
        "waitress", "3.0.2", "threads, servers on loopback and on local sockets", packages=(),
        arguments=("-o", "addopts=", "tests"),
    ),
    PythonProject(
        "trio", "0.35.0", "threads, sockets, subprocesses",
        packages=("attrs==26.1.0", "sortedcontainers", "idna", "outcome", "sniffio", "trustme", "astor", "pyopenssl"),
        arguments=("src/trio/_core/_tests", "src/trio/_tests", "--ignore=src/trio/_tests/tools",
                   "--ignore=src/trio/_tests/test_exports.py"),
    ),
    PythonProject(
        "pytest", "9.2.0", "temporary files, subprocesses",
        packages=("attrs", "hypothesis", "xmlschema", "pexpect", "requests", "mock", "pygments"),
        arguments=("testing/test_tmpdir.py", "testing/test_pathlib.py", "testing/test_capture.py",
                   "testing/test_cacheprovider.py", "testing/test_conftest.py"),
    ),
    PythonProject(
        "sympy", "1.14.0", "a large repository",
        packages=("mpmath==1.3.0", "hypothesis==6.150.2"),
        arguments=("sympy/core/tests/test_basic.py", "sympy/utilities", "sympy/sets"),
    ),
]
