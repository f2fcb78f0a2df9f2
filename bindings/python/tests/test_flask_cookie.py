"""Flask's settings: what Flask writes is written, and what a browser refuses is an error at the start."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator
from typing import Any, Optional

import flask
import flask.sessions
import pytest
from flask import Flask, Response
from tuile import errors
from tuile.flask import SessionInterface

SECRET = "a secret of thirty-two octets, or more"
URL = "https://www.example.com/"


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Clock:
        return cls(2026, 2, 3, 4, 5, 6, 789, tzinfo=tz)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flask.sessions, "datetime", Clock)


def application(store: Optional[str], **settings: Any) -> Flask:
    app = Flask("settings")
    app.secret_key = SECRET
    app.config.update(settings)
    if store:
        SessionInterface(store).init_app(app)

    @app.get("/set/<int:permanent>")
    def put(permanent: int) -> str:
        flask.session["a"] = 1
        if permanent:
            flask.session.permanent = True
        return ""

    @app.get("/clear")
    def clear() -> str:
        flask.session.clear()
        return ""

    @app.get("/read")
    def read() -> str:
        return str(flask.session.get("a"))

    @app.get("/idle")
    def idle() -> str:
        return ""

    return app


def headers(app: Flask, path: str, cookie: str = "") -> tuple[list[str], str]:
    """The Set-Cookie headers without the session in them, and Vary and Cache-Control."""
    sent = {"Cookie": cookie} if cookie else {}
    response: Response = app.test_client(use_cookies=False).get(path, base_url=URL, headers=sent)
    name = app.config["SESSION_COOKIE_NAME"].encode().decode("latin-1")
    cookies = [re.sub(f"^{re.escape(name)}=[^;]+", f"{name}=…", value) for value in response.headers.getlist("Set-Cookie")]
    return cookies, f"{response.status} {response.headers.get('Vary')} {response.headers.get('Cache-Control')}"


NAMES = ["session", "foo:bar", "my session", "sitzüng", "__Host-s", "__Secure-s"]
DOMAINS: list[Any] = [None, False, "", ".example.com", "example.com:8080", "bücher.example"]
PATHS = [None, "/", "/a b", "/ü/;x"]
SAME_SITES = [None, "lax", "STRICT", "none", "None"]


def combinations() -> Iterator[dict[str, Any]]:
    flags = [False, True]
    every = itertools.product(NAMES, DOMAINS, PATHS, SAME_SITES, flags, flags)
    # A seventh of them: none of the lists has seven entries, so that each pair of values comes.
    for name, domain, path, same_site, secure, partitioned in itertools.islice(every, 0, None, 7):
        yield {
            "SESSION_COOKIE_NAME": name,
            "SESSION_COOKIE_DOMAIN": domain,
            "SESSION_COOKIE_PATH": path,
            "SESSION_COOKIE_SAMESITE": same_site,
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_PARTITIONED": partitioned,
            # Goes with none of the others.
            "SESSION_COOKIE_HTTPONLY": secure != partitioned,
        }


def refused(one: dict[str, Any]) -> bool:
    """By a browser: RFC 6265bis, sections 4.1.3 and 5.7."""
    secure = one["SESSION_COOKIE_SECURE"] or one["SESSION_COOKIE_PARTITIONED"]
    prefix = one["SESSION_COOKIE_NAME"].partition("-")[0]
    if prefix == "__Host" and (one["SESSION_COOKIE_DOMAIN"] or one["SESSION_COOKIE_PATH"] not in (None, "/")):
        return True
    needs = prefix in ("__Host", "__Secure") or (one["SESSION_COOKIE_SAMESITE"] or "").lower() == "none"
    return bool(needs and not secure)


@pytest.mark.filterwarnings("ignore:Werkzeug reads no cookie")
def test_what_flask_writes_is_written() -> None:
    counted = {True: 0, False: 0}
    for one in combinations():
        counted[refused(one)] += 1
        if refused(one):
            with pytest.raises(errors.CookieRuleError, match="SESSION_COOKIE_"):
                application("memory:", **one)
            continue
        theirs, ours = application(None, **one), application("memory:", **one)
        for path in ("/set/0", "/set/1", "/clear"):
            expected = headers(theirs, path)
            assert len(expected[0]) == 1 and headers(ours, path) == expected, one
    assert min(counted.values()) > 90


@pytest.mark.parametrize("store", ["memory:", "cookie:flask", "cookie:sealed", "cookie:gorilla"])
@pytest.mark.parametrize("refresh", [True, False])
@pytest.mark.parametrize("name", ["session", "foo:bar"])
def test_a_visit_is_answered_as_by_flask(store: str, refresh: bool, name: str) -> None:
    settings = {"SESSION_COOKIE_NAME": name, "SESSION_REFRESH_EACH_REQUEST": refresh}
    apps = application(None, **settings), application(store, **settings)
    for permanent in (0, 1):
        seen = []
        for app in apps:
            cookie = app.test_client(use_cookies=False).get(f"/set/{permanent}").headers["Set-Cookie"].partition(";")[0]
            steps = [headers(app, path, cookie) for path in ("/read", "/clear")]
            steps += [headers(app, path, f"{name}=unknown") for path in ("/read", "/idle", "/clear", "/set/1")]
            seen.append(steps)
        assert seen[0] == seen[1]
        assert len(seen[0][0][0]) == (permanent and refresh)


def test_a_session_in_a_cookie_lives_on_with_each_response_as_flasks_does() -> None:
    for app in (application(None), application("cookie:flask")):
        cookie = app.test_client(use_cookies=False).get("/set/1").headers["Set-Cookie"].partition(";")[0]
        assert headers(app, "/idle", cookie)[0] == [
            "session=…; Expires=Fri, 06 Mar 2026 04:05:06 GMT; HttpOnly; Path=/"
        ]


def test_flask_reads_the_cookie_and_so_do_we() -> None:
    theirs, ours = application(None), application("cookie:flask")
    for write, read in ((theirs, ours), (ours, theirs)):
        pair = write.test_client(use_cookies=False).get("/set/0").headers["Set-Cookie"].partition(";")[0]
        name, _, value = pair.partition("=")
        # The first cookie of a name counts, and quotes around it do not.
        for sent in (pair, f"{pair}; session=other", f'{name}="{value}"', f"other=1;{name} = {value}"):
            assert read.test_client(use_cookies=False).get("/read", headers={"Cookie": sent}).text == "1", sent
        for sent in (f"session=other; {pair}", f"session=; {pair}", f"{name}={value}x", f'{name}="{value}'):
            assert read.test_client(use_cookies=False).get("/read", headers={"Cookie": sent}).text == "None", sent


def test_the_same_cookies_count_with_a_store() -> None:
    app = application("memory:")
    pair = app.test_client(use_cookies=False).get("/set/0").headers["Set-Cookie"].partition(";")[0]
    name, _, value = pair.partition("=")
    for sent, answer in (
        (f"{pair}; session=other", "1"), (f'{name}="{value}"', "1"), (f"session=other; {pair}", "None"), (f'{name}="{value};"', "None"),
    ):  # fmt: skip
        assert app.test_client(use_cookies=False).get("/read", headers={"Cookie": sent}).text == answer, sent


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("SESSION_COOKIE_SAMESITE", "lacks", "SameSite"),
        ("SESSION_COOKIE_SAMESITE", "None", "SameSite=None"),
        ("SESSION_COOKIE_PATH", "app", "SESSION_COOKIE_PATH"),
        ("SESSION_COOKIE_PATH", "/" + "a" * 1024, "SESSION_COOKIE_PATH"),
        ("SESSION_COOKIE_DOMAIN", ".", "SESSION_COOKIE_DOMAIN"),
        ("SESSION_COOKIE_DOMAIN", "example.com; Secure", "SESSION_COOKIE_"),
        ("SESSION_COOKIE_DOMAIN", "a" * 70 + ".example", "SESSION_COOKIE_"),
        ("SESSION_COOKIE_NAME", "", "SESSION_COOKIE_"),
        ("SESSION_COOKIE_NAME", "a;b", "SESSION_COOKIE_"),
        ("SESSION_COOKIE_NAME", "a\r\nb", "SESSION_COOKIE_"),
        ("SESSION_COOKIE_NAME", "__Host-Http-a", "SESSION_COOKIE_"),
        ("PERMANENT_SESSION_LIFETIME", -1, "cookie_age"),
        ("SECRET_KEY_FALLBACKS", "a string", "SECRET_KEY_FALLBACKS"),
        ("SECRET_KEY_FALLBACKS", b"some bytes", "SECRET_KEY_FALLBACKS"),
    ],
)  # fmt: skip
def test_a_setting_that_can_not_be_is_an_error_at_the_start(setting: str, value: Any, reason: str) -> None:
    with pytest.raises((errors.ArgumentError, errors.CookieRuleError, errors.SyntaxProblem), match=reason):
        application("memory:", **{setting: value})
    # Without init_app it is one at the first request, whatever that asks for.
    app = application(None, **{setting: value})
    app.session_interface, app.testing = SessionInterface("memory:"), True
    with pytest.raises((errors.ArgumentError, errors.CookieRuleError, errors.SyntaxProblem)):
        app.test_client().get("/idle")


@pytest.mark.parametrize("name", ["never read", "sitzüng", "a=b"])
def test_a_name_that_flask_does_not_read_is_a_warning(name: str) -> None:
    with pytest.warns(UserWarning, match="no session lasts"):
        ours = application("memory:", SESSION_COOKIE_NAME=name)
    for app in (ours, application(None, SESSION_COOKIE_NAME=name)):
        visitor = app.test_client(use_cookies=False)
        cookie = visitor.get("/set/0").headers["Set-Cookie"].partition(";")[0]
        assert visitor.get("/read", headers={"Cookie": cookie}).text == "None"


def test_options_that_are_flasks_own_settings_are_refused() -> None:
    for name in ("cookie_secure", "cookie_name", "cookie_age", "save_every_request"):
        with pytest.raises(TypeError, match=f"{name} is Flask's"):
            SessionInterface("memory:", **{name: 1})


def test_a_letter_of_a_fallback_is_no_key() -> None:
    app = application(None)
    forged = application(None)
    forged.secret_key = "o"
    cookie = forged.test_client(use_cookies=False).get("/set/0").headers["Set-Cookie"].partition(";")[0]
    app.config["SECRET_KEY_FALLBACKS"] = "a string of one"
    app.session_interface = SessionInterface("cookie:flask")
    assert app.test_client(use_cookies=False).get("/read", headers={"Cookie": cookie}).status_code == 500
