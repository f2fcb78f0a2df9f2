"""A browser's visits to the application in two servers, Flask's sessions in one and the line changed in the
other: same status, same pages, same cookies, same rows. What differs, and is meant so, is named here."""

from __future__ import annotations

import email.utils
import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

HERE = Path(__file__).resolve().parent
STORES = ["memory:", "sqlite", "cookie:flask", "python"]


class Answer(NamedTuple):
    status: int
    place: Optional[str]
    page: str
    vary: Optional[str]
    cached: Optional[str]
    cookies: list[str]


class Site:
    """The application in a server of its own."""

    def __init__(self, folder: Path, store: Optional[str]) -> None:
        folder.mkdir()
        self.database = folder / "users.db"
        environment = {name: value for name, value in os.environ.items() if name != "STORE"}
        if store:
            self.away = folder / "store.db.away"
            environment["STORE"] = {"sqlite": f"sqlite://{folder / 'store.db'}", "python": str(folder / "store.db")}.get(store, store)
        self._log = open(folder / "log", "w+b")
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "application.py"), str(self.database)],
            env=environment, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, (folder / "log").read_text()
        self.port = int(line)

    def rows(self) -> list[Any]:
        with sqlite3.connect(self.database) as connection:
            return [connection.execute(f"SELECT {what}").fetchall() for what in ("name FROM users", "name, item FROM orders")]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self._process.stdout.close()  # type: ignore[union-attr]
        self._log.close()


class Browser:
    """Keeps cookies as they are set; everything of this site goes to everything of it."""

    def __init__(self, site: Site, agent: str = "a browser") -> None:
        self.site, self.agent = site, agent
        self.cookies: dict[str, str] = {}

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)

    def visit(self, path: str, form: Optional[dict[str, str]] = None) -> Answer:
        connection = self.connection()
        self.send(connection, path, form)
        response = connection.getresponse()
        page = response.read().decode()
        date = email.utils.parsedate_to_datetime(response.headers["Date"])
        cookies = []
        for header in response.headers.get_all("Set-Cookie") or []:
            pair, _, attributes = header.partition("; ")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes or "1970" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
            cookies.append(f"{name}={'' if not value else '…'}; {re.sub('Expires=([^;]+)', lambda found: _left(found[1], date), attributes)}")
        connection.close()
        names = ("Location", "Vary", "Cache-Control")
        place, vary, cached = (response.headers[name] for name in names)
        return Answer(response.status, place, page, vary, cached, sorted(cookies))

    def send(self, connection: http.client.HTTPConnection, path: str, form: Optional[dict[str, str]] = None) -> None:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "User-Agent": self.agent}
        if not self.cookies:
            del headers["Cookie"]
        if form is None:
            connection.request("GET", path, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", path, urllib.parse.urlencode(form), headers)

    def close(self) -> None:
        """A browser that is opened again has only what was to last."""
        self.cookies.pop("session", None)


def _left(expires: str, date: Any) -> str:
    """How long a cookie lives, to ten seconds; a date in 1970 is one that ends it."""
    seconds = (email.utils.parsedate_to_datetime(expires) - date).total_seconds()
    return "ended" if seconds < 0 else f"Expires in {round(seconds, -1):.0f} s"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("theirs") / "site", None)
    yield site
    site.stop()


@pytest.fixture(scope="module", params=STORES)
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("ours") / "site", request.param)
    site.name = request.param  # type: ignore[attr-defined]
    yield site
    site.stop()


ADA = {"name": "ada", "password": "pw"}
#: What a browser does: (path, form), or a method of its.
Step = Any
VISITS: dict[str, list[Step]] = {
    "sign-up": [
        ("/about", None), ("/", None), ("/private", None), ("/login?next=/private", None), ("/register", ADA), ("/", None),
        ("/private", None), ("/fresh", None), ("/register", ADA), ("/", None), ("/logout", {}), ("/", None), ("/private", None),
    ],
    "login": [
        ("/register", ADA), ("/logout", {}), ("/login", {"name": "ada", "password": "no"}), ("/login", None),
        ("/login", {"name": "nobody", "password": "pw"}), ("/login?next=/private", ADA), ("/private", None), ("/", None), ("/", None),
    ],
    "remembered": [
        ("/register", ADA), ("/logout", {}), ("/login", {**ADA, "remember": "1"}), ("/", None), "close", ("/private", None), ("/fresh", None),
        ("/login?next=/fresh", ADA), ("/fresh", None), ("/logout", {}), "close", ("/private", None),
    ],
    "permanent": [
        ("/register", ADA), ("/logout", {}), ("/login", {**ADA, "permanent": "1"}), ("/", None), ("/private", None), ("/about", None),
        ("/cart", {"item": "tea"}), ("/forget", {}), ("/about", None), ("/", None),
    ],
    "a cart and its order": [
        ("/cart", {"item": "tea"}), ("/cart", {"item": "milk"}), ("/", None), ("/register", ADA), ("/login", ADA), ("/", None), ("/order", {}),
        ("/", None), ("/cart", {"item": "bread"}), ("/cart", {"item": ""}), ("/order", {}), ("/", None), ("/forget", {}), ("/", None),
    ],
    "errors": [
        ("/error/404", None), ("/", None), ("/error/403", None), ("/error/500", None), ("/", None), ("/error/raise", None),
        ("/error/503", None), ("/", None), ("/nothing", None), ("/private", {}), ("/stream", None), ("/", None),
    ],
    "another browser with the same cookies": [
        ("/register", ADA), ("/login", ADA), ("/private", None), "change agent", ("/private", None), ("/", None), ("/private", None),
    ],
}  # fmt: skip


