"""pytest -p flask_plugin: every Flask application gets Tuile's sessions, on TUILE_TEST_STORE."""

from __future__ import annotations

import os

import _pytest.monkeypatch
import pytest
from flask import Flask
from tuile.flask import SessionInterface

# Flask's conftest.py uses a name that pytest 9 has no more.
if not hasattr(_pytest.monkeypatch, "notset"):
    vars(_pytest.monkeypatch)["notset"] = _pytest.monkeypatch.NOTSET

STORE = os.environ["TUILE_TEST_STORE"]
Flask.session_interface = SessionInterface(STORE)

# Test: (why it is left out, on which stores; "": on all).
LEFT_OUT = {
    "test_bad_environ_raises_bad_request": ("it fails without Tuile, too, with today's Werkzeug", ("",)),
    "test_session_secret_key_fallbacks": ("sessions in memory are not signed: no key takes them away", ("memory:",)),
    "test_session_refresh_vary": (
        "a store is not asked for a page that asks for no session, so that nobody knows whether it is permanent",
        ("memory:", "sqlite:"),
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason, stores = LEFT_OUT.get(item.name, ("", ()))
        if STORE.startswith(stores):
            item.add_marker(pytest.mark.skip(reason))
