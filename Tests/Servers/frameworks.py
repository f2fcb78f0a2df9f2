"""Frameworks that keep their sessions on the server, each with its own login, as their documentation has it.

Each says which store's URL their sessions are in, and lets a visitor log in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import http.client
import http.cookies
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

from processes import free_port, wait_for_port

PASSWORD = "a password of the tests'"
KEYBOARD = "keyboard cat"  # Express' documentation has such short ones


class Browser:
    """Keeps cookies, and sends them."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def ask(self, port: int, path: str, form: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{port}"}
        try:
            connection.request("GET" if form is None else "POST", path, None if form is None else urlencode(form), headers)
            answer = connection.getresponse()
            body = answer.read().decode()
        finally:
            connection.close()
        for value in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(value).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value
        return answer.status, body, dict(answer.headers)


class Framework:
    """`url` has REDIS for where the server is."""

    cookie_name = "session"
    login_key = ""
    secret = ""

    def __init__(self, folder: Path, redis: str) -> None:
        self.folder, self.redis = folder, redis
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[Framework]:
        yield self

    def forged(self, cookie: str) -> list[str]:
        """What somebody makes of a session's cookie, or of its ID alone, without the secret."""
        return []

    def log_in(self, browser: Browser) -> str:
        """Gives whoever is logged in, as the session says it."""
        raise NotImplementedError

    def visit(self, browser: Browser) -> None:
        """A session of somebody who is not logged in."""
        raise NotImplementedError

    def log_out(self, browser: Browser) -> None:
        raise NotImplementedError


@contextmanager
def serving(command: list[str], port: int, folder: Path, **environment: str) -> Iterator[None]:
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, text=True, cwd=folder, env=os.environ | environment)
    try:
        wait_for_port(port, process, log, seconds=120)
        yield
    finally:
        process.terminate()
        process.wait(60)


class Served(Framework):
    command: list[str] = []

    def start(self) -> list[str]:
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[Framework]:
        self.folder.mkdir()
        self.port = free_port()
        with serving(self.start(), self.port, self.folder):
            yield self

    def visit(self, browser: Browser) -> None:
        status, _, _ = browser.ask(self.port, "/visit")
        assert status == 200 and self.cookie_name in browser.cookies

    def log_in(self, browser: Browser) -> str:
        status, body, _ = browser.ask(self.port, "/login", {"name": "anna", "password": PASSWORD})
        assert status in (200, 302), body
        return "anna"

    def log_out(self, browser: Browser) -> None:
        browser.ask(self.port, "/logout", {})


PHP = """<?php
session_start();
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/login' && ($_POST['password'] ?? '') === getenv('PASSWORD')) {
  session_regenerate_id(true);
  $_SESSION['user_id'] = $_POST['name'];
} elseif ($path === '/logout') {
  $_SESSION = [];
  session_destroy();
} else {
  $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
}
"""


class PHPFiles(Served):
    """PHP itself, with its files; what is in the session is the application's choice."""

    cookie_name, login_key = "PHPSESSID", "user_id"

    def start(self) -> list[str]:
        sessions = self.folder / "sessions"
        sessions.mkdir(mode=0o700)
        self.url = f"file://{sessions}?layout=php"
        (self.folder / "index.php").write_text(PHP)
        user = []
        if os.geteuid() == 0:
            for path in (self.folder, sessions):
                shutil.chown(path, "www-data", "www-data")
            user = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"]
        os.environ["PASSWORD"] = PASSWORD
        return [*user, "php", "-d", f"session.save_path={sessions}", "-d", "session.use_strict_mode=1", "-S",
                f"127.0.0.1:{self.port}", str(self.folder / "index.php")]  # fmt: skip


