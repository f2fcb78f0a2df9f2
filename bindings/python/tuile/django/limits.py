"""The longest life of a session, and reading that keeps it alive: TUILE_OPTIONS' `policy`, `lifetime` and `refresh`."""

from __future__ import annotations

from ctypes import byref, sizeof
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import timezone as zones
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Optional

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from .. import _native as native

#: In the data: Unix seconds of the end that no activity moves.
ENDS = "_session_ends"
_EPOCH = datetime(1970, 1, 1, tzinfo=zones.utc)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Limits:
    """In seconds; 0: none."""

    idle: int = 0
    lifetime: int = 0
    refresh: int = 0


@lru_cache(maxsize=1)
def limits() -> Limits:
    """As the settings have them; ImproperlyConfigured if they can't be."""
    from .configuration import require_settings

    require_settings()
    options = getattr(settings, "TUILE_OPTIONS", {})
    config = native.Config()
    native.lib.tuile_config_init(byref(config), sizeof(config))
    idle = 0
    if options.get("policy") is not None:
        native.lib.tuile_config_set_policy(byref(config), native.POLICY[options["policy"]])
        idle = config.cookie_age
    return Limits(idle, options.get("lifetime", config.lifetime), options.get("refresh", config.refresh))


class LimitedSession(SessionBase):
    """Django's expiry within those limits."""

    if TYPE_CHECKING:
        # Django's, which its stubs leave out.
        def _get_session(self, no_load: bool = False) -> dict[str, Any]: ...

    def get_session_cookie_age(self) -> Any:
        age, idle = super().get_session_cookie_age(), limits().idle
        return min(age, idle) if idle else age

    def _has_no_end(self) -> bool:
        """Whether it ends when a cookie of today's does."""
        data = self._get_session()
        return ENDS not in data and not data.get("_session_expiry")

    def get_expiry_age(self, **given: Any) -> Any:
        if "expiry" in given:
            return super().get_expiry_age(**_known(given))
        if self._has_no_end():
            return self.get_session_cookie_age()
        given["expiry"] = self.get("_session_expiry")
        return self._age(super().get_expiry_age(**_known(given)), self.get(ENDS), given)

    async def aget_expiry_age(self, **given: Any) -> Any:
        if "expiry" in given:
            return await super().aget_expiry_age(**_known(given))
        given["expiry"] = await self.aget("_session_expiry")
        return self._age(await super().aget_expiry_age(**_known(given)), await self.aget(ENDS), given)

    def get_expiry_date(self, **given: Any) -> Any:
        if "expiry" in given:
            return super().get_expiry_date(**_known(given))
        given["expiry"] = self.get("_session_expiry")
        return self._date(super().get_expiry_date(**_known(given)), self.get(ENDS))

    async def aget_expiry_date(self, **given: Any) -> Any:
        if "expiry" in given:
            return await super().aget_expiry_date(**_known(given))
        given["expiry"] = await self.aget("_session_expiry")
        return self._date(await super().aget_expiry_date(**_known(given)), await self.aget(ENDS))

    def expires_at(self) -> int:
        """When it ends if it is saved now: the date, without arithmetic of dates where it is the default.

        :returns: Unix microseconds.

        .. versionadded:: 0.2.0
        """
        if type(self).get_expiry_date is LimitedSession.get_expiry_date and self._has_no_end():
            now = timezone.now()
            if now.tzinfo is not None:
                return int(round((now.timestamp() + self.get_session_cookie_age()) * 1_000_000))
        date: datetime = self.get_expiry_date()
        if timezone.is_naive(date):
            date = timezone.make_aware(date, timezone.get_default_timezone())
        return (date - _EPOCH) // _MICROSECOND

    def _age(self, age: Any, ends: Any, given: dict[str, Any]) -> Any:
        if (end := _end(ends)) is None:
            return age
        return min(age, int((end - given.get("modification", timezone.now())).total_seconds()))

    def _date(self, date: Any, ends: Any) -> Any:
        end = _end(ends)
        return date if end is None else min(date, end)

    def limit_life(self, data: dict[str, Any]) -> None:
        """Gives a session its longest life, if the settings have one and it has none yet.

        :param data: the session's, which is changed.

        .. versionadded:: 0.1.1
        """
        if limits().lifetime and ENDS not in data:
            data[ENDS] = int(timezone.now().timestamp()) + limits().lifetime

    def has_ended(self, data: dict[str, Any]) -> bool:
        """Whether the longest life of a session is over.

        :param data: the session's.
        :returns: False, too, if it has no such end.

        .. versionadded:: 0.1.1
        """
        end = _end(data.get(ENDS))
        return end is not None and end <= timezone.now()

    def keep_alive(self, data: dict[str, Any], expires: datetime) -> None:
        """After a load: reading alone moves the end, once that gives ``refresh`` seconds more.

        :param data: the session's.
        :param expires: when it ends, as it is stored.

        .. versionadded:: 0.1.1
        """
        if refresh := limits().refresh:
            standard = super().get_expiry_date(**_known({"expiry": data.get("_session_expiry")}))
            if self._date(standard, data.get(ENDS)) - expires >= timedelta(seconds=refresh):
                self.modified = True


def _end(seconds: Any) -> Optional[datetime]:
    if seconds.__class__ is not int:
        return None
    try:
        end = datetime.fromtimestamp(seconds, timezone.get_default_timezone())
    except (OverflowError, ValueError, OSError):
        return None
    return end if settings.USE_TZ else timezone.make_naive(end, timezone.get_default_timezone())


def _known(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the expiry as Django computes with it: others write dates with a zone."""
    expiry = given["expiry"]
    if isinstance(expiry, str) and not settings.USE_TZ:
        expiry = datetime.fromisoformat(expiry)
        if timezone.is_aware(expiry):
            expiry = timezone.make_naive(expiry, timezone.get_default_timezone())
    return {**given, "expiry": expiry}
