"""Lists of owners' sessions in Django's database, in the library's table: C servers write and read the same lists.

The table is that of the application ``tuile.django.sessions``; without it there are none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Optional

from django.apps import apps
from django.db import IntegrityError, connections, router, transaction
from django.db.models import F
from django.db.models.functions import Substr
from django.utils import timezone

from ..device import binding_of
from ..owners import OwnedSession, date_of

LABEL = "tuile_sessions"
# Of a request's user agent and address so much is kept.
_LONGEST_USER_AGENT, _LONGEST_ADDRESS = 256, 64
# A session's entry is written again after so many seconds.
_REFRESH = 60.0
# Keys in a query, and the most sessions that one login ends.
_PAGE, _MOST_ENDED = 500, 256
Client = tuple[str, str]
# When this process last wrote an entry, outside of transactions, which may be rolled back.
_written: dict[tuple[str, str], float] = {}


def are_kept() -> bool:
    """Whether the application is installed."""
    return LABEL in apps.app_configs


def id_of(key: Optional[str]) -> str:
    """What tells a session apart and says nothing of its key, as the library has it."""
    return sha256(b"tuile session id\0" + (key or "").encode("utf-8", "surrogatepass")).hexdigest()[:32]


def entries(using: str) -> Any:
    return apps.get_model(LABEL, "ListedSession")._base_manager.using(using)


def _writer(model: Any) -> str:
    return str(router.db_for_write(model))


# -- one entry


def is_fresh(key: str, owner: str) -> bool:
    """Whether this process has written the entry within the last minute."""
    return time.monotonic() - _written.get((key, owner), -_REFRESH) < _REFRESH


def write(using: str, key: str, owner: str, client: Client, before: Optional[str]) -> bool:
    """Writes a session's entry; whether it is a new one. ``before`` is a key that it had, whose age it keeps."""
    now = int(time.time())
    older: dict[str, dict[str, Any]] = {
        found: _read(record)
        for found, record in entries(using).filter(pk__in=[key, before or key], owner=owner).values_list("pk", "record")
    }
    known = older.get(key) or older.get(before or key)
    agent, address = _plain(client[0], _LONGEST_USER_AGENT), _plain(client[1], _LONGEST_ADDRESS)
    if known:
        agent, address = agent or known["agent"], address or known["address"]
    record = json.dumps(
        {"created": known["created"] if known else now, "seen": now, "agent": agent, "address": address}, separators=(",", ":")
    )
    changed = {"owner": owner, "record": record}
    if not entries(using).filter(pk=key).update(**changed):
        try:
            with transaction.atomic(using=using):
                entries(using).create(pk=key, **changed)
        except IntegrityError:
            # Another request was faster.
            entries(using).filter(pk=key).update(**changed)
    return not known


def wrote(using: str, key: str, owner: str) -> None:
    """After that, and after what it was part of."""
    if connections[using].in_atomic_block:
        return
    if len(_written) > 10_000:
        _written.clear()
    _written[key, owner] = time.monotonic()


def remove(using: str, *keys: Optional[str]) -> None:
    if keys := tuple(key for key in keys if key):
        entries(using).filter(pk__in=keys).delete()


def sweep(model: Any) -> None:
    """Removes the entries of sessions that are gone."""
    using, last = _writer(model), ""
    while keys := list(entries(using).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_PAGE]):
        there = set(model._base_manager.using(using).filter(session_key__in=keys).values_list("session_key", flat=True))
        remove(using, *(key for key in keys if key not in there))
        last = keys[-1]


# -- an owner's list


def sessions(model: Any, owner: str, current: Optional[str]) -> list[OwnedSession]:
    """The one seen last first."""
    return [found for _, found in _listed(model, owner, current)]


def _listed(model: Any, owner: str, current: Optional[str] = None) -> list[tuple[str, OwnedSession]]:
    using = _writer(model)
    records = dict(entries(using).filter(owner=owner).values_list("pk", "record"))
    found = [
        (key, _session(key, records[key], expires, key == current)) for key, expires in _live(model, using, records)
    ]
    return sorted(found, key=lambda pair: pair[1].seen, reverse=True)


def _live(model: Any, using: str, keys: Iterable[str]) -> Iterator[tuple[str, datetime]]:
    """Those of the keys whose sessions are there, and when they expire."""
    keys = list(keys)
    for start in range(0, len(keys), _PAGE):
        rows = model._base_manager.using(using).filter(session_key__in=keys[start : start + _PAGE], expire_date__gt=timezone.now())
        yield from rows.values_list("session_key", "expire_date")


def latest(model: Any, start: int, count: int, current: Optional[str]) -> tuple[list[tuple[str, OwnedSession]], bool]:
    """Owner and session, those seen last first, for a page of all; and whether there are more."""
    using = _writer(model)
    # Until the year 2286 both times have ten digits: {"created":1700000000,"seen":1700000000
    found = entries(using).annotate(seen=Substr(F("record"), 30, 10)).order_by("-seen", "pk")
    rows = list(found.values_list("pk", "owner", "record")[start : start + count + 1])
    live = dict(_live(model, using, [key for key, *_ in rows[:count]]))
    page = [(owner, _session(key, record, live[key], key == current)) for key, owner, record in rows[:count] if key in live]
    return page, len(rows) > count


def revoke(model: Any, owner: str, id: str) -> bool:
    using = _writer(model)
    for key in entries(using).filter(owner=owner).values_list("pk", flat=True):
        if id_of(key) == id:
            return _end(model, using, key)
    return False


def revoke_all(model: Any, owner: str, keep: Optional[str]) -> int:
    using, count = _writer(model), 0
    # Again, until there is none: a session may get a new key meanwhile.
    while keys := list(entries(using).filter(owner=owner).exclude(pk=keep or "").values_list("pk", flat=True)):
        count += sum([_end(model, using, key) for key in keys])
    return count


def bound(model: Any, owner: str, key: str, most: int) -> None:
    """Ends the sessions over the limit that were not seen for the longest time."""
    if most == 0:
        return
    others = [other for other, _ in _listed(model, owner) if other != key]
    for other in others[most - 1 :][:_MOST_ENDED]:
        _end(model, _writer(model), other)


def _end(model: Any, using: str, key: str) -> bool:
    with transaction.atomic(using=using):
        ended, _ = model._base_manager.using(using).filter(session_key=key).delete()
        remove(using, key)
    return bool(ended)


def _session(key: str, record: str, expires: datetime, current: bool) -> OwnedSession:
    said = _read(record)
    if timezone.is_naive(expires):
        expires = timezone.make_aware(expires, timezone.get_default_timezone())
    times = date_of(said["created"]), date_of(said["seen"])
    return OwnedSession(id_of(key), *times, expires, said["agent"], said["address"], current, binding_of(key) is not None)


# -- a record, as the library writes and reads it


def _plain(text: str, longest: int) -> str:
    """Clients say what they like: anything but plain ASCII becomes '?'."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text[:longest])


def _read(record: str) -> dict[str, Any]:
    try:
        said = json.loads(record)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    numbers = {name: said[name] if said.get(name).__class__ is int else 0 for name in ("created", "seen")}
    texts = {name: _plain(said[name], 1024) if isinstance(said.get(name), str) else "" for name in ("agent", "address")}
    return {**numbers, **texts}
