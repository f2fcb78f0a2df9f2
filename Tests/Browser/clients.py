"""What the tests hold: a browser's tab, and a curl with its jar."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from devtools import Chromium, Page
from served import Parameter, Server

SITE = "https://a.test"


def lives(expires: float, seconds: int, began: float) -> bool:
    """Whether it was set at some time since then, to end so much later."""
    return began - 2 < expires - seconds < time.time() + 2


class Visitor:
    """A browser's tab at the server."""

    def __init__(self, browser: Chromium, server: Server) -> None:
        self.browser, self.server = browser, server
        self.page = Page(browser)

    def set(self, origin: str = SITE, /, **parameters: Parameter) -> dict[str, Any]:
        """The page /set: its answer says what the library wrote."""
        return dict(self.page.read(self.server.url(origin, "/set", **parameters)))

    def must_set(self, origin: str = SITE, /, **parameters: Parameter) -> None:
        answer = self.set(origin, **parameters)
        assert answer["status"] == "TUILE_OK", answer

    def echo(self, origin: str = SITE, path: str = "/echo", /, **parameters: Parameter) -> dict[str, Any]:
        """The page /echo: what the library reads of what the browser sends."""
        answer = dict(self.page.read(self.server.url(origin, path, **parameters)))
        assert answer["status"] == "TUILE_OK", answer
        return answer

    def sent(self, origin: str = SITE, path: str = "/echo") -> list[tuple[str, str]]:
        return [(cookie["name"], cookie["value"]) for cookie in self.echo(origin, path)["cookies"]]

    def stored(self) -> list[dict[str, Any]]:
        return self.browser.cookies()

    def write(self, cookie: str) -> None:
        """As a script does. It is read back since a script's write is on its way when the script ends, and only the
        same page's next read is sure to come after it."""
        self.page.evaluate(f"document.cookie = {json.dumps(cookie)}; document.cookie")


class Curl:
    """Each call is a process of its own that reads the jar's file and writes it."""

    def __init__(self, jar: Path, server: Server) -> None:
        self.jar, self.server = jar, server

    def run(self, url: str, *options: str, jar: bool = True) -> Any:
        # No ~/.curlrc, and names that only this test knows.
        command = ["curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "10"]
        command += ["--cacert", str(self.server.certificate)]
        for port in self.server.ports.values():
            command += ["--resolve", f"*:{port}:127.0.0.1"]
        if jar:
            command += ["--cookie", str(self.jar), "--cookie-jar", str(self.jar)]
        answer = subprocess.run([*command, *options, url], check=True, capture_output=True, text=True)
        return json.loads(answer.stdout)

    def set(self, origin: str = SITE, /, **parameters: Parameter) -> dict[str, Any]:
        return dict(self.run(self.server.url(origin, "/set", **parameters)))

    def must_set(self, origin: str = SITE, /, **parameters: Parameter) -> None:
        answer = self.set(origin, **parameters)
        assert answer["status"] == "TUILE_OK", answer

    def echo(self, origin: str = SITE, path: str = "/echo", *options: str, **parameters: Parameter) -> dict[str, Any]:
        return dict(self.run(self.server.url(origin, path, **parameters), *options))

    def sent(self, origin: str = SITE, path: str = "/echo", *options: str) -> list[tuple[str, str]]:
        return [(cookie["name"], cookie["value"]) for cookie in self.echo(origin, path, *options)["cookies"]]

    def lines(self) -> list[list[str]]:
        """The jar's file: domain, whether its subdomains too, path, secure, expires, name, value."""
        text = self.jar.read_text(encoding="latin-1")
        return [
            line.split("\t") for line in text.splitlines() if line and (line[0] != "#" or line.startswith("#HttpOnly_"))
        ]
