"""iron-session and the iron-webcrypto that it stands on; their formula in Node's crypto if they can't be had."""

from __future__ import annotations

import time
from typing import Any

import live
import pytest
from live import Helper, Refused
from tuile.signing import SignatureExpired, Tokens

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


@by_each
def test_end(node: Helper, by: str) -> None:
    """A minute more than the lifetime is allowed, for clocks that differ."""
    node.need(by)
    secret, *_ = live.keys("iron end")
    tokens = Tokens("iron-session", key=secret, lifetime=100)
    token, began = node("iron-seal", by=by, value={"a": 1}, passwords=numbered(secret), ttl=100), int(time.time())
    for age, fine in ((0, True), (100, True), (158, True), (162, False)):
        if fine:
            assert tokens.open_json(token, now=began + age).value == {"a": 1}
            assert node(
                "iron-unseal",
                by=by,
                token=live.written(tokens, {"a": 1}, int(time.time()) - age),
                passwords=numbered(secret),
            ) == {"a": 1}
        else:
            with pytest.raises(SignatureExpired):
                tokens.open_json(token, now=began + age)
            with pytest.raises(Refused):
                node(
                    "iron-unseal",
                    by=by,
                    token=live.written(tokens, {"a": 1}, int(time.time()) - age),
                    passwords=numbered(secret),
                )


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
