"""The Python frameworks' sessions in tables, files and compressed: what they wrote, they themselves in both
directions, and the race of each with Tuile, counted."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
import lzma
import pickle
import re
import select
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis_server
from store import BUILD, ROOT, Store
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

VECTORS = json.loads((ROOT / "Tests/vectors/layout_python_stores.json").read_text())["layouts"]
SECRET = "a secret that is shared by both, 0123456789"
DAY = 86400
# Names of Python's that JSON says in another way.
NOT_AS_JSON = ("surrogate", "big_numbers", "scalars", "floats", "keys")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    if not (BUILD / "libtuile-redis.so").exists():
        pytest.skip("the module is not built: no hiredis")
    with redis_server.running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Any]:
    servers = pytest.importorskip("postgresql_server")
    if not (BUILD / "libtuile-postgresql.so").exists() or servers.binaries() is None:
        pytest.skip("no PostgreSQL here")
    with servers.running() as server:
        yield server


@pytest.fixture(scope="module")
def memcached() -> Iterator[Any]:
    servers = pytest.importorskip("memcached_server")
    if not (BUILD / "libtuile-memcached.so").exists() or shutil.which("memcached") is None:
        pytest.skip("no memcached, or no module for it, here")
    with servers.running() as server:
        yield server


# ---- what they wrote ----


@dataclass
class Place:
    """Where a vector's session is put, and found again."""

    url: str
    put: Callable[[str, bytes, int], None]
    get: Callable[[str], bytes]


TABLES = {
    "django-cache": ("cache_table", "cache_key", "value",
        "CREATE TABLE cache_table (cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires datetime NOT NULL)"),
    "flask-session": ("sessions", "session_id", "data",
        "CREATE TABLE sessions (id INTEGER NOT NULL PRIMARY KEY, session_id VARCHAR(255), data BLOB, expiry DATETIME, UNIQUE (session_id))"),
}  # fmt: skip


def in_table(layout: str, folder: Path) -> Place:
    name, key_column, data_column, schema = TABLES[layout]
    path = folder / "db.sqlite3"
    end = "expires" if layout == "django-cache" else "expiry"

    def run(sql: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(path)) as database, database:
            return database.execute(sql, values).fetchall()

    def put(key: str, value: bytes, ttl: int) -> None:
        stored: Any = value.decode() if layout == "django-cache" else value
        run(f"INSERT INTO {name} ({key_column}, {data_column}, {end}) VALUES (?, ?, datetime('now', '+1 day'))", key, stored)

    def get(key: str) -> bytes:
        ((value,),) = run(f"SELECT {data_column} FROM {name} WHERE {key_column} = ?", key)
        return value.encode() if isinstance(value, str) else value

    run(schema)
    return Place(f"sqlite://{path}", put, get)


def in_files(where: str, folder: Path) -> Place:
    folder.chmod(0o700)
    head = 21 if where == "django-file" else 4

    def put(name: str, value: bytes, ttl: int) -> None:
        end = time.time() + DAY
        (folder / name).write_bytes((pickle.dumps(end, 5) if head == 21 else struct.pack("<I", int(end))) + value[head:])

    return Place(f"file://{folder}", put, lambda name: (folder / name).read_bytes())


def what_is_inside(query: str, where: str, value: bytes) -> bytes:
    """Without what the time of writing, or the compressor's version, has a say in."""
    if where == "django-file":
        assert pickle.loads(value[:21]) > time.time()
        return zlib.decompress(value[21:])
    if where == "flask-file":
        return value[4:]
    if "compressor=zlib" in query and value[:1] == b"x":
        return zlib.decompress(value)
    if "compressor=gzip" in query:
        return gzip.decompress(value)
    if "compressor=lzma" in query and value.startswith(b"\xfd7zXZ"):
        return lzma.decompress(value)
    if "compressor=lz4" in query:
        return bytes(pytest.importorskip("lz4.frame").decompress(value))
    if "compressor=zstd" in query:
        return bytes(pytest.importorskip("pyzstd").decompress(value))
    return re.sub(rb'("last_access": |"created": (?=\d+, "session"))[0-9.]+', rb"\1", value)


