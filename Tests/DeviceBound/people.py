"""Who comes to a site: its user with a browser, and a thief with a copy of all cookies and without the key."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

from bound_browser import BoundBrowser, BoundPage
from secure import Exchange, Secure

#: Seconds: over two minutes, so that no request starts a refresh beside it.
LIFE = 600
#: What a server adds to it.
GRACE = 30
#: As the adapters are told: the path of the endpoint.
ENDPOINT = "/device"


class Clock:
    """The servers' time, which a test moves."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


class User:
    def __init__(self, browser: BoundBrowser, site: Secure, clock: Clock) -> None:
        self.browser, self.site, self.clock = browser, site, clock
        self.page = BoundPage(browser)

    def open(self, path: str) -> None:
        """As if the user had typed the address."""
        self.page.open(self.site.url(path))

    def read(self, path: str) -> Any:
        """The JSON that a script of the page that is open gets; of what is refused the status."""
        return self.page.evaluate(f"fetch({path!r}).then((r) => r.ok ? r.json() : r.status)")

    def fetch(self, path: str) -> int:
        """By a script of the page that is open: the status."""
        return int(self.page.evaluate(f"fetch({path!r}, {{credentials: 'include'}}).then((r) => r.status)"))

    def log_in(self, name: str = "anna", more: str = "") -> None:
        """Until the browser is bound."""
        self.site.forget()
        self.open(f"/login?user={name}{more}")
        (made, *_) = endpoint(self.site, 1, lambda one: one.status == 200)
        self.page.keys.append({"site": f"https://{self.site.name}", "id": json.loads(made.body)["session_identifier"]})
        self.wait_until_bound()
        self.site.forget()

    def wait_until_bound(self) -> None:
        """The browser's session cookie is of the form that is bound, and the bound cookie is there."""
        end = time.monotonic() + 300
        while True:
            cookies = self.cookies()
            if any(name.startswith("__Host-") for name in cookies) and len(cookies.get("sessionid", cookies.get("session", ""))) == 40:
                return
            assert time.monotonic() < end, f"the browser is not bound: {list(cookies)}"
            time.sleep(0.02)

    def cookies(self) -> dict[str, str]:
        return {one["name"]: one["value"] for one in self.browser.cookies() if one["domain"].lstrip(".") == self.site.name}

    def bound_cookie(self) -> str:
        (name,) = [name for name in self.cookies() if name.startswith("__Host-")]
        return name

    def expire(self) -> None:
        """The bound cookie's life is over, for the server and in the browser."""
        self.clock.ahead += LIFE + GRACE + 1
        name = self.bound_cookie()
        end = time.monotonic() + 60
        # A response that is on its way may set it once more.
        while name in self.cookies():
            assert time.monotonic() < end, "the bound cookie can't be deleted"
            self.browser.call("Network.deleteCookies", self.page.session, name=name, url=self.site.url("/"))

    def close(self) -> None:
        """Leaves the browser without cookies and bound sessions of this site."""
        self.page.forget_sessions()
        self.page.close()


class Thief:
    """All cookies as they are now, and nothing else."""

    def __init__(self, user: User, cookies: dict[str, str] | None = None) -> None:
        self.site, self.cookies = user.site, user.cookies() if cookies is None else dict(cookies)

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, str, list[tuple[str, str]]]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.site.port, timeout=30, context=context)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, headers={"Host": f"{self.site.name}:{self.site.port}", "Cookie": cookie, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.getheaders()
        finally:
            connection.close()

    def is_nobody(self) -> None:
        """Whatever is asked, and however: no data, no change, no cookie."""
        for path in ("/page", "/count", "/members", "/sessions", "/cycle", "/revoke?id=x", "/put?name=x"):
            status, body, headers = self.ask(path)
            assert "anna" not in body and "current" not in body, (path, status, body)
            set_cookie = [value for name, value in headers if name.lower() == "set-cookie" and "Max-Age=0" not in value]
            assert status != 401 or not set_cookie, (path, set_cookie)

    def wait_until_nobody(self) -> None:
        """For what goes by the system's clock: Django's own table."""
        end = time.monotonic() + 300
        while self.user() and time.monotonic() < end:
            time.sleep(0.1)

    def user(self) -> str:
        """Whose page it is shown; empty: nobody's."""
        status, body, _ = self.ask("/page")
        return str(json.loads(body)["user"]) if status == 200 else ""


def endpoint(site: Secure, count: int = 1, wanted: Callable[[Exchange], bool] = lambda _: True) -> list[Exchange]:
    return site.wait_for(ENDPOINT, count, wanted)
