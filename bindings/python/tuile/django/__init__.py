"""Django's sessions on Tuile: ``SESSION_ENGINE = "tuile.django"``.

Settings, both optional:

- ``TUILE_STORE``: the store's URL. Else Django's own default database, where that is SQLite or PostgreSQL.
- ``TUILE_OPTIONS``: a dictionary of further settings of :class:`tuile.sessions.Manager`.

The others are Django's: ``SECRET_KEY``, ``SECRET_KEY_FALLBACKS``, ``SESSION_COOKIE_AGE`` and so on.
``manage.py clearsessions`` works, and so does the admin. What a request set or removed is made again on
what another one saved meanwhile, name by name. ``request.session.add_int("count")`` and
``request.session.append("list", value)`` are exact.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Optional

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.core.signals import setting_changed
from django.utils import timezone

from ..manager import Manager
from ..mirror import Mirror
from ..session import Session, SessionDeleted
from .configuration import open_manager
from .url import database_url

# What could end the cookie is no key.
_ENDS = frozenset(' \t;,"\\\r\n')
_lock = threading.Lock()
_manager: Optional[Manager] = None


def manager() -> Manager:
    """The manager of this project, made when it is first needed."""
    global _manager
    if _manager is None:
        with _lock:
            if _manager is None:
                _manager = open_manager()
    return _manager


def _forget(*, setting: str, **_: Any) -> None:
    """Tests change settings: the next session gets a manager of its own."""
    global _manager
    if setting.startswith("SECRET_KEY") and _manager is not None:
        _manager.reload(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)
    elif setting.startswith(("SESSION_", "TUILE_", "DATABASES")):
        with _lock:
            old, _manager = _manager, None
        if old is not None:
            old.close()


setting_changed.connect(_forget)


class SessionStore(SessionBase):
    """Django's session of one request, kept by Tuile."""

    def __init__(self, session_key: Optional[str] = None) -> None:
        super().__init__(session_key)
        self._mirror: Optional[Mirror] = None

    # -- what Django's backends define

    def load(self) -> dict[str, Any]:
        self._end()
        mirror = self._begun()
        if not mirror.session.load():
            self._session_key = None
            return {}
        return mirror.read()

    def exists(self, session_key: Optional[str]) -> bool:
        # What is in a cookie is nowhere else, so that nobody can say.
        with _begin(session_key) as session:
            return not self._in_cookie() and session.load()

    def create(self) -> None:
        self._end()
        self._begun(new=True).session.cycle_key()
        self._save(self._values(no_load=True))
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        if self._session_key is None and not must_create:
            self.create()
            return
        if must_create:
            if self.exists(self._session_key):
                raise CreateError
            self.create()
            return
        values = self._values()
        if not self._begun().session.load() and not self._in_cookie():
            raise UpdateError
        self._save(values)

    def delete(self, session_key: Optional[str] = None) -> None:
        key = self._session_key if session_key is None else session_key
        if key is None:
            return
        if key == self._session_key:
            self._begun().session.flush()
            self._end()
        else:
            with _begin(key) as session:
                session.flush()

    def cycle_key(self) -> None:
        values = self._values()
        mirror = self._begun()
        mirror.write(values)
        mirror.session.cycle_key()
        self._save(values)
        self.modified = True

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    @classmethod
    def clear_expired(cls) -> None:
        while manager().clear_expired(1000) == 1000:
            pass

    @classmethod
    async def aclear_expired(cls) -> None:
        await sync_to_async(cls.clear_expired)()

    # -- dates, which Django keeps in local time without USE_TZ, where others can't read them

    def set_expiry(self, value: Any) -> None:
        super().set_expiry(_with_zone(value))

    async def aset_expiry(self, value: Any) -> None:
        await super().aset_expiry(_with_zone(value))

    def get_expiry_age(self, **given: Any) -> int:
        return super().get_expiry_age(**_known(given if "expiry" in given else {**given, "expiry": self.get("_session_expiry")}))

    async def aget_expiry_age(self, **given: Any) -> int:
        return await super().aget_expiry_age(**_known(given if "expiry" in given else {**given, "expiry": await self.aget("_session_expiry")}))

    def get_expiry_date(self, **given: Any) -> datetime:
        return super().get_expiry_date(**_known(given if "expiry" in given else {**given, "expiry": self.get("_session_expiry")}))

    async def aget_expiry_date(self, **given: Any) -> datetime:
        return await super().aget_expiry_date(**_known(given if "expiry" in given else {**given, "expiry": await self.aget("_session_expiry")}))

    # -- what Django has not

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once; the sum so far."""
        total: int = self._at_once(key, lambda session: session.add_int(key, delta))
        return total

    def append(self, key: str, value: Any) -> None:
        """Puts a value at the end of a list, a new one if there is none, and loses none."""
        self._at_once(key, lambda session: session.append(key, value))

    async def aadd_int(self, key: str, delta: int = 1) -> int:
        return await sync_to_async(self.add_int)(key, delta)

    async def aappend(self, key: str, value: Any) -> None:
        await sync_to_async(self.append)(key, value)

    def _at_once(self, key: str, change: Callable[[Session], Any]) -> Any:
        values = self._values()
        mirror = self._begun()
        mirror.write(values)
        answer = change(mirror.session)
        values[key] = mirror.fetch(key)
        self.modified = True
        return answer

    # -- the session behind

    def _values(self, **options: bool) -> dict[str, Any]:
        """Django's dictionary, loaded if need be."""
        values: dict[str, Any] = self._get_session(**options)  # type: ignore[attr-defined]
        return values

    def _begun(self, new: bool = False) -> Mirror:
        if self._mirror is None:
            self._mirror = Mirror(_begin(None if new else self._session_key))
        return self._mirror

    def _end(self) -> None:
        mirror, self._mirror = self._mirror, None
        if mirror is not None:
            mirror.session.close()

    def _in_cookie(self) -> bool:
        return manager().store_name == "cookie:"

    def _save(self, values: dict[str, Any]) -> None:
        mirror = self._begun()
        mirror.write(values)
        try:
            # Django writes the cookie.
            mirror.session.commit(headers=False)
        except SessionDeleted:
            raise UpdateError from None
        self._session_key = mirror.session.session_key


def _with_zone(value: Any) -> Any:
    if isinstance(value, timedelta):
        value = timezone.now() + value
    if isinstance(value, datetime) and timezone.is_naive(value):
        value = timezone.make_aware(value)
    return value


def _known(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the expiry as Django computes with it."""
    expiry = given["expiry"]
    if isinstance(expiry, str):
        expiry = datetime.fromisoformat(expiry)
        if not settings.USE_TZ and timezone.is_aware(expiry):
            expiry = timezone.make_naive(expiry)
    return {**given, "expiry": expiry}


def _begin(session_key: Optional[str]) -> Session:
    found = manager()
    key = session_key if session_key and _ENDS.isdisjoint(session_key) else ""
    return found.begin(f"{found.cookie_name}={key}" if key else "")
