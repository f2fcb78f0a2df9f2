"""The library under test is what TUILE_LIBRARY names, else what CMake built in build/."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[1]
os.environ.setdefault("TUILE_LIBRARY", str(PYTHON.parents[1] / "build/libtuile.so.0"))
sys.path[:0] = [str(PYTHON), str(PYTHON / "examples")]

from tuile.sessions import Manager  # noqa: E402  the path has to be set first


@pytest.fixture(params=["memory", "sqlite"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    store = "memory:" if request.param == "memory" else f"sqlite://{tmp_path / 's.db'}"
    with Manager(store=store, secret="a secret") as manager:
        yield manager
