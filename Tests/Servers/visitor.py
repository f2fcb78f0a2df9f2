"""A browser's part: requests with cookies that are kept."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from urllib.parse import quote


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, values
        return values[0] if values else None


class Visitor:
    def __init__(self, port: int, cookie_name: str = "sessionid") -> None:
        self.port = port
        self.cookie_name = cookie_name
        self.cookie: str | None = None

    def with_cookie(self, cookie: str | None) -> Visitor:
        self.cookie = cookie
        return self

    def get(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = dict(headers or {})
        if self.cookie is not None and "Cookie" not in sent:
            sent["Cookie"] = f"other=1; {self.cookie_name}={self.cookie}"
        try:
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            response = Response(answer.status, answer.getheaders(), answer.read().decode())
        finally:
            connection.close()
        for value in response.all("Set-Cookie"):
            name, _, rest = value.partition("=")
            if name == self.cookie_name:
                self.cookie = None if "Max-Age=0" in value else rest.split(";")[0]
        return response

    def put(self, **values: object) -> None:
        """Into the session, by Django."""
        assert self.get(f"/put?data={quote(json.dumps(values))}").body == "put"

    def log_in(self) -> None:
        assert self.get("/accounts/login/?user=anna&password=secret").body == "welcome"
        assert self.cookie

    def get_served(self, path: str, seconds: float = 60) -> Response:
        """The first answer that is no 503: a process that nobody asked since finds the store at its next request."""
        deadline = time.monotonic() + seconds
        while (response := self.get(path)).status == 503:
            assert time.monotonic() < deadline, response
            time.sleep(0.1)
        return response

    def wait_until_served(self, path: str, seconds: float = 60) -> None:
        """For a store that was away when it was last tried, by each of several processes at its time."""
        deadline = time.monotonic() + seconds
        in_a_row = 0
        while in_a_row < 20:
            status = self.get(path).status
            assert status in (200, 503) and time.monotonic() < deadline, status
            in_a_row = in_a_row + 1 if status == 200 else 0
            time.sleep(0.1 if status == 503 else 0)
