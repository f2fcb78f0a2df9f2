"""Where PHP's frameworks of a later Debian are, and databases for them."""

from __future__ import annotations

import functools
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from store import BUILD, ROOT

PHP = shutil.which("php")


@functools.cache
def frameworks() -> str:
    """Their folder; skipped, with the reason, where they can't be had."""
    if PHP is None:
        pytest.skip("php-cli is not installed")
    had = subprocess.run([ROOT / "Tests/Stores/php_frameworks"], capture_output=True, text=True, check=False)
    if had.returncode == 3:
        pytest.skip(f"PHP's frameworks of a later Debian: {had.stderr.strip()}")
    assert had.returncode == 0, had.stderr
    return str(ROOT / "build-php/usr/share/php")


def has_extension(name: str) -> bool:
    return PHP is not None and name in subprocess.run([PHP, "-m"], capture_output=True, text=True, check=False).stdout.split()


@dataclass
class SQLiteFile:
    path: Path

    def sql(self, text: str) -> list[Any]:
        with closing(sqlite3.connect(self.path, timeout=60)) as database, database:
            return database.execute(text).fetchall()


def sqlite_file(folder: Path) -> SQLiteFile:
    if not has_extension("pdo_sqlite"):
        pytest.skip("php-sqlite3 is not installed")
    path = folder / "db.sqlite3"
    path.touch()
    return SQLiteFile(path)


def postgresql_running() -> Iterator[Any]:
    server = pytest.importorskip("postgresql_server")
    if not (BUILD / "libtuile-postgresql.so").exists() or server.binaries() is None:
        pytest.skip("no PostgreSQL here")
    if not has_extension("pdo_pgsql"):
        pytest.skip("php-pgsql is not installed")
    with server.running() as running:
        yield running


def with_requests_between(each: int, ours: Callable[[Callable[[], None]], None], theirs: subprocess.Popen[str]) -> None:
    """Runs `ours` in a thread: each time that it calls what it is given, between its reading and its writing, `theirs`
    does a whole request, `each` in all."""
    reached, done = threading.Event(), threading.Event()

    def meet() -> None:
        reached.set()
        done.wait(60)
        done.clear()

    thread = threading.Thread(target=ours, args=(meet,))
    thread.start()
    assert theirs.stdin is not None and theirs.stdout is not None
    for _ in range(each):
        assert reached.wait(60)
        reached.clear()
        theirs.stdin.write("go\n")
        theirs.stdin.flush()
        assert theirs.stdout.readline() == "done\n"
        done.set()
    thread.join()
    theirs.communicate(timeout=60)
