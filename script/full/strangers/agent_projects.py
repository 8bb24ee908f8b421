"""The native programs of coding agents, as their packages bring them: they start and tell their version."""
import dataclasses
import pathlib
import re

from strangers.bed import Bed
from strangers.python_projects import PYTHON, tools

VERSION = re.compile(r"^(?:[a-z-]+ )?(\d+\.\d+\.\d+\S*).*$", re.MULTILINE)


def from_version(output: str) -> dict[str, str]:
    """One result: the program's own version line."""
    found = VERSION.search(output)
    return {f"version {found.group(1)}": "passed"} if found else {}


@dataclasses.dataclass(frozen=True)
class AgentProject:
    """A package in an environment of the project, and the path of its program there."""
    name: str
    what: str
    package: str
    program: str
    apply: str = "never"
    seconds: float = 120
    needs: tuple[tuple[str, str], ...] = ()
    inherent: dict[str, str] = dataclasses.field(default_factory=dict)
    results = staticmethod(from_version)

    @property
    def command(self) -> list[str]:
        return ["sh", "-c", f'exec "$(find .venv/lib -path "*/{self.program}" -type f | head -n 1)" --version']

    def prepare(self, bed: Bed, cache: pathlib.Path) -> None:
        uv = str(tools(cache, bed) / "uv")
        setting = {"UV_CACHE_DIR": str(bed.cache / "uv"), "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
        bed.must([uv, "venv", "-q", "--python", PYTHON, ".venv"], **setting)
        bed.must([uv, "pip", "install", "-q", "--system-certs", "--no-deps", "--python", ".venv", self.package],
                 seconds=600, **setting)


PROJECTS = [
    AgentProject(
        "claude", "native Claude Code", "claude-agent-sdk==0.2.186", "claude_agent_sdk/_bundled/claude",
    ),
    AgentProject("codex", "native Codex", "openai-codex-cli-bin==0.163.0", "bin/codex"),
]
