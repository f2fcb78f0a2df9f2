"""The examples count, each in the framework that it is for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from flask_page_count import app as flask_app
from starlette_page_count import app as starlette_app
from test_asgi import cookie_of
from tuile.asgi import SessionMiddleware

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def test_flask() -> None:
    client = flask_app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["You have seen 1 pages.\n", "You have seen 2 pages.\n"]


async def get(app: Any, cookie: str = "") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "root_path": "", "http_version": "1.1"}
    headers = [(b"cookie", cookie.encode())] if cookie else []
    await app({**scope, "headers": headers, "server": ("a", 80), "client": ("b", 1), "scheme": "http"}, receive, send)
    return sent


def bodies(app: Any) -> list[bytes]:
    first = asyncio.run(get(app))
    return [message["body"] for message in first + asyncio.run(get(app, cookie_of(first))) if message.get("body")]


def test_starlette() -> None:
    assert bodies(starlette_app) == [b"You have seen 1 pages.\n", b"You have seen 2 pages.\n"]


def test_fastapi() -> None:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, store="memory:")  # type: ignore[arg-type]

    @app.get("/")
    def count(request: Request) -> int:
        total: int = request.session.add_int("count")  # type: ignore[attr-defined]
        return total

    assert bodies(app) == [b"1", b"2"]


def test_django(tmp_path: Path) -> None:
    program = (
        "import django_page_count; from django.test import Client; c = Client(); "
        "print([c.get('/', headers={'host': '127.0.0.1'}).content for _ in range(2)])"
    )
    path = os.pathsep.join([str(EXAMPLES), os.environ.get("PYTHONPATH", ""), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert result.stdout == "[b'You have seen 1 pages.\\n', b'You have seen 2 pages.\\n']\n", result.stderr
