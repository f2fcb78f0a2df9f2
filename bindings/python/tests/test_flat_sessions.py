"""A request of Django's in three calls of the library, and what the flat calls of a session promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from test_stores import Away
from tuile import _flat as flat
from tuile import errors
from tuile.django import SessionStore, manager
from tuile.handle import SessionHandle
from tuile.sessions import Manager


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[None]:
    with override_settings(TUILE_STORE=f"sqlite://{tmp_path / 's.db'}", SESSION_ENGINE="tuile.django"):
        yield


def saved(**values: Any) -> str:
    session = SessionStore()
    session.update(values)
    session.save()
    assert session.session_key
    return session.session_key


def test_a_request_is_three_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    key = saved(count=1, cart=["tea"], gone=1)
    calls: list[str] = []

    def noted(name: str, call: Any) -> Any:
        return lambda *given: calls.append(name) or call(*given)

    made = manager()
    own = {name: noted(name, getattr(made._calls, name)) for name in ("begin", "commit")}
    monkeypatch.setattr(made, "_calls", made._calls._replace(**own))
    monkeypatch.setattr(flat, "again", noted("again", flat.again))
    # Every other call of a session.
    monkeypatch.setattr(SessionHandle, "_call", None)
    monkeypatch.setattr(SessionHandle, "_text", None)

    def page(request: HttpRequest) -> HttpResponse:
        request.session["count"] += 1
        request.session["cart"].append("é\0")
        del request.session["gone"]
        return HttpResponse()

    def look(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.session["cart"][1])

    request = HttpRequest()
    request.COOKIES["sessionid"] = key
    assert SessionMiddleware(page)(request).cookies["sessionid"].value == key
    assert calls == ["begin", "commit"]
    calls.clear()
    assert SessionMiddleware(look)(request).content.decode() == "é\0"
    assert calls == ["begin"]
    assert dict(SessionStore(key).items()) == {"count": 2, "cart": ["tea", "é\0"]}


def test_names_and_values_of_every_kind() -> None:
    key = saved(a=1)
    session = SessionStore(key)
    values = {"a\0b": 1, "é": "\ud800", "": None, "x" * 40_000: "y" * 40_000}
    session.update(values)
    session.save()
    assert {name: session[name] for name in values} == values
    again = SessionStore(key)
    assert {name: again[name] for name in values} == values
    del again["a\0b"], again["é"]
    again.save()
    assert set(SessionStore(key).keys()) == {"a", "", "x" * 40_000}


class Gone(Away):
    def replace(self, *given: Any) -> Any:
        if self.away:
            raise TimeoutError("no answer from db-7")
        return super().replace(*given)


def test_a_save_that_failed_is_made_again(tmp_path: Path) -> None:
    away = Gone(tmp_path / "table.db")
    with override_settings(TUILE_STORE=away):
        session = SessionStore()
        session.update({"a": 1, "gone": 1})
        session.save()
        key = session.session_key
        session = SessionStore(key)
        session["b"] = [1]
        del session["gone"]
        away.away = True
        with pytest.raises(errors.StoreError):
            session.save()
        away.away = False
        # Other values than those that could not be saved.
        del session["b"]
        session["c"] = 2
        session.save()
        assert dict(SessionStore(key).items()) == {"a": 1, "c": 2}


def test_a_save_of_what_was_ended_elsewhere() -> None:
    key = saved(a=1)
    one = SessionStore(key)
    one["a"] = 2
    SessionStore(key).delete()
    for _ in range(2):
        with pytest.raises(UpdateError):
            one.save()
    assert not SessionStore().exists(key)


def test_a_save_that_is_refused_changes_nothing() -> None:
    key = saved(a=1)
    session = SessionStore(key)
    session["b"], session["_session_moved"] = float("nan"), 1
    for _ in range(2):
        with pytest.raises(errors.ArgumentError):
            session.save()
    assert dict(SessionStore(key).items()) == {"a": 1}
    del session["_session_moved"]
    session["b"] = 1
    session.save()
    assert dict(SessionStore(key).items()) == {"a": 1, "b": 1}


def test_owner_and_client(tmp_path: Path) -> None:
    key = saved(a=1)
    session = SessionStore(key)
    session.set_client("an agent \udcff", "::1")
    session.owner = "team blue"
    session.save()
    assert SessionStore(key).owner == "team blue"
    found = manager().sessions("team blue")
    assert [(one.address, one.user_agent[:8]) for one in found] == [("::1", "an agent")]


def test_headers_are_latin_1() -> None:
    with Manager(store="memory:") as own, own.begin("") as session:
        session["a"] = 1
        headers = dict(session.commit())
        assert headers["Set-Cookie"].startswith(f"sessionid={session.session_key};")
        assert headers["Vary"] == "Cookie" and headers["Cache-Control"] == "private"
        assert session.commit(headers=False) == []
