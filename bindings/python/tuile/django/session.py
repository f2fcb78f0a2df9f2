"""Django's session of one request: on Django's connection, or in a store of the library's."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Optional

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.serializers import JSONSerializer
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from . import database
from .configuration import manager, names_a_store, tracks_owners
from .kept import Kept, begin
from .limits import ENDS

# What Django's database backend lets a subclass define, and only a database can heed.
_OF_A_DATABASE = (
    "_aget_new_session_key", "_aget_session_from_db", "_get_new_session_key", "_get_session_from_db", "acreate_model_instance",
    "create_model_instance", "decode", "encode", "get_model_class", "key_salt", "model",
)  # fmt: skip


class SessionStore(database.SessionStore):
    """Django's session of one request, without lost updates. Django makes it; derive from it what your project adds.

    With the setting ``TUILE_STORE`` it is in that store, else in Django's own table.

    :param session_key: the cookie's; None: there was none.
    :raises ImproperlyConfigured: with ``TUILE_STORE``, a subclass that defines what only a database can heed.

    .. versionadded:: 0.1.0
    """

    _kept: Optional[Kept] = None

    def __init__(self, session_key: Optional[str] = None) -> None:
        super().__init__(session_key)
        if not names_a_store():
            return
        self._kept = Kept()
        if given := _overridden(type(self)):
            raise ImproperlyConfigured(f"{type(self).__qualname__}.{given} counts only for sessions in the database: without TUILE_STORE")

    # -- what Django's backends define

    def load(self) -> dict[str, Any]:
        if self._kept is None:
            return super().load()
        values = self._kept.load(self._session_key)
        if values is None or ENDS in values and self.has_ended(values):
            self._session_key = None
            return {}
        return values

    async def aload(self) -> dict[str, Any]:
        return await (super().aload() if self._kept is None else sync_to_async(self.load)())

    def exists(self, session_key: str) -> bool:
        if self._kept is None:
            return bool(super().exists(session_key))
        # What is in a cookie is nowhere else, so that nobody can say.
        with begin(session_key) as session:
            return not _in_cookie() and session.load()

    async def aexists(self, session_key: str) -> bool:
        return bool(await (super().aexists(session_key) if self._kept is None else sync_to_async(self.exists)(session_key)))

    def create(self) -> None:
        if self._kept is None:
            super().create()
            return
        values = self._get_session(no_load=True)
        self._require_json()
        self._kept.end()
        self.limit_life(values)
        self._kept.write(None, values).cycle_key()
        self._session_key = self._kept.commit(self._stored_until())
        self.modified = True

    async def acreate(self) -> None:
        await (super().acreate() if self._kept is None else sync_to_async(self.create)())

    def save(self, must_create: bool = False) -> None:
        if self._kept is None:
            super().save(must_create)
            return
        if must_create and self._session_key is not None and self.exists(self._session_key):
            raise CreateError
        if must_create or self._session_key is None:
            self.create()
            return
        values = self._get_session()
        self._require_json()
        key = self._session_key
        if not self._kept.is_there(key) and not _in_cookie():
            raise UpdateError
        self.limit_life(values)
        self._session_key = self._kept.save(key, values, self._stored_until())

    def _stored_until(self) -> Optional[int]:
        # A cookie's token says when it was signed, and goes by its expiry.
        return None if _in_cookie() else self.expires_at()

    def _require_json(self) -> None:
        if self.serializer is not JSONSerializer:
            raise ImproperlyConfigured(f"{type(self).__qualname__}.serializer counts only for sessions in the database: without TUILE_STORE")

    async def asave(self, must_create: bool = False) -> None:
        await (super().asave(must_create) if self._kept is None else sync_to_async(self.save)(must_create))

    def delete(self, session_key: Optional[str] = None) -> None:
        if self._kept is None:
            super().delete(session_key)
            return
        key = self._session_key if session_key is None else session_key
        if key is None:
            return
        if key == self._session_key:
            self._kept.begun(key).session.flush()
            self._kept.end()
        else:
            with begin(key) as session:
                session.flush()

    async def adelete(self, session_key: Optional[str] = None) -> None:
        await (super().adelete(session_key) if self._kept is None else sync_to_async(self.delete)(session_key))

    def clear(self) -> None:
        super().clear()
        if self._kept is not None:
            self._kept.clear()

    def cycle_key(self) -> None:
        if self._kept is None:
            super().cycle_key()
            return
        values = self._get_session()
        self.limit_life(values)
        self._kept.write(self._session_key, values).cycle_key()
        self._session_key = self._kept.commit(self._stored_until())
        self.modified = self._was_cycled = True

    async def acycle_key(self) -> None:
        await (super().acycle_key() if self._kept is None else sync_to_async(self.cycle_key)())

    @classmethod
    def clear_expired(cls) -> None:
        if not names_a_store():
            super().clear_expired()
            return
        while manager().clear_expired(1000) == 1000:
            pass

    @classmethod
    async def aclear_expired(cls) -> None:
        await (sync_to_async(cls.clear_expired)() if names_a_store() else super().aclear_expired())

    # -- what Django has not

    def keep_listed(self) -> None:
        """After a request that only read the session: its entry says when it was seen, to the minute.

        :raises StoreError: the store of TUILE_STORE gave no answer; without it, Django's own DatabaseError.

        .. versionadded:: 0.1.1
        """
        if self._kept is None:
            super().keep_listed()
        elif tracks_owners():
            self._kept.keep_listed(self._stored_until())

    def set_client(self, user_agent: str = "", address: str = "") -> None:
        """Says where the request comes from, for the owner's list. :class:`tuile.django.middleware.ClientMiddleware` does so for all.

        :param user_agent: of which 256 characters are kept; empty: what the list has stays.
        :param address: of which 64 characters are kept; empty: what the list has stays.

        .. versionadded:: 0.1.1
        """
        super().set_client(user_agent, address)
        if self._kept is not None:
            self._kept.client = user_agent, address

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once.

        :param key: the counter's name; one that is missing counts as 0.
        :param delta: what is added; it may be negative.
        :returns: the sum as this request sees it.
        :raises ValueTypeError: the value is no integer.
        :raises RangeError: the sum does not fit into 64 bits.
        :raises StoreError: the store of TUILE_STORE gave no answer.

        .. versionadded:: 0.1.0
        """
        if self._kept is None:
            return super().add_int(key, delta)
        values = self._get_session()
        self.modified = True
        return self._kept.at_once(self._session_key, values, key, lambda session: session.add_int(key, delta))

    def append(self, key: str, value: Any) -> None:
        """Puts a value at the end of a list, and loses none that another request appends at once.

        :param key: the list's name; one that is missing is made.
        :param value: anything that JSON can hold.
        :raises ValueTypeError: what is there is no list.
        :raises StoreError: the store of TUILE_STORE gave no answer.

        .. versionadded:: 0.1.0
        """
        if self._kept is None:
            super().append(key, value)
            return
        values = self._get_session()
        self.modified = True
        self._kept.at_once(self._session_key, values, key, lambda session: session.append(key, value))

    async def aadd_int(self, key: str, delta: int = 1) -> int:
        """As :meth:`add_int`, for async views.

        :param key: the counter's name.
        :param delta: what is added.
        :returns: the sum as this request sees it.
        :raises ValueTypeError: the value is no integer.
        :raises RangeError: the sum does not fit into 64 bits.
        :raises StoreError: the store of TUILE_STORE gave no answer.

        .. versionadded:: 0.1.0
        """
        return await (super().aadd_int(key, delta) if self._kept is None else sync_to_async(self.add_int)(key, delta))

    async def aappend(self, key: str, value: Any) -> None:
        """As :meth:`append`, for async views.

        :param key: the list's name.
        :param value: anything that JSON can hold.
        :raises ValueTypeError: what is there is no list.
        :raises StoreError: the store of TUILE_STORE gave no answer.

        .. versionadded:: 0.1.0
        """
        await (super().aappend(key, value) if self._kept is None else sync_to_async(self.append)(key, value))

    # -- dates, which Django keeps in local time without USE_TZ, where others can't read them

    def set_expiry(self, value: Any) -> None:
        super().set_expiry(value if self._kept is None else _with_zone(value))

    async def aset_expiry(self, value: Any) -> None:
        await super().aset_expiry(value if self._kept is None else _with_zone(value))


def _in_cookie() -> bool:
    return manager().store_name == "cookie:"


@lru_cache(maxsize=64)
def _overridden(kind: type[SessionStore]) -> Optional[str]:
    """What a subclass defines anew of what needs a database."""
    own = kind.__mro__[: kind.__mro__.index(SessionStore)]
    return next((name for name in _OF_A_DATABASE if any(name in vars(one) for one in own)), None)


def _with_zone(value: Any) -> Any:
    if isinstance(value, timedelta):
        value = timezone.now() + value
    if isinstance(value, datetime) and timezone.is_naive(value):
        value = timezone.make_aware(value)
    return value
