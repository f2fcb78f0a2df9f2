"""A session of the library, before it is a dictionary."""

from __future__ import annotations

from ctypes import byref, c_bool, c_int64
from types import TracebackType
from typing import TYPE_CHECKING, Optional, TypeVar

from . import _native as native
from .errors import ArgumentError, TuileError

if TYPE_CHECKING:
    from .manager import Manager

_Self = TypeVar("_Self", bound="SessionHandle")


class SessionDeleted(TuileError):
    """Another request deleted the session meanwhile; nothing was saved."""


_PREFIX = "tuile_session_"
_CALLS = {
    name.removeprefix(_PREFIX): getattr(native.lib, name) for name in native.PROTOTYPES if name.startswith(_PREFIX)
}

# Where a commit's headers go, by the address that the library hands back: a callback for each
# commit would cost more than the commit.
_collecting: dict[int, list[tuple[str, str]]] = {}


def _add_header(context: int, name: native.Bytes, value: native.Bytes) -> int:
    _collecting[context].append((native.copy(name).decode("latin-1"), native.copy(value).decode("latin-1")))
    return native.OK


_ADD_HEADER = native.AddHeader(_add_header)
_NO_HEADERS = native.AddHeader()


class SessionHandle:
    """What every session has besides its values: a key, an end, an owner."""

    def __init__(self, manager: Manager, handle: int) -> None:
        self._handle: Optional[int] = handle
        self._manager = manager

    def _changed_inside(self) -> None:
        """The library has set a value of its own."""

    # -- the session

    @property
    def session_key(self) -> Optional[str]:
        """The key, once the session has one. A password: do not log it."""
        key = native.Bytes()
        found = native.lib.tuile_session_key(self._live(), byref(key)) == native.OK
        return native.copy(key).decode("latin-1") if found else None

    def load(self) -> bool:
        """Reads the session, if that was not done yet: whether there was one.

        StoreError if the store gave no answer, so that no outage is taken for a logout.
        """
        return self._call("load") == native.OK

    def is_empty(self) -> bool:
        """Neither a key nor data."""
        return self._bool("is_empty")

    def set_lifetime(self, seconds: int) -> None:
        """Lets the session end then, whatever is done with it; 0: no such end."""
        self._call("set_lifetime", native.int64(seconds))
        self._changed_inside()

    def get_lifetime(self) -> Optional[int]:
        """Seconds that are left of its longest life; None if it has no such end."""
        seconds = c_int64()
        return seconds.value if self._call("get_lifetime", byref(seconds)) == native.OK else None

    def touch(self) -> None:
        """Has the commit keep the session alive, and send its cookie again, even if nothing was changed."""
        self._call("touch")

    # -- its owner

    @property
    def owner(self) -> Optional[str]:
        """Whose session it is, as the application calls its users."""
        owner = native.Bytes()
        found = self._call("get_owner", byref(owner)) == native.OK
        return native.copy(owner).decode("utf-8") if found else None

    @owner.setter
    def owner(self, owner: Optional[str]) -> None:
        if owner is None:
            self._call("remove_owner")
        else:
            self._call("set_owner", native.view(owner))
        self._changed_inside()

    def set_client(self, user_agent: str = "", address: str = "") -> None:
        """Says where the request comes from, for the owner's list."""
        self._call("set_client", native.view(user_agent), native.view(address))

    # -- the request

    def _commit(self, status: int, wanted: bool) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = []
        context = id(headers)
        _collecting[context] = headers
        try:
            answer = self._call("commit", status, _ADD_HEADER if wanted else _NO_HEADERS, context)
        finally:
            del _collecting[context]
        if answer == native.DELETED:
            raise SessionDeleted("the session was deleted meanwhile")
        return headers

    def close(self) -> None:
        """Ends the session. What was not committed is gone."""
        handle, self._handle = getattr(self, "_handle", None), None
        # At interpreter shutdown the module may be gone already.
        if handle is not None and native is not None:
            self._manager._ended(handle)

    __del__ = close

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Session {'ended' if self._handle is None else 'open'}>"

    def _live(self) -> int:
        if self._handle is None:
            raise ArgumentError("the session has ended")
        return self._handle

    def _call(self, name: str, *arguments: object) -> int:
        error = native.Error()
        status: int = _CALLS[name](self._live(), *arguments, byref(error))
        if status < 0:
            raise native.failure(status, error)
        return status

    def _bool(self, name: str) -> bool:
        answer = c_bool()
        self._call(name, byref(answer))
        return answer.value
