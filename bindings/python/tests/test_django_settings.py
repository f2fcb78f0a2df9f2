"""What tuile.django makes of the settings: all of it, or an error that says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import override_settings
from tuile.django import database_url, manager
from tuile.sessions import Manager

SECRET = "an example of 32 bytes, not a secret"
POSTGRESQL = "django.db.backends.postgresql"


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets up a database as DATABASES would."""

    def set_up(engine: str, **settings: Any) -> str:
        monkeypatch.setattr(connections, "settings", connections.configure_settings({"default": {"ENGINE": engine, **settings}}))
        monkeypatch.setattr("tuile.django.url.connections", {"default": connections.create_connection("default")})
        return database_url()

    return set_up


def query(url: str) -> dict[str, str]:
    assert url.startswith("postgresql://?")
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_a_file_is_where_django_looks_for_it(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = "django.db.backends.sqlite3"
    assert database(engine, NAME=tmp_path / "with space.db") == f"sqlite://{tmp_path}/with%20space.db"
    monkeypatch.chdir(tmp_path)
    assert database(engine, NAME="db.sqlite3", OPTIONS={"timeout": 0.5}) == f"sqlite://{tmp_path}/db.sqlite3?busy=500"
    assert database(engine, NAME="../a?b#c%d") == f"sqlite://{tmp_path.parent}/a%3Fb%23c%25d"


@pytest.mark.parametrize(
    "settings",
    [
        {"NAME": ":memory:"}, {"NAME": "file:x?mode=ro"}, {"NAME": "/x", "OPTIONS": {"init_command": "PRAGMA key = 1"}},
        {"NAME": "/x", "OPTIONS": {"factory": object}}, {"NAME": "/x", "OPTIONS": {"timeout": "soon"}},
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_opened_as_django_does_is_an_error(database: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASES"):
        database("django.db.backends.sqlite3", **settings)


def test_what_django_asks_of_a_connection_is_in_the_url(database: Any) -> None:
    at = {"NAME": "a/b?c", "USER": "me", "PASSWORD": "p@ss:/?#%", "HOST": "one,two", "PORT": 5433}
    options = {
        "sslmode": "verify-full", "sslrootcert": Path("/etc/ca & co.pem"), "connect_timeout": 5, "application_name": "shop ü",
        "target_session_attrs": "read-write", "options": "-c search_path=web", "passfile": "/p", "sslkey": None,
        "isolation_level": 2, "assume_role": "web ada\\", "server_side_binding": True, "client_encoding": "LATIN1",
    }  # fmt: skip
    assert query(database(POSTGRESQL, **at, OPTIONS=options)) == {
        "dbname": "a/b?c", "user": "me", "password": "p@ss:/?#%", "host": "one,two", "port": "5433", "sslmode": "verify-full",
        "sslrootcert": "/etc/ca & co.pem", "connect_timeout": "5", "application_name": "shop ü", "target_session_attrs": "read-write",
        "passfile": "/p", "options": "-c search_path=web -c default_transaction_isolation=read\\ committed -c role=web\\ ada\\\\",
    }  # fmt: skip
    assert query(database(POSTGRESQL, NAME="", OPTIONS={"service": "shop"})) == {"service": "shop"}
    # As Django has it, the option wins over NAME, and USER over the option.
    both = {"NAME": "a", "USER": "b", "OPTIONS": {"dbname": "c", "user": "d"}}
    assert query(database(POSTGRESQL, **both)) == {"dbname": "c", "user": "b"}
    assert query(database(POSTGRESQL, NAME=None, OPTIONS={"service": "shop"})) == {"dbname": "postgres"}


def test_a_pooler_gets_no_prepared_commands(database: Any) -> None:
    assert query(database(POSTGRESQL, NAME="a", DISABLE_SERVER_SIDE_CURSORS=True))["prepare"] == "off"
    assert query(database(POSTGRESQL, NAME="a", OPTIONS={"prepare_threshold": None}))["prepare"] == "off"
    assert query(database(POSTGRESQL, NAME="a", OPTIONS={"pool": {"min_size": 2, "max_size": 8, "timeout": 2.5}})) == {
        "dbname": "a", "pool": "8", "wait": "2500",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"sslmode": ""}, {"sslmode": True}, {"sslmode": ["require"]}, {"pool": {"max_idle": 5}}, {"isolation_level": 7},
        {"timeout": 5}, {"wait": 5}, {"prepare": "off"}, {"retries": 0}, {"isolation_level": "serializable"},
    ],
)  # fmt: skip
def test_what_no_url_can_say_is_an_error(database: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="OPTIONS"):
        database(POSTGRESQL, NAME="a", OPTIONS=options)


@pytest.mark.parametrize("options", [{"sslmod": "require"}, {"dsn": "host=x"}, {"connect_timeout": 0}])
def test_what_libpq_does_not_know_is_an_error(database: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Manager(store=database(POSTGRESQL, NAME="a", OPTIONS=options), secret=SECRET)


def test_other_databases_have_no_url(database: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="TUILE_STORE"):
        database("django.db.backends.dummy")


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"TUILE_OPTION": {}}, "did you mean TUILE_OPTIONS"),
        ({"TUILE_STORE_URL": "memory:"}, "TUILE_STORE_URL"),
        ({"TUILE_OPTIONS": {"cycle_grase": 0}}, "did you mean cycle_grace"),
        ({"TUILE_OPTIONS": {"cookie_age": 5}}, "SESSION_COOKIE_AGE"),
        ({"TUILE_OPTIONS": {"secret": "x"}}, "SECRET_KEY"),
        ({"TUILE_OPTIONS": [("policy", "aal2")]}, "dictionary"),
        ({"TUILE_STORE": 7}, "TUILE_STORE"),
        ({"TUILE_STORE": "memori:"}, "TUILE_STORE"),
        ({"TUILE_STORE": "memory:?max_byte=1"}, "TUILE_STORE"),
        ({"TUILE_OPTIONS": {"policy": "aal5"}}, "TUILE_OPTIONS"),
        ({"TUILE_OPTIONS": {"refresh": -1}}, "TUILE_OPTIONS"),
        ({"TUILE_OPTIONS": {"cycle_grace": "5"}}, "cycle_grace'. has to be a number of seconds"),
        ({"SECRET_KEY_FALLBACKS": "a string"}, "SECRET_KEY_FALLBACKS is a list of secrets"),
    ],
)
def test_a_setting_that_is_none_is_an_error(settings: dict[str, Any], said: str) -> None:
    with override_settings(**{"TUILE_STORE": "memory:", **settings}):
        with pytest.raises(ImproperlyConfigured, match=said):
            manager()
