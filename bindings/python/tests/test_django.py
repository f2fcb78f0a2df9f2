"""tuile.django where it is more than Django's own backends: Tests/Upstream runs Django's tests of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from test_stores import Away
from tuile import errors
from tuile.django import SessionStore, manager


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[None]:
    with override_settings(TUILE_STORE=f"sqlite://{tmp_path / 's.db'}", SESSION_ENGINE="tuile.django"):
        yield


def saved(**values: Any) -> str:
    session = SessionStore()
    session.update(values)
    session.save()
    assert session.session_key
    return session.session_key


def test_two_requests_that_change_other_names_both_stay() -> None:
    key = saved(cart=["tea"], gone=1)
    one, two = SessionStore(key), SessionStore(key)
    one["cart"].append("milk")
    del two["gone"]
    two["theme"] = "dark"
    two.save()
    one.save()
    assert dict(SessionStore(key).items()) == {"cart": ["tea", "milk"], "theme": "dark"}


def test_the_longest_life_in_a_store_is_not_moved_by_saves_and_new_keys() -> None:
    with override_settings(TUILE_OPTIONS={"lifetime": 500}):
        key = saved(a=1)
        for _ in range(2):
            session = SessionStore(key)
            assert session["a"] == 1 and 490 < session.get_expiry_age() <= 500
            session["b"] = 1
            session.cycle_key()
            session.save()
            key = session.session_key
    with override_settings(TUILE_OPTIONS={"lifetime": 5000}):
        # The one that it began with counts.
        assert SessionStore(key)["b"] == 1 and SessionStore(key).get_expiry_age() <= 500
        with manager().begin(f"sessionid={key}") as session:
            assert dict(session) == {"a": 1, "b": 1} and 490 < (session.get_lifetime() or 0) <= 500


def test_a_second_save_takes_nothing_of_others_away() -> None:
    key = saved(a=1)
    one = SessionStore(key)
    one["b"] = 1
    one.save()
    other = SessionStore(key)
    other["c"] = 1
    other.save()
    one["b"] = 2
    one.save()
    assert dict(SessionStore(key).items()) == {"a": 1, "b": 2, "c": 1}


def test_a_counter_after_a_save_takes_nothing_of_others_away() -> None:
    key = saved(a=1)
    one = SessionStore(key)
    assert one["a"] == 1
    other = SessionStore(key)
    other["a"] = 2
    other["c"] = 1
    other.save()
    one["b"] = 1
    one.save()
    assert one.add_int("count") == 1
    one.append("seen", 1)
    one.save()
    assert dict(SessionStore(key).items()) == {"a": 2, "b": 1, "c": 1, "count": 1, "seen": [1]}


def test_counters_and_lists_are_exact() -> None:
    key = saved()
    sessions = [SessionStore(key) for _ in range(5)]
    for n, session in enumerate(sessions):
        assert session.add_int("count") == 1
        session.append("seen", n)
        asyncio.run(session.aadd_int("count", 2))
    for session in reversed(sessions):
        session.save()
    assert dict(SessionStore(key).items()) == {"count": 15, "seen": [4, 3, 2, 1, 0]}


def test_a_key_from_before_a_login_saves_nothing() -> None:
    key = saved(a=1)
    login, other = SessionStore(key), SessionStore(key)
    other["b"] = 2
    login["_auth_user_id"] = "7"
    login.cycle_key()
    with pytest.raises(UpdateError):
        other.save()
    login.save()
    assert login.session_key != key
    assert dict(SessionStore(login.session_key).items()) == {"a": 1, "_auth_user_id": "7"}


def test_a_logout_is_final() -> None:
    key = saved(a=1)
    slow = SessionStore(key)
    slow["a"] = 2
    SessionStore(key).flush()
    with pytest.raises(UpdateError):
        slow.save()
    assert SessionStore(key).get("a") is None


def test_an_outage_is_no_empty_session(tmp_path: Path) -> None:
    away = Away(tmp_path / "away.db")
    with override_settings(TUILE_STORE=away):
        key = saved(a=1)
        away.away = True

        def page(request: HttpRequest) -> HttpResponse:
            return HttpResponse(str(request.session.get("a")))

        request = HttpRequest()
        request.COOKIES["sessionid"] = key
        with pytest.raises(errors.StoreError):
            SessionMiddleware(page)(request)
        away.away = False
        assert SessionMiddleware(page)(request).content == b"1"


@override_settings(USE_TZ=False, TIME_ZONE="America/Chicago")
def test_dates_are_right_without_time_zones() -> None:
    session = SessionStore()
    session.set_expiry(timedelta(hours=1))
    session.save()
    session = SessionStore(session.session_key)
    assert 3590 <= session.get_expiry_age() <= 3600
    assert session.get_expiry_date().tzinfo is None
    # As everybody reads it who shares the store.
    assert datetime.fromisoformat(session["_session_expiry"]).utcoffset() is not None


def test_clearsessions() -> None:
    keys = [saved(a=n) for n in range(3)]
    session = SessionStore(keys[0])
    session.set_expiry(-10)
    session.save()
    call_command("clearsessions")
    assert manager().clear_expired() == 0
    assert [SessionStore(key).exists(key) for key in keys] == [False, True, True]


@pytest.mark.parametrize("key", ["sessionid=x; sessionid=y", "a" * 41, "../../etc/passwd", "a\r\nb" * 4, "é" * 10])
def test_a_hostile_key_is_no_session(key: str) -> None:
    session = SessionStore(key)
    assert session.get("a") is None and session.session_key is None


@override_settings(SESSION_SERIALIZER="django.core.signing.JSONSerializer")
def test_another_serializer_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="JSON"):
        saved(a=1)


def test_new_keys_while_running() -> None:
    key = saved(a=datetime(2030, 1, 1, tzinfo=timezone.utc).isoformat())
    with override_settings(SECRET_KEY="a newer example of 32 bytes, not a secret", SECRET_KEY_FALLBACKS=["an example of 32 bytes, not a secret"]):
        assert SessionStore(key)["a"] == "2030-01-01T00:00:00+00:00"


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_two_sqlites_never_open_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db.sqlite3"}}
    monkeypatch.setattr("tuile._native.shares_sqlite", lambda: False)
    for store in (f"sqlite://{tmp_path}/db.sqlite3?busy=1000", f"cached+sqlite://{tmp_path}/db.sqlite3"):
        with override_settings(DATABASES=databases, TUILE_STORE=store):
            with pytest.raises(ImproperlyConfigured, match="SQLite of its own"):
                manager()
    with override_settings(DATABASES=databases, TUILE_STORE=f"sqlite://{tmp_path}/sessions.db"):
        assert saved(a=1)
    monkeypatch.undo()
    with override_settings(DATABASES=databases, TUILE_STORE=f"sqlite://{tmp_path}/db.sqlite3"):
        assert saved(a=1)
