"""The same histories on stores with a server: redis:// and postgresql://."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Stores"))

import postgresql_server  # noqa: E402
import redis_server  # noqa: E402

ROUNDS = "2000" if os.environ.get("TUILE_FULL") else "10"


def history(url: str) -> None:
    seed = str(random.SystemRandom().randrange(1 << 30))
    command = [str(ROOT / "build/Tests/Histories/histories"), url, ROUNDS, seed]
    environment = {**os.environ, "TUILE_MODULE_PATH": str(ROOT / "build")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False, env=environment)
    print(done.stdout)
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"
    assert "processes killed" in done.stdout


def test_redis_keeps_what_it_answered(tmp_path: Path) -> None:
    with redis_server.running(tmp_path / "redis") as server:
        history(f"redis://{server.host}/0")


@pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server is installed")
def test_postgresql_keeps_what_it_answered() -> None:
    with postgresql_server.running() as server:
        history(server.url())
