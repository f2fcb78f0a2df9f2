"""What the library has of one request's session, where a store of its own keeps it: TUILE_STORE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import timezone as zones
from time import time
from typing import Any, Optional, TypeVar

from django.contrib.sessions.backends.base import UpdateError
from django.utils import timezone

from .. import _native as native
from ..mirror import Mirror
from ..session import Session, SessionDeleted
from .configuration import manager
from .limits import ENDS
from .owned import LOGIN, OWNER

Answer = TypeVar("Answer")
_EPOCH = datetime(1970, 1, 1, tzinfo=zones.utc)
# What could end the cookie is no key.
_ENDS = frozenset(' \t;,"\\\r\n')


class Kept:
    """One session of the library's, begun when it is needed. A copy or a pickle of it has what was read, and
    begins a session of its own."""

    def __init__(self) -> None:
        self._mirror: Optional[Mirror] = None
        self._before: dict[str, Any] = {}
        self._cleared = False
        # As it was read or written last.
        self._owner: Optional[str] = None
        #: Where the request comes from: user agent and address.
        self.client = "", ""

    def __getstate__(self) -> dict[str, Any]:
        before = self._before if self._mirror is None else self._mirror.before
        return {**vars(self), "_mirror": None, "_before": before}

    def begun(self, key: Optional[str]) -> Mirror:
        if self._mirror is None:
            self._mirror = Mirror(begin(key), self._before)
            self._before = {}
        return self._mirror

    def end(self) -> None:
        mirror, self._mirror = self._mirror, None
        self._before, self._cleared, self._owner = {}, False, None
        if mirror is not None:
            mirror.session.close()

    def clear(self) -> None:
        """Everything goes with the next write, also what was never read."""
        self._owner = None
        if self._mirror is not None:
            self._mirror.clear()
        else:
            self._before, self._cleared = {}, True

    def load(self, key: Optional[str]) -> Optional[dict[str, Any]]:
        """The values; None if there is no such session."""
        self.end()
        mirror = self.begun(key)
        if not mirror.session.load():
            return None
        values = mirror.read()
        # The library counts neither among the values.
        if (owner := mirror.session.owner) is not None and owner != values.get(LOGIN):
            self._owner = values[OWNER] = owner
        if (left := mirror.session.get_lifetime()) is not None:
            values[ENDS] = int(time()) + left
        return values

    def write(self, key: Optional[str], values: dict[str, Any]) -> Session:
        """Tells the library what was changed."""
        mirror = self.begun(key)
        if self._cleared:
            mirror.clear()
            self._cleared = False
        mirror.write({name: value for name, value in values.items() if name not in (ENDS, OWNER)})
        if (owner := values.get(OWNER)) != self._owner:
            self._owner = mirror.session.owner = owner
        if values.get(ENDS).__class__ is int and mirror.session.get_lifetime() is None:
            mirror.session.set_lifetime(max(1, values[ENDS] - int(time())))
        return mirror.session

    def commit(self, expires: datetime) -> Optional[str]:
        """Saves what was written; the key."""
        assert self._mirror is not None
        session = self._mirror.session
        try:
            session._call("touch")
            session.set_client(*self.client)
            self._expire(session, expires)
            # Django writes the cookie.
            session.commit(headers=False)
        except SessionDeleted:
            raise UpdateError from None
        return session.session_key

    @staticmethod
    def _expire(session: Session, expires: datetime) -> None:
        """Then, whatever Django made that of. A cookie's token says when it was signed, and goes by its expiry."""
        if manager().store_name == "cookie:":
            return
        if timezone.is_naive(expires):
            expires = timezone.make_aware(expires, timezone.get_default_timezone())
        session._call("set_stored_time", native.int64((expires - _EPOCH) // timedelta(microseconds=1)))

    def keep_listed(self, expires: datetime) -> None:
        """What a commit does of a session that was only read: its owner's list says when it was seen."""
        if self._mirror is not None:
            self._mirror.session.set_client(*self.client)
            self._expire(self._mirror.session, expires)
            self._mirror.session.commit(headers=False)

    def at_once(self, key: Optional[str], values: dict[str, Any], name: str, change: Callable[[Session], Answer]) -> Answer:
        """A change of one value that is exact whatever others do; the dictionary has it, too."""
        answer = change(self.write(key, values))
        values[name] = self.begun(key).fetch(name)
        return answer


def begin(session_key: Optional[str]) -> Session:
    found = manager()
    key = session_key if session_key and _ENDS.isdisjoint(session_key) else ""
    session = found.begin(f"{found.cookie_name}={key}" if key else "")
    # Django has it saved, or means it not to be.
    session._warns = False
    return session
