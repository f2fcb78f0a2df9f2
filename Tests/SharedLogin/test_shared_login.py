"""A browser logs in to the Django admin: the C server knows the user. It logs out in one, and is out in the other."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Browser"))
from devtools import Chromium, Page, find_chromium  # noqa: E402  the path has to be set first

PICTURES = ROOT / "build/shared_login"


class Site:
    def __init__(self, url: str, password: str, page: Page) -> None:
        self.url, self.password, self.page = url, password, page

    def text(self, path: str, selector: str = "#hello") -> str:
        self.page.open(self.url + path)
        return str(self.page.evaluate(f"document.querySelector({selector!r})?.textContent.trim() ?? ''"))

    def submit(self, script: str) -> None:
        """Runs a script that sends a form, and waits for the page that comes."""
        self.page.browser.forget_events()
        self.page.evaluate(script)
        self.page.browser.wait_for("Page.lifecycleEvent", self.page.session, name="load")

    def log_in(self, password: str) -> None:
        self.page.open(self.url + "admin/")
        fields = f"document.querySelector('#id_username').value = 'ada'; document.querySelector('#id_password').value = '{password}';"
        self.submit(fields + "document.querySelector('#login-form').submit()")

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        data = self.page.browser.call("Page.captureScreenshot", self.page.session)["data"]
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(data))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if find_chromium() is None:
        pytest.skip("there is no chromium on the PATH, nor in $CHROMIUM")
    environment = {
        **os.environ,
        "TUILE_CFLAGS": f"-I{ROOT}/include {ROOT}/build/libtuile.so.0 -Wl,-rpath,{ROOT}/build",
        "TUILE_LIBRARY": str(ROOT / "build/libtuile.so.0"),
        "PYTHONPATH": str(ROOT / "bindings/python"),
    }
    script = ROOT / "bindings/python/examples/shared_login/run.py"
    command = [sys.executable, script, "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url, _, password = process.stdout.readline().split()
            with Chromium(tmp_path_factory.mktemp("chromium") / "profile") as browser:
                yield Site(url, password, Page(browser))
        finally:
            process.terminate()


@pytest.fixture(autouse=True)
def strange(site: Site) -> None:
    site.page.browser.clear_cookies()


def test_nobody_is_logged_in_at_first(site: Site) -> None:
    assert site.text("") == "Django knows nobody" and site.text("hello/") == "Hello, stranger"


def test_a_wrong_password_logs_nobody_in(site: Site) -> None:
    site.log_in("wrong")
    assert site.text("hello/") == "Hello, stranger"


def test_the_c_server_greets_who_logged_in_to_django(site: Site) -> None:
    site.log_in(site.password)
    site.picture("admin")
    assert site.page.evaluate("document.querySelector('#user-tools strong').textContent") == "Ada"
    assert site.text("hello/") == "Hello, Ada Lovelace"
    site.picture("greeter")


def test_who_logs_out_of_django_is_out_of_the_c_server(site: Site) -> None:
    site.log_in(site.password)
    assert site.text("hello/") == "Hello, Ada Lovelace"
    site.page.open(site.url + "admin/")
    site.submit("document.querySelector('#logout-form').submit()")
    site.picture("logged out of Django")
    assert site.text("hello/") == "Hello, stranger"


def test_who_logs_out_of_the_c_server_is_out_of_django(site: Site) -> None:
    site.log_in(site.password)
    assert site.text("") == "Django knows ada"
    assert site.text("hello/logout") == "Hello, stranger"
    site.picture("logged out of the C server")
    assert site.text("") == "Django knows nobody"
    assert site.text("admin/", "#id_username + *, .login-form, #login-form") != ""


def test_a_cookie_that_was_kept_is_worth_nothing_after_the_logout(site: Site) -> None:
    site.log_in(site.password)
    kept = [cookie for cookie in site.page.browser.cookies() if cookie["name"] == "sessionid"]
    site.text("hello/logout")
    site.page.browser.call("Storage.setCookies", cookies=[{k: kept[0][k] for k in ("name", "value", "domain", "path")}])
    assert site.text("hello/") == "Hello, stranger" and site.text("") == "Django knows nobody"
