"""The one module that knows ctypes: finding the library, and calling it.

The structs, constants and prototypes are in ``_prototypes``, which is generated
from the library's sources as ``tuile.h`` is. Calls leave the interpreter lock to
others, so that waiting for a store stops one thread alone.
"""

from __future__ import annotations

import ctypes
import os
from contextvars import ContextVar
from ctypes import byref, c_size_t, c_void_p, create_string_buffer
from pathlib import Path
from typing import Any, Callable, Optional

from . import _prototypes, arguments, errors
from ._prototypes import *  # noqa: F403

UNSET = -(2**63)
SHARED_FILE = 0x100  # TUILE_SECRET_SHARED_FILE

# As Python's callers name the constants; None is what C calls unset or default.
SAME_SITES = {None if name == "unset" else name.capitalize(): n for name, n in _prototypes.SAME_SITE.items()}
PRIORITIES = {None if name == "unset" else name.capitalize(): n for name, n in _prototypes.PRIORITY.items()}
DIGESTS = {None if name == "default" else name: n for name, n in _prototypes.DIGEST.items()}
CIPHERS = {None if name == "default" else name: n for name, n in _prototypes.CIPHER.items()}
DERIVATIONS = {None if name == "default" else name: n for name, n in _prototypes.DERIVATION.items()}
SITES = {
    "same-site": _prototypes.SITE["same"],
    "cross-site-navigation": _prototypes.SITE["navigation"],
    "cross-site": _prototypes.SITE["cross"],
}

_EXCEPTIONS: dict[int, type[errors.TuileError]] = {
    E_ARGUMENT: errors.ArgumentError,
    E_LIMIT: errors.LimitError,
    E_SYNTAX: errors.SyntaxProblem,
    E_RULE: errors.CookieRuleError,
    E_TYPE: errors.ValueTypeError,
    E_RANGE: errors.RangeError,
    E_STORE: errors.StoreError,
    E_BUSY: errors.BusyError,
    E_UNKNOWN: errors.CommitUnknown,
    E_CORRUPT: errors.CorruptStoreError,
    E_MISSING: errors.MissingLibraryError,
    E_FILE: errors.FileError,
    # Ordinary answers in C.
    BAD_SIGNATURE: errors.BadSignature,
    EXPIRED: errors.SignatureExpired,
    DELETED: errors.SessionDeleted,
    UNBOUND: errors.SessionUnbound,
}
for _status, _kind in _EXCEPTIONS.items():
    _kind.status = _status

VERSION = (0, 2)


def _path() -> str:
    """What TUILE_LIBRARY names, else the library in this package, else the system's."""
    packaged = Path(__file__).with_name("libtuile.so.0")
    return os.environ.get("TUILE_LIBRARY") or (str(packaged) if packaged.exists() else "libtuile.so.0")


def _load(path: str) -> ctypes.CDLL:
    made_for = f"this package is made for {VERSION[0]}.{VERSION[1]}"
    try:
        loaded = ctypes.CDLL(path)
    except OSError as problem:
        raise ImportError(
            f"libtuile cannot be loaded from {path}: {problem}; install libtuile0, or name the file in TUILE_LIBRARY"
        ) from problem
    try:
        number = loaded.tuile_version()
    except AttributeError as problem:
        raise ImportError(f"{path} is no libtuile: {problem}") from problem
    if (number >> 16, number >> 8 & 0xFF) != VERSION:
        raise ImportError(f"{path} is libtuile {number >> 16}.{number >> 8 & 0xFF}, but {made_for}")
    for name in _prototypes.PROTOTYPES:
        try:
            declared(loaded, name)
        except AttributeError as problem:
            raise ImportError(f"{path} is older than this package: it has no {name}") from problem
    return loaded


def declared(library: ctypes.CDLL, name: str) -> Any:
    """A function of the library, which converts what it is given."""
    function = getattr(library, name)
    function.restype, function.argtypes = _prototypes.PROTOTYPES[name]
    return function


def _first_sqlite() -> None:
    """Has Python's SQLite loaded before ours, so that both are one: the linker takes a library
    that is there already. Of two in a process, each would drop the other's locks on a file."""
    try:
        import _sqlite3  # noqa: F401
    except ImportError:
        pass


_first_sqlite()
lib = _load(_path())


def shares_sqlite() -> bool:
    """Whether Python's sqlite3 and the library's SQLite are the same, so that both may open one file."""
    try:
        import _sqlite3

        theirs = ctypes.CDLL(_sqlite3.__file__).sqlite3_libversion
        return ctypes.cast(theirs, c_void_p).value == ctypes.cast(lib.sqlite3_libversion, c_void_p).value
    except (ImportError, AttributeError, OSError):
        # Built into the interpreter: it has one of its own.
        return False


