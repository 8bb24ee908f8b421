"""inject: a key set in each request and looked for in each answer, beside mitmproxy that only sets it."""
import contextlib
import pathlib
from collections.abc import Iterator

from benchmarks.common import Setting
from benchmarks.egress import Contender
from benchmarks.terminate import measured, ours, theirs

HELP = "the same with a key set on the way and answers searched for it: bailey with and without, mitmproxy"
ROUNDS = 5
# mitmproxy's own spelling of "in every request, this field".
FIELD = "modify_headers=/~q/x-api-key/none"


@contextlib.contextmanager
def contenders(setting: Setting, origin: int, root: pathlib.Path) -> Iterator[dict[str, Contender]]:
    with contextlib.ExitStack() as stack:
        made = {"direct": Contender(0, 0, f"localhost:{origin}", root),
                "bailey, no key": ours(setting, stack, origin, root),
                "bailey": ours(setting, stack, origin, root, "inject")}
        other = theirs(setting, stack, origin, root, FIELD)
        yield made | ({"mitmproxy": other} if other else {})


def measure(setting: Setting, rounds: int, files: int) -> None:
    measured(setting, rounds, contenders)
