"""Flask's cookie: its settings, which Werkzeug writes and a browser has to take."""

from __future__ import annotations

import functools
import warnings
from typing import Any, NamedTuple, Optional
from urllib.parse import quote

from flask import Flask
from flask.sessions import SessionInterface
from werkzeug.http import dump_cookie
from werkzeug.sansio.http import parse_cookie

from .errors import ArgumentError, CookieRuleError
from .headers import refusal

_SAMPLE = "x" * 32


def _no(_: Flask) -> bool:
    return False


class Cookie(NamedTuple):
    """What Flask passes to Werkzeug's ``set_cookie`` and ``delete_cookie`` besides value and end."""

    name: str
    domain: Optional[str]
    path: str
    secure: bool
    httponly: bool
    partitioned: bool
    samesite: Optional[str]

    @classmethod
    def of(cls, interface: SessionInterface, app: Flask) -> Cookie:
        return cls(
            interface.get_cookie_name(app),
            interface.get_cookie_domain(app),
            interface.get_cookie_path(app),
            interface.get_cookie_secure(app),
            interface.get_cookie_httponly(app),
            # Flask 3.0 has no Partitioned.
            getattr(interface, "get_cookie_partitioned", _no)(app),
            interface.get_cookie_samesite(app),
        )

    def named(self, **more: Any) -> dict[str, Any]:
        """Named arguments for Werkzeug, the cookie's name aside."""
        arguments = {**self._asdict(), **more}
        del arguments["name"]
        if not self.partitioned:
            # Werkzeug 3.0 knows none.
            del arguments["partitioned"]
        return arguments


@functools.lru_cache(maxsize=128)
def check(cookie: Cookie) -> None:
    """Raises what makes a browser drop the session cookie, so that no visitor would keep a session."""
    try:
        header = dump_cookie(cookie.name, _SAMPLE, max_size=0, **cookie.named())
        header.encode("latin-1")
    except (UnicodeError, ValueError) as problem:
        raise ArgumentError(f"SESSION_COOKIE_…: {problem}") from problem
    path = quote(cookie.path, safe="%!$&'()*+,/:=@")
    if not path.startswith("/") or len(path) > 1024:
        raise ArgumentError("SESSION_COOKIE_PATH: browsers ignore a path that has no '/' in front, or over 1024 octets")
    domain = (cookie.domain or "").partition(":")[0].lstrip(".").encode("idna").decode("ascii")
    if cookie.domain and not domain:
        raise ArgumentError("SESSION_COOKIE_DOMAIN has no domain in it")
    if reason := refusal(header, f"{cookie.name}={_SAMPLE}".encode(), domain, path):
        raise CookieRuleError(f"browsers refuse the cookie of these settings SESSION_COOKIE_…: {reason}")
    if parse_cookie(header.partition(";")[0]).get(cookie.name) != _SAMPLE:
        warnings.warn(
            f"Werkzeug reads no cookie of the name {cookie.name!r} (SESSION_COOKIE_NAME): no session lasts",
            stacklevel=2,
        )


@functools.lru_cache(maxsize=128)
def token(name: str) -> str:
    """A name for the library, for which a cookie's name is what the standard says. Some dialects sign it."""
    return quote(name, safe="!#$%&'*+-.^_`|~")
