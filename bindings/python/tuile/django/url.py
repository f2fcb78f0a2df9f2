"""A database of Django's as the URL of a store."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, urlencode

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

# What Django's backend adds for Python's side of a connection, and what it always says itself.
_OF_PYTHON = {"client_encoding", "context", "cursor_factory", "prepare_threshold"}
# The store's own options, which no database's OPTIONS can mean.
_OF_THE_STORE = {"connect", "prepare", "retries", "timeout", "wait"}
_OF_SQLITE_IN_PYTHON = {"cached_statements", "check_same_thread", "detect_types", "transaction_mode"}
_ISOLATION = ("read uncommitted", "read committed", "repeatable read", "serializable")


def database_url(alias: str = "default") -> str:
    """The URL of a database in ``DATABASES``, for connections of the library's own or of a C server.

    It asks all that ``OPTIONS`` asks of a connection: TLS, certificates, services, roles, isolation. It may
    hold the password: do not log it.

    :param alias: the database's name in ``DATABASES``.
    :returns: a store's URL.
    :raises ImproperlyConfigured: that can't be said in a URL, so that nobody connects with less; or it is no SQLite and no PostgreSQL.

    .. versionadded:: 0.1.1
    """
    connection = connections[alias]
    if connection.vendor == "postgresql":
        return _postgresql(connection)
    if connection.vendor == "sqlite":
        return _sqlite(connection)
    raise ImproperlyConfigured(f"the database {alias!r} is no SQLite or PostgreSQL: there is no store for it; set TUILE_STORE")


def _refuse(connection: Any, option: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"DATABASES[{connection.alias!r}]: {option} {why}; set TUILE_STORE to another store")


def _milliseconds(connection: Any, option: str, seconds: Any) -> str:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e6:
        raise _refuse(connection, option, "is no number of seconds")
    return str(round(seconds * 1000))


def _postgresql(connection: Any) -> str:
    settings = connection.settings_dict
    given = settings["OPTIONS"]
    # As Django's backend would connect, other backends that are made from it included.
    wanted = {name: value for name, value in connection.get_connection_params().items() if name not in _OF_PYTHON}
    if found := sorted(_OF_THE_STORE & wanted.keys()):
        raise _refuse(connection, f"OPTIONS[{found[0]!r}]", "is no option of libpq")
    query: dict[str, str] = {}
    for name, value in wanted.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, os.PathLike)) or str(value) == "":
            raise _refuse(connection, f"OPTIONS[{name!r}]", f"can't be {type(value).__name__ if value != '' else 'empty'}")
        query[name] = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    commands = [query.pop("options")] if "options" in query else []
    commands += _at_start(connection, given)
    if commands:
        query["options"] = " ".join(commands)
    query.update(_pool(connection, given.get("pool")))
    if settings.get("DISABLE_SERVER_SIDE_CURSORS") or ("prepare_threshold" in given and given["prepare_threshold"] is None):
        # What both are set for: a pooler that shares connections between transactions.
        query["prepare"] = "off"
    return "postgresql://?" + urlencode(query, quote_via=quote, safe="")


def _at_start(connection: Any, given: dict[str, Any]) -> list[str]:
    """What Django says to a connection once it is there, as libpq's `options`."""
    commands = []
    level = given.get("isolation_level")
    if level is not None:
        if getattr(level, "value", level) not in range(1, 5):
            raise _refuse(connection, "OPTIONS['isolation_level']", "is none of psycopg's")
        commands.append(_command("default_transaction_isolation", _ISOLATION[int(getattr(level, "value", level)) - 1]))
    if role := given.get("assume_role"):
        commands.append(_command("role", str(role)))
    return commands


def _command(name: str, value: str) -> str:
    return f"-c {name}=" + "".join("\\" + letter if letter in "\\ \t\n\r\v\f" else letter for letter in value)


def _pool(connection: Any, pool: Any) -> dict[str, str]:
    """psycopg's pool as the store's."""
    if not pool or pool is True:
        return {}
    query = {}
    # The store opens connections when they are needed, and needs no least number.
    for name, value in pool.items():
        if name == "max_size":
            query["pool"] = str(value)
        elif name == "timeout":
            query["wait"] = _milliseconds(connection, "OPTIONS['pool']['timeout']", value)
        elif name != "min_size":
            raise _refuse(connection, f"OPTIONS['pool'][{name!r}]", "is not known to the store's pool")
    if "max_size" not in pool and "min_size" in pool:
        query["pool"] = str(pool["min_size"])
    return query


def _sqlite(connection: Any) -> str:
    name = os.fspath(connection.settings_dict["NAME"])
    if connection.is_in_memory_db() or name.startswith("file:"):
        raise _refuse(connection, "NAME", "is no file that a second connection can open")
    query = {}
    for option, value in connection.settings_dict["OPTIONS"].items():
        if option == "timeout":
            query["busy"] = _milliseconds(connection, "OPTIONS['timeout']", value)
        elif option not in _OF_SQLITE_IN_PYTHON:
            raise _refuse(connection, f"OPTIONS[{option!r}]", "is not known to the store")
    # As Django does: by the working folder.
    return "sqlite://" + quote(os.path.abspath(name)) + (f"?{urlencode(query)}" if query else "")
