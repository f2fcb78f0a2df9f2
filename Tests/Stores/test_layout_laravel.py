"""Laravel's sessions, in its files, its table, in Redis and in memcached: Laravel itself and Tuile, in both directions."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote, unquote

import pytest
import redis_server
from php_frameworks import PHP, InMemcached, frameworks, memcached_running, postgresql_running, sqlite_file, uncompressed, with_requests_between
from store import BUILD, ROOT, Store, login, native
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

VECTORS = json.loads((ROOT / "Tests/vectors/layout_laravel.json").read_text())
SCRIPT = Path(__file__).with_name("layout_laravel.php")
KEY = "base64:" + base64.b64encode(bytes(range(32))).decode()
OTHER = "base64:" + base64.b64encode(bytes(range(1, 33))).decode()
SID = "0aB" + "c" * 37


class Kept:
    """Where Laravel keeps its sessions, and how it is told so."""

    settings: dict[str, Any] = {}
    url = ""

    def __init__(self, **settings: Any) -> None:
        self.settings = {**self.settings, "serialization": "php", "encrypt": False, "lifetime": 120, "key": KEY, **settings}
        if self.settings["serialization"] == "json":
            self.url += "&serializer=json"
        if self.settings["encrypt"]:
            self.url += "&encrypt=true"
        if "GCM" in self.settings.get("cipher", ""):
            self.url += "&cipher=gcm"

    def start(self, sid: str, command: str, *arguments: str) -> subprocess.Popen[str]:
        settings = json.dumps({**self.settings, "root": frameworks()})
        assert PHP is not None
        words = [PHP, str(SCRIPT), settings, sid, command, *arguments]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def laravel(self, sid: str, command: str, *arguments: str) -> Any:
        return json.loads(self.start(sid, command, *arguments).communicate(timeout=120)[0])

    def cookie(self, sid: str) -> str:
        return f"laravel_session={self.laravel(sid, 'cookie', 'laravel_session')}"

    def opened(self, **more: Any) -> Manager:
        settings = {"store": self.url, "cookie_name": "laravel_session", "secret": self.settings["key"], **more}
        return Manager(**settings)

    def wrapped(self, text: bytes) -> bytes:
        return text

    def unwrapped(self, stored: bytes) -> bytes:
        return stored

    def get(self, sid: str) -> Optional[bytes]:
        raise NotImplementedError

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        raise NotImplementedError

    def left(self, sid: str) -> float:
        raise NotImplementedError


class InFiles(Kept):
    def __init__(self, folder: Path, **settings: Any) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self.url = f"file://{folder}?layout=laravel"
        self.settings = {"driver": "file", "files": str(folder)}
        super().__init__(**settings)

    def get(self, sid: str) -> Optional[bytes]:
        return (self.folder / sid).read_bytes() if (self.folder / sid).exists() else None

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        (self.folder / sid).write_bytes(data)

    def left(self, sid: str) -> float:
        return (self.folder / sid).stat().st_mtime + 7200 - time.time()


class InRedis(Kept):
    def __init__(self, server: redis_server.Server, prefix: str = "laravel_database_laravel_cache:", **settings: Any) -> None:
        import redis

        self.client, self.prefix = redis.Redis(unix_socket_path=str(server.socket)), prefix
        self.url = f"{server.unix}?layout=laravel&prefix={quote(prefix, '')}"
        # The cache of Laravel 10 and before writes a colon behind its prefix.
        self.settings = {"driver": "redis", "redis": str(server.socket), "prefix": prefix[:17], "cache_prefix": prefix[17:-1]}
        super().__init__(**settings)

    def wrapped(self, text: bytes) -> bytes:
        return b's:%d:"%s";' % (len(text), text)

    def unwrapped(self, stored: bytes) -> bytes:
        text = stored[stored.index(b'"') + 1 : -2]
        assert stored == self.wrapped(text)
        return text

    def get(self, sid: str) -> Optional[bytes]:
        found = self.client.get(self.prefix + sid)
        return None if found is None else bytes(found)

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        self.client.set(self.prefix + sid, data, ex=7200)

    def left(self, sid: str) -> float:
        return float(self.client.pttl(self.prefix + sid)) / 1000


class OfMemcached(InMemcached, Kept):
    def __init__(self, server: Any, prefix: str = "laravel_cache:", **settings: Any) -> None:
        self.server, self.prefix = server, prefix
        self.url = f"{server.url}?layout=laravel&prefix={quote(prefix, '')}"
        self.settings = {"driver": "memcached", "memcached": [["127.0.0.1", server.port]], "cache_prefix": prefix[:-1]}
        Kept.__init__(self, **settings)


class InTable(Kept):
    """Made by Laravel's own migration; `sql` runs a statement, and gives its rows."""

    sql: Callable[..., list[Any]]

    def __init__(self, database: dict[str, Any], url: str, sql: Callable[..., list[Any]], **settings: Any) -> None:
        self.url = f"{url}&layout=laravel"
        self.sql = sql
        self.settings = {"driver": "database", "database": database, "table": "sessions"}
        super().__init__(**settings)
        self.laravel(SID, "create")

    def wrapped(self, text: bytes) -> bytes:
        return base64.b64encode(text)

    def unwrapped(self, stored: bytes) -> bytes:
        return base64.b64decode(stored, validate=True)

    def get(self, sid: str) -> Optional[bytes]:
        rows = self.sql(f"SELECT payload FROM sessions WHERE id = '{sid}'")
        return str(rows[0][0]).encode() if rows else None

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        self.sql(f"DELETE FROM sessions WHERE id = '{sid}'")
        text = data.decode("latin-1").replace("'", "''").replace("\0", "?")
        self.sql(f"INSERT INTO sessions (id, payload, last_activity) VALUES ('{sid}', '{text}', {int(time.time())})")

    def left(self, sid: str) -> float:
        return float(self.sql(f"SELECT last_activity FROM sessions WHERE id = '{sid}'")[0][0]) + 7200 - time.time()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    if not (BUILD / "libtuile-redis.so").exists():
        pytest.skip("the module is not built")
    with redis_server.running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


