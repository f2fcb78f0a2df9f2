"""A store of your own: a table of SQLite by Python's own module, shared by threads and processes.

    python custom_store.py      counts to three
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from tuile.sessions import Manager, Store

TABLES = [
    "CREATE TABLE IF NOT EXISTS sessions (key TEXT PRIMARY KEY, data BLOB NOT NULL, expires INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS owners (owner TEXT, key TEXT, record BLOB NOT NULL, PRIMARY KEY (owner, key))",
]


class Table(Store):
    def __init__(self, path: Path) -> None:
        self.path = path
        with self.transaction() as database:
            for table in TABLES:
                database.execute(table)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        # A connection for each call is slow and right: none is shared between threads or processes.
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        finally:
            database.close()

    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        with self.transaction() as database:
            query = "SELECT data, expires FROM sessions WHERE key = ? AND expires > ?"
            row: Optional[tuple[bytes, int]] = database.execute(query, (key, now)).fetchone()
            return row

    def create(self, key: str, data: bytes, expires: int) -> bool:
        with self.transaction() as database:
            insert = "INSERT INTO sessions VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            return database.execute(insert, (key, data, expires)).rowcount == 1

    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Optional[bool]:
        with self.transaction() as database:
            update = "UPDATE sessions SET data = ?, expires = ? WHERE key = ? AND data = ?"
            if database.execute(update, (data, expires, key, expected)).rowcount:
                return True
            there = database.execute("SELECT 1 FROM sessions WHERE key = ?", (key,)).fetchone()
            return False if there else None

    def touch(self, key: str, expires: int) -> bool:
        with self.transaction() as database:
            return database.execute("UPDATE sessions SET expires = ? WHERE key = ?", (expires, key)).rowcount == 1

    def remove(self, key: str) -> None:
        with self.transaction() as database:
            database.execute("DELETE FROM sessions WHERE key = ?", (key,))

    def sweep(self, now: int, limit: int) -> int:
        with self.transaction() as database:
            old = "SELECT key FROM sessions WHERE expires < ? LIMIT ?"
            delete = f"DELETE FROM sessions WHERE key IN ({old})"
            removed = database.execute(delete, (now, min(limit, 2**63 - 1))).rowcount
            database.execute("DELETE FROM owners WHERE key NOT IN (SELECT key FROM sessions)")
            return removed

    # The three that follow are for lists of an owner's sessions. A store may leave them out.

    def own(self, owner: str, key: str, record: bytes, expires: int) -> None:
        with self.transaction() as database:
            database.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?)", (owner, key, record))

    def owned(self, owner: str, now: int) -> list[tuple[str, bytes, int]]:
        with self.transaction() as database:
            join = "SELECT key, record, expires FROM owners JOIN sessions USING (key) WHERE owner = ? AND expires > ?"
            return database.execute(join, (owner, now)).fetchall()

    def owned_record(self, owner: str, key: str) -> bytes | None:
        with self.transaction() as database:
            found = database.execute("SELECT record FROM owners WHERE owner = ? AND key = ?", (owner, key)).fetchone()
            return found[0] if found else None

    def disown(self, owner: str, key: str) -> None:
        with self.transaction() as database:
            database.execute("DELETE FROM owners WHERE owner = ? AND key = ?", (owner, key))

    # And these for who wants to see all. In pages, so that no transaction is open in between.

    def keys(self, now: int) -> Iterator[tuple[str, int]]:
        query = "SELECT key, expires FROM sessions WHERE key > ? ORDER BY key LIMIT 500"
        return ((key, expires) for key, expires in self.pages(query) if expires > now)

    def owners(self) -> Iterator[str]:
        return (row[0] for row in self.pages("SELECT DISTINCT owner FROM owners WHERE owner > ? ORDER BY owner LIMIT 500"))

    def pages(self, query: str) -> Iterator[tuple[Any, ...]]:
        last = ""
        while True:
            with self.transaction() as database:
                page = database.execute(query, (last,)).fetchall()
            if not page:
                return
            yield from page
            last = page[-1][0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cookie = ""
        with Manager(store=Table(Path(folder) / "sessions.db"), secret="an example of 32 bytes, not a secret") as manager:
            for _ in range(3):
                with manager.begin(cookie) as session:
                    print(session.add_int("count"))
                    cookie = dict(session.commit(200))["Set-Cookie"].partition(";")[0]


if __name__ == "__main__":
    main()
