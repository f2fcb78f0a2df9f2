"""nginx and Apache of Debian with Tuile's modules, in front of a real Django: `Tests/Servers/run`."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import configured
import pytest
from application import SECRET
from configured import Site
from processes import BUILD, ROOT, Front, django
from visitor import Visitor

# The library itself, for what only it can make.
os.environ.setdefault("TUILE_LIBRARY", str(BUILD / "libtuile.so.0"))
sys.path.insert(0, str(ROOT / "bindings/python"))

Start = Callable[..., Front]


def open_folder() -> tempfile.TemporaryDirectory[str]:
    """One that www-data, as which the servers' children run, may look into."""
    folder = tempfile.TemporaryDirectory(prefix="tuile-servers-")
    os.chmod(folder.name, 0o755)
    return folder


@pytest.fixture(scope="session")
def application() -> Iterator[tuple[int, Path]]:
    """The port of one Django for all tests, and its database."""
    with open_folder() as name:
        database = Path(name) / "db.sqlite3"
        with django(database) as port:
            if os.geteuid() == 0:
                shutil.chown(database.parent, "www-data")
                shutil.chown(database, "www-data")
            yield port, database


@pytest.fixture
def database(application: tuple[int, Path]) -> Path:
    return application[1]


@pytest.fixture
def site(application: tuple[int, Path]) -> Iterator[Site]:
    port, database = application
    with open_folder() as name:
        yield Site(Path(name), port, f"sqlite://{database}", SECRET)


@pytest.fixture(params=["nginx", "apache"])
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
