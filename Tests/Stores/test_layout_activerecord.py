"""Sessions of Rails in a table, as activerecord-session_store has them, which is in no package: what it wrote, and a writer
that does as it does. What Tuile writes is read by Ruby itself."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgresql_server
import pytest
from store import BUILD, ROOT, Store
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

VECTORS = {query: cases for query, cases in json.loads((ROOT / "Tests/vectors/layout_ruby.json").read_text()).items() if "activerecord" in query}
RUBY = shutil.which("ruby")
NAME = "_app_session"


class Table:
    """As its migration makes it: t.string :session_id, null: false; t.text :data; t.timestamps; a unique index."""

    url, mark = "", "?"

    def run(self, sql: str, *values: Any) -> list[Any]:
        raise NotImplementedError

    def make(self, kind: str, time: str) -> None:
        self.run(f"CREATE TABLE sessions (id {kind}, session_id varchar NOT NULL, data text, created_at {time} NOT NULL, updated_at {time} NOT NULL)")
        self.run("CREATE UNIQUE INDEX index_sessions_on_session_id ON sessions (session_id)")
        self.run("CREATE INDEX index_sessions_on_updated_at ON sessions (updated_at)")

    def put(self, key: str, data: str, age: float = 0) -> None:
        now = str(datetime.datetime.fromtimestamp(time.time() - age, datetime.timezone.utc).replace(tzinfo=None))
        self.run("DELETE FROM sessions WHERE session_id = ?", key)
        self.run("INSERT INTO sessions (session_id, data, created_at, updated_at) VALUES (?, ?, ?, ?)", key, data, now, now)

    def get(self, key: str) -> str | None:
        rows = self.run("SELECT data FROM sessions WHERE session_id = ?", key)
        return None if not rows else str(rows[0][0])

    def times(self, key: str) -> list[float]:
        """Seconds since it was made and since it was written."""
        (row,) = self.run("SELECT created_at, updated_at FROM sessions WHERE session_id = ?", key)
        dates = [value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(value) for value in row]
        return [time.time() - date.replace(tzinfo=datetime.timezone.utc).timestamp() for date in dates]


class InSQLite(Table):
    def __init__(self, path: Path) -> None:
        self.path, self.url = path, f"sqlite://{path}"
        self.make("integer PRIMARY KEY AUTOINCREMENT NOT NULL", "datetime(6)")

    def run(self, sql: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()


class InPostgreSQL(Table):
    def __init__(self, server: postgresql_server.Server, database: str) -> None:
        self.server, self.database = server, database
        self.url = server.url(database)
        self.make("bigserial PRIMARY KEY", "timestamp(6) without time zone")

    def run(self, sql: str, *values: Any) -> list[Any]:
        with self.server.connect(self.database) as connection:
            cursor = connection.execute(sql.replace("?", "%s"), values or None)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def postgresql() -> Iterator[postgresql_server.Server]:
    if postgresql_server.binaries() is None or not (BUILD / "libtuile-postgresql.so").exists():
        pytest.skip("no PostgreSQL server, or the module is not built")
    # Rails writes UTC, whatever the server's own zone is.
    with postgresql_server.running(timezone="Europe/Madrid") as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    if request.param == "sqlite":
        return InSQLite(tmp_path / "development.sqlite3")
    server = request.getfixturevalue("postgresql")
    return InPostgreSQL(server, server.new_database())


def opened(table: Table, query: str = "layout=activerecord-session-store", **settings: Any) -> Manager:
    return Manager(store=f"{table.url}{'&' if '?' in table.url else '?'}{query}", cookie_name=NAME, **settings)


def hashed(sid: str) -> str:
    return "2::" + hashlib.sha256(sid.encode()).hexdigest()


@pytest.mark.parametrize("query", list(VECTORS))
def test_what_it_wrote_is_read_and_changed_as_it_changes_it(table: Table, query: str) -> None:
    count = 0
    with opened(table, query) as manager:
        for case in VECTORS[query]:
            sid = case["cookie"].split("=")[1]
            assert case["key"] == hashed(sid)
            table.put(case["key"], base64.b64decode(case["value"]).decode(), age=1000)
            with manager.begin(case["cookie"]) as session:
                if case["json"] is not None:
                    assert {**session} == case["json"], case["name"]
                session["hits"] = 41
                session.commit(200)
            assert table.get(case["key"]) == base64.b64decode(case["after"]).decode(), case["name"]
            made, written = table.times(case["key"])
            assert 999 < made < 1100 and -1 < written < 60
            count += 1
    assert count >= 8


def test_ruby_reads_what_tuile_writes(table: Table) -> None:
    values: dict[str, Any] = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 500, "wide": -(2**62)}
    for query, form in {"": "marshal", "&serializer=marshal": "marshal", "&serializer=json": "json"}.items():
        with opened(table, f"layout=activerecord-session-store{query}") as manager, manager.begin("") as session:
            session.update(values)
            session.commit(200)
            sid = session.session_key or ""
        assert len(sid) == 32
        data = table.get(hashed(sid))
        assert data is not None
        made, written = table.times(hashed(sid))
        assert -1 < made < 60 and -1 < written < 60
        if form == "json":
            assert json.loads(data) == {"value": values} and ": " not in data
            continue
        lines = data.split("\n")
        assert lines.pop() == "" and {len(line) for line in lines[:-1]} == {60}
        if RUBY is None:
            pytest.skip("ruby is not installed")
        program = "require 'json'; data = STDIN.read; value = Marshal.load(data.unpack1('m')); puts JSON.generate([value, [Marshal.dump(value)].pack('m') == data])"
        done = subprocess.run([RUBY, "-e", program], input=data, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == [values, True]


def test_a_logout_of_one_is_a_logout_of_the_other(table: Table) -> None:
    sid = "0123456789abcdef" * 2
    with opened(table, cycle_grace=0) as manager:
        table.put(hashed(sid), "BAh7BkkiCmNvdW50BjoGRVRpZA==\n")
        with manager.begin(f"{NAME}={sid}") as session:
            assert {**session} == {"count": 95}
            session["late"] = 1
            table.run("DELETE FROM sessions WHERE session_id = ?", hashed(sid))
            with pytest.raises(SessionDeleted):
                session.commit(200)
        assert table.get(hashed(sid)) is None
        table.put(hashed(sid), '{"value":{"count":95}}')
        with manager.begin(f"{NAME}={sid}") as session:
            session.cycle_key()
            session.commit(200)
            fresh = session.session_key or ""
        assert table.get(hashed(sid)) is None and table.get(hashed(fresh)) == '{"value":{"count":95}}'
        with manager.begin(f"{NAME}={fresh}") as session:
            session.flush()
            session.commit(200)
        assert table.run("SELECT count(*) FROM sessions")[0][0] == 0


def test_a_session_ends_so_long_after_it_was_written(table: Table) -> None:
    sid = "a" * 32
    for query, age, is_there in (("", 2_591_000, True), ("", 2_593_000, False), ("&ttl=100", 50, True), ("&ttl=100", 150, False)):
        table.put(hashed(sid), '{"value":{"a":1}}', age=age)
        with opened(table, f"layout=activerecord-session-store{query}") as manager, manager.begin(f"{NAME}={sid}") as session:
            assert ("a" in session) is is_there
    table.put(hashed(sid), '{"value":{"a":1}}', age=50)
    with opened(table, "layout=activerecord-session-store&ttl=100", refresh=10) as manager, manager.begin(f"{NAME}={sid}") as session:
        assert session["a"] == 1
        session.commit(200)
    assert -1 < table.times(hashed(sid))[1] < 40
    table.put(hashed("b" * 32), '{"value":{}}', age=500)
    with Store(f"{table.url}{'&' if '?' in table.url else '?'}layout=activerecord-session-store&ttl=100") as store:
        now = int(time.time() * 1_000_000)
        assert [key for key, _ in store.keys(now)] == [hashed(sid)] and store.sweep(now) == 1


def test_what_is_no_session_stays(table: Table) -> None:
    sid = "c" * 32
    for data in ("", "BAh7", "BAhvOghGb28A\n", "BAh7BkkiCmNvdW50BjoGRVRpZA=\n", "!BAh7AA==\n", "BAhbAA==\n", "{}", '{"value":1}', '{"value":{},"more":1}', '{"value":{}} x', "null"):
        table.put(hashed(sid), data)
        with opened(table) as manager, manager.begin(f"{NAME}={sid}") as session:
            assert {**session} == {}
            session["mine"] = 1
            session.commit(200)
            assert session.session_key != sid
        assert table.get(hashed(sid)) == data
    table.put(hashed(sid), '{"value":{"a":1}}')
    for cookie in (hashed(sid), "2%3A%3A" + hashed(sid)[3:], sid.upper(), sid + "0", "' OR 1=1 --", "%27", ""):
        with opened(table) as manager, manager.begin(f"{NAME}={cookie}") as session:
            assert "a" not in session


def test_tuile_undoes_no_finished_save(table: Table) -> None:
    """Against a writer that does as the gem does: it reads, and writes without comparing. The control is a second of these."""
    each = 30
    sid = "d" * 32

    def rails(name: str, pause: float) -> None:
        for _ in range(each):
            value = json.loads(table.get(hashed(sid)) or "")["value"]
            value[name] += 1
            time.sleep(pause)
            now = str(datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None))
            table.run("UPDATE sessions SET data = ?, updated_at = ? WHERE session_id = ?", json.dumps({"value": value}, separators=(",", ":")), now, hashed(sid))

    def held() -> dict[str, int]:
        value: dict[str, int] = json.loads(table.get(hashed(sid)) or "")["value"]
        return value

    def counted(careless: bool) -> tuple[int, dict[str, int]]:
        table.put(hashed(sid), '{"value":{"rails":0,"tuile":0}}')
        finished = threading.Event()

        def tuile() -> None:
            with opened(table) as manager:
                while not finished.is_set():
                    with manager.begin(f"{NAME}={sid}") as session:
                        session.add_int("tuile", 1)
                        session.commit(200)
                    # SQLite's busy waiters would starve.
                    time.sleep(0.01)

        thread = threading.Thread(target=lambda: rails("tuile", 0.003) if careless else tuile())
        thread.start()
        rails("rails", 0.001)
        saved = each
        # On a machine that is busy the other one may not have had its turn.
        while not careless and held()["tuile"] == 0:
            rails("rails", 0.001)
            saved += each
        finished.set()
        thread.join()
        return saved, held()

    saved, read = counted(careless=False)
    assert read["rails"] == saved and read["tuile"] > 0
    assert any(counted(careless=True)[1]["rails"] < each for _ in range(5))


def test_a_wrong_option_or_table_is_an_error(table: Table) -> None:
    for query in ("layout=activerecord-session-store&serializer=hybrid", "layout=activerecord-session-store&prefix=a", "layout=activerecord-session-store&ttl=0", "layout=activerecord-session-store&table=other"):
        with pytest.raises(TuileError):
            opened(table, query)
    table.run("ALTER TABLE sessions RENAME COLUMN updated_at TO touched_at")
    with pytest.raises(TuileError):
        opened(table)
