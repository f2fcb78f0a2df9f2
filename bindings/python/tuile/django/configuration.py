"""What the settings say of Tuile, and what of it can't be."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from typing import Any, Union
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .. import _native as native
from ..errors import TuileError
from ..manager import Manager
from ..stores import Store
from .url import database_url

SETTINGS = ("TUILE_OPTIONS", "TUILE_STORE")
#: What TUILE_OPTIONS may have.
OPTIONS = (
    "cycle_grace", "lifetime", "log", "log_level", "max_data", "max_owned", "policy", "previous_store", "refresh",
    "revocations", "track_owners",
)  # fmt: skip
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


def problems() -> list[str]:
    """What is wrong with the settings, without asking any server."""
    found = [f"{name} is no setting of Tuile's{_meant(name, SETTINGS)}" for name in dir(settings) if name.startswith("TUILE_") and name not in SETTINGS]
    options = getattr(settings, "TUILE_OPTIONS", {})
    if isinstance(options, dict):
        found += [f"TUILE_OPTIONS[{name!r}] {_unknown(name)}" for name in options if name not in OPTIONS]
    else:
        found.append("TUILE_OPTIONS has to be a dictionary")
    if not isinstance(getattr(settings, "TUILE_STORE", None) or "", (str, Store)):
        found.append("TUILE_STORE has to be a URL or a tuile.stores.Store")
    if settings.SESSION_SERIALIZER != _JSON:
        found.append(f"tuile.django keeps sessions as JSON: SESSION_SERIALIZER has to be {_JSON}")
    return found


def _unknown(name: object) -> str:
    if name in _DJANGO_S:
        return f"is Django's {_DJANGO_S[str(name)]}"
    return f"is no option{_meant(str(name), OPTIONS)}"


def _meant(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f": did you mean {near[0]}?" if near else f": they are {', '.join(names)}"


def open_manager() -> Manager:
    """A manager as the settings have it; ImproperlyConfigured if they can't be."""
    if found := problems():
        raise ImproperlyConfigured("; ".join(found))
    store: Union[str, Store] = getattr(settings, "TUILE_STORE", None) or database_url()
    if isinstance(store, str) and not native.shares_sqlite() and _is_a_database(store):
        raise ImproperlyConfigured(
            "this Python has an SQLite of its own, and two in a process must not open one file: set TUILE_STORE to "
            "another store, such as sqlite:///… with a file that no database of Django's is in"
        )
    options: dict[str, Any] = {
        "secret": settings.SECRET_KEY,
        "fallbacks": settings.SECRET_KEY_FALLBACKS,
        "cookie_name": settings.SESSION_COOKIE_NAME,
        "cookie_age": settings.SESSION_COOKIE_AGE,
        "expire_at_browser_close": settings.SESSION_EXPIRE_AT_BROWSER_CLOSE,
        # Django's middleware writes the cookie and decides when to save: each commit saves.
        "cookie_secure": True,
        "save_every_request": True,
        **getattr(settings, "TUILE_OPTIONS", {}),
    }
    try:
        return Manager(store=store, **options)
    except (TypeError, ValueError) as problem:
        # The library's words hold no secret.
        raise ImproperlyConfigured(f"TUILE_STORE or TUILE_OPTIONS: {problem}") from problem


def _is_a_database(store: str) -> bool:
    """Whether the store is a file that Django opens, too."""
    scheme, _, path = store.rpartition("sqlite://")
    name = unquote(path.partition("?")[0].partition("#")[0])
    files = [os.path.realpath(str(database.get("NAME", ""))) for database in settings.DATABASES.values()]
    return scheme in ("", "cached+") and os.path.realpath(name) in files
