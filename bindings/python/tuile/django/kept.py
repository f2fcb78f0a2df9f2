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
from ..manager import Found, Manager
from ..mirror import Mirror
from ..session import Session, SessionDeleted
from .configuration import manager
from .limits import ENDS
from .owned import LOGIN, OWNER

Answer = TypeVar("Answer")
_EPOCH = datetime(1970, 1, 1, tzinfo=zones.utc)
_MICROSECOND = timedelta(microseconds=1)
# What could end the cookie is no key.
_ENDS = frozenset(' \t;,"\\\r\n')


class Kept:
    """One session of the library's, begun when it is needed. A copy or a pickle of it has what was read, and
    begins a session of its own."""

    def __init__(self) -> None:
        self._mirror: Optional[Mirror] = None
        self._before: dict[str, Any] = {}
        self._cleared = False
        # It was read, and nothing has ended it since.
        self._is_there = False
        # As it was read or written last.
        self._owner: Optional[str] = None
        #: Where the request comes from: user agent and address.
        self.client = "", ""

    def __getstate__(self) -> dict[str, Any]:
        before = self._before if self._mirror is None else self._mirror.before
        return {**vars(self), "_mirror": None, "_before": before, "_is_there": False}

    def begun(self, key: Optional[str]) -> Mirror:
        if self._mirror is None:
            self._mirror = Mirror(begin(key), self._before)
            self._before = {}
        return self._mirror

    def end(self) -> None:
        mirror, self._mirror = self._mirror, None
        self._before, self._cleared, self._owner, self._is_there = {}, False, None, False
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
        session, found = begin_and_read(key)
        self._mirror = Mirror(session)
        if found.key is None:
            return None
        self._is_there = True
        values = self._mirror.read_as(found.values)
        # The library counts neither among the values.
        if found.owner is not None and found.owner != values.get(LOGIN):
            self._owner = values[OWNER] = found.owner
        if found.lifetime is not None:
            values[ENDS] = int(time()) + found.lifetime
        return values

    def is_there(self, key: Optional[str]) -> bool:
        """Whether the store has the session."""
        return self._is_there or self.begun(key).session.load()

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

    def save(self, key: Optional[str], values: dict[str, Any], expires: datetime) -> Optional[str]:
        """What `write` and `commit` do, in one call where that can be."""
        owner = values.get(OWNER)
        if self._cleared or ENDS in values or owner == "":
            self.write(key, values)
            return self.commit(expires)
        mirror, more = self.begun(key), ["touch", ""]
        if owner is not None:
            values = {name: value for name, value in values.items() if name != OWNER}
        if owner != self._owner:
            more += ["owner", owner or ""]
        if self.client != ("", ""):
            more += ["user_agent", self.client[0], "address", self.client[1]]
        if (at := _stored(expires)) is not None:
            more += ["expires", str(at)]
        try:
            saved = mirror.commit(values, more)
        except SessionDeleted:
            self._is_there = False
            raise UpdateError from None
        except BaseException:
            self._is_there = False
            raise
        self._owner = owner
        return saved

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
            self._is_there = False
            raise UpdateError from None
        return session.session_key

    @staticmethod
    def _expire(session: Session, expires: datetime) -> None:
        if (at := _stored(expires)) is not None:
            session._call("set_stored_time", native.int64(at))

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


def _stored(expires: datetime) -> Optional[int]:
    """That time in microseconds, whatever Django made it of. A cookie's token says when it was signed, and goes by its
    expiry: None."""
    if manager().store_name == "cookie:":
        return None
    if timezone.is_naive(expires):
        expires = timezone.make_aware(expires, timezone.get_default_timezone())
    return (expires - _EPOCH) // _MICROSECOND


def begin(session_key: Optional[str]) -> Session:
    found = manager()
    return _of_django(found.begin(_header(found, session_key)))


def begin_and_read(session_key: Optional[str]) -> tuple[Session, Found]:
    manager_ = manager()
    session, found = manager_.begin_and_read(_header(manager_, session_key))
    return _of_django(session), found


def _header(manager: Manager, session_key: Optional[str]) -> str:
    return f"{manager.cookie_name}={session_key}" if session_key and _ENDS.isdisjoint(session_key) else ""


def _of_django(session: Session) -> Session:
    # Django has it saved, or means it not to be.
    session._warns = False
    return session
