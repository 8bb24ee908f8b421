"""What an agent does for somebody: it reads, edits, tests and commits. And where the key is not."""
import os

import search
from strangers.bed import Failure
from walled.place import Ended, Place
from walled.programs import TASK

DETAIL_CHARACTERS = 700


class Checks:
    """What held and what did not."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []

    def add(self, what: str, holds: bool, detail: object = "") -> None:
        if holds:
            self.passed += 1
        else:
            self.failed.append(f"not so: {what}: {str(detail)[-DETAIL_CHARACTERS:]}")


def work_by_name(place: Place, checks: Checks) -> None:
    """Under the provider's real name: the broker ends TLS and sets the key."""
    work(place, checks, [])


def work_by_base(place: Place, checks: Checks) -> None:
    """By the base URL of the gateway inside."""
    work(place, checks, ["--model-provider", place.agent.provider, *place.agent.base[0]], "base")
    hosts = {request["host"] for request in place.requests() if "dialect" in request}
    checks.add("the provider is reached under its name", hosts == {place.agent.host}, hosts)
    log = place.run([place.bailey, "egress", "log", "--json", "last"]).output
    checks.add("by the gateway", '"door":"gateway"' in log, log)


def again(place: Place, checks: Checks) -> None:
    """A second run continues the first one's conversation."""
    if not place.agent.resume:
        return
    place.play([place.agent.run("echo the first word"), {"text": "The first run is over."}])
    first = place.end(place.behind([], "Remember: the gate is painted green."))
    checks.add("the first run ends well", first.code == 0, first.output + first.errors)
    place.play([{"text": "unused"}, {"text": "The gate is green."}])
    second = place.end(place.behind([], "Which colour is the gate?", way="resume"))
    checks.add("the second run ends well", second.code == 0, second.output + second.errors)
    bodies = [place.body(request) for request in place.requests() if request.get("step", -1) >= 0]
    checks.add("it tells the model of the first", any("painted green" in body for body in bodies), bodies)
    checks.add("nothing of it lies in the home outside", not kept(place), kept(place))


def kept(place: Place) -> list[str]:
    """What is in the home outside beyond what was put there."""
    known = {".local", ".gitconfig"}
    return sorted(name for name in os.listdir(place.home) if name not in known)


def work(place: Place, checks: Checks, options: list[str], way: str = "call") -> None:
    place.play(place.agent.work(place.project))
    child = place.behind(options, TASK, way)
    place.held(child)
    placeholder = find_placeholder(place, child.pid)
    is_like = placeholder[:7] == place.key[:7] and len(placeholder) == len(place.key) and placeholder != place.key
    checks.add("inside is a placeholder, shaped like the key", is_like, placeholder)
    found = search.Search({"key": place.key, "placeholder": placeholder, "task": TASK})
    found.memory(child.pid)
    found.view(child.pid)
    place.go()
    ended = place.end(child)
    checks.add("the agent ends well", ended.code == 0, ended.output + ended.errors)
    check_requests(place, checks, placeholder)
    check_result(place, checks)
    check_absence(place, checks, found, ended)


def find_placeholder(place: Place, pid: int) -> str:
    """What stands for the key in the environment of the agent, read from outside."""
    lead = place.agent.variable.encode() + b"="
    for process in search.inside(pid):
        for line in search.read_small(process, "environ").split(b"\0"):
            if line.startswith(lead):
                return line[len(lead):].decode()
    raise Failure(f"no process inside has {place.agent.variable}")


def check_requests(place: Place, checks: Checks, placeholder: str) -> None:
    requests = place.requests()
    asked = [request for request in requests if "dialect" in request]
    checks.add("the model was asked", len(asked) > 1, requests)
    checks.add("each question carries the bound key, once", all(r["credential"] == "bound" for r in asked), asked)
    others = [request for request in requests if request["credential"] in ("other", "twice")]
    checks.add("no request carries another credential", not others, others)
    written = [request for request in requests
               if place.key in place.body(request) or placeholder in place.body(request) + request["path"]]
    checks.add("no request holds key or placeholder beside", not written, written)


def check_result(place: Place, checks: Checks) -> None:
    applied = place.run([place.bailey, "changes", "apply", "--yes", "last"])
    checks.add("the changes can be applied", applied.code == 0, applied.output + applied.errors)
    for what, command in (
        ("the edit is outside", "grep -q divmod money/split.py"),
        ("the tests pass outside", "python3 -m unittest"),
        ("the commit is outside", 'git log -1 --format=%s | grep -q "Lose no cent"'),
        ("it is one commit", "test $(git rev-list --count HEAD) = 2"),
        ("the repository is whole", "git fsck --strict && git diff --exit-code HEAD -- money"),
    ):
        ended = place.run(["/bin/bash", "-c", command])
        checks.add(what, ended.code == 0, ended.output + ended.errors)


def check_absence(
    place: Place, checks: Checks, found: search.Search, ended: Ended, visible: tuple[str, ...] = ("memory", "environ")
) -> None:
    """The key is nowhere; what is there to be found is, by the same search: the placeholder where it is visible."""
    for name in ("project", "state", "home", "config"):
        found.tree(place.path / name, name)
        found.names(place.path / name, f"names in {name}")
    found.look(ended.output.encode(), "the agent's output")
    found.look(ended.errors.encode(), "Bailey's lines")
    keys = [hit for hit in sorted(found.hits)
            if hit[0].startswith("key") and hit[2] != f"file {place.login_file}"]
    checks.add("the key is nowhere", not keys, keys)
    kinds = ("memory", "view", "project", "state")
    searched = {kind: found.searched.get(kind, {}).get("bytes", 0) for kind in kinds}
    checks.add("every place was searched", all(searched.values()) and searched["memory"] > 1 << 20, searched)
    places = {(needle, where.split()[0]) for needle, _, where in found.hits}
    for where in visible:
        checks.add(f"the placeholder is found in {where}", ("placeholder", where) in places, sorted(places))
    journals = [where for needle, _, where in found.hits if needle == "task" and "journal" in where]
    checks.add("the task is found in the journal", bool(journals), sorted(places))