def visits(site: Site, steps: list[Step]) -> list[tuple[Step, Answer, list[Any]]]:
    with sqlite3.connect(site.database) as connection:
        connection.executescript("DELETE FROM users; DELETE FROM orders")
    browser, seen = Browser(site), []
    for step in steps:
        if step == "close":
            browser.close()
        elif step == "change agent":
            browser.agent = "another browser"
        else:
            answer = browser.visit(*step)
            seen.append((step, answer, site.rows()))
    return seen


@pytest.mark.parametrize("name", VISITS)
def test_visits(theirs: Site, ours: Site, name: str) -> None:
    expected, seen = visits(theirs, VISITS[name]), visits(ours, VISITS[name])
    differ = [(one, other) for one, other in zip(expected, seen) if one != other]
    if name == "permanent" and ours.name != "cookie:flask":  # type: ignore[attr-defined]
        # A page that asks for no session asks no store, so that nobody knows whether it is permanent.
        (their_step, their_answer, _), (step, answer, _) = differ.pop(0)
        assert their_step == step == ("/about", None)
        assert their_answer.cookies and their_answer._replace(cookies=[]) == answer
    assert not differ


def slow(browser: Browser, meanwhile: Callable[[], Any]) -> int:
    """A request that has read the session before something else happens, and changes it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        answers: list[Answer] = []
        late = Browser(browser.site)
        late.cookies = browser.cookies
        form = {"port": str(listening.getsockname()[1])}
        thread = threading.Thread(target=lambda: answers.append(late.visit("/slow", form)))
        thread.start()
        reading, _ = listening.accept()
        with reading:
            meanwhile()
            reading.sendall(b"x")
        thread.join()
        return answers[0].status


def test_a_slow_request_and_a_logout(theirs: Site, ours: Site) -> None:
    """The difference that the library is for: the later answer of Flask's cookie brings the user back."""
    for site, name in ((theirs, "cookie:flask"), (ours, ours.name)):  # type: ignore[attr-defined]
        browser = Browser(site)
        browser.visit("/register", {"name": "eve", "password": "pw"})
        browser.visit("/login", {"name": "eve", "password": "pw"})
        browser.visit("/cart", {"item": "tea"})
        in_cookie = name == "cookie:flask"
        assert slow(browser, lambda: browser.visit("/logout", {})) == 200
        assert browser.visit("/private").status == (200 if in_cookie else 302)
        browser.visit("/login", {"name": "eve", "password": "pw"})
        browser.visit("/")
        # A logout that leaves nothing of the session ends it: the change is refused, not saved in a new one.
        status = slow(browser, lambda: browser.visit("/forget", {}))
        assert status == (200 if in_cookie else 400)
        assert browser.visit("/private").status == (200 if in_cookie else 302)


def test_two_requests_at_once(theirs: Site, ours: Site) -> None:
    for site, name in ((theirs, "cookie:flask"), (ours, ours.name)):  # type: ignore[attr-defined]
        browser = Browser(site)
        browser.visit("/cart", {"item": "tea"})
        assert slow(browser, lambda: browser.visit("/cart", {"item": "milk"})) == 200
        kept = "['tea']" if name == "cookie:flask" else "['tea', 'milk']"
        assert browser.visit("/").page == f"nobody {kept} []"


def test_a_browser_that_hangs_up(theirs: Site, ours: Site) -> None:
    """The request goes on. What it changed is saved; in a cookie it never arrives."""
    for site, name in ((theirs, "cookie:flask"), (ours, ours.name)):  # type: ignore[attr-defined]
        browser = Browser(site)
        browser.visit("/cart", {"item": "tea"})
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(30)
            connection = browser.connection()
            browser.send(connection, "/slow", {"port": str(listening.getsockname()[1])})
            reading, _ = listening.accept()
            connection.close()
            with reading:
                reading.sendall(b"x")
        assert browser.visit("/").page == "nobody ['tea'] []"


def test_an_outage(ours: Site) -> None:
    if ours.name != "python":  # type: ignore[attr-defined]
        pytest.skip("it has no store that can be away")
    browser = Browser(ours)
    browser.visit("/register", {"name": "joe", "password": "pw"})
    browser.visit("/login", {"name": "joe", "password": "pw", "permanent": "1"})
    cookies = dict(browser.cookies)
    ours.away.touch()
    try:
        assert browser.visit("/about").status == 200
        for path in ("/", "/private", "/error/404"):
            answer = browser.visit(path)
            assert answer.status == 500 and not answer.cookies
        assert browser.visit("/logout", {}).status == 500
    finally:
        ours.away.unlink()
    assert browser.cookies == cookies and browser.visit("/private").page == "private: joe"
