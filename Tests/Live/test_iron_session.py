"""iron-session and the iron-webcrypto that it stands on; their formula in Node's crypto if they can't be had."""

from __future__ import annotations

import time
from typing import Any

import live
import pytest
from live import Helper, Refused
from tuile.errors import TuileError
from tuile.signing import Keyring, SignatureExpired, Tokens

SEALERS = ["iron-session", "iron-webcrypto", "formula"]
by_each = pytest.mark.parametrize("by", SEALERS)


def numbered(*newest_first: str) -> dict[str, str]:
    """Their passwords have numbers, the newest the highest."""
    return {str(number): password for number, password in enumerate(reversed(newest_first), 1)}


@by_each
@pytest.mark.parametrize("payload", [one for one in [*live.OBJECTS, live.HALF] if one])
def test_session(node: Helper, payload: Any, by: str) -> None:
    node.need(by)
    new, old, other = live.keys("iron", payload)
    tokens = Tokens("iron-session", key=new, fallback_keys=[old])
    token = node("iron-seal", by=by, value=payload, passwords=numbered(new, old))
    assert (tokens.open_json(token).value, tokens.open_json(token).key) == (payload, 0)
    older = node("iron-seal", by=by, value=payload, passwords=numbered(old))
    assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
    live.refuses(tokens, node("iron-seal", by=by, value=payload, passwords=numbered(other, other)))
    # A server that counts otherwise, since it is at another step of a rotation.
    elsewhere = node("iron-seal", by=by, value=payload, passwords=numbered(new, old, old))
    assert (tokens.open_json(elsewhere).value, tokens.open_json(elsewhere).key) == (payload, 0)
    assert live.loaded_text(tokens, token) == live.loaded_text(tokens, live.written(tokens, payload))

    assert node("iron-unseal", by=by, token=tokens.dumps(payload), passwords=numbered(new, old)) == payload
    ours = Tokens("iron-session", key=old).dumps(payload)
    assert node("iron-unseal", by=by, token=ours, passwords=numbered(new, old)) == payload
    for refused in (Tokens("iron-session", key=other).dumps(payload), tokens.dumps(payload)):
        with pytest.raises(Refused):
            node("iron-unseal", by=by, token=refused, passwords=numbered(new))


@by_each
@live.each_text
def test_text(node: Helper, text: str, by: str) -> None:
    node.need(by)
    secret, *_ = live.keys("iron text", text)
    tokens = Tokens("iron-session", key=secret, lifetime=3600)
    assert tokens.open(node("iron-seal", by=by, value=text, passwords=numbered(secret))).value == text
    if by != "iron-session" or text:
        assert node("iron-unseal", by=by, token=tokens.sign(text), passwords=numbered(secret)) == text


def ring(**passwords: str) -> Keyring:
    """Theirs with their ids: `_3` is 3."""
    made = Keyring()
    for number, password in passwords.items():
        made.add(password, id=int(number[1:]))
    return made


@by_each
def test_ids(node: Helper, by: str) -> None:
    """{3: new, 2: old}, as it is once the first one was dropped."""
    node.need(by)
    new, old, oldest = live.keys("iron ids", by)
    theirs = {"3": new, "2": old}
    tokens = Tokens("iron-session", key=ring(_3=new, _2=old))
    assert tokens.dumps({"a": 1}).split("*")[1] == "3"
    assert node("iron-unseal", by=by, token=tokens.dumps({"a": 1}), passwords=theirs) == {"a": 1}
    assert tokens.open_json(node("iron-seal", by=by, value={"a": 1}, passwords=theirs)).key == 0
    assert tokens.open_json(node("iron-seal", by=by, value={"a": 1}, passwords={"2": old})).key == 1
    # Each step of a rotation, and two servers at different ones.
    steps = [ring(_1=oldest), ring(_2=old, _1=oldest), ring(_2=old), ring(_3=new, _2=old), ring(_3=new)]
    signers = [Tokens("iron-session", key=step) for step in steps]
    for one, other in zip(signers, signers[1:]):
        assert other.loads(one.dumps({"a": 1})) == {"a": 1}
    for some in (ring(_2=new), ring(_0=new), ring(_700=new)):
        assert tokens.open_json(Tokens("iron-session", key=some).dumps({"a": 1})).key == 0


def test_ids_of_a_ring() -> None:
    new, old = live.keys("iron ring")[:2]
    with pytest.raises(TuileError, match="has this id"):
        ring(_2=new).add(old, id=2)
    with pytest.raises(TuileError, match="negative"):
        Keyring().add(new, id=-1)
    mixed = ring(_2=new)
    mixed.add(old)
    with pytest.raises(TuileError, match="have none"):
        Tokens("iron-session", key=mixed)


@by_each
def test_end(node: Helper, by: str) -> None:
    """A minute more than the lifetime is allowed, for clocks that differ."""
    node.need(by)
    secret, *_ = live.keys("iron end")
    tokens = Tokens("iron-session", key=secret, lifetime=100)
    token = node("iron-seal", by=by, value={"a": 1}, passwords=numbered(secret), ttl=100)
    # As it says itself, in milliseconds: whatever the clock was when it was sealed.
    end = int(token.split("*")[5]) // 1000
    for now in (end - 100, end, end + 59):
        assert tokens.open_json(token, now=now).value == {"a": 1}
    with pytest.raises(SignatureExpired):
        tokens.open_json(token, now=end + 62)
    # Its own clock can't be told: there is time for a machine that stands still.
    for age in (0, 100, 130):
        ours = live.written(tokens, {"a": 1}, int(time.time()) - age)
        assert node("iron-unseal", by=by, token=ours, passwords=numbered(secret)) == {"a": 1}
    with pytest.raises(Refused):
        node("iron-unseal", by=by, token=live.written(tokens, {"a": 1}, int(time.time()) - 162), passwords=numbered(secret))


@by_each
def test_changed(node: Helper, by: str) -> None:
    node.need(by)
    secret, *_ = live.keys("iron changed")
    tokens = Tokens("iron-session", key=secret)
    token = node("iron-seal", by=by, value={"a": 1}, passwords=numbered(secret))
    random_ = live.random_for("iron changed")
    for _ in range(50):
        bad = live.changed(token, random_)
        live.refuses(tokens, bad)
        with pytest.raises(Refused):
            node("iron-unseal", by=by, token=bad, passwords=numbered(secret))
