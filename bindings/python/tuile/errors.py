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
    """Base of all; ``status`` is the library's number, ``offset`` where in the input."""

    status: int = 0
    offset: int = 0


class ArgumentError(TuileError, ValueError):
    """An argument can't be."""


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument is of another type than it has to be."""


class LimitError(TuileError, ValueError):
    """Larger than a documented limit."""


class SyntaxProblem(TuileError, ValueError):
    """Malformed: JSON, text, URL, cookie name, value or attribute."""


class CookieRuleError(TuileError, ValueError):
    """Well-formed, but browsers would refuse or change the cookie."""


class ValueTypeError(TuileError, TypeError):
    """The value is there, but of another type."""


class RangeError(TuileError, OverflowError):
    """A number or date does not fit."""


class BadSignature(TuileError):
    """The signature does not match: tampered with, or another key or salt."""


class SignatureExpired(BadSignature):
    """The signature matches, but is older than ``max_age``."""


class SessionDeleted(TuileError):
    """Another request deleted the session meanwhile; nothing was saved."""


class SessionUnbound(TuileError):
    """A device-bound session came without its bound cookie: nothing of it is shown or saved. Since 0.2."""


class StoreError(TuileError):
    """The store failed or could not be reached. No session is lost by it."""


class BusyError(StoreError):
    """The store, or one session in it, was busy for too long."""


class CommitUnknown(StoreError):
    """The store gave no answer to a save: it is done or it is not, and nobody knows which."""


class CorruptStoreError(StoreError):
    """The store's file or table is damaged or not a session store."""


class MissingLibraryError(TuileError):
    """A library that is loaded on use is not installed."""


class FileError(TuileError, OSError):
    """A file could not be read or written."""