@pytest.mark.parametrize("vectors", VECTORS, ids=[f"{one['query']}-{one['where']}" for one in VECTORS])
def test_what_they_wrote_is_read_and_changed_as_they_change_it(request: pytest.FixtureRequest, vectors: dict[str, Any], tmp_path: Path) -> None:
    query, where = vectors["query"], vectors["where"]
    layout = query.split("&")[0].removeprefix("layout=")
    if where == "redis":
        import redis as client_of

        server = request.getfixturevalue("redis")
        client = client_of.Redis(unix_socket_path=str(server.socket))
        client.flushall()
        place = Place(server.unix, lambda key, value, ttl: client.set(key, value, ex=ttl) and None, client.get)
    else:
        place = in_table(layout, tmp_path) if where == "table" else in_files(where, tmp_path)
    count = 0
    for case in vectors["cases"]:
        name, cookie = case["cookie"].split("=", 1)
        place.put(case["key"], base64.b64decode(case["value"]), case.get("ttl", DAY))
        with Manager(store=f"{place.url}?{query}", cookie_name=name, secret=vectors.get("secret", SECRET)) as manager:
            with manager.begin(case["cookie"]) as session:
                assert session.session_key == cookie.split(".")[0], case["name"]
                if case["json"] is not None and case["name"] not in NOT_AS_JSON:
                    assert {**session} == case["json"], case["name"]
                session["hits"] = 41
                session.commit(200)
        found, wanted = place.get(case["key"]), base64.b64decode(case["after"])
        assert what_is_inside(query, where, found) == what_is_inside(query, where, wanted) if where != "django-file" else (
            what_is_inside(query, where, found) == zlib.decompress(wanted[21:])
        ), case["name"]
        count += 1
        # A date that the session has of its own is as far away as it is now.
        if where == "redis" and "_session_expiry" not in (case["json"] or {}) and case["ttl"] <= 2_678_400:
            assert case["ttl"] - 60 <= client.ttl(case["key"]) <= case["ttl"] + 1
    assert count >= 3


# ---- they themselves ----


@dataclass
class Scene:
    """A framework with its settings, and Tuile on the same."""

    kind: str
    settings: dict[str, Any]
    url: str
    cookie: str
    needs: tuple[str, ...]
    keys: Callable[[], int] = field(default=lambda: 0)


REDIS_CACHE = "django.core.cache.backends.redis.RedisCache"


def in_postgresql(server: Any, name: str) -> dict[str, str]:
    return {"ENGINE": "django.db.backends.postgresql", "NAME": name, "HOST": str(server.folder), "PORT": str(server.port), "USER": "postgres"}


def behind_memcached(request: pytest.FixtureRequest, folder: Path, settings: dict[str, Any], place: str) -> Scene:
    """cached_db: its table in SQLite or PostgreSQL, and its cache in memcached, by either of Django's clients."""
    server = request.getfixturevalue("memcached")
    client = "PyLibMCCache" if place == "postgresql" else "PyMemcacheCache"
    settings["cache"] = {"BACKEND": f"django.core.cache.backends.memcached.{client}", "LOCATION": server.host, "KEY_PREFIX": "c"}
    cache = f"{server.url}?prefix=c"
    needs = ("django", "pylibmc" if place == "postgresql" else "pymemcache")
    if place == "postgresql":
        tables = request.getfixturevalue("postgresql")
        name = tables.new_database()
        settings["database"] = in_postgresql(tables, name)
        url = tables.url(name, layout="django-cached-db", cache=quote(cache, safe=""))
        return Scene("django", settings, url, "sessionid", needs, lambda: int(tables.sql("SELECT count(*) FROM django_session", name)[0][0]))
    database = folder / "db.sqlite3"
    return Scene(
        "django", settings, f"sqlite://{database}?layout=django-cached-db&cache={quote(cache, safe='')}", "sessionid", needs, lambda: rows(database, "django_session")
    )


