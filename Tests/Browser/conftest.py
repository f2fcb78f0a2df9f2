"""A real curl and a real Chromium against a C server that uses libtuile: `Tests/Browser/run`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import Curl, Visitor
from devtools import Chromium, find_chromium
from served import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def chromium_installed() -> None:
    if find_chromium() is None:
        pytest.skip("there is no chromium on the PATH, nor in $CHROMIUM")


@pytest.fixture(scope="session")
def browser(chromium_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium") / "profile") as browser:
        yield browser


@pytest.fixture(scope="session")
def tab(browser: Chromium, server: Server) -> Visitor:
    return Visitor(browser, server)


@pytest.fixture
def visitor(tab: Visitor) -> Visitor:
    """One tab for all tests, as that is faster; without a cookie at the beginning."""
    tab.browser.clear_cookies()
    return tab


@pytest.fixture
def curl(server: Server, tmp_path: Path) -> Curl:
    return Curl(tmp_path / "jar", server)
