"""Device-bound sessions with Debian's Chromium: `Tests/DeviceBound/run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TUILE_BUILD", ROOT / "build"))
os.environ.setdefault("TUILE_LIBRARY", str(BUILD / "libtuile.so.0"))
sys.path.insert(0, str(ROOT / "bindings/python"))

from bound_browser import BoundBrowser, find_chromium  # noqa: E402
from people import ENDPOINT, LIFE, Clock, User  # noqa: E402
from secure import Secure, certificate, pin  # noqa: E402

HOSTS = ["django", "django-store", "flask", "wsgi", "asgi"]
# A site of its own for each, as cookies do not tell ports apart.
NAMES = ["a.test", "b.test", "c.test"]
SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"), NAMES)


@pytest.fixture(scope="session")
def browser(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoundBrowser]:
    if find_chromium() is None:
        pytest.skip("there is no chromium on the PATH, nor in $CHROMIUM")
    with BoundBrowser(tmp_path_factory.mktemp("chromium") / "profile", pin(file)) as browser:
        yield browser


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


def _django(stack: ExitStack, clock: Clock, **more: Any) -> Any:
    import django_site
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings

    django_site.prepare()
    stack.enter_context(override_settings(**more))
    # Django's settings name no clock.
    from tuile.django import configuration, device

    patch = pytest.MonkeyPatch()
    patch.setattr(device, "open_manager", lambda **given: configuration.open_manager(clock=clock, **given))
    stack.callback(patch.undo)
    return get_wsgi_application()


#: What of a file is run each time, where that is not all: parts of the tests' names.
FEW = {
    "test_bound.py": ("[django]", "[django-500]", "[django-503]", "[django-None]", "goes_on", "is_nobody_after"),
    "test_browser.py": ("keeps_the_key", "quota", "beside_it"),
    "test_fronts.py": ("copy_is_nobody_s[nginx]",),
    "test_stores.py": ("test_what_a_thief_asks", "test_an_id_of_before"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it takes some minutes: `TUILE_FULL=1`. Else Django has it all, and the others what tells whether they are connected."""
    if not os.environ.get("TUILE_FULL"):
        items[:] = [one for one in items if any(word in one.name for word in FEW.get(one.path.name, ("",)))]


@pytest.fixture(scope="module", params=HOSTS)
def site(request: pytest.FixtureRequest, file: Path, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    import plain_site

    folder, host = tmp_path_factory.mktemp("store"), request.param
    bound: dict[str, Any] = {"device_bound": True, "device_path": ENDPOINT, "device_seconds": LIFE}
    with ExitStack() as stack:
        if host == "django":
            application = _django(stack, clock, TUILE_OPTIONS=bound)
        elif host == "django-store":
            application = _django(stack, clock, TUILE_OPTIONS=bound, TUILE_STORE=f"sqlite://{folder}/s.db?mode=rwc")
        else:
            application, manager = getattr(plain_site, host)(
                store=f"sqlite://{folder}/s.db?mode=rwc", secret=SECRET, cookie_secure=True, track_owners=True, clock=clock, **bound
            )
            stack.callback(manager.close)
        yield stack.enter_context(Secure(application, file, "a.test"))


@pytest.fixture(scope="session")
def elsewhere(file: Path) -> Iterator[Secure]:
    """Another site, with an empty page."""

    def empty(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<!doctype html><body></body>"]

    with Secure(empty, file, "b.test") as other:
        yield other


@pytest.fixture
def user(browser: BoundBrowser, site: Secure, clock: Clock) -> Iterator[User]:
    """A tab of its own, with neither a cookie nor a bound session."""
    clock.ahead, site.fault = 0, lambda _: None
    browser.clear_cookies()
    user = User(browser, site, clock)
    if not site.is_known:
        user.open("/public")
        site.wait_for("/favicon.ico")
        site.is_known = True
    site.forget()
    yield user
    user.close()
