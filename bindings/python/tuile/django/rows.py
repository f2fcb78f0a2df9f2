"""Rows that are written, or removed, only if they still hold what was read."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any, Optional

from django.db import DatabaseError, OperationalError, connections, models, transaction
from django.db.models.deletion import Collector

_PATIENCE = 10.0


class Other(Exception):
    """The row holds other data than was read, or is gone."""


def patiently() -> Iterator[None]:
    """Attempts, with random, growing waits in between; each conflict means that somebody else got through."""
    ends, spread = time.monotonic() + _PATIENCE, 0.0
    while time.monotonic() < ends:
        yield
        time.sleep(random.uniform(0, spread))
        spread = min(0.01, spread * 2 + 0.000_064)
    raise OperationalError("other requests kept changing the session for ten seconds")


def is_a_conflict(problem: DatabaseError, using: str) -> bool:
    """Whether the database asks to try again, and that can be: a transaction can't, but as a whole."""
    cause = problem.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    number = cause.args[0] if cause is not None and cause.args else None
    again = state in ("40001", "40P01") or (connections[using].vendor == "mysql" and number == 1213)
    return again and not connections[using].in_atomic_block


def can_compare(model: type[models.Model], using: str) -> bool:
    """Whether the database can compare what the column holds."""
    return type(model._meta.get_field("session_data")) is models.TextField and connections[using].vendor != "oracle"


def _holding(rows: Any, text: str, using: str) -> Any:
    """Those of the rows that hold this data."""
    rows = rows.filter(session_data=text)
    # Whose usual collations take letters of either case for the same.
    return rows.filter(session_data__startswith=text) if connections[using].vendor == "mysql" else rows


def _locked(model: Any, using: str, key: Optional[str], text: str) -> bool:
    """Locks a row, if it holds this data, where the database can't compare it."""
    rows = model._base_manager.using(using).select_for_update().filter(pk=key)
    return bool(rows.values_list("session_data", flat=True).first() == text)


def only_if(row: Any, text: str, using: str) -> None:
    """Has row.save() raise Other unless the row holds this data: one command, which compares and writes."""
    if not can_compare(type(row), using):
        if not _locked(type(row), using, row.pk, text):
            raise Other
        return

    def update(rows: Any, *arguments: Any) -> Any:
        updated = type(row)._do_update(row, _holding(rows, text, using), *arguments)
        if not updated:
            raise Other
        return updated

    row._do_update = update


def remove(model: Any, using: str, key: Optional[str], text: str) -> bool:
    """Deletes a row if it holds this data."""
    rows = _holding(model._base_manager.using(using).filter(pk=key), text, using)
    if can_compare(model, using) and Collector(using=using).can_fast_delete(rows):
        with transaction.mark_for_rollback_on_error(using=using):
            return bool(rows._raw_delete(using))
    # Somebody wants to be told.
    with transaction.atomic(using=using):
        if not _locked(model, using, key, text):
            return False
        model._base_manager.using(using).get(pk=key).delete()
        return True
