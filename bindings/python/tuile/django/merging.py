"""Three dictionaries made one: what was read, what this request made of it, and what others saved meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Exactly:
    """What a request did to values by name that can be done again on any other value."""

    #: What was added to a number, and the sum that it gave.
    added: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: How many values were put behind a list.
    appended: dict[str, int] = field(default_factory=dict)

    def forget(self) -> None:
        self.added.clear()
        self.appended.clear()


def same(one: Any, other: Any) -> bool:
    """Whether two values are stored the same. 1, 1.0 and True are equal in Python only."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other) or (one != one and other != other)
    return one.__class__ is other.__class__ and bool(one == other)


def merged(before: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], exactly: Exactly) -> dict[str, Any]:
    """What others saved, with this request's changes made again on it, name by name.

    ``exactly`` is brought up to date: its sums are those of the answer.
    """
    answer = dict(theirs)
    for name in mine.keys() | before.keys():
        if name not in mine:
            answer.pop(name, None)
        elif name not in before or not same(before[name], mine[name]):
            answer[name] = _again(name, before, mine, theirs, exactly)
    return answer


def _again(name: str, before: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], exactly: Exactly) -> Any:
    value = mine[name]
    if name in exactly.added:
        delta, total = exactly.added[name]
        start, there = before.get(name, 0), theirs.get(name, 0)
        # Otherwise something else was done to it, too, or it is no number any more.
        if _is_int(start) and start + delta == total and _is_int(value) and value == total and _is_int(there):
            exactly.added[name] = delta, there + delta
            return there + delta
    if name in exactly.appended and isinstance(value, list):
        count = exactly.appended[name]
        start, there = before.get(name, []), theirs.get(name, [])
        if isinstance(there, list) and same(value[:-count], start):
            return there + value[-count:]
    return value


def _is_int(value: Any) -> bool:
    return value.__class__ is int
