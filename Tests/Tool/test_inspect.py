"""inspect: the dialect of each framework's stored tokens is told, with the secret for sure."""

from __future__ import annotations

from typing import Any

import pytest
from command import NO, OLDER, SECRET, answers, says, vectors

CASES: list[tuple[str, str, Any, list[str]]] = []
for case in vectors("django_signing"):
    if case["kind"] in ("Signer", "TimestampSigner") and case["value"]:
        plain = ["--no-time"] if case["kind"] == "Signer" else []
        CASES.append(("django", case["token"], case["value"], ["--salt", case["salt"], *plain]))
    if case["kind"] == "dumps":
        CASES.append(("django", case["token"], case["payload"], []))
for case in vectors("django_sessions"):
    CASES.append(("django", case.get("token") or case["session_data"], case["payload"], []))
for file in ("flask", "starlette"):
    CASES += [(file, case["token"], case["payload"], []) for case in vectors(file)]
for case in vectors("itsdangerous"):
    if case["kind"] in ("URLSafeSerializer", "URLSafeTimedSerializer"):
        CASES.append(("itsdangerous", case["token"], case["payload"], ["--salt", case["salt"]]))
for case in vectors("rails"):
    kind = "rails-encrypted" if "encrypted" in case["kind"] else "rails-signed"
    name = case["purpose"].removeprefix("cookie.")
    CASES.append((kind, case["cookie_value"], case["payload"], ["--name", name]))
for case in vectors("gorilla"):
    if not case["block_key_sha256_of_hash_key"]:
        CASES.append(("gorilla", case["cookie_value"], case["payload"], ["--name", case["cookie"]]))
for case in vectors("node"):
    if case["kind"] == "cookie-signature" and case["value"]:
        CASES.append(("cookie-signature", case["token"], case["value"], []))
    if case["kind"].startswith("express") and case["value"]:
        CASES.append(("express", case["cookie_value"], case["value"], []))


@pytest.mark.parametrize("dialect, token, value, options", CASES, ids=[f"{c[0]} {i}" for i, c in enumerate(CASES)])
def test_dialect(dialect: str, token: str, value: Any, options: list[str]) -> None:
    found = answers("inspect", *options, "-", text=token)
    assert found["genuine"] is True and found["dialect"] == dialect, found
    if dialect != "gorilla" or "nested" not in value:  # whose maker rounded its numbers, see docs/formats.md
        assert found["value"] == value
    other = answers("inspect", *options, "-", text=token, secret=OLDER, code=NO)
    assert other["genuine"] is False and "value" not in other
    shape = answers("inspect", "-", text=token, secret=None)
    assert "genuine" not in shape and shape["parts"] == found["parts"] and len(shape["parts"]) >= 1


@pytest.mark.parametrize("dialect", ["sealed", "signed", "iron-session", "rack", "cookie-rs-private", "cookie-rs-signed", "tornado",
                                     "hono", "jwt"])  # fmt: skip
def test_dialects_without_vectors(dialect: str) -> None:
    command = "dumps" if dialect in ("iron-session", "rack", "jwt") else "sign"
    secret = SECRET * 2  # some of them want 64 bytes
    token = says(command, "--dialect", dialect, "--name", "n", '{"a":1}', secret=secret)
    found = answers("inspect", "--name", "n", token, secret=secret)
    assert (found["genuine"], found["dialect"]) == (True, dialect), found
    assert answers("inspect", "--name", "n", token, secret=OLDER * 2, code=NO)["genuine"] is False


def test_fernet() -> None:
    key, older = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "IIBs4T7CIiHSdsBMzxxVyFRnWEvBLPhGdGXGtYiPe1A="
    token = says("sign", "--dialect", "fernet", "--", "text", secret=key)
    found = answers("inspect", token, secret=key)
    assert (found["genuine"], found["dialect"], found["value"]) == (True, "fernet", "text"), found
    assert answers("inspect", token, secret=older, code=NO)["genuine"] is False


