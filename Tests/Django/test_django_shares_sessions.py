"""Django, the C server and the Python binding use one another's sessions on one SQLite file."""

from __future__ import annotations

import sqlite3
import urllib.request
from datetime import datetime, timedelta, timezone
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django_project import SECRET
from tuile.sessions import Manager, SessionDeleted


def visit(url: str, key: str | None = None) -> tuple[str, str | None]:
    """The page, and the session key that the server set, if it did."""
    request = urllib.request.Request(url)
    if key:
        request.add_header("Cookie", f"sessionid={key}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        cookie = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        return answer.read().decode(), cookie["sessionid"].value if "sessionid" in cookie else None


def opened(database: Path) -> Manager:
    # Django knows no seconds of grace for a key that was replaced.
    return Manager(store=f"sqlite://{database}", secret=SECRET, cycle_grace=0)


def logged_in() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ada", password="engine"))
    return client


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def test_django_reads_what_the_c_server_wrote(django_database: Path, page_count: str) -> None:
    _, key = visit(page_count)
    assert key is not None
    page, _ = visit(page_count, key)
    assert 'id="count">2<' in page
    assert dict(SessionStore(key).items()) == {"count": 2}


def test_login_by_password_survives_a_change_by_the_c_server(django_database: Path, page_count: str) -> None:
    client = logged_in()
    client.get("/")
    page, _ = visit(page_count, key_of(client))
    assert 'id="count">2<' in page and "user 1" in page.split('id="user"')[1]
    assert client.get("/").content == b"ada 3"


def test_login_survives_a_change_by_the_binding(django_database: Path) -> None:
    client = logged_in()
    user = client.session["_auth_user_id"]
    with opened(django_database) as manager, manager.begin(f"sessionid={key_of(client)}") as session:
        assert session["_auth_user_id"] == user
        session["cart"] = [{"sku": "tea", "price": 1.5}]
        session.commit(200)
    assert client.session["cart"] == [{"sku": "tea", "price": 1.5}]
    assert client.get("/").content == b"ada 1"


def test_a_key_changed_by_the_binding_keeps_the_login(django_database: Path) -> None:
    client = logged_in()
    old = key_of(client)
    with opened(django_database) as manager, manager.begin(f"sessionid={old}") as session:
        session.cycle_key()
        session.commit(200)
        new = session.session_key
    assert new is not None and new != old and not SessionStore().exists(old)
    client.cookies["sessionid"] = new
    assert client.get("/").content == b"ada 1"


def test_a_logout_in_one_is_a_logout_in_the_other(django_database: Path) -> None:
    client = logged_in()
    with opened(django_database) as manager, manager.begin(f"sessionid={key_of(client)}") as session:
        session.flush()
        assert ("Vary", "Cookie") in session.commit(200)
    assert client.get("/").content == b"AnonymousUser 1"


def test_djangos_logout_is_not_undone_by_a_slower_request(django_database: Path) -> None:
    client = logged_in()
    with opened(django_database) as manager, manager.begin(f"sessionid={key_of(client)}") as session:
        session["slow"] = True
        assert "_auth_user_id" in session
        client.logout()
        with pytest.raises(SessionDeleted):
            session.commit(200)
    assert sqlite3.connect(django_database).execute("SELECT count(*) FROM django_session").fetchone() == (0,)


def test_another_secret_gives_an_empty_session_and_leaves_the_row(django_database: Path) -> None:
    client = logged_in()
    with Manager(store=f"sqlite://{django_database}", secret="another" * 8) as manager:
        with manager.begin(f"sessionid={key_of(client)}") as session:
            assert dict(session) == {}
            session.commit(200)
    assert client.get("/").content == b"ada 1"


@pytest.mark.parametrize("expiry", [None, 0, 300, timedelta(hours=3), datetime(2090, 1, 2, tzinfo=timezone.utc)])
def test_django_sees_the_expiry_that_the_binding_set(
    django_database: Path, expiry: int | timedelta | datetime | None
) -> None:
    with opened(django_database) as manager, manager.begin("") as session:
        session["a"] = 1
        session.set_expiry(expiry)
        session.commit(200)
        key, at_close, age = session.session_key, session.get_expire_at_browser_close(), session.get_expiry_age()
    django_session = SessionStore(key)
    assert django_session.get_expire_at_browser_close() == at_close == (expiry == 0)
    assert abs(django_session.get_expiry_age() - age) < 60


@pytest.mark.parametrize("expiry", [None, 0, 300, timedelta(hours=3), datetime(2090, 1, 2, tzinfo=timezone.utc)])
def test_the_binding_sees_the_expiry_that_django_set(
    django_database: Path, expiry: int | timedelta | datetime | None
) -> None:
    django_session = SessionStore()
    django_session.set_expiry(expiry)
    django_session.create()
    with opened(django_database) as manager, manager.begin(f"sessionid={django_session.session_key}") as session:
        assert session.get_expire_at_browser_close() == (expiry == 0)
        assert abs(session.get_expiry_age() - django_session.get_expiry_age()) < 60