class Django(Served):
    """What `django-admin startproject` makes, with the settings of a cache on Redis and Django's own login view."""

    cookie_name = "sessionid"

    def start(self) -> list[str]:
        project = self.folder / "project"
        subprocess.run([sys.executable, "-m", "django", "startproject", "shop", "."], cwd=self._made(project), check=True)
        with (project / "shop/settings.py").open("a") as settings:
            settings.write(
                f"CACHES = {{'default': {{'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': {self.redis!r}}}}}\n"
                "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\nALLOWED_HOSTS = ['*']\nLOGIN_REDIRECT_URL = '/admin/'\n"
                "SESSION_SAVE_EVERY_REQUEST = False\n"
            )
        (project / "shop/urls.py").write_text(
            "from django.contrib import admin\nfrom django.http import HttpResponse\nfrom django.urls import path\n"
            "def visit(request):\n    request.session['seen'] = True\n    return HttpResponse('seen')\n"
            "urlpatterns = [path('admin/', admin.site.urls), path('visit', visit)]\n"
        )
        manage = [sys.executable, str(project / "manage.py")]
        subprocess.run([*manage, "migrate", "-v0"], check=True)
        subprocess.run([*manage, "createsuperuser", "--noinput", "--username", "anna", "--email", "anna@example.org"], check=True,
                       env=os.environ | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}, stdout=subprocess.DEVNULL)  # fmt: skip
        self.url = f"{self.redis}?layout=django-cache"
        return [*manage, "runserver", "--noreload", f"127.0.0.1:{self.port}"]

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir()
        return folder

    def _token(self, browser: Browser, path: str) -> str:
        _, page, _ = browser.ask(self.port, path)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, page[:400]
        return html.unescape(found[1])

    def log_in(self, browser: Browser) -> str:
        token = self._token(browser, "/admin/login/")
        form = {"csrfmiddlewaretoken": token, "username": "anna", "password": PASSWORD, "next": "/admin/"}
        status, page, _ = browser.ask(self.port, "/admin/login/", form)
        assert status == 302, page[:400]
        return "1"

    def log_out(self, browser: Browser) -> None:
        status, _, _ = browser.ask(self.port, "/admin/logout/", {"csrfmiddlewaretoken": self._token(browser, "/admin/")})
        assert status == 200


FLASK = """
import sys
import flask, flask_login, flask_session, redis
application = flask.Flask(__name__)
application.config.update(SECRET_KEY="a secret of Flask's tests, 0123456789", SESSION_TYPE="redis", SESSION_REDIS=redis.from_url(sys.argv[2]))
flask_session.Session(application)
manager = flask_login.LoginManager(application)

class User(flask_login.UserMixin):
    def __init__(self, name): self.id = name

@manager.user_loader
def load(name): return User(name)

@application.post("/login")
def login():
    if flask.request.form["password"] != sys.argv[3]: flask.abort(403)
    flask_login.login_user(User(flask.request.form["name"]))
    return "welcome"

@application.post("/logout")
def logout():
    flask_login.logout_user()
    return "bye"

@application.get("/visit")
def visit():
    flask.session["seen"] = True
    return "seen"

application.run(port=int(sys.argv[1]))
"""


class Flask(Served):
    """Flask-Session in Redis, with Flask-Login."""

    def start(self) -> list[str]:
        self.url = f"{self.redis}?layout=flask-session"
        (self.folder / "shop.py").write_text(FLASK)
        return [sys.executable, str(self.folder / "shop.py"), str(self.port), self.redis, PASSWORD]


class Express(Framework):
    """express-session with connect-redis and Passport, which no package has: their own formulas."""

    cookie_name, secret = "connect.sid", KEYBOARD

    def __init__(self, folder: Path, redis: str) -> None:
        super().__init__(folder, redis)
        import redis as package

        self.client = package.from_url(redis)
        self.url = f"{redis}?layout=express"

    def _session(self, browser: Browser, **values: object) -> None:
        sid = secrets.token_urlsafe(24)
        cookie = {"originalMaxAge": 3600000, "expires": "2099-01-01T00:00:00.000Z", "httpOnly": True, "path": "/"}
        self.client.set(f"sess:{sid}", json.dumps({"cookie": cookie, **values}, separators=(",", ":")), ex=3600)
        mac = base64.b64encode(hmac.digest(KEYBOARD.encode(), sid.encode(), hashlib.sha256)).decode().rstrip("=")
        browser.cookies[self.cookie_name] = quote(f"s:{sid}.{mac}", safe="")
        self.sid = sid

    def log_in(self, browser: Browser) -> str:
        self._session(browser, passport={"user": "anna"}, at=int(time.time()))
        return "anna"

    def visit(self, browser: Browser) -> None:
        self._session(browser, seen=True)

    def forged(self, cookie: str) -> list[str]:
        return [self.sid, f"s%3A{self.sid}"]

    def log_out(self, browser: Browser) -> None:
        self.client.delete(f"sess:{self.sid}")


FRAMEWORKS: dict[str, type[Framework]] = {"php": PHPFiles, "express": Express, "django-cache": Django, "flask-session": Flask}
