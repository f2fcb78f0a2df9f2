"""The line that is changed, and a store that can be away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

from custom_store import Table
from flask import Flask
from tuile.flask import SessionInterface


class Away(Table):
    """A store that gives no answer while there is a file away beside it."""

    def _ask(self) -> None:
        if os.path.exists(os.environ["STORE"] + ".away"):
            raise TimeoutError("no answer")

    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        self._ask()
        return super().load(key, now)

    def create(self, key: str, data: bytes, expires: int) -> bool:
        self._ask()
        return super().create(key, data, expires)

    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Optional[bool]:
        self._ask()
        return super().replace(key, expected, data, expires)


def change(app: Flask, store: str) -> None:
    SessionInterface(store if ":" in store else Away(Path(store))).init_app(app)
