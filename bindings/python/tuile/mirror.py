"""A framework's own dictionary beside a session."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _flat as flat
from . import arguments
from .handle import committed
from .session import PLAIN, ServedSession, Session, compact, copied, scan, valid_name

if TYPE_CHECKING:
    from .lifetime import Handle
    from .manager import Manager

_MISSING: Any = object()
#: Names that went, and values that came.
Difference = tuple[list[str], dict[str, Any]]
_NOTHING: Difference = [], {}
# What names in JSON can be.
_TEXT = frozenset((str,))


class Mirror:
    """Tells a session what was changed in a dictionary that was made from it, name by name, so
    that what other requests change stays."""

    __slots__ = ("_before", "_copies", "_handle", "_later", "_made", "_manager", "_plain", "_text", "_unsure")

    def __init__(self, manager: Manager, handle: Handle, before: Optional[dict[str, Any]] = None) -> None:
        self._manager, self._handle = manager, handle
        # The session itself, once it was needed.
        self._made: dict[None, Session] = {}
        # The values as they were read or written last: as JSON until they are needed.
        self._text: Optional[str] = None
        self._before: dict[str, Any] = {} if before is None else before
        # The same, where the JSON is there: lists and dictionaries in it may have been changed in place since.
        self._plain: dict[str, Any] = {}
        # Those as they were, where it is likely that they are looked at again.
        self._copies: dict[str, Union[bytes, str]] = {}
        # What was written since, likewise.
        self._later: list[str] = []
        # Names that a commit which failed may have set.
        self._unsure: set[str] = set()

    @classmethod
    def of(cls, session: Session, before: Optional[dict[str, Any]] = None) -> Mirror:
        """One of a session that is there already."""
        mirror = cls(session._manager, session._handle, before)
        mirror._made[None] = session
        return mirror

    @property
    def session(self) -> Session:
        """The session itself."""
        found = self._made.get(None)
        # One, also where two threads ask for it first.
        return self._made.setdefault(None, ServedSession(self._manager, self._handle)) if found is None else found

    def close(self) -> None:
        """Ends the session."""
        self._handle.release()

    def read(self) -> dict[str, Any]:
        """A dictionary of the session's values."""
        return self.read_as(self.session.to_json())

    def read_as(self, text: str, compared: bool = False) -> dict[str, Any]:
        """The same from the JSON of all values. `compared`: what differs is asked for whatever becomes of them."""
        self._text = text
        if self._later or self._unsure:
            self._later.clear()
            self._unsure.clear()
        # The library writes nothing around it.
        values: dict[str, Any] = scan(text, 0)[0]
        self._plain = values.copy()
        self._copies = _copies(values) if compared else {}
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
        self._later.clear()
        self._unsure.clear()

    def write(self, values: Mapping[str, Any]) -> None:
        """Sets and removes what differs from what was read or written before."""
        removed, changed = self.difference(values)
        if removed or changed:
            self._settle()
        self.session._merge(self._before, removed, changed)
        self._unsure.clear()

    def difference(self, values: Mapping[str, Any]) -> Difference:
        """The names that went since it was read or written, and the values that came or are others."""
        values = _named(values)
        if self._unsure:
            self._settle()
            # Whatever they are there, they count as others than these.
            self._before.update(dict.fromkeys(self._unsure - values.keys()))
        return self._between(values)

    def is_same(self, values: dict[str, Any]) -> bool:
        """Whether a dictionary has what was read or written, at a glance: if not, `difference` tells."""
        plain, copies = self._plain, self._copies
        if self._text is None or self._unsure or dict.__len__(values) != len(plain):
            return False
        for name, value in list(dict.items(values)):
            if name not in plain or plain[name] is not value:
                return False
            if value.__class__ not in PLAIN and (name not in copies or copied(value) != copies[name]):
                return False
        return True

    def may_differ_inside(self, values: dict[str, Any]) -> bool:
        """Whether something in it may differ of a dictionary that itself was not used since it was compared or committed."""
        if self._text is None or self._unsure:
            return True
        for name, before in self._copies.items():
            if copied(dict.get(values, name)) != before:
                return True
        return False

    def commit(self, difference: Difference, more: Sequence[str] = (), status: int = 200) -> tuple[str, str]:
        """Makes that difference, then more changes of the library's flat call, and commits, in one call: the session's
        key or an empty text, and the response's headers, names and values with a NUL behind each."""
        if self._is_direct():
            return self._committed(difference, more, status)
        session = self.session
        with session._lock:
            session._changed_inside()
            try:
                return self._committed(difference, more, status)
            finally:
                session._forget()

    def commit_same(self, status: int) -> tuple[str, str]:
        """Commits what nothing was changed in: what a page that only reads comes to."""
        return self._directly(b"", status) if self._is_direct() else self.commit(_NOTHING, (), status)

    def _is_direct(self) -> bool:
        """Whether a call needs no session of Python's around it: nothing has asked for one, and no other thread comes between."""
        return self._manager._is_atomic and not self._made

    def _directly(self, changes: bytes, status: int) -> tuple[str, str]:
        session = self._handle.enter()
        try:
            count, text = self._manager._calls.commit(session, changes, status)
            if count > flat.ROOM:
                text = flat.again(session, count)
        finally:
            self._handle.leave()
        return committed(text if count >= 0 else flat.checked(count, text))

    def _committed(self, difference: Difference, more: Sequence[str], status: int) -> tuple[str, str]:
        removed, changed = difference
        changes = [part for name in removed for part in ("remove", name)]
        if changed:
            text = compact(changed)
            changes += ("set", text)
        if (removed or more) and "\0" in "".join((*removed, *more)):
            # What a flat text can't hold.
            self._settle()
            self.session._merge(self._before, removed, changed)
            changes = []
        changes += more
        try:
            given = "\0".join(changes) + "\0" if changes else ""
            answer = self._directly(arguments.sent(given), status) if self._is_direct() else self.session._commit(status, given)
        except BaseException:
            self._settle()
            # Nobody knows which of them the session has: all are made again.
            self._unsure.update(changed)
            for name in changed:
                self._before.pop(name, None)
            raise
        if removed:
            self._settle()
            for name in removed:
                self._before.pop(name, None)
        if changed:
            self._later.append(text)
            if self._plain:
                self._plain.update(changed)
            if self._copies:
                self._copies.update(_copies(changed))
        self._unsure.clear()
        return answer

    def fetch(self, name: str) -> Any:
        """The value that one name has now. Of the others what was read before still counts: what other
        requests saved meanwhile is not in the dictionary, and must not look removed."""
        self._settle()
        text = json.dumps(self.session[name])
        self._before[name] = json.loads(text)
        return json.loads(text)

    def _between(self, values: Mapping[str, Any]) -> Difference:
        """What went, and what came or is other than it was: parsed once more only where a value may have been
        changed in place."""
        plain = self._plain
        if self._text is None or not plain:
            self._settle()
            return self.session._between(self._before, values)
        changed = {}
        there = 0
        for name, value in values.items():
            before = plain.get(name, _MISSING)
            there += before is not _MISSING
            if before is value:
                if value.__class__ in PLAIN or name in self._copies and self._copies[name] == copied(value):
                    continue
                self._settle()
                before = self._before[name]
            if before is _MISSING or self.session._differ(before, value):
                changed[name] = value
        if there == len(plain):
            return [], changed
        self._settle()
        return [valid_name(name) for name in self._before.keys() - values.keys()], changed

    def _settle(self) -> None:
        if self._text is not None:
            self._before, self._text = scan(self._text, 0)[0], None
        for text in self._later:
            self._before.update(json.loads(text))
        self._later.clear()


def _copies(values: Mapping[str, Any]) -> dict[str, Union[bytes, str]]:
    copies = {}
    for name, value in values.items():
        if value.__class__ not in PLAIN:
            copies[name] = copied(value)
    return copies


def _named(values: Mapping[str, Any]) -> Mapping[str, Any]:
    # JSON has no other names than text.
    if _TEXT.issuperset(map(type, values)):
        return values
    renamed: dict[str, Any] = json.loads(json.dumps(values))
    return renamed
