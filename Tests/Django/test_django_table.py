"""Tuile's table is Django's: its schema, the text of its dates, and when a row is too old."""

from __future__ import annotations

import re
import sqlite3
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import django_project
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django_project import SECRET
from tuile.sessions import Manager


def schema(database: Path) -> list[tuple[str, str, str | None]]:
    query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'django_session' ORDER BY name"
    return sqlite3.connect(database).execute(query).fetchall()


def written_by_tuile(database: Path, age: int | None = None) -> str:
    with Manager(store=f"sqlite://{database}", secret=SECRET) as manager, manager.begin("") as session:
        session["by"] = "tuile"
        if age is not None:
            session.set_expiry(age)
        session.commit(200)
        assert session.session_key is not None
        return session.session_key


def date_text(database: Path, key: str) -> str:
    query = "SELECT typeof(expire_date), expire_date FROM django_session WHERE session_key = ?"
    kind, text = sqlite3.connect(database).execute(query, [key]).fetchone()
    assert kind == "text"
    return str(text)


def test_an_empty_file_gets_the_schema_of_djangos_migration(tmp_path: Path, django_database: Path) -> None:
    own = tmp_path / "own.db"
    written_by_tuile(own)
    assert schema(own) == schema(django_database)
    assert len(schema(own)) == 3


def test_django_works_on_the_table_that_tuile_made(tmp_path: Path) -> None:
    own = tmp_path / "own.db"
    key = written_by_tuile(own)
    with django_project.connected_to(own):
        session = SessionStore(key)
        assert session["by"] == "tuile"
        session["by"] = "django"
        session.save()
        assert SessionStore(key)["by"] == "django"
        SessionStore().create()
        assert Session.objects.count() == 2


def test_dates_are_written_as_django_writes_them(django_database: Path) -> None:
    django_session = SessionStore()
    django_session.create()
    assert django_session.session_key is not None
    theirs = date_text(django_database, django_session.session_key)
    ours = date_text(django_database, written_by_tuile(django_database))
    # Six digits of microseconds, or none at all when they are zero.
    for text in (theirs, ours):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", text), text
    difference = datetime.fromisoformat(ours) - datetime.fromisoformat(theirs)
    assert abs(difference) < timedelta(seconds=10)


def test_each_sweeps_what_the_other_calls_expired(django_database: Path) -> None:
    def add_rows() -> None:
        now = datetime.now(timezone.utc)
        for number, left in enumerate([-86400, -1, 60, 86400]):
            Session.objects.create(
                session_key=f"sweep{number:03}", session_data="", expire_date=now + timedelta(seconds=left)
            )

    def keys() -> set[str]:
        return set(Session.objects.values_list("session_key", flat=True))

    add_rows()
    SessionStore.clear_expired()
    left_by_django = keys()
    Session.objects.all().delete()
    add_rows()
    with Manager(store=f"sqlite://{django_database}", secret=SECRET) as manager:
        assert manager.clear_expired() == 2
    assert keys() == left_by_django == {"sweep002", "sweep003"}


def test_django_sweeps_what_tuile_let_expire(django_database: Path) -> None:
    short, long = written_by_tuile(django_database, 1), written_by_tuile(django_database)
    time.sleep(1.1)
    SessionStore.clear_expired()
    assert not SessionStore().exists(short) and SessionStore().exists(long)


def test_an_expired_row_is_no_session(django_database: Path) -> None:
    django_session = SessionStore()
    django_session["a"] = 1
    django_session.set_expiry(-1)
    django_session.create()
    with Manager(store=f"sqlite://{django_database}", secret=SECRET) as manager:
        with manager.begin(f"sessionid={django_session.session_key}") as session:
            assert dict(session) == {} and session.session_key is None
