"""What the tests of the PostgreSQL store share: the programs, and Tuile on Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from postgresql_django import SECRET
from postgresql_server import binaries

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TUILE_BUILD", ROOT / "build"))
sys.path.append(str(ROOT / "bindings/python"))
# A build with a sanitizer, in TUILE_BUILD, is for the programs: Python could not load it.
os.environ.setdefault("TUILE_LIBRARY", str(ROOT / "build/libtuile.so.0"))
from store import written  # noqa: E402, F401  the library has to be chosen first
from tuile.sessions import Manager  # noqa: E402

# The whole of it takes minutes; the usual run does a part.
FULL = bool(os.environ.get("TUILE_FULL"))

# A sanitizer keeps what was freed for a while.
PLAIN = "TUILE_SANITIZE:STRING=\n" in (BUILD / "CMakeCache.txt").read_text()

# For programs that load Tuile by themselves.
ENVIRONMENT = {"PYTHONPATH": str(ROOT / "bindings/python"), **os.environ}

needed = [
    pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server"),
    pytest.mark.skipif(not (BUILD / "libtuile-postgresql.so").exists(), reason="the module is not built: no libpq"),
]


def program(name: str) -> str:
    return str(BUILD / "Tests/Stores" / name)


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(name), *arguments], capture_output=True, text=True, timeout=900, check=False)


def opened(url: str) -> Manager:
    return Manager(store=url, secret=SECRET)
