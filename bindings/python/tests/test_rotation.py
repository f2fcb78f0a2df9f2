"""A secret is replaced as an administrator does it, in every dialect, and no visitor is logged out.

Two servers share the secrets and are restarted one after the other: first both learn the new secret, then it
writes, then the old one is dropped. Each restart is a process of its own; a visitor comes to one server, then
to the other, with the cookie that the last one gave.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tuile import _native
from tuile.signing import BadSignature, Tokens, generate_key

PURPOSES = "app\nMicrosoft.AspNetCore.Authentication.Cookies.CookieAuthenticationMiddleware\nCookies\nv2"


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def secret_of(dialect: str) -> str:
    """One in the form that the framework has."""
    if dialect == "fernet":
        return base64.urlsafe_b64encode(os.urandom(32)).decode()
    if dialect.startswith("laravel"):
        return "base64:" + base64.b64encode(os.urandom(32)).decode()
    if dialect == "data-protection":
        return f"{uuid.uuid4()}:{base64.b64encode(os.urandom(64)).decode()}"
    return generate_key() + generate_key() if dialect == "rack" else generate_key()


def of(dialect: str, **options: Any) -> dict[str, Any]:
    salt = {"data-protection": PURPOSES, "jwt": "", "flask": "", "starlette": ""}.get(dialect, "salt")
    return {"dialect": dialect, "options": {"salt": salt, "name": "session", **options},
            "old": secret_of(dialect), "new": secret_of(dialect)}  # fmt: skip


CASES = {dialect: of(dialect) for dialect in _native.DIALECT}
for case, dialect, options in (
    ("rails-encrypted, ends", "rails-encrypted", {"lifetime": 3600}), ("iron-session, ends", "iron-session", {"lifetime": 3600}),
    ("rack, version 1", "rack", {"legacy": True}), ("itsdangerous, hmac", "itsdangerous", {"derivation": "hmac", "digest": "sha512"}),
    ("django, no time", "django", {"timed": False}), ("sealed, ends", "sealed", {"lifetime": 3600}),
):  # fmt: skip
    CASES[case] = of(dialect, **options)
if "jwt" in CASES:
    CASES["jwt, to ES256"] = {**of("jwt"), "new": pem()}
    CASES["jwt, from ES256"] = {**of("jwt"), "old": pem()}
if "auth-js" in CASES:
    CASES["auth-js, version 4"] = of("auth-js", legacy=True)

#: What a server's process does with the visitors who come to it: line by line, in and out.
SERVER = """
import json, sys
from tuile.signing import BadSignature, Tokens
for line in sys.stdin:
    case = json.loads(line)
    key, *older = case["keys"]
    tokens = Tokens(case["dialect"], key=key, fallback_keys=older, **case["options"])
    text = case["dialect"] == "django-cookie"
    answers = []
    for visitor, token in enumerate(case["tokens"]):
        try:
            opened = None if token is None else (tokens.open if text else tokens.open_json)(token)
        except BadSignature:
            answers.append([None, None])
            continue
        name = json.dumps({"visitor": visitor})
        if opened:
            seen = opened.value if text else json.dumps({"visitor": opened.value["visitor"]})
            assert seen == name, (seen, name)
        if case["renews"] or opened is None:
            token = tokens.sign(name) if text else tokens.dumps({"visitor": visitor})
        answers.append([token, opened.key if opened else 0])
    tokens.close()
    print(json.dumps(answers))
"""


def serve(step: str, tokens: dict[str, Any], renews: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Starts a server at a step of the rotation: the cookies of its visitors, and the secret that each came with."""
    lines = []
    for name, case in CASES.items():
        keys = [case[secret] for secret in step.split()]
        asked = {"dialect": case["dialect"], "options": case["options"], "keys": keys, "tokens": tokens[name], "renews": renews}
        lines.append(json.dumps(asked))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    ended = subprocess.run(
        [sys.executable, "-c", SERVER], input="\n".join(lines), capture_output=True, text=True, env=environment, check=False
    )
    assert ended.returncode == 0, ended.stderr
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(answers) == len(CASES)
    return (
        {name: [token for token, _ in answer] for name, answer in zip(CASES, answers)},
        {name: [key for _, key in answer] for name, answer in zip(CASES, answers)},
    )


VISITORS = 3
STEPS = ["old", "old new", "new old", "new"]


def test_nobody_is_logged_out() -> None:
    cookies, _ = serve("old", {name: [None] * VISITORS for name in CASES})
    for one, other in zip(STEPS, STEPS[1:]):
        # The first server was restarted, the second one not yet; and back and forth.
        for step in (other, one, other, one):
            cookies, keys = serve(step, cookies)
            for name in CASES:
                assert all(cookies[name]), f"{name}: logged out at {step!r} beside {one!r} and {other!r}"
        # Then the second one too.
        cookies, keys = serve(other, cookies)
        assert all(all(cookies[name]) for name in CASES)
    cookies, keys = serve("new", cookies)
    assert all(key == 0 for name in CASES for key in keys[name])


def test_a_cookie_that_is_not_renewed_lasts_until_its_secret_goes() -> None:
    cookies, _ = serve("old", {name: [None] * VISITORS for name in CASES})
    for step, number in (("old", 0), ("old new", 0), ("new old", 1)):
        _, keys = serve(step, cookies, renews=False)
        assert all(key == number for name in CASES for key in keys[name]), step
    gone, _ = serve("new", cookies, renews=False)
    # The control: without the old secret there is no way to read it.
    assert all(token is None for name in CASES for token in gone[name])


def test_a_server_that_writes_too_early_logs_out() -> None:
    """The other control: a new secret that writes before all servers know it."""
    cookies, _ = serve("new old", {name: [None] * VISITORS for name in CASES})
    gone, _ = serve("old", cookies)
    assert all(token is None for name in CASES for token in gone[name])


@pytest.mark.parametrize("name", CASES)
def test_many_secrets(name: str) -> None:
    """As many as a ring holds: a token of each is read, and the number of its secret is told."""
    case = CASES[name]
    many = [secret_of(case["dialect"]) for _ in range(65)]
    text = case["dialect"] == "django-cookie"
    made = []
    for key in many:
        tokens = Tokens(case["dialect"], key=key, **case["options"])
        made.append(tokens.sign("v") if text else tokens.dumps({"a": 1}))
        tokens.close()
    tokens = Tokens(case["dialect"], key=many[0], fallback_keys=many[1:], **case["options"])
    assert [(tokens.open if text else tokens.open_json)(token).key for token in made] == list(range(65))
    tokens.close()
    with pytest.raises(BadSignature):
        fewer = Tokens(case["dialect"], key=many[0], fallback_keys=many[1:64], **case["options"])
        (fewer.open if text else fewer.open_json)(made[64])
