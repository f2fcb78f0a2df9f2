"""Django: Signer, TimestampSigner, dumps, and signed cookies of real responses and requests."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import CookieError
from unittest import mock

import django
import live
import pytest
from django.conf import settings
from django.core import signing as theirs
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from tuile.signing import BadSignature, SignatureExpired, Tokens

settings.configure(SECRET_KEY="changed by every test", USE_TZ=True)
django.setup()

SALTS = ["", "a salt", "é:☕", "s" * 200]


@contextmanager
def at(seconds: float) -> Iterator[None]:
    with mock.patch("django.core.signing.time.time", lambda: float(seconds)):
        yield


@pytest.mark.parametrize("salt", SALTS[1:])
@live.each_text
def test_signer(text: str, salt: str) -> None:
    new, old, other = live.keys("django", text)
    signer = theirs.Signer(key=new, fallback_keys=[old], salt=salt)
    tokens = Tokens("django", key=new, fallback_keys=[old], salt=salt, timed=False)
    token = signer.sign(text)
    assert live.signed(tokens, text) == token and tokens.unsign(token) == text
    assert tokens.open(theirs.Signer(key=old, salt=salt).sign(text)).key == 1
    assert signer.unsign(Tokens("django", key=old, salt=salt, timed=False).sign(text)) == text
    for wrong in (theirs.Signer(key=other, salt=salt), theirs.Signer(key=new, salt=salt + "x")):
        with pytest.raises(BadSignature):
            tokens.unsign(wrong.sign(text))
        with pytest.raises(theirs.BadSignature):
            wrong.unsign(live.signed(tokens, text))


@pytest.mark.parametrize("now", [0, 1, 61, 62, live.NOW, 2**40])
@live.each_text
def test_timestamp_signer(text: str, now: int) -> None:
    (secret, *_) = live.keys("timestamp", text)
    signer = theirs.TimestampSigner(key=secret, salt="salt")
    tokens = Tokens("django", key=secret, salt="salt")
    with at(now):
        token = signer.sign(text)
    assert live.signed(tokens, text, now) == token
    assert tokens.open(token, now=now).timestamp == now
    for age, max_age in ((0, 0), (60, 60), (61, 60), (60, 61), (10**6, 10)):
        with at(now + age):
            try:
                expected = signer.unsign(token, max_age=max_age)
            except theirs.SignatureExpired:
                with pytest.raises(SignatureExpired):
                    tokens.open(token, max_age=max_age, now=now + age)
            else:
                assert tokens.open(token, max_age=max_age, now=now + age).value == expected == text


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("payload", [*live.OBJECTS, live.BIG, live.FLOATS, live.HALF, [], "☕", None])
def test_dumps(payload: object, compress: bool) -> None:
    new, old, other = live.keys("dumps", payload)
    tokens = Tokens("django", key=new, fallback_keys=[old], salt="django.core.signing")
    with at(live.NOW):
        token = theirs.dumps(payload, key=new, compress=compress)
        older = theirs.dumps(payload, key=old, compress=compress)
        foreign = theirs.dumps(payload, key=other, compress=compress)
    assert live.written(tokens, payload, compress=compress) == token
    assert tokens.open_json(token).value == payload
    assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
    assert theirs.loads(tokens.dumps(payload, compress=compress), key=new, max_age=60) == payload
    live.refuses(tokens, foreign)
    live.refuses(tokens, live.changed(token, live.random_for(token)))
    with pytest.raises(SignatureExpired):
        tokens.loads(live.written(tokens, payload, live.NOW - 100), max_age=datetime.timedelta(seconds=50))
    with pytest.raises(theirs.SignatureExpired):
        theirs.loads(live.written(tokens, payload, live.NOW - 100), key=new, max_age=50)


def request_with(name: str, value: str) -> HttpRequest:
    request = HttpRequest()
    request.COOKIES[name] = value
    return request


def signed_by_django(name: str, text: str, salt: str) -> str:
    """The value of the cookie that Django sets; of one with control characters, which a later Python
    refuses, what Django signed for it."""
    response = HttpResponse()
    try:
        response.set_signed_cookie(name, text, salt=salt)
    except CookieError:
        assert any(ord(character) < 32 or character == "\x7f" for character in text)
        with mock.patch.object(response, "set_cookie") as put:
            response.set_signed_cookie(name, text, salt=salt)
        return str(put.call_args.args[1])
    return response.cookies[name].value


@pytest.mark.parametrize("salt", SALTS)
@pytest.mark.parametrize("name", ["name", "__Host-session"])
@live.each_text
def test_signed_cookie(text: str, name: str, salt: str) -> None:
    new, old, other = live.keys("cookie", text)
    tokens = Tokens("django-cookie", key=new, fallback_keys=[old], salt=salt, name=name)
    with override_settings(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old]):
        with at(live.NOW):
            token = signed_by_django(name, text, salt)
        assert live.signed(tokens, text) == token and tokens.unsign(token) == text
        ours = live.signed(tokens, text, live.NOW - 100)
        read = request_with(name, ours).get_signed_cookie
        assert read(name, salt=salt) == text
        with pytest.raises(theirs.SignatureExpired):
            read(name, salt=salt, max_age=50)
        with pytest.raises(SignatureExpired):
            tokens.unsign(ours, max_age=50)
        with pytest.raises(theirs.BadSignature):
            request_with(name + "x", ours).get_signed_cookie(name + "x", salt=salt)
        with pytest.raises(BadSignature):
            Tokens("django-cookie", key=new, salt=salt, name=name + "x").unsign(ours)
    for secret, number in ((old, 1), (other, None)):
        with override_settings(SECRET_KEY=secret):
            token = signed_by_django("name", text, salt)
            mine = Tokens("django-cookie", key=new, fallback_keys=[old], salt=salt, name="name")
            if number is None:
                with pytest.raises(BadSignature):
                    mine.open(token)
            else:
                assert mine.open(token).key == number


@live.each_text
def test_signed_cookie_with_the_salt_of_before(text: str) -> None:
    """Django reads the old form only if a setting says so, and so do we."""
    (secret, *_) = live.keys("legacy", text)
    with override_settings(SECRET_KEY=secret):
        token = theirs.get_cookie_signer(salt="name" + "salt").sign(text)
        request = request_with("name", token)
        with pytest.raises(theirs.BadSignature), override_settings(SIGNED_COOKIE_LEGACY_SALT_FALLBACK=False):
            request.get_signed_cookie("name", salt="salt")
        with override_settings(SIGNED_COOKIE_LEGACY_SALT_FALLBACK=True):
            assert request.get_signed_cookie("name", salt="salt") == text
    with pytest.raises(BadSignature):
        Tokens("django-cookie", key=secret, salt="salt", name="name").unsign(token)
    tokens = Tokens("django-cookie", key=secret, salt="salt", name="name", legacy=True)
    assert tokens.unsign(token) == text
    # What is written is the new form all the same.
    with override_settings(SECRET_KEY=secret, SIGNED_COOKIE_LEGACY_SALT_FALLBACK=False):
        assert request_with("name", tokens.sign(text)).get_signed_cookie("name", salt="salt") == text
