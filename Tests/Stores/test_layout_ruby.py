"""Sessions of Rails and Rack in Redis: what their stores wrote, and they themselves, in both directions."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis_server
from store import BUILD, ROOT, Store
from tuile import _native as native
from tuile.errors import TuileError
from tuile.sessions import Manager, Session, SessionDeleted

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")

VECTORS = json.loads((ROOT / "Tests/vectors/layout_ruby.json").read_text())
RUBY = shutil.which("ruby")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    with redis_server.running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


@pytest.fixture
def client(server: redis_server.Server) -> Any:
    import redis

    client = redis.Redis(unix_socket_path=str(server.socket))
    client.flushall()
    return client


def opened(server: redis_server.Server, query: str, name: str, **settings: Any) -> Manager:
    return Manager(store=f"{server.unix}?{query}", cookie_name=name, **settings)


def login(session: Session) -> str:
    view, error = native.Bytes(), native.Error()

    def ask(handle: int) -> str:
        assert native.lib.tuile_session_get_login(handle, None, ctypes.byref(view), ctypes.byref(error)) == native.OK
        return native.copy(view).decode()

    return session._alone(ask)


def without_times(value: bytes) -> bytes:
    """Without the times of an entry of Rails' cache, which are each write's own."""
    if value[:2] == b"\x00\x11":
        return value[:3] + value[11:15] + (zlib.decompress(value[15:]) if value[2] & 0x80 else value[15:])
    if value[:1] in (b"\x00", b"\x01"):
        return value[:1] + re.sub(rb"f.17[0-9.]+$", b"f", zlib.decompress(value[1:]) if value[0] else value[1:], flags=re.DOTALL)
    head, middle, tail = value.rpartition(b"@created_at")
    return head + re.sub(rb"f.17[0-9.]+:", b"f:", tail, flags=re.DOTALL) if middle else value


def later(value: bytes, seconds: int) -> bytes:
    """An entry of Rails' cache that ends so much later than the one of a vector."""
    if value[:2] == b"\x00\x11":
        return value[:3] + struct.pack("<d", struct.unpack("<d", value[3:11])[0] + seconds) + value[11:]
    text = zlib.decompress(value[1:]) if value[:1] == b"\x01" else value
    for size in range(14, 24):
        mark = rb"f%s(17[0-9]{8}\.[0-9]{%d})" % (re.escape(bytes([size])), size - 5 - 11)
        text = re.sub(mark, lambda found: b"f" + bytes([size]) + b"%d" % (int(found[1][:10]) + seconds) + found[1][10:], text)
    return b"\x01" + zlib.compress(text) if value[:1] == b"\x01" else text


@pytest.mark.parametrize("query", [name for name, cases in VECTORS.items() if name != "note" and "activerecord" not in name and "flags" not in cases[0]])
def test_what_they_wrote_is_read_and_changed_as_they_change_it(server: redis_server.Server, client: Any, query: str) -> None:
    count = 0
    for case in VECTORS[query]:
        name, sid = case["cookie"].split("=")
        assert case["key"].endswith("2::" + hashlib.sha256(sid.encode()).hexdigest())
        value = base64.b64decode(case["value"])
        if "rails-cache" in query:
            value = later(value, int(time.time()) - case["saved_at"])
        client.set(case["key"], value, ex=case["ttl"])
        with opened(server, query, name, cookie_age=case["ttl"]) as manager, manager.begin(case["cookie"]) as session:
            assert session.session_key == sid
            if case["json"] is not None:
                assert {**session} == case["json"], case["name"]
            if case["name"] == "login":
                assert login(session) == str(session["warden.user.user.key"][0][0])
            session["hits"] = 41
            session.commit(200)
        if case["after"] is not None and "own" not in case:
            assert without_times(client.get(case["key"])) == without_times(base64.b64decode(case["after"])), case["name"]
            count += 1
        with opened(server, query, name) as manager, manager.begin(case["cookie"]) as session:
            assert session["hits"] == 41
        assert case["ttl"] - 60 <= client.ttl(case["key"]) <= case["ttl"] + 1
        client.delete(case["key"])
    assert count >= 8


