"""What is wrong with the settings is said by `manage.py check`, and when the program starts."""

from __future__ import annotations

import difflib
import logging
from http import cookies as python_cookies
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import router
from django.utils.module_loading import import_string

from ..cookies import SetCookie
from ..errors import CookieRuleError, MissingLibraryError, StoreError, TuileError
from . import lists
from .configuration import SETTINGS, device_bound, did_start, has_started, manager, names_a_store, problems, require_settings


def at_start() -> None:
    """When a server starts: ImproperlyConfigured if sessions could not work."""
    ours = settings.configured and not settings.SESSION_ENGINE.startswith("django.contrib.sessions.")
    # Before that, it is for `manage.py check` to say.
    if not ours or not apps.ready or has_started():
        return
    require_settings()
    if names_a_store():
        try:
            manager()
        except StoreError as problem:
            # It may come back, and is asked again.
            logging.getLogger("tuile").error("the session store gave no answer: %s", problem)
        except MissingLibraryError as problem:
            raise ImproperlyConfigured(f"TUILE_STORE: {problem}") from problem
    if device_bound():
        _open_device_manager()
    did_start()


def _open_device_manager() -> None:
    from .device import manager as device_manager

    try:
        device_manager()
    except StoreError as problem:
        logging.getLogger("tuile").error("the session store gave no answer: %s", problem)


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Of projects whose sessions are Tuile's."""
    from .database import SessionStore

    try:
        kind = import_module(settings.SESSION_ENGINE).SessionStore
    except ImproperlyConfigured as problem:
        return [Error(str(problem), id="tuile.E001")]
    if not issubclass(kind, SessionStore):
        return []
    found: list[CheckMessage] = [Error(text, id="tuile.E001") for text in problems()]
    found += _cookie() + _middleware() + _similar()
    try:
        import_string(settings.SESSION_SERIALIZER)
    except ImportError as problem:
        found.append(Error(f"SESSION_SERIALIZER: {problem}", id="tuile.E004"))
    if not any(isinstance(message, Error) for message in found):
        found += _store() if names_a_store() else _table(kind)
    if not any(isinstance(message, Error) for message in found) and device_bound():
        try:
            _open_device_manager()
        except (ImproperlyConfigured, TuileError) as problem:
            found.append(Error(f"TUILE_OPTIONS: {problem}", id="tuile.E007"))
    return found


def _similar() -> list[CheckMessage]:
    """Settings that may be ours, with a wrong beginning."""
    near = ((name, difflib.get_close_matches(name, SETTINGS, 1, 0.9)) for name in dir(settings) if not name.startswith("TUILE_"))
    return [Warning(f"{name} is no setting of Tuile's: did you mean {found[0]}?", id="tuile.W002") for name, found in near if found]


def _store() -> list[CheckMessage]:
    try:
        manager()
    except StoreError as problem:
        return [Warning(f"the session store gave no answer: {problem}", id="tuile.W001")]
    except (ImproperlyConfigured, TuileError) as problem:
        return [Error(f"{problem}", id="tuile.E002")]
    return []


def _table(kind: Any) -> list[CheckMessage]:
    try:
        model = kind.get_model_class()
    except RuntimeError:
        model = None
    if model is None or not apps.is_installed(model._meta.app_config.name):
        return [Error("sessions are in the database, but INSTALLED_APPS has no django.contrib.sessions", id="tuile.E002")]
    if lists.are_kept() and router.db_for_write(apps.get_model(lists.LABEL, "ListedSession")) != router.db_for_write(model):
        return [Error("DATABASE_ROUTERS put tuile_sessions into another database than the sessions", id="tuile.E005")]
    return []


def _middleware() -> list[CheckMessage]:
    """Whether ClientMiddleware would find a session."""
    from .middleware import ClientMiddleware

    seen = False
    for name in settings.MIDDLEWARE:
        try:
            kind = import_string(name)
        except ImportError:
            # Django's to say.
            continue
        seen = seen or (isinstance(kind, type) and issubclass(kind, SessionMiddleware))
        if isinstance(kind, type) and issubclass(kind, ClientMiddleware) and not seen:
            return [Error(f"{name} has to stand after SessionMiddleware in MIDDLEWARE", id="tuile.E006")]
    return []


def _cookie() -> list[CheckMessage]:
    """What Python or a browser would refuse."""
    name = settings.SESSION_COOKIE_NAME
    try:
        python_cookies.SimpleCookie()[name] = ""
    except python_cookies.CookieError as problem:
        return [Error(f"SESSION_COOKIE_NAME: {problem}", id="tuile.E003")]
    try:
        # A ':' is Python's and all browsers', and of no standard.
        SetCookie(
            name.replace(":", "_"),
            "x",
            domain=settings.SESSION_COOKIE_DOMAIN or "",
            path=settings.SESSION_COOKIE_PATH or "",
            secure=bool(settings.SESSION_COOKIE_SECURE),
            http_only=bool(settings.SESSION_COOKIE_HTTPONLY),
            same_site=_same_site(),
        ).header()
    except CookieRuleError as problem:
        return [Error(f"browsers would refuse the session cookie: {problem}", id="tuile.E003")]
    except (TuileError, AttributeError) as problem:
        return [Error(f"the session cookie can't be: {problem}", id="tuile.E003")]
    return []


def _same_site() -> Any:
    value = settings.SESSION_COOKIE_SAMESITE
    return value.capitalize() if value else None
