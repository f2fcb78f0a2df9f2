"""A project before and after the one line, side by side: pages, cookies and what is in the database are the same."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Tests/Stores")]
import postgresql_server  # noqa: E402
import project  # noqa: E402
from browser import Browser, Names  # noqa: E402

# All the ways to run a project's tests take minutes; the usual run takes the two that differ most.
FULL = bool(os.environ.get("TUILE_FULL"))


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    if postgresql_server.binaries() is None:
        pytest.skip("no PostgreSQL server")
    with postgresql_server.running() as running:
        yield running


def on_server(server: Any) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": server.new_database(), "USER": "postgres", "HOST": str(server.folder),
        "PORT": server.port,
    }  # fmt: skip


def database(name: str, request: pytest.FixtureRequest) -> dict[str, Any] | None:
    """None: the one that startproject gives a project."""
    return None if name == "sqlite" else on_server(request.getfixturevalue("server"))


def seen(folder: Path) -> list[dict[str, Any]]:
    done = project.run(folder, str(HERE / "drive.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    return list(json.loads(done.stdout))


def differences(theirs: Any, ours: Any, at: str = "") -> Iterator[str]:
    """Where two accounts of the same are not the same."""
    if isinstance(theirs, dict) and isinstance(ours, dict) and theirs.keys() == ours.keys():
        for name in theirs:
            yield from differences(theirs[name], ours[name], f"{at}.{name}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, pair in enumerate(zip(theirs, ours)):
            yield from differences(*pair, f"{at}[{number}]")
    elif theirs != ours and not (at.endswith(".left") and abs(theirs - ours) < 60):
        # One of them may have been slower.
        yield f"{at}: {theirs} and {ours}"


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_every_step_is_the_same(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    databases = database(name, request), database(name, request)
    # Both at once: most of the time they wait.
    with ThreadPoolExecutor() as pool:
        before, after = pool.map(
            lambda which: seen(project.make(tmp_path / which, databases[which == "after"], *([project.THE_LINE] if which == "after" else []))),
            ("before", "after"),
        )
    assert len(before) > 150
    assert "\n".join(differences(before, after)) == ""


@pytest.mark.parametrize("name", ["sqlite", "postgresql"] if FULL else ["sqlite"])
def test_a_visitor_who_goes_away(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    seen = []
    for line in ("", project.THE_LINE):
        folder = project.make(tmp_path / f"with{bool(line)}", database(name, request), line)
        done = project.run(folder, str(HERE / "cancel.py"))
        assert done.returncode == 0, done.stdout + done.stderr
        seen.append(json.loads(done.stdout))
    assert seen[0] == seen[1] and seen[0][-1][1] == 200


def served(folder: Path) -> subprocess.Popen[str]:
    done = project.run(folder, "manage.py", "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    words = [sys.executable, str(HERE / "serve.py")]
    return subprocess.Popen(words, cwd=folder, env=project.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


PAGES = ["/plain/", "/look/", "/count/", "/act/flush/", "/act/cycle/", "/signup/", "/count/"]


def visited(folder: Path, away: list[Any], names: Names) -> list[Any]:
    """What pages answer while their store is away in one way after the other, and when it is back."""
    seen = []
    with served(folder) as process:
        assert process.stdout is not None and process.stdin is not None
        browser = Browser(int(process.stdout.readline()), names)
        for broken in [nullcontext, *away, nullcontext]:
            seen.append(browser.get("/count/"))
            with broken():
                for path in PAGES:
                    seen.append(browser.post(path, name="ada") if path == "/signup/" else browser.get(path))
        process.stdin.close()
    return seen


def test_a_server_that_is_away(request: pytest.FixtureRequest, server: Any, tmp_path: Path) -> None:
    @contextmanager
    def stopped() -> Iterator[None]:
        server.stop()
        try:
            yield
        finally:
            server.start()

    seen = []
    for line in ("", project.THE_LINE):
        at = on_server(server)

        @contextmanager
        def read_only(name: str = at["NAME"]) -> Iterator[None]:
            server.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            try:
                yield
            finally:
                server.sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")

        folder = project.make(tmp_path / f"with{bool(line)}", at, line)
        seen.append(visited(folder, [stopped, read_only], Names()))
    assert seen[0] == seen[1]
    assert {answer["status"] for answer in seen[0]} >= {200, 400, 500}


def test_a_file_that_is_locked(tmp_path: Path) -> None:
    seen = []
    for line in ("", project.THE_LINE):
        folder = tmp_path / f"with{bool(line)}"
        at = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3"), "OPTIONS": {"timeout": 0.1}}

        @contextmanager
        def locked(mode: str, file: str = at["NAME"]) -> Iterator[None]:
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute(f"BEGIN {mode}")
                yield

        project.make(folder, at, line)
        seen.append(visited(folder, [lambda: locked("IMMEDIATE"), lambda: locked("EXCLUSIVE")], Names()))
    assert seen[0] == seen[1]
    assert {answer["status"] for answer in seen[0]} >= {200, 400, 500}


WAYS = [("sqlite", []), ("postgresql", ["--keepdb", "--parallel", "2"]), ("sqlite", ["--parallel", "2"]), ("file", ["--keepdb"]), ("postgresql", [])]


@pytest.mark.parametrize("name, words", WAYS if FULL else WAYS[:2])
def test_the_projects_own_tests_pass_as_before(name: str, words: list[str], request: pytest.FixtureRequest, tmp_path: Path) -> None:
    for line in ("", project.THE_LINE):
        folder = tmp_path / f"with{bool(line)}"
        at = database(name, request) if name != "file" else {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db"), "TEST": {"NAME": str(folder / "test.db")}}  # fmt: skip
        project.make(folder, at, line)
        # With --keepdb, what the first time left is there the second time.
        for _ in range(2 if "--keepdb" in words else 1):
            done = project.run(folder, "-W", "error::ResourceWarning", "manage.py", "test", "--no-input", *words)
            assert done.returncode == 0 and "Ran 11 tests" in done.stderr, done.stderr


def test_the_projects_own_tests_pass_with_pytest(tmp_path: Path) -> None:
    pytest.importorskip("pytest_django", reason="no pytest-django")
    for line in ("", project.THE_LINE):
        folder = project.make(tmp_path / f"with{bool(line)}", None, line)
        done = project.run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "polls/tests.py", "--ds", "mysite.settings")
        assert done.returncode == 0 and "11 passed" in done.stdout, done.stdout + done.stderr
