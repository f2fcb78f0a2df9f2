"""Sessions on the database connection that Django has open: in its transaction, by its routers, with its model.

All of it is Django's own backend but for one thing: a row is replaced only if it still holds what was read.
Where it does not, this request's changes are made again on what is there now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core import signing
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.utils import timezone

from ..device import binding_of, bound_key
from ..errors import RangeError, ValueTypeError
from .limits import LimitedSession
from .listed import ListedSession
from .merging import Exactly, merged, same
from .rows import Other, is_a_conflict, only_if, patiently, remove

# What C servers leave under a key that they replaced, for the requests under way.
_MOVED = ("_session_moved", "_session_moved_until")


class SessionStore(LimitedSession, ListedSession, db.SessionStore):
    """Django's session of one request, in Django's table, without lost updates.

    :param session_key: the cookie's; None: there was none.

    .. versionadded:: 0.1.1
    """

    # What the row holds, as far as this session knows; None: it is not known, or to be replaced whatever it is.
    _row: Optional[str] = None
    # The same without what was saved in a transaction, which may have been rolled back.
    _settled: Optional[str] = None
    # The key is one that another request replaced.
    _moved = False
    # What a registration replaced it with, while that may be followed.
    _bound_under: Optional[str] = None
    # Of the key that it is given at the moment.
    _binding: Optional[str] = None

    @cached_property
    def _exactly(self) -> Exactly:
        return Exactly()

    if TYPE_CHECKING:
        # Django's, which its stubs leave out.
        def _get_session_from_db(self) -> Any: ...
        async def _aget_session_from_db(self) -> Any: ...

    # -- reading

    def load(self) -> dict[str, Any]:
        data = self._taken(self._get_session_from_db())
        return data if self._bound_under is None else self._taken(self._row_bound())

    async def aload(self) -> dict[str, Any]:
        data = self._taken(await self._aget_session_from_db())
        return data if self._bound_under is None else self._taken(await sync_to_async(self._row_bound)())

    def _row_bound(self) -> Any:
        """Of a session that was bound meanwhile, the row under its bound key: a request of the same browser that was
        under way loses nothing. Who has the old key alone can't use the new one."""
        rows = self.model._base_manager.using(self._writer())
        row = rows.filter(session_key=self._bound_under, expire_date__gt=timezone.now()).first()
        self._session_key = None if row is None else self._bound_under
        return row

    def _taken(self, row: Any) -> dict[str, Any]:
        self._forget()
        self._was_read({})
        if row is None:
            return {}
        data = self._verified(row.session_data)
        if self._bound_under is not None:
            return {}
        if data is None or self.has_ended(data):
            # Nobody's, and never written over: what is saved gets a key of its own.
            self._session_key = None
            return {}
        self._row = self._settled = row.session_data
        self._was_read(data)
        self.keep_alive(data, row.expire_date)
        return data

    def _verified(self, text: str) -> Optional[dict[str, Any]]:
        """The data; None if it can't be verified."""
        data: dict[str, Any] = self.decode(text)
        if not data and type(self).decode is SessionBase.decode:
            # Django has the same answer for an empty session and for one that somebody changed.
            try:
                signing.loads(text, salt=self.key_salt, serializer=self.serializer)
            except Exception:
                return None
        self._moved = _MOVED[0] in data
        target, until = (data.pop(name, None) for name in _MOVED)
        if self._moved and isinstance(target, str) and until.__class__ is int and until >= time.time():
            follows = binding_of(target) is not None and binding_of(self.session_key) is None
            self._bound_under = target if follows else None
        return data

    def _forget(self) -> None:
        self._row = self._settled = self._bound_under = None
        self._moved = False
        vars(self).pop("_exactly", None)

    # -- changing

    def clear(self) -> None:
        """Everything goes, also what others saved meanwhile."""
        super().clear()
        self._forget()

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once.

        :param key: the counter's name; one that is missing counts as 0.
        :param delta: what is added; it may be negative.
        :returns: the sum as this request sees it.
        :raises ValueTypeError: the value is no integer.
        :raises RangeError: the sum does not fit into 64 bits.

        .. versionadded:: 0.1.0
        """
        return self._added(self._get_session(), key, delta)

    async def aadd_int(self, key: str, delta: int = 1) -> int:
        """As :meth:`add_int`, for async views.

        :param key: the counter's name.
        :param delta: what is added.
        :returns: the sum as this request sees it.
        :raises ValueTypeError: the value is no integer.
        :raises RangeError: the sum does not fit into 64 bits.

        .. versionadded:: 0.1.0
        """
        return self._added(await self._aget_session(), key, delta)

    def append(self, key: str, value: Any) -> None:
        """Puts a value at the end of a list, and loses none that another request appends at once.

        :param key: the list's name; one that is missing is made.
        :param value: anything that the serializer can hold.
        :raises ValueTypeError: what is there is no list.

        .. versionadded:: 0.1.0
        """
        self._append(self._get_session(), key, value)

    async def aappend(self, key: str, value: Any) -> None:
        """As :meth:`append`, for async views.

        :param key: the list's name.
        :param value: anything that the serializer can hold.
        :raises ValueTypeError: what is there is no list.

        .. versionadded:: 0.1.0
        """
        self._append(await self._aget_session(), key, value)

    def _added(self, data: dict[str, Any], key: str, delta: int) -> int:
        value = data.get(key, 0)
        if value.__class__ is not int or delta.__class__ is not int:
            raise ValueTypeError("the value is no integer")
        total: int = value + delta
        if not -(1 << 63) <= total < 1 << 63:
            raise RangeError("the sum does not fit in 64 bits")
        before, at = self._exactly.added.get(key, (0, value))
        self._exactly.added[key] = (before + delta if at == value else delta), total
        data[key] = total
        self.modified = True
        return total

    def _append(self, data: dict[str, Any], key: str, value: Any) -> None:
        values = data.setdefault(key, [])
        if not isinstance(values, list):
            raise ValueTypeError("the value is no list")
        values.append(value)
        self._exactly.appended[key] = self._exactly.appended.get(key, 0) + 1
        self.modified = True

    # -- writing

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)
        self.limit_life(data)
        if must_create:
            self._insert(self.create_model_instance(data), data)
            return
        for _ in patiently():
            if self._replace(self.create_model_instance(data), data):
                return
            self._catch_up(data)

    async def asave(self, must_create: bool = False) -> None:
        if self.session_key is None:
            await self.acreate()
            return
        data = await self._aget_session(no_load=must_create)
        self.limit_life(data)
        if must_create:
            await sync_to_async(self._insert)(await self.acreate_model_instance(data), data)
            return
        for _ in patiently():
            if await sync_to_async(self._replace)(await self.acreate_model_instance(data), data):
                return
            await sync_to_async(self._catch_up)(data)

    def _insert(self, row: Any, data: dict[str, Any]) -> None:
        using, is_new = router.db_for_write(self.model, instance=row), False
        try:
            with transaction.atomic(using=using):
                row.save(force_insert=True, using=using)
                is_new = self._list(data, using)
        except IntegrityError:
            raise CreateError from None
        self._wrote(row, data, using, is_new)

    def _replace(self, row: Any, data: dict[str, Any]) -> bool:
        """Writes the row; False if it holds other data than was read, or is gone."""
        if self._moved:
            raise UpdateError
        using = router.db_for_write(self.model, instance=row)
        expected, other, is_new = self._row, False, False
        try:
            with transaction.atomic(using=using):
                if expected is not None:
                    only_if(row, expected, using)
                row.save(force_update=True, using=using)
                is_new = self._list(data, using)
        except Other:
            other = True
        except IntegrityError:
            raise
        except DatabaseError as problem:
            if not is_a_conflict(problem, using):
                # As Django has it.
                raise UpdateError from problem
            other = True
        if not other:
            self._wrote(row, data, using, is_new)
        return not other

    def _wrote(self, row: Any, data: dict[str, Any], using: str, is_new: bool) -> None:
        self._row = row.session_data
        if not connections[using].in_atomic_block:
            self._settled = self._row
        self._exactly.forget()
        self._did_list(data, using, is_new)

    def _catch_up(self, data: dict[str, Any]) -> None:
        """Makes the changes again on what the row holds now; UpdateError if it is gone."""
        found = self._present(self.session_key)
        if found is not None and self._verified(found) is not None and self._bound_under is not None:
            self._session_key, self._bound_under = self._bound_under, None
            found = self._present(self._session_key)
        # Where the row is as it was before a transaction of ours, that was rolled back.
        base = self._settled if found == self._settled else self._row
        if found is None or not self._merge(data, base, found, self._exactly):
            raise UpdateError
        self._row = found
        if not connections[self._writer()].in_atomic_block:
            self._settled = found

    def _merge(self, data: dict[str, Any], base: Optional[str], found: str, exactly: Exactly) -> bool:
        """Brings the dictionary up to what a row holds now, with this session's changes on it; False if
        that can't be verified, or another request gave the session another key."""
        theirs = self._verified(found)
        if theirs is None or self._moved:
            return False
        before = {} if base is None else self.decode(base)
        # As they would be read.
        mine = self.decode(self.encode(data))
        answer = merged(before, mine, theirs, exactly)
        # Whoever holds a value of the session goes on with the same object.
        answer.update({name: data[name] for name, value in answer.items() if name in data and same(value, mine.get(name))})
        data.clear()
        data.update(answer)
        return True

    def _writer(self) -> str:
        return str(router.db_for_write(self.model))

    def _present(self, key: Optional[str]) -> Optional[str]:
        """What a row holds now, whatever a transaction's snapshot or a replica says."""
        using = self._writer()
        rows = self.model._base_manager.using(using).filter(session_key=key)
        if connections[using].in_atomic_block and connections[using].features.has_select_for_update:
            rows = rows.select_for_update()
        text: Optional[str] = rows.values_list("session_data", flat=True).first()
        return text

    # -- a new key

    def cycle_key(self) -> None:
        data, old = self._get_session(), self._as_read()
        self._binding = binding_of(old.key)
        try:
            self.create()
        finally:
            self._binding = None
        self._session_cache = data
        self._retire(old, data)

    async def acycle_key(self) -> None:
        data, old = await self._aget_session(), self._as_read()
        self._binding = binding_of(old.key)
        try:
            await self.acreate()
        finally:
            self._binding = None
        self._session_cache = data
        await sync_to_async(self._retire)(old, data)

    def _bound(self, key: str) -> str:
        """What is bound stays with its device: the new key has the same binding."""
        return key if self._binding is None else bound_key(key, self._binding)

    def _get_new_session_key(self) -> str:
        return self._bound(super()._get_new_session_key())  # type: ignore[misc]

    async def _aget_new_session_key(self) -> str:
        return self._bound(await super()._aget_new_session_key())  # type: ignore[misc]

    def _as_read(self) -> _Read:
        read = _Read(None if self._moved else self.session_key, self._row, self._settled, self._exactly)
        self._exactly = Exactly()
        self._moved = False
        self._was_cycled = True
        self._gets_another_key(read.key)
        return read

    def _retire(self, old: _Read, data: dict[str, Any]) -> None:
        """Removes the old key's row; what others saved there meanwhile moves to the new one."""
        using, changed = self._writer(), False
        for _ in patiently() if old.key else ():
            found = self._present(old.key)
            if found is None:
                if old.row is not None and old.row == old.settled:
                    # Somebody logged out: what was read is not to come back under another key.
                    self.delete()
                    self._session_key = None
                    raise SessionInterrupted("The request's session was deleted before it was given a new key.")
                break
            if old.row is not None and found != old.row:
                if not self._merge(data, old.row, found, old.exactly):
                    self._moved = False
                    break
                old.row, changed = found, True
            if remove(self.model, using, old.key, found):
                self._unlist(old.key)
                break
        if changed:
            self.save()


@dataclass
class _Read:
    """What a session was before it got a new key."""

    key: Optional[str]
    row: Optional[str]
    settled: Optional[str]
    exactly: Exactly
