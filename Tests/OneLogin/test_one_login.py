"""One browser, one login, five applications, each with its own framework's sessions, behind one nginx."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Browser"))
from devtools import Chromium, Page, find_chromium  # noqa: E402  the path has to be set first

PICTURES = ROOT / "build/one_login"
APPLICATIONS = {"express/": "Express", "php/": "PHP", "flask/": "Flask"}


class Site:
    def __init__(self, url: str, password: str, page: Page, folder: Path) -> None:
        self.url, self.password, self.page, self.folder = url, password, page, folder

    def text(self, path: str, selector: str = "#hello") -> str:
        self.page.open(self.url + path)
        return str(self.page.evaluate(f"document.querySelector({selector!r})?.textContent.trim() ?? ''"))

    def submit(self, script: str) -> None:
        """Runs a script that sends a form, and waits for the page that comes."""
        self.page.browser.forget_events()
        self.page.evaluate(script)
        self.page.browser.wait_for("Page.lifecycleEvent", self.page.session, name="load")

    def log_in(self) -> None:
        self.page.open(self.url + "accounts/login/")
        fields = f"document.querySelector('#id_username').value = 'ada'; document.querySelector('#id_password').value = '{self.password}';"
        self.submit(fields + "document.querySelector('#login').submit()")

    def log_out(self) -> None:
        self.page.open(self.url)
        self.submit("document.querySelector('#logout').submit()")

    def cookies(self) -> dict[str, str]:
        return {cookie["name"]: cookie["value"] for cookie in self.page.browser.cookies()}

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        data = self.page.browser.call("Page.captureScreenshot", self.page.session)["data"]
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(data))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if find_chromium() is None:
        pytest.skip("there is no chromium on the PATH, nor in $CHROMIUM")
    for program in ("php", "redis-server"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on the PATH")
    environment = {
        **os.environ,
        "TUILE_LIBRARY": str(ROOT / "build/libtuile.so.0"),
        "TUILE_TOOL": str(ROOT / "build/tuile"),
        "TUILE_NGINX_MODULE": str(ROOT / "build/nginx/ngx_http_tuile_module.so"),
        "PYTHONPATH": str(ROOT / "bindings/python"),
    }
    folder = tmp_path_factory.mktemp("site")
    script = ROOT / "bindings/python/examples/one_login/run.py"
    command = [sys.executable, script, "--port", "0", "--folder", folder]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url, _, password = process.stdout.readline().split()
            with Chromium(tmp_path_factory.mktemp("chromium") / "profile") as browser:
                yield Site(url, password, Page(browser), folder)
        finally:
            process.terminate()


@pytest.fixture(autouse=True)
def strange(site: Site) -> None:
    site.page.browser.clear_cookies()


def test_nobody_is_logged_in_at_first(site: Site) -> None:
    assert site.text("") == "Django knows nobody" and site.text("who") == "nginx knows"
    for path in (*APPLICATIONS, "counter/"):
        # nginx sends whoever is not logged in to Django's login.
        assert site.text(path, "#login button") == "Log in", path


def test_one_login_for_all_five_and_one_logout(site: Site) -> None:
    site.log_in()
    assert site.text("") == "Django knows ada" and site.text("who") == "nginx knows ada"
    site.picture("Django")
    for path, name in APPLICATIONS.items():
        assert site.text(path) == f"{name} knows ada", path
        site.picture(name)
        # Each counts in its own session, and finds the count again.
        assert [site.text(path, "#visits") for _ in range(2)] == ["2", "3"], path
    assert site.text("counter/", "#user") == "Logged in through Django as user 1"
    assert site.text("counter/", "#count") == "2"
    site.picture("C")
    kept = site.cookies()
    assert {"sessionid", "connect.sid", "PHPSESSID", "session"} <= set(kept)
    site.log_out()
    assert site.text("") == "Django knows nobody" and site.text("who") == "nginx knows"
    assert not {"connect.sid", "PHPSESSID", "session"} & set(site.cookies())
    # Whoever kept the cookies has nothing: not nginx, and not the applications' own sessions.
    host = {"domain": "127.0.0.1", "path": "/"}
    site.page.browser.call("Storage.setCookies", cookies=[{"name": name, "value": value, **host} for name, value in kept.items()])
    assert site.text("") == "Django knows nobody"
    for path in (*APPLICATIONS, "counter/"):
        assert site.text(path, "#login button") == "Log in", path
    assert not (site.folder / "php" / f"sess_{kept['PHPSESSID']}").exists()


def test_another_login_begins_with_sessions_of_its_own(site: Site) -> None:
    site.log_in()
    assert site.text("php/", "#visits") == "1"
    first = site.cookies()
    site.log_in()
    assert site.text("php/", "#visits") == "1" and site.text("express/", "#visits") == "1"
    assert site.cookies()["PHPSESSID"] != first["PHPSESSID"]
