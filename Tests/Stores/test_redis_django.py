"""django-redis-sessions, from PyPI, and Django itself share the Redis store with Tuile, in both directions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redis_sessions")
from redis_server import Server, running  # noqa: E402
from store import BUILD, written  # noqa: E402
from tuile.sessions import Manager, SessionDeleted  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
VALUES = {"name": "Ada", "text": "žluťoučký", "list": [1, 2.5, None, {"a": True}], "big": "x" * 5000}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


@pytest.fixture(params=["", "session"])
def prefix(request: pytest.FixtureRequest, server: Server) -> str:
    server.client().flushall()
    return str(request.param)


@pytest.fixture
def manager(server: Server, prefix: str) -> Iterator[Manager]:
    with Manager(store=f"{server.unix}?db=2&prefix={prefix}", secret=SECRET) as manager:
        yield manager


Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def processes(server: Server) -> Iterator[dict[str, subprocess.Popen[str]]]:
    made: dict[str, subprocess.Popen[str]] = {}
    yield made
    for process in made.values():
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


@pytest.fixture
def django(server: Server, prefix: str, processes: dict[str, subprocess.Popen[str]]) -> Ask:
    """What the real one says."""
    if prefix not in processes:
        program = Path(__file__).with_name("redis_django.py")
        words = [sys.executable, str(program), str(server.socket), prefix, SECRET]
        processes[prefix] = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process = processes[prefix]

    def ask(*words: str) -> Any:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    return ask


def test_it_reads_what_tuile_wrote(server: Server, prefix: str, manager: Manager, django: Ask) -> None:
    key = written(manager, **VALUES)
    answer = django("read", key)
    assert answer["items"] == VALUES and abs(answer["left"] - 1209600) < 60
    assert server.client().keys() == [] and django("names") == [f"{prefix}:{key}" if prefix else key]


def test_tuile_reads_what_it_wrote(manager: Manager, django: Ask) -> None:
    key = django("write", json.dumps(VALUES), "300")
    with manager.begin(f"sessionid={key}") as session:
        assert {**session} == {**VALUES, "_session_expiry": 300}
        assert session.add_int("count") == 1
        session.commit(200)
    answer = django("read", key)
    assert answer["items"] == {**VALUES, "_session_expiry": 300, "count": 1} and 200 < answer["left"] <= 300
    # And once more round: it changes what Tuile changed.
    django("set", key, "count", "7")
    with manager.begin(f"sessionid={key}") as session:
        assert session["count"] == 7


def test_a_login_of_one_is_a_login_of_the_other_and_so_is_the_logout(manager: Manager, django: Ask) -> None:
    key = django("write", json.dumps({"_auth_user_id": "1"}), "600")
    with manager.begin(f"sessionid={key}") as session:
        assert session["_auth_user_id"] == "1"
        session["slow"] = True
        django("delete", key)
        with pytest.raises(SessionDeleted):
            session.commit(200)
    assert django("names") == []
    key = written(manager, a=1)
    with manager.begin(f"sessionid={key}") as session:
        session.flush()
        session.commit(200)
    assert django("read", key) == {"items": {}, "left": -2}


def test_another_secret_reads_nothing_and_leaves_the_key(server: Server, prefix: str, manager: Manager, django: Ask) -> None:
    key = django("write", json.dumps(VALUES), "600")
    with Manager(store=f"{server.unix}?db=2&prefix={prefix}", secret="another" * 8) as other:
        with other.begin(f"sessionid={key}") as session:
            assert dict(session) == {}
            session.commit(200)
    assert django("read", key)["items"]["name"] == "Ada"
