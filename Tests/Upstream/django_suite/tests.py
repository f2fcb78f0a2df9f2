"""Django's session tests on each store of Tuile. Each one that is left out says why."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import unittest
from typing import Any

import stores
from django.test import SimpleTestCase, override_settings
from sessions_tests import tests as upstream
from sessions_tests.models import CustomSession
from tuile.django import SessionStore

from . import custom

# Django's own signed_cookies backend leaves these out, for the same reasons.
IN_COOKIES = {
    "test_save": "a session in a cookie is nowhere else: it can't be asked whether it exists",
    "test_cycle": "a cookie that was signed before can't be called back",
    "test_actual_expiry": "its cookie is good for SESSION_COOKIE_AGE, whatever the session's own expiry",
    "test_session_save_does_not_resurrect_session_logged_out_in_other_context": "nobody knows who logged out",
    "test_session_asave_does_not_resurrect_session_logged_out_in_other_context": "nobody knows who logged out",
}



def say_what_is_left_out() -> None:
    print("left out where the session is its cookie, with and without time zones:")
    for name, reason in IN_COOKIES.items():
        print(f"  {name}: {reason}")
    for name in stores.SERVERS:
        if stores.url(name, "") is None:
            print(f"left out: {name}, since {stores.SERVERS[name]} names no server")


atexit.register(say_what_is_left_out)


class OnAStore:
    """Each test gets an empty store."""

    backend = SessionStore
    store: str

    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)  # type: ignore[attr-defined]
        url = stores.url(self.store, folder)
        if url is None:
            raise unittest.SkipTest(f"{stores.SERVERS[self.store]} names no server")
        setting = override_settings(TUILE_STORE=url)
        setting.enable()
        self.addCleanup(setting.disable)  # type: ignore[attr-defined]
        super().setUp()  # type: ignore[misc]


def left_out(cases: type, reasons: dict[str, str]) -> dict[str, Any]:
    found = {}
    for name, reason in reasons.items():
        for test in (name, f"{name}_async"):
            if hasattr(cases, test):
                found[test] = unittest.skip(reason)(lambda self: None)
    return found


for name in stores.NAMES:
    skipped = left_out(upstream.SessionTestsMixin, IN_COOKIES) if "Cookie" in name else {}
    case = type(f"{name}SessionTests", (OnAStore, upstream.SessionTestsMixin, SimpleTestCase), {"store": name, **skipped})
    globals()[case.__name__] = case
    zoned = override_settings(USE_TZ=True)(type(f"{name}WithTimeZoneTests", (case,), {}))
    globals()[zoned.__name__] = zoned
del case, zoned


# Without TUILE_STORE: on Django's own connection, in the transactions that these keep open.


class DatabaseSessionTests(upstream.DatabaseSessionTests):
    backend = SessionStore
    session_engine = "tuile.django"


@override_settings(USE_TZ=True)
class DatabaseSessionWithTimeZoneTests(DatabaseSessionTests):
    pass


class CustomDatabaseSessionTests(upstream.CustomDatabaseSessionTests):
    backend = custom.SessionStore
    session_engine = "tuile_suite.custom"


class MiddlewareTests(upstream.SessionMiddlewareTests):
    pass


class ControlTests(SimpleTestCase):
    def test_a_backend_that_forgets_fails_these_tests(self) -> None:
        class Forgetful(SessionStore):
            def load(self) -> dict[str, Any]:
                super().load()
                return {}

        bases = (OnAStore, upstream.SessionTestsMixin, SimpleTestCase)
        case = type("ForgetfulTests", bases, {"store": "Memory", "backend": Forgetful})
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
        self.assertTrue(result.testsRun > 50 and result.failures)
