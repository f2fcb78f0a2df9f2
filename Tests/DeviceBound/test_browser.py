"""What the browser does by itself: a restart, its quota of signatures, a refresh before the cookie ends, a session of another tab."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bound_browser import BoundBrowser, BoundPage, find_chromium
from people import ENDPOINT, LIFE, Clock, Thief, User, endpoint
from plain_site import wsgi
from secure import Closed, Secure, pin

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no chromium on the PATH, nor in $CHROMIUM")
SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"


@pytest.fixture
def life() -> int:
    return LIFE


@pytest.fixture
def site(file: Path, clock: Clock, life: int) -> Iterator[Secure]:
    clock.ahead = 0
    application, manager = wsgi(
        store="memory:", secret=SECRET, cookie_secure=True, track_owners=True, clock=clock, device_bound=True, device_path=ENDPOINT, device_seconds=life
    )
    with Secure(application, file, "c.test") as site:
        yield site
    manager.close()


def known(user: User) -> User:
    """Once the page's icon was asked for."""
    user.open("/public")
    user.site.wait_for("/favicon.ico")
    user.site.forget()
    return user


def is_refresh(exchange: Any) -> bool:
    return exchange.path == ENDPOINT and exchange.sent("Sec-Secure-Session-Id") is not None


def test_a_restart_of_the_browser_keeps_the_key(site: Secure, clock: Clock, file: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    with BoundBrowser(profile, pin(file)) as browser:
        user = known(User(browser, site, clock))
        user.log_in()
        assert user.read("/count")["count"] == 1
        thief = Thief(user)
        user.expire()
    with BoundBrowser(profile, pin(file)) as browser:
        user = User(browser, site, clock)
        assert "sessionid" in user.cookies(), "it is to live on: it has an age"
        site.forget()
        user.open("/public")
        assert user.read("/count") == {"user": "anna", "count": 2}
        assert any(is_refresh(one) and one.status == 200 for one in site.exchanges), "by a refresh, with the key of before"
        thief.is_nobody()


def test_after_a_restart_without_a_session_cookie_the_key_opens_nothing(site: Secure, clock: Clock, file: Path, tmp_path: Path) -> None:
    """A session until the browser closes: the browser is told to forget the key, and its user logs in again."""
    profile = tmp_path / "profile"
    with BoundBrowser(profile, pin(file)) as browser:
        user = known(User(browser, site, clock))
        user.log_in()
        user.expire()
        browser.call("Network.deleteCookies", user.page.session, name="sessionid", url=site.url("/"))
    with BoundBrowser(profile, pin(file)) as browser:
        user = User(browser, site, clock)
        user.open("/public")
        assert user.read("/page") == {"user": "", "count": 0}
        user.log_in("otto")
        user.expire()
        assert user.read("/page")["user"] == "otto"


def test_over_the_quota_a_page_is_refused_and_nothing_is_lost(site: Secure, clock: Clock, file: Path, tmp_path: Path) -> None:
    """Chromium signs six times in nine minutes for a site, registrations among them, and says then why it does not."""
    with BoundBrowser(tmp_path / "profile", pin(file), quota=True) as browser:
        user = known(User(browser, site, clock))
        user.log_in()
        for signed in range(1, 12):
            user.expire()
            site.forget()
            if (found := user.read("/page")) == 401:
                break
            assert found["user"] == "anna"
        assert 2 <= signed < 11, "there is a quota, and it is not used up by one refresh"
        (refused,) = site.seen("/page")
        assert (refused.sent("Secure-Session-Skipped") or "").startswith("quota_exceeded") and not refused.all("Set-Cookie")
        assert user.fetch("/page") == 401 and "sessionid" in user.cookies()
        assert Thief(user).user() == "", "what the browser says of itself opens nothing"


class TestALifeUnderTwoMinutes:
    @pytest.fixture
    def life(self) -> int:
        return 100

    def test_a_request_starts_a_refresh_beside_it(self, user: User, clock: Clock) -> None:
        user.log_in()
        before = user.cookies()[user.bound_cookie()]
        clock.ahead += 1  # another time in the cookie
        assert user.read("/page")["user"] == "anna"
        (page,) = user.site.seen("/page")
        assert page.cookies[user.bound_cookie()] == before, "it does not wait"
        user.site.wait_for(ENDPOINT, 1, lambda one: is_refresh(one) and one.status == 200)
        end = time.monotonic() + 300
        while user.cookies()[user.bound_cookie()] == before:
            assert time.monotonic() < end, "the new cookie does not come"
            time.sleep(0.02)
        assert user.read("/page")["user"] == "anna"


def test_two_tabs_log_in_one_after_the_other(user: User) -> None:
    """The second one's login gives the session of both another ID, bound as before; both go on."""
    user.log_in()
    other = BoundPage(user.browser)
    other.open(user.site.url("/login?user=anna"))
    user.wait_until_bound()
    user.expire()
    other.open(user.site.url("/page"))
    assert user.read("/page")["user"] == "anna"
    assert other.evaluate("fetch('/page').then((r) => r.json()).then((r) => r.user)") == "anna"
    other.close()


def test_an_owner_ends_the_session_of_a_stolen_laptop(user: User, file: Path, clock: Clock, tmp_path: Path) -> None:
    """From another browser, by the list of sessions: key, cookies and refresh of the first are worth nothing."""
    user.log_in()
    with BoundBrowser(tmp_path / "profile", pin(file)) as browser:
        other = known(User(browser, user.site, clock))
        other.log_in()
        found = other.read("/sessions")
        assert [one["device_bound"] for one in found] == [True, True]
        (stolen,) = [one["id"] for one in found if not one["current"]]
        assert other.read(f"/revoke?id={stolen}") is True
        assert other.read("/page")["user"] == "anna"
    assert user.read("/page")["user"] == ""
    user.site.forget()
    clock.ahead += LIFE + 60
    assert user.read("/page")["user"] == ""
    for one in user.site.exchanges:
        assert not is_refresh(one) or one.status == 403 or json.loads(one.body)["continue"] is False, (one.status, one.body)


def test_closed_connections_at_the_registration(user: User) -> None:
    """It is not bound, then, and goes on as in a browser without it; the next login is bound."""
    def close(exchange: Any) -> None:
        if exchange.path == ENDPOINT:
            raise Closed

    user.site.fault = close
    user.site.forget()
    user.open("/login?user=anna")
    user.site.wait_for(ENDPOINT, 1)
    assert user.read("/page")["user"] == "anna" and not any(name.startswith("__Host-") for name in user.cookies())
    user.site.fault = lambda _: None
    user.log_in()
    user.expire()
    assert user.read("/page")["user"] == "anna"
