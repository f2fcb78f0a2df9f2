"""pytest -p flask_plugin: every Flask application gets Tuile's sessions, on TUILE_TEST_STORE."""

from __future__ import annotations

import os

import pytest
from flask import Flask
from tuile.flask import SessionInterface

STORE = os.environ["TUILE_TEST_STORE"]
Flask.session_interface = SessionInterface(STORE)

# Test: (why it is left out, on which stores; None: on all).
LEFT_OUT: dict[str, tuple[str, str | None]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason, store = LEFT_OUT.get(item.name, ("", ""))
        if reason and store in (None, STORE):
            item.add_marker(pytest.mark.skip(reason))
