"""Django's sessions on Tuile: ``SESSION_ENGINE = "tuile.django"``.

Sessions are in Django's own table, on the connection that Django has open: in its transactions, by its
routers, on each database that it knows. Settings, both optional:

- ``TUILE_STORE``: the URL of a store that the library opens itself, or a :class:`tuile.stores.Store`.
- ``TUILE_OPTIONS``: a dictionary of further settings of :class:`tuile.sessions.Manager`.

The others are Django's: ``SECRET_KEY``, ``SECRET_KEY_FALLBACKS``, ``SESSION_COOKIE_AGE`` and so on.
``manage.py clearsessions`` works, and so does the admin. What a request set or removed is made again on
what another one saved meanwhile, name by name. ``request.session.add_int("count")`` and
``request.session.append("list", value)`` are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import checks
from .configuration import manager
from .options import Options
from .url import database_url

if TYPE_CHECKING:
    from .session import SessionStore as SessionStore

__all__ = ["Options", "SessionStore", "database_url", "manager"]


def __getattr__(name: str) -> Any:
    if name != "SessionStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .session import SessionStore

    # Django's middleware asks for it when the server starts.
    checks.at_start()
    return SessionStore
