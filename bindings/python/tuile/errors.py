"""What can go wrong, as exceptions. The messages come from the library; none
holds a secret, a session key or a payload."""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "BadSignature",
    "BusyError",
    "CommitUnknown",
    "CookieRuleError",
    "CorruptStoreError",
    "FileError",
    "LimitError",
    "MissingLibraryError",
    "RangeError",
    "SessionDeleted",
    "SessionUnbound",
    "SignatureExpired",
    "StoreError",
    "SyntaxProblem",
    "TuileError",
    "ValueTypeError",
]


class TuileError(Exception):
    """Base of all; ``status`` is the library's number, ``offset`` where in the input.

    .. versionadded:: 0.1.0
    """

    status: int = 0
    offset: int = 0


class ArgumentError(TuileError, ValueError):
    """An argument or a setting can't be: also of what is closed already, and of a session in the middle of a call.

    .. versionadded:: 0.1.0
    """


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument is of another type than it has to be.

    .. versionadded:: 0.1.1
    """


class LimitError(TuileError, ValueError):
    """Larger than a documented limit.

    .. versionadded:: 0.1.0
    """


class SyntaxProblem(TuileError, ValueError):
    """Malformed: JSON, text, URL, cookie name, value or attribute.

    .. versionadded:: 0.1.0
    """


class CookieRuleError(TuileError, ValueError):
    """Well-formed, but browsers would refuse or change the cookie.

    .. versionadded:: 0.1.0
    """


class ValueTypeError(TuileError, TypeError):
    """The value is there, but of another type.

    .. versionadded:: 0.1.0
    """


class RangeError(TuileError, OverflowError):
    """A number or date does not fit.

    .. versionadded:: 0.1.0
    """


class BadSignature(TuileError):
    """The signature does not match: tampered with, or another key or salt.

    .. versionadded:: 0.1.0
    """


class SignatureExpired(BadSignature):
    """The signature matches, but is older than ``max_age``.

    .. versionadded:: 0.1.0
    """


class SessionDeleted(TuileError):
    """Another request deleted the session meanwhile; nothing was saved.

    .. versionadded:: 0.1.0
    """


class SessionUnbound(TuileError):
    """A device-bound session came without its bound cookie: nothing of it is shown or saved.

    .. versionadded:: 0.2.0
    """


class StoreError(TuileError):
    """The store failed or could not be reached. No session is lost by it.

    .. versionadded:: 0.1.0
    """


class BusyError(StoreError):
    """The store, or one session in it, was busy for too long.

    .. versionadded:: 0.1.0
    """


class CommitUnknown(StoreError):
    """The store gave no answer to a save: it is done or it is not, and nobody knows which. Call ``commit`` again: it
    finds out where that is possible, and saves once, never twice.

    .. versionadded:: 0.1.1
    """


class CorruptStoreError(StoreError):
    """The store's file or table is damaged or not a session store.

    .. versionadded:: 0.1.0
    """


class MissingLibraryError(TuileError):
    """A library that is loaded on use is not installed.

    .. versionadded:: 0.1.0
    """


class FileError(TuileError, OSError):
    """A file could not be read or written.

    .. versionadded:: 0.1.0
    """
