"""A session as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from ...owners import OwnedSession
from .browsers import described


@dataclass(frozen=True)
class Shown:
    id: str
    browser: str
    user_agent: str
    address: str
    created: datetime
    seen: datetime
    expires: datetime
    current: bool
    device_bound: bool


def shown(found: OwnedSession) -> Shown:
    times = _local(found.created), _local(found.seen), _local(found.expires)
    return Shown(found.id, described(found.user_agent), found.user_agent, found.address, *times, found.current, found.device_bound)


def _local(date: datetime) -> datetime:
    """As templates of this project show dates."""
    if settings.USE_TZ:
        return date
    return timezone.make_naive(date, timezone.get_default_timezone())
