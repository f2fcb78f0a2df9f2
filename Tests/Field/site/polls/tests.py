"""The tutorial's tests, and what projects test of sessions."""

import datetime
from urllib.request import urlopen

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.test import LiveServerTestCase, TestCase, TransactionTestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from .models import Question


def create_question(question_text, days):
    time = timezone.now() + datetime.timedelta(days=days)
    return Question.objects.create(question_text=question_text, pub_date=time)


class QuestionIndexViewTests(TestCase):
    def test_no_questions(self):
        response = self.client.get(reverse("polls:index"))
        self.assertContains(response, "No polls are available.")

    def test_future_question_and_past_question(self):
        question = create_question("Past question.", days=-30)
        create_question("Future question.", days=30)
        response = self.client.get(reverse("polls:index"))
        self.assertQuerySetEqual(response.context["latest_question_list"], [question])


class SessionTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = User.objects.create_superuser("ada", password="a long password")

    def test_login_and_logout(self):
        self.assertFalse(self.client.login(username="ada", password="wrong"))
        self.assertTrue(self.client.login(username="ada", password="a long password"))
        self.assertEqual(self.client.get("/admin/").status_code, 200)
        self.assertEqual(Session.objects.count(), 1)
        self.client.logout()
        self.assertEqual(Session.objects.count(), 0)
        self.assertEqual(self.client.get("/admin/").status_code, 302)

    def test_force_login_and_session(self):
        self.client.force_login(self.user)
        session = self.client.session
        session["count"] = 5
        session.save()
        self.assertEqual(self.client.get("/count/").content, b"ada 6")
        self.assertEqual(self.client.session["count"], 6)

    def test_queries_of_a_page(self):
        self.client.force_login(self.user)
        with self.assertNumQueries(7):
            # Session and user within a savepoint, and the session saved within one of its own.
            self.client.get("/count/")
        with self.assertNumQueries(2):
            self.client.get("/plain/")

    def test_commit_hooks(self):
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            self.client.force_login(self.user)
        self.assertEqual(len(callbacks), 0)

    @override_settings(SECRET_KEY="")
    def test_without_a_key(self):
        with self.assertRaises(ImproperlyConfigured):
            self.client.force_login(self.user)

    @override_settings(SESSION_COOKIE_NAME="other", SESSION_SAVE_EVERY_REQUEST=True)
    def test_other_settings(self):
        self.client.force_login(self.user)
        self.assertIn("other", self.client.get("/").cookies)

    async def test_async(self):
        await self.async_client.aforce_login(self.user)
        self.assertEqual((await self.async_client.get("/count/")).content, b"ada 1")
        session = await self.async_client.asession()
        self.assertEqual(await session.aget("count"), 1)


class TransactionTests(TransactionTestCase):
    def test_signup(self):
        self.assertEqual(self.client.post("/signup/", {"name": "eve"}).status_code, 302)
        self.assertEqual((User.objects.count(), Session.objects.count()), (1, 1))
        with self.assertRaises(ZeroDivisionError):
            self.client_class().post("/signup/", {"name": "mallory", "then": "fail"})
        self.assertEqual((User.objects.count(), Session.objects.count()), (1, 1))


class LiveTests(LiveServerTestCase):
    def test_pages(self):
        with urlopen(f"{self.live_server_url}/count/") as answer:
            cookie = answer.headers["Set-Cookie"]
        self.assertIn("sessionid=", cookie)
        key = cookie.partition("=")[2].partition(";")[0]
        self.assertEqual(Session.objects.get(pk=key).get_decoded(), {"count": 1})
