"""What holds something of the library's: freed once nobody uses it, and never copied by accident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Optional, TypeVar

from . import _flat as flat
from .errors import ArgumentError

_Answer = TypeVar("_Answer")


class Handle:
    """A handle of the library. It is freed when it is released, or by the last of its users then: the calls
    that other threads are in, and what was made from it and needs it as its ``parent``. Nothing waits."""

    __slots__ = ("_closed", "_free", "_keep", "_number", "_parent", "_users", "address", "released")

    def __init__(
        self,
        number: Optional[int],
        free: Callable[[int], object],
        closed: str,
        parent: Optional[Handle] = None,
        keep: Any = None,
    ) -> None:
        assert number is not None
        self._number, self._closed, self._parent, self._keep = number, closed, parent, keep
        #: As flat calls take it.
        self.address = flat.address(number)
        # Of lists adding and taking one is a single step, whatever threads there are. No lock, since a
        # child of fork would inherit it held.
        self._free: list[Callable[[int], object]] = [free]
        self._users: list[None] = []
        self.released = False
        if parent is not None:
            parent._users.append(None)

    def use(self, call: Callable[[int], _Answer]) -> _Answer:
        """Calls with the number, which stays valid until the call has ended. ArgumentError once it is released."""
        # First this, then the look: whoever releases it does it the other way round.
        self._users.append(None)
        try:
            if self.released:
                raise ArgumentError(self._closed)
            return call(self._number)
        finally:
            self.leave()

    def enter(self) -> Any:
        """The number as flat calls take it, valid until `leave`: :meth:`use` without a function. ArgumentError once it
        is released, and nothing to leave then."""
        self._users.append(None)
        if self.released:
            self.leave()
            raise ArgumentError(self._closed)
        return self.address

    def leave(self) -> None:
        self._users.pop()
        if self.released:
            self.release()

    def release(self) -> None:
        """Ends it for those who come from now on. A second time is fine."""
        self.released = True
        if self._users or not self._free:
            return
        try:
            free = self._free.pop()
        except IndexError:
            return
        free(self._number)
        if self._parent is not None:
            self._parent.leave()

    # The collector may come to what is in a cycle in any order: a parent waits for its children here, too.
    __del__ = release


class Uncopyable:
    """A copy would end what the original still uses, and a pickle would be an address of another
    process. Both are refused with a word on what to do."""

    _instead = ""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        # copy, deepcopy and pickle all ask here.
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled: {self._instead}")
