"""Flask: the session cookie of a real app, both ways; its tags are plain JSON to us."""

from __future__ import annotations

import base64
import datetime
import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import flask
import live
import pytest
from markupsafe import Markup
from tuile.signing import BadSignature, SignatureExpired, Tokens

IDENTIFIER = uuid.UUID("0123456789abcdef0123456789abcdef")
MOMENT = datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
#: What an app keeps, and the JSON that this is in the cookie.
TAGGED: list[tuple[Any, Any]] = [
    ((1, "two", (3,)), {" t": [1, "two", {" t": [3]}]}),
    (b"\x00\xff bytes", {" b": base64.b64encode(b"\x00\xff bytes").decode()}),
    (Markup("<b>&amp;</b>"), {" m": "<b>&amp;</b>"}),
    (IDENTIFIER, {" u": IDENTIFIER.hex}),
    (MOMENT, {" d": "Tue, 03 Feb 2026 04:05:06 GMT"}),
    ([(1,), MOMENT], [{" t": [1]}, {" d": "Tue, 03 Feb 2026 04:05:06 GMT"}]),
    ({" t": "not a tag"}, {" di": {" t__": "not a tag"}}),
]


@contextmanager
def at(seconds: float) -> Iterator[None]:
    with mock.patch("itsdangerous.timed.time.time", lambda: float(seconds)):
        yield


def client(secret: str, fallbacks: Sequence[str], act: Callable[[], Any]) -> Any:
    app = flask.Flask("live")
    app.config.update(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks))

    @app.route("/")
    def page() -> str:
        act()
        return ""

    return app.test_client()


def set_by_app(secret: str, values: dict[str, Any]) -> str:
    visitor = client(secret, [], lambda: flask.session.update(values))
    visitor.get("/")
    cookie = visitor.get_cookie("session")
    return str(cookie.value) if cookie else ""


def read_by_app(secret: str, token: str, fallbacks: Sequence[str] = ()) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    visitor = client(secret, fallbacks, lambda: seen.update(flask.session))
    visitor.set_cookie("session", token)
    visitor.get("/")
    return seen


@pytest.mark.parametrize("payload", [one for one in [*live.OBJECTS, live.BIG, live.FLOATS, live.HALF] if one])
def test_session(payload: dict[str, Any]) -> None:
    new, old, other = live.keys("flask", payload)
    tokens = Tokens("flask", key=new, fallback_keys=[old])
    with at(live.NOW):
        token = set_by_app(new, payload)
        ours = live.written(tokens, payload)
        assert read_by_app(new, ours) == payload
        assert read_by_app(new, live.written(Tokens("flask", key=old), payload), [old]) == payload
        # A cookie that is not genuine is as good as none.
        assert read_by_app(new, live.written(Tokens("flask", key=other), payload)) == {}
        older = set_by_app(old, payload)
        live.refuses(tokens, set_by_app(other, payload))
    assert tokens.open_json(token, now=live.NOW).value == payload
    assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
    # In an app's context Flask sorts the keys.
    assert live.written(tokens, live.sorted_keys(payload)) == token


@pytest.mark.parametrize(("value", "tagged"), TAGGED, ids=lambda value: type(value).__name__)
def test_tags(value: Any, tagged: Any) -> None:
    secret, *_ = live.keys("tags", value)
    tokens = Tokens("flask", key=secret)
    with at(live.NOW):
        token = set_by_app(secret, {"value": value})
        assert tokens.open_json(token, now=live.NOW).value == {"value": tagged}
        assert live.written(tokens, {"value": tagged}) == token
        back = read_by_app(secret, live.written(tokens, {"value": tagged}))
    assert back == {"value": value} and type(back["value"]) is type(value)


def test_flash_and_permanent() -> None:
    """What Flask itself puts there."""
    secret, *_ = live.keys("flash")

    def act() -> None:
        flask.flash("saved <b>", "info")
        flask.session.permanent = True

    visitor = client(secret, [], act)
    visitor.get("/")
    kept = Tokens("flask", key=secret).loads(visitor.get_cookie("session").value)
    assert kept == {"_flashes": [{" t": ["info", "saved <b>"]}], "_permanent": True}


@pytest.mark.parametrize("age", [0, 31 * 86400, 31 * 86400 + 1, -1])
def test_age(age: int) -> None:
    """31 days are Flask's default."""
    secret, *_ = live.keys("age", age)
    tokens = Tokens("flask", key=secret)
    ours = live.written(tokens, {"a": 1})
    with at(live.NOW + age):
        seen = read_by_app(secret, ours)
    if seen:
        assert tokens.open_json(ours, max_age=31 * 86400, now=live.NOW + age).value == seen == {"a": 1}
    else:
        with pytest.raises(SignatureExpired):
            tokens.open_json(ours, max_age=31 * 86400, now=live.NOW + age)


def test_other_salt_and_derivation() -> None:
    """An app may have its own session interface."""
    secret, *_ = live.keys("interface")
    app = flask.Flask("live")
    app.secret_key = secret
    interface = flask.sessions.SecureCookieSessionInterface()
    interface.salt, interface.key_derivation = "my salt", "django-concat"
    interface.digest_method = staticmethod(hashlib.sha512)
    serializer = interface.get_signing_serializer(app)
    tokens = Tokens("flask", key=secret, salt="my salt", derivation="django-concat", digest="sha512")
    with at(live.NOW):
        token = serializer.dumps({"a": (1,)})
    assert live.written(tokens, {"a": {" t": [1]}}) == token
    with pytest.raises(BadSignature):
        Tokens("flask", key=secret).loads(token)
