"""Websockets in real servers: what is committed while a connection is open, and read again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tuile.sessions import Manager
from websockets.sync.client import ClientConnection, connect

TESTS = Path(__file__).resolve().parent
SECRET = "a secret of thirty-two octets, or more"
SERVERS = {
    "uvicorn": ["uvicorn", "--no-access-log", "--fd"],
    "hypercorn": ["hypercorn", "--bind"],
}


class Site:
    """A server that runs, and its store, which this process asks, too."""

    def __init__(self, port: int, store: str) -> None:
        self.port, self.in_cookie = port, store.startswith("cookie:")
        self.manager = Manager(store=store, secret=SECRET)

    def get(self, path: str = "/", cookie: str = "") -> tuple[Any, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.loads(response.read()), (response.headers["Set-Cookie"] or "").partition(";")[0]

    def connect(self, cookie: str = "", query: str = "") -> ClientConnection:
        headers = {"Cookie": cookie} if cookie else {}
        return connect(f"ws://127.0.0.1:{self.port}/talk{query}", additional_headers=headers, open_timeout=20)

    def holds(self, cookie: str) -> dict[str, Any]:
        with self.manager.begin(cookie) as session:
            return dict(session)

    def soon_holds(self, cookie: str, expected: dict[str, Any]) -> None:
        """Once the server has seen that the connection is closed."""
        end = time.monotonic() + 20
        while self.holds(cookie) != expected and time.monotonic() < end:
            time.sleep(0.01)
        assert self.holds(cookie) == expected


def tell(connection: ClientConnection, word: str) -> tuple[str, dict[str, Any]]:
    connection.send(word)
    answer, values = json.loads(connection.recv(timeout=20))
    return answer, values


@pytest.fixture(scope="module", params=[(server, store) for server in SERVERS for store in ("sqlite", "cookie:")], ids="-".join)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    server, store = request.param
    if store == "sqlite":
        store = f"sqlite://{tmp_path_factory.mktemp('site') / 'sessions.db'}"
    # The socket is open before the server starts: no other process can take the port, and a connection waits.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor, port = listening.fileno(), listening.getsockname()[1]
        place = str(descriptor) if server == "uvicorn" else f"fd://{descriptor}"
        environment = {**os.environ, "SITE_STORE": store, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-m", *SERVERS[server], place, "async_site:app"],
            cwd=TESTS, pass_fds=[descriptor], env=environment,
        )  # fmt: skip
    running = Site(port, store)
    try:
        yield running
    finally:
        process.terminate()
        process.wait(20)
        running.manager.close()


def test_a_commit_saves_while_the_connection_is_open(site: Site) -> None:
    _, cookie = site.get("/?page=1")
    with site.connect(cookie) as connection:
        assert tell(connection, "set=here") == ("done", {"page": "1", "socket": "here"})
        assert site.get("/", cookie)[0] == {"page": "1"}
        answer, values = tell(connection, "commit")
        if site.in_cookie:
            # There is no response left for the cookie.
            assert answer == "ArgumentError"
            return
        assert (answer, values) == ("done", {"page": "1", "socket": "here"})
        assert site.get("/?other=2", cookie)[0] == {"page": "1", "socket": "here", "other": "2"}
        # What others saved is here after a commit with changes, or when it is read again.
        assert tell(connection, "reload") == ("done", {"page": "1", "socket": "here", "other": "2"})
        tell(connection, "count")
        site.get("/?page=3", cookie)
        assert tell(connection, "commit") == ("done", {"page": "3", "socket": "here", "other": "2", "n": 1})
        assert tell(connection, "cycle_key")[0] == "ArgumentError"


def test_a_logout_elsewhere_is_seen(site: Site) -> None:
    if site.in_cookie:
        pytest.skip("a cookie's copy knows of no logout")
    _, cookie = site.get("/?user=ada")
    with site.connect(cookie) as connection:
        tell(connection, "set=here")
        site.get("/?out=1", cookie)
        assert tell(connection, "reload") == ("ArgumentError", {"user": "ada", "socket": "here"})
        assert tell(connection, "commit") == ("SessionDeleted", {})
        assert tell(connection, "reload") == ("done", {})
    assert site.holds(cookie) == {}
    _, cookie = site.get("/?user=ada")
    with site.connect(cookie) as connection:
        assert tell(connection, "reload")[1] == {"user": "ada"}
        site.get("/?out=1", cookie)
        assert tell(connection, "reload") == ("done", {})


@pytest.mark.parametrize("end", ["close", "drop", "fail"])
def test_what_was_committed_stays_however_the_connection_ends(site: Site, end: str) -> None:
    if site.in_cookie:
        pytest.skip("nothing can be committed")
    _, cookie = site.get("/?page=1")
    with site.connect(cookie) as connection:
        tell(connection, "count")
        tell(connection, "commit")
        tell(connection, "set=not committed")
        if end == "fail":
            connection.send("fail")
        elif end == "drop":
            connection.socket.shutdown(socket.SHUT_RDWR)
    site.soon_holds(cookie, {"page": "1", "n": 1})


def test_a_handler_that_returns_is_saved(site: Site) -> None:
    if site.in_cookie:
        pytest.skip("nothing can be saved")
    _, cookie = site.get("/?page=1")
    with site.connect(cookie) as connection:
        tell(connection, "set=at the end")
        connection.send("end")
        site.soon_holds(cookie, {"page": "1", "socket": "at the end"})


def test_a_commit_before_the_connection_is_accepted_sets_the_cookie(site: Site) -> None:
    with site.connect(query="?early=1") as connection:
        assert connection.response is not None
        cookie = connection.response.headers["Set-Cookie"].partition(";")[0]
        assert site.holds(cookie) == {"early": True}
        # There is nothing to save.
        assert tell(connection, "commit")[0] == "done"
        tell(connection, "count")
        assert tell(connection, "commit")[0] == ("ArgumentError" if site.in_cookie else "done")
        assert site.holds(cookie) == {"early": True, **({} if site.in_cookie else {"n": 1})}


def test_a_connection_without_a_cookie_can_save_nothing(site: Site) -> None:
    with site.connect() as connection:
        assert tell(connection, "set=here")[0] == "done" and tell(connection, "commit")[0] == "ArgumentError"


def test_a_logout_while_the_connection_is_open(site: Site) -> None:
    _, cookie = site.get("/?user=ada")
    with site.connect(cookie) as connection:
        tell(connection, "flush")
        answer, _ = tell(connection, "commit")
        assert answer == ("ArgumentError" if site.in_cookie else "done")
        # Another session would have a key that the browser does not get.
        tell(connection, "set=another")
        assert tell(connection, "commit")[0] == "ArgumentError"
    assert site.in_cookie or site.holds(cookie) == {}
