"""A framework's own dictionary beside a session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .session import Session


class Mirror:
    """Tells a session what was changed in a dictionary that was made from it, name by name, so
    that what other requests change stays."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._base = "{}"

    def read(self) -> dict[str, Any]:
        """A dictionary of the session's values."""
        self._base = self.session.to_json()
        values: dict[str, Any] = json.loads(self._base)
        return values

    def write(self, values: Mapping[str, Any]) -> None:
        """Sets and removes what differs from what was read or written before."""
        text = json.dumps(values, separators=(",", ":"))
        if text != self._base:
            # JSON has no other names than text.
            plain = all(key.__class__ is str for key in values)
            self.session.merge(json.loads(self._base), values if plain else json.loads(text))
            self._base = text
