"""Cookies, signing and sessions, shared with every server that speaks libtuile.

See :mod:`tuile.cookies`, :mod:`tuile.signing` and :mod:`tuile.sessions`.
"""

from ._native import version
from .errors import (
    ArgumentError,
    BusyError,
    CookieRuleError,
    CorruptStoreError,
    FileError,
    LimitError,
    MissingLibraryError,
    RangeError,
    StoreError,
    SyntaxProblem,
    TuileError,
)

__version__ = version()

__all__ = [
    "ArgumentError",
    "BusyError",
    "CookieRuleError",
    "CorruptStoreError",
    "FileError",
    "LimitError",
    "MissingLibraryError",
    "RangeError",
    "StoreError",
    "SyntaxProblem",
    "TuileError",
    "__version__",
]
