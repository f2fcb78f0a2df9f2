"""A Flask application whose session is read, written, deleted and counted in by commands."""

from __future__ import annotations

import json
import time
from typing import Any


def commands(app: Any) -> Any:
    """What answers a command of the application's, with its own test client as the browser."""
    from flask import request, session

    @app.route("/read")
    def read() -> Any:
        return dict(session)

    @app.route("/write", methods=["POST"])
    def write() -> Any:
        session.update(request.get_json())
        return {}

    @app.route("/delete")
    def delete() -> Any:
        session.clear()
        return {}

    @app.route("/add/<name>")
    def add(name: str) -> Any:
        value = session.get(name, 0)
        time.sleep(0.001)
        session[name] = value + 1
        return {}

    def answer(command: str, sid: str = "", *arguments: str) -> Any:
        client = app.test_client()
        if sid:
            client.set_cookie("session", sid)
        if command == "write":
            reply = client.post("/write", json=json.loads(arguments[0]))
            cookie = client.get_cookie("session")
            assert reply.status_code == 200 and cookie is not None
            return cookie.value
        if command == "count":
            for _ in range(int(arguments[1])):
                assert client.get(f"/add/{arguments[0]}").status_code == 200
            return None
        return client.get(f"/{command}").get_json()

    return answer
