"""Stores of your own, in Python.

>>> import threading
>>> from tuile.sessions import Manager
>>> class Dictionary(Store):
...     def __init__(self):
...         self.lock, self.rows = threading.Lock(), {}
...     def load(self, key, now):
...         row = self.rows.get(key)
...         return row if row and row[1] > now else None
...     def create(self, key, data, expires):
...         with self.lock:
...             return self.rows.setdefault(key, row := (data, expires)) is row
...     def replace(self, key, expected, data, expires):
...         with self.lock:
...             if key not in self.rows:
...                 return None
...             if self.rows[key][0] != expected:
...                 return False
...             self.rows[key] = data, expires
...             return True
...     def touch(self, key, expires):
...         with self.lock:
...             if key in self.rows:
...                 self.rows[key] = self.rows[key][0], expires
...             return key in self.rows
...     def remove(self, key):
...         self.rows.pop(key, None)
...     def sweep(self, now, limit):
...         with self.lock:
...             old = [key for key, row in self.rows.items() if row[1] < now][:limit]
...             for key in old:
...                 del self.rows[key]
...         return len(old)
>>> with Manager(store=Dictionary(), secret="a secret that has its thirty-two bytes and more") as manager, manager.begin("") as session:
...     session["name"] = "Ada"
...     name, cookie = session.commit()[0]
>>> name
'Set-Cookie'
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from ctypes import byref, c_void_p, sizeof
from typing import Any, Callable, Optional

from . import _native as native
from . import arguments, errors
from .lifetime import Handle, Uncopyable

__all__ = ["Store"]


class Store(Uncopyable, ABC):
    """Where a manager keeps its sessions, by methods of yours.

    They are called from several threads at once. Keys have 8 to 40 characters of a-z and 0-9, or
    are `~` and 39 hex digits for records that are no sessions, which no walk has to give;
    times are Unix microseconds. An exception becomes a StoreError, with the exception as its
    cause: nobody is logged out by it. After one of a write the library looks whether it was made,
    unless it was a BusyError, CorruptStoreError or LimitError, which say that it was not. What is no ``Exception``, such as
    KeyboardInterrupt, comes out as itself.

    .. versionadded:: 0.1.0
    """

    _instead = "a manager may be using it; define __reduce_ex__ if yours can be"

    #: Only this process can write the data, so that it need not be signed.
    trusted = False
    #: Calls may wait for a disk or a network: an event loop runs them in a thread.
    blocking = True

    @abstractmethod
    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        """The data of a key.

        :param key: the session's.
        :param now: Unix microseconds.
        :returns: the data and its expiry; None if there is no such key, or its expiry is not later than ``now``.

        .. versionadded:: 0.1.0
        """

    @abstractmethod
    def create(self, key: str, data: bytes, expires: int) -> bool:
        """Stores data under a key that is not taken.

        :param key: the session's.
        :param data: what is kept.
        :param expires: Unix microseconds.
        :returns: False if the key is taken, expired or not.

        .. versionadded:: 0.1.0
        """

    @abstractmethod
    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Optional[bool]:
        """Replaces the data if it is what is expected, in one atomic step.

        :param key: the session's.
        :param expected: the data that has to be there, to the byte.
        :param data: what is kept then.
        :param expires: Unix microseconds.
        :returns: True if so; False if other data is stored; None if the key is not.

        .. versionadded:: 0.1.0
        """

    @abstractmethod
    def touch(self, key: str, expires: int) -> bool:
        """Sets the expiry only.

        :param key: the session's.
        :param expires: Unix microseconds.
        :returns: False if the key is not stored.

        .. versionadded:: 0.1.0
        """

    @abstractmethod
    def remove(self, key: str) -> None:
        """Removes the key, if it is there.

        :param key: the session's.

        .. versionadded:: 0.1.0
        """

    @abstractmethod
    def sweep(self, now: int, limit: int) -> int:
        """Removes expired sessions.

        :param now: Unix microseconds: what expires before goes.
        :param limit: the most to remove.
        :returns: how many there were.

        .. versionadded:: 0.1.0
        """

    def put(self, key: str, data: bytes, expires: int) -> None:
        """Sets data and expiry, whatever is stored. Only a cache needs it.

        :param key: the session's.
        :param data: what is kept.
        :param expires: Unix microseconds.

        .. versionadded:: 0.1.0
        """
        raise NotImplementedError

    def own(self, owner: str, key: str, record: bytes, expires: int) -> None:
        """Writes a key's entry in the list of an owner's sessions. To be defined with
        :meth:`owned` and :meth:`disown`, or not at all.

        :param owner: the owner's name.
        :param key: the session's.
        :param record: what the library keeps there.
        :param expires: Unix microseconds.

        .. versionadded:: 0.1.0
        """
        raise NotImplementedError

    def owned(self, owner: str, now: int) -> Iterable[tuple[str, bytes, int]]:
        """Each session of an owner that is stored and not over.

        :param owner: the owner's name.
        :param now: Unix microseconds.
        :returns: key, record and expiry of each that expires later than ``now``.

        .. versionadded:: 0.1.0
        """
        raise NotImplementedError

    def owned_record(self, owner: str, key: str) -> bytes | None:
        """The record of one entry, whether or not its session is stored. May be
        left out: then :meth:`owned` is called, once a minute for each session.

        :param owner: the owner's name.
        :param key: the session's.
        :returns: None if there is no entry.

        .. versionadded:: 0.1.1
        """
        raise NotImplementedError

    def disown(self, owner: str, key: str) -> None:
        """Removes the entry, not the session.

        :param owner: the owner's name.
        :param key: the session's.

        .. versionadded:: 0.1.0
        """
        raise NotImplementedError

    def keys(self, now: int) -> Iterable[tuple[str, int]]:
        """Each session that is not over: what is there for as long as the walk takes, at least once. May be left out.

        :param now: Unix microseconds.
        :returns: key and expiry of each that expires later than ``now``.

        .. versionadded:: 0.1.0
        """
        raise NotImplementedError

    def owners(self) -> Iterable[str]:
        """Each owner that :meth:`own` has written an entry for.

        :returns: their names.

        .. versionadded:: 0.1.0
        """
        raise NotImplementedError

    def close(self) -> None:
        """Called once, when the manager is closed.

        .. versionadded:: 0.1.0
        """


# What a store raises when it knows that a write was not made; after anything else the library looks.
_CERTAIN: list[tuple[type[BaseException], int]] = [
    (errors.BusyError, native.E_BUSY), (errors.CorruptStoreError, native.E_CORRUPT), (errors.LimitError, native.E_LIMIT),
    (errors.CommitUnknown, native.E_UNKNOWN), (MemoryError, native.E_MEMORY),
]  # fmt: skip


def _key(borrowed: native.Bytes) -> str:
    return arguments.text(native.copy(borrowed))


class Bridge:
    """A store of Python as the library sees it; lives until it is closed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        names = ["load", "create", "replace", "touch", "remove", "sweep", "close"]
        optional = ("put", "own", "owned", "owned_record", "disown", "keys", "owners")
        names += [name for name in optional if getattr(type(store), name) is not getattr(Store, name)]
        ops = native.StoreOps()
        ops.size, ops.trusted = sizeof(native.StoreOps), store.trusted
        # A signal can end a callback before its first step: what ctypes returns then is no answer.
        ops.confirms = True
        types: dict[str, Any] = {name: kind for name, kind, *_ in native.StoreOps._fields_}
        # The library calls them for as long as the store is open.
        self._callbacks = {name: types[name](getattr(self, f"_{name}")) for name in names}
        for name, callback in self._callbacks.items():
            setattr(ops, name, callback)
        #: What the store's close raises goes here, while somebody waits for it.
        self.raised: Optional[list[BaseException]] = None
        number = c_void_p()
        native.check(native.lib.tuile_store_open_ops, byref(ops), None, byref(number))
        self.handle = number.value
        self.owned = Handle(number.value, native.lib.tuile_store_close, "the store is closed", keep=self._callbacks)

    def free(self) -> None:
        """Has the store closed, once no manager uses it any more."""
        self.owned.release()

    # No exception gets through C: each becomes a status, and is kept as the cause of the exception that
    # follows, or to come out as itself.

    def _answer(self, error: Any, call: Callable[[], int]) -> int:
        try:
            # After a KeyboardInterrupt in this very call the store is not asked on.
            status = native.E_STORE if native.must_end() else call()
        except BaseException as problem:
            native.keep(problem)
            error.contents.message = f"the store raised {type(problem).__name__}".encode("ascii", "replace")[:200]
            status = next((number for kind, number in _CERTAIN if isinstance(problem, kind)), native.E_STORE)
        error.contents.status = status
        return status

    def _did(self, error: Any, call: Callable[..., None], *arguments: Any) -> int:
        def done() -> int:
            call(*arguments)
            return native.OK

        return self._answer(error, done)

    def _load(self, _: Any, key: native.Bytes, now: int, receive: Any, receiver: Any, error: Any) -> int:
        def call() -> int:
            found = self._store.load(_key(key), now)
            if found is None:
                return native.ABSENT
            receive(receiver, native.view(found[0]), native.int64(found[1]))
            return native.OK

        return self._answer(error, call)

    def _create(self, _: Any, key: native.Bytes, data: native.Bytes, expires: int, error: Any) -> int:
        def call() -> int:
            return native.OK if self._store.create(_key(key), native.copy(data), expires) else native.EXISTS

        return self._answer(error, call)

    def _replace(
        self, _: Any, key: native.Bytes, expected: native.Bytes, data: native.Bytes, expires: int, error: Any
    ) -> int:
        def call() -> int:
            replaced = self._store.replace(_key(key), native.copy(expected), native.copy(data), expires)
            return native.ABSENT if replaced is None else native.OK if replaced else native.CONFLICT

        return self._answer(error, call)

    def _touch(self, _: Any, key: native.Bytes, expires: int, error: Any) -> int:
        return self._answer(error, lambda: native.OK if self._store.touch(_key(key), expires) else native.ABSENT)

    def _remove(self, _: Any, key: native.Bytes, error: Any) -> int:
        return self._did(error, self._store.remove, _key(key))

    def _sweep(self, _: Any, now: int, limit: int, removed: Any, error: Any) -> int:
        def call() -> int:
            removed.contents.value = native.size(self._store.sweep(now, limit))
            return native.OK

        return self._answer(error, call)

    def _put(self, _: Any, key: native.Bytes, data: native.Bytes, expires: int, error: Any) -> int:
        return self._did(error, self._store.put, _key(key), native.copy(data), expires)

    def _own(
        self, _: Any, owner: native.Bytes, key: native.Bytes, record: native.Bytes, expires: int, error: Any
    ) -> int:
        return self._did(error, self._store.own, _key(owner), _key(key), native.copy(record), expires)

    def _owned(self, _: Any, owner: native.Bytes, now: int, receive: Any, receiver: Any, error: Any) -> int:
        def call() -> int:
            for key, record, expires in self._store.owned(_key(owner), now):
                receive(receiver, native.view(key), native.view(record), native.int64(expires))
            return native.OK

        return self._answer(error, call)

    def _owned_record(
        self, _: Any, owner: native.Bytes, key: native.Bytes, receive: Any, receiver: Any, error: Any
    ) -> int:
        def call() -> int:
            record = self._store.owned_record(_key(owner), _key(key))
            if record is None:
                return native.ABSENT
            receive(receiver, native.view(record), native.int64(0))
            return native.OK

        return self._answer(error, call)

    def _disown(self, _: Any, owner: native.Bytes, key: native.Bytes, error: Any) -> int:
        return self._did(error, self._store.disown, _key(owner), _key(key))

    def _keys(self, _: Any, now: int, receive: Any, receiver: Any, error: Any) -> int:
        def call() -> int:
            for key, expires in self._store.keys(now):
                if not receive(receiver, native.view(key), native.int64(expires)):
                    break
            return native.OK

        return self._answer(error, call)

    def _owners(self, _: Any, receive: Any, receiver: Any, error: Any) -> int:
        def call() -> int:
            for owner in self._store.owners():
                if not receive(receiver, native.view(owner)):
                    break
            return native.OK

        return self._answer(error, call)

    def _close(self, _: Any) -> None:
        try:
            self._store.close()
        except BaseException as problem:
            if self.raised is not None:
                self.raised.append(problem)
            elif not sys.is_finalizing():
                raise
