"""Sessions of Rails and Rack in memcached, by Dalli: what they wrote, and they themselves, in both directions."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pymemcache")
if shutil.which("memcached") is None:
    pytest.skip("there is no memcached", allow_module_level=True)
from memcached_server import Server, running  # noqa: E402
from store import BUILD  # noqa: E402
from test_layout_ruby import VECTORS, Framework, later, unpacked, without_times  # noqa: E402, F401
from tuile.errors import TuileError  # noqa: E402
from tuile.sessions import Manager, SessionDeleted  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-memcached.so").exists(), reason="the module is not built: no libmemcached")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Any:
    client = server.client()
    client.flush_all()
    return client


def opened(server: Server, query: str, name: str, **settings: Any) -> Manager:
    return Manager(store=f"{server.url}?{query}", cookie_name=name, **settings)


@pytest.mark.parametrize("query", [name for name, cases in VECTORS.items() if name != "note" and "flags" in cases[0]])
def test_what_they_wrote_is_read_and_changed_as_they_change_it(server: Server, client: Any, query: str) -> None:
    count = 0
    for case in VECTORS[query]:
        name, sid = case["cookie"].split("=")
        value = base64.b64decode(case["value"])
        if "rails-cache" in query:
            value = moved(value, int(time.time()) - case["saved_at"])
        client.set(case["key"], value, expire=case["ttl"], flags=case["flags"])
        with opened(server, query, name, cookie_age=case["ttl"]) as manager, manager.begin(case["cookie"]) as session:
            assert session.session_key == sid
            if case["json"] is not None:
                assert {**session} == case["json"], case["name"]
            session["hits"] = 41
            session.commit(200)
        new, after = client.get(case["key"]), base64.b64decode(case["after"])
        assert without_times(bare(new)) == without_times(bare(after)) and server.flags(case["key"]) == case["flags"], case["name"]
        assert case["ttl"] - 60 <= server.left(case["key"]) <= case["ttl"] + 1
        count += 1
    assert count == 16


def bare(value: bytes) -> bytes:
    """What a string of Marshal's has in it."""
    if value[:3] != b'\x04\x08"':
        return value
    return value[4:] if value[3] > 5 else value[4 + value[3] :]


def moved(value: bytes, seconds: int) -> bytes:
    new = later(bare(value), seconds)
    return value[: len(value) - len(bare(value))] + new if len(new) == len(bare(value)) else new


KINDS = {
    "rack-dalli 3.0": ("rack-dalli", "layout=rack-dalli&id=public", "rack.session", "rack:session:"),
    "rack-dalli 3.2": ("rack-dalli", "layout=rack-dalli", "rack.session", "rack:session:"),
    "mem-cache-store 6.1": ("mem-cache-store", "layout=mem-cache-store&id=public", "_app_session", "rack:session:"),
    "mem-cache-store 7.1": ("mem-cache-store", "layout=mem-cache-store", "_app_session", "rack:session:"),
    "rails-cache 6.1": ("memcached-cache", "layout=rails-cache&namespace=app&format=6.1", "_app_session", "app:_session_id:"),
    "rails-cache 7.0": ("memcached-cache", "layout=rails-cache&namespace=app&format=7.0", "_app_session", "app:_session_id:"),
    "rails-cache 7.1": ("memcached-cache", "layout=rails-cache&namespace=app", "_app_session", "app:_session_id:"),
}


@pytest.fixture(params=list(KINDS))
def framework(request: pytest.FixtureRequest, server: Server, unpacked: Path | None) -> Iterator[Framework]:  # noqa: F811
    framework = Framework(request.param, KINDS[request.param], server.host, unpacked)
    yield framework
    framework.close()


def key_of(framework: Framework, sid: str) -> str:
    return framework.prefix + (sid if "id=public" in framework.query else "2::" + hashlib.sha256(sid.encode()).hexdigest())


