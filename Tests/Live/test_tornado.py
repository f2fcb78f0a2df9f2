"""Tornado: create_signed_value and decode_signed_value, and a handler's cookies, both ways."""

from __future__ import annotations

import json
from typing import Any

import live
import pytest
from tornado import escape, web
from tuile.signing import BadSignature, Keyring, SignatureExpired, Tokens

MONTH = 31 * 86400


def theirs(secret: Any, value: str, name: str = "session", now: int = live.NOW, **options: Any) -> str:
    return web.create_signed_value(secret, name, value, clock=lambda: now, **options).decode()


def read(secret: Any, token: str, name: str = "session", now: int = live.NOW, days: float = 31, **options: Any) -> Any:
    value = web.decode_signed_value(secret, name, token, max_age_days=days, clock=lambda: now, **options)
    return None if value is None else value.decode()


@live.each_text
def test_text(text: str) -> None:
    new, old, other = live.keys("tornado", text)
    tokens = Tokens("tornado", key=new, fallback_keys=[old], name="session")
    assert live.signed(tokens, text) == theirs(new, text)
    assert read(new, live.signed(tokens, text)) == text
    for number, secret in enumerate((new, old)):
        opened = tokens.open(theirs(secret, text), max_age=0, now=live.NOW)
        assert (opened.value, opened.timestamp, opened.key) == (text, live.NOW, number)
    for refused in (theirs(other, text), theirs(new, text, name="other"), theirs(new, text, version=1)):
        with pytest.raises(BadSignature):
            tokens.open(refused)
    assert read(new, live.signed(Tokens("tornado", key=other, name="session"), text)) is None
    assert read(new, live.signed(tokens, text), name="other") is None


@pytest.mark.parametrize("payload", live.OBJECTS)
def test_json(payload: dict[str, Any]) -> None:
    secret, *_ = live.keys("json", payload)
    tokens = Tokens("tornado", key=secret, name="session")
    assert live.written(tokens, payload) == theirs(secret, json.dumps(payload))
    assert tokens.open_json(theirs(secret, escape.json_encode(payload))).value == payload


def test_versions_of_the_secret() -> None:
    """An application with several secrets numbers them; the number is in what is signed."""
    one, two, three = live.keys("versions")
    tokens = Tokens("tornado", key=two, fallback_keys=[one], name="session")
    for number, key in ((1, 1), (2, 0)):
        opened = tokens.open(theirs({1: one, 2: two}, "v", key_version=number))
        assert (opened.value, opened.key) == ("v", key)
    with pytest.raises(BadSignature):
        tokens.open(theirs({3: three}, "v", key_version=3))
    # Written under the id of the first key, as an application with key_version 2 writes and reads it.
    ring = Keyring(allow_weak=True)
    for number, secret in ((2, two), (1, one)):
        ring.add(secret, id=number)
    token = live.signed(Tokens("tornado", key=ring, name="session"), "v")
    assert token == theirs({1: one, 2: two}, "v", key_version=2)
    assert read({1: one, 2: two}, token) == "v" and read({1: one}, token) is None


@pytest.mark.parametrize("age", [0, MONTH, MONTH + 1, -MONTH, -MONTH - 1])
@pytest.mark.parametrize("version", [1, 2])
def test_age(age: int, version: int) -> None:
    secret, *_ = live.keys("age", age)
    tokens = Tokens("tornado", key=secret, name="session", legacy=True)
    token, now = theirs(secret, "v", version=version), live.NOW + age
    if read(secret, token, now=now) == "v":
        assert tokens.open(token, max_age=MONTH, now=now).value == "v"
    else:
        with pytest.raises(SignatureExpired if age > 0 else BadSignature):
            tokens.open(token, max_age=MONTH, now=now)


def test_version_1_has_no_lengths() -> None:
    """A digit that moves from the value to the time, or back, is no other token."""
    secret, *_ = live.keys("version 1")
    tokens = Tokens("tornado", key=secret, name="session", legacy=True)
    value, time, mac = theirs(secret, "abc12345", version=1).split("|")
    assert tokens.open(f"{value}|{time}|{mac}").value == "abc12345"
    moved = [f"{value[:-n]}|{value[-n:]}{time}|{mac}" for n in (1, 4, 8)]
    moved += [f"{value}{time[:n]}|{time[n:]}|{mac}" for n in (1, 4, 9)] + [f"{value}{time}||{mac}"]
    for token in moved:
        with pytest.raises(BadSignature):
            tokens.open(token, now=live.NOW)
    # Where Tornado reads version 2 alone, it is none there either.
    with pytest.raises(BadSignature):
        Tokens("tornado", key=secret, name="session").open(f"{value}|{time}|{mac}")
    assert read(secret, f"{value}|{time}|{mac}", min_version=2) is None


@pytest.mark.parametrize(
    "token",
    ["2|", "2||||", "2|1:0", "2|1:0|", "2|9:0|x", "2|-1:0|10:1|", "2|99999999999999999999:0|", "2|1:0|0:|0:|0:|", "2|:|:|:|:|",
     "2|1:0|10:1300000000|7:session|4:dGVzdA==|0000", "3|1:0|", "1|2|3", "||"],
)  # fmt: skip
def test_nonsense(token: str) -> None:
    for legacy in (False, True):
        tokens = Tokens("tornado", key="secret", name="session", legacy=legacy)
        with pytest.raises(BadSignature):
            tokens.open(token)
