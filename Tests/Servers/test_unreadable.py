"""A session that is there and can't be read: nobody passes with it, and nothing of it is changed."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path

import django.conf
import pytest
from application import SECRET
from configured import Site
from conftest import Start
from django.core import signing
from visitor import Visitor

ANOTHER = "another secret, which nobody has told the server, 0123456789"
KEPT = {
    "nginx": "location /kept { tuile_refresh 1s; tuile_count n; proxy_pass http://127.0.0.1:APPLICATION/headers; }",
    "apache": "<Location /kept>\nTuileCount n\n</Location>",
}
HTTP = {"nginx": "", "apache": "TuileRefresh 1\nProxyPass /kept http://127.0.0.1:APPLICATION/headers"}


class Pickled:
    def dumps(self, value: object) -> bytes:
        return pickle.dumps(value)


class Plain:
    def dumps(self, value: object) -> bytes:
        return json.dumps(value, separators=(",", ":")).encode()


def signed(value: object, secret: str = SECRET, salt: str = "django.contrib.sessions.SessionStore", serializer: type = Plain) -> str:
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    return signing.dumps(value, key=secret, salt=salt, serializer=serializer, compress=True)


LOGIN = {"_auth_user_id": "1"}
UNREADABLE: dict[str, Callable[[str], str]] = {
    "the application has rotated its secret": lambda _: signed(LOGIN, ANOTHER),
    "another salt": lambda _: signed(LOGIN, salt="django.contrib.sessions.backends.signed_cookies"),
    "pickled": lambda _: signed(LOGIN, serializer=Pickled),
    "a list": lambda _: signed([LOGIN]),
    "a number": lambda _: signed(1),
    "a text": lambda _: signed("_auth_user_id"),
    "null": lambda _: signed(None),
    "empty": lambda _: "",
    "no token": lambda _: "x",
    "cut": lambda data: data[:-1],
    "a letter changed": lambda data: ("A" if data[5] != "A" else "B").join((data[:5], data[6:])),
    "nothing of ours": lambda _: json.dumps(LOGIN),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_nobody_passes_and_nothing_changes(start: Start, site: Site, kind: str, database: Path, what: str) -> None:
    application = str(site.application)
    front = start(site, http=HTTP[kind].replace("APPLICATION", application), locations=KEPT[kind].replace("APPLICATION", application))
    visitor = Visitor(front.port)
    visitor.log_in()
    assert visitor.get("/count").body == "1\n"
    with sqlite3.connect(database, timeout=20) as connection:

        def rows() -> list[tuple[str, str, str]]:
            return connection.execute("select * from django_session order by session_key").fetchall()

        mine = next(row for row in rows() if row[0] == visitor.cookie)
        connection.execute(
            "update django_session set session_data = ?, expire_date = datetime('now', '+1 hour') where session_key = ?",
            (UNREADABLE[what](mine[1]), visitor.cookie),
        )
        connection.commit()
        before, cookie = rows(), visitor.cookie
        for path, status in (("/count", 200), ("/kept", 200), ("/members/page.html", 302), ("/files/page.html", 401), ("/headers", 200)):
            response = visitor.get(path)
            assert response.status == status, path
            assert response.all("Set-Cookie") == [] and "HTTP_X_USER" not in response.body, path
        assert rows() == before and visitor.cookie == cookie
        # Once the secret is right again the user is still logged in.
        connection.execute("update django_session set session_data = ? where session_key = ?", (mine[1], cookie))
        connection.commit()
    assert visitor.get("/count").body == "2\n"
    assert visitor.get("/files/page.html").status == 200
    told = [line for line in front.messages().splitlines() if "can't be verified or read" in line]
    assert len(told) == 5, told  # one for each request
    assert not any(cookie and cookie in line for line in told)


def test_a_wrong_secret_logs_nobody_out(start: Start, site: Site) -> None:
    site.secret_file.write_text(ANOTHER + "\n")
    visitor = Visitor(start(site).port)
    visitor.log_in()
    for _ in range(3):
        assert visitor.get("/count").status == 200
        assert visitor.get("/files/page.html").status == 401
        assert visitor.get("/").body.split()[0] == "1"  # Django's answer
