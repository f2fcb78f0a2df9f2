"""Counts each visitor's pages: `flask --app flask_page_count run`, then open http://127.0.0.1:5000/."""

from __future__ import annotations

from flask import Flask, session
from tuile.flask import SessionInterface

app = Flask(__name__)
app.secret_key = "an example of 32 bytes, not a secret"
SessionInterface("memory:").init_app(app)


@app.get("/")
def count() -> str:
    return f"You have seen {session.add_int('count')} pages.\n"
