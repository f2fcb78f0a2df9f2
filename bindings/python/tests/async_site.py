"""An ASGI application in a real server: test_websockets.py starts it with uvicorn and hypercorn.

Its websocket does what it is told, a word a message, and answers with what the session holds.
"""

from __future__ import annotations

import json
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from tuile.asgi import SessionMiddleware
from tuile.errors import ArgumentError, StoreError
from tuile.sessions import SessionDeleted


async def page(request: Request) -> PlainTextResponse:
    for name, value in request.query_params.items():
        request.session[name] = value
    if "out" in request.query_params:
        request.session.flush()  # type: ignore[attr-defined]
    return PlainTextResponse(json.dumps(request.session))


async def talk(socket: WebSocket) -> None:
    session = socket.session
    if "early" in socket.query_params:
        session["early"] = True
        await session.commit()  # type: ignore[attr-defined]
    await socket.accept()
    while True:
        word, _, value = (await socket.receive_text()).partition("=")
        answer = "done"
        try:
            if word == "set":
                session["socket"] = value
            elif word == "count":
                session.add_int("n")  # type: ignore[attr-defined]
            elif word == "flush":
                session.flush()  # type: ignore[attr-defined]
            elif word == "end":
                return
            elif word == "fail":
                raise LookupError("as told")
            else:
                # commit, reload, cycle_key
                result = getattr(session, word)()
                if result is not None:
                    await result
        except (ArgumentError, SessionDeleted, StoreError) as problem:
            answer = type(problem).__name__
        await socket.send_text(json.dumps([answer, dict(session)]))


app = Starlette(routes=[Route("/", page), WebSocketRoute("/talk", talk)])
app.add_middleware(
    SessionMiddleware,  # type: ignore[arg-type]
    store=os.environ.get("SITE_STORE", "memory:"),
    secret="a secret of thirty-two octets, or more",
)
