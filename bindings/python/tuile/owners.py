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
    """One session of an owner. Times have a zone: UTC.

    :param id: names the session for ``revoke``, and says nothing of its key.
    :param created: when it was first listed.
    :param seen: when a request last came with it, to the minute.
    :param expires: when it ends if no more requests come.
    :param user_agent: the browser's word for itself, 256 characters at most; what is no printable ASCII is ``?``.
    :param address: where its requests come from, 64 characters at most.
    :param current: it is the session of this request.
    :param device_bound: it is bound to its browser's device. Since 0.2.0.

    .. versionadded:: 0.1.0
    """

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
