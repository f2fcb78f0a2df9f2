"""A store in Python for tests: it counts what it is asked, and can be away, slow, or stand still."""

from __future__ import annotations

import threading
import time
from typing import Any, Optional

from tuile.stores import Store


class Dictionary(Store):
    def __init__(self, seconds: float = 0.0, *, reopens: bool = False) -> None:
        self.reopens = reopens
        self.lock = threading.Lock()
        self.rows: dict[str, tuple[bytes, int]] = {}
        self.asked: list[str] = []
        self.threads: set[int] = set()
        self.seconds = seconds
        self.away = False
        self.under_way = self.closed = 0
        self.held = ""
        self.reached, self.go = threading.Event(), threading.Event()

    def hold(self, what: str) -> None:
        """The next call of that name sets `reached`, and goes on when `go` is set."""
        self.reached, self.go = threading.Event(), threading.Event()
        self.held = what

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        self.threads.add(threading.get_ident())
        assert not self.closed, "a closed store is asked"
        if self.seconds:
            self.under_way += 1
            time.sleep(self.seconds)
            self.under_way -= 1
        if what == self.held:
            self.held = ""
            self.under_way += 1
            self.reached.set()
            assert self.go.wait(300), "nobody let it go on"
            self.under_way -= 1
        assert not self.closed, "the store was closed in use"
        if self.away:
            raise TimeoutError("no answer from db-7")

    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        self._ask("load")
        row = self.rows.get(key)
        return row if row and row[1] > now else None

    def create(self, key: str, data: bytes, expires: int) -> bool:
        self._ask("create")
        with self.lock:
            row = (data, expires)
            return self.rows.setdefault(key, row) is row

    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Optional[bool]:
        self._ask("replace")
        with self.lock:
            if key not in self.rows:
                return None
            if self.rows[key][0] != expected:
                return False
            self.rows[key] = data, expires
            return True

    def touch(self, key: str, expires: int) -> bool:
        self._ask("touch")
        with self.lock:
            if key in self.rows:
                self.rows[key] = self.rows[key][0], expires
            return key in self.rows

    def remove(self, key: str) -> None:
        self._ask("remove")
        with self.lock:
            self.rows.pop(key, None)

    def sweep(self, now: int, limit: int) -> int:
        return 0

    def put(self, key: str, data: bytes, expires: int) -> None:
        self._ask("put")
        with self.lock:
            self.rows[key] = data, expires

    def close(self) -> None:
        assert not self.under_way, "the store was closed in use"
        self.closed += not self.reopens

    def takes(self) -> list[str]:
        """What it was asked since the last call."""
        asked, self.asked = self.asked, []
        return asked


def pair(response: Any) -> str:
    """The cookie that a browser would send back."""
    value: str = response.headers["Set-Cookie"]
    return value.partition(";")[0]
