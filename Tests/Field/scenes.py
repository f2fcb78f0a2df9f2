"""What happens to the project: each scene is played before both engines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from polls.models import Choice, Question


def play(record: Any, browser: Any, *steps: Any) -> None:
    for step in steps:
        path, data = step if isinstance(step, tuple) else (step, None)
        record.add(path, browser.get(path) if data is None else browser.post(path, **data))


def polls(record: Any) -> None:
    question = Question.objects.create(question_text="Tea?", pub_date=timezone.now() - timedelta(days=1))
    for text in ("yes", "no"):
        Choice.objects.create(question=question, choice_text=text)
    browser = record.browser()
    play(record, browser, "/plain/", "/", f"/{question.pk}/", "/999/")
    for choice in (str(question.choice_set.first().pk), "999"):
        record.add(f"a vote for {choice}", browser.submit(f"/{question.pk}/vote/", choice=choice))
    play(record, browser, f"/{question.pk}/results/", (f"/{question.pk}/vote/", {"choice": "1"}))


def admin(record: Any) -> None:
    browser = record.browser()
    play(record, browser, "/admin/", "/count/")
    for password in ("wrong", "a long password"):
        record.add(f"{password}", browser.submit("/admin/login/", username="admin", password=password))
    play(record, browser, "/admin/", "/count/", "/admin/polls/question/")
    new = {"question_text": "Coffee?", "pub_date_0": "2026-01-01", "pub_date_1": "12:00:00", "choice_set-0-choice_text": "often", "choice_set-0-votes": "0"}
    record.add("a new question", browser.submit("/admin/polls/question/add/", **new))
    play(record, browser, "/admin/polls/question/")  # says so once
    play(record, browser, "/admin/polls/question/", "/admin/password_change/", "/look/")
    other = record.browser()
    record.add("another browser", other.submit("/admin/login/", username="admin", password="a long password"))
    change = {"old_password": "a long password", "new_password1": "a long password", "new_password2": "a long password"}
    record.add("the same password anew", browser.submit("/admin/password_change/", **change))
    play(record, browser, "/admin/", "/count/")
    play(record, other, "/admin/", "/count/")
    record.add("logout", browser.submit("/admin/logout/"))
    play(record, browser, "/admin/", "/count/")


def accounts(record: Any) -> None:
    for name, then in (("ada", ""), ("ada", ""), ("eve", "fail"), ("eve", "refuse"), ("eve", "undo"), ("eve", "")):
        browser = record.browser()
        play(record, browser, ("/signup/", {"name": name, "then": then}), "/count/", "/look/", "/admin/")
    browser = record.browser()
    play(record, browser, "/count/", ("/signup/", {"name": "grace", "then": ""}), "/count/", "/act/password/", "/count/")
    record.add("a login", record.browser().submit("/accounts/login/?next=/count/", username="grace", password="another long password"))


def errors(record: Any) -> None:
    for status in ("", "?status=500", "?status=503", "?status=404", "?status=200"):
        fresh, known = record.browser(), record.browser()
        play(record, fresh, f"/error/{status}", "/look/")
        play(record, known, "/count/", f"/error/{status}", "/look/")
    browser = record.browser()
    play(record, browser, "/caught/", "/count/", "/caught/", "/look/")
    play(record, browser, "/act/delete/", "/act/delete/", "/act/unserializable/", "/look/")


def acts(record: Any) -> None:
    browser = record.browser()
    for what in ("clear", "clear-and-set", "cycle", "test", "nested", "save"):
        play(record, browser, "/count/", f"/act/{what}/", f"/act/{what}/", "/look/")
    for seconds in ("60", "0", "-1", "1800.0", "none", "99999999"):
        play(record, browser, f"/act/expire/?seconds={seconds}", "/look/", "/act/save/")
    play(record, browser, "/act/flush/", "/look/", "/act/flush/", "/count/", "/act/flush/")
    if connection.features.has_select_for_update:
        play(record, browser, "/lock/", "/lock/", "/look/")


def odd_cookies(record: Any) -> None:
    browser = record.browser()
    for key in ("unknownunknownunknown", "x", "../../../etc/passwd", "ÄÖÜ".encode().decode("latin-1") * 8, "a" * 500, '"quoted quoted"', "A1B2C3D4E5F6"):
        for path in ("/plain/", "/look/", "/act/save/"):
            browser.cookies = {"sessionid": key}
            play(record, browser, path)


def expired(record: Any) -> None:
    browser = record.browser()
    play(record, browser, "/count/")
    Session.objects.filter(pk=browser.cookies["sessionid"]).update(expire_date=timezone.now() - timedelta(days=1))
    play(record, browser, "/look/", "/count/")
    call_command("clearsessions")
    record.add("clearsessions")
    gone = record.browser()
    play(record, gone, "/count/")
    Session.objects.all().delete()
    play(record, gone, "/look/", "/count/")
    User.objects.filter(username="ada").delete()
    record.add("a user is deleted")


SCENES = [polls, admin, accounts, errors, acts, odd_cookies, expired]
