"""The longest life of a session, and reading that keeps it alive: TUILE_OPTIONS' `policy`, `lifetime` and `refresh`."""

from __future__ import annotations

from ctypes import byref, sizeof
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Optional

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from .. import _native as native

#: In the data: Unix seconds of the end that no activity moves.
ENDS = "_session_ends"


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

    def get_session_cookie_age(self) -> Any:
        age = super().get_session_cookie_age()
        return min(age, limits().idle) if limits().idle else age

    def get_expiry_age(self, **given: Any) -> Any:
        if "expiry" in given:
            return super().get_expiry_age(**_known(given))
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

    def _age(self, age: Any, ends: Any, given: dict[str, Any]) -> Any:
        if (end := _end(ends)) is None:
            return age
        return min(age, int((end - given.get("modification", timezone.now())).total_seconds()))

    def _date(self, date: Any, ends: Any) -> Any:
        end = _end(ends)
        return date if end is None else min(date, end)

    def limit_life(self, data: dict[str, Any]) -> None:
        """Gives a session its end, if there is one and it has none yet."""
        if limits().lifetime and ENDS not in data:
            data[ENDS] = int(timezone.now().timestamp()) + limits().lifetime

    def has_ended(self, data: dict[str, Any]) -> bool:
        end = _end(data.get(ENDS))
        return end is not None and end <= timezone.now()

    def keep_alive(self, data: dict[str, Any], expires: datetime) -> None:
        """After a load: reading alone moves the end, once that gives `refresh` seconds more."""
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
