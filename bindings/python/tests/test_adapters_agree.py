"""One rule for errors in every adapter: the table in docs/python.md, row by row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import flask
import pytest
from dictionary_store import Dictionary
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from tuile import asgi, errors, wsgi
from tuile.flask import SessionInterface
from tuile.sessions import Manager

SECRET = "a secret of thirty-two octets, or more"
Change = Callable[[Any], Any]


def nothing(session: Any) -> None:
    pass


class Answer(NamedTuple):
    """Status 0: the exception is the server's to report."""

    status: int
    cookie: str
    vary: bool


def _answer(status: int, headers: list[tuple[str, str]]) -> Answer:
    known = [(name.lower(), value) for name, value in headers]
    cookies = [value.partition(";")[0] for name, value in known if name == "set-cookie"]
    return Answer(status, cookies[0] if cookies else "", ("vary", "Cookie") in known)


def in_wsgi(stream: bool, store: Dictionary, change: Change, status: int, cookie: str, late: Change) -> Answer:
    def application(environ: Any, start_response: Any) -> Any:
        session = environ["tuile.session"]
        change(session)
        start_response(f"{status} Said", [("Content-Type", "text/plain")])

        def body() -> Iterator[bytes]:
            yield b"x"
            late(session)

        return body() if stream else [b"x"]

    started: list[Any] = []
    with Manager(store=store, secret=SECRET) as manager:
        environ: dict[str, Any] = {"HTTP_COOKIE": cookie, "wsgi.input": BytesIO()}
        setup_testing_defaults(environ)
        try:
            body = wsgi.SessionMiddleware(application, manager)(environ, lambda *start: started.append(start))
            for _ in body:
                pass
            if hasattr(body, "close"):
                body.close()
        except (errors.StoreError, LookupError):
            return Answer(0, "", False)
    return _answer(int(started[-1][0][:3]), started[-1][1])


def _in_asgi(application: Any, store: Dictionary, cookie: str, **more: Any) -> Answer:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        # Nobody hangs up.
        await asyncio.Event().wait()

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "",
        "headers": [(b"cookie", cookie.encode())], "http_version": "1.1", "scheme": "http", "server": ("a", 80),
    }  # fmt: skip
    with Manager(store=store, secret=SECRET) as manager:
        try:
            asyncio.run(application(manager)(scope, receive, send))
        except (errors.StoreError, LookupError):
            # Starlette answers 500 itself, past the middleware, and raises it nonetheless.
            return Answer(0, "", False)
    return _answer(sent[0]["status"], [(name.decode(), value.decode()) for name, value in sent[0]["headers"]])


