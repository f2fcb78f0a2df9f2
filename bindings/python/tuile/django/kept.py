"""What the library has of one request's session, where a store of its own keeps it: TUILE_STORE."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any, Optional, TypeVar

from django.contrib.sessions.backends.base import UpdateError

from .. import _native as native
from .. import arguments
from ..manager import Manager
from ..mirror import Mirror
from ..session import ServedSession, Session, SessionDeleted
from .configuration import manager
from .limits import ENDS
from .owned import LOGIN, OWNER

Answer = TypeVar("Answer")
# What could end the cookie is no key.
_ENDS = frozenset(' \t;,"\\\r\n')


class Kept:
    """One session of the library's, begun when it is needed. A copy or a pickle of it has what was read, and
    begins a session of its own."""

    _mirror: Optional[Mirror] = None
    # What was read, where there is no mirror any more.
    _before: Optional[dict[str, Any]] = None
    _cleared = False
    # It was read, and nothing has ended it since.
    _is_there = False
    # As it was read or written last.
    _owner: Optional[str] = None
    #: Where the request comes from: user agent and address.
    client = "", ""

    def __getstate__(self) -> dict[str, Any]:
        before = self._before if self._mirror is None else self._mirror.before
        return {**vars(self), "_mirror": None, "_before": before, "_is_there": False}

    def begun(self, key: Optional[str]) -> Mirror:
        if self._mirror is None:
            self._mirror = Mirror.of(begin(key), self._before)
            self._before = None
        return self._mirror

    def end(self) -> None:
        mirror = self._mirror
        self._mirror = self._before = self._owner = None
        self._cleared = self._is_there = False
        if mirror is not None:
            mirror.close()

    def clear(self) -> None:
        """Everything goes with the next write, also what was never read."""
        self._owner = None
        if self._mirror is not None:
            self._mirror.clear()
        else:
            self._before, self._cleared = None, True

    def load(self, key: Optional[str]) -> Optional[dict[str, Any]]:
        """The values; None if there is no such session."""
        if vars(self):
            self.end()
        found_by = manager()
        handle, (found, owner, lifetime, text) = found_by._read(arguments.sent(_header(found_by, key)))
        self._mirror = Mirror(found_by, handle)
        if not found:
            return None
        self._is_there = True
        values = self._mirror.read_as(text)
        # The library counts neither among the values.
        if owner and owner != values.get(LOGIN):
            self._owner = values[OWNER] = owner
        if lifetime:
            values[ENDS] = int(time()) + int(lifetime)
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

    # `expires`: in microseconds; None goes by its expiry.

    def save(self, key: Optional[str], values: dict[str, Any], expires: Optional[int]) -> Optional[str]:
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
        if expires is not None:
            more += ["expires", str(expires)]
        try:
            saved, _ = mirror.commit(mirror.difference(values), more)
        except SessionDeleted:
            self._is_there = False
            raise UpdateError from None
        except BaseException:
            self._is_there = False
            raise
        self._owner = owner
        return saved or None

    def commit(self, expires: Optional[int]) -> Optional[str]:
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
    def _expire(session: Session, expires: Optional[int]) -> None:
        if expires is not None:
            session._call("set_stored_time", native.int64(expires))

    def keep_listed(self, expires: Optional[int]) -> None:
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
    return found.begin_as(ServedSession, _header(found, session_key))


def _header(manager: Manager, session_key: Optional[str]) -> str:
    # That of most keys is known at a glance.
    fits = session_key and (session_key.isalnum() or _ENDS.isdisjoint(session_key))
    return f"{manager.cookie_name}={session_key}" if fits else ""
