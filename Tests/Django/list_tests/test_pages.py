"""The page of a user's devices, and the admin's of all live sessions."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client, TestCase, override_settings
from tuile.django import lists, owners
from tuile.django.configuration import names_a_store
from tuile.django.sessions.browsers import described

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"


class Pages(TestCase):
    def setUp(self) -> None:
        self.ada, self.eve = (User.objects.create_user(name) for name in ("ada", "eve"))
        self.root = User.objects.create_superuser("root")
        for user in (self.ada, self.eve, self.root):
            self.addCleanup(owners.revoke_all, user)

    def browser(self, name: str, agent: str = FIREFOX, **settings: Any) -> Client:
        client = Client(headers={"User-Agent": agent}, **settings)
        self.assertEqual(client.get("/login", {"name": name}).status_code, 200)
        return client

    def id(self, user: User, agent: str) -> str:
        return next(found.id for found in owners.sessions(user) if found.user_agent == agent)

    # -- devices

    def test_devices_are_listed_this_one_first(self) -> None:
        self.browser("ada", CHROME)
        client = self.browser("ada")
        self.browser("ada", IPHONE)
        self.browser("eve", "curl/8.14")
        answer = client.get("/devices/")
        page = answer.content.decode()
        names = re.findall(r"<strong[^>]*>(.*?)</strong>", page)
        self.assertEqual((names[0], sorted(names[1:])), ("Firefox on Linux", ["Chrome on Windows", "Safari on iPhone"]))
        self.assertEqual((page.count("this device"), page.count('name="end"'), page.count("end_others")), (1, 2, 1))
        self.assertIn("no-store", answer["Cache-Control"])
        self.assertNotIn(client.session.session_key, page)

    def test_nobody_who_is_not_logged_in(self) -> None:
        self.assertRedirects(Client().get("/devices/"), "/admin/login/?next=/devices/")
        self.assertEqual(Client().post("/devices/", {"end_others": "1"}).status_code, 302)

    def test_one_ends_one_of_ones_own_alone(self) -> None:
        other, client, eve = self.browser("ada", CHROME), self.browser("ada"), self.browser("eve", CHROME)
        answer = client.post("/devices/", {"end": self.id(self.eve, CHROME)}, follow=True)
        self.assertContains(answer, "had ended already")
        self.assertEqual(eve.get("/page").content, b"eve")
        self.assertContains(client.post("/devices/", {"end": self.id(self.ada, CHROME)}, follow=True), "The session was ended")
        self.assertEqual((other.get("/page").content, client.get("/page").content), (b"AnonymousUser", b"ada"))
        for posted in ({}, {"end": ""}, {"end": "nonsense"}, {"end": "\0"}, {"owner": str(self.eve.pk), "id": self.id(self.eve, CHROME)}):
            self.assertContains(client.post("/devices/", posted, follow=True), "had ended already")
        self.assertEqual(eve.get("/page").content, b"eve")

    def test_all_others(self) -> None:
        clients = [self.browser("ada", agent) for agent in (CHROME, IPHONE, FIREFOX)]
        self.assertContains(clients[2].post("/devices/", {"end_others": "1"}, follow=True), "2 other sessions were ended")
        self.assertEqual([client.get("/page").content for client in clients], [b"AnonymousUser", b"AnonymousUser", b"ada"])

    def test_this_one_is_a_logout(self) -> None:
        client = self.browser("ada")
        answer = client.post("/devices/", {"end": self.id(self.ada, FIREFOX)})
        self.assertEqual((answer.status_code, client.get("/page").content), (302, b"AnonymousUser"))
        self.assertEqual(owners.sessions(self.ada), [])

    def test_a_get_ends_nothing_and_a_post_needs_a_token(self) -> None:
        other, client = self.browser("ada", CHROME), self.browser("ada", enforce_csrf_checks=True)
        for data in ({"end": self.id(self.ada, CHROME)}, {"end_others": "1"}):
            self.assertEqual(client.get("/devices/", data).status_code, 200)
            self.assertEqual(client.post("/devices/", data).status_code, 403)
            self.assertEqual(client.put("/devices/", data).status_code, 403)
        self.assertEqual(other.get("/page").content, b"ada")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/devices/").content.decode())
        assert token
        client.post("/devices/", {"end_others": "1", "csrfmiddlewaretoken": token[1]})
        self.assertEqual(other.get("/page").content, b"AnonymousUser")

    def test_what_clients_say_is_no_markup(self) -> None:
        client = self.browser("ada", '<script>alert("1")</script>" onmouseover="x')
        page = client.get("/devices/").content.decode()
        self.assertNotIn("<script", page)
        self.assertNotIn('onmouseover="x', page)

    # -- the admin

    ADMIN = "/admin/tuile_sessions/listedsession/"

    def test_the_admin_shows_whose(self) -> None:
        client, other = self.browser("root"), self.browser("ada", IPHONE, REMOTE_ADDR="192.0.2.9")
        answer = client.get(self.ADMIN, {"q": "ad"})
        page = answer.content.decode()
        for text in ("ada", "Safari on iPhone", "192.0.2.9", f"/admin/auth/user/{self.ada.pk}/change/"):
            self.assertIn(text, page)
        self.assertNotIn(other.session.session_key, page)
        self.assertNotIn(client.session.session_key, client.get(self.ADMIN).content.decode())
        self.assertContains(client.get("/admin/"), self.ADMIN)
        if names_a_store():
            self.assertContains(client.get(self.ADMIN), "Say whose")
        else:
            self.assertEqual(client.get(self.ADMIN).content.decode().count("Safari on iPhone"), 1)
        for query in ("nobody", "\0", "x" * 300, "ü", "%"):
            self.assertEqual(client.get(self.ADMIN, {"q": query, "p": "9" * 20}).status_code, 200, query)

    def test_the_admin_ends_one(self) -> None:
        client, other = self.browser("root"), self.browser("ada", IPHONE)
        id = self.id(self.ada, IPHONE)
        answer = client.post(self.ADMIN, {"owner": str(self.ada.pk), "id": id}, follow=True)
        self.assertContains(answer, "The session was ended")
        self.assertEqual(other.get("/page").content, b"AnonymousUser")
        for posted in ({"owner": str(self.ada.pk), "id": id}, {}, {"owner": "\0", "id": "\0"}, {"owner": "x" * 300, "id": id}):
            self.assertContains(client.post(self.ADMIN, posted, follow=True), "had ended already")
        entry = LogEntry.objects.get()
        self.assertEqual((entry.object_repr, entry.object_id, entry.user), ("ada", id, self.root))
        self.assertEqual(client.post(self.ADMIN, {"owner": str(self.root.pk), "id": self.id(self.root, FIREFOX)}).status_code, 302)
        self.assertEqual(client.get("/page").content, b"AnonymousUser")

    def test_the_admin_asks_for_permission_and_a_token(self) -> None:
        other = self.browser("ada", IPHONE)
        posted = {"owner": str(self.ada.pk), "id": self.id(self.ada, IPHONE)}
        staff = User.objects.create_user("staff", is_staff=True)
        self.addCleanup(owners.revoke_all, staff)
        client = self.browser("staff")
        self.assertEqual([client.get(self.ADMIN).status_code, client.post(self.ADMIN, posted).status_code], [403, 403])
        staff.user_permissions.add(Permission.objects.get(codename="view_listedsession"))
        page = client.get(self.ADMIN, {"q": "ada"})
        self.assertEqual((page.status_code, page.content.count(b'value="End"')), (200, 0))
        self.assertEqual(client.post(self.ADMIN, posted).status_code, 403)
        strict = self.browser("root", enforce_csrf_checks=True)
        self.assertEqual(strict.post(self.ADMIN, posted).status_code, 403)
        self.assertEqual(self.browser("eve").get(self.ADMIN).status_code, 302)
        self.assertEqual(other.get("/page").content, b"ada")
        staff.user_permissions.add(Permission.objects.get(codename="delete_listedsession"))
        self.assertEqual(client.post(self.ADMIN, posted).status_code, 302)
        self.assertEqual(other.get("/page").content, b"AnonymousUser")

    def test_no_address_has_a_key_in_it(self) -> None:
        client = self.browser("root")
        key = client.session.session_key
        for path in (f"{key}/change/", f"{key}/delete/", f"{key}/history/", f"{key}/", "add/"):
            self.assertEqual(client.get(self.ADMIN + path).status_code, 404, path)

    def test_pages_of_the_latest(self) -> None:
        if names_a_store():
            return
        for number in range(5):
            self.browser("ada", f"agent{number}/1")
            entry = lists.entries("default").get(record__contains=f"agent{number}/1")
            entry.record = re.sub('"seen":\\d+', f'"seen":{1_700_000_000 + number}', entry.record)
            entry.save()
        from tuile.django import SessionStore

        agents = []
        for start in (0, 2, 4):
            found, more = lists.latest(SessionStore.get_model_class(), start, 2, None)
            agents.append(([one.user_agent for _, one in found], more))
        self.assertEqual(agents, [(["agent4/1", "agent3/1"], True), (["agent2/1", "agent1/1"], True), (["agent0/1"], False)])
        with override_settings(USE_TZ=False):
            self.assertEqual(self.browser("root").get(self.ADMIN).status_code, 200)

    def test_an_owner_that_is_no_user(self) -> None:
        from tuile.django import SessionStore

        session = SessionStore()
        session.owner = "team blue"
        session.save()
        self.addCleanup(owners.revoke_all, "team blue")
        self.assertContains(self.browser("root").get(self.ADMIN, {"q": "team blue"}), "<th>team blue</th>")


class Words(TestCase):
    def test_browsers_in_words(self) -> None:
        edge = CHROME + " Edg/140.0.0.0"
        said = {FIREFOX: "Firefox on Linux", CHROME: "Chrome on Windows", IPHONE: "Safari on iPhone", edge: "Edge on Windows",
                "curl/8.14": "curl", "": "", "PostmanRuntime": "PostmanRuntime"}  # fmt: skip
        self.assertEqual({agent: described(agent) for agent in said}, said)
