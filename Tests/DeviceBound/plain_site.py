"""The same pages without Django: WSGI, Flask and ASGI, each with Tuile's adapter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Answer = tuple[int, str, dict[str, str]]


def act(session: Any, manager: Any, path: str, query: dict[str, str]) -> Answer:
    """What an application does with a session that is a mapping with Tuile's methods."""
    if path == "/login" and "user" in query:
        session.cycle_key()
        session["user"] = query["user"]
        session.owner = query["user"]
        return (303, "", {"Location": query["next"]}) if "next" in query else (200, "welcome", {})
    if path == "/login":
        return 200, "the login page", {}
    if path == "/logout":
        session.flush()
        return 200, "good bye", {}
    if path == "/members" and not session.get("user"):
        return 302, "", {"Location": "/login"}
    if path == "/cycle":
        session.cycle_key()
    if path == "/public":
        return 200, "for everybody", {}
    if path == "/sessions":
        found = manager.sessions(session["user"], session)
        return 200, json.dumps([{"id": one.id, "current": one.current, "device_bound": one.device_bound} for one in found]), {}
    if path == "/revoke":
        return 200, json.dumps(manager.revoke(session["user"], query["id"])), {}
    number = session.add_int("count") if path == "/count" else session.get("count", 0)
    return 200, json.dumps({"user": session.get("user", ""), "count": number}), {}


def _query(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text).items()}


def _kind(body: str) -> str:
    return "application/json" if body[:1] in "{[tf" and body[:3] != "for" and body[:3] != "the" else "text/html"


def wsgi(**settings: Any) -> tuple[Any, Any]:
    """The application, and its manager."""
    from tuile.wsgi import SessionMiddleware

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        session, query = environ["tuile.session"], _query(environ.get("QUERY_STRING", ""))
        status, body, more = act(session, made.manager, environ["PATH_INFO"], query)
        start_response(f"{status} OK", [("Content-Type", _kind(body)), *more.items()])
        return [body.encode()]

    made = SessionMiddleware(application, **settings)
    return made, made.manager


def flask(**settings: Any) -> tuple[Any, Any]:
    from flask import Flask, Response, request, session
    from tuile.flask import SessionInterface

    settings.pop("cookie_secure")
    app = Flask("bound")
    app.config.update(SECRET_KEY=settings.pop("secret"), SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax")
    interface = SessionInterface(settings.pop("store"), login_keys=("user",), **settings)
    interface.init_app(app)

    @app.get("/<path:name>")
    def any(name: str) -> Response:
        status, body, more = act(session, interface.manager(app), f"/{name}", request.args.to_dict())
        return Response(body, status, more, content_type=_kind(body))

    return app, interface.manager(app)


def asgi(**settings: Any) -> tuple[Any, Any]:
    """Starlette, each request in a loop of its own."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from tuile.asgi import SessionMiddleware

    async def any(request: Request) -> Response:
        session, query = request.scope["session"], dict(request.query_params)
        status, body, more = act(session, made.manager, request.url.path, query)
        return Response(body, status, more, media_type=_kind(body))

    made = SessionMiddleware(Starlette(routes=[Route("/{rest:path}", any)]), **settings)
    return lambda environ, start: _run(made, environ, start), made.manager


def _run(application: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = [(name[5:].replace("_", "-").lower().encode(), value.encode("latin-1")) for name, value in environ.items() if name[:5] == "HTTP_"]
    path = environ["PATH_INFO"]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": environ.get("QUERY_STRING", "").encode(),
        "root_path": "",
        "headers": headers,
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "client": ("127.0.0.1", 1),
    }
    body: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", [])]
            start_response(f"{message['status']} OK", pairs)
        else:
            body.append(message.get("body", b""))

    asyncio.run(application(scope, receive, send))
    return body
