"""The settings of a manager, mirrored: what the application says of its sessions, the gate does."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from configured import Site
from conftest import Start
from processes import copy_database
from visitor import Visitor

KEPT = {
    "nginx": "location /kept { tuile_count n; try_files /none =204; }",
    "apache": "Alias /test/kept {members}/page.html\n<Location /test/kept>\nTuileCount n\n</Location>",
}
PATH = {"nginx": "/kept", "apache": "/test/kept"}


def kept(start: Start, site: Site, kind: str, settings: dict[str, str]) -> Visitor:
    return Visitor(start(site, http=settings[kind], locations=KEPT[kind].replace("{members}", str(site.members))).port)


CLOSING = {"nginx": "tuile_expire_at_browser_close on; tuile_refresh 1s;", "apache": "TuileExpireAtBrowserClose On\nTuileRefresh 1"}


def test_a_cookie_until_the_browser_closes_stays_one(start: Start, site: Site, kind: str) -> None:
    visitor = kept(start, site, kind, CLOSING)
    for _ in range(2):
        header = visitor.get(PATH[kind]).header("Set-Cookie")
        assert header is not None and "Max-Age" not in header and "expires" not in header.lower()
    visitor.log_in()
    time.sleep(1.2)
    header = visitor.get("/files/page.html").header("Set-Cookie")
    assert header is not None and "Max-Age" not in header and "expires" not in header.lower()


PARTITIONED = {
    "nginx": "tuile_cookie_partitioned on; tuile_cookie_secure on; tuile_cookie_samesite none;",
    "apache": "TuileCookiePartitioned On\nTuileCookieSecure On\nTuileCookieSameSite None",
}


def test_a_partitioned_cookie(start: Start, site: Site, kind: str) -> None:
    header = kept(start, site, kind, PARTITIONED).get(PATH[kind]).header("Set-Cookie")
    assert header is not None and "Partitioned" in header and "Secure" in header and "SameSite=None" in header


LIFETIME = {"nginx": "tuile_lifetime 4s;", "apache": "TuileLifetime 4"}


def test_a_longest_life(start: Start, site: Site, kind: str) -> None:
    visitor = kept(start, site, kind, LIFETIME)
    visitor.get(PATH[kind])
    cookie = visitor.cookie
    assert cookie
    time.sleep(4.1)
    visitor.cookie = cookie
    visitor.get(PATH[kind])
    assert visitor.cookie not in (cookie, None)


POLICY = {"nginx": "tuile_policy aal3;", "apache": "TuilePolicy AAL3"}


def test_a_policy(start: Start, site: Site, kind: str) -> None:
    header = kept(start, site, kind, POLICY).get(PATH[kind]).header("Set-Cookie")
    assert header is not None and "Max-Age=900" in header


SMALL = {"nginx": "tuile_max_data 2k;", "apache": "TuileMaxData 2048"}


def test_data_over_the_limit_is_left_alone(start: Start, site: Site, kind: str, database: Path) -> None:
    visitor = kept(start, site, kind, SMALL)
    visitor.log_in()
    assert visitor.get("/files/page.html").status == 200
    visitor.put(large="x" * 1900)
    visitor.put(more="y" * 1900)
    with sqlite3.connect(database, timeout=20) as connection:
        before = connection.execute("select * from django_session where session_key = ?", (visitor.cookie,)).fetchall()
        assert visitor.get("/files/page.html").status == 401
        assert visitor.get(PATH[kind]).all("Set-Cookie") == []
        assert connection.execute("select * from django_session where session_key = ?", (visitor.cookie,)).fetchall() == before
    assert visitor.get("/").body.startswith("1 ")  # to Django it is a session as any other


@pytest.fixture
def new_store(site: Site, database: Path) -> Path:
    copy = copy_database(database, site.folder / "new")
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("delete from django_session")
    return copy


PREVIOUS = {"nginx": "tuile_previous_store {0};", "apache": "TuilePreviousStore {0}"}


def test_sessions_that_move_are_known(start: Start, site: Site, kind: str, new_store: Path) -> None:
    previous = {name: text.format(site.store) for name, text in PREVIOUS.items()}
    site.store = f"sqlite://{new_store}"
    visitor = kept(start, site, kind, previous)
    visitor.log_in()  # by Django, which still keeps them where they were
    assert visitor.get("/files/page.html").status == 200
    cookie = visitor.cookie
    assert visitor.get(PATH[kind]).status in (200, 204)
    with sqlite3.connect(new_store) as connection:
        assert connection.execute("select count(*) from django_session where session_key = ?", (cookie,)).fetchone() == (1,)
    assert visitor.with_cookie("a" * 32).get("/files/page.html").status == 401
