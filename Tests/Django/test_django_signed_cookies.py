"""Django's signed_cookies backend and `cookie:` have one session between them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import django_project
import pytest
from django.conf import settings
from django.core.signing import BadSignature, loads
from django.http import HttpRequest, HttpResponse
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import override_settings
from tuile.sessions import Manager

ENGINE = "django.contrib.sessions.backends.signed_cookies"
PAYLOADS: list[dict[str, Any]] = [
    {"a": 1}, {"name": "naïve ☕", "list": [1, 2.5, None, {"x": []}], "big": 9007199254740993}, {"text": "x" * 2000},
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_both_ways(payload: dict[str, Any]) -> None:
    store = import_module(ENGINE).SessionStore
    with override_settings(SESSION_ENGINE=ENGINE), Manager(store="cookie:", secret=django_project.SECRET) as manager:
        theirs = store()
        theirs.update(payload)
        theirs.save()
        with manager.begin(f"sessionid={theirs.session_key}") as session:
            assert dict(session) == payload
            session["more"] = [1]
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0].partition("=")[2]
        assert dict(store(cookie).items()) == {**payload, "more": [1]}
        with pytest.raises(BadSignature):
            loads(cookie, salt="another")


def test_a_counter_through_djangos_middleware() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        request.session["n"] = request.session.get("n", 0) + 1
        return HttpResponse(str(request.session["n"]))

    with override_settings(SESSION_ENGINE=ENGINE), Manager(store="cookie:", secret=django_project.SECRET) as manager:
        cookie = ""
        for turn in range(1, 11):
            if turn % 2:
                request = HttpRequest()
                request.COOKIES = {settings.SESSION_COOKIE_NAME: cookie} if cookie else {}
                response = SessionMiddleware(view)(request)
                assert response.content == str(turn).encode()
                cookie = response.cookies["sessionid"].value
            else:
                with manager.begin(f"sessionid={cookie}") as session:
                    assert session.add_int("n", 1) == turn
                    cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0].partition("=")[2]
