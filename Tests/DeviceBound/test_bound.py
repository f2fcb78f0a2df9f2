"""The real browser at each host: what is bound stays with the browser, and a thief's copy of all cookies is nobody's."""

from __future__ import annotations

import pytest
from bound_browser import BoundPage
from people import ENDPOINT, LIFE, Thief, User, endpoint
from secure import Closed, Exchange, Secure


def refreshes(site: Secure) -> list[Exchange]:
    return [one for one in site.seen(ENDPOINT) if one.sent("Sec-Secure-Session-Id")]


def test_a_login_is_bound_and_goes_on(user: User) -> None:
    user.log_in()
    assert user.read("/count") == {"user": "anna", "count": 1}
    user.site.forget()
    user.expire()
    # The page waits for the refresh: it comes with the new cookie.
    assert user.read("/count") == {"user": "anna", "count": 2}
    assert [one.status for one in refreshes(user.site)] == [403, 200]
    (page,) = user.site.seen("/count")
    assert page.cookies.get(user.bound_cookie()) == user.cookies()[user.bound_cookie()]
    # Nothing is done twice while the cookie lives.
    user.site.forget()
    user.read("/page")
    assert refreshes(user.site) == []


def test_a_thief_with_all_cookies_is_nobody_after_the_cookie_s_life(user: User) -> None:
    user.log_in()
    assert user.read("/count")["count"] == 1
    thief = Thief(user)
    assert thief.user() == "anna", "within the cookie's life a copy is as good"
    user.expire()
    thief.is_nobody()
    thief.is_nobody()
    # The owner's session goes on, and has what it had.
    assert user.read("/count") == {"user": "anna", "count": 2}
    thief.is_nobody()


def test_a_thief_can_neither_refresh_nor_register(user: User) -> None:
    user.log_in()
    thief = Thief(user)
    user.site.forget()
    user.expire()
    user.read("/page")
    told = refreshes(user.site)
    identifier = told[0].sent("Sec-Secure-Session-Id")
    proof = next(one for one in told if one.sent("Secure-Session-Response")).sent("Secure-Session-Response")
    assert identifier and proof
    user.clock.ahead += LIFE + 1
    for headers in (
        {"Sec-Secure-Session-Id": identifier},
        {"Sec-Secure-Session-Id": identifier, "Secure-Session-Response": proof},
        {"Secure-Session-Response": proof},
        {},
    ):
        status, body, answered = thief.ask(ENDPOINT, headers, "POST")
        assert status != 200 and "Set-Cookie" not in dict(answered), (status, body)
    thief.is_nobody()


def test_cookies_copied_before_the_registration_are_nobody_s(user: User) -> None:
    before: list[Thief] = []

    def copy(exchange: Exchange) -> None:
        if exchange.path == ENDPOINT and not before:
            before.append(Thief(user, exchange.cookies))

    user.site.fault = copy
    user.log_in()
    user.read("/page")
    (thief,) = before
    assert not any(name.startswith("__Host-") for name in thief.cookies) and thief.cookies
    user.clock.ahead += 60  # more than cycle_grace
    thief.wait_until_nobody()
    thief.is_nobody()
    assert user.read("/page")["user"] == "anna"


def test_five_requests_and_two_tabs_at_once_refresh_once(user: User) -> None:
    user.log_in()
    other = BoundPage(user.browser)
    other.open(user.site.url("/page"))
    user.site.forget()
    user.expire()
    go = "Promise.all([...Array(5)].map(() => fetch('/page').then((r) => r.json()))).then((all) => all.map((one) => one.user))"
    other.evaluate(f"window.both = {go}; 0")
    assert user.page.evaluate(go) == ["anna"] * 5
    assert other.evaluate("window.both") == ["anna"] * 5
    other.close()
    assert len(user.site.seen("/page")) == 10
    assert [one.status for one in refreshes(user.site)].count(200) == 1


