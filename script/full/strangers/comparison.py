"""One project on both sides of the wall, and what is not equal."""
import dataclasses
import pathlib
import re
from typing import Callable

from strangers.bed import Bed, Failure, difference, picture
from strangers.tests import counts

REMARKS_MAX = 40
# What the tools themselves name by chance, by time or by their process, on every run anew.
CHANCE_NAMES = [
    (re.compile(r"\.hypothesis/.*"), ".hypothesis/"),
    (re.compile(r"(\.pyc|-pytest-[\d.]+\.pyc)\.\d+$"), r"\1"),
]
KIND_ORDER = ("created", "changed", "deleted")


@dataclasses.dataclass
class Verdict:
    outside: str
    behind: str
    changes: str
    seconds: tuple[float, float]
    remarks: list[str]

    @property
    def is_equal(self) -> bool:
        return not self.remarks

    def line(self, name: str, account: str) -> str:
        seconds = f"{self.seconds[0]:.1f} / {self.seconds[1]:.1f}"
        return (
            f"{name:<12}{account:<8}{self.outside:>14}{self.behind:>14}  {self.changes:<38}{seconds:>14}  "
            f"{'equal' if self.is_equal else 'DIFFERENT'}"
        )


def plain_names(changes: dict[str, str]) -> set[tuple[str, str]]:
    plain = set()
    for name, kind in changes.items():
        for pattern, replacement in CHANCE_NAMES:
            name = pattern.sub(replacement, name)
        plain.add((name, kind))
    return plain


def compare(project, bed: Bed, cache: pathlib.Path) -> Verdict:
    """Runs the project's command outside, then behind, each on a fresh copy at the same path."""
    bed.fresh_project()
    project.prepare(bed, cache)
    base = picture(bed.project)
    outside = bed.run(project.command, project.seconds)
    after_outside = picture(bed.project)

    bed.fresh_project()
    project.prepare(bed, cache)
    start = picture(bed.project)
    behind = bed.behind(project.command, project.seconds, ("--apply", project.apply))
    after_behind = picture(bed.project)

    remarks: list[str] = []
    if base.keys() != start.keys():
        remarks.append(f"the two preparations differ: {sorted(base.keys() ^ start.keys())[:5]}")
    if outside.code != behind.code:
        remarks.append(f"exit code {outside.code} outside, {behind.code} behind")
    results = [project.results(outside.output), project.results(behind.output)]
    if "passed" not in results[0].values():
        raise Failure(f"no test passed outside, code {outside.code}:\n{outside.tail()}")
    if not results[1]:
        raise Failure(f"the tests gave no report behind, code {behind.code}:\n{behind.tail()}")
    remarks += result_remarks(results[0], results[1], project.inherent)
    set_of_changes = {
        change["path"]: change["kind"] for change in (bed.change_set()["changes"] if project.apply == "never" else [])
    }
    expected = difference(base, after_outside)
    if project.apply == "never":
        remarks += [f"changed in spite of --apply never: {name}" for name in difference(start, after_behind)]
        remarks += change_remarks(expected, set_of_changes)
        changes = summary(set_of_changes)
    else:
        if behind.answer["changes"]["state"] != "applied":
            remarks.append(f"the change set was {behind.answer['changes']['state']}, not applied")
        remarks += change_remarks(expected, difference(start, after_behind))
        remarks += tree_remarks(after_outside, after_behind, project.volatile)
        changes = summary(difference(start, after_behind))
    return Verdict(
        counts(results[0]), counts(results[1]), changes, (outside.seconds, behind.seconds),
        remarks[:REMARKS_MAX],
    )


def result_remarks(outside: dict[str, str], behind: dict[str, str], inherent: dict[str, str]) -> list[str]:
    remarks = []
    for name in sorted(outside.keys() | behind.keys()):
        pair = (outside.get(name, "absent"), behind.get(name, "absent"))
        if pair[0] != pair[1] and name not in inherent:
            remarks.append(f"{name}: {pair[0]} outside, {pair[1]} behind")
    # An exception that is no longer one is wrong as well.
    remarks += [f"{name} is listed as different and is not" for name in inherent
                if name in outside and outside[name] == behind.get(name)]
    return remarks


def change_remarks(outside: dict[str, str], behind: dict[str, str]) -> list[str]:
    left, right = plain_names(outside), plain_names(behind)
    return [f"only outside: {kind} {name}" for name, kind in sorted(left - right)] + [
        f"only behind: {kind} {name}" for name, kind in sorted(right - left)
    ]


def tree_remarks(outside: dict[str, tuple], behind: dict[str, tuple], volatile: tuple[str, ...]) -> list[str]:
    """Paths that are in both trees and not the same, byte for byte; of volatile ones only kind and mode count."""
    remarks = []
    for name in sorted(outside.keys() & behind.keys()):
        left, right = outside[name], behind[name]
        is_volatile = any(re.fullmatch(pattern, name) for pattern in volatile)
        if left[:2] != right[:2] or (left != right and not is_volatile):
            remarks.append(f"{name}: {left} outside, {right} behind")
    return remarks


def summary(changes: dict[str, str]) -> str:
    parts = [f"{list(changes.values()).count(kind)} {kind}" for kind in KIND_ORDER if kind in changes.values()]
    return ", ".join(parts) or "none"
