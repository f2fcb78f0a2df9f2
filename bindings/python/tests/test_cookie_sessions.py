"""Sessions that are kept in their cookies, in every dialect that has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tuile import errors
from tuile.sessions import Manager
from tuile.signing import Keyring, generate_key

DIALECTS = ["", "django", "sealed", "flask", "starlette", "rails", "gorilla", "rack", "iron-session"]
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./"


def sent(headers: list[tuple[str, str]]) -> str:
    """The cookie that a browser would send back."""
    (cookie,) = [value for name, value in headers if name == "Set-Cookie"]
    return cookie.split(";")[0]


def started(manager: Manager) -> str:
    with manager.begin("") as session:
        session["user"] = "Ada ☕"
        session["n"] = 1
        return sent(session.commit(200))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_session_comes_back_and_goes_on(dialect: str) -> None:
    with Manager(store=f"cookie:{dialect}", secret=SECRET) as manager:
        cookie = started(manager)
        with manager.begin(cookie) as session:
            assert dict(session) == {"user": "Ada ☕", "n": 1}
            assert session.add_int("n", 1) == 2
            session.cycle_key()
            cookie = sent(session.commit(200))
        with manager.begin(f"other=1; {cookie}") as session:
            assert session["n"] == 2
            assert session.commit(200) == [("Vary", "Cookie")]
            session.flush()
            assert "Max-Age=0" in dict(session.commit(200))["Set-Cookie"]
        assert manager.clear_expired() == 0 and manager.stats()["loads"] == 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_tampered_with_is_no_session(dialect: str) -> None:
    with Manager(store=f"cookie:{dialect}", secret=SECRET) as manager:
        name, _, token = started(manager).partition("=")
        middle = len(token) // 2
        changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
        for bad in (changed, token[:-1], "x", "x" * 9000, "{}", "%00", token + "%20"):
            with manager.begin(f"{name}={bad}") as session:
                assert dict(session) == {}
                # It may be another server's, which has a newer secret: only what can be none of ours goes.
                assert ("Set-Cookie" in dict(session.commit(200))) == (len(bad) > 8192)
        assert manager.stats()["bad_signatures"] >= 4
    with Manager(store=f"cookie:{dialect}", secret=SECRET[::-1]) as manager, manager.begin(f"{name}={token}") as session:
        assert dict(session) == {}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_keys_rotate(dialect: str) -> None:
    old, new = Keyring(generate_key() * 2), Keyring(generate_key() * 2)
    with Manager(store=f"cookie:{dialect}", secret=old) as manager:
        cookie = started(manager)
    with Manager(store=f"cookie:{dialect}", secret=new) as manager, manager.begin(cookie) as session:
        assert dict(session) == {}
    both = Keyring(allow_weak=True)
    both.add(SECRET)
    both.add(SECRET[::-1])
    with Manager(store=f"cookie:{dialect}", secret=SECRET[::-1]) as manager:
        cookie = started(manager)
    with Manager(store=f"cookie:{dialect}", secret=both) as manager, manager.begin(cookie) as session:
        assert session["n"] == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_does_not_fit_is_refused_with_its_size(dialect: str) -> None:
    with Manager(store=f"cookie:{dialect}", secret=SECRET) as manager, manager.begin("") as session:
        session["noise"] = "".join(generate_key() for _ in range(150))
        with pytest.raises(errors.LimitError) as raised:
            session.commit(200)
        assert raised.value.offset > 4096
        session["noise"] = ""
        assert len(sent(session.commit(200))) < 500


def test_djangos_own_cookies_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = Path(__file__).resolve().parents[3] / "Tests/vectors/django_sessions.json"
    cases = [case for case in json.loads(vectors.read_text())["cases"] if case["kind"] == "signed_cookies session_key"]
    assert cases
    for case in cases:
        shortly_after = case["time"] + 60
        with Manager(store="cookie:", secret=case["secret"], clock=lambda: shortly_after) as manager:
            with manager.begin(f"sessionid={case['token']}") as session:
                assert dict(session) == case["payload"]
        # Older than two weeks by now.
        with Manager(store="cookie:", secret=case["secret"]) as manager:
            with manager.begin(f"sessionid={case['token']}") as session:
                assert dict(session) == {}


def test_other_urls_are_refused() -> None:
    for url in ("cookie:none", "cookie:django?x=1", "cookie"):
        with pytest.raises((errors.SyntaxProblem, errors.ArgumentError)):
            Manager(store=url, secret=SECRET)
    with pytest.raises(errors.ArgumentError):
        Manager(store="cookie:")
