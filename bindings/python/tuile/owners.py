"""Whose sessions: an owner's list, as :meth:`tuile.sessions.Manager.sessions` gives it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from . import _native as native


def date_of(seconds: int) -> datetime.datetime:
    # The library's times reach further than Python's.
    return _EPOCH + datetime.timedelta(seconds=max(0, min(seconds, _LATEST)))


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_LATEST = (datetime.datetime.max.replace(tzinfo=datetime.timezone.utc) - _EPOCH) // datetime.timedelta(seconds=1)


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
    #: It is bound to its browser's device. Since 0.2.
    device_bound: bool = False


def owned_session(row: Any) -> OwnedSession:
    """From the library's struct, within the callback that has it."""

    def text(view: native.Bytes) -> str:
        return native.copy(view).decode("ascii", "replace")

    times = date_of(row.created), date_of(row.seen), date_of(row.expires)
    return OwnedSession(text(row.id), *times, text(row.user_agent), text(row.address), row.current, row.device_bound)
