"""Django saves a session while it is bound or refreshed: nothing is lost, and nothing gets unbound."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from conftest import _django
from people import ENDPOINT, LIFE, Clock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings/python/tests"))

from test_device_bound import Browser  # noqa: E402


@pytest.fixture
def browser(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """At Django's own table, logged in and offered."""
    clock.ahead = 0
    monkeypatch.setattr(Browser, "endpoint", ENDPOINT, raising=False)
    with ExitStack() as stack:
        yield Browser(_django(stack, clock, TUILE_OPTIONS={"device_bound": True, "device_path": ENDPOINT, "device_seconds": LIFE}))


def log_in(browser: Browser) -> Any:
    return browser.ask("/login?user=anna")[1]


def kinds() -> tuple[Any, Any]:
    from django.contrib.sessions.backends.db import SessionStore as Plain
    from tuile.django import SessionStore

    return SessionStore, Plain


def test_a_request_under_way_while_the_session_is_bound_loses_nothing(browser: Browser) -> None:
    Store, _ = kinds()
    offer = log_in(browser)
    before = browser.cookies["sessionid"]
    slow = Store(before)
    assert slow["_auth_user_id"]
    browser.register(offer)
    bound = browser.cookies["sessionid"]
    assert bound != before
    slow["late"] = 1
    slow.save()
    assert slow.session_key == bound and Store(bound)["late"] == 1
    # One that comes with the old cookie, within the grace.
    later = Store(before)
    later["later"] = 2
    later.save()
    assert {name: Store(bound)[name] for name in ("late", "later")} == {"late": 1, "later": 2}


def test_an_async_view_with_the_old_cookie_goes_on_in_the_bound_session(browser: Browser) -> None:
    Store, _ = kinds()
    offer = log_in(browser)
    before = browser.cookies["sessionid"]
    browser.register(offer)

    async def late() -> Any:
        session = Store(before)
        await session.aset("late", 1)
        await session.asave()
        return session.session_key

    bound = browser.cookies["sessionid"]
    assert async_to_sync(late)() == bound != before
    assert Store(bound)["late"] == 1


def test_counters_are_exact_while_the_session_is_bound_and_refreshed(browser: Browser) -> None:
    Store, _ = kinds()
    offer = log_in(browser)
    before = browser.cookies["sessionid"]
    start, problems = threading.Barrier(3), list[BaseException]()

    def count() -> None:
        from django.db import connections

        try:
            mine = Store(before)
            mine.load()
            start.wait(60)
            for _ in range(10):
                mine.add_int("count")
                mine.save()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    start.wait(60)
    browser.register(offer)
    assert browser.refresh() == 200
    for thread in threads:
        thread.join()
    assert problems == []
    assert Store(browser.cookies["sessionid"])["count"] == 20


def test_a_framework_that_saves_whatever_happened_unbinds_nothing(browser: Browser, clock: Clock) -> None:
    Store, Plain = kinds()
    offer = log_in(browser)
    before = browser.cookies["sessionid"]
    last_writer = Plain(before)
    last_writer["late"] = 1
    browser.register(offer)
    last_writer.save()
    # That copy ends with the first refresh after the grace.
    clock.ahead += 60
    assert browser.refresh() == 200
    assert not Plain(before).exists(before)
    thief = Browser(browser.application)
    thief.cookies = {"sessionid": before}
    assert b"anna" not in thief.ask("/page")[2]
    assert b"anna" in browser.ask("/page")[2]


def test_a_new_key_of_a_bound_session_is_bound(browser: Browser) -> None:
    browser.register(log_in(browser))
    bound = browser.cookies["sessionid"]
    assert b"anna" in browser.ask("/cycle")[2]
    assert browser.cookies["sessionid"] != bound and len(browser.cookies["sessionid"]) == 40
    assert browser.refresh() == 200 and b"anna" in browser.ask("/page")[2]
    # A logout, and another login: nothing of it is left.
    browser.ask("/logout")
    assert not any(name.endswith("-bound") for name in browser.cookies) and "sessionid" not in browser.cookies
    log_in(browser)
    assert len(browser.cookies["sessionid"]) == 32


def test_the_admin_s_login_is_bound_too(browser: Browser) -> None:
    import re

    _, _, page = browser.ask("/admin/login/")
    token = re.search(b'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    status, headers, _ = browser.ask("/admin/login/", "POST", form={"username": "anna", "password": "secret", "csrfmiddlewaretoken": token[1].decode(), "next": "/admin/"})
    assert status == 302
    browser.register(headers)
    assert browser.ask("/admin/")[0] == 200
    thief = Browser(browser.application)
    thief.cookies = {name: value for name, value in browser.cookies.items() if not name.endswith("-bound")}
    assert thief.ask("/admin/")[0] == 401
