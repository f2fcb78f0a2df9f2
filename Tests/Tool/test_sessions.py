"""session and migrate: on the stores, beside Django's own backends."""

from __future__ import annotations

import contextlib
import os
import pty
import sqlite3
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from command import BUILD, ERROR, FINE, NO, OLDER, SECRET, USAGE, answers, says, tuile
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.backends.signed_cookies import SessionStore as CookieStore
from django.core.management import call_command
from django.db import connections
from django.test import override_settings


MODULES = str(BUILD)


@pytest.fixture(params=["sqlite", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}://{tmp_path}/sessions"


def new(store: str, count: int = 1) -> list[str]:
    return [answers("session", "set", "--store", store, "new", "n", str(i))["key"] for i in range(count)]


def test_set_and_get(store: str) -> None:
    on = ("--store", store)
    key = answers("session", "set", *on, "new", "cart", '{"a": 1}')["key"]
    assert says("session", "set", *on, key, "name", '"Ada"') == ""
    assert answers("session", "get", *on, key)["values"] == {"cart": {"a": 1}, "name": "Ada"}
    assert answers("session", "get", *on, "-", "name", text=key)["value"] == "Ada"
    assert 'name: "Ada"' in says("session", "get", *on, key)
    assert says("session", "set", *on, key, "name") == ""
    assert answers("session", "get", *on, key, "name", code=NO)["error"] == "TUILE_ABSENT"
    assert answers("session", "get", *on, "a" * 32, code=NO)["error"] == "TUILE_ABSENT"
    assert answers("session", "set", *on, "a" * 32, "n", "1", code=NO)["error"] == "TUILE_ABSENT"
    assert answers("session", "set", *on, key, "n", "{", code=ERROR)["error"] == "TUILE_E_SYNTAX"
    # What another secret signed is neither shown nor written over.
    for command in (["get", *on, key], ["set", *on, key, "n", "1"]):
        assert answers("session", *command, secret=OLDER, code=NO)["error"] == "TUILE_BAD_SIGNATURE"
    assert answers("session", "get", *on, key)["values"] == {"cart": {"a": 1}}
    assert tuile("session", "get", *on, key, secret=None).returncode == USAGE


@pytest.fixture(autouse=True)
def django_looks_for_its_folder_anew() -> None:
    if hasattr(FileStore, "_storage_path"):
        del FileStore._storage_path


def test_django_reads_what_it_set(tmp_path: Path) -> None:
    with override_settings(SESSION_FILE_PATH=str(tmp_path)):
        key = answers("session", "set", "--store", f"file://{tmp_path}", "new", "a", "[1]")["key"]
        session = FileStore(key)
        assert session["a"] == [1]
        session["b"] = "x"
        session.save()
    assert answers("session", "get", "--store", f"file://{tmp_path}", key)["values"] == {"a": [1], "b": "x"}


def test_the_session_in_a_cookie() -> None:
    session = CookieStore()
    session["a"] = 1
    session.save()
    assert session.session_key is not None
    assert answers("session", "get", "--store", "cookie:", "-", text=session.session_key)["values"] == {"a": 1}
    header = answers("session", "set", "--store", "cookie:", session.session_key, "b", "2")["set_cookie"]
    assert dict(CookieStore(header.split(";")[0].split("=", 1)[1]).items()) == {"a": 1, "b": 2}


def test_owners(store: str) -> None:
    on = ("--store", store)
    for _ in range(3):
        assert says("session", "set", *on, "--owner", "42", "new", "n", "1")
    found = answers("session", "list", *on, "42")["sessions"]
    assert len(found) == 3
    assert answers("session", "revoke", *on, "42", found[0]["id"])["revoked"] == 1
    assert says("session", "revoke", *on, "42", found[0]["id"], code=NO) == ""
    assert answers("session", "revoke", *on, "--all", "42")["revoked"] == 2
    assert answers("session", "list", *on, "42", code=NO)["sessions"] == []
    assert tuile("session", "revoke", *on, "42").returncode == USAGE


def test_users_whom_no_list_names(store: str) -> None:
    """As on Django's own table: who is logged in is in the session alone."""
    on = ("--store", store)
    for name, user in (("_auth_user_id", '"7"'), ("_user_id", '"7"'), ("user_id", "7"), ("_auth_user_id", '"77"'), ("n", '"7"')):
        says("session", "set", *on, "new", name, user)
    says("session", "set", *on, "--owner", "7", "new", "n", '"l\\u00e9"')
    says("session", "set", *on, "new", "_auth_user_id", '"7"', secret=OLDER)
    found = answers("session", "list", *on, "7")
    assert len(found["sessions"]) == 4 and found["unreadable"] == 1
    assert len({session["id"] for session in found["sessions"]}) == 4
    assert len(answers("session", "list", *on, "--where", "n=7")["sessions"]) == 1
    assert len(answers("session", "list", *on, "--where", "n=lé")["sessions"]) == 1
    assert len(answers("session", "list", *on, "--where", 'n="7"')["sessions"]) == 1
    assert answers("session", "list", *on, "--where", "n=8", code=NO)["sessions"] == []
    assert answers("session", "end", *on, "--user", "7") == {"ended": 4, "unreadable": 1}
    assert answers("session", "end", *on, "--user", "7", code=NO) == {"ended": 0, "unreadable": 1}
    assert answers("session", "list", *on, "7", code=NO)["sessions"] == []
    assert answers("session", "end", *on, "--where", "_auth_user_id=77") == {"ended": 1, "unreadable": 1}
    # What another secret signed is as it was.
    assert len(answers("session", "list", *on, "7", secret=OLDER)["sessions"]) == 1


def test_end_by_key(store: str) -> None:
    on = ("--store", store)
    first, second = new(store, 2)
    assert answers("session", "end", *on, "-", text=first) == {"ended": 1}
    assert tuile("session", "get", *on, first).returncode == NO and tuile("session", "get", *on, second).returncode == FINE
    assert tuile("session", "end", *on, first).returncode == NO
    assert tuile("session", "end", *on, second, secret=OLDER).returncode == NO
    assert tuile("session", "get", *on, second).returncode == FINE
    for words in ([], [second, "--user", "7"], ["--user", "7", "--where", "a=b"], ["--where", "a"], ["--where", "=a"]):
        assert tuile("session", "end", *on, *words).returncode == USAGE, words
    assert tuile("session", "end", "--store", "cookie:django", second).returncode == USAGE


def expire(database: Path, key: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("update django_session set expire_date = '2001-01-01 00:00:00' where session_key = ?", (key,))
    connection.close()


def test_clear_expired_needs_no_secret(tmp_path: Path) -> None:
    store = f"sqlite://{tmp_path}/sessions"
    keys = new(store, 3)
    expire(tmp_path / "sessions", keys[0])
    command = ("session", "clear-expired", "--store", store)
    assert answers(*command, secret=None) == {"removed": 1, "perhaps_more": False}
    assert answers(*command, secret=None)["removed"] == 0
    assert says("session", "get", "--store", store, keys[1])


def test_stores_that_are_not_there(tmp_path: Path) -> None:
    assert answers("session", "get", "--store", f"sqlite://{tmp_path}/no/db", "a" * 32, code=ERROR)["error"]
    assert tuile("session", "clear-expired").returncode == USAGE
    for url in ("redis://user:secret@host", "postgresql://host/db?user=a&password=secret"):
        done = tuile("session", "clear-expired", "--store", url)
        assert done.returncode == USAGE and b"secret" not in done.stderr
    store = f"sqlite://{tmp_path}/db"
    assert answers("session", "clear-expired", TUILE_STORE=store)["removed"] == 0
    assert answers("session", "clear-expired", "--store", "env:ELSEWHERE", ELSEWHERE=store)["removed"] == 0


def test_migrate_from_django(tmp_path: Path) -> None:
    """A table of Django's own, into files that Django reads, and on again after an end halfway."""
    source, target = tmp_path / "django.db", tmp_path / "files"
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = str(source)
    call_command("migrate", verbosity=0)
    from django.contrib.sessions.backends.db import SessionStore

    keys = []
    for i in range(20):
        session = SessionStore()
        session["i"] = i
        session.save()
        keys.append(str(session.session_key))
    connections["default"].close()
    expire(source, keys[0])
    command = ("migrate", f"sqlite://{source}", f"file://{target}")
    counts = {"keys": 10, "invalid": 0, "copied": 9, "there_already": 0, "absent": 1, "checked": 9, "missing": 0}
    counts |= {"lists_kept": True, "listed": 0, "listed_already": 0, "unlisted": 0}
    assert answers(*command, "--keys", "-", text="\n".join(keys[:10]), secret=None) == counts
    file = tmp_path / "keys"
    file.write_text("\r\n".join(keys[:15]) + "\r\n")
    counts |= {"keys": 15, "copied": 5, "there_already": 9, "checked": 14}
    assert answers(*command, "--keys", str(file), secret=None) == counts
    # Without keys all that are not expired.
    counts |= {"keys": 19, "copied": 5, "there_already": 14, "checked": 19, "absent": 0}
    assert answers(*command, secret=None) == counts
    with override_settings(SESSION_FILE_PATH=str(target)):
        assert [FileStore(key).get("i") for key in keys[1:]] == list(range(1, 20))


def test_migrate_leaves_alone_what_is_there(tmp_path: Path) -> None:
    source, target = f"sqlite://{tmp_path}/a", f"sqlite://{tmp_path}/b"
    (key,) = new(source)
    assert answers("migrate", source, target)["copied"] == 1
    says("session", "set", "--store", target, key, "n", '"later"')
    assert answers("migrate", source, target)["there_already"] == 1
    assert says("session", "get", "--store", target, key, "n").startswith('value: "later"')


def test_migrate_takes_no_line_for_a_key_that_is_none(tmp_path: Path) -> None:
    source, target = f"sqlite://{tmp_path}/a", f"sqlite://{tmp_path}/b"
    (key,) = new(source)
    lines = ["A" * 32, "../../etc", "short", "a" * 41, "a" * 100_000, "x'--" * 5, "a\0" * 10, key]
    found = answers("migrate", source, target, "--keys", "-", text="\n".join(lines), code=NO)
    assert (found["keys"], found["invalid"], found["copied"]) == (1, 7, 1)
    assert answers("migrate", source, target, "--keys", f"{tmp_path}/none", code=ERROR)["error"] == "TUILE_E_FILE"
    assert answers("migrate", source, f"sqlite://{tmp_path}/no/b", code=ERROR)["error"]


def shown_on_a_terminal(*words: str, text: str = "") -> str:
    mine, theirs = pty.openpty()
    done = subprocess.run(
        [BUILD / "tuile", *words], input=text.encode(), stdout=subprocess.PIPE, stderr=theirs, timeout=300, check=False
    )  # fmt: skip
    os.close(theirs)
    # A terminal gives what it has, in pieces, and EIO at the end.
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(mine, 65536):
            shown += piece
    os.close(mine)
    assert done.returncode == FINE
    return shown.decode()


def test_migrate_shows_its_progress_on_a_terminal(tmp_path: Path) -> None:
    source = f"sqlite://{tmp_path}/a"
    keys = new(source, 2)
    shown = shown_on_a_terminal("migrate", source, f"file://{tmp_path}/b", "--keys", "-", text="\n".join(keys))
    assert "copying  [" + "#" * 40 + "] 2 of 2" in shown and keys[0] not in shown
    # How many there are is known after the first walk.
    shown = shown_on_a_terminal("migrate", source, f"file://{tmp_path}/c")
    assert "copying  2, " in shown and "checking [" + "#" * 40 + "] 2 of 2" in shown and keys[0] not in shown
    assert tuile("migrate", source, f"file://{tmp_path}/d").stderr == b""


def test_migrate_that_was_killed_goes_on(tmp_path: Path) -> None:
    source, target = f"sqlite://{tmp_path}/a", tmp_path / "b"
    new(source)
    with sqlite3.connect(tmp_path / "a") as database:
        database.executemany(
            "insert into django_session values (?, 'x', '2099-01-01 00:00:00')", [(f"key{i:08}",) for i in range(5000)]
        )
    database.close()
    command = ("migrate", source, f"file://{target}?fsync=full")
    with subprocess.Popen([BUILD / "tuile", *command], stdout=subprocess.DEVNULL) as running:
        while not target.exists() or sum(1 for _ in target.iterdir()) < 50:
            assert running.poll() is None
        running.kill()
    found = answers(*command)
    assert found["there_already"] > 0 and found["copied"] + found["there_already"] == found["checked"] == 5001
    assert found["missing"] == 0


def test_migrate_copies_lists_of_owners(tmp_path: Path) -> None:
    stores = [f"sqlite://{tmp_path}/a", f"file://{tmp_path}/b", f"sqlite://{tmp_path}/c"]
    for owner in ("ada", "ada", "grace"):
        says("session", "set", "--store", stores[0], "--owner", owner, "new", "n", "1")
    new(stores[0], 2)
    lists = {owner: answers("session", "list", "--store", stores[0], owner)["sessions"] for owner in ("ada", "grace")}
    for source, target in zip(stores, stores[1:]):
        found = answers("migrate", source, target, secret=None)
        assert (found["copied"], found["lists_kept"], found["listed"], found["unlisted"]) == (5, True, 3, 0)
        found = answers("migrate", source, target, secret=None)
        assert (found["there_already"], found["listed"], found["listed_already"]) == (5, 0, 3)
        for owner, sessions in lists.items():
            moved = answers("session", "list", "--store", target, owner)["sessions"]
            assert sorted(moved, key=lambda one: one["id"]) == sorted(sessions, key=lambda one: one["id"])
    # With a part of the keys no list names what is not there.
    key = says("session", "list", "--store", stores[0], "--keys", "-", "--limit", "1")
    found = answers("migrate", stores[0], f"sqlite://{tmp_path}/d", "--keys", "-", text=key)
    assert found["copied"] == 1 and found["listed"] <= 1
    # What no library has written into a list stays, and is told.
    with sqlite3.connect(tmp_path / "a") as database:
        database.execute("update tuile_session_owner set record = ? where owner = 'grace'", ("x" * 2000,))
    database.close()
    found = answers("migrate", stores[0], f"sqlite://{tmp_path}/e", code=ERROR)
    assert (found["missing"], found["listed"], found["unlisted"]) == (0, 2, 1)


def test_all_sessions_of_a_store(store: str, tmp_path: Path) -> None:
    on = ("--store", store)
    assert answers("session", "list", *on, secret=None, code=NO) == {"sessions": [], "more": False}
    keys = set(new(store, 3))
    keys.add(answers("session", "set", *on, "--owner", "ada", "new", "n", "1")["key"])
    shown = says("session", "list", *on, secret=None)
    assert not any(key in shown for key in keys)
    found = answers("session", "list", *on, secret=None)
    (owned,) = answers("session", "list", *on, "ada")["sessions"]
    assert len(found["sessions"]) == 4 and not found["more"]
    assert (owned["id"], owned["expires"]) in [(one["id"], one["expires"]) for one in found["sessions"]]
    found = answers("session", "list", *on, "--limit", "3")
    assert len(found["sessions"]) == 3 and found["more"]
    assert set(says("session", "list", *on, "--keys", "-").split("\n")) == keys
    file = tmp_path / "keys"
    assert answers("session", "list", *on, "--keys", str(file)) == {"keys": 4, "more": False}
    assert set(file.read_text().split()) == keys and file.stat().st_mode & 0o777 == 0o600
    assert answers("migrate", store, f"sqlite://{tmp_path}/to", "--keys", str(file))["copied"] == 4
    # What is there is not written over.
    assert answers("session", "list", *on, "--keys", str(file), code=ERROR)["error"] == "TUILE_E_FILE"
    for wrong in (["--keys", "-", "--json"], ["ada", "--keys", "-"], ["ada", "--limit", "1"], ["--limit", "0"]):
        assert tuile("session", "list", *on, *wrong).returncode == USAGE
    assert answers("session", "list", "--store", "cookie:", code=ERROR)["error"] == "TUILE_E_ARGUMENT"


def test_serve_counts(store: str) -> None:
    if tuile("serve", "--port", "x").stderr.startswith(b"tuile: this tuile was built without"):
        pytest.skip("built without libmicrohttpd")
    assert tuile("serve", "--port", "0", secret=None).returncode == USAGE
    assert tuile("serve", "--port", "70000").returncode == USAGE
    assert tuile("serve", "--port", "0", "nothing:").returncode == ERROR
    environment = {"PATH": os.environ["PATH"], "TUILE_SECRET": SECRET}
    command = [BUILD / "tuile", "serve", "--port", "0", store]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            url = server.stdout.readline().split()[-1]
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert b'id="count">1<' in answer.read()
                cookie = answer.headers["Set-Cookie"].split(";")[0]
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Cookie": cookie}), timeout=60) as answer:
                assert b'id="count">2<' in answer.read()
        finally:
            server.terminate()
    assert server.returncode == FINE
    assert answers("session", "get", "--store", store, cookie.split("=")[1])["values"] == {"count": 2}


def test_a_redis_server_and_back(tmp_path: Path) -> None:
    socket = tmp_path / "socket"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(tmp_path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            end = time.monotonic() + 60
            while not socket.exists():
                assert time.monotonic() < end and server.poll() is None
                time.sleep(0.05)
            source, redis = f"sqlite://{tmp_path}/a", f"unix://{socket}"
            keys = new(source, 5)
            says("session", "set", "--store", source, "--owner", "ada", keys[0], "n", "0")
            found = answers("migrate", source, redis, TUILE_MODULE_PATH=MODULES)
            assert (found["copied"], found["checked"], found["missing"], found["listed"]) == (5, 5, 0, 1)
            assert answers("session", "get", "--store", redis, keys[3], TUILE_MODULE_PATH=MODULES)["values"] == {"n": 3}
            found = answers("migrate", redis, f"file://{tmp_path}/b", TUILE_MODULE_PATH=MODULES)
            assert (found["copied"], found["listed"]) == (5, 1)
            assert len(answers("session", "list", "--store", f"file://{tmp_path}/b", "ada")["sessions"]) == 1
            assert answers("session", "get", "--store", f"file://{tmp_path}/b", keys[4])["values"] == {"n": 4}
        finally:
            server.terminate()
    assert answers("session", "get", "--store", redis, keys[0], code=ERROR, TUILE_MODULE_PATH=MODULES)["error"] == "TUILE_E_STORE"
    assert SECRET not in source
