"""Who passes: the same for every server in front, with the configuration of its page in docs/."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from visitor import Visitor


def test_who_is_not_logged_in_is_sent_to_the_login(visitor: Visitor) -> None:
    response = visitor.get("/members/page.html?a=b&c=d")
    assert response.status == 302
    location = response.header("Location")
    assert location is not None
    assert location.endswith("/accounts/login/?next=%2Fmembers%2Fpage.html%3Fa%3Db%26c%3Dd")
    assert response.header("Vary") == "Cookie"
    assert visitor.get(location.removeprefix(f"http://127.0.0.1:{visitor.port}")).body == "the login page"


def test_where_no_login_is_named_it_is_401(visitor: Visitor) -> None:
    response = visitor.get("/files/page.html")
    assert response.status == 401
    assert response.header("WWW-Authenticate") == 'Cookie realm="session"'
    assert "for members" not in response.body


def test_a_user_logged_in_through_django_passes(visitor: Visitor) -> None:
    visitor.log_in()
    for path in ("/members/page.html", "/files/page.html"):
        response = visitor.get(path)
        assert (response.status, response.body) == (200, "for members\n")
        assert response.all("Set-Cookie") == [] and response.header("Vary") == "Cookie"
    assert visitor.get("/members/").body == "their index\n"  # by an internal redirect
    assert visitor.get("/").body == "1 1 0"  # the application was told who it is
    assert visitor.get("/members/page.html", method="HEAD").status == 200


def test_what_the_client_claims_never_reaches_the_application(visitor: Visitor) -> None:
    assert visitor.get("/", headers={"X-User": "1"}).body == "None - 0"


def test_after_the_logout_nobody_passes_with_the_old_cookie(visitor: Visitor) -> None:
    visitor.log_in()
    old = visitor.cookie
    response = visitor.get("/accounts/logout/")
    assert response.body == "good bye" and len(response.all("Set-Cookie")) == 1
    assert visitor.cookie is None
    visitor.cookie = old
    assert visitor.get("/members/page.html").status == 302


def test_a_tampered_cookie_is_refused(visitor: Visitor) -> None:
    visitor.log_in()
    cookie = visitor.cookie
    assert cookie is not None
    for wrong in (cookie[:-1], cookie + "a", cookie.upper(), cookie[::-1], "../" + cookie, "", "a" * 5000, "\xff"):
        visitor.cookie = wrong
        response = visitor.get("/members/page.html")
        assert response.status == 302 and response.all("Set-Cookie") == [], wrong
    visitor.cookie = cookie
    assert visitor.get("/members/page.html").status == 200


def test_data_that_another_secret_signed_is_refused(visitor: Visitor, database: Path) -> None:
    visitor.log_in()
    with sqlite3.connect(database, timeout=20) as connection:
        connection.execute("update django_session set session_data = 'x' || session_data")
    response = visitor.get("/members/page.html")
    assert response.status == 302 and response.all("Set-Cookie") == []


def test_an_expired_session_is_refused(visitor: Visitor) -> None:
    visitor.log_in()
    assert visitor.get("/expire").body == "a second left"
    cookie = visitor.cookie
    time.sleep(1.1)
    assert visitor.cookie == cookie
    assert visitor.get("/members/page.html").status == 302


def test_pages_are_counted_and_django_sees_the_count(visitor: Visitor) -> None:
    first = visitor.get("/count")
    assert first.body == "1\n" and visitor.cookie
    assert first.header("Vary") == "Cookie" and first.header("Cache-Control") == "private"
    cookie = first.header("Set-Cookie")
    assert cookie is not None and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert visitor.get("/count").body == "2\n"
    assert visitor.get("/").body == "None - 2"
    visitor.log_in()  # Django gives the session another key, and keeps the count
    assert visitor.get("/count").body == "3\n"
    assert visitor.get("/").body == "1 1 3"
