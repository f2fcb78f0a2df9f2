"""Symfony's sessions, in PHP's files, in Redis, in memcached and in its table: Symfony itself and Tuile, in both directions."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
import redis_server
from php_frameworks import PHP, InMemcached, frameworks, memcached_running, postgresql_running, sqlite_file, with_requests_between
from store import BUILD, ROOT, login
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

VECTORS = json.loads((ROOT / "Tests/vectors/layout_symfony.json").read_text())
SCRIPT = Path(__file__).with_name("layout_symfony.php")
SID = "0123456789abcdefghijklmnop"
COOKIE = f"PHPSESSID={SID}"


class Kept:
    """Where Symfony keeps its sessions, and how it is told so."""

    settings: dict[str, Any] = {}
    url = ""
    # Symfony holds a lock from reading to writing.
    locks = True

    def start(self, sid: str, command: str, *arguments: str) -> subprocess.Popen[str]:
        settings = json.dumps({**self.settings, "root": frameworks()})
        assert PHP is not None
        words = [PHP, str(SCRIPT), settings, sid, command, *arguments]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def symfony(self, sid: str, command: str, *arguments: str) -> Any:
        return json.loads(self.start(sid, command, *arguments).communicate(timeout=120)[0])

    def opened(self, option: str = "", **more: Any) -> Manager:
        return Manager(store=self.url + option, cookie_name="PHPSESSID", **more)

    def get(self, sid: str) -> Optional[bytes]:
        raise NotImplementedError

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        raise NotImplementedError

    def drop(self, sid: str) -> None:
        raise NotImplementedError

    def left(self, sid: str) -> float:
        raise NotImplementedError


class InFiles(Kept):
    def __init__(self, folder: Path, handler: str = "php") -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self.url = f"file://{folder}?layout=symfony&handler={handler}"
        self.settings = {"driver": "files", "files": str(folder), "serialize_handler": handler}

    def path(self, sid: str) -> Path:
        return self.folder / f"sess_{sid}"

    def get(self, sid: str) -> Optional[bytes]:
        return self.path(sid).read_bytes() if self.path(sid).exists() else None

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        self.path(sid).write_bytes(data)

    def drop(self, sid: str) -> None:
        self.path(sid).unlink()

    def left(self, sid: str) -> float:
        return self.path(sid).stat().st_mtime + 1440 - time.time()


class InRedis(Kept):
    locks = False

    def __init__(self, server: redis_server.Server, prefix: str = "sf_s") -> None:
        import redis

        self.client, self.prefix = redis.Redis(unix_socket_path=str(server.socket)), prefix
        self.url = f"{server.unix}?layout=symfony&prefix={prefix}"
        self.settings = {"driver": "redis", "redis": str(server.socket), "prefix": prefix}

    def get(self, sid: str) -> Optional[bytes]:
        found = self.client.get(self.prefix + sid)
        return None if found is None else bytes(found)

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        self.client.set(self.prefix + sid, data, ex=1440)

    def drop(self, sid: str) -> None:
        self.client.delete(self.prefix + sid)

    def left(self, sid: str) -> float:
        return float(self.client.pttl(self.prefix + sid)) / 1000


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    if not (BUILD / "libtuile-redis.so").exists():
        pytest.skip("the module is not built")
    with redis_server.running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


class OfMemcached(InMemcached, Kept):
    locks = False

    def __init__(self, server: Any, **settings: Any) -> None:
        self.server, self.prefix, self.url = server, "sf_s", f"{server.url}?layout=symfony"
        self.settings = {"driver": "memcached", "memcached": [["127.0.0.1", server.port]], **settings}


class InTable(Kept):
    """Made by Symfony itself; `sql` runs a statement, and gives its rows."""

    sql: Callable[..., list[Any]]

    def __init__(self, dsn: str, url: str, sql: Callable[..., list[Any]], text: str, of_hex: str) -> None:
        self.url, self.sql, self.hex, self.of_hex = f"{url}&layout=symfony", sql, text, of_hex
        self.settings = {"driver": "pdo", "dsn": dsn, "user": "postgres"}
        self.symfony(SID, "create")

    def get(self, sid: str) -> Optional[bytes]:
        rows = self.sql(f"SELECT {self.hex} FROM sessions WHERE sess_id = '{sid}'")
        return bytes.fromhex(rows[0][0]) if rows else None

    def put(self, sid: str, data: bytes, flags: int = 0) -> None:
        self.sql(f"DELETE FROM sessions WHERE sess_id = '{sid}'")
        now = int(time.time())
        self.sql(f"INSERT INTO sessions VALUES ('{sid}', {self.of_hex.format(data.hex())}, {now + 1440}, {now})")

    def drop(self, sid: str) -> None:
        self.sql(f"DELETE FROM sessions WHERE sess_id = '{sid}'")

    def left(self, sid: str) -> float:
        end, at = self.sql(f"SELECT sess_lifetime, sess_time FROM sessions WHERE sess_id = '{sid}'")[0]
        assert abs(at - time.time()) < 60
        return float(end) - time.time()


@pytest.fixture(scope="module")
def memcached() -> Iterator[Any]:
    yield from memcached_running()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Any]:
    yield from postgresql_running()


def in_sqlite(folder: Path) -> InTable:
    file = sqlite_file(folder)
    return InTable(f"sqlite:{file.path}", f"sqlite://{file.path}?busy=60000", file.sql, "hex(sess_data)", "X'{}'")


@pytest.fixture(params=["file", "redis", "memcached", "sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "redis":
        server = request.getfixturevalue("redis")
        server.client().flushall()
        return InRedis(server)
    if request.param == "memcached":
        server = request.getfixturevalue("memcached")
        server.client().flush_all()
        return OfMemcached(server)
    if request.param == "sqlite":
        return in_sqlite(tmp_path)
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        name = server.new_database()
        dsn = f"pgsql:host={server.folder};port={server.port};dbname={name}"
        return InTable(dsn, server.url(name), lambda text: server.sql(text, name), "encode(sess_data, 'hex')", "'\\x{}'")
    return InFiles(tmp_path / "sessions")


def used_now(stored: bytes) -> bytes:
    """With the time of last use that a save within these seconds leaves."""
    return re.sub(rb'(_sf2_meta\|a:3:\{s:1:"u";i:)\d+', rb"\1NOW", stored)


def test_what_symfony_wrote_is_read_and_changed_as_symfony_changes_it(redis: redis_server.Server, tmp_path: Path) -> None:
    count = 0
    for kept in (InRedis(redis), InFiles(tmp_path / "s"), in_sqlite(tmp_path)):
        for case in VECTORS["cases"]:
            sid, value = case["sid"], base64.b64decode(case["value"])
            kept.put(sid, value)
            began = int(time.time())
            with kept.opened() as manager, manager.begin(case["cookie"]) as session:
                assert session.get("hits") is None
                if case["json"]:
                    assert {**session} == case["json"]
                else:
                    assert session["token"] == {"$type": "object", "class": "Token"} and session["count"] == 1
                session["hits"] = 41
                session.commit(200)
            ours = kept.get(sid) or b""
            times = re.search(rb'_sf2_meta\|a:3:\{s:1:"u";i:(\d+);s:1:"c";i:(\d+)', ours)
            assert times and began <= int(times[1]) <= time.time() and times[2] == case["created"].encode()
            # What Symfony itself makes of the same.
            kept.put(sid, value)
            kept.symfony(sid, "write", '{"hits":41}')
            theirs = kept.get(sid) or b""
            # It takes what it finds first and adds its other parts behind, so that these may change places.
            assert sorted(used_now(theirs).split(b"_sf2_meta")) == sorted(used_now(ours).split(b"_sf2_meta"))
            assert 1400 < kept.left(sid) <= 1441
            count += 1
    assert count == 3 * len(VECTORS["cases"]) >= 16


def test_symfony_reads_what_tuile_wrote_and_the_other_way_round(kept: Kept) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}]}
    with kept.opened() as manager:
        with manager.begin("") as session:
            session.update(values)
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0]
            sid = session.session_key or ""
        assert len(sid) == 26 and kept.symfony(sid, "read") == values
        created, used, lifetime = kept.symfony(sid, "meta")
        assert abs(created - time.time()) < 60 and used >= created and lifetime == 1209600
        kept.symfony(sid, "write", json.dumps({"php": [1], "user": 8}))
        kept.symfony(sid, "flash")
        with manager.begin(cookie) as session:
            assert session["php"] == [1] and session["user"] == 8 and set(session) == {*values, "php"}
            session.add_int("user", 1)
            session.commit(200)
        assert kept.symfony(sid, "read")["user"] == 9 and kept.symfony(sid, "flashes") == {"notice": ["saved"]}
        assert kept.symfony(sid, "meta")[0] == created
        # A logout of one is a logout of the other.
        with manager.begin(cookie) as session:
            session["late"] = 1
            kept.drop(sid)
            with pytest.raises(SessionDeleted):
                session.commit(200)
        assert kept.get(sid) is None
    kept.symfony(SID, "write", json.dumps(values))
    kept.symfony(SID, "flash")
    with kept.opened(cycle_grace=0) as manager:
        with manager.begin(COOKIE) as session:
            assert {**session} == values
            session.cycle_key()
            session.commit(200)
            fresh = session.session_key or ""
        assert kept.get(SID) is None and kept.symfony(fresh, "read") == values
        assert kept.symfony(fresh, "flashes") == {"notice": ["saved"]}
        with manager.begin(f"PHPSESSID={fresh}") as session:
            session.flush()
            session.commit(200)
    assert kept.get(fresh) is None


def test_the_time_of_last_use_moves_as_symfony_moves_it(kept: Kept) -> None:
    old = b'_sf2_attributes|a:1:{s:1:"n";i:1;}_sf2_meta|a:3:{s:1:"u";i:1000;s:1:"c";i:1000;s:1:"l";i:5;}'
    kept.put(SID, old)
    with kept.opened() as manager, manager.begin(COOKIE) as session:
        assert session["n"] == 1
        session.commit(200)
    assert kept.get(SID) == old
    with kept.opened(save_every_request=True) as manager, manager.begin(COOKIE) as session:
        session.commit(200)
    now = kept.get(SID) or b""
    assert used_now(now) == used_now(old) and now != old
    created, used, lifetime = kept.symfony(SID, "meta")
    assert created == 1000 and abs(used - time.time()) < 60 and lifetime == 5
    # Symfony leaves out what is empty, and stamps a session that has no times.
    for stored, after in (
        (b"", b'_sf2_attributes|a:1:{s:1:"n";i:2;}_sf2_meta|a:3:{s:1:"u";i:NOW;s:1:"c";i:'),
        (b"legacy|i:5;", b'legacy|i:5;_sf2_attributes|a:1:{s:1:"n";i:2;}_sf2_meta|a:3:{s:1:"u";i:NOW;s:1:"c";i:'),
        (b"_sf2_attributes|a:0:{}_sf2_meta|a:0:{}", b'_sf2_attributes|a:1:{s:1:"n";i:2;}_sf2_meta|a:3:{s:1:"u";i:NOW;s:1:"c";i:'),
    ):
        kept.put(SID, stored)
        with kept.opened() as manager, manager.begin(COOKIE) as session:
            assert {**session} == {}
            session["n"] = 2
            session.commit(200)
        assert used_now(kept.get(SID) or b"").startswith(after)
        assert kept.symfony(SID, "read") == {"n": 2}
    with kept.opened() as manager, manager.begin(COOKIE) as session:
        del session["n"]
        session["m"] = 1
        del session["m"]
        session.commit(200)
    assert b"_sf2_attributes" not in (kept.get(SID) or b"") and kept.symfony(SID, "read") == []


def test_an_object_of_php_s_stays_and_is_never_made(kept: Kept) -> None:
    kept.symfony(SID, "object")
    with kept.opened() as manager:
        with manager.begin(COOKIE) as session:
            session["n"] = 2
            session.commit(200)
        assert kept.symfony(SID, "class") == "DateTime 2026-01-02" and kept.symfony(SID, "read")["n"] == 2
        with manager.begin(COOKIE) as session:
            # In the attributes all names can be said.
            session["a|b"] = 1
            session.commit(200)
        assert kept.symfony(SID, "read")["a|b"] == 1
        with manager.begin(COOKIE) as session:
            del session["when"]
            session.commit(200)
        assert kept.symfony(SID, "read") == {"n": 2, "a|b": 1}


def test_what_is_no_session_of_symfony_s_stays(kept: Kept) -> None:
    meta = b'_sf2_meta|a:3:{s:1:"u";i:1;s:1:"c";i:1;s:1:"l";i:0;}'
    for data in (
        b"\x00\xff", b"_sf2_attributes|a:1:{", b"_sf2_attributes|i:1;" + meta, b'_sf2_attributes|s:1:"a";' + meta, b'{"n":1}',
        # Numbers are no names of JSON's.
        b"_sf2_attributes|a:1:{i:7;i:1;}" + meta, b"_sf2_attributes|a:1:{i:0;i:1;}" + meta, meta + meta,
        b'_sf2_attributes|O:1:"A":0:{}' + meta,
    ):  # fmt: skip
        kept.put(SID, data)
        with kept.opened() as manager, manager.begin(COOKIE) as session:
            assert {**session} == {}, data
            assert "Set-Cookie" not in dict(session.commit(200))
            session["mine"] = 1
            session.commit(200)
            assert session.session_key != SID
        assert kept.get(SID) == data
    for cookie in ("../../etc/passwd", "x", "a" * 257, "abc/defghij", "sess_abcdefgh"):
        with kept.opened() as manager, manager.begin(f"PHPSESSID={cookie}") as session:
            assert {**session} == {}


def php(value: Any) -> str:
    if isinstance(value, dict):
        return f"a:{len(value)}:{{" + "".join(php(name) + php(item) for name, item in value.items()) + "}"
    if isinstance(value, str):
        return f's:{len(value.encode())}:"{value}";'
    return "N;" if value is None else f"b:{int(value)};" if isinstance(value, bool) else f"i:{value};"


def of(name: str, members: dict[Any, Any]) -> str:
    return f'O:{len(name)}:"{name}":{php(members)[2:]}'


def test_who_is_logged_in_is_read_where_the_token_is_plain(kept: Kept) -> None:
    token = r"Symfony\Component\Security\Core\Authentication\Token\UsernamePasswordToken"
    entity = r"App\Entity\User"

    def now(user: str, **more: str) -> str:
        # As UsernamePasswordToken::__serialize has it.
        inner = f'a:5:{{i:0;{user}i:1;b:1;i:2;N;i:3;a:0:{{}}i:4;a:1:{{i:0;s:9:"ROLE_USER";}}}}'
        return f'O:{len(token)}:"{token}":3:{{i:0;N;i:1;s:4:"main";i:2;{inner}}}'

    memory = "\0Symfony\\Component\\Security\\Core\\User\\InMemoryUser\0"
    evil = 's:8:"username";s:4:"root";'
    cases: list[tuple[str, Optional[str]]] = [
        (now(of(entity, {f"\0{entity}\0id": 7, f"\0{entity}\0email": "ada@example.test", f"\0{entity}\0roles": {}})), "ada@example.test"),
        (now(of("InMemoryUser", {memory + "username": "ada", memory + "password": None, memory + "enabled": True})), "ada"),
        (now(of(entity, {"id": 7})), "7"), (now(php("ada")), "ada"), (now(php({"id": -12})), "-12"),
        (of("Token", {"\0Token\0user": {"id": 7}, "\0*\0roles": {0: "ROLE_USER"}}), "7"),
        # A text that looks like a member is none.
        (now(of(entity, {"bio": evil, "id": 7})), "7"), (now(of(entity, {"bio": evil})), None),
        (now(of(entity, {"more": {"username": "root"}, "id": 7})), "7"), (now(php("")), None), (now(php(None)), None),
        (now(of(entity, {"email": None})), None), (now(of(entity, {"id": 7}))[:-1], None), (now(of(entity, {"id": 7})) + "x", None),
        ("a:0:{}", None), ("", None), ("O:5:", None), ('O:1:"A":99999999:{}', None), ("i:7;", None),
        (now("i:007;"), None), (now("i:x;"), None), (now("a:1:{i:0;" * 100 + "}" * 100), None), ('C:1:"A":3:{abc}', None),
    ]  # fmt: skip
    for text, user in cases:
        kept.put(SID, f'_sf2_attributes|{php({"_security_main": text})}'.encode())
        with kept.opened() as manager, manager.begin(COOKIE) as session:
            assert login(session) == user, text
        for option in ("&firewall=admin", "&firewall=mai"):
            with kept.opened(option) as manager, manager.begin(COOKIE) as session:
                assert login(session) is None
    kept.symfony(SID, "login", '{"username":"grace","id":3}')
    with kept.opened() as manager, manager.begin(COOKIE) as session:
        assert login(session) == "grace"
        # An object is no text, which Symfony's own firewall would not keep.
        session["_security_main"] = {"id": 7}
        assert login(session) is None


def test_a_token_that_is_broken_anywhere_is_nobody_s_or_still_one(tmp_path: Path) -> None:
    kept = InFiles(tmp_path / "s")
    token = of("Token", {"\0Token\0user": {"id": 7, "username": "ada"}, "\0*\0roles": {0: "ROLE_USER"}})
    chance = random.Random(7)
    texts = [token[:i] for i in range(len(token))]
    for _ in range(400):
        at = chance.randrange(len(token))
        texts.append(token[:at] + chance.choice('0129:;{}"aOsiNbdCErR-\0') + token[at + chance.randrange(2) :])
    seen = set()
    with kept.opened() as manager:
        for text in texts:
            kept.put(SID, f'_sf2_attributes|{php({"_security_main": text})}'.encode())
            with manager.begin(COOKIE) as session:
                seen.add(login(session))
    assert None in seen and "ada" in seen


def test_of_symfony_and_tuile_at_once_none_undoes_a_finished_save(kept: Kept) -> None:
    """With PHP's lock, in files, all count. In Redis Symfony locks nothing: what is finished stays; a writer
    that does not compare, the control, loses it."""
    each = 40

    def counted(careful: bool) -> tuple[int, int]:
        kept.put(SID, b'_sf2_attributes|a:2:{s:3:"php";i:0;s:5:"tuile";i:0;}')
        def tuile(meet: Callable[[], None]) -> None:
            with kept.opened() as manager:
                for _ in range(each):
                    with manager.begin(COOKIE) as session:
                        session.add_int("tuile", 1)
                        # A whole request of Symfony's is done between this one's reading and its writing.
                        meet()
                        session.commit(200)

        def careless(meet: Callable[[], None]) -> None:
            for _ in range(each):
                text = (kept.get(SID) or b"").decode()
                number = int(text.split('"tuile";i:')[1].split(";")[0])
                meet()
                kept.put(SID, text.replace(f'"tuile";i:{number};', f'"tuile";i:{number + 1};').encode())

        with_requests_between(each, tuile if careful else careless, kept.start(SID, "steps"))
        read = kept.symfony(SID, "read")
        return read["php"], read["tuile"]

    assert counted(True) == (each, each)
    assert counted(False)[0] < each


def test_where_symfony_locks_writers_who_take_turns_at_random_lose_nothing(kept: Kept) -> None:
    each = 60
    if not kept.locks:
        pytest.skip("Symfony's handlers for Redis and memcached have no locks: the last writer wins")
    kept.put(SID, b'_sf2_attributes|a:2:{s:3:"php";i:0;s:5:"tuile";i:0;}')
    symfony = [kept.start(SID, "count", str(each)) for _ in range(2)]

    def tuile() -> None:
        with kept.opened("&busy=60000" if isinstance(kept, InFiles) else "") as manager:
            for _ in range(each):
                with manager.begin(COOKIE) as session:
                    session.add_int("tuile", 1)
                    session.commit(200)

    threads = [threading.Thread(target=tuile) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in symfony:
        assert json.loads(process.communicate(timeout=300)[0]) is True
    assert kept.symfony(SID, "read") == {"php": 2 * each, "tuile": 2 * each}


def test_php_serialize_is_a_form_of_symfony_s_too(tmp_path: Path) -> None:
    kept = InFiles(tmp_path / "s", "php_serialize")
    kept.symfony(SID, "write", '{"n":1}')
    with kept.opened() as manager, manager.begin(COOKIE) as session:
        session.add_int("n", 1)
        session.commit(200)
    assert kept.symfony(SID, "read") == {"n": 2}
    with pytest.raises(TuileError):
        Manager(store=f"file://{tmp_path}/s?layout=symfony&handler=igbinary")
    assert os.listdir(kept.folder) == [f"sess_{SID}"]
    for option in ("distribution=ketama", "prefix=a", "table=a", "ttl=0", "serializer=json", "depth=9"):
        with pytest.raises(TuileError, match=option.split("=")[0]):
            Manager(store=f"file://{tmp_path}/s?layout=symfony&{option}")
    for option in ("depth=1", "prefix=a", "distribution=ketama", "table=a%3Bb"):
        with pytest.raises(TuileError, match=option.split("=")[0]):
            Manager(store=f"sqlite://{tmp_path}/db?layout=symfony&{option}")
