"""What a project overrides of Django's sessions counts as there: the same classes on both."""

from __future__ import annotations

import base64
import itertools
import json
import pickle
from datetime import date
from typing import Any

from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.test import Client, TransactionTestCase, override_settings
from tuile.django import SessionStore


class AccountSession(AbstractBaseSession):
    account = models.CharField(max_length=40, null=True, db_index=True)

    class Meta:
        app_label = "sessions"
        db_table = "account_session"

    @classmethod
    def get_session_store_class(cls) -> Any:
        return DjangosStore


class Pickle:
    def dumps(self, value: Any) -> bytes:
        return pickle.dumps(value)

    def loads(self, data: bytes) -> Any:
        return pickle.loads(data)


class Accounts:
    @classmethod
    def get_model_class(cls) -> Any:
        return AccountSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)  # type: ignore[misc]
        row.account = data.get("_auth_user_id")
        return row


class Keys:
    numbers = itertools.count(1)

    def _get_new_session_key(self) -> str:
        return f"key{next(self.numbers):05}"


class Codes:
    def encode(self, session_dict: dict[str, Any]) -> str:
        return "own:" + base64.b64encode(json.dumps(session_dict, sort_keys=True).encode()).decode()

    def decode(self, session_data: str) -> dict[str, Any]:
        if not session_data.startswith("own:"):
            return {}
        return dict(json.loads(base64.b64decode(session_data[4:])))


class Salt:
    key_salt = "a salt of the project's"


def made(body: type, base: type) -> Any:
    return type("ProjectSession", (body, base), {})


def life(kind: Any) -> list[Any]:
    """What a session of that class does, and what the rows hold afterwards."""
    model = kind.get_model_class()
    model.objects.all().delete()
    session, seen = kind(), []
    session["a"], session["_auth_user_id"] = [1], "7"
    session.save()
    again = kind(session.session_key)
    seen.append(sorted(again.items()))
    again["a"] = [1, 2]
    again.save()
    again.cycle_key()
    seen.append(sorted(kind(again.session_key).items()))
    rows = list(model.objects.all())
    assert len(rows) == 1 and rows[0].session_key == again.session_key
    seen.append((getattr(rows[0], "account", ""), len(again.session_key), again.session_key[:3] == "key", rows[0].session_data[:4] == "own:"))
    seen.append(kind().decode(rows[0].session_data) == dict(again.items()))
    # Another class reads what it has signed alone.
    seen.append(sorted(DjangosStore().decode(rows[0].session_data)))
    again.flush()
    seen.append(model.objects.count())
    return seen


class Overrides(TransactionTestCase):
    def setUp(self) -> None:
        with connection.schema_editor() as editor:
            editor.create_model(AccountSession)
        self.addCleanup(self.drop)

    def drop(self) -> None:
        with connection.schema_editor() as editor:
            editor.delete_model(AccountSession)

    def test_each_counts_as_with_django(self) -> None:
        for body in (Accounts, Keys, Codes, Salt):
            with self.subTest(body.__name__):
                self.assertEqual(life(made(body, SessionStore)), life(made(body, DjangosStore)))
        self.assertEqual(life(made(Keys, SessionStore))[2][2], True)
        self.assertEqual(life(made(Codes, SessionStore))[2][3], True)
        self.assertEqual(life(made(Accounts, SessionStore))[2][0], "7")

    def test_each_is_refused_in_a_store(self) -> None:
        with override_settings(TUILE_STORE="memory:"):
            for body in (Accounts, Keys, Codes, Salt):
                with self.assertRaisesMessage(ImproperlyConfigured, "ProjectSession."):
                    made(body, SessionStore)()
            session = SessionStore()
            session.serializer = Pickle
            session["a"] = 1
            with self.assertRaisesMessage(ImproperlyConfigured, "serializer"):
                session.save()

    def test_a_serializer_of_the_projects(self) -> None:
        seen = []
        with override_settings(SESSION_SERIALIZER="database_tests.test_overrides.Pickle"):
            for kind in (DjangosStore, SessionStore):
                session = kind()
                session["at"] = date(2026, 3, 1)
                session.save()
                other = kind(session.session_key)
                other["in"] = {1: (2,)}
                session["by"] = {3}
                other.save()
                if kind is SessionStore:
                    # Both count, also of what JSON has not.
                    session.save()
                    self.assertEqual(kind(session.session_key)["by"], {3})
                    del other
                    other = kind(session.session_key)
                seen.append((kind(session.session_key)["at"], kind(session.session_key)["in"]))
        self.assertEqual(seen[0], seen[1])

    def test_a_cookie_with_djangos_odd_names(self) -> None:
        for store in (None, "memory:", "cookie:"):
            with override_settings(SESSION_COOKIE_NAME="my:sess", TUILE_STORE=store):
                client = Client()
                client.force_login(User.objects.create_user(f"ada{store}"))
                self.assertEqual([client.get("/count").content for _ in range(2)], [f"ada{store} {n}".encode() for n in (1, 2)])
                self.assertIn("my:sess", client.cookies)

    def test_a_new_password_hash_ends_the_session(self) -> None:
        for store in (None, "memory:"):
            with override_settings(TUILE_STORE=store):
                user = User.objects.create_user(f"eve{store}", password="old")
                client = Client()
                client.force_login(user)
                self.assertEqual(client.get("/count").content, f"eve{store} 1".encode())
                user.set_password("new")
                user.save()
                self.assertFalse(get_user(client).is_authenticated)

    def test_changed_data_is_logged_as_django_logs_it(self) -> None:
        for engine, store in (("django.contrib.sessions.backends.db", None), ("tuile.django", None)):
            with override_settings(SESSION_ENGINE=engine, TUILE_STORE=store):
                client = Client()
                client.get("/count")
                Session.objects.update(session_data="nonsense:changed")
                with self.assertLogs("django.security.SuspiciousSession", "WARNING") as logged:
                    client.get("/count")
                self.assertEqual(logged.output, ["WARNING:django.security.SuspiciousSession:Session data corrupted"])


