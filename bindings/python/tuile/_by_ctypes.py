"""The library's flat calls through ctypes: numbers and addresses in, one text out, in a buffer that is used again.

What a call through ctypes costs is what is made for it. A declared argument is made into an object of its own at each
call, which doubles the price, so these functions declare none: they are given octets, addresses that were made before,
and whole numbers of 32 bits, which ctypes passes as they are and every platform widens. What is longer than that
allows, and what has gone wrong, goes through the functions with structs, which say why.

A buffer is nobody's but the one's who has taken it from the list, until he puts it back: a signal's handler, a
finalizer, another thread or greenlet that comes between a call and the reading of its answer takes another one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from ctypes import byref, c_char, c_int64, c_size_t, c_void_p
from typing import Any, Optional, Union

from . import _native as native

#: The octets that a buffer has.
ROOM = 16384
#: Up to there a call takes no longer than the interpreter lets a thread run.
SHORT = 4096
#: An ordinary answer is this minus the status.
ANSWER = -256
#: A handle as calls take it.
address = c_void_p
#: Whole numbers that are passed as they are.
_SMALL = range(-(2**31), 2**31)

Buffer = tuple[Any, Any]
free: list[Buffer] = []
_take, _put = free.pop, free.append


def more() -> Buffer:
    """A new buffer, where the list is empty: the array, and its address as calls take it."""
    array = (c_char * ROOM)()
    return array, byref(array)


keeping = ctypes.PyDLL(native.lib._name, handle=native.lib._handle)


def _function(library: ctypes.CDLL, name: str) -> Any:
    # Not the attribute, which has its arguments declared.
    function = library[f"tuile_flat_{name}"]
    function.restype = c_int64
    return function


cookies = _function(keeping, "cookies")
_set_cookie = _function(keeping, "set_cookie")
_sign = _function(keeping, "sign")
_unsign = _function(keeping, "unsign")
_dumps = _function(keeping, "dumps")
_loads = _function(keeping, "loads")
_again = _function(keeping, "again")


def answer(function: Any, *given: Any) -> tuple[int, bytes]:
    """What a flat call answers with, and its text; what it says of an error; nothing if the buffer was too small."""
    try:
        buffer = _take()
    except IndexError:
        buffer = more()
    array, where = buffer
    count = function(*given, where, ROOM)
    text: bytes = array[:count] if 0 <= count <= ROOM else array[:256] if count < 0 else b""
    _put(buffer)
    return count, text


def _wide(number: int) -> Any:
    return number if number in _SMALL else c_int64(number)


def _length(octets: bytes) -> Any:
    size = len(octets)
    return size if size in _SMALL else c_size_t(size)


# -- cookies


def _cookies(header: Union[str, bytes], mode: int) -> Optional[str]:
    """Names and values, a NUL behind each; None for what the functions with structs have to say why, or have in another form."""
    try:
        raw = header if header.__class__ is bytes else str.encode(header, "utf-8", "surrogateescape")  # type: ignore[arg-type]
        buffer = _take()
    except (TypeError, UnicodeEncodeError):
        return None
    except IndexError:
        buffer = more()
    # As `answer`, whose call would be a tenth of the time.
    array, where = buffer
    # Where there is no room nothing is read: what is longer takes the other way.
    count = cookies(raw, len(raw), mode, where, ROOM) if len(raw) <= SHORT else -1
    if 0 <= count <= ROOM:
        found: bytes = array[:count]
        _put(buffer)
        return found.decode() if found.isascii() else found.decode("utf-8", "surrogateescape")
    _put(buffer)
    return None


def parse(header: Union[str, bytes], mode: int) -> Optional[dict[str, str]]:
    """A header's cookies by name; None for what the functions with structs have to tell."""
    found = _cookies(header, mode)
    if found is None:
        return None
    parts = found.split("\0")
    if len(parts) == 3:
        # One cookie, which all that follows would cost as much as again.
        return {parts[0]: parts[1]}
    both = iter(parts)
    return dict(zip(both, both))


def pairs(header: Union[str, bytes], mode: int) -> Optional[Iterator[tuple[str, str]]]:
    """The same in order, as pairs."""
    found = _cookies(header, mode)
    if found is None:
        return None
    parts = iter(found.split("\0"))
    return zip(parts, parts)


def set_cookie(fields: bytes, max_age: int, flags: int) -> tuple[int, bytes]:
    return answer(_set_cookie, fields, len(fields), _wide(max_age), flags)


# -- signing: texts of up to SHORT octets


def sign(signer: c_void_p, value: bytes) -> tuple[int, bytes]:
    return answer(_sign, signer, value, len(value))


def unsign(signer: c_void_p, token: bytes, max_age: int) -> tuple[int, bytes]:
    return answer(_unsign, signer, token, len(token), _wide(max_age))