def django(request: pytest.FixtureRequest, folder: Path, engine: str, place: str) -> Scene:
    settings: dict[str, Any] = {"secret": SECRET, "engine": engine}
    needs: tuple[str, ...] = ("django",)
    database = folder / "db.sqlite3"
    settings["database"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database), "OPTIONS": {"transaction_mode": "IMMEDIATE"}}
    if place == "file":
        files = folder / "cache"
        del settings["database"]
        settings["cache"] = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(files)}
        return Scene("django", settings, f"file://{files}?layout=django-cache", "sessionid", needs, lambda: len(list(files.glob("*.djcache"))))
    settings["cache"] = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_table", "KEY_PREFIX": "a'b", "VERSION": 3}
    if place == "postgresql":
        server = request.getfixturevalue("postgresql")
        name = server.new_database()
        settings["database"] = in_postgresql(server, name)
        url = server.url(name, layout="django-cache", table="cache_table", prefix="a%27b", version="3")
        return Scene("django", settings, url, "sessionid", needs, lambda: int(server.sql("SELECT count(*) FROM cache_table", name)[0][0]))
    if engine == "cached_db" and place.startswith("memcached-"):
        return behind_memcached(request, folder, settings, place.removeprefix("memcached-"))
    if engine == "cached_db":
        server = request.getfixturevalue("redis")
        settings["cache"] = {"BACKEND": REDIS_CACHE, "LOCATION": f"unix://{server.socket}?db=0", "KEY_PREFIX": "c"}
        cache = quote(f"{server.unix}?prefix=c", safe="")
        url = f"sqlite://{database}?layout=django-cached-db&cache={cache}"
        return Scene("django", settings, url, "sessionid", needs, lambda: rows(database, "django_session"))
    if place == "redis":
        server = request.getfixturevalue("redis")
        del settings["database"]
        settings["cache"] = {"BACKEND": REDIS_CACHE, "LOCATION": f"unix://{server.socket}?db=0"}
        return Scene("django", settings, f"{server.unix}?layout=django-cache", "sessionid", needs)
    if place.startswith("redis-"):
        server = request.getfixturevalue("redis")
        del settings["database"]
        compressor = place.removeprefix("redis-")
        name = {"zlib": "zlib.ZlibCompressor", "gzip": "gzip.GzipCompressor", "lzma": "lzma.LzmaCompressor", "lz4": "lz4.Lz4Compressor", "zstd": "zstd.ZStdCompressor"}[compressor]
        settings["cache"] = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"unix://{server.socket}?db=0", "OPTIONS": {"COMPRESSOR": f"django_redis.compressors.{name}"}}
        module = {"lz4": ("lz4",), "zstd": ("pyzstd",)}.get(compressor, ())
        return Scene("django", settings, f"{server.unix}?layout=django-redis&compressor={compressor}", "sessionid", ("django_redis", *module))
    url = f"sqlite://{database}?layout=django-cache&table=cache_table&prefix=a%27b&version=3"
    return Scene("django", settings, url, "sessionid", needs, lambda: rows(database, "cache_table"))


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def flask(request: pytest.FixtureRequest, folder: Path, place: str) -> Scene:
    settings: dict[str, Any] = {"secret": SECRET, "config": {}}
    needs: tuple[str, ...] = ("flask_session",)
    if place == "files":
        files = folder / "sessions"
        settings |= {"config": {"SESSION_TYPE": "cachelib"}, "files": str(files)}
        return Scene("flask", settings, f"file://{files}?layout=flask-session", "session", (*needs, "cachelib"), lambda: len(list(files.glob("?" * 64))))
    if place == "signed":
        server = request.getfixturevalue("redis")
        settings |= {"config": {"SESSION_TYPE": "redis", "SESSION_USE_SIGNER": True}, "redis": str(server.socket)}
        return Scene("flask", settings, f"{server.unix}?layout=flask-session&signer=on", "session", needs)
    settings["config"] = {"SESSION_TYPE": "sqlalchemy"}
    needs = (*needs, "flask_sqlalchemy")
    if place == "postgresql":
        server = request.getfixturevalue("postgresql")
        name = server.new_database()
        settings["database"] = f"postgresql+psycopg://postgres@/{name}?host={server.folder}&port={server.port}"
        return Scene("flask", settings, server.url(name, layout="flask-session"), "session", needs, lambda: int(server.sql("SELECT count(*) FROM sessions", name)[0][0]))
    path = folder / "db.sqlite3"
    settings["database"] = f"sqlite:///{path}"
    return Scene("flask", settings, f"sqlite://{path}?layout=flask-session", "session", needs, lambda: rows(path, "sessions"))


def asynchronous(request: pytest.FixtureRequest, kind: str) -> Scene:
    server = request.getfixturevalue("redis")
    if kind == "aiohttp":
        settings = {"redis": str(server.socket), "max_age": 3600}
        return Scene(kind, settings, f"{server.unix}?layout=aiohttp-session&ttl=3600", "AIOHTTP_SESSION", ("aiohttp_session",))
    rolling = kind == "starsessions-rolling"
    settings = {"redis": str(server.socket), "lifetime": 3600, "rolling": rolling}
    url = f"{server.unix}?layout=starsessions&ttl=3600&rolling={'on' if rolling else 'off'}"
    return Scene("starsessions", settings, url, "session", ("starsessions",))


