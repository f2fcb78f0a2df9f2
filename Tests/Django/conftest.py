"""The proofs with the real Django: `pytest Tests/Django`, after CMake has built build/.

Each test gets a database file of its own. TUILE_BUILD names another build folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import django_project
import pytest

# Run by test_django_databases.py and test_django_lists.py, by Django itself.
collect_ignore = ["database_tests", "list_tests"]
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings/python"))
BUILD = Path(os.environ.get("TUILE_BUILD", ROOT / "build"))
os.environ.setdefault("TUILE_LIBRARY", str(BUILD / "libtuile.so.0"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def django_database(database: Path) -> Iterator[Path]:
    """A file that Django's own `migrate` made, and that its default connection uses."""
    with django_project.connected_to(database):
        django_project.migrate()
        yield database


@pytest.fixture
def page_count(database: Path, tmp_path: Path) -> Iterator[str]:
    """The C server on the same database file; gives its base URL."""
    secret = tmp_path / "secret"
    secret.write_text(django_project.SECRET + "\n")
    command = [BUILD / "page_count", "--port", "0", "--store", f"sqlite://{database}", "--secret-file", secret]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            url = next((word for word in line.split() if word.startswith("http://")), None)
            assert url, f"page_count said {line!r}"
            yield url.rstrip("/.")
        finally:
            server.terminate()