def dumps(signer: c_void_p, payload: bytes, compress: int) -> tuple[int, bytes]:
    return answer(_dumps, signer, payload, len(payload), compress)


def loads(signer: c_void_p, token: bytes, max_age: int) -> tuple[int, bytes]:
    return answer(_loads, signer, token, len(token), _wide(max_age))


# -- sessions


#: What a begin says: key, owner, lifetime, and the JSON of the values; or the words of an error.
Parts = Union[tuple[str, ...], bytes]


def _begins(function: Any) -> Callable[[c_void_p, bytes], tuple[int, Parts, Optional[int]]]:
    def begin(manager: c_void_p, cookie_header: bytes) -> tuple[int, Parts, Optional[int]]:
        number = c_void_p()
        count, text = answer(function, manager, cookie_header, _length(cookie_header), byref(number))
        if count < 0:
            return count, text, number.value
        if count > ROOM:
            text = again(number, count)
        *parts, values = text.split(b"\0")[:4]
        found = *[part.decode("utf-8", "surrogateescape") for part in parts], values.decode("utf-8", "surrogatepass")
        return count, found, number.value

    return begin


def _commits(function: Any) -> Callable[[c_void_p, bytes, int], tuple[int, bytes]]:
    def commit(session: c_void_p, changes: bytes, status: int) -> tuple[int, bytes]:
        return answer(function, session, changes, _length(changes), status if status in _SMALL else _SMALL[-1])

    return commit


def _starts(library: ctypes.CDLL) -> Callable[[c_void_p, bytes, bytes], tuple[int, bytes, Optional[int]]]:
    function = native.declared(library, "tuile_session_start")

    def start(manager: c_void_p, cookie_header: bytes, url: bytes) -> tuple[int, bytes, Optional[int]]:
        header, address = native.Bytes(cookie_header, len(cookie_header)), native.Bytes(url, len(url))
        number, error = c_void_p(), native.Error()
        status = function(manager, header, address, byref(number), byref(error))
        return (*_failed(status, error), number.value) if status != native.OK else (0, b"", number.value)

    return start


def _jsons(library: ctypes.CDLL) -> Callable[[c_void_p], tuple[int, bytes]]:
    function = native.declared(library, "tuile_session_json")

    def json(session: c_void_p) -> tuple[int, bytes]:
        text, error = native.Bytes(), native.Error()
        status = function(session, byref(text), byref(error))
        return _failed(status, error) if status != native.OK else (0, native.copy(text))

    return json


def _set_jsons(library: ctypes.CDLL) -> Callable[[c_void_p, bytes, bytes], tuple[int, bytes]]:
    function = native.declared(library, "tuile_session_set_json")

    def set_json(session: c_void_p, name: bytes, value: bytes) -> tuple[int, bytes]:
        error = native.Error()
        status = function(session, native.Bytes(name, len(name)), native.Bytes(value, len(value)), byref(error))
        return _failed(status, error) if status != native.OK else (0, b"")

    return set_json


def _add_ints(library: ctypes.CDLL) -> Callable[[c_void_p, bytes, int], tuple[int, bytes, int]]:
    function = native.declared(library, "tuile_session_add_int")

    def add_int(session: c_void_p, name: bytes, delta: int) -> tuple[int, bytes, int]:
        total, error = c_int64(), native.Error()
        status = function(session, native.Bytes(name, len(name)), delta, byref(total), byref(error))
        return (*_failed(status, error), 0) if status != native.OK else (0, b"", total.value)

    return add_int


def _failed(status: int, error: native.Error) -> tuple[int, bytes]:
    """As a flat call answers with an error."""
    return (ANSWER - status, b"") if status > 0 else (status, b"%d\0%b\0" % (error.offset, error.message))


# Where they wait for nobody, and where they may wait: those leave the interpreter lock to others.
begin, begin_waiting = [_begins(_function(library, "begin")) for library in (keeping, native.lib)]
start, start_waiting = [_starts(library) for library in (keeping, native.lib)]
json, json_waiting = [_jsons(library) for library in (keeping, native.lib)]
set_json, set_json_waiting = [_set_jsons(library) for library in (keeping, native.lib)]
add_int, add_int_waiting = [_add_ints(library) for library in (keeping, native.lib)]
commit, commit_waiting = [_commits(_function(library, "commit")) for library in (keeping, native.lib)]
end, end_waiting = [native.declared(library, "tuile_session_end") for library in (keeping, native.lib)]


def again(session: c_void_p, size: int) -> bytes:
    """The last text of a session, of that size."""
    room = (c_char * size)()
    _again(session, byref(room), c_size_t(size))
    return room.raw
