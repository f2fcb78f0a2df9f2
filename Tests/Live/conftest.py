"""The library under test is what TUILE_LIBRARY names, else what scripts/build made.

Keys and payloads are random: TUILE_LIVE_SEED repeats a run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings/python"))
os.environ.setdefault("TUILE_LIBRARY", str(ROOT / "build/libtuile.so.0"))

import live  # noqa: E402  the path has to be set first


def pytest_report_header() -> str:
    return f"TUILE_LIVE_SEED={live.SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which versions were really there: a green run means nothing without that."""
    for name, version in sorted(live.versions().items()):
        terminalreporter.write_line(f"{name} {version}")


def pytest_sessionfinish() -> None:
    live.stop_helpers()


@pytest.fixture(scope="session")
def node() -> Iterator[live.Helper]:
    yield live.helper("node", "node", live.HERE / "node.js")


@pytest.fixture(scope="session")
def rails() -> Iterator[live.Helper]:
    yield live.helper("rails", "ruby", live.HERE / "rails.rb")


@pytest.fixture(scope="session")
def rack() -> Iterator[live.Helper]:
    yield live.helper("rack", "ruby", live.HERE / "rack.rb")


@pytest.fixture(scope="session")
def gorilla() -> Iterator[live.Helper]:
    yield live.helper("gorilla", ROOT / "build/live/gorilla")


@pytest.fixture(scope="session")
def cookie_rs() -> Iterator[live.Helper]:
    yield live.helper("cookie_rs", ROOT / "build/live/cookie_rs/helper")
