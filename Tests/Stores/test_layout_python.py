"""Django's cache sessions and Flask-Session in Redis: what they wrote, and they themselves, in both directions."""

from __future__ import annotations

import base64
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis_server
from store import BUILD, ROOT
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")

VECTORS = json.loads((ROOT / "Tests/vectors/layout_python.json").read_text())
NEEDED = {"django-cache": "django", "django-redis": "django_redis", "flask-session": "flask_session"}
COOKIES = {"django-cache": "sessionid", "django-redis": "sessionid", "flask-session": "session"}


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


@pytest.mark.parametrize("layout", [name for name in VECTORS if name != "note"])
def test_what_they_wrote_is_read_and_changed_as_they_change_it(server: redis_server.Server, client: Any, layout: str) -> None:
    count = 0
    for case in VECTORS[layout]:
        name, sid = case["cookie"].split("=")
        client.set(case["key"], base64.b64decode(case["value"]), ex=case["ttl"])
        with Manager(store=f"{server.unix}?{layout}", cookie_name=name, secret="a secret of 32 bytes, not asked for") as manager:
            with manager.begin(case["cookie"]) as session:
                assert session.session_key == sid
                if case["json"] is not None and case["name"] not in ("surrogate", "big_numbers", "scalars", "floats"):
                    assert {**session} == case["json"], case["name"]
                session["hits"] = 41
                session.commit(200)
        if case["after"] is not None:
            assert client.get(case["key"]) == base64.b64decode(case["after"]), case["name"]
            count += 1
        # A date that the session has of its own is as far away as it is now.
        if case["ttl"] in (1_209_600, 2_678_400):
            assert case["ttl"] - 60 <= client.ttl(case["key"]) <= case["ttl"] + 1
    assert count >= 3


class Framework:
    def __init__(self, kind: str, server: redis_server.Server) -> None:
        program = Path(__file__).with_name("layout_python.py")
        self.kind, self.cookie = kind, COOKIES[kind]
        self.process = subprocess.Popen(
            [sys.executable, str(program), kind, str(server.socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, *words: str) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(params=list(NEEDED))
def framework(request: pytest.FixtureRequest, server: redis_server.Server) -> Iterator[Framework]:
    if importlib.util.find_spec(NEEDED[request.param]) is None:
        pytest.skip(f"{NEEDED[request.param]} is not installed")
    framework = Framework(request.param, server)
    yield framework
    assert framework.process.stdin is not None
    framework.process.stdin.close()
    framework.process.wait(20)


def test_they_read_what_tuile_wrote_and_the_other_way_round(server: redis_server.Server, client: Any, framework: Framework) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 5000}
    with Manager(store=f"{server.unix}?layout={framework.kind}", cookie_name=framework.cookie) as manager:
        with manager.begin("") as session:
            session.update(values)
            session.commit(200)
            sid = session.session_key or ""
        read = framework("read", sid)
        assert {name: read[name] for name in values} == values
        framework("write", sid, json.dumps({"theirs": [1], "user": 8}))
        with manager.begin(f"{framework.cookie}={sid}") as session:
            assert session["theirs"] == [1] and session.add_int("user", 1) == 9
            session.commit(200)
        assert framework("read", sid)["user"] == 9
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
        assert client.keys() == []


def test_what_json_lacks_stays_and_what_is_no_session_too(server: redis_server.Server, client: Any, framework: Framework) -> None:
    with Manager(store=f"{server.unix}?layout={framework.kind}", cookie_name=framework.cookie) as manager:
        if framework.kind != "flask-session":
            sid = framework("write", "", json.dumps({"a": 1, "when": 1}))
            with manager.begin(f"sessionid={sid}") as session:
                session["a"] = 2
                session.commit(200)
            assert framework("read", sid) == {"a": 2, "when": "2026-01-02 03:04:05"}
        made = framework("write", "", json.dumps({"a": 1}))
        (key,) = [key for key in client.keys() if made.encode() in key]
        for data in (b"", b"\x80\x05.", b"cos\nsystem\n(S'true'\ntR.", b"{", b"\x80\x05cos\nsystem\n\x8c\x04true\x85R.", b"\x93"):
            client.set(key, data, ex=1000)
            with manager.begin(f"{framework.cookie}={made}") as session:
                assert {**session} == {}
                session["mine"] = 1
                session.commit(200)
                assert session.session_key != made
            assert client.get(key) == data


@pytest.mark.parametrize("kind", ["django-cache"])
def test_tuile_undoes_no_finished_save_of_django(server: redis_server.Server, client: Any, kind: str) -> None:
    if importlib.util.find_spec("django") is None:
        pytest.skip("Django is not installed")
    framework = Framework(kind, server)
    sid = framework("write", "", json.dumps({"django": 0, "tuile": 0}))
    each = 100
    assert framework.process.stdin is not None and framework.process.stdout is not None
    framework.process.stdin.write(json.dumps(["count", sid, str(each)]) + "\n")
    framework.process.stdin.flush()
    with Manager(store=f"{server.unix}?layout={kind}", cookie_name="sessionid") as manager:
        for _ in range(each):
            with manager.begin(f"sessionid={sid}") as session:
                session.add_int("tuile", 1)
                session.commit(200)
    framework.process.stdout.readline()
    read = framework("read", sid)
    # Django's own save may undo Tuile's: the last writer wins there.
    assert read["django"] == each and 0 < read["tuile"] <= each
    framework.process.stdin.close()
    framework.process.wait(20)


def test_a_wrong_option_is_an_error(server: redis_server.Server) -> None:
    for query in ("layout=django-cache&serializer=json", "layout=django-cache&ttl=5", "layout=flask-session&serializer=marshal", "layout=django-redis&table=a"):
        with pytest.raises(TuileError):
            Manager(store=f"{server.unix}?{query}", cookie_name="a")
