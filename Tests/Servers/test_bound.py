"""A bound session counts with its bound cookie alone, in front of files that only the server protects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import configured
import pytest
from application import SECRET
from configured import Site, nginx_test
from conftest import Start
from processes import ROOT, Front
from tuile.wsgi import SessionMiddleware
from visitor import Response, Visitor

sys.path.insert(0, str(ROOT / "bindings/python/tests"))
from test_device_bound import Browser  # noqa: E402

DIRECTIVES = {"nginx": "tuile_device_bound on; tuile_cookie_secure on;", "apache": "TuileDeviceBound On\nTuileCookieSecure On"}
PAGE = "/files/page.html"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}


def _offer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    environ["tuile.session"].offer_device_binding()
    start_response("200 OK", [])
    return [b""]


@pytest.fixture
def cookies(site: Site) -> dict[str, str]:
    """Of anna, who has logged in to Django, and whose browser has bound the session."""
    visitor = Visitor(site.application)
    visitor.log_in()
    assert visitor.cookie
    bound = SessionMiddleware(_offer, store=site.store, secret=SECRET, cookie_secure=True, device_bound="call", device_path="/device")
    browser = Browser(bound)
    browser.cookies["sessionid"] = visitor.cookie
    browser.register(browser.ask("/")[1])
    assert set(browser.cookies) == {"sessionid", "__Host-sessionid-bound"} and browser.cookies["sessionid"] != visitor.cookie
    return browser.cookies


def ask(front: Front, path: str, cookies: dict[str, str], headers: dict[str, str]) -> Response:
    sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Visitor(front.port).get(path, headers={**headers, "Cookie": sent})


def stolen(cookies: dict[str, str]) -> list[dict[str, str]]:
    name = "__Host-sessionid-bound"
    return [{"sessionid": cookies["sessionid"]}, {**cookies, name: "x"}, {**cookies, name: cookies[name][:-2] + "AA"}, {**cookies, name: ""}]


def test_files_are_shown_with_the_bound_cookie_alone(start: Start, site: Site, kind: str, cookies: dict[str, str]) -> None:
    front = start(site, http=DIRECTIVES[kind])
    assert ask(front, PAGE, cookies, NAVIGATION).body == "for members\n"
    for copied in stolen(cookies):
        response = ask(front, PAGE, copied, NAVIGATION)
        assert response.status == 401 and response.header("Refresh") is None and "for members" not in response.body
        response = ask(front, PAGE, copied, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"})
        assert response.status == 401 and response.header("Refresh") is None
        # For such a one a browser does not renew its bound cookie; once it loads the page again, it does.
        response = ask(front, PAGE, copied, {**NAVIGATION, "Sec-Fetch-Site": "cross-site"})
        assert response.status == 401 and response.header("Refresh") == "0" and response.body and "for members" not in response.body
        assert response.all("Set-Cookie") == []
        # Another host of the site is elsewhere, too; a frame in a page is none that a person loads again.
        assert ask(front, PAGE, copied, {**NAVIGATION, "Sec-Fetch-Site": "same-site"}).header("Refresh") == "0"
        assert ask(front, PAGE, copied, {**NAVIGATION, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}).header("Refresh") is None
    # Nobody without a cookie is told to come again, and a session that is not bound needs no other.
    response = ask(front, PAGE, {}, {**NAVIGATION, "Sec-Fetch-Site": "cross-site"})
    assert response.status == 401 and response.header("Refresh") is None
    visitor = Visitor(site.application)
    visitor.log_in()
    assert visitor.cookie
    assert ask(front, PAGE, {"sessionid": visitor.cookie}, NAVIGATION).status == 200


def test_without_the_directive_a_copy_passes(start: Start, site: Site, kind: str, cookies: dict[str, str]) -> None:
    assert ask(start(site), PAGE, stolen(cookies)[0], NAVIGATION).status == 200


def test_it_needs_a_secure_cookie(site: Site) -> None:
    status, said = nginx_test(site, http="tuile_device_bound on;")
    assert status != 0 and "device_bound needs cookie_secure" in said


@pytest.fixture
def gate(site: Site) -> Iterator[Front]:
    front = configured.gate(site, "traefik", top=DIRECTIVES["nginx"])
    yield front
    front.stop()


def test_the_gate_asks_for_it_too(gate: Front, cookies: dict[str, str]) -> None:
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example", "X-Forwarded-Uri": "/members/"}
    assert ask(gate, "/members", cookies, {**asked, **NAVIGATION}).header("X-Tuile-Status") == "found"
    for copied in stolen(cookies):
        response = ask(gate, "/members", copied, {**asked, **NAVIGATION})
        assert (response.status, response.header("X-Tuile-Status"), response.header("X-User")) == (302, "unbound", None)
        response = ask(gate, "/members", copied, {**asked, **NAVIGATION, "Sec-Fetch-Site": "cross-site"})
        assert (response.status, response.header("Refresh")) == (401, "0") and response.body
