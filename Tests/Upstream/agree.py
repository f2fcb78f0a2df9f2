"""Each call of another project's function is made of Tuile, too, and both have to agree."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

#: How many calls were compared, and how many could not be, by their reason.
calls: Counter[str] = Counter()


class Differs(BaseException):
    """No test of theirs expects this."""


def compared(theirs: Callable[[], Any], ours: Callable[[], Any], expected: type[Exception]) -> Any:
    """What `theirs` gives or raises, if `ours` gives the same, or raises where it raises. The clock, which both may
    read, stands still meanwhile: in another second they would rightly differ."""
    calls["compared"] += 1
    at = time.time()
    with mock.patch("time.time", lambda: at):
        return _compared(theirs, ours, expected)


def _compared(theirs: Callable[[], Any], ours: Callable[[], Any], expected: type[Exception]) -> Any:
    try:
        mine = ours()
    except expected:
        try:
            value = theirs()
        except Exception:
            raise
        raise Differs(f"they take what Tuile refuses: {value!r}") from None
    value = theirs()
    if value != mine:
        raise Differs(f"they say {value!r}, Tuile {mine!r}")
    return value
