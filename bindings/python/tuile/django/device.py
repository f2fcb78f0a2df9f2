"""Device-bound sessions in Django: the endpoint, the refusal, and the offer that goes out with a login."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import timezone as zones
from importlib import import_module
from typing import Any, Optional

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.signals import setting_changed
from django.db import IntegrityError, router, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from .. import _native as native
from .. import device
from ..errors import StoreError, TuileError
from ..headers import log
from ..manager import Manager
from ..stores import Store
from . import lists
from .configuration import device_bound, device_options, names_a_store, open_manager
from .owned import LOGIN, OWNER, client_of, owner_in
from .rows import Other, only_if

_EPOCH = datetime(1970, 1, 1, tzinfo=zones.utc)
_MICROSECOND = timedelta(microseconds=1)
_lock = threading.Lock()
_manager: Optional[Manager] = None


def manager() -> Manager:
    """The one that binds: it reads and writes where Django's sessions are, and sets the cookies that Django would."""
    global _manager
    found = _manager
    if found is None:
        with _lock:
            found = _manager = _manager or open_manager(**_cookie(), **device_options(), **({} if names_a_store() else {"store": Table()}))
    return found


def _cookie() -> dict[str, Any]:
    same_site = settings.SESSION_COOKIE_SAMESITE
    return {
        "cookie_name": settings.SESSION_COOKIE_NAME,
        "cookie_domain": settings.SESSION_COOKIE_DOMAIN or "",
        "cookie_path": settings.SESSION_COOKIE_PATH or "/",
        "cookie_secure": bool(settings.SESSION_COOKIE_SECURE),
        "cookie_http_only": bool(settings.SESSION_COOKIE_HTTPONLY),
        "cookie_same_site": same_site.capitalize() if same_site else None,
    }


def _forget(*, setting: str, **_: Any) -> None:
    global _manager
    if setting.startswith(("TUILE_", "SESSION_", "SECRET_KEY")):
        _manager = None


setting_changed.connect(_forget, dispatch_uid="tuile.django.device")


# ---- requests ----


def answer(request: HttpRequest) -> Optional[HttpResponse]:
    """The library's response in place of any view's; None: the request goes on."""
    header = str(request.META.get("HTTP_COOKIE", "")).encode("latin-1", "replace")
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if request.path != device_options()["device_path"] and device.binding_of(key) is None:
        return None
    try:
        with manager().begin(header) as session:
            found = device.answered(session, request.path, request.method or "", request.headers.get)
    except StoreError as problem:
        log.error("the session store gave no answer: %s", problem)
        found = device.DeviceAnswer(503, [("Cache-Control", "no-store")], b"")
    if found is None:
        return None
    if key and not names_a_store():
        _move_in_list(request, key, found)
    response = HttpResponse(found.body, status=found.status)
    del response.headers["Content-Type"]
    for name, value in found.headers:
        if name == "Set-Cookie":
            response.cookies.load(value)
        else:
            response.headers[name] = value
    return response


def _move_in_list(request: HttpRequest, key: str, found: device.DeviceAnswer) -> None:
    """A registration has given the session another key: so has its entry in its owner's list."""
    start = f"{settings.SESSION_COOKIE_NAME}="
    new = next((value[len(start) :].partition(";")[0] for name, value in found.headers if name == "Set-Cookie" and value.startswith(start)), "")
    if not new or new == key or not lists.are_kept():
        return
    kind = import_module(settings.SESSION_ENGINE).SessionStore
    data, using = kind(new).load(), str(router.db_for_write(kind.get_model_class()))
    if (owner := owner_in(data)) is not None:
        with transaction.atomic(using=using):
            lists.write(using, new, owner, client_of(request), key)
            lists.remove(using, key)


def finish(request: HttpRequest, response: HttpResponseBase) -> None:
    """After SessionMiddleware: what its cookie means for the binding."""
    name = settings.SESSION_COOKIE_NAME
    session = getattr(request, "session", None)
    if name not in response.cookies or not isinstance(session, SessionBase):
        return
    key = response.cookies[name].value
    if not key:
        for other in request.COOKIES:
            if other.endswith(f"{name}-bound"):
                response.delete_cookie(other, path=settings.SESSION_COOKIE_PATH, domain=settings.SESSION_COOKIE_DOMAIN, samesite=settings.SESSION_COOKIE_SAMESITE)
    elif _is_offered(session, key, request.COOKIES.get(name)):
        _offer(key, response)


def _is_offered(session: Any, key: str, before: Optional[str]) -> bool:
    if device.binding_of(key) is not None or key != session.session_key:
        return False
    if getattr(session, "_offers_binding", False):
        return True
    if device_bound() != native.DEVICE_BINDING["login"] or key == before:
        return False
    data = session._get_session()
    return getattr(session, "_was_cycled", False) or data.get(LOGIN) is not None or data.get(OWNER) is not None


def _offer(key: str, response: HttpResponseBase) -> None:
    """A header, which other browsers pass over. The login counts without it, too."""
    try:
        with manager().begin(f"{settings.SESSION_COOKIE_NAME}={key}") as session:
            if session.offer_device_binding():
                for name, value in session.commit():
                    if name == device.OFFER:
                        response.headers[name] = value
    except TuileError as problem:
        log.warning("a login could not be offered to be bound to its device: %s", problem)


# ---- Django's table, as the library's store ----


class Table(Store):
    """Rows as Django has them, on its connection."""

    def _kind(self) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore

    def _rows(self) -> Any:
        model = self._kind().get_model_class()
        return model._base_manager.using(router.db_for_write(model))

    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        row = self._rows().filter(session_key=key).values_list("session_data", "expire_date").first()
        if row is None or (expires := _microseconds(row[1])) <= now:
            return None
        return row[0].encode(), expires

    def create(self, key: str, data: bytes, expires: int) -> bool:
        rows = self._rows()
        try:
            with transaction.atomic(using=rows.db):
                rows.create(session_key=key, session_data=data.decode(), expire_date=_date(expires))
        except IntegrityError:
            return False
        return True

    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Optional[bool]:
        rows = self._rows()
        row = rows.model(session_key=key, session_data=data.decode(), expire_date=_date(expires))
        try:
            with transaction.atomic(using=rows.db):
                only_if(row, expected.decode(), rows.db)
                row.save(force_update=True, using=rows.db)
        except Other:
            return False if rows.filter(session_key=key).exists() else None
        return True

    def touch(self, key: str, expires: int) -> bool:
        return bool(self._rows().filter(session_key=key).update(expire_date=_date(expires)))

    def remove(self, key: str) -> None:
        self._rows().filter(session_key=key).delete()

    def sweep(self, now: int, limit: int) -> int:
        rows = self._rows()
        old = list(rows.filter(expire_date__lt=_date(now)).values_list("pk", flat=True)[:limit])
        return int(rows.filter(pk__in=old).delete()[0])

    def keys(self, now: int) -> Iterator[tuple[str, int]]:
        for key, date in self._rows().filter(expire_date__gt=_date(now)).values_list("pk", "expire_date").iterator():
            yield key, _microseconds(date)


def _microseconds(date: datetime) -> int:
    if timezone.is_naive(date):
        date = timezone.make_aware(date, timezone.get_default_timezone())
    return (date - _EPOCH) // _MICROSECOND


def _date(microseconds: int) -> datetime:
    date = _EPOCH + timedelta(microseconds=microseconds)
    return date if settings.USE_TZ else timezone.make_naive(date, timezone.get_default_timezone())