@pytest.fixture(scope="module")
def memcached() -> Iterator[Any]:
    yield from memcached_running()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Any]:
    yield from postgresql_running()


def kept_in(where: str, request: pytest.FixtureRequest, folder: Path, **settings: Any) -> Kept:
    if where == "redis":
        server = request.getfixturevalue("redis")
        server.client().flushall()
        return InRedis(server, **settings)
    if where == "memcached":
        server = request.getfixturevalue("memcached")
        server.client().flush_all()
        return OfMemcached(server, **settings)
    if where == "sqlite":
        file = sqlite_file(folder)
        return InTable({"driver": "sqlite", "database": str(file.path)}, f"sqlite://{file.path}?busy=60000", file.sql, **settings)
    if where == "postgresql":
        server = request.getfixturevalue("postgresql")
        name = server.new_database()
        database = {"driver": "pgsql", "host": str(server.folder), "port": server.port, "database": name, "username": "postgres", "password": ""}
        return InTable(database, server.url(name), lambda text: server.sql(text, name), **settings)
    return InFiles(folder / "sessions", **settings)


WHERE = ["file", "redis", "memcached", "sqlite", "postgresql"]


@pytest.fixture(params=WHERE)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return kept_in(request.param, request, tmp_path)


def decrypted(stored: bytes, key: str) -> bytes:
    """As its Encrypter, by OpenSSL's command."""
    envelope = json.loads(base64.b64decode(stored))
    words = ["openssl", "enc", "-d", "-aes-256-cbc", "-K", base64.b64decode(key[7:]).hex()]
    words += ["-iv", base64.b64decode(envelope["iv"]).hex()]
    return subprocess.run(words, input=base64.b64decode(envelope["value"]), capture_output=True, check=True).stdout


def age_flash(session: Any) -> None:
    """What each save of Laravel's does beside: Tuile shows no flash message, and so lets none grow old."""
    flash = session.get("_flash") or {}
    for name in flash.get("old", []):
        del session[name]
    session["_flash"] = {**flash, "old": flash.get("new", []), "new": []}