SCENES: dict[str, Callable[[pytest.FixtureRequest, Path], Scene]] = {
    "django-table-sqlite": lambda request, folder: django(request, folder, "cache", "sqlite"),
    "django-table-postgresql": lambda request, folder: django(request, folder, "cache", "postgresql"),
    "django-files": lambda request, folder: django(request, folder, "cache", "file"),
    "django-cached-db": lambda request, folder: django(request, folder, "cached_db", "sqlite"),
    "django-cached-db-memcached-sqlite": lambda request, folder: django(request, folder, "cached_db", "memcached-sqlite"),
    "django-cached-db-memcached-postgresql": lambda request, folder: django(request, folder, "cached_db", "memcached-postgresql"),
    "django-redis": lambda request, folder: django(request, folder, "cache", "redis"),
    **{f"django-redis-{name}": (lambda name: lambda request, folder: django(request, folder, "cache", f"redis-{name}"))(name) for name in ("zlib", "gzip", "lzma", "lz4", "zstd")},
    "flask-table-sqlite": lambda request, folder: flask(request, folder, "sqlite"),
    "flask-table-postgresql": lambda request, folder: flask(request, folder, "postgresql"),
    "flask-files": lambda request, folder: flask(request, folder, "files"),
    "flask-signed": lambda request, folder: flask(request, folder, "signed"),
    "starsessions": lambda request, folder: asynchronous(request, "starsessions"),
    "starsessions-rolling": lambda request, folder: asynchronous(request, "starsessions-rolling"),
    "aiohttp": lambda request, folder: asynchronous(request, "aiohttp"),
}  # fmt: skip


# A compressor has no say in who is first.
RACES = [name for name in SCENES if not name.startswith("django-redis-")]


