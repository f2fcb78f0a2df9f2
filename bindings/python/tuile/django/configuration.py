"""What the settings say of Tuile, what of it can't be, and the manager of a store that they name."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Optional, Union
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from .. import _native as native
from ..errors import StoreError
from ..manager import Manager
from ..settings import device_binding
from ..stores import Store
from . import lists
from .limits import limits
from .options import OPTIONS, meant
from .url import database_url

SETTINGS = ("TUILE_OPTIONS", "TUILE_STORE")
# Which setting of Django's says it: its middleware writes the cookie.
_DJANGO_S = {
    "cookie_age": "SESSION_COOKIE_AGE",
    "cookie_domain": "SESSION_COOKIE_DOMAIN",
    "cookie_http_only": "SESSION_COOKIE_HTTPONLY",
    "cookie_name": "SESSION_COOKIE_NAME",
    "cookie_path": "SESSION_COOKIE_PATH",
    "cookie_same_site": "SESSION_COOKIE_SAMESITE",
    "cookie_secure": "SESSION_COOKIE_SECURE",
    "expire_at_browser_close": "SESSION_EXPIRE_AT_BROWSER_CLOSE",
    "fallbacks": "SECRET_KEY_FALLBACKS",
    "save_every_request": "SESSION_SAVE_EVERY_REQUEST",
    "secret": "SECRET_KEY",
    "store": "TUILE_STORE",
}
_JSON = "django.contrib.sessions.serializers.JSONSerializer"
_OF_DJANGO = "django:"
_MIDDLEWARE = "tuile.django.middleware.DeviceBoundMiddleware"
_DEVICE = ("device_bound", "device_path", "device_seconds")
_NEEDS_LISTS = 'needs lists of owners: "tuile.django.sessions" in INSTALLED_APPS, or a store of TUILE_STORE that keeps them'
_tampered = logging.getLogger("django.security.SuspiciousSession")
_lock = threading.Lock()
_manager: Optional[Manager] = None
_keys_changed = False
#: Why the store could not be opened, and until when that is the answer: requests would wait for it one by one.
_failed: Optional[tuple[StoreError, float]] = None
#: The settings that a server was found to start with are still the same.
_started = False


def has_started() -> bool:
    return _started


def did_start() -> None:
    global _started
    _started = True


def names_a_store() -> bool:
    """Whether sessions are in a store of the library's, rather than in Django's database."""
    return bool(getattr(settings, "TUILE_STORE", None))


def keeps_owners() -> bool:
    """Whether a user's sessions can be listed and ended."""
    if not names_a_store():
        return lists.are_kept()
    store = settings.TUILE_STORE
    if isinstance(store, Store):
        return type(store).own is not Store.own
    return not store.startswith("cookie:") or bool(getattr(settings, "TUILE_OPTIONS", {}).get("revocations"))


def tracks_owners() -> bool:
    """Whether a login makes the user the owner of the session."""
    return keeps_owners() and bool(getattr(settings, "TUILE_OPTIONS", {}).get("track_owners", True))


def most_owned() -> int:
    """How many sessions a user may have; 0: any number."""
    return int(getattr(settings, "TUILE_OPTIONS", {}).get("max_owned", OPTIONS["max_owned"].default))


def device_bound() -> int:
    """Which sessions are offered to be bound to their browser's device."""
    return device_binding(getattr(settings, "TUILE_OPTIONS", {}).get("device_bound", False))


def device_options() -> dict[str, Any]:
    """Those of device-bound sessions, whether or not they are given."""
    given = getattr(settings, "TUILE_OPTIONS", {})
    return {name: given.get(name, OPTIONS[name].default) for name in _DEVICE}


def _problems_of_binding(options: dict[str, Any]) -> list[str]:
    if not options.get("device_bound"):
        return [f"TUILE_OPTIONS[{name!r}] counts only with device_bound" for name in _DEVICE[1:] if name in options]
    found = []
    if not settings.SESSION_COOKIE_SECURE:
        found.append("device_bound needs SESSION_COOKIE_SECURE: browsers bind over https alone")
    names = list(settings.MIDDLEWARE)
    later = [at for at, name in enumerate(names) if name.endswith((".SessionMiddleware", ".CsrfViewMiddleware"))]
    if _MIDDLEWARE not in names or names.index(_MIDDLEWARE) > min(later, default=len(names)):
        found.append(f"device_bound needs {_MIDDLEWARE} at the beginning of MIDDLEWARE, before SessionMiddleware: it answers browsers")
    if settings.SESSION_SERIALIZER != _JSON:
        found.append(f"device_bound needs SESSION_SERIALIZER to be {_JSON}")
    store = getattr(settings, "TUILE_STORE", None)
    if store and (not isinstance(store, str) or store.startswith(("memory:", "cookie:"))):
        found.append("device_bound needs sessions in Django's database, or in a TUILE_STORE that is a URL of a server or a file")
    return found


def problems() -> list[str]:
    """What is wrong with the settings, without asking any server."""
    found = [
        f"{name} is no setting of Tuile's{meant(name, SETTINGS)}"
        for name in dir(settings)
        if name.startswith("TUILE_") and name not in SETTINGS
    ]
    if not isinstance(getattr(settings, "TUILE_STORE", None) or "", (str, Store)):
        found.append("TUILE_STORE has to be a URL or a tuile.stores.Store")
    if names_a_store() and settings.SESSION_SERIALIZER != _JSON:
        found.append(f"a store keeps sessions as JSON: with TUILE_STORE, SESSION_SERIALIZER has to be {_JSON}")
    if isinstance(settings.SECRET_KEY_FALLBACKS, (str, bytes)):
        # Django would take each of its letters for a key.
        found.append("SECRET_KEY_FALLBACKS is a list of secrets: write [secret]")
    options = getattr(settings, "TUILE_OPTIONS", {})
    if not isinstance(options, dict):
        return [*found, "TUILE_OPTIONS has to be a dictionary"]
    found += _problems_of_binding(options)
    return found + [f"TUILE_OPTIONS[{name!r}] {why}" for name in options if (why := _problem(name, options[name]))]


