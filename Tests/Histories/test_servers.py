"""The same histories on stores with a server: redis:// and postgresql://."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Stores"))

import postgresql_server  # noqa: E402
import redis_server  # noqa: E402

ROUNDS = "2000" if os.environ.get("TUILE_FULL") else "10"


def history(url: str, disturb: Callable[[], None] | None = None, rounds: str = ROUNDS) -> None:
    """`disturb` does something to the server, again and again, until the histories have ended."""
    seed = str(random.SystemRandom().randrange(1 << 30))
    command = [str(ROOT / "build/Tests/Histories/histories"), url, rounds, seed]
    environment = {**os.environ, "TUILE_MODULE_PATH": str(ROOT / "build")}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    while disturb and running.poll() is None:
        disturb()
    stdout, stderr = running.communicate(timeout=7200)
    print(stdout)
    assert running.returncode == 0, f"seed {seed}: {stdout}{stderr}"
    assert "processes killed" in stdout


def test_redis_keeps_what_it_answered(tmp_path: Path) -> None:
    with redis_server.running(tmp_path / "redis") as server:
        history(f"redis://{server.host}/0")


@pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server is installed")
def test_postgresql_keeps_what_it_answered() -> None:
    with postgresql_server.running() as server:
        history(server.url())


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


def test_redis_that_stops_and_is_killed(tmp_path: Path) -> None:
    with redis_server.running(tmp_path / "redis", "appendonly yes", "appendfsync always") as server:
        history(f"redis://{server.host}/0?{LIMITS}", troubles(server), FEW)


@pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server is installed")
def test_postgresql_that_stops_and_is_killed() -> None:
    with postgresql_server.running() as server:
        history(server.url(timeout="500", wait="500", connect="500"), troubles(server), FEW)