@pytest.mark.parametrize("name", ["file", "file json", "file encrypted", "redis", "redis json", "memcached", "database", "database json"])
def test_what_laravel_wrote_is_read_and_changed_as_laravel_changes_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = VECTORS[name]
    settings = {"key": made["key"], "encrypt": "encrypted" in name}
    kept = kept_in(name.split()[0].replace("database", "sqlite"), request, tmp_path, **settings)
    for case in made["cases"]:
        sid = case["sid"]
        kept.put(sid, base64.b64decode(case["value"]), case.get("flags", 0))
        with kept.opened() as manager, manager.begin(case["cookie"]) as session:
            assert session.session_key == sid and session.get("hits") is None
            if case["json"]:
                assert {**session} == case["session"], case["name"]
            assert session.get("_token") == case["session"]["_token"]
            users = [value for member, value in case["session"].items() if member.startswith("login_web_")]
            assert login(session) == (str(users[0]) if users else None)
            session["hits"] = 41
            age_flash(session)
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0]
        got, after = kept.get(sid) or b"", base64.b64decode(case["after"])
        if isinstance(kept, OfMemcached):
            # What the framework compressed is again; not to the same bytes, since two compressors differ.
            assert kept.server.flags(kept.prefix + sid) == case["flags"]
            after = uncompressed(after, case["flags"])
        if settings["encrypt"]:
            assert got != after
            got, after = decrypted(got, made["key"]), decrypted(after, made["key"])
        assert got == after, case["name"]
        assert 7100 < kept.left(sid) <= 7201
        with kept.opened() as manager:
            with manager.begin(cookie) as session:
                assert session["hits"] == 41
            with manager.begin(cookie[:-10] + "AAAAAAA%3D") as session:
                assert {**session} == {}
    guest = made["cases"][0]
    with Manager(store=f"{kept.url}&cipher=gcm", cookie_name="laravel_session", secret=made["key"]) as manager:
        if not settings["encrypt"]:
            with manager.begin(guest["cookie_gcm"]) as session:
                assert session["hits"] == 41 and session.session_key == guest["sid"]
        with manager.begin(guest["cookie"]) as session:
            assert {**session} == {}


@pytest.mark.parametrize("settings", [{}, {"serialization": "json"}, {"encrypt": True}, {"encrypt": True, "cipher": "AES-256-GCM"}], ids=str)
@pytest.mark.parametrize("where", WHERE)
def test_laravel_reads_what_tuile_wrote_and_the_other_way_round(
    where: str, settings: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kept = kept_in(where, request, tmp_path, **settings)
    values = {"user": 7, "name": "žluťoučký/\x7f", "list": [1, 2.5, None, {"a": True}]}

    def read(sid: str) -> Any:
        return {name: value for name, value in kept.laravel(sid, "read").items() if name not in ("_token", "_flash")}

    with kept.opened() as manager:
        with manager.begin("") as session:
            session.update(values)
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0]
            sid = session.session_key or ""
        assert kept.laravel(SID, "id", "laravel_session", cookie.split("=", 1)[1]) == sid
        assert len(sid) == 40 and read(sid) == values
        kept.laravel(sid, "write", json.dumps({"php": [1], "user": 8, "path": "a/b"}))
        before = kept.get(sid) or b""
        with manager.begin(cookie) as session:
            assert session["php"] == [1] and session["user"] == 8 and len(session["_token"]) == 40
            session.add_int("user", 1)
            session.commit(200)
        if not settings.get("encrypt"):
            shown = (b'"user":8', b'"user":9') if settings else (b's:4:"user";i:8;', b's:4:"user";i:9;')
            assert kept.unwrapped(kept.get(sid) or b"") == kept.unwrapped(before).replace(*shown)
        assert read(sid)["user"] == 9
        # A logout of one is a logout of the other.
        with manager.begin(cookie) as session:
            session["late"] = 1
            kept.laravel(sid, "destroy")
            with pytest.raises(SessionDeleted):
                session.commit(200)
        assert kept.get(sid) is None
    kept.laravel(SID, "write", json.dumps(values))
    sent = kept.cookie(SID)
    with kept.opened(cycle_grace=0) as manager:
        with manager.begin(sent) as session:
            assert {**session} == {**values, "_token": session["_token"], "_flash": {"old": [], "new": []}}
            session.cycle_key()
            session.commit(200)
            fresh = session.session_key or ""
        assert kept.get(SID) is None and read(fresh) == values
        with manager.begin(kept.cookie(fresh)) as session:
            session.flush()
            session.commit(200)
    assert kept.get(fresh) is None


