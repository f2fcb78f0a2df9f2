"""A manager on each of two stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tuile.sessions import Manager


@pytest.fixture(params=["memory", "sqlite"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    store = "memory:" if request.param == "memory" else f"sqlite://{tmp_path / 's.db'}"
    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager:
        yield manager
