"""Starlette: SessionMiddleware of a real app, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import live
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from tuile.signing import SignatureExpired, Tokens

FORTNIGHT = 14 * 86400


@contextmanager
def at(seconds: float) -> Iterator[None]:
    with mock.patch("itsdangerous.timed.time.time", lambda: float(seconds)):
        yield


def visit(secret: str, token: str = "", put: Any = None, name: str = "session") -> tuple[dict[str, Any], str]:
    """A request to an app that keeps `put`: the session that it saw, and the cookie that it set."""
    seen: dict[str, Any] = {}

    async def page(request: Request) -> Response:
        seen.update(request.session)
        request.session.update(put or {})
        return Response()

    app = Starlette(
        routes=[Route("/", page)],
        middleware=[Middleware(SessionMiddleware, secret_key=secret, session_cookie=name)],
    )
    with TestClient(app) as visitor:
        answer = visitor.get("/", headers={"cookie": f"{name}={token}"} if token else {})
        return seen, answer.cookies.get(name, "")


def set_by_app(secret: str, payload: Any) -> str:
    return visit(secret, put=payload)[1]


def read_by_app(secret: str, token: str) -> Any:
    return visit(secret, token)[0]


@pytest.mark.parametrize("payload", [one for one in [*live.OBJECTS, live.BIG, live.FLOATS, live.HALF] if one])
def test_session(payload: dict[str, Any]) -> None:
    new, old, other = live.keys("starlette", payload)
    tokens = Tokens("starlette", key=new, fallback_keys=[old])
    with at(live.NOW):
        token, older, foreign = (set_by_app(secret, payload) for secret in (new, old, other))
        assert read_by_app(new, live.written(tokens, payload)) == payload
        assert read_by_app(new, live.written(Tokens("starlette", key=other), payload)) == {}
    assert live.written(tokens, payload) == token
    opened = tokens.open_json(token, now=live.NOW)
    assert (opened.value, opened.timestamp, opened.key) == (payload, live.NOW, 0)
    assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
    live.refuses(tokens, foreign)
    bad = live.changed(token, live.random_for(token))
    live.refuses(tokens, bad)
    assert read_by_app(new, bad) == {}


@pytest.mark.parametrize("age", [0, FORTNIGHT, FORTNIGHT + 1, -1])
def test_age(age: int) -> None:
    secret, *_ = live.keys("age", age)
    tokens = Tokens("starlette", key=secret)
    ours = live.written(tokens, {"a": "é"})
    with at(live.NOW + age):
        seen = read_by_app(secret, ours)
    if seen:
        assert tokens.open_json(ours, max_age=FORTNIGHT, now=live.NOW + age).value == seen == {"a": "é"}
    else:
        with pytest.raises(SignatureExpired):
            tokens.open_json(ours, max_age=FORTNIGHT, now=live.NOW + age)


def test_a_session_goes_on() -> None:
    """A cookie of ours, changed by the app, comes back to us."""
    secret, *_ = live.keys("goes on")
    tokens = Tokens("starlette", key=secret)
    seen, token = visit(secret, tokens.dumps({"a": 1}), {"b": 2}, "other")
    assert seen == {"a": 1}
    assert tokens.loads(token) == {"a": 1, "b": 2}
