"""Stores that are read, and not written to: what a server's test of its configuration leaves, and mode=ro."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import configured
import pytest
from configured import Site
from conftest import Start
from processes import copy_database
from visitor import Visitor

USERS = {"nginx": "tuile_django_users on;", "apache": "TuileDjangoUsers On"}
# The documented locations that count, which a store with mode=ro has no use for.
COUNTS = {"nginx": "tuile_count     pages;", "apache": "TuileCount    pages"}
GUARDED = {
    "nginx": "location = /gate/members { tuile_require on; try_files /none =204; }",
    "apache": "AliasMatch ^/gate/members$ MEMBERS/page.html\n<Location /gate/members>\nRequire tuile-session\n</Location>",
}
PROXIED = {"nginx": "", "apache": "ProxyPass /gate/ !\n"}


def all_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*")}


def journal(database: Path, mode: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(f"pragma journal_mode = {mode}").fetchone() == (mode,)


def examined(site: Site, kind: str, **extra: str) -> tuple[int, str]:
    status, said = getattr(configured, f"{kind}_test")(site, **extra)
    log = site.folder / "error.log"
    return status, said + (log.read_text() if log.exists() else "")


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_the_test_leaves_a_database_as_it_is(site: Site, kind: str, database: Path, mode: str) -> None:
    copy = copy_database(database, site.folder / "data")
    journal(copy, mode)
    before = all_of(copy.parent)
    for options in ("", "?mode=rw", "?mode=rwc", "?busy=100&mode=rw"):
        site.store = f"sqlite://{copy}{options}"
        status, said = examined(site, kind, http=USERS[kind])
        assert status == 0, said
        assert all_of(copy.parent) == before, options


def test_who_serves_makes_no_log_of_the_application_s_database(start: Start, site: Site, kind: str, database: Path) -> None:
    copy = copy_database(database, site.folder / "data")
    journal(copy, "delete")
    site.store = f"sqlite://{copy}"
    visitor = Visitor(start(site).port)
    assert visitor.get("/count").body == "1\n" and visitor.get("/count").body == "2\n"
    assert [path.name for path in copy.parent.iterdir()] == ["db"]
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("delete",)


def test_a_table_that_is_not_there_is_made_if_that_is_said_and_not_by_the_test(start: Start, site: Site, kind: str) -> None:
    folder = site.folder / "data"
    folder.mkdir()
    folder.chmod(0o777)
    with closing(sqlite3.connect(folder / "db")) as connection:
        connection.execute("create table other (id integer)")
    (folder / "db").chmod(0o666)
    before = all_of(folder)
    site.store = f"sqlite://{folder}/db"
    status, said = examined(site, kind)
    assert status != 0 and "no such table" in said, said
    site.store += "?mode=rwc"
    status, said = examined(site, kind)
    assert status == 0, said
    assert all_of(folder) == before
    assert Visitor(start(site).port).get("/count").body == "1\n"


def test_a_folder_of_sessions(start: Start, site: Site, kind: str) -> None:
    folder = site.folder / "data"
    folder.mkdir()
    folder.chmod(0o777)
    site.store = f"file://{folder}/mistyped"
    status, said = examined(site, kind)
    assert status != 0 and "not there" in said and ".conf:" in said, said
    assert list(folder.iterdir()) == []
    site.store += "?mode=rwc"
    status, said = examined(site, kind)
    assert status == 0, said
    assert list(folder.iterdir()) == []
    visitor = Visitor(start(site).port)
    assert visitor.get("/count").body == "1\n" and visitor.get("/count").body == "2\n"
    before = all_of(folder)
    site.store = f"file://{folder}/mistyped"
    status, said = examined(site, kind)
    assert status == 0, said
    assert all_of(folder) == before
    if os.geteuid() == 0:  # another user than the server's
        os.chown(folder / "mistyped", 0, 0)
        status, said = examined(site, kind)
        assert status != 0 and ".conf:" in said, said


def test_a_file_that_the_server_may_not_write_to_is_an_error_without_mode_ro(site: Site, kind: str, database: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the server's user is another one only for root")
    copy = copy_database(database, site.folder / "data")
    for name, mode in ((copy, 0o444), (copy.parent, 0o755)):
        name.chmod(mode)
        site.store = f"sqlite://{copy}"
        status, said = examined(site, kind)
        assert status != 0 and "mode=ro is for that" in said and ".conf:" in said, said
        name.chmod(0o777)


def without_count(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    block = configured.block

    def changed(document: str, language: str, number: int = 0) -> str:
        text = block(document, language, number)
        assert COUNTS[kind] in text
        return text.replace(COUNTS[kind], "")

    monkeypatch.setattr(configured, "block", changed)


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_a_read_only_store_keeps_sessions_and_cookies(
    start: Start, site: Site, kind: str, database: Path, journal_mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = Visitor(site.application)
    direct.log_in()
    copy = copy_database(database, site.folder / "data")
    journal(copy, journal_mode)
    copy.chmod(0o444)
    copy.parent.chmod(0o555)
    site.store = f"sqlite://{copy}?mode=ro"
    status, said = examined(site, kind)
    assert status != 0 and "mode=ro" in said, said  # since it counts
    without_count(monkeypatch, kind)
    extra = {"locations": GUARDED[kind].replace("MEMBERS", str(site.members)), "http": PROXIED[kind] + USERS[kind]}
    status, said = examined(site, kind, **extra)
    assert status == 0, said
    before = all_of(copy.parent)
    visitor = Visitor(start(site, **extra).port).with_cookie(direct.cookie)
    for _ in range(5):
        for path in ("/members/page.html", "/gate/members", "/files/page.html"):
            response = visitor.get(path)
            assert response.status in (200, 204) and response.all("Set-Cookie") == [], path
        assert visitor.get("/").body.startswith("1 1")
    assert Visitor(visitor.port).with_cookie("a" * 32).get("/members/page.html").status == 302
    assert all_of(copy.parent) == before
    copy.parent.chmod(0o777)
    status, said = examined(site, kind, http={"nginx": "tuile_refresh 60;", "apache": "TuileRefresh 60"}[kind])
    assert status != 0 and "mode=ro" in said, said