@pytest.mark.parametrize(
    "dialect, options, key, older",
    [
        ("laravel", ["--name", "n"], "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=", "another key of thirty-two bytes!"),
        ("laravel-gcm", ["--name", "n"], "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=", "another key of thirty-two bytes!"),
        ("auth-js", ["--name", "authjs.session-token"], SECRET, OLDER),
        ("data-protection", ["--salt", "app\nSessionMiddleware"], "80732141-ec8f-4b80-af9c-c4d2d1ff8901:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=",
         "80732141-ec8f-4b80-af9c-c4d2d1ff8902:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="),
    ],
)  # fmt: skip
def test_encrypted_dialects(dialect: str, options: list[str], key: str, older: str) -> None:
    token = says("dumps", "--dialect", dialect, *options, '{"a":1}', secret=key)
    found = answers("inspect", *options, token, secret=key)
    assert (found["genuine"], found["dialect"], found["value"]["a"]) == (True, dialect, 1), found
    assert answers("inspect", *options, token, secret=older, code=NO)["genuine"] is False


def test_parts_are_explained() -> None:
    shown = says("inspect", "e30:1uPgt4:c-5CM1HXmwURrVk7Ore_d4xVQUXkP8jUpZCZzjMIoWU", secret=None)
    assert "looks_like: Django" in shown and "holds: {}" in shown and "is: 2025-06-12 12:18:30 UTC" in shown
    assert "session in a store" in says("inspect", "a" * 32)
    assert "nothing that is known" in says("inspect", "hello", code=NO)


def test_names_are_taken_off() -> None:
    token = says("sign", "--dialect", "tornado", "--name", "user", "a")
    found = answers("inspect", "-", text=f"user={token}")
    assert (found["name"], found["genuine"], found["dialect"], found["value"]) == ("user", True, "tornado", "a")
    # What is no name stays what it is.
    signed = says("sign", "--dialect", "cookie-rs-signed", "--name", "n", "a", secret=SECRET * 2)
    assert "name" not in answers("inspect", "--name", "n", signed, secret=SECRET * 2)
    assert "name" not in answers("inspect", "--name", "user", "-", text=token)
    assert answers("inspect", "sessionid=" + "a" * 32)["looks_like"].startswith("the key of a session")


def test_what_could_not_be_checked() -> None:
    token = says("sign", "--dialect", "tornado", "--name", "user", "a")
    found = answers("inspect", "-", text=token, code=NO)
    assert "genuine" not in found and found["note"].startswith("not checked as tornado: ") and "name" in found["note"]
    assert answers("inspect", "-", text=token, secret=None)["note"] == "not checked: no secret was given"
    for text, what in {
        "a" * 32: "Django's, or PHP's", "bcv0k2l3v4m5n6o7p8q9r0s1t2": "PHP", "A1" * 16: "servlet", "aB1" * 10 + "aB": "csrftoken",
        "aB1x" * 16: "masked", "aB1xZ" * 8: "Laravel", "abcdefghijklmnopqrst0123": "ASP.NET",
        "SFMyNTY.g3QAAAABbQ.c2lnbmF0dXJl": "Phoenix", "QTEyOEdDTQ.a.b.c.d": "Phoenix",
    }.items():  # fmt: skip
        found = answers("inspect", text)
        assert what in found["looks_like"] and found["note"].startswith("not checked") and "genuine" not in found, found


def test_an_expired_token_is_genuine_and_a_no() -> None:
    token = says("dumps", "--now", "1000", "{}")
    found = answers("inspect", "--now", "2000", "--max-age", "10", token, code=NO)
    assert (found["genuine"], found["expired"]) == (True, True)


def test_what_it_shows_does_not_move_the_cursor() -> None:
    token = says("sign", "--dialect", "cookie-signature", "--", "-", text="a\x1b[2J\u009b\u202e")
    shown = says("inspect", "-", text=token)
    assert "value: a\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xae" in shown
    assert "\x1b" not in shown and "\u009b" not in shown and "\u202e" not in shown
