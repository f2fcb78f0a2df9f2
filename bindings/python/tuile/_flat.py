"""The library's flat calls: numbers and addresses in, one text out, in a buffer that is used again.

What a call through ctypes costs is what is made for it. A declared argument is made into an object of its own at each
call, which doubles the price, so these functions declare none: they are given octets, addresses that were made before,
and whole numbers of 32 bits, which ctypes passes as they are and every platform widens. What is longer than that
allows, and what has gone wrong, goes through the functions with structs, which say why.

The calls that compute keep the interpreter lock, which is theirs for a few microseconds, and so do those of a session in
memory or in its cookie; those that may wait for a store leave it to others. Leaving it has a thread that waits for it woken
each time, which costs a server more than such a call.

A buffer is nobody's but the one's who has taken it from the list, until he puts it back: a signal's handler, a
finalizer, another thread or greenlet that comes between a call and the reading of its answer takes another one.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char, c_int64, c_size_t
from typing import Any, NamedTuple

from . import _native as native
from . import errors

#: The octets that a buffer has.
ROOM = 16384
#: Up to there a call takes no longer than the interpreter lets a thread run.
SHORT = 4096
#: An ordinary answer is this minus the status.
ANSWER = -256
BAD_SIGNATURE = ANSWER - native.BAD_SIGNATURE
EXPIRED = ANSWER - native.EXPIRED
#: No number, where the library takes one of 64 bits.
UNSET = c_int64(native.UNSET)
#: Whole numbers that are passed as they are.
SMALL = range(-(2**31), 2**31)

Buffer = tuple[Any, Any]
free: list[Buffer] = []


def more() -> Buffer:
    """A new buffer, where the list is empty: the array, and its address as calls take it."""
    array = (c_char * ROOM)()
    return array, byref(array)


_keeping = ctypes.PyDLL(native.lib._name, handle=native.lib._handle)


def _function(library: ctypes.CDLL, name: str) -> Any:
    # Not the attribute, which has its arguments declared.
    function = library[f"tuile_flat_{name}"]
    function.restype = c_int64
    return function


class Calls(NamedTuple):
    """Those of a request's session."""

    begin: Any
    commit: Any
    end: Any
    #: With their arguments declared, by their names without the prefix.
    session: dict[str, Any]


cookies = _function(_keeping, "cookies")
set_cookie = _function(_keeping, "set_cookie")
sign = _function(_keeping, "sign")
unsign = _function(_keeping, "unsign")
dumps = _function(_keeping, "dumps")
loads = _function(_keeping, "loads")
again = _function(_keeping, "again")


def _calls(library: ctypes.CDLL) -> Calls:
    prefix = "tuile_session_"
    names = [name for name in native.PROTOTYPES if name.startswith(prefix)]
    session = {name.removeprefix(prefix): native.declared(library, name) for name in names}
    return Calls(_function(library, "begin"), _function(library, "commit"), session["end"], session)


#: Where they may wait, and where they wait for nobody.
waiting, instant = _calls(native.lib), _calls(_keeping)


def answer(function: Any, *given: Any) -> tuple[int, bytes]:
    """What a flat call answers with, and its text; what it says of an error; nothing if the buffer was too small."""
    try:
        buffer = free.pop()
    except IndexError:
        buffer = more()
    array, address = buffer
    count = function(*given, address, ROOM)
    text: bytes = array[:count] if 0 <= count <= ROOM else array[:256] if count < 0 else b""
    free.append(buffer)
    return count, text


def result(session: Any, call: Any, *given: Any) -> bytes:
    """What a session's flat call gives, or its exception. `session` has the session's address once it was called."""
    count, text = answer(call, *given)
    if count > ROOM:
        room = (c_char * count)()
        again(session, byref(room), c_size_t(count))
        text = room.raw
    elif count < 0:
        native.answered(*_failed(count, text))
        raise errors.SessionDeleted("the session was deleted meanwhile")
    if native.raised() is not None:
        # What a callback raised that nobody may swallow.
        native.answered()
    return text


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


def length(octets: bytes) -> Any:
    """A size as calls take it."""
    size = len(octets)
    return size if size in SMALL else c_size_t(size)
