"""A browser that writes down what it sees, so that two servers can be compared."""

from __future__ import annotations

import email.utils
import http.client
import re
import time
from typing import Any
from urllib.parse import urlencode


class Names:
    """Calls what is random by the order in which it was first seen: K1, K2."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, key: str | None) -> str | None:
        return self._seen.setdefault(key, f"K{len(self._seen) + 1}") if key else key


class Browser:
    def __init__(self, port: int, names: Names) -> None:
        self.port, self.names, self.cookies = port, names, dict[str, str]()

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None)

    def post(self, path: str, **data: str) -> dict[str, Any]:
        """With the token of the form, if there is one."""
        return self._ask("POST", path, data)

    def submit(self, path: str, **data: str) -> dict[str, Any]:
        """Fetches the form, and sends it with all its fields."""
        page = self._fetch("GET", path, None)[2]
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        form.update(re.findall(r'<input type="(?:text|number)" name="([^"]+)" value="([^"]*)"', page))
        return self._ask("POST", path, {**form, **data})

    def _ask(self, method: str, path: str, data: dict[str, str] | None) -> dict[str, Any]:
        status, headers, body = self._fetch(method, path, data)
        told = [self._cookie(value) for name, value in headers if name == "Set-Cookie"]
        kept = {name: sorted(value.split(", ")) for name, value in headers if name in ("Vary", "Cache-Control", "Location")}
        if status >= 400:
            # The pages for developers show addresses and settings.
            body = "".join(re.findall(r"<title>\s*(.*?)\s*</title>", body, re.DOTALL)) or body
        text = re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', r"\1", body)
        text = re.sub(r"[0-9a-f]{64}|\d{7,}|\d+:\d+ [ap].m.|\d\d:\d\d:\d\d", "#", text)
        return {"asked": f"{method} {path}", "status": status, "cookies": sorted(told), "headers": kept, "body": text}

    def _fetch(self, method: str, path: str, data: dict[str, str] | None) -> tuple[int, list[tuple[str, str]], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        for name, value in answer.getheaders():
            if name == "Set-Cookie":
                self._keep(value)
        return answer.status, answer.getheaders(), text

    def _keep(self, header: str) -> None:
        name, _, value = header.partition(";")[0].partition("=")
        if "Max-Age=0" in header or re.search(r"expires=Thu, 01 Jan 1970", header):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def _cookie(self, header: str) -> list[str]:
        pair, *attributes = header.split("; ")
        name, _, value = pair.partition("=")
        if name == "sessionid":
            value = f"{self.names(value.strip(chr(34)))}"
        elif value not in ("", '""'):
            value = "…"
        told = [f"{name}={value}"]
        for attribute in attributes:
            kind, _, rest = attribute.partition("=")
            if kind == "expires":
                left = email.utils.parsedate_to_datetime(rest).timestamp() - time.time()
                rest = "past" if left < -1e6 else str(round(left / 100) * 100)
            told.append(f"{kind}={rest}" if rest else kind)
        return [told[0], *sorted(told[1:])]
