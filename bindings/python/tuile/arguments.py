"""Arguments on their way into C: what they have to be, by errors that name them.

Octets and text by one rule: text is UTF-8, and octets that are none are kept as Python keeps them in the names of
files, as the surrogates U+DC80 to U+DCFF (``surrogateescape``), in and out. Other halves of surrogate pairs stand for
no octet. No message repeats what was given, which may be a secret in the wrong place.
"""

from __future__ import annotations

import difflib
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

from . import errors

_INT64 = range(-(2**63), 2**63)


def octets(value: Union[str, bytes], what: str = "the text") -> bytes:
    """The octets that text or bytes stand for."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as problem:
            at = problem.start
        raise errors.SyntaxProblem(f"{what} has half a surrogate pair at {at}, which stands for no octet")
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise errors.ArgumentTypeError(f"{what} has to be str or bytes, not {_kind(value)}")


def sent(value: Union[str, bytes], what: str = "the text") -> bytes:
    """The same of what a client sent, and is only looked at: what stands for no octet is no error, and
    becomes what no cookie and no signature has."""
    try:
        # What nearly all are, without a question.
        return value if value.__class__ is bytes else str.encode(value)  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):
        pass
    try:
        return octets(value, what)
    except errors.SyntaxProblem:
        assert isinstance(value, str)
        return value.encode("utf-8", "surrogatepass")


def text(octets: bytes) -> str:
    """The text that octets stand for."""
    return octets.decode("utf-8", "surrogateescape")


def path(value: Union[str, bytes, os.PathLike[str]]) -> bytes:
    """The name of a file."""
    return os.fsencode(value)


def url(value: object, what: str) -> str:
    """A store's URL."""
    if isinstance(value, str):
        return value
    example = "sqlite:///var/lib/app/sessions.db"
    if isinstance(value, os.PathLike):
        raise errors.ArgumentTypeError(f"{what} is a URL, not a path: write \"{example}\" or \"file:///var/lib/app/sessions\"")
    raise errors.ArgumentTypeError(f"{what} has to be a URL such as \"{example}\", not {_kind(value)}")


def secret(value: object, what: str) -> bytes:
    """One secret."""
    if isinstance(value, os.PathLike):
        raise errors.ArgumentTypeError(f"{what} is the secret itself, not a file: Keyring().add_file(path) reads one")
    if isinstance(value, (list, tuple, set, frozenset)):
        raise errors.ArgumentTypeError(f"{what} is one secret; older ones that still read are the fallbacks")
    return octets(value, what)  # type: ignore[arg-type]


def secrets(values: Iterable[Union[str, bytes]], what: str) -> list[bytes]:
    """Several secrets. Of a lone string each letter would be one."""
    if isinstance(values, (str, bytes, bytearray, memoryview, os.PathLike)) or not isinstance(values, Iterable):
        raise errors.ArgumentTypeError(f"{what} is a list of secrets: write [secret], not {_kind(values)}")
    return [secret(value, f"each of {what}") for value in values]


def names(values: Iterable[str], what: str) -> list[str]:
    """Several names. Of a lone string each letter would be one."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise errors.ArgumentTypeError(f"{what} is a list: write [name], not {_kind(values)}")
    return list(values)


def number(value: object, what: str = "the number") -> int:
    """A whole number of 64 bits: ctypes would cut a larger one without a word."""
    if value.__class__ is int and value in _INT64:
        return value
    if isinstance(value, bool):
        raise errors.ArgumentTypeError(f"{what} has to be a whole number, not bool")
    try:
        whole: int = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        whole = None  # type: ignore[assignment]
    if whole is None:
        raise errors.ArgumentTypeError(f"{what} has to be a whole number, not {_kind(value)}")
    if whole not in _INT64:
        raise errors.RangeError(f"{what} does not fit into 64 bits")
    return whole


def count(value: object, what: str = "the number") -> int:
    """A number that can be a count."""
    if (whole := number(value, what)) < 0:
        raise errors.RangeError(f"{what} is negative")
    return whole


def switch(value: object, what: str) -> bool:
    """True or False: of a text such as "no" it is not known which."""
    if value.__class__ is bool or (value.__class__ is int and value in (0, 1)):
        return bool(value)
    raise errors.ArgumentTypeError(f"{what} has to be True or False, not {_kind(value)}")


def choice(names: Mapping[Any, int], given: object, what: str) -> int:
    """The library's number for a name."""
    if (given is None or isinstance(given, str)) and given in names:
        return names[given]
    said = [name for name in names if name is not None]
    choices = ", ".join(repr(name) for name in said) + (" or None" if None in names else "")
    if isinstance(given, str):
        near = difflib.get_close_matches(given, said, 1)
        meant = f": did you mean {near[0]!r}?" if near else ""
        raise errors.ArgumentError(f"{what} has to be one of {choices}{meant}")
    raise errors.ArgumentTypeError(f"{what} has to be one of {choices}, not {_kind(given)}")


def meant(name: str, names: Iterable[str]) -> str:
    """For a name that is none: which one it may have been."""
    near: list[str] = difflib.get_close_matches(name, names, 1)
    return f"{name}: did you mean {near[0]}?" if near else name


def _kind(value: object) -> Optional[str]:
    return "None" if value is None else type(value).__name__
