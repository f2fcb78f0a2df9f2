"""The WSGI middleware: when it saves, and what it answers if it can't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_stores import Away
from tuile import errors
from tuile.sessions import Manager
from tuile.wsgi import SessionMiddleware
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator


class Answer:
    def __init__(self, application: Any, cookie: str = "") -> None:
        environ: dict[str, Any] = {"HTTP_COOKIE": cookie, "QUERY_STRING": ""}
        setup_testing_defaults(environ)
        environ["wsgi.file_wrapper"] = FileWrapper
        self.parts: list[bytes] = []
        # wsgiref's validator complains of what the standard forbids, to the server and to the application.
        body = validator(application)(environ, self._start)
        self.parts += body
        if hasattr(body, "close"):
            body.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.status, self.headers = status, headers
        return self.parts.append

    @property
    def cookie(self) -> str:
        return dict(self.headers)["Set-Cookie"].partition(";")[0]


def application(change: Callable[[Any], Any], body: Callable[[Any], Iterable[bytes]]) -> Any:
    def run(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        session = environ["tuile.session"]
        start_response("200 OK", [("Content-Type", "text/plain"), ("Vary", "Accept, cookie")])
        change(session)
        return body(session)

    return validator(run)


def stream(session: Any) -> Iterator[bytes]:
    session["before"] = True
    yield b"one"
    session["after"] = True
    yield b"two"


def count(session: Any) -> None:
    session.add_int("count")


@pytest.mark.parametrize("body", [lambda _: [b"x"], stream, lambda _: iter(())])
def test_it_saves_before_the_headers_go_out(manager: Manager, body: Any) -> None:
    wrapped = SessionMiddleware(application(count, body), manager)
    first = Answer(wrapped)
    assert first.status == "200 OK" and [n for n, _ in first.headers].count("Vary") == 1
    again = Answer(wrapped, first.cookie)
    with manager.begin(again.cookie) as session:
        assert session["count"] == 2
        assert ("before" in session, "after" in session) == ((True, True) if body is stream else (False, False))


def test_an_application_that_asks_nothing_gets_no_header(manager: Manager) -> None:
    answer = Answer(SessionMiddleware(application(lambda _: None, lambda _: [b"x"]), manager), "sessionid=" + "a" * 32)
    assert [name for name, _ in answer.headers] == ["Content-Type", "Vary"]


@pytest.mark.parametrize("body", [lambda _: [b"x"], stream])
def test_a_session_that_another_request_ended_is_a_400(manager: Manager, body: Any) -> None:
    cookie = Answer(SessionMiddleware(application(count, lambda _: [b"x"]), manager)).cookie

    def log_out_elsewhere(session: Any) -> None:
        count(session)
        with manager.begin(cookie) as other:
            other.flush()

    answer = Answer(SessionMiddleware(application(log_out_elsewhere, body), manager), cookie)
    assert answer.status == "400 Bad Request" and answer.parts == [b"The session was ended by another request.\n"]
    assert "Set-Cookie" not in dict(answer.headers)


def test_a_store_that_is_away_is_the_servers_to_report_and_logs_nobody_out(tmp_path: Path) -> None:
    store = Away(tmp_path / "sessions.db")
    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager:
        wrapped = SessionMiddleware(application(count, lambda _: [b"x"]), manager)
        cookie = Answer(wrapped).cookie
        store.away = True
        with pytest.raises(errors.StoreError):
            Answer(wrapped, cookie)
        store.away = False
        assert Answer(wrapped, cookie).status == "200 OK"


def test_an_exception_saves_nothing(manager: Manager) -> None:
    def fail(session: Any) -> None:
        count(session)
        raise LookupError

    with pytest.raises(LookupError):
        Answer(SessionMiddleware(application(fail, lambda _: []), manager))
    assert manager.stats()["saves"] == 0


def test_write_is_the_servers(manager: Manager) -> None:
    def old(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        count(environ["tuile.session"])
        write(b"written")
        return [b"returned"]

    answer = Answer(SessionMiddleware(validator(old), manager))
    assert answer.parts == [b"written", b"returned"] and answer.cookie
