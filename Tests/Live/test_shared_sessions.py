"""One session in one cookie, by turns in a real Flask or Starlette application and in Tuile."""

from __future__ import annotations

from typing import Any

from flask import Flask, session as flask_session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from tuile.sessions import Manager

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz"


def count_in_tuile(manager: Manager, cookie: str) -> tuple[int, str]:
    with manager.begin(cookie) as session:
        number = session.add_int("n", 1)
        headers: dict[str, Any] = dict(session.commit(200))
        return number, headers["Set-Cookie"].split(";")[0]


def test_flask() -> None:
    app = Flask("app")
    app.secret_key = SECRET

    @app.get("/")
    def page() -> str:
        flask_session["n"] = flask_session.get("n", 0) + 1
        return str(flask_session["n"])

    cookie = ""
    with Manager(store="cookie:flask", secret=SECRET, cookie_name="session") as manager:
        for turn in range(1, 11):
            if turn % 2:
                response = app.test_client(use_cookies=False).get("/", headers={"Cookie": cookie})
                assert response.text == str(turn)
                cookie = response.headers["Set-Cookie"].split(";")[0]
            else:
                number, cookie = count_in_tuile(manager, cookie)
                assert number == turn


def test_starlette() -> None:
    def page(request: Request) -> PlainTextResponse:
        request.session["n"] = request.session.get("n", 0) + 1
        return PlainTextResponse(str(request.session["n"]))

    app = Starlette(routes=[Route("/", page)], middleware=[Middleware(SessionMiddleware, secret_key=SECRET)])
    cookie = ""
    with Manager(store="cookie:starlette", secret=SECRET, cookie_name="session") as manager:
        for turn in range(1, 11):
            if turn % 2:
                response = TestClient(app, cookies={}).get("/", headers={"Cookie": cookie} if cookie else {})
                assert response.text == str(turn)
                cookie = response.headers["set-cookie"].split(";")[0]
            else:
                number, cookie = count_in_tuile(manager, cookie)
                assert number == turn
