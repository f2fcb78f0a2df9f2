"""Sessions on Django's own connection: the tests in database_tests, run as a project's own by Django's runner, on
SQLite in memory and in a file, PostgreSQL and MariaDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mariadb_server
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Tests/Stores"))
import postgresql_server  # noqa: E402

Databases = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def servers() -> Iterator[Any]:
    """Starts a server when it is first asked for."""
    with ExitStack() as stack:
        started: dict[str, Any] = {}

        def server(name: str) -> Any:
            if name not in started:
                started[name] = stack.enter_context((postgresql_server if name == "postgresql" else mariadb_server).running())
            return started[name]

        yield server


def on(name: str, servers: Any, folder: Path, **options: Any) -> Databases:
    if name == "memory":
        at: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
    elif name == "file":
        # What Django's documents advise where threads write at once.
        options = {"timeout": 60, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"}
        at = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
        return {alias: {**at, "TEST": {"NAME": str(folder / f"{alias}.db")}, "OPTIONS": options} for alias in ("default", "other")}
    elif name == "postgresql":
        if postgresql_server.binaries() is None:
            pytest.skip("no PostgreSQL server")
        server = servers(name)
        at = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": str(server.folder), "PORT": server.port}
    else:
        if not mariadb_server.is_there():
            pytest.skip("no MariaDB server")
        pytest.importorskip("MySQLdb", reason="no mysqlclient")
        at = {"ENGINE": "django.db.backends.mysql", "NAME": "app", "USER": "root", "OPTIONS": {"unix_socket": str(servers(name))}}
    at["OPTIONS"] = {**at.get("OPTIONS", {}), **options}
    return {alias: {**at, "TEST": {"NAME": None if name == "memory" else f"test_{alias}"}} for alias in ("default", "other")}


def run_tests(databases: Databases, *words: str, settings: str = "database_tests.settings") -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{HERE.parents[1] / 'bindings/python'}:{HERE}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TUILE_TEST_DATABASES": json.dumps(databases),
        "DJANGO_SETTINGS_MODULE": settings,
    }
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "django", "test", "--no-input", *words]
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "\nOK" in done.stderr, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("name", ["memory", "file", "postgresql", "mariadb"])
def test_on(name: str, servers: Any, tmp_path: Path) -> None:
    # Threads share no database in memory, each on a connection of its own.
    labels = ["database_tests.test_transactions", "database_tests.test_queries"] if name == "memory" else ["database_tests"]
    said = run_tests(on(name, servers, tmp_path), *labels)
    assert "Ran 0 tests" not in said


LEVELS = [("postgresql", 4), ("mariadb", "repeatable read"), ("postgresql", 3), ("mariadb", "serializable")]


@pytest.mark.parametrize("name, level", LEVELS if os.environ.get("TUILE_FULL") else LEVELS[:2])
def test_at_each_level_of_isolation(name: str, level: Any, servers: Any, tmp_path: Path) -> None:
    run_tests(on(name, servers, tmp_path, isolation_level=level), "database_tests.test_updates")
