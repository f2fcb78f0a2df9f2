"""Tables of sessions as other frameworks have them: what a description of columns means, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from store import BUILD, KEY, Refused, Store, native

SECOND = 1_000_000
END = 1_900_000_000_654_321


@dataclass
class Table:
    """What the framework's own migration makes, in both; `stored`: the expiry's column for END."""

    name: str
    columns: str
    sqlite: str
    postgresql: str
    data: bytes
    stored: Any
    postgresql_stored: Any
    kept: int = END // SECOND * SECOND
    written: str = ""
    made: str = ""


LATER = END // SECOND
DATE = "2030-03-17 17:46:40"
TABLES = {
    "django": Table(
        "cache_table", "cache_key:key,value:text,expires:whole",
        'CREATE TABLE cache_table (cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires datetime NOT NULL)',
        'CREATE TABLE cache_table (cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires timestamp with time zone NOT NULL)',
        b"Z0FX", DATE, f"{DATE}+00",
    ),
    "flask": Table(
        "sessions", "session_id:key,data:bytes,expiry:utc",
        "CREATE TABLE sessions (id INTEGER NOT NULL PRIMARY KEY, session_id VARCHAR(255), data BLOB, expiry DATETIME, UNIQUE (session_id))",
        "CREATE TABLE sessions (id SERIAL NOT NULL PRIMARY KEY, session_id VARCHAR(255), data BYTEA, expiry TIMESTAMP WITHOUT TIME ZONE, UNIQUE (session_id))",
        b"\x81\xa1a\x00\xff'\\", f"{DATE}.654321", f"{DATE}.654321", kept=END,
    ),
    "laravel": Table(
        "sessions", "id:key,payload:text,last_activity:seconds-7200",
        "CREATE TABLE sessions (id varchar NOT NULL, user_id integer, ip_address varchar, user_agent text, payload text NOT NULL, last_activity integer NOT NULL, PRIMARY KEY (id))",
        "CREATE TABLE sessions (id varchar(255) NOT NULL, user_id bigint, ip_address varchar(45), user_agent text, payload text NOT NULL, last_activity integer NOT NULL, PRIMARY KEY (id))",
        b"YTow", LATER - 7200, str(LATER - 7200),
    ),
    "symfony": Table(
        "sessions", "sess_id:key,sess_data:bytes,sess_lifetime:seconds,sess_time:written",
        "CREATE TABLE sessions (sess_id TEXT NOT NULL PRIMARY KEY, sess_data BLOB NOT NULL, sess_lifetime INTEGER NOT NULL, sess_time INTEGER NOT NULL)",
        "CREATE TABLE sessions (sess_id VARCHAR(128) NOT NULL PRIMARY KEY, sess_data BYTEA NOT NULL, sess_lifetime INTEGER NOT NULL, sess_time INTEGER NOT NULL)",
        b"a|s:1:\"\x00\";", LATER, str(LATER), written="sess_time",
    ),
    "rails": Table(
        "sessions", "session_id:key,data:text,updated_at:utc-2592000,created_at:made",
        "CREATE TABLE sessions (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, session_id varchar NOT NULL, data text, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL);"
        "CREATE UNIQUE INDEX index_sessions_on_session_id ON sessions (session_id)",
        "CREATE TABLE sessions (id bigserial PRIMARY KEY, session_id character varying NOT NULL, data text, created_at timestamp(6) without time zone NOT NULL, updated_at timestamp(6) without time zone NOT NULL);"
        "CREATE UNIQUE INDEX index_sessions_on_session_id ON sessions (session_id)",
        b"BAh7\n", "2030-02-15 17:46:40.654321", "2030-02-15 17:46:40.654321", kept=END, made="created_at",
    ),
}  # fmt: skip


class Opened:
    def __init__(self, table: Table, url: str, rows: Any) -> None:
        self.table, self.url, self.rows = table, url, rows

    def one(self, column: str) -> Any:
        ((value,),) = self.rows(f"SELECT {column} FROM {self.table.name}")
        return value


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    postgresql = pytest.importorskip("postgresql_server")
    if not (BUILD / "libtuile-postgresql.so").exists() or postgresql.binaries() is None:
        pytest.skip("no PostgreSQL here")
    with postgresql.running() as server:
        yield server


@pytest.fixture(params=list(TABLES))
def table(request: pytest.FixtureRequest) -> Table:
    return TABLES[request.param]


def in_sqlite(table: Table, folder: Path) -> Opened:
    path = folder / "db.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(table.sqlite)

    def rows(sql: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(path)) as database, database:
            return database.execute(sql, values).fetchall()

    return Opened(table, f"sqlite://{path}?table={table.name}&columns={table.columns}", rows)


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, table: Table, tmp_path: Path) -> Opened:
    if request.param == "sqlite":
        return in_sqlite(table, tmp_path)
    server = request.getfixturevalue("server")
    database = server.new_database()
    server.sql(table.postgresql, database)

    def rows(sql: str) -> list[Any]:
        return server.sql(sql, database)

    return Opened(table, server.url(database, table=table.name, columns=table.columns), rows)


def test_a_session_is_stored_as_the_framework_has_it(opened: Opened) -> None:
    table, is_sqlite = opened.table, opened.url.startswith("sqlite")
    data, expires = (column.split(":")[0] for column in table.columns.split(",")[1:3])
    before = int(time.time())
    with Store(opened.url) as store:
        assert store.load() is None
        assert store.create(table.data, END) and not store.create(b"x", END)
        assert store.load() == (table.data, table.kept)
        found = opened.one(data)
        assert (found.encode() if isinstance(found, str) else bytes(found)) == table.data
        assert opened.one(expires if is_sqlite else f"{expires}::text") == (table.stored if is_sqlite else table.postgresql_stored)
        if is_sqlite:
            assert opened.one(f"typeof({data})") == ("blob" if ":bytes" in table.columns else "text")
        for column in filter(None, (table.written, table.made)):
            seconds = f"strftime('%s', {column})" if is_sqlite else f"extract(epoch from {column} AT TIME ZONE 'UTC')"
            at = int(opened.one(column if column == table.written else seconds))
            assert before <= at <= time.time()
        made = opened.one(table.made) if table.made else None
        if table.written:
            opened.rows(f"UPDATE {table.name} SET {table.written} = 0")
        # Compared with what is there, to the byte, whoever wrote it.
        assert store.replace(b"other", b"new", END) == native.CONFLICT
        assert store.replace(table.data, table.data + b"2", END + SECOND) == 0
        assert store.load() == (table.data + b"2", table.kept + SECOND)
        if table.written:
            assert int(opened.one(table.written)) >= before
        if table.made:
            assert opened.one(table.made) == made
        assert store.touch(END)
        assert store.load(now=table.kept - 1) == (table.data + b"2", table.kept)
        assert store.load(now=table.kept) is None
        assert store.keys() == [(KEY, table.kept)] and store.keys(END) == []
        store.own("ada")
        assert store.owners() == ["ada"]
        assert store.replace(b"x", b"y", key="another1") == native.ABSENT
        store.put(b"put", END)
        assert store.load() == (b"put", table.kept)
        assert store.sweep(table.kept - SECOND) == 0
        assert store.sweep(END + 2 * SECOND) == 1
        assert opened.rows(f"SELECT * FROM {table.name}") == []
        # Far away is as far as the column holds.
        assert store.create(b"far", 253_402_300_799 * SECOND)
        end = store.load()
        assert end is not None and end[1] > 2_140_000_000 * SECOND


def test_what_another_wrote_as_text_is_replaced_too(tmp_path: Path) -> None:
    opened = in_sqlite(TABLES["symfony"], tmp_path)
    opened.rows("INSERT INTO sessions VALUES (?, ?, ?, 0)", KEY, "a|i:1;", LATER)
    with Store(opened.url) as store:
        assert store.load() == (b"a|i:1;", LATER * SECOND)
        assert store.replace(b"a|i:1;", b"a|i:2;", END) == 0
        assert store.load() == (b"a|i:2;", LATER * SECOND)


def test_opening_makes_and_changes_nothing(tmp_path: Path) -> None:
    table = TABLES["laravel"]
    query = f"?table={table.name}&columns={table.columns}"
    with pytest.raises(Refused):
        Store(f"sqlite://{tmp_path}/missing{query}")
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "empty"
    path.touch()
    with pytest.raises(Refused, match="its framework makes it"):
        Store(f"sqlite://{path}{query}")
    assert path.read_bytes() == b""
    opened = in_sqlite(table, tmp_path)
    before = (tmp_path / "db.sqlite3").read_bytes()
    Store(opened.url).close()
    assert (tmp_path / "db.sqlite3").read_bytes() == before
    opened.rows("ALTER TABLE sessions ADD COLUMN needed text NOT NULL DEFAULT 'x'")
    Store(opened.url).close()
    opened.rows("DROP TABLE sessions")
    for sql, problem in (
        ("CREATE TABLE sessions (id varchar, payload text, last_activity integer)", "UNIQUE"),
        ("CREATE TABLE sessions (id varchar PRIMARY KEY, payload text, last_activity integer, more text NOT NULL)", "needs a value"),
        ("CREATE TABLE sessions (id varchar PRIMARY KEY, payload text)", "not such a one"),
    ):
        opened.rows(sql)
        with pytest.raises(Refused, match=problem):
            Store(opened.url)
        opened.rows("DROP TABLE sessions")


def test_a_table_of_another_framework_is_not_made_in_postgresql(server: Any) -> None:
    database = server.new_database()
    table = TABLES["laravel"]
    with pytest.raises(Refused, match="its framework makes it"):
        Store(server.url(database, table=table.name, columns=table.columns))
    assert server.sql("SELECT 1 FROM pg_tables WHERE tablename = 'sessions'", database) == []
    for sql in (
        "CREATE TABLE sessions (id varchar PRIMARY KEY, payload text, last_activity timestamp)",
        "CREATE TABLE sessions (id varchar PRIMARY KEY, payload bytea, last_activity integer)",
        "CREATE TABLE sessions (id varchar, payload text, last_activity integer)",
    ):
        server.sql(sql, database)
        with pytest.raises(Refused):
            Store(server.url(database, table=table.name, columns=table.columns))
        server.sql("DROP TABLE sessions", database)


@pytest.mark.parametrize("start", ["sqlite:///tmp/never", "postgresql:///never"])
def test_a_name_is_never_a_command(start: str) -> None:
    good = "id:key,payload:text,at:seconds"
    for table, columns in (
        ("a%22b", good), ("a;b", good), ("a%20b", good), ("", good), ("a" * 64, good), ("a.b.c", good), (".a", good), ("a'b", good),
        ("a", ""), ("a", "id"), ("a", "id:key"), ("a", "id:key,payload:text"), ("a", "i%22d:key,payload:text,at:seconds"),
        ("a", good + ",x:what"), ("a", good + ",x:key"), ("a", "id:key,payload:text,at:seconds-x"), ("a", "id:key,payload:text,at:seconds--1"),
        ("a", "id:key,payload:text,at:seconds-99999999999999"), ("a", good + ",payload2:bytes"), ("a", good + ",:made"),
    ):  # fmt: skip
        with pytest.raises(Refused, match="no name that a layout's table has"):
            Store(f"{start}?table={table}&columns={columns}")