# What a callback raised, until the call that it was made from has ended, and whether that raises it
# whatever it comes to. Each thread and each greenlet has a value of its own.
_raised: ContextVar[Optional[tuple[BaseException, bool]]] = ContextVar("tuile_raised", default=None)


raised = _raised.get


def keep(problem: BaseException, always: bool = False) -> None:
    """No exception gets through C: whoever made the call raises this one."""
    # KeyboardInterrupt and its like are nobody's cause: they come out as themselves.
    if not must_end():
        _raised.set((problem, always or not isinstance(problem, Exception)))


def must_end() -> bool:
    """Whether the call that is under way will raise, whatever it comes to."""
    found = _raised.get()
    return found is not None and found[1]


def _taken() -> Optional[BaseException]:
    found = _raised.get()
    if found is None:
        return None
    _raised.set(None)
    problem, always = found
    if always:
        raise problem
    return problem


def clock(told: Callable[[], float]) -> Any:
    """A clock of Python's, in Unix seconds, as the library asks it."""

    def tell(_: Any) -> int:
        try:
            return int64(int(told() * 1_000_000))
        except BaseException as problem:
            keep(problem, always=True)
            return 0

    return Clock(tell)


def version() -> str:
    text: bytes = lib.tuile_version_string()
    return text.decode("ascii")


def view(value: str | bytes, what: str = "the text") -> Bytes:
    """A view of text or bytes, which lives as long as the view does."""
    encoded = value if value.__class__ is bytes else arguments.octets(value, what)
    return Bytes(encoded, len(encoded))


def octets(value: str) -> bytes:
    """JSON or a name in it, where half a surrogate pair is a character like others."""
    return value.encode("utf-8", "surrogatepass")


def unicode(value: str) -> Bytes:
    """A view of the same."""
    encoded = octets(value)
    return Bytes(encoded, len(encoded))


def copy(borrowed: Bytes) -> bytes:
    # Not `data`, which would read on up to a NUL.
    return ctypes.string_at(c_void_p.from_buffer(borrowed), borrowed.size) if borrowed.size else b""


def failure(status: int, error: Optional[Error] = None, cause: Optional[BaseException] = None) -> errors.TuileError:
    """The exception for a negative status, or for one that is an ordinary answer in C."""
    if error is not None and error.message:
        message = error.message.decode("utf-8", "replace")
    else:
        message = lib.tuile_status_message(status).decode("ascii")
    if status == E_MEMORY:
        raise MemoryError(message)
    made = _EXCEPTIONS.get(status, errors.TuileError)(message)
    made.status = status
    made.__cause__ = cause
    made.offset = error.offset if error is not None else 0
    return made


def answered(status: int = OK, error: Optional[Error] = None) -> None:
    """Raises what a call that may have made callbacks came to, if that is no answer."""
    cause = _taken()
    if status < 0 or status == UNBOUND:
        raise failure(status, error, cause)


#: Errors that nothing was written into, and their addresses as calls take them: making one is half of what a call costs.
_spare: list[tuple[Error, Any]] = []


def room_for_error() -> tuple[Error, Any]:
    try:
        return _spare.pop()
    except IndexError:
        error = Error()
        return error, byref(error)


def settled(status: int, room: tuple[Error, Any]) -> None:
    """As `answered`, for an error of `room_for_error`, which is there for others again if there was none."""
    if status == OK:
        _spare.append(room)
        if raised() is None:
            return
    answered(status, room[0])


def check(call: Callable[..., int], *arguments: object, space: bool = False) -> int:
    """Calls a function whose last parameter is a tuile_error; its ordinary answer.

    With ``space``, that of too small a buffer is one too.
    """
    room = room_for_error()
    status = call(*arguments, room[1])
    if space and status == E_SPACE:
        answered()
        return status
    settled(status, room)
    return status


int64, size = arguments.number, arguments.count


def filled(room: int, call: Callable[[Any, int, Any], int]) -> tuple[int, bytes]:
    """Calls with a buffer of `room` bytes, and once more if that was too small."""
    size = c_size_t()
    buffer = create_string_buffer(room)
    status = call(buffer, room, byref(size))
    if status == E_SPACE:
        buffer = create_string_buffer(size.value)
        status = call(buffer, size.value, byref(size))
    return status, buffer.raw[: size.value] if status == OK else b""
