"""Counts each visitor's pages: `uvicorn starlette_page_count:app`, then open http://127.0.0.1:8000/."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tuile.asgi import SessionMiddleware


async def count(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"You have seen {request.session.add_int('count')} pages.\n")


app = Starlette(routes=[Route("/", count)])
app.add_middleware(SessionMiddleware, store="memory:")
