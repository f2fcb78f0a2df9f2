"""No update is lost on Django's own connection, whatever database that is to."""

from __future__ import annotations

from unittest import mock, skipUnless

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models.signals import post_save, pre_delete
from django.test import TransactionTestCase
from tuile.django import SessionStore, rows as compared

from .sessions import in_thread, read, rows, saved, together

THREADS, TIMES = 8, 10


class Updates(TransactionTestCase):
    def test_changes_of_other_names_both_stay(self) -> None:
        key = saved(cart=["tea"], gone=1)
        one, two = SessionStore(key), SessionStore(key)
        one["cart"].append("milk")
        one.modified = True
        del two["gone"]
        two["theme"] = "dark"
        two.save()
        one.save()
        self.assertEqual(read(key), {"cart": ["tea", "milk"], "theme": "dark"})
        self.assertEqual(dict(one.items()), read(key))

    def test_a_second_save_takes_nothing_of_others_away(self) -> None:
        key = saved(a=1)
        one = SessionStore(key)
        one["b"] = 1
        one.save()
        in_thread(lambda: change(key, c=1))
        one["b"] = 2
        one.save()
        one["d"] = 4
        one.save()
        self.assertEqual(read(key), {"a": 1, "b": 2, "c": 1, "d": 4})

    def test_djangos_own_backend_loses_them(self) -> None:
        # The control: if this fails, the tests here prove nothing.
        key = saved(a=1)
        one, two = DjangosStore(key), DjangosStore(key)
        one["b"], two["c"] = 1, 1
        two.save()
        one.save()
        self.assertEqual(read(key), {"a": 1, "b": 1})

    def test_counters_and_lists_are_exact(self) -> None:
        key = saved()

        def add() -> None:
            for _ in range(TIMES):
                session = SessionStore(key)
                session.add_int("count")
                session.append("seen", 1)
                session.save()

        together([add] * THREADS)
        self.assertEqual(read(key), {"count": THREADS * TIMES, "seen": [1] * (THREADS * TIMES)})

    def test_counters_are_exact_where_the_database_cannot_compare(self) -> None:
        with mock.patch.object(compared, "can_compare", return_value=False):
            if connection.features.has_select_for_update:
                self.test_counters_and_lists_are_exact()
            self.test_changes_of_other_names_both_stay()
            Session.objects.all().delete()
            self.test_a_login_takes_along_what_others_saved_meanwhile()

    def test_a_sum_after_other_things_is_still_right(self) -> None:
        key = saved(count=10, n=1)
        one, two, three = SessionStore(key), SessionStore(key), SessionStore(key)
        self.assertEqual((one.add_int("count", 5), one.add_int("count", -2)), (15, 13))
        two["count"] = 100
        two.save()
        one.save()
        self.assertEqual(read(key)["count"], 103)
        three["count"] = 7
        three.add_int("count")
        three.append("new", "x")
        three.save()
        self.assertEqual(read(key), {"count": 8, "n": 1, "new": ["x"]})
        one.add_int("count")
        one.save()
        self.assertEqual(read(key)["count"], 9)

    def test_what_is_no_number_is_an_error(self) -> None:
        session = SessionStore(saved(a="x", big=(1 << 63) - 1))
        for call in (lambda: session.add_int("a"), lambda: session.append("a", 1)):
            with self.assertRaises(TypeError):
                call()
        with self.assertRaises(OverflowError):
            session.add_int("big")

    def test_a_logout_is_final(self) -> None:
        key = saved(a=1)
        slow, login = SessionStore(key), SessionStore(key)
        slow["a"], login["_auth_user_id"] = 2, "7"
        in_thread(lambda: SessionStore(key).flush())
        with self.assertRaises(UpdateError):
            slow.save()
        with self.assertRaises(SessionInterrupted):
            login.cycle_key()
        self.assertEqual(rows(), 0)

    def test_clear_drops_what_was_never_read(self) -> None:
        for after in ("save", "add_int", "set_expiry", "cycle_key", "load"):
            key = saved(cart=["tea"])
            session = SessionStore(key)
            if after == "load":
                session.get("cart")
                in_thread(lambda key=key: change(key, theme="dark"))
            session.clear()
            if after == "add_int":
                session.add_int("count")
            if after == "set_expiry":
                session.set_expiry(60)
            if after == "cycle_key":
                session.cycle_key()
            session.save()
            self.assertNotIn("cart", read(session.session_key), after)
            self.assertNotIn("theme", read(session.session_key), after)

    def test_a_login_takes_along_what_others_saved_meanwhile(self) -> None:
        key = saved(a=1, cart=["tea"])
        login = SessionStore(key)
        login["_auth_user_id"] = "7"
        login.add_int("visits")
        in_thread(lambda: change(key, b=2, visits=5))
        login.cycle_key()
        login.save()
        self.assertNotEqual(login.session_key, key)
        self.assertEqual(read(login.session_key), {"a": 1, "b": 2, "cart": ["tea"], "visits": 6, "_auth_user_id": "7"})
        self.assertEqual(rows(), 1)

    def test_signals_of_the_model_are_sent(self) -> None:
        seen: list[str] = []

        def told(*, signal: object, **_: object) -> None:
            seen.append("saved" if signal is post_save else "deleted")

        for signal in (post_save, pre_delete):
            signal.connect(told, sender=Session)
            self.addCleanup(signal.disconnect, told, sender=Session)
        key = saved(a=1)
        session = SessionStore(key)
        session["a"] = 2
        session.save()
        in_thread(lambda: change(key, b=1))
        session.cycle_key()
        self.assertEqual(read(session.session_key), {"a": 2, "b": 1})
        session.flush()
        self.assertEqual(seen.count("deleted"), 2)
        self.assertEqual(rows(), 0)

    @skipUnless(connection.features.has_select_for_update, "SQLite has one writer: Django's own backend fails there, too")
    def test_a_conflict_in_a_transaction_is_read_again(self) -> None:
        if connection.vendor == "mysql" and isolation() == "serializable":
            self.skipTest("what a transaction has read there nobody else may write")
        key = saved(a=1)
        with transaction.atomic():
            # Now: MariaDB 11.6 and later end the whole transaction at a conflict, and nothing can be asked then.
            level = isolation()
            session = SessionStore(key)
            session.add_int("count")
            session["mine"] = True
            in_thread(lambda: change(key, count=5, theirs=True))
            try:
                session.save()
            except UpdateError:
                # What Django's backend does there, too: the transaction as a whole can't go on.
                self.assertIn(level, ("repeatable read", "serializable"))
                return
        self.assertEqual(read(key), {"a": 1, "count": 6, "mine": True, "theirs": True})


def isolation() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation" if connection.vendor == "postgresql" else "SELECT @@tx_isolation")
        return str(cursor.fetchone()[0]).lower().replace("-", " ")


def change(key: str, **values: object) -> None:
    session = SessionStore(key)
    session.update(values)
    session.save()
