"""Cookies, signing and sessions, shared with every server that speaks libtuile.

See :mod:`tuile.cookies`, :mod:`tuile.signing` and :mod:`tuile.sessions`.
"""

from ._native import version
from .errors import (
    ArgumentError,
    ArgumentTypeError,
    BadSignature,
    BusyError,
    CommitUnknown,
    CookieRuleError,
    CorruptStoreError,
    FileError,
    LimitError,
    MissingLibraryError,
    RangeError,
    SessionDeleted,
    SessionUnbound,
    SignatureExpired,
    StoreError,
    SyntaxProblem,
    TuileError,
    ValueTypeError,
)

__version__ = version()

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
    "__version__",
]
