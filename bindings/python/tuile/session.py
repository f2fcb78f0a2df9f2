"""One request's session."""

from __future__ import annotations

import datetime
import json
import marshal
from collections.abc import Callable, ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from ctypes import byref, c_int64
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _flat as flat
from . import _native as native
from . import arguments
from .errors import ArgumentError, ArgumentTypeError, SessionDeleted, SyntaxProblem
from .handle import SessionHandle

if TYPE_CHECKING:
    from .lifetime import Handle
    from .manager import Manager

_ENCODER = json.JSONEncoder(separators=(",", ":"))
_COMPACT = _ENCODER.encode
_make = getattr(json.encoder, "c_make_encoder", None)


def compact(value: Any) -> str:
    """As the encoder's own method, which takes most of its time to find out what is asked."""
    if _make is None:
        return _COMPACT(value)
    # Made anew, with nothing that it has met: a value that is inside itself is told at once, and other threads are not in it.
    return "".join(_make({}, _ENCODER.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)(value, 0))


try:
    compact({})
except TypeError:
    # Of a Python whose encoder is made another way.
    _make = None
#: What the library writes, around which there is nothing: the value, and where it ends. It takes half of `json.loads`.
scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_MISSING: Any = object()
# Of these nothing can be changed in place.
PLAIN = frozenset((str, int, bool, float, type(None)))
EXACT = PLAIN - {float}
_UTC = datetime.timezone.utc
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)

__all__ = ["Session", "SessionDeleted"]

Expiry = Union[int, datetime.datetime, datetime.timedelta, str, None]


def copied(value: Any, dumps: Callable[[Any], str] = compact) -> Union[bytes, str]:
    """A value as it is now: Python's own octets of it, which take a sixth of JSON's time, or JSON where it has none."""
    try:
        return marshal.dumps(value, 2)
    except ValueError:
        return dumps(value)


