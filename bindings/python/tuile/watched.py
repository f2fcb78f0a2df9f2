"""A dictionary that is told when it is used."""

from __future__ import annotations

import copy
import functools
from typing import Any


class Watched(dict[str, Any]):
    """Calls :meth:`mark_accessed` before each use, and :meth:`mark_modified` before each that Starlette's session
    takes for a change, whatever was there before. Its copies are plain dictionaries."""

    def mark_accessed(self) -> None:
        raise NotImplementedError

    def mark_modified(self) -> None:
        raise NotImplementedError

    # The two that most requests are made of.

    def __getitem__(self, key: str) -> Any:
        self.mark_accessed()
        return dict.__getitem__(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.mark_modified()
        dict.__setitem__(self, key, value)

    def pop(self, key: str, *default: Any) -> Any:
        if key in self:
            self.mark_modified()
        return dict.pop(self, key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.mark_modified()
        return dict.setdefault(self, key, default)

    def copy(self) -> dict[str, Any]:
        """A dictionary."""
        self.mark_accessed()
        return dict.copy(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(self.copy(), memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (self.copy(),)


def _watched(name: str, changes: bool) -> Any:
    method = getattr(dict, name)

    @functools.wraps(method)
    def call(self: Watched, *arguments: Any, **named: Any) -> Any:
        self.mark_modified() if changes else self.mark_accessed()
        return method(self, *arguments, **named)

    return call


_READ = "__contains__ __eq__ __iter__ __len__ __ne__ __or__ __reversed__ __ror__ get items keys values"
_CHANGE = "__delitem__ __ior__ clear popitem update"
for _name in _READ.split():
    setattr(Watched, _name, _watched(_name, changes=False))
for _name in _CHANGE.split():
    setattr(Watched, _name, _watched(_name, changes=True))
