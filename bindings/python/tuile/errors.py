"""What the library can refuse, as exceptions: one class for each thing to do about it."""

from __future__ import annotations

from typing import NoReturn

from . import _native


class TuileError(Exception):
    """Base of all errors; `status` is the tuile_status, `offset` where in the input."""

    def __init__(self, message: str, status: int = 0, offset: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.offset = offset


class ArgumentError(TuileError, ValueError):
    """An argument that can't be."""


class LimitError(TuileError, ValueError):
    """Larger than a documented limit."""


class FormatError(TuileError, ValueError):
    """Malformed: JSON, text, URL, cookie name, value or attribute."""


class RuleError(TuileError, ValueError):
    """Well-formed, but browsers would refuse the cookie."""


class ValueTypeError(TuileError, TypeError):
    """The session's value is of another type."""


class RangeError(TuileError, OverflowError):
    """A number or date does not fit."""


class RandomError(TuileError):
    """The system gave no random bytes."""


class StoreError(TuileError):
    """The store failed or could not be reached: an outage, never a logout."""


class BusyError(StoreError):
    """The store, or one session in it, was busy for too long."""


class CorruptError(StoreError):
    """The store's file or table is damaged or not a session store."""


class BadSignature(TuileError, ValueError):
    """Tampered with, cut, or signed with another key or salt."""


class SignatureExpired(BadSignature):
    """The signature is right, but older than `max_age`."""


_CLASSES: dict[int, type[TuileError]] = {
    _native.EXPIRED: SignatureExpired,
    _native.BAD_SIGNATURE: BadSignature,
    _native.E_ARGUMENT: ArgumentError,
    _native.E_LIMIT: LimitError,
    _native.E_SYNTAX: FormatError,
    _native.E_RULE: RuleError,
    _native.E_TYPE: ValueTypeError,
    _native.E_RANGE: RangeError,
    _native.E_RANDOM: RandomError,
    _native.E_STORE: StoreError,
    _native.E_BUSY: BusyError,
    _native.E_CORRUPT: CorruptError,
}


def fail(status: int, error: _native.Error | None = None) -> NoReturn:
    """Raises what `status` means, with the library's own message."""
    if status == _native.E_MEMORY:
        raise MemoryError("libtuile ran out of memory")
    message, offset = "", 0
    if error is not None and error.status == status:
        message, offset = error.message.decode("utf-8", "replace"), error.offset
    if not message:
        message = _native.library.tuile_status_message(status).decode()
    raise _CLASSES.get(status, TuileError)(message, status, offset)
