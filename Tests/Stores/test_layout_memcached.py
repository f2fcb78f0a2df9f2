"""Django's cache sessions, Flask-Session and PHP's sessions in memcached: what they wrote, and they themselves, in both
directions; and what is lost where nobody looks for what others wrote meanwhile."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest

pytest.importorskip("pymemcache")
if shutil.which("memcached") is None:
    pytest.skip("there is no memcached", allow_module_level=True)
from memcached_server import Server, running  # noqa: E402
from store import BUILD, ROOT, Store  # noqa: E402
from test_layout_php import (  # noqa: E402, F401  PHP's tests, here with its sessions in memcached
    PHP,
    Kept,
    opened,
    test_an_object_of_php_s_stays_and_is_never_made,
    test_of_php_and_tuile_at_once_none_loses_a_change,
    test_php_reads_what_tuile_wrote_and_the_other_way_round,
    test_what_is_no_session_of_php_s_stays,
)
from tuile.errors import TuileError  # noqa: E402
from tuile.sessions import Manager, SessionDeleted  # noqa: E402

pytestmark = pytest.mark.skipif(
    not (BUILD / "libtuile-memcached.so").exists(), reason="the module is not built: no libmemcached"
)

VECTORS = json.loads((ROOT / "Tests/vectors/layout_memcached.json").read_text())
HAS_PHP = PHP is not None and "memcached" in subprocess.run([PHP, "-m"], capture_output=True, text=True, check=False).stdout.split()
SECRET = "a secret of 32 bytes, not asked for"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


# ---- Django and Flask-Session ----


@pytest.mark.parametrize("options", list(VECTORS["python"]))
def test_what_they_wrote_is_read_and_changed_as_they_change_it(server: Server, options: str) -> None:
    count, client = 0, server.client()
    client.allow_unicode_keys = True
    for case in VECTORS["python"][options]:
        name, sid = case["cookie"].split("=")
        client.set(case["key"], base64.b64decode(case["value"]), expire=time_of(case["ttl"]), flags=case["flags"])
        with Manager(store=f"{server.url}?{options}", cookie_name=name, secret=SECRET) as manager:
            with manager.begin(case["cookie"]) as session:
                assert session.session_key == sid
                if case["json"] is not None and case["name"] not in ("surrogate", "big_numbers", "scalars", "floats"):
                    assert {**session} == case["json"], case["name"]
                session["hits"] = 41
                session.commit(200)
        if case["after"] is not None:
            assert client.get(case["key"]) == base64.b64decode(case["after"]), case["name"]
            count += 1
        assert server.flags(case["key"]) == case["flags"]
        # A date that the session has of its own is as far away as it is now.
        if case["ttl"] in (1_209_600, 2_678_400):
            assert case["ttl"] - 60 <= server.left(case["key"]) <= case["ttl"] + 1
    assert count >= 3


def time_of(ttl: int) -> int:
    return ttl if ttl <= 30 * 86400 else int(time.time()) + ttl


class Framework:
    def __init__(self, kind: str, server: Server) -> None:
        self.kind, self.server = kind, server
        self.layout = "flask-session" if kind.startswith("flask") else "django-cache"
        self.cookie = "session" if kind.startswith("flask") else "sessionid"
        program = Path(__file__).with_name("layout_memcached.py")
        command = [sys.executable, str(program), kind, server.host]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def __call__(self, *words: str) -> Any:
        self.start(*words)
        return self.answer()

    def key(self, sid: str) -> str:
        return ("session:" if self.layout == "flask-session" else ":1:django.contrib.sessions.cache") + sid

    def manager(self) -> Manager:
        return Manager(store=f"{self.server.url}?layout={self.layout}", cookie_name=self.cookie)

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


KINDS = ["django-pymemcache", "django-pymemcache-compressed", "django-pylibmc", "flask-pymemcache", "flask-pylibmc", "flask-python-memcached"]


@pytest.fixture(params=KINDS)
def framework(request: pytest.FixtureRequest, server: Server) -> Iterator[Framework]:
    kind = request.param
    needed = ["flask_session" if kind.startswith("flask") else "django", "pylibmc" if "pylibmc" in kind else "pymemcache"]
    for name in [*needed, "memcache"] if "python-memcached" in kind else needed:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    framework = Framework(kind, server)
    yield framework
    framework.stop()


def test_they_read_what_tuile_wrote_and_the_other_way_round(framework: Framework) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 5000}
    with framework.manager() as manager:
        with manager.begin("") as session:
            session.update(values)
            session.commit(200)
            sid = session.session_key or ""
        read = framework("read", sid)
        assert {name: read[name] for name in values} == values
        framework("write", sid, json.dumps({"theirs": [1], "user": 8}))
        flags = framework.server.flags(framework.key(sid))
        assert flags == {"django": 1, "flask": 0}[framework.kind.split("-")[0]] | 8 * framework.kind.endswith("compressed")
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["theirs"] == [1] and session.add_int("user", 1) == 9
            session.commit(200)
        # Deflated stays deflated.
        assert framework.server.flags(framework.key(sid)) == flags and framework("read", sid)["user"] == 9
        with manager.begin(f"{framework.cookie}={sid}") as session:
            session["late"] = 1
            framework("delete", sid)
            with pytest.raises(SessionDeleted):
                session.commit(200)
        made = framework("write", "", json.dumps({"a": 1}))
        with manager.begin(f"{framework.cookie}={made}") as session:
            assert session["a"] == 1
            session.flush()
            session.commit(200)
        assert framework.server.client().get(framework.key(made)) is None


def test_what_is_no_session_of_theirs_stays(framework: Framework) -> None:
    made = framework("write", "", json.dumps({"a": 1}))
    client, key = framework.server.client(), framework.key(made)
    flags = framework.server.flags(key)
    for data in (b"", b"\x80\x05.", b"cos\nsystem\n(S'true'\ntR.", b"{", b"\x80\x05cos\nsystem\n\x8c\x04true\x85R.", b"\x93"):
        client.set(key, data, expire=1000, flags=flags)
        with framework.manager() as manager, manager.begin(f"{framework.cookie}={made}") as session:
            assert {**session} == {}
            session["mine"] = 1
            session.commit(200)
            assert session.session_key != made
        assert client.get(key) == data
    # Of a kind that the framework does not write, or deflated in name alone, or with too much inside.
    for data, kind in ((b"text", 16), (b"5", 2), (b"not deflated", flags | 8), (zlib.compress(bytes(70 << 20)), flags | 8)):
        client.set(key, data, expire=1000, flags=kind)
        with framework.manager() as manager, manager.begin(f"{framework.cookie}={made}") as session:
            with pytest.raises(TuileError):
                session.get("a")
        assert client.get(key) == data and framework.server.flags(key) == kind


def test_a_session_that_is_used_lives_on(framework: Framework) -> None:
    made = framework("write", "", json.dumps({"a": 1}))
    key = framework.key(made)
    assert framework.server.ask(f"mg {key} T100").startswith("HD")
    with framework.manager() as manager, manager.begin(f"{framework.cookie}={made}") as session:
        assert session["a"] == 1
        session["a"] = 2
        session.commit(200)
    assert framework.server.left(key) > 1_000_000


def test_tuile_undoes_no_finished_save_of_django(server: Server) -> None:
    """Django's own save may undo Tuile's: the last writer wins there. The control is a writer as Django is."""
    pytest.importorskip("django")
    framework, each, client = Framework("django-pymemcache", server), 150, server.client()

    def counted(other: Callable[[str], None]) -> dict[str, int]:
        sid = framework("write", "", json.dumps({"django": 0, "tuile": 0}))
        framework.start("count", sid, str(each))
        for _ in range(each):
            other(sid)
        framework.answer()
        read: dict[str, int] = framework("read", sid)
        return read

    def careless(sid: str) -> None:
        key = framework.key(sid)
        value = client.get(key)
        time.sleep(0.002)
        client.set(key, value, expire=1000, flags=1)

    with framework.manager() as manager:

        def tuile(sid: str) -> None:
            with manager.begin(f"sessionid={sid}") as session:
                session.add_int("tuile", 1)
                session.commit(200)

        read = counted(tuile)
    assert read["django"] == each and 0 < read["tuile"] <= each
    assert any(counted(careless)["django"] < each for _ in range(5))
    framework.stop()


# ---- PHP ----


class InMemcached(Kept):
    def __init__(self, server: Server, handler: str = "php", prefix: str = "memc.sess.key.") -> None:
        self.server, self.client, self.prefix = server, server.client(), prefix
        self.url = f"{server.url}?layout=php&handler={handler}&prefix={prefix.replace(':', '%3A')}"
        self.settings = {
            "session.save_handler": "memcached", "session.serialize_handler": handler, "session.save_path": f'"{server.host}"',
            "memcached.sess_prefix": f'"{prefix}"', "memcached.sess_lock_retries": "-1", "memcached.sess_lock_wait_min": "1",
            "memcached.sess_lock_wait_max": "2", "session.gc_probability": "0",
        }  # fmt: skip
        self.settings["memcached.sess_lock_retries"] = "1000000"

    def get(self, sid: str) -> Optional[bytes]:
        found = self.client.get(self.prefix + sid)
        return None if found is None else bytes(found)

    def put(self, sid: str, data: bytes) -> None:
        # The control is in two threads.
        self.server.client().set(self.prefix + sid, data, expire=1440)

    def left(self, sid: str) -> float:
        return self.server.left(self.prefix + sid)


class Threaded(InMemcached):
    def get(self, sid: str) -> Optional[bytes]:
        found = self.server.client().get(self.prefix + sid)
        return None if found is None else bytes(found)


@pytest.fixture
def kept(server: Server) -> Kept:
    if not HAS_PHP:
        pytest.skip("php-memcached is not installed")
    return Threaded(server)


@pytest.mark.parametrize("name", list(VECTORS["php"]))
def test_what_php_wrote_is_read_and_changed_as_php_changes_it(server: Server, name: str) -> None:
    kept = InMemcached(server) if name == "memcached" else InMemcached(server, "php_serialize", "shop:")
    count = 0
    for case in VECTORS["php"][name]:
        sid = case["cookie"].split("=")[1].replace("%2C", ",")
        kept.put(sid, base64.b64decode(case["value"]))
        # What PHP itself could not write is not written here either.
        if not case["write_ok"] or case["after"] is None:
            continue
        with opened(kept.url) as manager, manager.begin(case["cookie"]) as session:
            if case["json"]:
                assert {**session} == case["json"], case["name"]
            session["hits"] = 41
            session.commit(200)
        assert kept.get(sid) == base64.b64decode(case["after"]), case["name"]
        assert 1400 < kept.left(sid) <= 1441 and server.flags(kept.prefix + sid) == 0
        count += 1
    assert count >= 3


def test_php_s_lock_is_waited_for_and_given_back(kept: Threaded) -> None:
    sid = "d" * 26
    lock, client = f"{kept.prefix}lock.{sid}", kept.server.client()
    kept.put(sid, b"n|i:1;")
    with opened(f"{kept.url}&busy=100") as manager, manager.begin(f"PHPSESSID={sid}") as session:
        session["n"] = 2
        client.set(lock, b"1")
        for call in (lambda: session.commit(200), session.flush):
            with pytest.raises(TuileError, match="lock"):
                call()
        assert client.get(lock) == b"1" and kept.get(sid) == b"n|i:1;"
        client.delete(lock)
        session.commit(200)
    assert kept.get(sid) == b"n|i:2;" and client.get(lock) is None
    with opened(f"{kept.url}&busy=60000") as manager, manager.begin(f"PHPSESSID={sid}") as session:
        session["n"] = 3
        client.set(lock, b"1")
        timer = threading.Timer(0.3, client.delete, [lock])
        timer.start()
        session.commit(200)
        timer.join()
    assert kept.get(sid) == b"n|i:3;" and client.get(lock) is None


def test_php_s_keys_are_found_on_several_servers(kept: Threaded) -> None:
    with running() as one, running() as two, running() as three:
        servers = [one, two, three]
        kept.settings["session.save_path"] = '"' + ",".join(server.host for server in servers) + '"'
        url = f"memcached://{','.join(server.host for server in servers)}/?layout=php"
        used = set()
        with opened(url) as manager:
            for i in range(12):
                sid = f"{i:026}"
                kept.php(sid, "write", json.dumps({"n": i}))
                with manager.begin(f"PHPSESSID={sid}") as session:
                    assert session["n"] == i
                    session["n"] = -i
                    session.commit(200)
                assert kept.php(sid, "read") == {"n": -i}
                found = [j for j, server in enumerate(servers) if server.client().get(f"memc.sess.key.{sid}") is not None]
                assert len(found) == 1
                used.update(found)
        assert len(used) > 1


# ---- all ----


def test_a_wrong_option_is_an_error(server: Server, tmp_path: Path) -> None:
    for query in ("layout=django-redis", "layout=express", "layout=php&depth=2", "layout=django-cache&ttl=5", "layout=django-cache&busy=5",
                  "layout=php&distribution=x", "layout=flask-session&serializer=marshal"):  # fmt: skip
        with pytest.raises(TuileError):
            Manager(store=f"{server.url}?{query}", cookie_name="a")
    with pytest.raises(TuileError):
        Manager(store=f"file://{tmp_path}/s?layout=php&distribution=ketama", cookie_name="a")


def test_an_id_that_is_too_long_for_a_key_is_no_session(server: Server) -> None:
    with opened(f"{server.url}?layout=php") as manager, manager.begin("PHPSESSID=" + "a" * 256) as session:
        assert {**session} == {}
    with Store(f"{server.url}?layout=php") as store:
        assert store.load("a" * 250) is None and not store.touch(2_000_000_000_000_000, "a" * 250)
