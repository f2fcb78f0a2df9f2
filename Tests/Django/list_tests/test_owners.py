"""A user's sessions are listed by themselves, and can be ended: on Django's connection and in stores of the library's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock, skipIf

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import Client, TestCase, override_settings
from tuile.django import SessionStore, lists, owners
from tuile.django.configuration import names_a_store

IN_A_STORE = names_a_store()


class Owners(TestCase):
    def setUp(self) -> None:
        self.ada, self.eve = (User.objects.create_user(name, password="old") for name in ("ada", "eve"))
        self.addCleanup(owners.revoke_all, self.ada)
        self.addCleanup(owners.revoke_all, self.eve)

    def browser(self, user: User, agent: str = "Firefox", address: str = "192.0.2.7") -> Client:
        client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
        self.assertEqual(client.get("/login", {"name": user.username}).status_code, 200)
        return client

    def agents(self, user: Any) -> list[str]:
        return sorted(one.user_agent for one in owners.sessions(user))

    def test_a_login_is_listed_and_a_logout_is_not(self) -> None:
        client = self.browser(self.ada)
        client.get("/visit")
        (found,) = owners.sessions(self.ada)
        self.assertEqual((found.user_agent, found.address, found.current), ("Firefox", "192.0.2.7", False))
        now = datetime.now(timezone.utc)
        for date, expected in ((found.created, now), (found.seen, now), (found.expires, now + timedelta(days=14))):
            self.assertLess(abs(date - expected), timedelta(seconds=60))
        self.assertEqual(owners.sessions(str(self.ada.pk)), [found])
        self.assertEqual(owners.sessions(self.eve), [])
        self.assertNotIn(client.session.session_key, repr(found))
        client.logout()
        self.assertEqual(owners.sessions(self.ada), [])

    def test_the_signal_alone_says_where_a_login_came_from(self) -> None:
        without = [name for name in settings.MIDDLEWARE if "Client" not in name]
        with override_settings(MIDDLEWARE=without):
            answer = Client(headers={"User-Agent": "curl/8"}, REMOTE_ADDR="::1").post(
                "/admin/login/", {"username": "root", "password": "x", "next": "/page"}
            )
            self.assertEqual(answer.status_code, 200)
            User.objects.create_superuser("root", password="x")
            answer = Client(headers={"User-Agent": "curl/8"}, REMOTE_ADDR="::1").post(
                "/admin/login/", {"username": "root", "password": "x", "next": "/page"}
            )
            self.assertEqual(answer.status_code, 302)
        root = User.objects.get(username="root")
        (found,) = owners.sessions(root)
        self.assertEqual((found.user_agent, found.address), ("curl/8", "::1"))
        owners.revoke_all(root)

    def test_a_new_key_keeps_the_entry_and_its_age(self) -> None:
        client = self.browser(self.ada)
        session = client.session
        (before,) = owners.sessions(self.ada)
        with mock.patch("tuile.django.lists.time.time", return_value=before.created.timestamp() + 100):
            session.cycle_key()
            session.save()
        (after,) = owners.sessions(self.ada)
        self.assertNotEqual(before.id, after.id)
        self.assertEqual((after.created, after.user_agent), (before.created, "Firefox"))

    def test_one_is_revoked(self) -> None:
        one, two = self.browser(self.ada, "Firefox"), self.browser(self.ada, "Chrome")
        found = {listed.user_agent: listed.id for listed in owners.sessions(self.ada)}
        self.assertFalse(owners.revoke(self.eve, found["Firefox"]))
        self.assertFalse(owners.revoke(self.ada, "0" * 32))
        self.assertTrue(owners.revoke(self.ada, found["Firefox"]))
        self.assertFalse(owners.revoke(self.ada, found["Firefox"]))
        self.assertEqual(self.agents(self.ada), ["Chrome"])
        self.assertEqual([client.get("/page").content for client in (one, two)], [b"AnonymousUser", b"ada"])

    def test_a_request_under_way_does_not_bring_it_back(self) -> None:
        client = self.browser(self.ada)
        session = SessionStore(client.session.session_key)
        session["visits"] = 1
        self.assertEqual(owners.revoke_all(self.ada), 1)
        from django.contrib.sessions.backends.base import UpdateError

        with self.assertRaises(UpdateError):
            session.save()
        self.assertEqual(client.get("/page").content, b"AnonymousUser")
        self.assertEqual(owners.sessions(self.ada), [])

    def test_a_new_password_ends_all_others(self) -> None:
        one, others = self.browser(self.ada, "mine"), [self.browser(self.ada, f"other{n}") for n in range(3)]
        self.browser(self.eve, "eve's")
        self.assertEqual(one.get("/password").content, b"3")
        self.assertEqual(self.agents(self.ada), ["mine"])
        self.assertEqual(one.get("/page").content, b"ada")
        self.assertEqual([client.get("/page").content for client in others], [b"AnonymousUser"] * 3)
        self.assertEqual(self.agents(self.eve), ["eve's"])

    def test_this_one_is_marked_and_the_list_is_in_order(self) -> None:
        one = self.browser(self.ada, "one")
        self.browser(self.ada, "two")
        self.assertEqual(sorted(one.get("/mine").content.decode().split()), ["one*", "two"])
        dates = [found.seen for found in owners.sessions(self.ada)]
        self.assertEqual(dates, sorted(dates, reverse=True))

    def test_an_owner_of_the_applications_own(self) -> None:
        session = SessionStore()
        self.assertIsNone(session.owner)
        session.owner = "team blue"
        session.save()
        self.addCleanup(owners.revoke_all, "team blue")
        self.assertEqual((SessionStore(session.session_key).owner, len(owners.sessions("team blue"))), ("team blue", 1))
        again = SessionStore(session.session_key)
        again.owner = self.ada
        again.save()
        self.assertEqual((len(owners.sessions("team blue")), len(owners.sessions(self.ada))), (0, 1))
        again = SessionStore(session.session_key)
        again.owner = None
        again.save()
        self.assertEqual((again.owner, owners.sessions(self.ada)), (None, []))
        self.assertTrue(session.exists(session.session_key))
        for owner in ("", "a" * 256, "a\0b", 7, object(), "\ud800"):
            with self.assertRaises(ValueError, msg=repr(owner)):
                session.owner = owner

    async def test_async(self) -> None:
        session = SessionStore()
        await session.aset_owner("blue")
        await session.asave()
        self.assertEqual((await session.aget_owner(), len(await owners.asessions("blue", session))), ("blue", 1))
        self.assertEqual(await owners.arevoke_all("blue", keep=session), 0)
        self.assertEqual(await owners.arevoke("blue", lists.id_of(session.session_key)), True)
        again = SessionStore()
        await again.aset_owner("blue")
        await again.asave()
        await again.aflush()
        self.assertEqual(await owners.asessions("blue"), [])

    def test_what_clients_say_is_made_plain(self) -> None:
        client = self.browser(self.ada, 'ü"\\\n\x7f' + "x" * 300, "y" * 100)
        client.get("/visit")
        (found,) = owners.sessions(self.ada)
        self.assertTrue(found.user_agent.isascii() and found.user_agent.isprintable())
        self.assertEqual((len(found.user_agent), found.address), (256, "y" * 64))

    def test_no_more_than_max_owned(self) -> None:
        with override_settings(TUILE_OPTIONS={"max_owned": 2}):
            if IN_A_STORE:
                return  # Another manager; the library's own tests have it.
            clients = []
            for number in range(4):
                with mock.patch("tuile.django.lists.time.time", return_value=1_700_000_000 + number):
                    clients.append(self.browser(self.ada, str(number)))
            self.assertEqual(self.agents(self.ada), ["2", "3"])
            self.assertEqual([client.get("/page").content for client in clients[1:3]], [b"AnonymousUser", b"ada"])

    def test_without_track_owners_a_login_is_not_listed(self) -> None:
        with override_settings(TUILE_OPTIONS={"track_owners": False}):
            self.browser(self.ada)
            self.assertEqual(owners.sessions(self.ada), [])
            session = SessionStore()
            session.owner = "blue"
            session.save()
            self.assertEqual(len(owners.sessions("blue")), 1)
            owners.revoke_all("blue")


@skipIf(IN_A_STORE, "of Django's connection")
class OnDjangosConnection(TestCase):
    def setUp(self) -> None:
        self.ada = User.objects.create_user("ada", password="old")

    def entries(self) -> Any:
        return lists.entries("default")

    def test_the_table_is_the_librarys(self) -> None:
        client = Client(headers={"User-Agent": 'A "quoted\\ one'}, REMOTE_ADDR="192.0.2.7")
        with mock.patch("tuile.django.lists.time.time", return_value=1_700_000_000.5):
            client.get("/login", {"name": "ada"})
        entry = self.entries().get()
        self.assertEqual((entry.pk, entry.owner), (client.session.session_key, str(self.ada.pk)))
        self.assertEqual(
            entry.record,
            '{"created":1700000000,"seen":1700000000,"agent":"A \\"quoted\\\\ one","address":"192.0.2.7"}',
        )

    def test_a_page_that_reads_renews_the_entry_once_a_minute(self) -> None:
        client = Client(headers={"User-Agent": "old"})
        client.get("/login", {"name": "ada"})
        client.defaults["HTTP_USER_AGENT"] = "new"
        now = datetime.now(timezone.utc).timestamp()
        # In a transaction nothing is taken for written.
        with mock.patch("tuile.django.lists.is_fresh", return_value=True):
            client.get("/page")
            self.assertEqual(owners.sessions(self.ada)[0].user_agent, "old")
        with mock.patch("tuile.django.lists.time.time", return_value=now + 100):
            client.get("/static")
            self.assertEqual(owners.sessions(self.ada)[0].user_agent, "old")
            client.get("/page")
        (found,) = owners.sessions(self.ada)
        self.assertEqual((found.user_agent, int(found.seen.timestamp())), ("new", int(now + 100)))
        self.assertLess(found.created, found.seen)

    def test_a_rollback_takes_the_entry_along(self) -> None:
        session = SessionStore()
        with transaction.atomic():
            session.owner = "blue"
            session.save()
            self.assertEqual(self.entries().count(), 1)
            transaction.set_rollback(True)
        self.assertEqual(self.entries().count(), 0)

    def test_what_a_record_says_may_be_anything(self) -> None:
        session = SessionStore()
        session.owner = "blue"
        session.save()
        for record in ("", "null", "[]", "{", '{"created":"x","seen":1e99,"agent":7}', json.dumps({"seen": 1 << 70, "address": "\n"})):
            self.entries().update(record=record)
            (found,) = owners.sessions("blue")
            self.assertEqual(found.user_agent, "")
        self.entries().update(record='{"created":1,"seen":2}')
        session["a"] = 1
        session.save()
        self.assertEqual(owners.sessions("blue")[0].created.timestamp(), 1)

    def test_entries_of_sessions_that_are_gone_are_swept(self) -> None:
        sessions = [SessionStore() for _ in range(3)]
        for session in sessions:
            session.owner = "blue"
            session.save()
        sessions[0].model.objects.filter(pk=sessions[0].session_key).delete()
        sessions[1].set_expiry(-1)
        sessions[1].save()
        self.assertEqual((self.entries().count(), len(owners.sessions("blue"))), (3, 1))
        SessionStore.clear_expired()
        self.assertEqual(self.entries().get().pk, sessions[2].session_key)

    def test_clear_takes_the_owner_off(self) -> None:
        session = SessionStore()
        session.owner = "blue"
        session.save()
        session.clear()
        session.save()
        self.assertEqual((owners.sessions("blue"), self.entries().count()), ([], 0))

    def test_no_migration_is_missing(self) -> None:
        from django.core.management import call_command

        call_command("makemigrations", "--check", "--dry-run", verbosity=0)

    def test_without_the_application_an_owner_is_an_error(self) -> None:
        with mock.patch.object(lists, "LABEL", "not_installed"):
            session = SessionStore()
            with self.assertRaisesMessage(ImproperlyConfigured, "tuile.django.sessions"):
                session.owner = "blue"
            for call in (owners.sessions, owners.revoke_all):
                with self.assertRaisesMessage(ImproperlyConfigured, "tuile.django.sessions"):
                    call(self.ada)
            Client().force_login(self.ada)
        self.assertEqual(self.entries().count(), 0)
