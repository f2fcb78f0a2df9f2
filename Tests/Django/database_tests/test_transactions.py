"""A session is part of the transaction that Django has open."""

from __future__ import annotations

import copy
import pickle
from unittest import skipUnless

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase, override_settings
from tuile.django import SessionStore

from .sessions import read, rows, saved


class Transactions(TransactionTestCase):
    databases = {"default", "other"}

    def test_a_rollback_removes_the_session(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            key = saved(a=1)
            self.assertEqual(read(key), {"a": 1})
            1 / 0
        self.assertEqual((rows(), read(key)), (0, {}))

    def test_what_was_rolled_back_is_saved_by_the_next_save(self) -> None:
        # Django's session keeps what a view did to it, and its middleware saves that.
        key = saved(a=1)
        session = SessionStore(key)
        with transaction.atomic():
            session["b"] = 2
            session.add_int("count")
            session.save()
            with transaction.atomic():
                session["c"] = 3
                session.save()
                transaction.set_rollback(True)
            transaction.set_rollback(True)
        self.assertEqual(read(key), {"a": 1})
        session.save()
        self.assertEqual(read(key), {"a": 1, "b": 2, "c": 3, "count": 1})

    def test_a_sum_saved_in_a_transaction_is_added_once(self) -> None:
        key = saved(count=1)
        session = SessionStore(key)
        with transaction.atomic():
            session.add_int("count")
            session.save()
        other = SessionStore(key)
        other.add_int("count", 10)
        other.save()
        session.save()
        self.assertEqual(read(key), {"count": 12})

    @skipUnless(connection.features.has_select_for_update, "SQLite has no row locks")
    def test_the_sessions_own_row_may_be_locked(self) -> None:
        key = saved(a=1)
        with transaction.atomic():
            row = Session.objects.select_for_update().get(pk=key)
            session = SessionStore(key)
            session["a"] = 2
            session.save()
            self.assertEqual(row.get_decoded(), {"a": 1})
            session.cycle_key()
        self.assertEqual((read(session.session_key), rows()), ({"a": 2}, 1))

    def test_sign_up_in_a_transaction(self) -> None:
        for settings in ({}, {"ATOMIC_REQUESTS": True}):
            connection.settings_dict.update(settings)
            self.addCleanup(connection.settings_dict.update, ATOMIC_REQUESTS=False)
            answer = self.client.get("/signup", {"name": f"ada{len(settings)}"})
            self.assertEqual((answer.status_code, self.client.session["cart"]), (200, ["tea"]))
            self.assertEqual(self.client.get("/count").content.decode(), f"ada{len(settings)} 1")
            before = User.objects.count(), rows()
            with self.assertRaises(ValueError):
                self.client_class().get("/signup", {"name": "eve", "fail": "1"})
            self.assertEqual((User.objects.count(), rows()), before)
            self.client.logout()

    def test_a_session_that_was_rolled_back_is_as_with_django(self) -> None:
        answers = []
        for engine in ("django.contrib.sessions.backends.db", "tuile.django"):
            with override_settings(SESSION_ENGINE=engine):
                answer = self.client_class().get("/signup", {"name": "eve", "undo": "1"})
                answers.append((answer.status_code, answer.cookies.keys(), rows(), User.objects.count()))
        self.assertEqual(answers[0], answers[1])

    @override_settings(DATABASE_ROUTERS=["database_tests.test_transactions.Elsewhere"])
    def test_routers_say_where_a_session_is(self) -> None:
        key = saved(a=1)
        session = SessionStore(key)
        session["b"] = 2
        SessionStore(key).save()
        session.save()
        session.cycle_key()
        self.assertEqual([Session.objects.using(name).count() for name in ("default", "other")], [0, 1])
        session.flush()
        self.assertEqual([Session.objects.using(name).count() for name in ("default", "other")], [0, 0])

    @override_settings(DATABASE_ROUTERS=["database_tests.test_transactions.Replica"])
    def test_a_replica_that_is_late_costs_no_update(self) -> None:
        with override_settings(DATABASE_ROUTERS=[]):
            key = saved(a=1)
            Session.objects.get(pk=key).save(using="other", force_insert=True)
            newer = SessionStore(key)
            newer["b"] = 2
            newer.save()
        session = SessionStore(key)
        self.assertEqual(dict(session.items()), {"a": 1})
        session["c"] = 3
        session.save()
        with override_settings(DATABASE_ROUTERS=[]):
            self.assertEqual(read(key), {"a": 1, "b": 2, "c": 3})


class Elsewhere:
    def db_for_read(self, model: type, **hints: object) -> str:
        return "other"

    db_for_write = db_for_read


class Replica:
    def db_for_read(self, model: type, **hints: object) -> str:
        return "other"

    def db_for_write(self, model: type, **hints: object) -> str:
        return "default"


class InsideTests(TestCase):
    """Each in a transaction of Django's test case, which is rolled back."""

    def test_one(self) -> None:
        self.assertEqual(rows(), 0)
        self.client.force_login(User.objects.create_user("ada"))
        self.assertEqual(self.client.get("/count").content, b"ada 1")
        self.assertEqual(self.client.get("/count").content, b"ada 2")
        session = self.client.session
        session["count"] = 40
        session.save()
        self.assertEqual(self.client.get("/count").content, b"ada 41")
        self.assertEqual(rows(), 1)

    test_two = test_one

    def test_callbacks_at_commit_are_the_projects_own(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            self.client.force_login(User.objects.create_user("ada"))
            self.client.get("/count")
        self.assertEqual(callbacks, [])

    async def test_async(self) -> None:
        await self.async_client.aforce_login(await User.objects.acreate_user("ada"))
        for seen in (b"ada 1", b"ada 2"):
            self.assertEqual((await self.async_client.get("/acount")).content, seen)
        session = SessionStore(self.async_client.cookies["sessionid"].value)
        self.assertEqual(await session.aadd_int("count", 5), 7)
        await session.aappend("seen", 1)
        await session.acycle_key()
        self.assertEqual(await Session.objects.acount(), 1)
        other = SessionStore(session.session_key)
        await other.aset("b", 1)
        await other.asave()
        await session.aset("c", 2)
        await session.asave()
        self.assertEqual(await SessionStore(session.session_key).aget("b"), 1)
        await session.aflush()
        self.assertEqual(await Session.objects.acount(), 0)

    def test_copies_and_pickles_are_sessions(self) -> None:
        session = SessionStore(saved(a=1, cart=["tea"]))
        session["b"] = 2
        self.assertEqual(dict(copy.copy(session).items()), dict(session.items()))
        for copied in (copy.deepcopy(session), pickle.loads(pickle.dumps(session))):
            self.assertEqual(dict(copied.items()), {"a": 1, "cart": ["tea"], "b": 2})
            copied.add_int("count")
            copied.save()
        session["cart"].append("milk")
        session.save()
        self.assertEqual(read(session.session_key), {"a": 1, "cart": ["tea", "milk"], "b": 2, "count": 2})

    def test_what_cannot_be_verified_is_nobodys_and_stays(self) -> None:
        key = saved(a=1)
        row = Session.objects.get(pk=key)
        for text in (row.session_data[:-2] + "xx", "", "nonsense", "{}", row.session_data.replace(":", "_")):
            Session.objects.filter(pk=key).update(session_data=text)
            with self.assertLogs("django.security.SuspiciousSession", "WARNING") as logged:
                session = SessionStore(key)
                self.assertEqual((dict(session.items()), session.session_key), ({}, None))
            self.assertEqual(logged.output, ["WARNING:django.security.SuspiciousSession:Session data corrupted"])
            session["b"] = 2
            session.save()
            self.assertEqual(read(session.session_key), {"b": 2})
            self.assertEqual(Session.objects.get(pk=key).session_data, text)
            session.flush()
            with self.assertRaises(UpdateError):
                written = SessionStore(key)
                written._session_cache = {"c": 3}
                written._row = row.session_data
                written.save()
        Session.objects.filter(pk=key).update(session_data=SessionStore().encode({}))
        self.assertEqual(SessionStore(key).get("a"), None)
        empty = SessionStore(key)
        empty["d"] = 4
        empty.save()
        self.assertEqual((empty.session_key, read(key)), (key, {"d": 4}))

    @override_settings(SECRET_KEY="")
    def test_an_empty_key_is_djangos_error(self) -> None:
        from django.core.exceptions import ImproperlyConfigured

        with self.assertRaisesMessage(ImproperlyConfigured, "SECRET_KEY"):
            saved(a=1)
