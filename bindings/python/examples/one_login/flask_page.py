"""A Flask application: Flask-Session in Redis, and Flask-Login. It knows nothing of Tuile."""

from __future__ import annotations

import json
import os
from pathlib import Path

import flask
import flask_login
import flask_session
import redis

PLACES = json.loads((Path(os.environ["SITE_FOLDER"]) / "places.json").read_text())

application = flask.Flask(__name__)
application.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.from_url(PLACES["redis"]), SECRET_KEY=PLACES["flask_secret"])
flask_session.Session(application)
manager = flask_login.LoginManager(application)


class User(flask_login.UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


@manager.user_loader
def load(name: str) -> User:
    return User(name)


@application.get("/flask/")
def page() -> str:
    visits = flask.session["visits"] = flask.session.get("visits", 0) + 1
    user = flask_login.current_user
    return flask.render_template_string(
        '<h1 id=hello>Flask knows {{ name }}</h1><p id=visits>{{ visits }}</p><a href="/">Back</a>',
        name=user.id if user.is_authenticated else "nobody", visits=visits,
    )  # fmt: skip
