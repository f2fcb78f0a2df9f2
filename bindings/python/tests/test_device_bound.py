"""Device-bound sessions with a browser of this file's: a key, cookies, and what Chromium says."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any, Optional
from urllib.parse import urlencode

import pytest
from tuile import SessionUnbound, device
from tuile.errors import ArgumentError
from tuile.sessions import Manager
from tuile.settings import device_binding
from tuile.wsgi import SessionMiddleware

ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: E402

SECRET = "a secret that has its thirty-two bytes and more"
BOUND: dict[str, Any] = {"secret": SECRET, "cookie_secure": True, "device_bound": True, "device_path": "/device"}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Browser:
    endpoint = "/device"

    def __init__(self, application: Any) -> None:
        self.application, self.cookies = application, dict[str, str]()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.identifier = ""

    def ask(self, path: str, method: str = "GET", form: Optional[dict[str, str]] = None, **headers: str) -> tuple[int, list[tuple[str, str]], bytes]:
        answer: list[Any] = []
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        path, _, query = path.partition("?")
        data = urlencode(form or {}).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_COOKIE": cookie, "wsgi.url_scheme": "https",
            "SERVER_NAME": "a.test", "SERVER_PORT": "443", "wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_REFERER": "https://a.test/",
        }  # fmt: skip
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        body = b"".join(self.application(environ, lambda status, pairs, *_: answer.append((int(status[:3]), pairs))))
        for name, value in answer[0][1]:
            if name == "Set-Cookie":
                pair, _, rest = value.strip().partition(";")
                key, _, value = pair.partition("=")
                self.cookies.pop(key, None) if "Max-Age=0" in rest else self.cookies.update({key: value})
        return answer[0][0], answer[0][1], body

    def proof(self, challenge: str, brings_key: bool) -> str:
        header: dict[str, Any] = {"alg": "ES256", "typ": "dbsc+jwt"}
        if brings_key:
            numbers = self.key.public_key().public_numbers()
            header["jwk"] = {"kty": "EC", "crv": "P-256", "x": _text(numbers.x.to_bytes(32, "big")), "y": _text(numbers.y.to_bytes(32, "big"))}
        signed = f"{_text(json.dumps(header).encode())}.{_text(json.dumps({'jti': challenge}).encode())}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def register(self, headers: list[tuple[str, str]]) -> None:
        (offer,) = [value for name, value in headers if name == device.OFFER]
        found = re.search('challenge="([^"]+)"', offer)
        assert found
        status, _, body = self.ask(self.endpoint, "POST", secure_session_response=self.proof(found[1], True))
        assert status == 200
        self.identifier = json.loads(body)["session_identifier"]

    def refresh(self) -> int:
        status, headers, _ = self.ask(self.endpoint, "POST", sec_secure_session_id=self.identifier)
        assert status == 403
        challenge = dict(headers)["Secure-Session-Challenge"].split('"')[1]
        return self.ask(self.endpoint, "POST", sec_secure_session_id=self.identifier, secure_session_response=self.proof(challenge, False))[0]


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def log_in(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    session = environ["tuile.session"]
    if environ["PATH_INFO"] == "/login":
        session.cycle_key()
        session["user"] = "ada"
    start_response("200 OK", [])
    return [session.get("user", "").encode()]


def test_a_copy_of_the_cookies_is_refused_and_the_browser_goes_on() -> None:
    clock = Clock()
    application = SessionMiddleware(log_in, store="memory:", clock=clock, **BOUND)
    browser = Browser(application)
    browser.register(browser.ask("/login")[1])
    thief = Browser(application)
    thief.cookies = dict(browser.cookies)
    assert browser.ask("/")[2] == thief.ask("/")[2] == b"ada"
    clock.now += 700
    status, headers, body = thief.ask("/")
    assert status == 401 and b"ada" not in body and "Set-Cookie" not in dict(headers)
    assert browser.refresh() == 200
    assert browser.ask("/")[2] == b"ada"
    assert thief.ask("/")[0] == 401
    # A link from another site: the reload refreshes.
    status, headers, body = thief.ask("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="document")
    assert (status, dict(headers)["Refresh"]) == (401, "0") and body


def test_what_was_offered_by_call_alone() -> None:
    with Manager(store="memory:", **{**BOUND, "device_bound": "call"}) as manager, manager.begin("") as session:
        session["user"] = "ada"
        session.cycle_key()
        assert device.OFFER not in dict(session.commit())
        assert session.offer_device_binding() is True
        assert dict(session.commit())[device.OFFER].startswith("(ES256 RS256);path=")


def test_ids_that_are_made_here_are_the_librarys() -> None:
    key = device.bound_key("r" * 32, "b" * 12)
    assert len(key) == 40 and device.binding_of(key) == "b" * 12
    with Manager(store="memory:", **BOUND) as manager:
        for text, bound in ((key, True), (key[:-1] + ("a" if key[-1] != "a" else "b"), False), ("r" * 32, False), ("r" * 40, False)):
            with manager.begin(f"sessionid={text}") as session:
                assert session.is_device_bound is bound is (device.binding_of(text) is not None)
        with manager.begin(f"sessionid={key}") as session, pytest.raises(SessionUnbound):
            session["user"]


@pytest.mark.parametrize("value", ["yes", 1, None, 2, "off", ["login"]])
def test_what_is_no_choice_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="device_bound"):
        device_binding(value)


@pytest.mark.parametrize("more", [{"cookie_secure": False}, {"store": "cookie:"}, {"device_path": "device"}, {"device_seconds": 0}, {"secret": ""}])
def test_what_could_not_be_bound_is_an_error_when_it_is_opened(more: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        Manager(**{"store": "memory:", **BOUND, **more})


def test_flask_answers_only_with_init_app() -> None:
    flask = pytest.importorskip("flask")
    from tuile.flask import SessionInterface

    def made() -> Any:
        app = flask.Flask("test")
        app.config.update(SECRET_KEY=SECRET, SESSION_COOKIE_SECURE=True)
        return app

    app = made()
    app.testing = True
    app.session_interface = SessionInterface("memory:", device_bound=True)
    app.add_url_rule("/", view_func=lambda: "", endpoint="home")
    with pytest.raises(ArgumentError, match="init_app"):
        app.test_client().get("/")
    with pytest.raises(ArgumentError, match="SESSION_COOKIE_SECURE"):
        SessionInterface("memory:", device_bound=True).init_app(_insecure(flask))
    app = made()
    SessionInterface("memory:", device_bound=True).init_app(app)
    assert app.test_client().post("/device-bound-session").status_code == 404


def _insecure(flask: Any) -> Any:
    app = flask.Flask("insecure")
    app.config.update(SECRET_KEY=SECRET)
    return app