class Framework:
    def __init__(self, scene: Scene) -> None:
        program = Path(__file__).with_name("layout_python_stores.py")
        self.process = subprocess.Popen(
            [sys.executable, str(program), scene.kind, json.dumps(scene.settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def send(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the framework's process ended"
        return json.loads(line)

    def has_answered(self) -> bool:
        """Or ended."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def __call__(self, *words: str) -> Any:
        self.send(*words)
        return self.receive()

    def __enter__(self) -> Framework:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    made = SCENES[request.param](request, tmp_path)
    for module in made.needs:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    return made


@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_they_read_what_tuile_wrote_and_the_other_way_round(scene: Scene) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 5000}
    with Framework(scene) as framework:
        framework("read")
        with Manager(store=scene.url, cookie_name=scene.cookie, secret=SECRET) as manager:

            def begin(sid: str) -> Any:
                return manager.begin(f"{scene.cookie}={sid}")

            made = framework("write", "", json.dumps({"a": 1}))
            with begin(made) as session:
                assert session["a"] == 1
                session["b"] = [1, {"c": "ä"}]
                session.commit(200)
            read = framework("read", made)
            assert read["a"] == 1 and read["b"] == [1, {"c": "ä"}]
            with manager.begin("") as session:
                session.update(values)
                header = session.commit(200)
                sid = re.search(rf"{scene.cookie}=([^;\s]+)", str(header)) if header else None
                ours = sid.group(1) if sid else session.session_key or ""
            read = framework("read", ours)
            assert {name: read[name] for name in values} == values
            framework("write", ours, json.dumps({"theirs": [1], "user": 8}))
            with begin(ours) as session:
                assert session["theirs"] == [1] and session.add_int("user", 1) == 9
                session.commit(200)
            assert framework("read", ours)["user"] == 9
            if scene.kind != "aiohttp":  # which keeps an empty session
                with begin(ours) as session:
                    session["late"] = 1
                    framework("delete", ours)
                    with pytest.raises(SessionDeleted):
                        session.commit(200)
            with begin(made) as session:
                assert session["a"] == 1
                session.flush()
                session.commit(200)
            assert "a" not in framework("read", made)
            if scene.keys is not Scene.keys:
                assert scene.keys() == 0


@pytest.mark.parametrize("scene", RACES, indirect=True)
def test_tuile_undoes_no_finished_save_of_theirs(scene: Scene) -> None:
    each = 60
    with Framework(scene) as framework:
        sid = framework("write", "", json.dumps({"theirs": 0, "tuile": 0}))
        framework.send("count", sid, "theirs", str(each))
        with Manager(store=scene.url, cookie_name=scene.cookie, secret=SECRET) as manager:
            count = 0
            while not framework.has_answered():
                with manager.begin(f"{scene.cookie}={sid}") as session:
                    session.add_int("tuile", 1)
                    session.commit(200)
                    count += 1
                time.sleep(0.001)
            assert framework.receive() is None and count > 3
            with manager.begin(f"{scene.cookie}={sid}") as session:
                session.add_int("tuile", 1)
                session.commit(200)
        read = framework("read", sid)
        # Their own save may undo Tuile's: the last writer wins there.
        assert read["theirs"] == each and 0 < read["tuile"] <= count + 1


@pytest.mark.parametrize("scene", RACES, indirect=True)
def test_the_control_two_of_theirs_lose_saves(scene: Scene) -> None:
    each = 60
    with Framework(scene) as one:
        # The other makes no tables at the same time.
        sid = one("write", "", json.dumps({"one": 0, "other": 0}))
        with Framework(scene) as other:
            other("read", sid)
            one.send("count", sid, "one", str(each))
            other.send("count", sid, "other", str(each))
            one.receive()
            other.receive()
        read = one("read", sid)
        assert read["one"] + read["other"] < 2 * each


# ---- and what is peculiar to each ----


@pytest.mark.parametrize("place", ["sqlite", "memcached-sqlite", "memcached-postgresql"])
def test_django_sees_a_change_behind_its_cache_at_once(request: pytest.FixtureRequest, tmp_path: Path, place: str) -> None:
    pytest.importorskip("django")
    scene = django(request, tmp_path, "cached_db", place)
    for module in scene.needs:
        pytest.importorskip(module)
    # Without the cache's URL.
    table = re.sub(r"[?&](layout|cache)=[^&]*", "", scene.url) if place == "memcached-postgresql" else scene.url.split("?")[0]
    with Framework(scene) as framework:
        sid = framework("write", "", json.dumps({"role": "admin"}))
        assert framework("read", sid) == {"role": "admin"}
        with Manager(store=scene.url, cookie_name="sessionid", secret=SECRET) as manager:
            with manager.begin(f"sessionid={sid}") as session:
                session["role"] = "guest"
                session.commit(200)
            assert framework("read", sid) == {"role": "guest"}
            with manager.begin(f"sessionid={sid}") as session:
                session.flush()
                session.commit(200)
            assert framework("read", sid) == {}
        # The control: without the cache's URL Django goes on with what it has.
        sid = framework("write", "", json.dumps({"role": "admin"}))
        with Manager(store=table, cookie_name="sessionid", secret=SECRET) as manager:
            with manager.begin(f"sessionid={sid}") as session:
                session["role"] = "guest"
                session.commit(200)
        assert framework("read", sid) == {"role": "admin"}


@pytest.mark.parametrize(("place", "zone"), [("postgresql", "America/New_York"), ("postgresql", "Asia/Tokyo"), ("sqlite", "UTC")])
def test_a_table_s_times_without_use_tz(request: pytest.FixtureRequest, tmp_path: Path, place: str, zone: str) -> None:
    """PostgreSQL knows the zone of what Django writes then; SQLite has the time of TIME_ZONE, which has to be UTC."""
    pytest.importorskip("django")
    scene = django(request, tmp_path, "cache", place)
    scene.settings |= {"zone": zone}
    with Framework(scene) as framework:
        sid = framework("write", "", json.dumps({"a": 1, "_session_expiry": 3600}))
        with Store(scene.url) as store:
            found = store.load(sid)
            assert found is not None and abs(found[1] / 1e6 - time.time() - 3600) < 60
        with Manager(store=scene.url, cookie_name="sessionid") as manager:
            with manager.begin(f"sessionid={sid}") as session:
                assert session["a"] == 1
                session["a"] = 2
                session.set_expiry(60)
                session.commit(200)
            assert framework("read", sid)["a"] == 2
            with manager.begin(f"sessionid={sid}") as session:
                session.set_expiry(1)
                session.commit(200)
            time.sleep(2.1)
            assert framework("read", sid) == {}
            with manager.begin(f"sessionid={sid}") as session:
                assert {**session} == {}


def test_nothing_is_written_while_the_cache_is_away(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    pytest.importorskip("django")
    scene = django(request, tmp_path, "cached_db", "sqlite")
    with Framework(scene) as framework:
        sid = framework("write", "", json.dumps({"role": "admin"}))
    away = f"sqlite://{tmp_path}/db.sqlite3?layout=django-cached-db&cache=" + quote(f"unix://{tmp_path}/none?open=lazy&connect=100&retries=0", safe="")
    with Manager(store=away, cookie_name="sessionid", secret=SECRET) as manager:
        with manager.begin(f"sessionid={sid}") as session:
            assert session["role"] == "admin"
            session["role"] = "guest"
            with pytest.raises(TuileError):
                session.commit(200)
    with Manager(store=scene.url, cookie_name="sessionid", secret=SECRET) as manager:
        with manager.begin(f"sessionid={sid}") as session:
            assert session["role"] == "admin"


def test_owners_and_walks_say_the_ids_of_sessions(tmp_path: Path) -> None:
    place = in_table("flask-session", tmp_path)
    sid = "A-b_0123456789012345678901234567890123456789"
    with Store(f"{place.url}?layout=flask-session") as store:
        assert store.create(b"\x80", key=sid)
        store.own("ada", sid)
        assert [key for key, _ in store.keys()] == [sid] and store.owners() == ["ada"]
    assert place.get(f"session:{sid}") == b"\x80"


def test_what_is_no_session_of_theirs_stays(tmp_path: Path) -> None:
    files = in_files("django-file", tmp_path)
    sid = "0123456789abcdef0123456789abcdef"
    name = md5(f":1:django.contrib.sessions.cache{sid}".encode(), usedforsecurity=False).hexdigest() + ".djcache"
    later = pickle.dumps(time.time() + DAY, 5)
    bomb = later + zlib.compress(pickle.dumps({"a": "x" * (20 << 20)}, 5))
    for content in (b"\x80", later, later + b"x", later[:-1], later + zlib.compress(b"cos\nsystem\n(S'true'\ntR."), bomb, b"\x80\x05G" + b"\xff" * 8 + b"."):
        (tmp_path / name).write_bytes(content)
        with Manager(store=f"{files.url}?layout=django-cache", cookie_name="sessionid") as manager:
            try:
                with manager.begin(f"sessionid={sid}") as session:
                    assert {**session} == {}
                    session["mine"] = 1
                    session.commit(200)
                    assert session.session_key != sid
            except TuileError:
                assert content == bomb
        assert (tmp_path / name).read_bytes() == content


def test_little_that_becomes_much_is_refused(redis: redis_server.Server) -> None:
    import redis as client_of

    client = client_of.Redis(unix_socket_path=str(redis.socket))
    sid = "0123456789abcdef0123456789abcdef"
    plain = pickle.dumps({"a": "x" * (40 << 20)}, 5)
    for compressor, packed in (("zlib", zlib.compress(plain)), ("gzip", gzip.compress(plain)), ("lzma", lzma.compress(plain))):
        client.set(f":1:django.contrib.sessions.cache{sid}", packed)
        with Manager(store=f"{redis.unix}?layout=django-redis&compressor={compressor}", cookie_name="sessionid") as manager:
            with pytest.raises(TuileError):
                with manager.begin(f"sessionid={sid}") as session:
                    session.get("a")
        assert client.get(f":1:django.contrib.sessions.cache{sid}") == packed


def test_a_wrong_option_is_an_error(redis: redis_server.Server, tmp_path: Path) -> None:
    for url in (
        f"sqlite://{tmp_path}/a?layout=django-cache", f"sqlite://{tmp_path}/a?layout=django-cache&table=a;b", f"sqlite://{tmp_path}/a?layout=django-cached-db",
        f"sqlite://{tmp_path}/a?layout=django-cached-db&cache=memory:", f"sqlite://{tmp_path}/a?layout=django-redis", f"{redis.unix}?layout=django-cached-db&cache=x",
        f"sqlite://{tmp_path}/a?layout=django-cached-db&cache=" + quote(f"{redis.unix}?layout=flask-session"), f"{redis.unix}?layout=django-redis&compressor=brotli",
        f"{redis.unix}?layout=django-cache&compressor=zlib", f"{redis.unix}?layout=flask-session&signer=maybe", f"file://{tmp_path}?layout=flask-session&serializer=json",
        f"file://{tmp_path}?layout=flask-session&hash=sha1", f"{redis.unix}?layout=starsessions&rolling=1", f"{redis.unix}?layout=starsessions&table=a",
        f"{redis.unix}?layout=aiohttp-session&serializer=json", f"sqlite://{tmp_path}/a?layout=starsessions",
    ):  # fmt: skip
        with pytest.raises(TuileError):
            Manager(store=url, cookie_name="a", secret=SECRET)
    with pytest.raises(TuileError):
        Manager(store=f"{redis.unix}?layout=flask-session&signer=on", cookie_name="session")
    assert not (tmp_path / "a").exists()
