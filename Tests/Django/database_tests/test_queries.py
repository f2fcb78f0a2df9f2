"""A project's tests may count queries: each step takes as many as with Django's own backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from tuile.django import SessionStore


def steps(kind: type[Any]) -> list[tuple[str, list[str]]]:
    """The kinds of command that each step takes."""
    session = kind()
    done: list[tuple[str, list[str]]] = []

    def step(name: str, call: Callable[[], object]) -> None:
        with CaptureQueriesContext(connection) as queries:
            call()
        done.append((name, [query["sql"].split()[0] for query in queries.captured_queries]))

    step("set", lambda: session.update({"a": 1}))
    step("save", session.save)
    session = kind(session.session_key)
    step("load", lambda: session.get("a"))
    step("again", session.save)
    step("cycle", session.cycle_key)
    step("exists", lambda: session.exists(session.session_key))
    step("flush", session.flush)
    session = kind("unknown" * 4)
    step("unknown", lambda: session.get("a"))
    step("clear", session.clear)
    step("create", session.create)
    step("delete", session.delete)
    step("clear expired", kind.clear_expired)
    return done


class Queries(TransactionTestCase):
    def test_each_step(self) -> None:
        self.assertEqual(steps(SessionStore), steps(DjangosStore))


class QueriesInside(TestCase):
    def test_each_step(self) -> None:
        self.assertEqual(steps(SessionStore), steps(DjangosStore))

    def test_a_login_and_a_page(self) -> None:
        counts = []
        for engine in ("django.contrib.sessions.backends.db", "tuile.django"):
            with override_settings(SESSION_ENGINE=engine), CaptureQueriesContext(connection) as queries:
                client = self.client_class()
                client.force_login(User.objects.create_user(f"ada-{engine}"))
                client.get("/count")
                client.logout()
            counts.append([query["sql"].split()[0] for query in queries.captured_queries])
        self.assertEqual(counts[0], counts[1])
