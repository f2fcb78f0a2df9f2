"""The library's flat calls: octets and numbers in, what it answered and one text out. What a session's request needs is three of them.

They are made by `_speedups`, a module in C, where that is there and TUILE_NO_EXTENSION is not set, else by `_by_ctypes`.

The calls that compute keep the interpreter lock, which is theirs for a few microseconds, and so do those of a session in
memory or in its cookie; those that may wait for a store leave it to others. Leaving it has a thread that waits for it woken
each time, which costs a server more than such a call.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from typing import Any, NamedTuple, Optional

from . import _by_ctypes, errors
from . import _native as native

#: The octets that a text may have, and those that a signer or a header of cookies may be given.
ROOM, SHORT = _by_ctypes.ROOM, _by_ctypes.SHORT
ANSWER = _by_ctypes.ANSWER
#: Whether there is an interpreter lock that a call may keep.
LOCKED: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
BAD_SIGNATURE = ANSWER - native.BAD_SIGNATURE
EXPIRED = ANSWER - native.EXPIRED


def _speedups() -> Optional[Any]:
    if os.environ.get("TUILE_NO_EXTENSION"):
        return None
    try:
        found: Any = importlib.import_module("tuile._speedups")
    except ImportError:
        # Not built, or for another Python: a free-threaded one has no module of the limited API.
        return None
    bind(found)
    return found


def bind(compiled: Any) -> None:
    """Tells the module where the functions are."""
    names = [name for name in native.PROTOTYPES if name.startswith(("tuile_flat_", "tuile_session_"))]
    compiled.bind({name: ctypes.cast(getattr(native.lib, name), ctypes.c_void_p).value for name in names})


_compiled = _speedups()
_made: Any = _compiled or _by_ctypes
#: A handle as calls take it.
address: Any = _by_ctypes.address if _compiled is None else int

parse, pairs, set_cookie = _made.parse, _made.pairs, _made.set_cookie
sign, unsign, dumps, loads = _made.sign, _made.unsign, _made.dumps, _made.loads
again = _made.again


class Calls(NamedTuple):
    """Those of a request's session."""

    begin: Any
    start: Any
    json: Any
    set_json: Any
    add_int: Any
    commit: Any
    end: Any
    #: With their arguments declared, by their names without the prefix.
    session: dict[str, Any]


def _calls(library: ctypes.CDLL, suffix: str) -> Calls:
    prefix = "tuile_session_"
    names = [name for name in native.PROTOTYPES if name.startswith(prefix)]
    session = {name.removeprefix(prefix): native.declared(library, name) for name in names}
    made = {name: getattr(_made, name + suffix) for name in Calls._fields if name != "session"}
    return Calls(**made, session=session)


#: Where they may wait, and where they wait for nobody.
waiting, instant = _calls(native.lib, "_waiting"), _calls(_by_ctypes.keeping, "")


def checked(count: int, said: Any) -> Any:
    """What a session's call says, or its exception."""
    if count < 0:
        native.answered(*_failed(count, said))
        raise errors.SessionDeleted("the session was deleted meanwhile")
    if native.raised() is not None:
        # What a callback raised that nobody may swallow.
        native.answered()
    return said


def paired(text: str) -> list[tuple[str, str]]:
    """Names and values of a text that has a NUL behind each, as a commit's headers are."""
    parts = iter(text.split("\0"))
    return list(zip(parts, parts))


def _failed(count: int, said: bytes) -> tuple[int, native.Error]:
    status = count if count > ANSWER else ANSWER - count
    if not (status < 0 or status == native.UNBOUND):
        return status, native.Error()
    offset, _, message = said.partition(b"\0")
    return status, native.Error(status, int(offset or b"0"), message.partition(b"\0")[0][:239])
