"""itsdangerous: each signer and serializer, key derivation and digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import itsdangerous
import live
import pytest
from itsdangerous import BadSignature as TheirBadSignature
from tuile.signing import BadSignature, SignatureExpired, Tokens

DERIVATIONS = ["django-concat", "concat", "hmac", "none"]
DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
EVERY_KEY = [
    pytest.param(derivation, digest, id=f"{derivation} {digest}") for derivation in DERIVATIONS for digest in DIGESTS
]
SALT = "é salt"
every_key = pytest.mark.parametrize(("derivation", "digest"), EVERY_KEY)
both = pytest.mark.parametrize("timed", [False, True], ids=["plain", "timed"])


@contextmanager
def at(seconds: float) -> Iterator[None]:
    with mock.patch("itsdangerous.timed.time.time", lambda: float(seconds)):
        yield


def signer(secrets: list[str], timed: bool, derivation: str, digest: str, salt: str = SALT) -> itsdangerous.Signer:
    """Theirs has the newest key last."""
    kind = itsdangerous.TimestampSigner if timed else itsdangerous.Signer
    return kind(secrets[::-1], salt=salt, key_derivation=derivation, digest_method=DIGESTS[digest])


def serializer(secrets: list[str], timed: bool, derivation: str, digest: str) -> itsdangerous.URLSafeSerializer:
    kind: Any = itsdangerous.URLSafeTimedSerializer if timed else itsdangerous.URLSafeSerializer
    options = {"key_derivation": derivation, "digest_method": DIGESTS[digest]}
    made: itsdangerous.URLSafeSerializer = kind(secrets[::-1], salt=SALT, signer_kwargs=options)
    return made


def ours(secrets: list[str], timed: bool, derivation: str | None, digest: str | None, salt: str = SALT) -> Tokens:
    first, *older = secrets
    return Tokens(
        "itsdangerous", key=first, fallback_keys=older, salt=salt, timed=timed, derivation=derivation, digest=digest
    )


@both
@every_key
def test_signer(derivation: str, digest: str, timed: bool) -> None:
    for text in live.TEXTS:
        new, old, other = live.keys("signer", text, derivation)
        theirs = signer([new, old], timed, derivation, digest)
        tokens = ours([new, old], timed, derivation, digest)
        with at(live.NOW):
            token = theirs.sign(text).decode()
            older = signer([old], timed, derivation, digest).sign(text)
            foreign = signer([other], timed, derivation, digest).sign(text)
            assert theirs.unsign(live.signed(tokens, text)).decode() == text
        assert live.signed(tokens, text) == token
        opened = tokens.open(token, now=live.NOW)
        assert (opened.value, opened.key, opened.timestamp) == (text, 0, live.NOW if timed else None)
        assert (tokens.open(older).value, tokens.open(older).key) == (text, 1)
        with pytest.raises(BadSignature):
            tokens.open(foreign)
        with pytest.raises(TheirBadSignature):
            theirs.unsign(live.signed(ours([other], timed, derivation, digest), text))
        assert theirs.unsign(ours([old], timed, derivation, digest).sign(text)).decode() == text
        # Without a derivation no salt goes into the key.
        salted = ours([new], timed, derivation, digest, SALT + "x")
        if derivation == "none":
            assert salted.unsign(token) == text
        else:
            with pytest.raises(BadSignature):
                salted.unsign(token)


@both
@every_key
def test_serializer(derivation: str, digest: str, timed: bool) -> None:
    for payload in [*live.OBJECTS, live.BIG, live.FLOATS, [], "☕", None, True]:
        new, old, other = live.keys("serializer", payload, digest)
        theirs = serializer([new, old], timed, derivation, digest)
        tokens = ours([new, old], timed, derivation, digest)
        with at(live.NOW):
            token = theirs.dumps(payload)
            assert theirs.loads(live.written(tokens, payload)) == payload
        assert isinstance(token, str) and live.written(tokens, payload) == token
        assert tokens.open_json(token, now=live.NOW).value == payload
        # What is not compressed although it could be is read as well.
        assert theirs.loads(tokens.dumps(payload)) == payload
        older = serializer([old], timed, derivation, digest).dumps(payload)
        assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
        assert theirs.loads(ours([old], timed, derivation, digest).dumps(payload)) == payload
        live.refuses(tokens, serializer([other], timed, derivation, digest).dumps(payload))
        bad = live.changed(token, live.random_for(token))
        live.refuses(tokens, bad)
        with pytest.raises(TheirBadSignature):
            theirs.loads(bad)


@pytest.mark.parametrize("serialized", [False, True])
@pytest.mark.parametrize(
    ("age", "max_age"), [(0, 0), (60, 60), (61, 60), (100, 1), (-1, 60), (-(10**6), 60), (5, None)]
)
def test_age(age: int, max_age: int | None, serialized: bool) -> None:
    """Also from the future, which they refuse if they are asked for an age."""
    secrets = live.keys("age", age)
    with at(live.NOW):
        if serialized:
            token = serializer(secrets, True, "hmac", "sha256").dumps({"a": 1})
        else:
            token = signer(secrets, True, "hmac", "sha256").sign("text").decode()
    tokens = ours(secrets, True, "hmac", "sha256")
    with at(live.NOW + age):
        try:
            if serialized:
                serializer(secrets, True, "hmac", "sha256").loads(token, max_age=max_age)
            else:
                signer(secrets, True, "hmac", "sha256").unsign(token, max_age=max_age)
            expected: type[Exception] | None = None
        except itsdangerous.SignatureExpired:
            expected = SignatureExpired
    read = tokens.open_json if serialized else tokens.open
    if expected:
        with pytest.raises(expected):
            read(token, max_age=max_age, now=live.NOW + age)
    else:
        assert read(token, max_age=max_age, now=live.NOW + age).timestamp == live.NOW


@pytest.mark.parametrize("now", [0, 1, 255, 256, 2**31 - 1, 2**31, 2**32, 2**40])
def test_time(now: int) -> None:
    secrets = live.keys("time", now)
    with at(now):
        token = signer(secrets, True, "django-concat", "sha1").sign("text").decode()
    tokens = ours(secrets, True, "django-concat", "sha1")
    assert live.signed(tokens, "text", now) == token
    assert tokens.open(token, now=now).timestamp == now


def test_defaults() -> None:
    """Neither derivation nor digest said: SHA-1, django-concat, and their salts."""
    secrets = live.keys("defaults")
    assert itsdangerous.Signer(secrets[0]).sign("text").decode() == ours(
        secrets, False, None, None, "itsdangerous.Signer"
    ).sign("text")
    assert itsdangerous.URLSafeSerializer(secrets[0]).dumps({"a": 1}) == ours(
        secrets, False, None, None, "itsdangerous"
    ).dumps({"a": 1})


@both
def test_bytes_of_keys(timed: bool) -> None:
    """A key need not be text."""
    for secret in live.raw_keys("bytes", timed, size=64):
        token = itsdangerous.Signer(secret, salt=SALT, key_derivation="hmac").sign("text").decode()
        assert Tokens("itsdangerous", key=secret, salt=SALT, timed=False, derivation="hmac").sign("text") == token