def test_an_encrypted_session_is_the_key_s_alone(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    for where in WHERE:
        kept = kept_in(where, request, tmp_path, encrypt=True)
        kept.laravel(SID, "write", json.dumps({"n": 1}))
        sent, stored = kept.cookie(SID), kept.get(SID) or b""
        plain = kept.wrapped(b'a:1:{s:1:"n";i:1;}')
        broken = kept.wrapped(base64.b64encode(base64.b64decode(kept.unwrapped(stored))[:-3]))
        for data in (plain, broken, kept.wrapped(b"eyJ"), stored + b"x"):
            kept.put(SID, data)
            with kept.opened() as manager, manager.begin(sent) as session:
                assert {**session} == {}
                session["mine"] = 1
                session.commit(200)
                assert session.session_key != SID
            assert kept.get(SID) == data
        kept.put(SID, stored)
        with Manager(store=kept.url.replace("&encrypt=true", ""), cookie_name="laravel_session", secret=KEY) as manager:
            with manager.begin(sent) as session:
                assert {**session} == {}
        # A new key writes what an old one wrote with itself.
        with kept.opened(secret=OTHER, fallbacks=[KEY]) as manager, manager.begin(sent) as session:
            assert session["n"] == 1
            session.commit(200)
        kept.settings["key"] = OTHER
        assert kept.laravel(SID, "read")["n"] == 1
        with kept.opened() as manager, manager.begin(kept.cookie(SID)) as session:
            assert session["n"] == 1


def test_an_object_of_php_s_stays_and_flash_messages_wait(kept: Kept) -> None:
    kept.laravel(SID, "object")
    kept.laravel(SID, "flash")
    sent = kept.cookie(SID)
    with kept.opened() as manager:
        with manager.begin(sent) as session:
            # Of the next request of Laravel's: this is none.
            assert session["_flash"] == {"old": ["status"], "new": []} and session["status"] == "saved"
            session["n"] = 2
            session.commit(200)
        with manager.begin(sent) as session:
            session["n"] = 3
            session.commit(200)
        assert kept.laravel(SID, "read")["status"] == "saved"
        assert "status" not in kept.laravel(SID, "read")
        assert kept.laravel(SID, "class") == "DateTime 2026-01-02"
        with manager.begin(sent) as session:
            del session["when"]
            session.commit(200)
        assert "when" not in kept.laravel(SID, "read")


KIND = {InRedis: [b"s:3:\"a:0:{}\";", b's:06:"a:0:{}";', b"7", b"a:0:{}"], InTable: [b"a:0:{}", b"YTow!", b"YTowOnt9YQ=", b"YQ==YQ=="]}


def test_what_is_no_session_of_laravel_s_stays(kept: Kept) -> None:
    sent = kept.cookie(SID)
    bad = [b"\x00\xff", b'a:1:{s:1:"n";i:1;}x', b'{"n":1', b"a:99999999:{", b"n|i:1;", b"[1]", b"O:1:", b"s:0:"]
    for data in [*map(kept.wrapped, bad), *KIND.get(type(kept), [])]:
        kept.put(SID, data)
        with kept.opened() as manager, manager.begin(sent) as session:
            assert {**session} == {}, data
            assert "Set-Cookie" not in dict(session.commit(200))
            session["mine"] = 1
            session.commit(200)
            assert session.session_key != SID
        assert kept.get(SID) == data
    # Laravel takes no other IDs than its own: letters and digits, 40 of them.
    for sid in ("../../etc/passwd", "x", "a" * 39, "a" * 41, "a" * 39 + "-", "a" * 39 + "/", ""):
        with kept.opened() as manager, manager.begin(kept.cookie(sid)) as session:
            assert {**session} == {}
    # Another cookie of the application's is none of its session's.
    text = kept.laravel(SID, "cookie", "XSRF-TOKEN")
    kept.put(SID, kept.wrapped(b'a:1:{s:1:"n";i:1;}'))
    with kept.opened() as manager:
        with manager.begin(f"laravel_session={text}") as session:
            assert {**session} == {}
        with manager.begin(f"laravel_session={SID}") as session:
            assert {**session} == {}
        with manager.begin(sent) as session:
            assert {**session} == {"n": 1}


def test_empty_is_a_session_in_which_nothing_is_set(kept: Kept) -> None:
    sent = kept.cookie(SID)
    for data in (b"a:0:{}", b"[]", b"{}", b""):
        kept.put(SID, kept.wrapped(data))
        with kept.opened() as manager, manager.begin(sent) as session:
            assert {**session} == {}
            session["n"] = 1
            session.commit(200)
            assert session.session_key == SID
        # The form that was found stays; what says none is the setting's.
        assert kept.unwrapped(kept.get(SID) or b"") == (b'{"n":1}' if data in (b"[]", b"{}") else b'a:1:{s:1:"n";i:1;}')


def test_the_guard_says_whose_login_counts(kept: Kept) -> None:
    digest = "59ba36addc2b2f9401580f014c7f58ea4e30989d"
    text = f'a:2:{{s:50:"login_web_{digest}";i:7;s:52:"login_admin_{digest}";s:3:"x-1";}}'
    kept.put(SID, kept.wrapped(text.encode()))
    sent = kept.cookie(SID)
    for option, user in (("", "7"), ("&guard=admin", "x-1"), ("&guard=api", None), ("&guard=web_" + digest, None)):
        with Manager(store=kept.url + option, cookie_name="laravel_session", secret=KEY) as manager:
            with manager.begin(sent) as session:
                assert login(session) == user


def looked_into(url: str, stored: bytes) -> Any:
    """By the function that needs no store and no secret; None: no session."""
    size, error, room = ctypes.c_size_t(), native.Error(), ctypes.create_string_buffer(1 << 20)
    status = native.lib.tuile_layout_read(native.view(url), native.view(stored), room, len(room), ctypes.byref(size), ctypes.byref(error))
    return json.loads(room.raw[: size.value]) if status == native.OK else None


def test_the_command_looks_into_sessions_and_moves_them(tmp_path: Path, redis: redis_server.Server) -> None:
    redis.client().flushall()
    kept, sealed = InFiles(tmp_path / "s"), InRedis(redis, encrypt=True)
    kept.laravel(SID, "write", json.dumps({"n": 1, "name": "žluťoučký"}))
    stored = kept.get(SID) or b""
    assert looked_into(kept.url, stored)["n"] == 1 and looked_into(InRedis(redis).url, stored) is None
    assert looked_into(InRedis(redis).url, InRedis(redis).wrapped(stored))["n"] == 1
    assert looked_into(sealed.url, InRedis(redis).wrapped(stored)) is None
    environment = {"PATH": os.environ["PATH"], "TUILE_SECRET": KEY}
    words = [str(BUILD / "tuile"), "migrate", kept.url, sealed.url]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"name" not in (sealed.get(SID) or b"name")
    assert sealed.laravel(SID, "read")["name"] == "žluťoučký" and kept.get(SID) == stored


@pytest.mark.parametrize("compares", [True, False])
def test_laravel_and_tuile_at_once(kept: Kept, compares: bool) -> None:
    """Laravel never compares: a slow request of its own undoes what others saved meanwhile, of Tuile's
    as of its own. Beside it Tuile loses nothing that it finds finished; the control writes without comparing."""
    each = 60
    sent = kept.cookie(SID)

    def counted() -> tuple[int, int]:
        kept.put(SID, kept.wrapped(b'a:2:{s:3:"php";i:0;s:5:"tuile";i:0;}'))
        def tuile(meet: Callable[[], None]) -> None:
            with kept.opened() as manager:
                for _ in range(each):
                    with manager.begin(sent) as session:
                        session.add_int("tuile", 1)
                        # A whole request of Laravel's is done between this one's reading and its writing.
                        meet()
                        session.commit(200)

        def careless(meet: Callable[[], None]) -> None:
            for _ in range(each):
                text = kept.unwrapped(kept.get(SID) or b"").decode()
                number = int(text.split('"tuile";i:')[1].split(";")[0])
                meet()
                kept.put(SID, kept.wrapped(text.replace(f'"tuile";i:{number};', f'"tuile";i:{number + 1};').encode()))

        with_requests_between(each, tuile if compares else careless, kept.start(SID, "steps", str(each)))
        read = kept.laravel(SID, "read")
        return read["php"], read["tuile"]

    if compares:
        assert counted() == (each, each)
    else:
        php, _ = counted()
        assert php < each


def test_writers_of_tuile_and_laravel_who_take_turns_at_random(kept: Kept) -> None:
    """Without any order Tuile's own increments survive each other, and Laravel's last write wins, as it does alone."""
    each = 60
    sent = kept.cookie(SID)
    kept.put(SID, kept.wrapped(b'a:2:{s:3:"php";i:0;s:5:"tuile";i:0;}'))
    laravel = [kept.start(SID, "count", str(each)) for _ in range(2)]

    def tuile() -> None:
        with kept.opened(store=f"{kept.url}{'&busy=60000' if isinstance(kept, InFiles) else ''}") as manager:
            for _ in range(each):
                with manager.begin(sent) as session:
                    session.add_int("tuile", 1)
                    session.commit(200)

    threads = [threading.Thread(target=tuile) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in laravel:
        assert json.loads(process.communicate(timeout=300)[0]) is True
    read = kept.laravel(SID, "read")
    # Nobody ever saw half of a session, which would have begun again at nothing.
    assert 0 < read["php"] <= 2 * each and 0 < read["tuile"] <= 2 * each


def test_files_are_swept_by_laravel_s_rule(tmp_path: Path) -> None:
    kept = InFiles(tmp_path / "s")
    old, new = "o" * 40, "n" * 40
    for sid in (old, new):
        kept.put(sid, b'a:1:{s:1:"n";i:1;}')
    (kept.folder / "other").write_text("x")
    os.utime(kept.folder / old, (1, time.time() - 7300))
    with Store(kept.url) as store:
        now = int(time.time() * 1_000_000)
        assert [key for key, _ in store.keys(now)] == [new]
        assert store.load(old, now) is None and store.load(new, now) is not None
        assert store.sweep(now) == 1 and store.sweep(now) == 0
    assert kept.get(old) is None and (kept.folder / "other").exists()
    with kept.opened(store=f"{kept.url}&ttl=60") as manager, manager.begin("") as session:
        session["n"] = 1
        session.commit(200)
        written = (kept.folder / (session.session_key or "")).stat().st_mtime
    assert abs(written - time.time()) < 60


def test_what_can_not_be_is_an_error_at_the_start(tmp_path: Path, redis: redis_server.Server) -> None:
    for option in ("serializer=igbinary", "encrypt=yes", "cipher=aes", "ttl=0", "prefix=a", "age=5", "depth=1"):
        with pytest.raises(TuileError):
            Manager(store=f"file://{tmp_path}/s?layout=laravel&{option}", cookie_name="laravel_session", secret=KEY)
    with pytest.raises(TuileError):
        Manager(store=f"file://{tmp_path}/s?layout=laravel", cookie_name="laravel_session")
    with pytest.raises(TuileError, match="APP_KEY"):
        Manager(store=f"{redis.unix}?layout=laravel", cookie_name="laravel_session", secret="x" * 40)
    assert unquote(InRedis(redis).url).endswith("laravel_cache:")
