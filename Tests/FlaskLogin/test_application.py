"""The application's own tests, as its author wrote them: run with Flask's sessions, and with the line changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import application
import flask
import flask_login
import pytest
from flask.testing import FlaskClient


@pytest.fixture
def app(tmp_path: Path) -> flask.Flask:
    app = application.create(str(tmp_path / "users.db"), TESTING=True)
    app.test_client_class = flask_login.FlaskLoginClient
    return app


@pytest.fixture
def client(app: flask.Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        client.post("/register", data={"name": "ada", "password": "pw"})
        yield client


def test_register_logs_in(client: FlaskClient) -> None:
    assert client.get("/private").text == "private: ada"
    assert flask.session["_user_id"] == "ada" and flask_login.current_user.id == "ada"


def test_logout(client: FlaskClient) -> None:
    assert client.post("/logout").status_code == 302
    assert "_user_id" not in flask.session
    assert client.get("/private").location.startswith("/login")


def test_a_session_that_the_test_has_made(app: flask.Flask) -> None:
    visitor = app.test_client()
    with visitor.session_transaction() as session:
        session["cart"] = ["tea"]
    assert visitor.get("/").text == "nobody ['tea'] []"
    with visitor.session_transaction() as session:
        assert session["cart"] == ["tea"]
        session.clear()
    assert visitor.get("/").text == "nobody [] []"


def test_a_client_of_flask_logins(app: flask.Flask, client: FlaskClient) -> None:
    with app.test_client(user=application.User("ada"), fresh_login=False) as visitor:
        assert visitor.get("/private").text == "private: ada"
        assert visitor.get("/fresh").status_code == 401


def test_a_request_context(app: flask.Flask) -> None:
    with app.test_request_context("/"):
        flask.session["a"] = 1
        assert flask.session == {"a": 1}


def test_two_visitors(app: flask.Flask) -> None:
    one, other = app.test_client(), app.test_client()
    one.post("/register", data={"name": "ada", "password": "pw"})
    other.post("/cart", data={"item": "milk"})
    assert one.get("/").text == "ada [] []" and other.get("/").text == "nobody ['milk'] []"


def test_errors(app: flask.Flask, client: FlaskClient) -> None:
    with pytest.raises(LookupError):
        client.get("/error/raise")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False
    assert client.get("/error/raise").status_code == 500
    assert "error: raise" in client.get("/").text