def _problem(name: object, value: object) -> str:
    if name in _DJANGO_S:
        return f"is Django's {_DJANGO_S[str(name)]}"
    option = OPTIONS.get(name) if isinstance(name, str) else None
    if option is None:
        return f"is no option{meant(str(name), OPTIONS)}"
    if found := option.problem(value):
        return found
    # What says that there is none of it is true everywhere.
    if option.where == "everywhere" or (not value and name != "max_owned"):
        return ""
    if option.where == "lists":
        return "" if keeps_owners() else _NEEDS_LISTS
    return "" if names_a_store() else "counts only with TUILE_STORE"


def require_settings() -> None:
    if found := problems():
        raise ImproperlyConfigured("; ".join(found))


def manager() -> Manager:
    """The manager of the store that TUILE_STORE names, opened when it is first needed. Safe from all threads.

    :returns: the project's one manager; do not close it.
    :raises ImproperlyConfigured: settings that can't be, or no TUILE_STORE: sessions are in Django's database, which has no manager.
    :raises StoreError: the store can't be opened. It is tried again each second.

    .. versionadded:: 0.1.0
    """
    global _manager, _keys_changed, _failed
    found = _manager
    if found is None or _keys_changed:
        with _lock:
            if _manager is None:
                if _failed is not None and time.monotonic() < _failed[1]:
                    raise _failed[0].with_traceback(None)
                try:
                    _manager, _failed = open_manager(), None
                except StoreError as problem:
                    _failed = problem, time.monotonic() + 1
                    raise
            elif _keys_changed:
                _manager.reload(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)
            found, _keys_changed = _manager, False
    return found


def open_manager(**more: Any) -> Manager:
    """A manager as the settings have it, with ``more`` that counts before them; ImproperlyConfigured if they can't be.

    It binds no session to a device, and asks for no bound cookie, unless ``more`` says so: what comes with a request
    was looked at by the middleware, and others who open a session are the project's own programs.
    """
    require_settings()
    store: Union[str, Store, None] = more.pop("store", None) or getattr(settings, "TUILE_STORE", None)
    if not store:
        raise ImproperlyConfigured("TUILE_STORE is not set: sessions are in Django's database, which has no manager")
    if isinstance(store, str) and store.startswith(_OF_DJANGO):
        store = database_url(store.removeprefix(_OF_DJANGO))
    if isinstance(store, str) and not native.shares_sqlite() and _is_a_database(store):
        raise ImproperlyConfigured(
            "this Python has an SQLite of its own, and two in a process must not open one file: set TUILE_STORE to "
            "another store, such as sqlite:///… with a file that no database of Django's is in"
        )
    given = dict(getattr(settings, "TUILE_OPTIONS", {}))
    options: dict[str, Any] = {
        "secret": settings.SECRET_KEY,
        "fallbacks": settings.SECRET_KEY_FALLBACKS,
        # Django's middleware reads and writes the cookie; some that the session is in are bound to its name.
        "cookie_name": settings.SESSION_COOKIE_NAME if isinstance(store, str) and store.startswith("cookie:") else "sessionid",
        # Names that Django takes are taken here.
        "cookie_skip_rules": native.RULE["name"],
        "cookie_age": int(settings.SESSION_COOKIE_AGE),
        "expire_at_browser_close": settings.SESSION_EXPIRE_AT_BROWSER_CLOSE,
        "cookie_secure": True,
        # What Django takes for a SECRET_KEY is taken here.
        "allow_weak_secrets": True,
        "track_owners": tracks_owners(),
        **given,
        "log": _logging(given.get("log")),
    }
    # Django's expiry is computed here, and so is what these make of it.
    for name in ("policy", "refresh", *_DEVICE):
        options.pop(name, None)
    options.update(more)
    options["lifetime"] = limits().lifetime
    if "log_level" in options:
        options["log_level"] = native.LOG[options["log_level"]]
    try:
        return Manager(store=store, **options)
    except (TypeError, ValueError) as problem:
        # The library's words hold no secret.
        raise ImproperlyConfigured(f"TUILE_STORE or TUILE_OPTIONS: {problem}") from problem


def _logging(log: Optional[Callable[[str, str], None]]) -> Callable[[str, str], None]:
    def told(level: str, message: str) -> None:
        if message.startswith("stored session data or a session cookie had a signature"):
            # As Django says it.
            _tampered.warning("Session data corrupted")
        if log is not None:
            log(level, message)

    return told


def _is_a_database(store: str) -> bool:
    """Whether the store is a file that Django opens, too."""
    scheme, _, path = store.rpartition("sqlite://")
    name = unquote(path.partition("?")[0].partition("#")[0])
    files = [os.path.realpath(str(database.get("NAME", ""))) for database in settings.DATABASES.values()]
    return scheme in ("", "cached+") and os.path.realpath(name) in files


def _forget(*, setting: str, **_: Any) -> None:
    """Tests change settings: the next session goes by the new ones."""
    global _manager, _keys_changed, _started, _failed
    _started = False
    if setting in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        _keys_changed = True
    elif setting.startswith(("SESSION_", "TUILE_", "DATABASES")):
        limits.cache_clear()
        with _lock:
            old, _manager, _failed = _manager, None, None
        if old is not None:
            old.close()


setting_changed.connect(_forget)
