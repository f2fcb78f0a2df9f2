"""Runs a command with TUILE_TEST_POSTGRESQL naming a server of its own, where there is one.

    python with_postgresql.py COMMAND…
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    command, module = sys.argv[1:], ROOT / "build/libtuile-postgresql.so"
    sys.path.insert(0, str(ROOT / "Tests/Stores"))
    try:
        from postgresql_server import binaries, running
    except ImportError:
        binaries = lambda: None  # noqa: E731
    if "TUILE_TEST_POSTGRESQL" in os.environ or not module.exists() or binaries() is None:
        return subprocess.run(command).returncode
    with running() as server:
        environment = {**os.environ, "TUILE_TEST_POSTGRESQL": server.url(timeout="60000", connect="60000", wait="60000")}
        return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
