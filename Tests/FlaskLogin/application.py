"""A usual Flask-Login application: sign-up, login with and without "remember me", a cart, errors, a database.

Run as it is, its sessions are Flask's. With STORE in the environment one line is different: the one in `create`.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
from typing import Any, Optional

import flask
import flask_login
from flask import Flask, abort, flash, g, get_flashed_messages, redirect, request, session, url_for
from flask_login import UserMixin, current_user, fresh_login_required, login_required, login_user, logout_user
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.serving import make_server

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, name TEXT NOT NULL, item TEXT NOT NULL CHECK (item <> ''));
"""


class User(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def database() -> sqlite3.Connection:
    if "database" not in g:
        g.database = sqlite3.connect(flask.current_app.config["DATABASE"], timeout=20)
    connection: sqlite3.Connection = g.database
    return connection


def create(path: str, **settings: Any) -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="not a secret, but of thirty-two octets or more", DATABASE=path, **settings)
    if "STORE" in os.environ:
        from the_line import change

        change(app, os.environ["STORE"])
    manager = flask_login.LoginManager(app)
    manager.login_view = "login"
    manager.session_protection = "strong"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)

    @manager.user_loader
    def load(name: str) -> Optional[User]:
        found = database().execute("SELECT name FROM users WHERE name = ?", [name]).fetchone()
        return User(name) if found else None

    @app.teardown_appcontext
    def close(_: Optional[BaseException]) -> None:
        if connection := g.pop("database", None):
            connection.close()

    @app.get("/about")
    def about() -> str:
        return "a page without a session"

    @app.get("/")
    def home() -> str:
        name = current_user.id if current_user.is_authenticated else "nobody"
        return f"{name} {session.get('cart', [])} {get_flashed_messages()}"

    @app.post("/register")
    def register() -> Any:
        name, password = request.form["name"], request.form["password"]
        with database() as connection:
            try:
                connection.execute("INSERT INTO users VALUES (?, ?)", [name, generate_password_hash(password, "pbkdf2:sha256:1000")])
            except sqlite3.IntegrityError:
                flash(f"{name} is taken")
                return redirect(url_for("home"))
            login_user(User(name))
        return redirect(url_for("home"))

    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        if request.method == "GET":
            return f"who are you? {get_flashed_messages()}"
        name = request.form["name"]
        found = database().execute("SELECT hash FROM users WHERE name = ?", [name]).fetchone()
        if not found or not check_password_hash(found[0], request.form["password"]):
            flash("wrong")
            return "wrong", 403
        session.permanent = "permanent" in request.form
        login_user(User(name), remember="remember" in request.form)
        flash("welcome")
        return redirect(request.args.get("next") or url_for("home"))

    @app.post("/logout")
    @login_required
    def logout() -> Any:
        logout_user()
        return redirect(url_for("home"))

    @app.post("/forget")
    def forget() -> str:
        session.clear()
        return "forgotten"

    @app.get("/private")
    @login_required
    def private() -> str:
        return f"private: {current_user.id}"

    @app.get("/fresh")
    @fresh_login_required
    def fresh() -> str:
        return f"fresh: {current_user.id}"

    @app.post("/cart")
    def cart() -> str:
        session.setdefault("cart", []).append(request.form["item"])
        session.modified = True
        return str(session["cart"])

    @app.post("/order")
    @login_required
    def order() -> Any:
        """All of the cart or nothing of it: an item without a name ends the transaction."""
        with database() as connection:
            for item in session.get("cart", []):
                connection.execute("INSERT INTO orders (name, item) VALUES (?, ?)", [current_user.id, item])
            session.pop("cart", None)
        flash("ordered")
        return redirect(url_for("home"))

    @app.get("/error/<kind>")
    def error(kind: str) -> Any:
        flash(f"error: {kind}")
        session["kind"] = kind
        if kind == "raise":
            raise LookupError(kind)
        abort(int(kind))

    @app.get("/stream")
    def stream() -> Any:
        session["streamed"] = True

        def body() -> Any:
            yield "one "
            yield f"and {session.get('streamed')}"

        return flask.stream_with_context(body())

    @app.post("/slow")
    def slow() -> str:
        """Reads the session, says so to whoever listens, and waits for a word before it changes it."""
        session.get("cart")
        with socket.create_connection(("127.0.0.1", int(request.form["port"])), 20) as waiting:
            waiting.settimeout(20)
            waiting.recv(1)
        session["slow"] = True
        return "slow"

    return app


def serve() -> None:
    """On a free port, which it says."""
    server = make_server("127.0.0.1", 0, create(sys.argv[1]), threaded=True)
    print(server.port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
