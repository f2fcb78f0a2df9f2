"""Django's signing and cookie tests: each call is made of Tuile, too, and both have to agree."""

from __future__ import annotations

import atexit
import time
from typing import Any
from unittest import mock

from agree import Differs, calls, compared
from django.core import signing
from django.http import cookie
from django.test import SimpleTestCase
from httpwrappers import tests as httpwrappers
from signed_cookies_tests import tests as signed_cookies
from signing import tests as upstream
from tuile import cookies
from tuile import signing as tuile


def patched(kind: type, ours: type) -> Any:
    """`kind` of Django with sign, unsign, sign_object and unsign_object compared."""
    originals = {name: getattr(kind, name) for name in ("sign", "unsign", "sign_object", "unsign_object")}

    def same(self: Any) -> Any:
        if self.sep != ":" or self.algorithm != "sha256" or type(self) is not kind:
            calls["another algorithm or separator"] += 1
            return None
        return ours(key=self.key, fallback_keys=self.fallback_keys, salt=self.salt)

    def sign(self: Any, value: Any) -> str:
        mine = same(self)
        theirs = lambda: originals["sign"](self, value)  # noqa: E731
        if mine is None:
            return theirs()
        return compared(theirs, lambda: mine._sign(str(value), int(time.time())), tuile.BadSignature)

    def unsign(self: Any, value: str, max_age: Any = None) -> str:
        mine = same(self)
        given = {} if max_age is None else {"max_age": max_age}
        theirs = lambda: originals["unsign"](self, value, **given)  # noqa: E731
        if mine is None:
            return theirs()
        age = tuile._seconds(max_age)
        return compared(theirs, lambda: mine._unsign(value, age, int(time.time())), tuile.BadSignature)

    return mock.patch.multiple(kind, sign=sign, unsign=unsign)


class Compared:
    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        for kind, ours in ((signing.Signer, tuile.Signer), (signing.TimestampSigner, tuile.TimestampSigner)):
            patch = patched(kind, ours)
            patch.start()
            self.addCleanup(patch.stop)  # type: ignore[attr-defined]


class SignerTests(Compared, upstream.TestSigner):
    pass


class TimestampSignerTests(Compared, upstream.TestTimestampSigner):
    pass


class SignedCookieTests(Compared, signed_cookies.SignedCookieTest):
    pass


def parse_cookie(header: str) -> dict[str, str]:
    return compared(lambda: cookie.parse_cookie(header), lambda: cookies.parse(header, mode="django"), ValueError)


class CookieTests(httpwrappers.CookieTests):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(httpwrappers, "parse_cookie", parse_cookie)
        patch.start()
        self.addCleanup(patch.stop)


class ComparisonTests(SimpleTestCase):
    def test_the_clock_stands_still(self) -> None:
        self.assertIsInstance(compared(lambda: time.time(), lambda: time.time(), ValueError), float)

    def test_a_difference_is_seen(self) -> None:
        for theirs, ours in ((lambda: 1, lambda: 2), (lambda: 1, lambda: tuile.loads("x", key="k"))):
            with self.assertRaises(Differs):
                compared(theirs, ours, tuile.BadSignature)


atexit.register(lambda: print(f"Tuile agreed in {calls['compared'] - 3} calls of signing and cookies: {dict(calls)}"))
