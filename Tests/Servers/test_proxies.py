"""The daemon behind nginx's auth_request, Caddy's forward_auth and HAProxy, as docs/gate.md has them, in front of a real Django."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

import configured
import pytest
from configured import Site
from processes import Front
from visitor import Visitor

PROGRAMS = {"nginx": "/usr/sbin/nginx", "caddy": "/usr/bin/caddy", "haproxy": "/usr/sbin/haproxy"}


@pytest.fixture(params=PROGRAMS)
def proxy(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(PROGRAMS[name]) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def fronts(site: Site, proxy: str) -> Iterator[tuple[Front, Front]]:
    """The proxy, and the gate that it asks. The application's login is outside of what is protected."""
    gate = configured.gate(site, proxy, top="tuile_refresh 1s;")
    try:
        front: Front = getattr(configured, f"proxy_{proxy}")(site, gate.port)
        try:
            yield front, gate
        finally:
            stop(front, proxy)
    finally:
        gate.stop()


def stop(front: Front, proxy: str) -> None:
    front.process.send_signal(front.graceful)
    assert front.process.wait(60) in (0, 143), front.messages()


@pytest.fixture
def visitor(fronts: tuple[Front, Front]) -> Visitor:
    return Visitor(fronts[0].port)


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(visitor: Visitor) -> None:
    response = visitor.get("/members/page?a=b&c=%2F")
    assert response.status == 302
    where = urlsplit(response.header("Location") or "")
    assert where.path == "/accounts/login/" and where.netloc in ("", f"127.0.0.1:{visitor.port}")
    assert parse_qs(where.query) == {"next": ["/members/page?a=b&c=%2F"]}
    for headers in ({"Sec-Fetch-Mode": "cors"}, {"X-Requested-With": "XMLHttpRequest"}, {"Accept": "application/json"}):
        assert visitor.get("/members/page", headers=headers).status == 401
    assert visitor.get("/members/page", method="POST").status == 302


def test_who_is_logged_in_passes_and_the_application_knows_who_it_is(visitor: Visitor) -> None:
    assert visitor.get("/").body in ("None - 0", "None  0")  # no header, or nothing in it
    visitor.log_in()
    assert visitor.get("/").body == "1 1 0"
    assert visitor.get("/members/page").status == 404  # Django's: there is no such page
    assert visitor.get("/accounts/logout/").body == "good bye"
    assert visitor.get("/members/page").status == 302


def test_no_client_says_who_it_is(visitor: Visitor) -> None:
    for path in ("/headers", "/members/headers"):
        for name in ("X-User", "x-user", "X_User", "X-USER", "X_USER"):
            told = visitor.get(path, headers={name: "1"})
            if path == "/headers":
                claims = [value for key, value in json.loads(told.body).items() if key == "HTTP_X_USER"]
                assert claims in ([], [""]), (name, claims)
            else:
                assert told.status == 302
    visitor.log_in()
    for name in ("X-User", "X_User"):
        assert json.loads(visitor.get("/headers", headers={name: "99"}).body)["HTTP_X_USER"] == "1"


FORGED = (
    {"X-Forwarded-Uri": "/accounts/login/", "X-Forwarded-Method": "OPTIONS"},
    {"X-Original-URL": "http://evil.test/accounts/login/", "X-Original-Method": "OPTIONS"},
    {"X-Original-URL": "//evil.test", "X-Forwarded-Uri": "//evil.test", "X-Forwarded-Host": "evil.test"},
)


def test_no_client_says_what_it_asks_for(visitor: Visitor) -> None:
    for headers in FORGED:
        response = visitor.get("/members/page", headers=headers)
        where = urlsplit(response.header("Location") or "")
        assert response.status == 302 and parse_qs(where.query) == {"next": ["/members/page"]}, headers
        assert "evil" not in (response.header("Location") or "")


def test_a_session_that_is_kept_alive_gets_its_cookie_where_the_proxy_hands_it_on(visitor: Visitor, proxy: str) -> None:
    visitor.log_in()
    time.sleep(1.1)
    cookies = visitor.get("/members/page").all("Set-Cookie")
    assert len([cookie for cookie in cookies if cookie.startswith("sessionid=")]) == (0 if proxy == "caddy" else 1), cookies
    assert visitor.get("/members/page").status == 404


def test_caddy_with_forward_auth_written_out(site: Site) -> None:
    if shutil.which(PROGRAMS["caddy"]) is None:
        pytest.skip("caddy is not installed")
    with ExitStack() as stack:
        gate = configured.gate(site, "caddy", top="tuile_refresh 1s;")
        stack.callback(gate.stop)
        front = configured.proxy_caddy(site, gate.port, 2)
        stack.callback(stop, front, "caddy")
        visitor = Visitor(front.port)
        test_who_is_not_logged_in_is_sent_to_the_login_and_back(visitor)
        visitor.log_in()
        began = time.monotonic()
        cookies = visitor.get("/members/page").all("Set-Cookie")
        assert cookies == [] or time.monotonic() - began >= 1, cookies
        time.sleep(1.1)
        cookies = visitor.get("/members/page").all("Set-Cookie")
        assert len([cookie for cookie in cookies if cookie.startswith("sessionid=")]) == 1, cookies
        assert visitor.get("/members/page", headers={"X-User": "99", "X_User": "99"}).status == 404


def test_nobody_passes_where_the_gate_is_away(fronts: tuple[Front, Front], visitor: Visitor) -> None:
    front, gate = fronts
    visitor.log_in()
    assert visitor.get("/members/page").status == 404
    gate.process.terminate()
    gate.process.wait(60)
    assert visitor.get("/members/page").status in (500, 502, 503)
    assert visitor.get("/").status in (500, 502, 503)
