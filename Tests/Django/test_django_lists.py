"""Lists of users' sessions, and the pages that show them: the tests in list_tests, run by Django's runner."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from test_django_databases import on, run_tests, servers  # noqa: F401


@pytest.mark.parametrize("name", ["memory", "postgresql", "mariadb"])
def test_on(name: str, servers: Any, tmp_path: Path) -> None:  # noqa: F811
    run_tests(on(name, servers, tmp_path), "list_tests", settings="list_tests.settings")


@pytest.mark.parametrize("store", ["memory:", "sqlite://{}/sessions.db", "file://{}/sessions"])
def test_in(store: str, servers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setitem(os.environ, "TUILE_TEST_STORE", store.format(tmp_path))
    run_tests(on("memory", servers, tmp_path), "list_tests", settings="list_tests.settings")
