"""An agent with the login of a subscription: it works, the login is renewed outside, and inside there is none."""
import json
import os
import stat

import logins
import search
from walled.place import Ended, Place
from walled.programs import TASK, TESTS
from walled.work import Checks, check_absence, check_result

# As many renewals as a service can provoke that refuses every token.
RENEWALS_MAX = 3
# Members of the file that a renewal changes.
RENEWED = {"accessToken", "refreshToken", "expiresAt", "access_token", "refresh_token", "id_token", "last_refresh"}


def login(place: Place, checks: Checks) -> None:
    """A task with a token that has run out, and a second run in whose middle the service does not accept it."""
    tokens = [place.log_in(-60)]
    before = json.loads(place.login_file.read_text())
    work = place.agent.work(place.project)
    place.play(work)
    perform(place, checks, "the task", tokens, TASK)
    check_result(place, checks)
    check_file(place, checks, before, tokens[-1])
    results = len(work) - 1
    middle = [{**place.agent.run("echo the service forgets"), "refuse": True},
              {**place.agent.run(TESTS), "hold": "search"}, {"text": "The gate is green."}]
    place.play([{"text": "unused"}] * results + middle)
    before = json.loads(place.login_file.read_text())
    perform(place, checks, "the second run", tokens, "Which colour is the gate?", "resume")
    bodies = [place.body(request) for request in place.requests() if request.get("step", -1) >= 0]
    checks.add("the second run continues the first", any(TASK in body for body in bodies), bodies[:1])
    check_file(place, checks, before, tokens[-1])


def perform(
    place: Place, checks: Checks, what: str, tokens: list[dict[str, str]], task: str, way: str = "call"
) -> None:
    """One run in which the login is renewed once; its new tokens are added to those that must be nowhere."""
    child = place.behind([], task, way)
    place.held(child)
    tokens += [renewal["tokens"] for renewal in place.renewals() if renewal["known"]]
    stand_in = find_stand_in(place, child.pid)
    placeholder = placeholder_of(place, stand_in)
    needles = {f"key {number} {name}": word for number, made in enumerate(tokens) for name, text in made.items()
               for word in {text, text.rpartition(".")[2]}}
    # Nobody asks who is logged in.
    needles["key e-mail"] = logins.EMAIL
    found = search.Search({**needles, "placeholder": placeholder, "task": task})
    found.memory(child.pid)
    found.view(child.pid)
    place.go()
    ended = place.end(child)
    checks.add(f"{what}: the agent ends well", ended.code == 0, ended.output + ended.errors)
    renewals = place.renewals()
    hosts = [renewal["host"] for renewal in renewals]
    is_known = [renewal["known"] for renewal in renewals] == [True]
    checks.add(f"{what}: the login is renewed once, by who knows it", is_known, renewals)
    checks.add(f"{what}: where the program does it", hosts == [renewal_host(place)], hosts)
    check_stand_in(place, checks, stand_in, tokens)
    check_requests(place, checks, placeholder)
    said = [line for line in ended.errors.splitlines() if "ALARM" in line or "ACCESS DENIED" in line]
    checks.add(f"{what}: nothing is refused, and nothing raises an alarm", not said, said)
    check_absence(place, checks, found, ended, visible=("memory", "file"))


def renewal_host(place: Place) -> str:
    return "auth.openai.com" if place.agent.name == "codex" else "platform.claude.com"


def find_stand_in(place: Place, pid: int) -> dict:
    """The file of the login as the agent sees it, read from outside."""
    for process in search.inside(pid):
        path = f"/proc/{process}/root{place.login_file}"
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
    return {}


def placeholder_of(place: Place, stand_in: dict) -> str:
    if place.agent.name == "codex":
        return stand_in.get("tokens", {}).get("access_token", "")
    return stand_in.get("claudeAiOauth", {}).get("accessToken", "")


