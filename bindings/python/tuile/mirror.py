"""A framework's own dictionary beside a session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from .session import Session


class Mirror:
    """Tells a session what was changed in a dictionary that was made from it, name by name, so
    that what other requests change stays."""

    def __init__(self, session: Session, before: Optional[dict[str, Any]] = None) -> None:
        self.session = session
        # The values as they were read or written last: as JSON until they are needed.
        self._text: Optional[str] = None
        self._before: dict[str, Any] = {} if before is None else before

    def read(self) -> dict[str, Any]:
        """A dictionary of the session's values."""
        self._text = self.session.to_json()
        values: dict[str, Any] = json.loads(self._text)
        return values

    @property
    def before(self) -> dict[str, Any]:
        """The values as they were read or written last."""
        self._settle()
        return self._before

    def clear(self) -> None:
        """Drops everything, also what was never read."""
        self.session.clear()
        self._text, self._before = None, {}

    def write(self, values: Mapping[str, Any]) -> None:
        """Sets and removes what differs from what was read or written before."""
        self._settle()
        if not all(key.__class__ is str for key in values):
            # JSON has no other names.
            values = json.loads(json.dumps(values))
        self.session.merge(self._before, values)

    def fetch(self, name: str) -> Any:
        """The value that one name has now. Of the others what was read before still counts: what other
        requests saved meanwhile is not in the dictionary, and must not look removed."""
        self._settle()
        text = json.dumps(self.session[name])
        self._before[name] = json.loads(text)
        return json.loads(text)

    def _settle(self) -> None:
        if self._text is not None:
            self._before, self._text = json.loads(self._text), None
