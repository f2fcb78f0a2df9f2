"""A session that is left with changes that nobody has saved says so."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

import pytest
from custom_store import Table
from flask import Flask
from flask import session as flask_session
from tuile import StoreError, asgi, wsgi
from tuile.flask import SessionInterface
from tuile.sessions import Manager, Session

SECRET = "a secret that has its thirty-two bytes and more"


@contextmanager
def told() -> Iterator[list[Any]]:
    gc.collect()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found
        gc.collect()


def cookie(manager: Manager) -> str:
    with manager.begin("") as session:
        session.update(a=1, list=[1])
        return dict(session.commit())["Set-Cookie"].partition(";")[0]


CHANGES: dict[str, Callable[[Session], Any]] = {
    "a value": lambda session: session.__setitem__("a", 2),
    "a removal": lambda session: session.pop("a"),
    "many": lambda session: session.update(a=2, b=3),
    "all": lambda session: session.clear(),
    "a counter": lambda session: session.add_int("n"),
    "a list": lambda session: session.append("list", 2),
    "in place": lambda session: session["list"].append(2),
    "a default": lambda session: session.setdefault("x", 1),
    "the end": lambda session: session.set_expiry(60),
    "the longest life": lambda session: session.set_lifetime(60),
    "the key": lambda session: session.cycle_key(),
    "the owner": lambda session: setattr(session, "owner", "ada"),
    "after a commit": lambda session: (session.commit(), session.__setitem__("a", 2)),
    "in place, after a commit": lambda session: (session.commit(), session["list"].append(2)),
}
FINE: dict[str, Callable[[Session], Any]] = {
    "nothing": lambda session: None,
    "reads": lambda session: (dict(session), session.owner, session.get_expiry_age()),
    "a commit": lambda session: (session.__setitem__("a", 2), session.commit()),
    "a commit that keeps nothing": lambda session: (session.__setitem__("a", 2), session.commit(500)),
    # The store knows already.
    "a logout": lambda session: session.flush(),
    "a change that was taken for none": lambda session: pytest.raises(TypeError, session.__setitem__, "a", object()),
}


@pytest.mark.parametrize("leave", ["with", "close", "del"])
@pytest.mark.parametrize("name", [*CHANGES, *FINE])
def test_a_session_that_is_left_without_commit_warns(name: str, leave: str) -> None:
    with Manager(store="memory:") as manager:
        session = manager.begin(cookie(manager))
        (CHANGES.get(name) or FINE[name])(session)
        with told() as found:
            if leave == "with":
                with session:
                    pass
            elif leave == "close":
                session.close()
                session.close()
            del session
    if name in FINE:
        assert found == []
        return
    assert [(warning.category, str(warning.message)) for warning in found] == [
        (ResourceWarning, "a session was left with changes that no commit() has saved")
    ]
    assert leave == "del" or found[0].filename == __file__


def test_an_exception_is_reason_enough() -> None:
    with Manager(store="memory:") as manager, told() as found:
        with pytest.raises(ZeroDivisionError), manager.begin("") as session:
            session["a"] = 1
            raise ZeroDivisionError
        del session
    assert found == []


def test_who_was_told_that_the_store_is_away_knows(tmp_path: Any) -> None:
    class Away(Table):
        away = False

        def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Any:
            if self.away:
                raise TimeoutError
            return super().replace(key, expected, data, expires)

    store = Away(tmp_path / "s.db")
    with Manager(store=store, secret=SECRET) as manager, told() as found:
        with manager.begin(cookie(manager)) as session:
            session["a"] = 2
            store.away = True
            with pytest.raises(StoreError):
                session.commit()
        del session
    assert found == []


def test_a_logout_of_a_session_in_a_cookie_is_only_in_the_commit() -> None:
    with Manager(store="cookie:", secret=SECRET) as manager, told() as found:
        with manager.begin(cookie(manager)) as session:
            session.flush()
        del session
    assert [warning.category for warning in found] == [ResourceWarning]


def test_the_adapters_have_rules_of_their_own() -> None:
    def application(environ: Any, start_response: Any) -> Any:
        environ["tuile.session"]["a"] = 1
        if environ["PATH_INFO"] == "/error":
            raise ZeroDivisionError
        start_response(environ["PATH_INFO"][1:], [])
        return [b""]

    async def site(scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["a"] = 1
        if scope["path"] == "/error":
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": int(scope["path"][1:]), "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        pass

    app = Flask("example")
    app.config.update(SECRET_KEY=SECRET, PROPAGATE_EXCEPTIONS=True)
    SessionInterface("memory:").init_app(app)

    @app.get("/<what>")
    def page(what: str) -> Any:
        flask_session["a"] = 1
        return "", 1 // (what != "error") * int(what)

    with told() as found:
        for path in ("/200", "/500", "/error"):
            try:
                for part in wsgi.SessionMiddleware(application, store="memory:")({"PATH_INFO": path}, lambda *_: None):
                    assert part == b""
            except ZeroDivisionError:
                pass
            try:
                asyncio.run(asgi.SessionMiddleware(site, store="memory:")({"type": "http", "headers": [], "path": path}, None, send))  # type: ignore[arg-type]
            except ZeroDivisionError:
                pass
            try:
                app.test_client().get(path)
            except ZeroDivisionError:
                pass
    assert [warning for warning in found if warning.category is ResourceWarning and "session" in str(warning.message)] == []
