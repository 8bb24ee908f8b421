"""Tokens of subscriptions' logins: how an agent keeps them, and how the scripted provider renews them.

In the provider's DIRECTORY lies `login.json` with `form` (`claude` or `codex`), `refresh` (the refresh token that is
good) and `old` (tokens that were). Each renewal changes it and `key`, and is written down in `tokens.jsonl`: who asked,
whether they were known, and what they got.
"""
import base64
import json
import os
import pathlib
import random
import time

ACCOUNT = "account-of-the-test"
EMAIL = "somebody-of-the-test@example.test"
SECONDS = 3600
# What Codex asks for before it asks a model.
WORKSPACES = {
    "accounts": [{"id": ACCOUNT, "name": None, "plan_type": "plus", "structure": "personal",
                  "profile_picture_url": None, "workspace_backend_origin": "https://chatgpt.com",
                  "account_routing_override": "us"}],
    "account_ordering": [ACCOUNT], "default_account_id": ACCOUNT,
}


def words(kind: str, source: random.Random, seconds: int = SECONDS) -> dict[str, str]:
    """New tokens, in the form of the program's own."""
    def word(length: int) -> str:
        return "".join(source.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=length))

    if kind == "claude":
        return {"access": "sk-ant-" + "oat01-" + word(90), "refresh": "sk-ant-" + "ort01-" + word(90)}
    claims = {"exp": int(time.time()) + seconds,
              "https://api.openai.com/auth": {"chatgpt_account_id": ACCOUNT, "chatgpt_plan_type": "plus"}}
    access, identity = (".".join([part({"alg": "RS256"}), part(body), word(342)]) for body in (
        claims, {**claims, "email": EMAIL}))
    return {"access": access, "refresh": "rt_" + word(80), "identity": identity}


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def document(kind: str, tokens: dict[str, str], seconds: int) -> dict:
    """The file of a program, with members that nobody but it knows."""
    if kind == "claude":
        login = {"accessToken": tokens["access"], "refreshToken": tokens["refresh"],
                 "expiresAt": int((time.time() + seconds) * 1000), "scopes": ["user:inference", "user:profile"],
                 "subscriptionType": "max", "ofTheTest": [1, {"kept": None}]}
        return {"claudeAiOauth": login, "ofTheTest": {"kept": True}}
    login = {"id_token": tokens["identity"], "access_token": tokens["access"], "refresh_token": tokens["refresh"],
             "account_id": ACCOUNT, "of_the_test": 1}
    return {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": login, "last_refresh": "2026-01-01T00:00:00Z",
            "of_the_test": {"kept": True}}


def renew(place: pathlib.Path, host: str, asked: dict) -> dict | None:
    """The provider's answer; none for who shows another refresh token than the one that is good."""
    state = json.loads((place / "login.json").read_text())
    is_known = asked.get("refresh_token") == state["refresh"] and state.get("renews", True)
    tokens = words(state["form"], random.Random(os.urandom(8))) if is_known else {}
    with (place / "tokens.jsonl").open("a") as file:
        file.write(json.dumps({"host": host, "known": is_known, "asked": asked, "tokens": tokens}) + "\n")
    if not is_known:
        return None
    state["old"] = [*state.get("old", []), (place / "key").read_text().strip()]
    state["refresh"] = tokens["refresh"]
    (place / "login.json").write_text(json.dumps(state))
    (place / "key").write_text(tokens["access"])
    answer = {"access_token": tokens["access"], "refresh_token": tokens["refresh"], "expires_in": SECONDS,
              "token_type": "Bearer"}
    return answer | ({"id_token": tokens["identity"]} if "identity" in tokens else {})


def is_old(place: pathlib.Path, shown: str) -> bool:
    """True for a token that was good once."""
    state = place / "login.json"
    return state.exists() and shown in json.loads(state.read_text()).get("old", [])


def revoke(place: pathlib.Path) -> None:
    """The token of requests is good no more; the one that renews it is."""
    state = json.loads((place / "login.json").read_text())
    state["old"] = [*state.get("old", []), (place / "key").read_text().strip()]
    (place / "login.json").write_text(json.dumps(state))
    (place / "key").write_text("nobody has this one")
