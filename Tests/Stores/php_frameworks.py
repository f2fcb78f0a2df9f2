"""Where PHP's frameworks of a later Debian are, and databases for them."""

from __future__ import annotations

import functools
import importlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

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


def memcached_running() -> Iterator[Any]:
    pytest.importorskip("pymemcache")
    if shutil.which("memcached") is None or not (BUILD / "libtuile-memcached.so").exists():
        pytest.skip("no memcached, or no module for it, here")
    if not has_extension("memcached"):
        pytest.skip("php-memcached is not installed")
    with importlib.import_module("memcached_server").running() as running:
        yield running


PLAIN, ZLIB, FASTLZ = 0, 0x30, 0x50


def uncompressed(value: bytes, flags: int) -> bytes:
    """What a string of php-memcached's is."""
    if flags == PLAIN:
        return value
    size, packed = int.from_bytes(value[:4], sys.byteorder), value[4:]
    text = zlib.decompress(packed) if flags == ZLIB else fastlz(packed)
    assert len(text) == size
    return text


def fastlz(packed: bytes) -> bytes:
    text, at, second = bytearray(), 0, packed[0] >> 5 == 1
    while at < len(packed):
        code = packed[at] & 31 if at == 0 else packed[at]
        at += 1
        if code < 32:
            text += packed[at : at + code + 1]
            at += code + 1
            continue
        length, back = (code >> 5) + 2, (code & 31) << 8
        more = 255 if code >> 5 == 7 else 0
        while more == 255:
            more = packed[at]
            length, at = length + more, at + 1
            more = more if second else 0
        back, at = back + packed[at], at + 1
        if second and back == 8191:
            back, at = back + int.from_bytes(packed[at : at + 2], "big"), at + 2
        for _ in range(length):
            text.append(text[-1 - back])
    return bytes(text)


class InMemcached:
    """Values of php-memcached's: a part of a Kept."""

    server: Any
    prefix: str

    def stored(self, sid: str) -> Optional[tuple[bytes, int]]:
        found = self.server.client().get(self.prefix + sid)
        return None if found is None else (bytes(found), self.server.flags(self.prefix + sid))

    def get(self, sid: str) -> Optional[bytes]:
        found = self.stored(sid)
        return found and uncompressed(*found)

    def put(self, sid: str, data: bytes, flags: int = PLAIN) -> None:
        self.server.client().set(self.prefix + sid, data, expire=7200, flags=flags)

    def drop(self, sid: str) -> None:
        self.server.client().delete(self.prefix + sid)

    def left(self, sid: str) -> float:
        return float(self.server.left(self.prefix + sid))


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