KINDS = {
    "redis-rack": ("redis-rack", "layout=redis-rack", "rack.session", "rack:session:"),
    "redis-actionpack": ("redis-actionpack", "layout=redis-actionpack&prefix=session%3A", "_app_session", "session:"),
    "rails-cache 6.1": ("rails-cache", "layout=rails-cache&namespace=app&format=6.1", "_app_session", "app:_session_id:"),
    "rails-cache 7.0": ("rails-cache", "layout=rails-cache&namespace=app&format=7.0", "_app_session", "app:_session_id:"),
    "rails-cache 7.1": ("rails-cache", "layout=rails-cache&namespace=app", "_app_session", "app:_session_id:"),
}


class Framework:
    def __init__(self, name: str, kind: tuple[str, str, str, str], where: str, unpacked: Path | None) -> None:
        self.kind, self.query, self.cookie, self.prefix = kind
        self.layout, self.size = self.query.split("&")[0], 64 if self.cookie == "rack.session" else 32
        version = name.partition(" ")[2] or "-"
        if RUBY is None:
            pytest.skip("ruby is not installed")
        # Debian's own Rails writes the oldest form alone, and its Dalli has other keys.
        is_later = version in ("7.0", "7.1", "3.2")
        environment = {**os.environ, "UNPACKED": str(unpacked)} if is_later else dict(os.environ)
        if is_later and unpacked is None:
            pytest.skip("a later Debian's Rails can't be had: see Tests/Stores/rails")
        self.process = subprocess.Popen(
            [RUBY, "-W0", str(Path(__file__).with_name("layout_ruby.rb")), self.kind, where, version],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def __call__(self, command: str, sid: str, *arguments: str) -> tuple[Any, str]:
        self.send(command, sid, *arguments)
        answer, made = self.take()
        return answer, made

    def send(self, *words: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def take(self) -> Any:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        if not line and self.process.wait(20) == 3:
            pytest.skip(f"Debian's packages of Ruby have it not: {self.process.stderr.read().strip()}")
        assert line, self.process.stderr.read()
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(scope="module")
def unpacked() -> Path | None:
    done = subprocess.run([str(Path(__file__).with_name("rails"))], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


@pytest.fixture(params=list(KINDS))
def framework(request: pytest.FixtureRequest, server: redis_server.Server, unpacked: Path | None) -> Iterator[Framework]:
    framework = Framework(request.param, KINDS[request.param], str(server.socket), unpacked)
    yield framework
    framework.close()


def test_they_read_what_tuile_wrote_and_the_other_way_round(server: redis_server.Server, client: Any, framework: Framework) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 5000, "wide": -(2**62)}
    with opened(server, framework.query, framework.cookie, cycle_grace=0) as manager:
        with manager.begin("") as session:
            session.update(values)
            session.commit(200)
            sid = session.session_key or ""
        assert len(sid) == framework.size and client.keys() == [f"{framework.prefix}2::{hashlib.sha256(sid.encode()).hexdigest()}".encode()]
        read, same = framework("read", sid)
        assert read == values and same == sid
        framework("write", sid, json.dumps({"theirs": [1], "user": 8}))
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["theirs"] == [1] and session.add_int("user", 1) == 9
            session.commit(200)
        assert framework("read", sid)[0]["user"] == 9
        # A logout of one is a logout of the other.
        with manager.begin(f"{framework.cookie}={sid}") as session:
            session["late"] = 1
            framework("destroy", sid)
            with pytest.raises(SessionDeleted):
                session.commit(200)
        _, made = framework("write", "", json.dumps(values))
        with manager.begin(f"{framework.cookie}={made}") as session:
            assert {name: session[name] for name in values} == values
            session.cycle_key()
            session.commit(200)
            fresh = session.session_key or ""
        assert framework("read", fresh)[0] == {**values, **({"session_id": made} if "session_id" in framework("read", fresh)[0] else {})}
        with manager.begin(f"{framework.cookie}={fresh}") as session:
            session.flush()
            session.commit(200)
        assert client.exists(f"{framework.prefix}2::{hashlib.sha256(fresh.encode()).hexdigest()}") == 0


def test_what_json_lacks_stays_and_what_is_no_session_too(server: redis_server.Server, client: Any, framework: Framework) -> None:
    with opened(server, framework.query, framework.cookie) as manager:
        _, sid = framework("write", "", json.dumps({"a": 1, "when": 1}))
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["when"]["$type"] == "object" and session["when"]["class"] == "Time"
            session["a"] = 2
            session.commit(200)
        read, _ = framework("read", sid)
        assert (read["a"], read["when"]) == (2, "2026-01-02 03:04:05 UTC") and framework("class", sid, "when")[0] == "Time"
        key = f"{framework.prefix}2::{hashlib.sha256(sid.encode()).hexdigest()}"
        for data in (b"", b"\x04\x08", b"\x04\x08o:\x08Foo\x00", b"\x00\x11\x02abc", b"\x01abc", b"\x00\x04\x08{\x00", b"[1]", b"\x04\x08{\x06:\x06ai\x06i\x06"):
            client.set(key, data, ex=1000)
            with manager.begin(f"{framework.cookie}={sid}") as session:
                assert {**session} == {}
                session["mine"] = 1
                session.commit(200)
                assert session.session_key != sid
            assert client.get(key) == data


def test_cookies_that_they_do_not_make_are_none(server: redis_server.Server, client: Any, framework: Framework) -> None:
    _, sid = framework("write", "", json.dumps({"a": 1}))
    hashed = "2::" + hashlib.sha256(sid.encode()).hexdigest()
    with opened(server, framework.query, framework.cookie) as manager:
        for cookie in (hashed, "2%3A%3A" + hashed[3:], "1::" + sid, sid.upper(), sid[:-1], sid + "0", "../" + sid[3:], "g" * len(sid), ""):
            with manager.begin(f"{framework.cookie}={cookie}") as session:
                assert "a" not in session, cookie
                session["mine"] = 1
                session.commit(200)
                assert session.session_key not in (cookie, sid)
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["a"] == 1


def test_tuile_undoes_no_finished_save(server: redis_server.Server, client: Any, framework: Framework) -> None:
    """The control writes without comparing, and loses some of the framework's."""
    each = 80

    def counted(careless: bool) -> dict[str, int]:
        _, sid = framework("write", "", json.dumps({"ruby": 0, "tuile": 0}))
        key = f"{framework.prefix}2::{hashlib.sha256(sid.encode()).hexdigest()}"
        framework.send("count", sid, str(each))
        finished = threading.Event()

        def tuile() -> None:
            done = 0
            with opened(server, framework.query, framework.cookie) as manager:
                while not finished.is_set() or done < 5:
                    with manager.begin(f"{framework.cookie}={sid}") as session:
                        session.add_int("tuile", 1)
                        stored = client.get(key)
                        session.commit(200)
                        done += 1
                    if careless:
                        # As if what was read before had been written over what came between.
                        time.sleep(0.002)
                        client.set(key, stored, keepttl=True)

        thread = threading.Thread(target=tuile)
        thread.start()
        framework.take()
        finished.set()
        thread.join()
        read: dict[str, int] = framework("read", sid)[0]
        return read

    read = counted(careless=False)
    # The framework's own save may undo Tuile's: the last writer wins there.
    assert read["ruby"] == each and read["tuile"] > 0
    assert any(counted(careless=True)["ruby"] < each for _ in range(5))


def test_the_end_inside_an_entry_counts(server: redis_server.Server, client: Any) -> None:
    for case in VECTORS["layout=rails-cache&namespace=app"][:1] + VECTORS["layout=rails-cache&namespace=app70"][:1] + VECTORS["layout=rails-cache&namespace=app6"][:1]:
        # Rails keeps some for longer than they live (race_condition_ttl).
        old = later(base64.b64decode(case["value"]), int(time.time()) - case["saved_at"] - 7300)
        client.set(case["key"], old, ex=300)
        namespace = case["key"].split(":")[0]
        with opened(server, f"layout=rails-cache&namespace={namespace}", "_app_session") as manager, manager.begin(case["cookie"]) as session:
            assert {**session} == {}
        # What is only kept alive has its end moved inside, too.
        client.set(case["key"], later(base64.b64decode(case["value"]), int(time.time()) - case["saved_at"] - 3600), ex=3600)
        with opened(server, f"layout=rails-cache&namespace={namespace}", "_app_session", cookie_age=7200, refresh=60) as manager:
            before = client.get(case["key"])
            with manager.begin(case["cookie"]) as session:
                assert {**session} == case["json"]
                session.commit(200)
            after = client.get(case["key"])
            assert after != before and without_times(after) == without_times(before) and client.ttl(case["key"]) > 7100


def test_the_form_of_new_ones_is_what_the_url_says(server: redis_server.Server, client: Any) -> None:
    for query, start in {
        "layout=rails-cache": b"\x00\x11\x01", "layout=rails-cache&format=7.1": b"\x00\x11\x01",
        "layout=rails-cache&format=7.0": b"\x00\x04\x08[", "layout=rails-cache&format=6.1": b"\x04\x08o: ActiveSupport::Cache::Entry",
        "layout=redis-session-store": b"\x04\x08{", "layout=redis-session-store&serializer=json": b'{"a":"',
    }.items():  # fmt: skip
        client.flushall()
        with opened(server, query, "_app_session", cookie_age=500) as manager, manager.begin("") as session:
            session["a"] = "ž"
            session.commit(200)
            sid = session.session_key or ""
        (key,) = client.keys()
        middle = b"_session_id:" if "cache" in query else b""
        assert key == middle + b"2::" + hashlib.sha256(sid.encode()).hexdigest().encode()
        assert client.get(key).startswith(start) and 490 < client.ttl(key) <= 500
        # Another form than that which was found is not written.
        other = "&serializer=json" if start == b"\x04\x08{" else ""
        with opened(server, query.split("&")[0] + other, "_app_session") as manager, manager.begin(f"_app_session={sid}") as session:
            session["b"] = 1
            session.commit(200)
        assert client.get(key).startswith(start)


def test_a_walk_gives_what_the_store_has(server: redis_server.Server, client: Any) -> None:
    with opened(server, "layout=redis-actionpack", "_app_session") as manager, manager.begin("") as session:
        session["a"] = 1
        session.commit(200)
        sid = session.session_key or ""
    client.set("rack:session:2::zz", "x")
    client.set("other", "x")
    with Store(f"{server.unix}?layout=redis-actionpack") as store:
        hashed = "2::" + hashlib.sha256(sid.encode()).hexdigest()
        assert [key for key, _ in store.keys(0)] == [hashed]
        assert store.load(hashed) == store.load(sid) and store.load(sid) is not None
        store.remove(hashed)
        assert store.load(sid) is None


def test_a_wrong_option_is_an_error(server: redis_server.Server) -> None:
    for query in (
        "layout=rails-cache&format=5.2", "layout=rails-cache&prefix=a", "layout=rails-cache&serializer=json", "layout=redis-rack&format=7.1",
        "layout=redis-session-store&serializer=hybrid", "layout=redis-actionpack&table=a", "layout=redis-actionpack&ttl=0",
    ):  # fmt: skip
        with pytest.raises(TuileError):
            opened(server, query, "a")
    with pytest.raises(TuileError):
        Manager(store="postgresql://localhost/a?layout=rails-cache", cookie_name="a")
