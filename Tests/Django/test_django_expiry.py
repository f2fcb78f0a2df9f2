"""When a session expires is what Django says, to the microsecond: beside Django's own backend, on Django's connection,
and in a store of the library's; and what C servers make of rows that Django wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.backends.file import SessionStore as DjangosFileStore
from django.test import override_settings
from django_project import SECRET, frozen
from tuile.django import SessionStore
from tuile.sessions import Manager

# Later than the real clock, by which the library reads what it has just stored.
NOW = datetime(2035, 3, 1, 12, 0, 0, 250_000, timezone.utc)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with mock.patch("django.utils.timezone.now", return_value=NOW), frozen(int(NOW.timestamp())):
        yield


def cookie_age(kind: type[Any]) -> type[Any]:
    class Session(kind):
        def get_session_cookie_age(self) -> float:
            return 90.5 if self.get("staff") else 3600

    return Session


def expiry_date(kind: type[Any]) -> type[Any]:
    class Session(kind):
        def get_expiry_date(self, **given: Any) -> datetime:
            return super().get_expiry_date(**given) + timedelta(minutes=1)

    return Session


def nothing(session: Any) -> None:
    session["a"] = 1


def expiring(value: Any) -> Any:
    return lambda session: session.set_expiry(value)


CASES = {
    "standard": nothing,
    "seconds": expiring(1800),
    "float": expiring(1800.0),
    "fraction": expiring(1800.75),
    "negative": expiring(-5.0),
    "browser": expiring(0),
    "delta": expiring(timedelta(hours=2, microseconds=7)),
    "date": expiring(NOW + timedelta(days=400, microseconds=3)),
    "none": lambda session: (session.set_expiry(60), session.set_expiry(None)),
    "staff": lambda session: session.update({"staff": True}),
    "true": expiring(True),
}


def stored(database: Path, key: str) -> datetime:
    query = "SELECT expire_date FROM django_session WHERE session_key = ?"
    (text,) = sqlite3.connect(database).execute(query, [key]).fetchone()
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def ends(kind: type[Any], database: Path, change: Any) -> list[datetime]:
    """When it expires after it was made, saved again and given a new key."""
    session, found = kind(), []
    session["first"] = 1
    for step in (session.save, session.save, session.cycle_key):
        change(session)
        step()
        found.append(stored(database, session.session_key))
    return found


@pytest.mark.parametrize("override", [None, cookie_age, expiry_date])
def test_as_django_has_it(django_database: Path, tmp_path: Path, override: Any) -> None:
    store = tmp_path / "store.db"
    kinds = [override(kind) if override else kind for kind in (DjangosStore, SessionStore)]
    for age in (1209600, 60 * 60 * 0.5, 90):
        with override_settings(SESSION_COOKIE_AGE=age):
            for name, change in CASES.items():
                expected = ends(kinds[0], django_database, change)
                assert ends(kinds[1], django_database, change) == expected, name
                with override_settings(TUILE_STORE=f"sqlite://{store}"):
                    assert ends(kinds[1], store, change) == expected, name


@pytest.mark.parametrize("store", ["", "sqlite:"])
def test_limits_are_within_it(django_database: Path, tmp_path: Path, store: str) -> None:
    file = tmp_path / "store.db" if store else django_database
    with override_settings(TUILE_OPTIONS={"policy": "aal3"}, TUILE_STORE=store and f"sqlite://{file}"):
        session = SessionStore()
        session["a"] = 1
        session.save()
        assert session.session_key
        # AAL3: fifteen minutes without activity.
        assert stored(file, session.session_key) == NOW + timedelta(minutes=15)


@pytest.mark.parametrize("expiry, left", [(1800.0, 1800), (1800.75, 1800.75), (-5.0, -5), (1.5e3, 1500), (0.0, 1209600)])
def test_c_goes_by_what_django_wrote(django_database: Path, tmp_path: Path, expiry: float, left: float) -> None:
    with mock.patch("django.utils.timezone.now", return_value=NOW + timedelta(days=1)):
        session = DjangosStore()
        session.set_expiry(expiry)
        session.save()
    key = session.session_key
    later = NOW + timedelta(hours=1)
    with Manager(store=f"sqlite://{django_database}", secret=SECRET, clock=later.timestamp) as manager:
        with manager.begin(f"sessionid={key}") as c:
            c["by"] = "c"
            c.commit()
    assert stored(django_database, key) == later + timedelta(seconds=left)


def test_a_file_of_djangos_with_such_seconds(tmp_path: Path) -> None:
    with override_settings(SESSION_FILE_PATH=str(tmp_path), SESSION_COOKIE_AGE=10), mock.patch("django.utils.timezone.now", datetime.now):
        session = DjangosFileStore()
        session.set_expiry(1800.0)
        session.save()
    now = datetime.now(timezone.utc)
    for seconds, found in ((1700, True), (1900, False)):
        clock = (now + timedelta(seconds=seconds)).timestamp
        url = f"file://{tmp_path}?age=10&prefix=sessionid&others=list"
        with Manager(store=url, secret=SECRET, clock=clock) as manager:
            with manager.begin(f"sessionid={session.session_key}") as c:
                assert c.load() is found
