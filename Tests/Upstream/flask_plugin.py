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

# Test: (why it is left out, on which stores; None: on all).
LEFT_OUT: dict[str, tuple[str, str | None]] = {
    "test_session_using_session_settings": (
        "it wants a cookie deleted that the client did not send, since it is Secure and this is http", None
    ),
    "test_bad_environ_raises_bad_request": ("it fails without Tuile, too, with today's Werkzeug", None),
    "test_session_secret_key_fallbacks": ("sessions in memory are not signed: no key takes them away", "memory:"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason, store = LEFT_OUT.get(item.name, ("", ""))
        if reason and store in (None, STORE):
            item.add_marker(pytest.mark.skip(reason))
