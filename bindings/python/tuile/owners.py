"""Whose sessions: an owner's list, as :meth:`tuile.sessions.Manager.sessions` gives it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from . import _native as native


@dataclass(frozen=True)
class OwnedSession:
    """One session of an owner. ``id`` says nothing of its key, and is what ``revoke`` takes."""

    id: str
    created: datetime.datetime
    seen: datetime.datetime
    expires: datetime.datetime
    user_agent: str
    address: str
    current: bool


def owned_session(row: Any) -> OwnedSession:
    def text(view: native.Bytes) -> str:
        return native.copy(view).decode("ascii")

    def date(seconds: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)

    times = date(row.created), date(row.seen), date(row.expires)
    return OwnedSession(text(row.id), *times, text(row.user_agent), text(row.address), row.current)
