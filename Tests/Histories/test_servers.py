"""The same histories on stores with a server, redis:// and postgresql://: alone, with a server that stops and is
killed, and through a proxy that cuts, halves and delays what passes (proxy.c)."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Stores"))

import postgresql_server  # noqa: E402
import redis_server  # noqa: E402

PROGRAMS = ROOT / "build/Tests/Histories"
ROUNDS = "2000" if os.environ.get("TUILE_FULL") else "10"


def any_seed() -> str:
    return os.environ.get("TUILE_SEED") or str(random.SystemRandom().randrange(1 << 30))


def history(
    url: str, *words: str, disturb: Callable[[], None] | None = None, rounds: str = ROUNDS, seed: str = ""
) -> None:
    """`disturb` does something to the server, again and again, until the histories have ended."""
    seed = seed or any_seed()
    command = [str(PROGRAMS / "histories"), url, rounds, seed, *words]
    environment = {**os.environ, "TUILE_MODULE_PATH": str(ROOT / "build")}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    while disturb and running.poll() is None:
        disturb()
    stdout, stderr = running.communicate(timeout=7200)
    print(stdout)
    assert running.returncode == 0, f"seed {seed}: {stdout}{stderr}"
    assert "processes killed" in stdout


QUEUE = pytest.mark.parametrize("words", [[], ["queue"]], ids=["blocking", "queue"])


@QUEUE
def test_redis_keeps_what_it_answered(tmp_path: Path, words: list[str]) -> None:
    with redis_server.running(tmp_path / "redis") as server:
        history(f"redis://{server.host}/0", *words)


@pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server is installed")
@QUEUE
def test_postgresql_keeps_what_it_answered(words: list[str]) -> None:
    with postgresql_server.running() as server:
        history(server.url(), *words)


FEW = "400" if os.environ.get("TUILE_FULL") else "6"


def troubles(server: Any) -> Callable[[], None]:
    """The server stops for a while, or gets kill -9 and is started again."""

    def disturb() -> None:
        time.sleep(random.uniform(0.02, 0.4))
        if random.random() < 0.5:
            server.pause()
            time.sleep(random.uniform(0.01, 1.5))
            server.resume()
        else:
            server.kill()
            server.start()

    return disturb


LIMITS = "timeout=500&wait=500&connect=500"


@QUEUE
def test_redis_that_stops_and_is_killed(tmp_path: Path, words: list[str]) -> None:
    with redis_server.running(tmp_path / "redis", "appendonly yes", "appendfsync always") as server:
        history(f"redis://{server.host}/0?{LIMITS}", "outage", *words, disturb=troubles(server), rounds=FEW)


@pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server is installed")
def test_postgresql_that_stops_and_is_killed() -> None:
    with postgresql_server.running() as server:
        url = server.url(timeout="500", wait="500", connect="500")
        history(url, "outage", disturb=troubles(server), rounds=FEW)


@contextmanager
def proxied(socket: Path, target: Path, seed: str, *words: str) -> Iterator[None]:
    """A way with troubles; in the end it tells of them."""
    command = [str(PROGRAMS / "histories-proxy"), str(socket), str(target), seed, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdin and proxy.stdout and proxy.stdout.readline() == "ready\n"
        socket.chmod(0o777)
        yield
        proxy.stdin.close()
        told = proxy.stdout.read()
        print(f"seed {seed}: {told}")
    assert proxy.returncode == 0
    assert re.search(r"[1-9]\d* cut", told), told


# Nobody waits for longer than this; the proxy keeps some answers for 400.
SHORT = {"timeout": "150", "wait": "1000", "connect": "1000"}


@QUEUE
def test_redis_by_a_way_with_troubles(tmp_path: Path, words: list[str]) -> None:
    seed, way = any_seed(), tmp_path / "way"
    options = "&".join(f"{name}={value}" for name, value in SHORT.items())
    with redis_server.running(tmp_path / "redis") as server, proxied(way, server.socket, seed, "late"):
        history(f"unix://{way}?{options}", "outage", f"direct={server.unix}", *words, rounds=FEW, seed=seed)


@pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server is installed")
@pytest.mark.parametrize("prepare", ["on", "off"])
def test_postgresql_by_a_way_with_troubles(prepare: str) -> None:
    seed = any_seed()
    # Only where the command's text is with each of them does the proxy know what may be late.
    words = ["late"] if prepare == "off" else []
    with postgresql_server.running() as server, tempfile.TemporaryDirectory() as folder:
        way, target = Path(folder) / ".s.PGSQL.5432", server.folder / f".s.PGSQL.{server.port}"
        options = "&".join(f"{name}={value}" for name, value in {**SHORT, "prepare": prepare}.items())
        url = f"postgresql:///postgres?host={folder}&port=5432&user=postgres&{options}"
        with proxied(way, target, seed, *words):
            history(url, "outage", f"direct={server.url()}", rounds=FEW, seed=seed)