def check_stand_in(place: Place, checks: Checks, stand_in: dict, tokens: list[dict[str, str]]) -> None:
    outside = json.loads(place.login_file.read_text())
    inner = "tokens" if place.agent.name == "codex" else "claudeAiOauth"
    is_like = set(stand_in.get(inner, {})) <= set(outside[inner]) and "BAILEY" in json.dumps(stand_in)
    checks.add("inside lies a file of the same form", is_like, stand_in)
    checks.add("without what nobody inside reads", "est" not in "".join(stand_in), stand_in)
    secret = {text for made in tokens for text in made.values()}
    checks.add("and with no token", not [text for text in secret if text in json.dumps(stand_in)], stand_in)


def check_requests(place: Place, checks: Checks, placeholder: str) -> None:
    asked = [request for request in place.requests() if "dialect" in request]
    checks.add("the model was asked where a login leads", {r["host"] for r in asked} == {place.login_host}, asked)
    checks.add("each question carries the login as it was then", all(
        request["credential"] in ("bound", "old") for request in asked), asked)
    others = [request for request in place.requests() if request["credential"] in ("other", "twice")]
    checks.add("no request carries another credential", not others, others)
    written = [request for request in place.requests() if placeholder in place.body(request) + request["path"]]
    checks.add("no request holds the placeholder beside", not written, written)


def check_file(place: Place, checks: Checks, before: dict, tokens: dict[str, str]) -> None:
    """The user's own file after a renewal."""
    after = json.loads(place.login_file.read_text())
    text = json.dumps(after)
    checks.add("the file outside has the new tokens", all(word in text for word in tokens.values()), list(tokens))
    checks.add("and everything else as it was", without(after) == without(before) and list(after) == list(before), [
        without(before), without(after)])
    status = place.login_file.stat()
    checks.add("its mode and owner are as they were", (stat.S_IMODE(status.st_mode), status.st_uid) == (
        0o600, place.account.uid), status)
    names = os.listdir(place.login_file.parent)
    checks.add("nothing lies beside it", names == [place.login_file.name], names)


def without(value: object) -> object:
    """A document without what a renewal changes."""
    if not isinstance(value, dict):
        return value
    return {name: without(inner) for name, inner in value.items() if name not in RENEWED}


def refused(place: Place, checks: Checks) -> None:
    """A service that accepts no token, however new; and then a provider that renews none."""
    tokens = [place.log_in(3600)]
    place.play([{"text": "unused"}], refuses=True)
    ended = greet(place, checks)
    renewals = place.renewals()
    is_few = 1 <= len(renewals) <= RENEWALS_MAX and all(renewal["known"] for renewal in renewals)
    checks.add("Bailey alone renews, and not for ever", is_few, renewals)
    tokens += [renewal["tokens"] for renewal in renewals]
    checks.add("the file holds the last token", tokens[-1]["refresh"] in place.login_file.read_text())
    check_line(place, checks, ended, "login-outside", renewal_host(place))
    check_words(checks, ended, tokens)
    tokens = [place.log_in(-60)]
    place.forget_login()
    before = place.login_file.read_bytes()
    place.play([{"text": "unused"}])
    ended = greet(place, checks)
    checks.add("the provider is asked once", len(place.renewals()) == 1, place.renewals())
    checks.add("the file is as it was", place.login_file.read_bytes() == before)
    checks.add("the agent says how to log in", "Log in again outside" in ended.output + ended.errors, ended.output)
    check_line(place, checks, ended, "login-over", place.login_host)
    check_words(checks, ended, tokens)


def greet(place: Place, checks: Checks) -> Ended:
    ended = place.run([place.bailey, "run", "--timeout", "90s", "--", *place.agent.command("Say hello.")])
    checks.add("the agent comes to an end by itself", ended.code == 1, f"{ended.code} {ended.output} {ended.errors}")
    return ended


def check_line(place: Place, checks: Checks, ended: Ended, rule: str, host: str) -> None:
    said = [line for line in ended.errors.splitlines() if "ACCESS DENIED" in line or "ALARM" in line]
    is_clear = len(said) == 1 and rule in said[0] and host in said[0] and "again" in said[0]
    checks.add(f"one line says so ({rule})", is_clear, said)


def check_words(checks: Checks, ended: Ended, tokens: list[dict[str, str]]) -> None:
    said = [text for made in tokens for text in made.values() if text in ended.output + ended.errors]
    checks.add("no token is said", not said, ended.output + ended.errors)