def in_asgi(stream: bool, store: Dictionary, change: Change, status: int, cookie: str, late: Change) -> Answer:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        change(scope["session"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": stream})
        if stream:
            late(scope["session"])
            await send({"type": "http.response.body", "body": b""})

    return _in_asgi(lambda manager: asgi.SessionMiddleware(application, manager), store, cookie)


def in_starlette(stream: bool, store: Dictionary, change: Change, status: int, cookie: str, late: Change) -> Answer:
    async def page(request: Request) -> Any:
        # To ask for `request.session` is to use it already.
        change(request.scope["session"])

        async def body() -> Any:
            yield b"x"
            late(request.scope["session"])

        return StreamingResponse(body(), status) if stream else PlainTextResponse("x", status)

    def application(manager: Manager) -> Any:
        made = Starlette(routes=[Route("/", page)])
        made.add_middleware(asgi.SessionMiddleware, manager=manager)  # type: ignore[arg-type]
        return made

    return _in_asgi(application, store, cookie)


def in_flask(stream: bool, store: Dictionary, change: Change, status: int, cookie: str, late: Change) -> Answer:
    app = flask.Flask("agreeing")
    app.config.update(SECRET_KEY=SECRET, SESSION_COOKIE_NAME="sessionid")
    SessionInterface(store).init_app(app)

    @app.get("/")
    def page() -> Any:
        change(flask.session)
        return "x", status

    response = app.test_client(use_cookies=False).get("/", headers={"Cookie": cookie})
    return _answer(response.status_code, list(response.headers))


ADAPTERS = {
    "wsgi": (in_wsgi, False), "wsgi stream": (in_wsgi, True), "asgi": (in_asgi, False), "asgi stream": (in_asgi, True),
    "starlette": (in_starlette, False), "starlette stream": (in_starlette, True), "flask": (in_flask, False),
}  # fmt: skip
#: Where the framework's own session is saved whatever the status is.
SAVES_ERRORS = {"starlette", "starlette stream", "flask"}


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class Site:
    def __init__(self, adapter: str) -> None:
        self._visit, self._stream = ADAPTERS[adapter]
        self.store = Dictionary(reopens=True)

    def visit(self, change: Change, status: int = 200, cookie: str = "", late: Change = nothing) -> Answer:
        return self._visit(self._stream, self.store, change, status, cookie, late)

    def holds(self, cookie: str) -> Any:
        with Manager(store=self.store, secret=SECRET) as manager, manager.begin(cookie) as session:
            return dict(session)


@pytest.fixture
def site(adapter: str) -> Site:
    return Site(adapter)


@pytest.mark.parametrize("status", [200, 302, 404, 499, 500, 503, 599])
def test_a_change(adapter: str, site: Site, status: int) -> None:
    cookie = site.visit(lambda s: s.update(a=1)).cookie
    saves = status < 500 or adapter in SAVES_ERRORS
    answer = site.visit(lambda s: s.update(a=2), status, cookie)
    assert answer == Answer(status, cookie if saves else "", True)
    assert site.holds(cookie) == {"a": 2 if saves else 1}
    answer = site.visit(lambda s: s.update(a=2), status)
    assert (answer.status, bool(answer.cookie)) == (status, saves)


@pytest.mark.parametrize("status", [200, 500])
def test_a_change_while_the_body_is_sent(adapter: str, site: Site, status: int) -> None:
    if "stream" not in adapter:
        pytest.skip("nothing runs by then")
    cookie = site.visit(lambda s: s.update(a=1)).cookie
    saves = status < 500 or adapter in SAVES_ERRORS
    site.visit(lambda s: s.get("a"), status, cookie, lambda s: s.update(late=True))
    assert site.holds(cookie) == ({"a": 1, "late": True} if saves else {"a": 1})


def test_a_session_that_was_ended_meanwhile(adapter: str, site: Site) -> None:
    def log_out() -> None:
        with Manager(store=site.store, secret=SECRET) as manager, manager.begin(cookie) as other:
            other.flush()

    cookie = site.visit(lambda s: s.update(a=1)).cookie
    answer = site.visit(lambda s: (s.update(a=2), log_out()), 200, cookie)
    assert answer.status == 400 and not answer.cookie
    cookie = site.visit(lambda s: s.update(a=1)).cookie
    # Who only read has his page.
    assert site.visit(lambda s: (s.get("a"), log_out()), 200, cookie) == Answer(200, "", True)
    cookie = site.visit(lambda s: s.update(a=1)).cookie
    # There is nothing to save with an error, and where there is, it is the error that is answered.
    answer = site.visit(lambda s: (s.update(a=2), log_out()), 503, cookie)
    assert answer.status == (400 if adapter in SAVES_ERRORS else 503)
    assert site.holds(cookie) == {}


def test_a_session_that_was_ended_while_the_body_is_sent(adapter: str, site: Site) -> None:
    def log_out() -> None:
        with Manager(store=site.store, secret=SECRET) as manager, manager.begin(cookie) as other:
            other.flush()

    cookie = site.visit(lambda s: s.update(a=1)).cookie
    assert site.visit(lambda s: s.get("a"), 200, cookie, lambda s: (s.update(a=2), log_out())).status == 200
    assert site.holds(cookie) == ({} if "stream" in adapter else {"a": 1})


def test_an_outage(adapter: str, site: Site) -> None:
    cookie = site.visit(lambda s: s.update(a=1)).cookie
    failed = 500 if adapter == "flask" else 0
    site.store.away = True
    assert site.visit(nothing, 200, cookie) == Answer(200, "", False)
    # Asked for, and not answered.
    assert site.visit(lambda s: s.get("a"), 200, cookie).status == failed

    def told(session: Any) -> None:
        with pytest.raises(errors.StoreError):
            session.get("a")

    # The application knows: its answer goes out, whatever it is.
    for status in (200, 503):
        assert site.visit(told, status, cookie) == Answer(status, "", True)

    def lose(session: Any) -> None:
        session["a"] = 2
        site.store.away = True

    site.store.away = False
    assert site.visit(lose, 200, cookie).status == failed
    site.store.away = False
    assert site.visit(lose, 503, cookie).status == (failed if adapter in SAVES_ERRORS else 503)
    site.store.away = False

    def read(session: Any) -> None:
        assert session["a"] == 1
        site.store.away = True

    assert site.visit(read, 200, cookie) == Answer(200, "", True)
    site.store.away = False
    assert site.holds(cookie) == {"a": 1}


def test_an_exception(adapter: str, site: Site) -> None:
    cookie = site.visit(lambda s: s.update(a=1)).cookie

    def fail(session: Any) -> None:
        session["a"] = 2
        raise LookupError

    answer = site.visit(fail, 200, cookie)
    assert answer.status == (500 if adapter == "flask" else 0)
    # Flask's own answer to an exception is a response as any other.
    assert site.holds(cookie) == {"a": 2 if adapter == "flask" else 1}


def test_a_logout_is_final_whatever_the_status_is(adapter: str, site: Site) -> None:
    for status in (200, 500):
        cookie = site.visit(lambda s: s.update(a=1)).cookie
        site.visit(lambda s: s.flush(), status, cookie)
        assert site.holds(cookie) == {}
