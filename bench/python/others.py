"""What the comparisons need besides Django: a Redis of their own, and Flask's and Starlette's sessions beside Tuile's."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import flask
import tuile.asgi
import tuile.flask
from starlette.middleware.sessions import SessionMiddleware as StarlettesMiddleware
from werkzeug.test import EnvironBuilder


@contextmanager
def redis(path: str) -> Iterator[None]:
    """A server on a socket in a file, which keeps nothing on the disk."""
    command = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", str(Path(path).parent)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not Path(path).exists():
            if server.poll() is not None:
                raise SystemExit("redis-server does not start")
            time.sleep(0.01)
        yield
    finally:
        server.terminate()
        server.wait(30)


def _pair(headers: list[tuple[str, str]]) -> str:
    cookie = next(iter(SimpleCookie(next(value for name, value in headers if name.lower() == "set-cookie")).values()))
    return f"{cookie.key}={cookie.coded_value}"


def _flask(interface: Any, secret: str, values: dict[str, Any], changes: bool) -> Callable[[], Any]:
    app = flask.Flask("bench")
    app.secret_key = secret
    if interface is not None:
        interface.init_app(app)

    @app.get("/begin")
    def begin() -> str:
        flask.session.update(values, count=0)
        return ""

    @app.get("/")
    def page() -> str:
        if changes:
            flask.session["count"] += 1
            return ""
        return str(flask.session["list"][7])

    def call(path: str, cookie: str) -> list[tuple[str, str]]:
        environ = EnvironBuilder(path=path, headers={"Cookie": cookie}).get_environ()
        found: list[tuple[str, str]] = []
        b"".join(app.wsgi_app(environ, lambda status, headers, info=None: found.extend(headers)))
        return found

    cookie = _pair(call("/begin", ""))
    environ = EnvironBuilder(path="/", headers={"Cookie": cookie}).get_environ()

    def start(status: str, headers: list[tuple[str, str]], info: Any = None) -> None:
        assert status == "200 OK"

    return lambda: b"".join(app.wsgi_app(environ.copy(), start))


def _starlette(middleware: Callable[[Any], Any], values: dict[str, Any], changes: bool) -> Callable[[], Any]:
    """By a loop that is run for each request, which costs all of them the same."""
    loop = asyncio.new_event_loop()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        session = scope["session"]
        if scope["path"] == "/begin":
            session.update(values, count=0)
        elif changes:
            session["count"] += 1
        else:
            session["list"][7]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app, found = middleware(application), []

    async def send(message: Any) -> None:
        found[:] = message.get("headers", found)

    def call(path: str, cookie: str) -> None:
        headers = [(b"cookie", cookie.encode())] if cookie else []
        loop.run_until_complete(app({"type": "http", "path": path, "headers": headers}, None, send))

    call("/begin", "")
    cookie = _pair([(name.decode(), value.decode()) for name, value in found])
    return lambda: call("/", cookie)


def frameworks(secret: str, values: dict[str, Any], changes: bool) -> dict[str, dict[str, Callable[[], Any]]]:
    def ours(store: str) -> Callable[[], Any]:
        return _starlette(lambda app: tuile.asgi.SessionMiddleware(app, store=store, secret=secret), values, changes)

    def flasks(store: str) -> Callable[[], Any]:
        return _flask(tuile.flask.SessionInterface(store), secret, values, changes)

    own_flask = _flask(None, secret, values, changes)
    own_starlette = _starlette(lambda app: StarlettesMiddleware(app, secret_key=secret), values, changes)
    return {
        "Flask, its cookie": {"tuile": flasks("cookie:flask"), "Flask's own": own_flask},
        "Flask, memory": {"tuile": flasks("memory:"), "Flask's own, a cookie": own_flask},
        "ASGI, Starlette's cookie": {"tuile": ours("cookie:starlette"), "Starlette's own": own_starlette},
        "ASGI, memory": {"tuile": ours("memory:"), "Starlette's own, a cookie": own_starlette},
    }