class Session(SessionHandle, MutableMapping[str, Any]):
    """One request's session: a dictionary of what JSON can hold, with Django's methods.

    What is set or removed is a change of its own, made again on what another request saved
    meanwhile. A list or dictionary inside may be changed in place: whether it was is seen when
    the session is saved. A :class:`Manager` begins it. A lock of its own lets one thread at a time in.

    The first use of a value reads the session, and raises StoreError if the store gave no answer, SessionUnbound if a
    device-bound session came without its bound cookie, and ArgumentError once it has ended. Names are text: anything else is a
    TypeError, and half a surrogate pair a SyntaxProblem. A value that JSON can't hold is a TypeError.

    :param manager: what it was begun by.
    :param handle: the library's.

    .. versionadded:: 0.1.0
    """

    # What the library holds, fetched in one call; None before that.
    _values: Optional[dict[str, Any]] = None

    def __init__(self, manager: Manager, handle: Handle) -> None:
        super().__init__(manager, handle)
        # Values that the caller may change in place, as they were when he got them: `copied`.
        self._lent: dict[str, Union[bytes, str]] = {}

    # -- the dictionary

    def _dumps(self, value: Any) -> str:
        return compact(value)

    def _loads(self, text: str) -> Any:
        return scan(text, 0)[0]

    def _dict(self) -> dict[str, Any]:
        if self._values is None:
            self._values = self._loads(self.to_json())
        elif self._handle.released:
            raise ArgumentError("the session has ended")
        return self._values

    def _lend(self, key: str, value: Any) -> Any:
        if value.__class__ not in PLAIN and key not in self._lent:
            self._lent[key] = copied(value, self._dumps)
        return value

    def _is_as(self, before: Union[bytes, str], value: Any) -> bool:
        """Whether a value is what was copied, as JSON has it."""
        now = copied(value, self._dumps)
        if now == before:
            return True
        return self._dumps(value) == (before if before.__class__ is str else self._dumps(marshal.loads(before)))  # type: ignore[arg-type]

    def _return(self) -> None:
        """Sets what was changed in place."""
        for key, before in list(self._lent.items()):
            value = self._dict()[key]
            if not self._is_as(before, value):
                self._change("set_json", native.octets(key), native.octets(self._dumps(value)))
                self._lent[key] = copied(value, self._dumps)

    def _forget(self, values: Optional[dict[str, Any]] = None) -> None:
        self._values = values
        self._lent.clear()

    def _changed_inside(self) -> None:
        if self._lent:
            self._return()
        self._forget()

    def __getitem__(self, key: str) -> Any:
        with self._lock:
            return self._lend(key, self._dict()[key])

    def __setitem__(self, key: str, value: Any) -> None:
        text = self._dumps(value)
        with self._lock:
            self._change("set_json", native.octets(valid_name(key)), native.octets(text))
            self._lent.pop(key, None)
            self._dict()[key] = value
            self._lend(key, value)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._dict()

    def __len__(self) -> int:
        with self._lock:
            return len(self._dict())

    def __iter__(self) -> Iterator[str]:
        # Another thread may set a value meanwhile.
        with self._lock:
            return iter(list(self._dict()))

    def items(self) -> ItemsView[str, Any]:
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        return _Values(self)

    def _pairs(self) -> list[tuple[str, Any]]:
        with self._lock:
            return [(key, self._lend(key, value)) for key, value in self._dict().items()]

    def has_key(self, key: str) -> bool:
        """As ``key in session``, by Django's name.

        :param key: the value's name.
        :returns: whether it is there.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        return key in self

    def get(self, key: str, default: Any = None) -> Any:
        with self._lock:
            return self[key] if key in self._dict() else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        with self._lock:
            if key not in self._dict():
                self[key] = default
            return self[key]

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        with self._lock:
            values = self._dict()
            if key not in values:
                if default is _MISSING:
                    raise KeyError(key)
                return default
            self._call("remove", native.unicode(key))
            self._lent.pop(key, None)
            return values.pop(key)

    def popitem(self) -> tuple[str, Any]:
        """Takes the value out that was added last, as a dict does."""
        with self._lock:
            values = self._dict()
            if not values:
                raise KeyError("the session is empty")
            key = next(reversed(values))
            return key, self.pop(key)

    def update(self, *others: Any, **named: Any) -> None:
        """Sets many values in one call."""
        values = {valid_name(key): value for key, value in dict(*others, **named).items()}
        text = self._dumps(values)
        with self._lock:
            self._call("update", native.unicode(text))
            for key, value in values.items():
                self._lent.pop(key, None)
                self._dict()[key] = value
                self._lend(key, value)

    def merge(self, before: dict[str, Any], after: Mapping[str, Any]) -> None:
        """Sets and removes what differs between two dictionaries, for those who keep one of their own,
        and makes the first a copy of the second.

        :param before: as it was: what the session has.
        :param after: as it shall be.
        :raises StoreError: the store gave no answer.
        :raises TypeError: a name is no text, or JSON can't hold a value.

        .. versionadded:: 0.1.0
        """
        self._merge(before, *self._between(before, after))

    def _merge(self, before: dict[str, Any], removed: list[str], changed: dict[str, Any]) -> None:
        with self._lock:
            self._changed_inside()
            for key in removed:
                self._call("remove", native.unicode(key))
                before.pop(key, None)
            if changed:
                text = self._dumps(changed)
                self._call("update", native.unicode(text))
                before.update(self._loads(text))

    def _between(self, before: dict[str, Any], after: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
        """The names that went from one dictionary to another, and the values that came or are others."""
        changed = {k: v for k, v in after.items() if k not in before or self._differ(before[k], v)}
        return [valid_name(key) for key in before.keys() - after.keys()], changed

    def _differ(self, one: Any, other: Any) -> bool:
        # 1, 1.0 and True are equal in Python and not in JSON; so are 0.0 and -0.0, and NaN is not equal to itself.
        if one.__class__ is other.__class__ and one.__class__ in EXACT:
            return bool(one != other)
        try:
            # Octets of the same objects: a sixth of JSON's time, and what differs may be the same there still.
            if marshal.dumps(one, 2) == marshal.dumps(other, 2):
                return False
        except ValueError:
            pass
        return self._dumps(one) != self._dumps(other)

    def to_json(self) -> str:
        """All values as one JSON text, in one call.

        :returns: the text of an object, in the order in which the values were added.
        :raises StoreError: the store gave no answer.
        :raises TypeError: what was changed in place is nothing that JSON can hold any more.

        .. versionadded:: 0.1.0
        """
        with self._lock:
            self._return()
            text = self._flat(self._manager._calls.json)
        return text.decode("utf-8", "surrogatepass")

    def clear(self) -> None:
        """Drops all values without reading them; the session keeps its key."""
        with self._lock:
            self._call("clear")
            self._forget({})

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once; not with ``cookie:`` stores, where the last response wins.

        :param key: the counter's name; one that is missing counts as 0.
        :param delta: what is added; it may be negative.
        :returns: the sum as this request sees it.
        :raises ValueTypeError: the value is no integer.
        :raises RangeError: the sum does not fit into 64 bits.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0

        >>> from tuile.sessions import Manager
        >>> with Manager(store="memory:") as manager, manager.begin("") as session:
        ...     session.add_int("pages"), session.add_int("pages", 9), bool(session.commit())
        (1, 10, True)
        """
        with self._lock:
            total: int = self._change("add_int", native.octets(valid_name(key)), native.int64(delta, "delta"))
            if self._values is not None:
                self._values[key] = total
        return total

    def append(self, key: str, value: Any) -> None:
        """Puts a value at the end of a list, and loses none that another request appends at once; not with ``cookie:`` stores,
        where the last response wins.

        :param key: the list's name; one that is missing is made.
        :param value: anything that JSON can hold.
        :raises ValueTypeError: what is there is no list.
        :raises StoreError: the store gave no answer.
        :raises TypeError: JSON can't hold the value.

        .. versionadded:: 0.1.0
        """
        with self._lock:
            self._return()
            self._call("append", native.unicode(valid_name(key)), native.unicode(self._dumps(value)))
            if self._values is not None:
                self._values.setdefault(key, []).append(value)
                if key in self._lent:
                    self._lent[key] = copied(self._values[key], self._dumps)

    # -- the session

    @property
    def accessed(self) -> bool:
        """Whether this request read or changed the session.

        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.0
        """
        return (self._values is not None and not self._handle.released) or self._ask("accessed")

    @property
    def modified(self) -> bool:
        """Whether this request changed the session, in place included.

        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.0
        """
        with self._lock:
            self._return()
            return self._ask("modified")

    def flush(self) -> None:
        """Logs out: deletes the data and the session in the store at once, and on commit the cookie. No request that
        began earlier brings it back. What is set afterwards is a new session.

        :raises StoreError: the store gave no answer: the session may be there still. Call it again.

        .. versionadded:: 0.1.0
        """
        with self._lock:
            self._call("flush")
            # The store knows already; what is in a cookie ends with the cookie that the commit sends.
            self._unsaved = self._manager.store_name == "cookie:"
            self._forget({})

    def cycle_key(self) -> None:
        """A new session ID for the same data, as every login should do, so that an ID known from before is worth nothing.

        For ``cycle_grace`` seconds the old one still shows the session as it was, to requests under way.

        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        self._call("cycle_id")

    def set_expiry(self, value: Expiry) -> None:
        """When the session ends.

        :param value: idle seconds as a number, 0 until the browser closes, a fixed time as a ``datetime`` (UTC if it has no zone) or
           a ``timedelta`` from now, or None for ``cookie_age``.
        :raises ArgumentTypeError: it is none of these.
        :raises RangeError: no date up to the year 9999 holds it, or more than ``cookie_age`` with the setting ``revocations``.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        if isinstance(value, datetime.timedelta):
            value = datetime.datetime.now(_UTC) + value
        if isinstance(value, str):
            raise ArgumentTypeError("the expiry has to be seconds, a datetime, a timedelta or None, not str")
        with self._lock:
            if value is None:
                self._call("set_expiry", native.UNSET)
            elif isinstance(value, datetime.datetime):
                self._call("set_expiry_time", (_aware(value) - _EPOCH) // _MICROSECOND)
            else:
                self._call("set_expiry", native.int64(value, "the expiry"))
            self._changed_inside()

    def get_expiry_age(self, *, modification: Optional[datetime.datetime] = None, expiry: Expiry = _MISSING) -> int:
        """Seconds that are left.

        :param modification: when it was saved; now, if that is not said.
        :param expiry: in place of the session's own: seconds, a date, a ``timedelta`` or None, as :meth:`set_expiry` takes it, or a date's ISO text.
        :returns: seconds, negative if it is over.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        return self._expiry("get_expiry_age", modification, expiry)

    def get_expiry_date(
        self, *, modification: Optional[datetime.datetime] = None, expiry: Expiry = _MISSING
    ) -> datetime.datetime:
        """When it expires.

        :param modification: when it was saved; now, if that is not said.
        :param expiry: in place of the session's own, as in :meth:`get_expiry_age`.
        :returns: a date with a zone: UTC.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        return _EPOCH + self._expiry("get_expiry_time", modification, expiry) * _MICROSECOND

    def _expiry(self, name: str, modification: Optional[datetime.datetime], expiry: Expiry) -> int:
        at = native.UNSET if modification is None else (_aware(modification) - _EPOCH) // _MICROSECOND
        if isinstance(expiry, datetime.timedelta):
            expiry = datetime.datetime.now(_UTC) + expiry
        if isinstance(expiry, datetime.datetime):
            expiry = _aware(expiry).isoformat()
        text = "" if expiry is _MISSING else json.dumps(expiry)
        answer = c_int64()
        self._call(name, at, native.unicode(text), byref(answer))
        return answer.value

    def get_expire_at_browser_close(self) -> bool:
        """Whether the cookie has no end of its own, so that it goes when the browser is closed.

        :returns: what ``set_expiry`` said, else the setting ``expire_at_browser_close``.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        return self._bool("get_expire_at_browser_close")

    def set_test_cookie(self) -> None:
        """At the next request, :meth:`test_cookie_worked` tells whether the browser takes cookies.

        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        self["testcookie"] = "worked"

    def test_cookie_worked(self) -> bool:
        """Whether what :meth:`set_test_cookie` has set is there: at a later request the browser has sent the cookie back, then.

        :returns: False where the browser takes no cookies.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        return bool(self.get("testcookie") == "worked")

    def delete_test_cookie(self) -> None:
        """Takes out what :meth:`set_test_cookie` has set.

        :raises KeyError: there is none, as in Django.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        del self["testcookie"]

    def clear_expired(self) -> int:
        """Removes expired sessions from the store, 10,000 at most: :meth:`Manager.clear_expired`.

        :returns: how many there were.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        return self._manager.clear_expired()

    # -- the request

    def _is_unsaved(self) -> bool:
        values = self._values
        return self._unsaved or (
            values is not None and any(not self._is_as(before, values.get(key)) for key, before in self._lent.items())
        )

    def commit(self, status: int = 200, *, headers: bool = True) -> list[tuple[str, str]]:
        """Saves, and gives the headers that the response needs: Set-Cookie, Vary and Cache-Control, where they are needed.

        After an error no header deletes the cookie; after any but CommitUnknown nothing was saved, unless only the owner's list could
        not be written.

        :param status: the response's. With 500 or more nothing is saved.
        :param headers: False where somebody else writes them: the answer is an empty list.
        :returns: names and values, to be added to the response as they are.
        :raises SessionDeleted: another request ended the session meanwhile.
        :raises StoreError: the store gave no answer.
        :raises BusyError: others kept changing the session for ten seconds.
        :raises CommitUnknown: the store gave no answer to the save itself. Call this again.
        :raises LimitError: the values take more than ``max_data``, or more than a cookie in ``cookie:`` stores.
        :raises RangeError: a counter, with what another request added, does not fit into 64 bits.
        :raises SessionUnbound: a device-bound session came without its bound cookie.
        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.0
        """
        with self._lock:
            self._return()
            try:
                _, given = self._commit(arguments.count(status, "status"))
                return flat.paired(given) if headers else []
            finally:
                # The library has what other requests saved, too.
                self._forget()


class ServedSession(Session):
    """One that a framework's adapter saves by that framework's rule: one that is left with changes is meant to be."""

    _warns = False


class _Items(ItemsView[str, Any]):
    _mapping: Session

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self._mapping._pairs())


class _Values(ValuesView[Any]):
    _mapping: Session

    def __iter__(self) -> Iterator[Any]:
        return iter([value for _, value in self._mapping._pairs()])


def valid_name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError("a session's names are text")
    if not key.isascii():
        try:
            key.encode()
        except UnicodeEncodeError:
            raise SyntaxProblem("a session's name has half a surrogate pair in it") from None
    return key


def _aware(date: datetime.datetime) -> datetime.datetime:
    return date if date.tzinfo else date.replace(tzinfo=_UTC)
