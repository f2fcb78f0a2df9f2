"""The core of it on each store: in memory, in PostgreSQL, and in Redis. SQLite and Django's own table are everybody else's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from people import ENDPOINT, LIFE, Clock
from plain_site import wsgi
from secure import Secure
from test_bound import (  # noqa: F401
    refreshes,
    test_a_login_is_bound_and_goes_on,
    test_a_logout_ends_both,
    test_a_new_id_meanwhile_stays_bound,
    test_a_thief_can_neither_refresh_nor_register,
    test_a_thief_with_all_cookies_is_nobody_after_the_cookie_s_life,
    test_cookies_copied_before_the_registration_are_nobody_s,
    test_five_requests_and_two_tabs_at_once_refresh_once,
    test_the_list_of_sessions_says_it_and_ends_it,
)

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Tests/Stores"))
sys.path.append(str(ROOT / "bindings/python/tests"))

from test_device_bound import Browser  # noqa: E402

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
STORES = ["memory", "postgresql", "redis"]


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL, with a server of its own."""
    if request.param == "memory":
        yield "memory:"
    elif request.param == "postgresql":
        import postgresql_server

        if postgresql_server.binaries() is None:
            pytest.skip("there is no PostgreSQL server")
        with postgresql_server.running() as server:
            yield server.url(server.new_database())
    else:
        import redis_server

        if shutil.which("redis-server") is None:
            pytest.skip("there is no redis-server on the PATH")
        server = redis_server.Server(tmp_path_factory.mktemp("redis") / "server").start()
        try:
            yield f"redis://127.0.0.1:{server.port}/0"
        finally:
            server.stop()


@pytest.fixture(scope="module")
def made(store: str, clock: Clock) -> Iterator[Any]:
    with ExitStack() as stack:
        application, manager = wsgi(
            store=store, secret=SECRET, cookie_secure=True, track_owners=True, clock=clock, device_bound=True, device_path=ENDPOINT, device_seconds=LIFE
        )
        stack.callback(manager.close)
        yield application


@pytest.fixture(scope="module")
def site(made: Any, file: Path) -> Iterator[Secure]:
    with Secure(made, file, "a.test") as site:
        yield site


@pytest.fixture
def software(made: Any, clock: Clock) -> Browser:
    """A browser that is this test's, logged in and bound."""
    clock.ahead = 0
    browser = Browser(made)
    browser.endpoint = ENDPOINT
    browser.register(browser.ask("/login?user=anna")[1])
    return browser


def copy(browser: Browser, *names: str) -> Browser:
    thief = Browser(browser.application)
    thief.cookies = {name: browser.cookies[name] for name in names or browser.cookies}
    return thief


def test_what_a_thief_asks_changes_nothing_and_goes_on(software: Browser, clock: Clock) -> None:
    assert b'"count": 1' in software.ask("/count")[2]
    thief = copy(software)
    clock.ahead += LIFE + 60
    for path in ("/count", "/page", "/logout", "/cycle"):
        assert copy(thief).ask(path)[0] == 401
    assert software.refresh() == 200
    assert b'"count": 2' in software.ask("/count")[2]


def test_an_id_of_before_is_over_and_the_bound_one_goes_on(made: Any, clock: Clock) -> None:
    clock.ahead = 0
    browser = Browser(made)
    browser.endpoint = ENDPOINT
    offer = browser.ask("/login?user=anna")[1]
    before = copy(browser)
    browser.register(offer)
    clock.ahead += 30
    assert b"anna" not in before.ask("/page")[2] and b"anna" in browser.ask("/page")[2]
