"""Each step of docs/tutorial-c.md is a program: it is built with gcc as the page says, and does what the page says."""

from __future__ import annotations

import html
import http.client
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "bindings/c/examples/tutorial"
LIBRARY = Path(os.environ.get("TUILE_LIBRARY", ROOT / "build/libtuile.so.0")).resolve()
STEPS = sorted(FOLDER.glob("step*.c"))


class Browser:
    """Follows links and sends forms; `cookies` says whether it keeps cookies."""

    def __init__(self, port: int, cookies: bool = True) -> None:
        self.port, self.takes, self.jar, self.set = port, cookies, dict[str, str](), ""

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if self.jar:
            headers["Cookie"] = "; ".join(f"{n}={v}" for n, v in self.jar.items())
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        self.set = ""
        for header in answer.headers.get_all("Set-Cookie") or []:
            self.set = header
            name, _, value = header.partition(";")[0].partition("=")
            if self.takes:
                self.jar[name] = value
                if "Max-Age=0" in header:
                    del self.jar[name]
        connection.close()
        return answer.status, answer.getheader("Location") or "", text

    def page(self, path: str = "/") -> str:
        status, _, text = self.ask("GET", path, **{"User-Agent": "Firefox"})
        assert status == 200
        return text

    def send(self, text: str, action: str, **fields: str) -> tuple[int, str, str]:
        """The form of a page that goes to `action`."""
        form = next(f for f in re.findall(r"<form.*?</form>", text, re.S) if re.search(rf'action="?{action}', f))
        target = re.search(r'action="?([^" >]+)', form)
        assert target
        hidden = re.findall(r'<input type="?hidden"? name="?(\w+)"? value="([^"]*)"', form)
        return self.ask("POST", html.unescape(target[1]), {n: html.unescape(v) for n, v in hidden} | fields, **{"User-Agent": "Firefox"})


def log_in(browser: Browser, path: str = "/", **more: str) -> str:
    status, location, _ = browser.send(browser.page(path), "/login", user="ada", password="lovelace", **more)
    assert status == 303
    return location


@pytest.fixture(params=STEPS, ids=lambda path: path.stem)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """(step, port)"""
    program = tmp_path / request.param.stem
    includes = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'bindings/c'}"]
    subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", *includes, "-o", program, request.param, FOLDER.parent / "server.c",
                    LIBRARY, f"-Wl,-rpath,{LIBRARY.parent}", "-lmicrohttpd", "-lcrypt", "-pthread"], check=True)  # fmt: skip
    running = subprocess.Popen([program, "0"], env=os.environ | {"TUTORIAL_SECRET": "a secret of at least thirty-two bytes"}, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        port = re.search(r":(\d+)/", running.stdout.readline())
        assert port
        yield int(request.param.stem[4:]), int(port[1])
    finally:
        running.terminate()
        assert running.wait(20) == 0


def test_a_step(server: tuple[int, int]) -> None:
    step, port = server
    browser = Browser(port)
    if step == 1:
        assert ["Page 1" in browser.page(), "Page 2" in browser.page(), "Page 1" in Browser(port).page()] == [True, True, True]
        return
    before = browser.page()
    old = browser.jar["sessionid"]
    assert "Hello guest" in before and browser.send(before, "/login", token="x" * 64, user="ada", password="lovelace")[0] == 403
    assert browser.send(before, "/login", user="ada", password="wrong")[0] == 303 and "Hello guest" in browser.page()
    log_in(browser)
    assert browser.jar["sessionid"] != old, "the login gives a new ID"
    assert "Hello ada" in browser.page()
    if step >= 3:
        assert "expires" not in browser.set.lower()
        remembered = Browser(port)
        log_in(remembered, remember="on")
        assert "Max-Age=2592000" in remembered.set
    if step >= 4:
        other = Browser(port)
        log_in(other)
        text = other.page()
        assert text.count("<li>Firefox") == 3 and text.count("this one") == 1
        assert other.send(text, "/everywhere")[0] == 303
        assert "Hello ada" in other.page() and "Hello guest" in browser.page()
        log_in(browser)
    if step >= 5:
        bare = Browser(port, cookies=False)
        location = log_in(bare)
        assert "sid=" in location and not bare.jar
        assert "Hello ada" in bare.page(location) and "takes no cookies" in bare.page(location)
        assert "takes no cookies" not in browser.page() and "sid=" not in browser.page()
    if step >= 6:
        visitor = Browser(port)
        assert "for users" in visitor.page("/private") and "secret is 42" not in visitor.page("/private")
        assert log_in(visitor, "/private") == "/private" and "secret is 42" in visitor.page("/private")
        forged = Browser(port)
        assert forged.send(forged.page("/private"), "/login", user="ada", password="lovelace", next="//evil.example")[1] == "/"
    assert browser.send(browser.page(), "/logout")[0] == 303
    assert "Hello guest" in browser.page()


def test_the_page_has_every_step() -> None:
    page = (ROOT / "docs/tutorial-c.md").read_text()
    assert len(STEPS) == 6
    for path in STEPS:
        assert path.name in page
