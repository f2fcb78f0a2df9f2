"""nginx and Apache of Debian with Tuile's modules, in front of a real Django: `Tests/Servers/run`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import configured
import pytest
from application import SECRET
from configured import Site
from processes import Front, django
from visitor import Visitor

Start = Callable[..., Front]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite3"


@pytest.fixture
def site(tmp_path: Path, database: Path) -> Iterator[Site]:
    with django(database) as port:
        yield Site(tmp_path / "front", port, f"sqlite://{database}", SECRET)


@pytest.fixture(params=["nginx"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def start(kind: str) -> Iterator[Start]:
    """Starts the server of this test, with settings of its own if need be, and stops it."""
    started: list[Front] = []

    def start(site: Site, **extra: str) -> Front:
        started.append(getattr(configured, kind)(site, **extra))
        return started[-1]

    yield start
    for front in started:
        front.stop()


@pytest.fixture
def front(start: Start, site: Site) -> Front:
    return start(site)


@pytest.fixture
def visitor(front: Front) -> Visitor:
    return Visitor(front.port)
