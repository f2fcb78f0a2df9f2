"""CSRF as Django's own middleware decides it, over every combination that matters."""

from __future__ import annotations

import itertools

import django_project  # noqa: F401
import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, _mask_cipher_secret, _unmask_cipher_token
from django.test import override_settings
from tuile import state

SECRET = "abcdefghijklmnopqrstuvwxyzABCDEF"
OTHER = "0bcdefghijklmnopqrstuvwxyzABCDE0"
TRUSTED = ["https://trusted.test", "https://*.sub.test", "http://plain.test:8000"]

ORIGINS = [None, "", "null", "https://host.test", "http://host.test", "https://host.test:443", "https://trusted.test",
           "https://a.sub.test", "https://sub.test", "https://evilsub.test", "http://a.sub.test", "http://plain.test:8000",
           "https://HOST.test", "://host.test", "https://host.test@evil.test"]  # fmt: skip
REFERERS = [None, "", "https://host.test/x", "http://host.test/x", "https://host.test:8443/", "https://trusted.test/?q",
            "https://b.sub.test/", "https://evil.test/host.test", "//host.test", "https:", "https://cookie.test/",
            "https://a.cookie.test/", "https://plain.test:8000/", "https://HOST.test/"]  # fmt: skip
TOKENS = [None, "", SECRET, OTHER, _mask_cipher_secret(SECRET), _mask_cipher_secret(OTHER), "a" * 31, "-" * 64]
COOKIES = [None, "", SECRET, _mask_cipher_secret(SECRET), "x" * 33, "." * 32]


def django_accepts(method: str, secure: bool, host: str, origin: str | None, referer: str | None,
                   cookie: str | None, token: str | None) -> bool:  # fmt: skip
    request = HttpRequest()
    request.method = method
    request.META = {"HTTP_HOST": host, "SERVER_NAME": "host.test", "SERVER_PORT": host.partition(":")[2] or ("443" if secure else "80"),
                    "wsgi.url_scheme": "https" if secure else "http"}  # fmt: skip
    if origin is not None:
        request.META["HTTP_ORIGIN"] = origin
    if referer is not None:
        request.META["HTTP_REFERER"] = referer
    if cookie is not None:
        request.COOKIES[settings.CSRF_COOKIE_NAME] = cookie
    if token is not None:
        request.META["HTTP_X_CSRFTOKEN"] = token
    request._get_scheme = lambda: "https" if secure else "http"  # type: ignore[method-assign]
    middleware = CsrfViewMiddleware(lambda request: HttpResponse())
    middleware.process_request(request)
    return middleware.process_view(request, lambda request: HttpResponse(), (), {}) is None


@pytest.mark.parametrize("cookie_domain", ["", "cookie.test", ".cookie.test"])
@pytest.mark.parametrize("host", ["host.test", "host.test:8443"])
@pytest.mark.parametrize("secure", [False, True])
def test_every_combination_is_decided_as_django_does(secure: bool, host: str, cookie_domain: str) -> None:
    decided = {True: 0, False: 0}
    with override_settings(ALLOWED_HOSTS=["*"], CSRF_TRUSTED_ORIGINS=TRUSTED, CSRF_COOKIE_DOMAIN=cookie_domain or None):
        checks = [("POST", *rest, SECRET, _mask_cipher_secret(SECRET)) for rest in itertools.product(ORIGINS, REFERERS)]
        checks += [("PUT", None, "https://host.test/", *rest) for rest in itertools.product(COOKIES, TOKENS)]
        checks += [(method, "https://evil.test", None, None, None) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "get", "")]
        for method, origin, referer, cookie, token in checks:
            expected = django_accepts(method, secure, host, origin, referer, cookie, token)
            refusal = state.csrf_refusal(
                method, host=host, secure=secure, origin=origin, referer=referer, cookie=cookie, token=token,
                trusted_origins=TRUSTED, cookie_domain=cookie_domain,
            )  # fmt: skip
            assert (refusal is None) == expected, (method, origin, referer, cookie, token, refusal)
            decided[expected] += 1
    assert min(decided.values()) > 5


def test_tokens_of_either_side() -> None:
    for _ in range(200):
        secret = state.csrf_secret()
        assert _unmask_cipher_token(state.csrf_token(secret)) == secret
        assert state.csrf_refusal("POST", host="h", cookie=secret, token=_mask_cipher_secret(secret)) is None