def test_they_read_what_tuile_wrote_and_the_other_way_round(server: Server, client: Any, framework: Framework) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 5000, "wide": -(2**62)}
    with opened(server, framework.query, framework.cookie, cycle_grace=0) as manager:
        with manager.begin("") as session:
            session.update(values)
            session.commit(200)
            sid = session.session_key or ""
        assert len(sid) == framework.size and client.get(key_of(framework, sid)) is not None
        read, same = framework("read", sid)
        assert read == values and same == sid
        # Over 4 KiB Dalli compresses.
        framework("write", sid, json.dumps({"theirs": [1], "user": 8}))
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["theirs"] == [1] and session["big"] == values["big"] and session.add_int("user", 1) == 9
            session.commit(200)
        assert framework("read", sid)[0]["user"] == 9
        # A logout of one is a logout of the other.
        with manager.begin(f"{framework.cookie}={sid}") as session:
            session["late"] = 1
            framework("destroy", sid)
            client.delete(key_of(framework, sid))
            with pytest.raises(SessionDeleted):
                session.commit(200)
        _, made = framework("write", "", json.dumps(values))
        with manager.begin(f"{framework.cookie}={made}") as session:
            assert {name: session[name] for name in values} == values
            session.flush()
            session.commit(200)
        assert client.get(key_of(framework, made)) is None


def test_what_json_lacks_stays_and_what_is_no_session_too(server: Server, client: Any, framework: Framework) -> None:
    with opened(server, framework.query, framework.cookie) as manager:
        _, sid = framework("write", "", json.dumps({"a": 1, "when": 1}))
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["when"]["class"] == "Time"
            session["a"] = 2
            session.commit(200)
        read, _ = framework("read", sid)
        assert (read["a"], read["when"]) == (2, "2026-01-02 03:04:05 UTC")
        key = key_of(framework, sid)
        for data in (b"\x04\x08", b"\x04\x08o:\x08Foo\x00", b"\x00\x11\x02abc", b'\x04\x08"\x08abc', b'\x04\x08"\x0babc', b"\x04\x08[\x00", b"x"):
            client.set(key, data, expire=1000, flags=1)
            with manager.begin(f"{framework.cookie}={sid}") as session:
                assert {**session} == {}
                session["mine"] = 1
                session.commit(200)
                assert session.session_key != sid
            assert client.get(key) == data
        for cookie in ("2::" + hashlib.sha256(sid.encode()).hexdigest(), sid.upper(), sid + "0", "g" * len(sid), ""):
            with manager.begin(f"{framework.cookie}={cookie}") as session:
                assert {**session} == {}


def test_tuile_undoes_no_finished_save(server: Server, client: Any, framework: Framework) -> None:
    """The control writes without comparing, and loses some of the framework's."""
    each = 60

    def counted(careless: bool) -> dict[str, int]:
        _, sid = framework("write", "", json.dumps({"ruby": 0, "tuile": 0}))
        framework.send("count", sid, str(each))
        finished = threading.Event()

        def tuile() -> None:
            done, mine = 0, server.client()
            with opened(server, framework.query, framework.cookie) as manager:
                while not finished.is_set() or done < 5:
                    with manager.begin(f"{framework.cookie}={sid}") as session:
                        session.add_int("tuile", 1)
                        stored = mine.get(key_of(framework, sid))
                        session.commit(200)
                        done += 1
                    if careless:
                        time.sleep(0.002)
                        mine.set(key_of(framework, sid), stored, expire=7200, flags=1)

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


def test_a_wrong_option_is_an_error(server: Server) -> None:
    for query in ("layout=rack-dalli&id=3", "layout=rack-dalli&distribution=ketama", "layout=rails-cache&distribution=modula", "layout=rails-cache&prefix=a", "layout=mem-cache-store&format=7.0", "layout=redis-rack"):
        with pytest.raises(TuileError):
            opened(server, query, "a")