def test_a_303_after_the_login(user: User) -> None:
    user.log_in(more="&next=/page")
    assert user.read("/page")["user"] == "anna"
    user.expire()
    assert user.read("/page")["user"] == "anna"


def test_a_link_from_another_site(user: User, elsewhere: Secure) -> None:
    user.log_in()
    user.expire()
    user.site.forget()
    user.page.open(elsewhere.url("/"))
    user.page.evaluate(f"document.body.innerHTML = '<a href=\"{user.site.url('/members')}\">there</a>'; document.querySelector('a').click()")
    # First without the bound cookie, then by a reload, which refreshes.
    first, *_, last = user.site.wait_for("/members", 2)
    assert first.status == 401 and "anna" not in str(first.headers) and not first.all("Set-Cookie")
    assert last.status == 200
    assert user.page.wait_until("document.querySelector('pre')?.textContent ?? ''").startswith('{"user": "anna"')


def test_another_user_logs_in(user: User) -> None:
    user.log_in()
    first = Thief(user)
    # Whether the session is another one or stays bound under another ID is the framework's to say.
    user.open("/login?user=otto")
    assert user.read("/page")["user"] == "otto"
    user.clock.ahead += 60
    assert first.user() == ""
    user.wait_until_bound()
    user.expire()
    assert user.read("/page")["user"] == "otto"
    first.is_nobody()


@pytest.mark.parametrize("fault", [500, 503, None])
def test_an_endpoint_that_fails_for_a_while(user: User, fault: int | None) -> None:
    user.log_in()
    user.expire()
    user.site.forget()

    def fail(exchange: Exchange) -> int | None:
        if exchange.path == ENDPOINT and fault is None:
            raise Closed
        return fault if exchange.path == ENDPOINT else None

    user.site.fault = fail
    # The browser goes on without: the request is nobody's, and its answer touches no cookie.
    assert user.fetch("/page") == 401
    skipped = user.site.wait_for("/page")[0]
    assert skipped.sent("Secure-Session-Skipped") and not skipped.all("Set-Cookie")
    user.site.fault = lambda _: None
    assert user.read("/page")["user"] == "anna"


def test_a_logout_ends_both(user: User) -> None:
    user.log_in()
    thief = Thief(user)
    user.open("/logout")
    assert thief.user() == ""
    assert user.read("/page")["user"] == ""
    user.clock.ahead += LIFE + 1
    assert user.read("/page")["user"] == ""
    # And anybody can log in again.
    user.log_in("otto")
    assert user.read("/page")["user"] == "otto"


def test_a_new_id_meanwhile_stays_bound(user: User) -> None:
    user.log_in()
    thief = Thief(user)
    assert user.read("/cycle")["user"] == "anna"
    assert user.read("/page")["user"] == "anna"
    user.expire()
    assert user.read("/page")["user"] == "anna"
    later = Thief(user)
    user.expire()
    thief.is_nobody()
    later.is_nobody()
    assert user.read("/page")["user"] == "anna"


def test_the_list_of_sessions_says_it_and_ends_it(user: User) -> None:
    user.log_in()
    found = user.read("/sessions")
    (mine,) = [one for one in found if one["current"]]
    assert mine["device_bound"] is True
    thief = Thief(user)
    assert user.read(f"/revoke?id={mine['id']}") is True
    assert thief.user() == "" and user.read("/page")["user"] == ""


def test_who_has_no_such_browser_is_served_as_ever(user: User) -> None:
    somebody = Thief(user, {})
    status, _, headers = somebody.ask("/login?user=otto")
    cookies = [value.partition(";")[0].partition("=")[::2] for name, value in headers if name.lower() == "set-cookie"]
    somebody.cookies = dict(cookies)
    assert status == 200 and len(cookies) >= 1 and not any(name.startswith("__Host-") for name in somebody.cookies)
    assert somebody.user() == "otto"
    user.clock.ahead += 10 * LIFE
    assert somebody.user() == "otto"
