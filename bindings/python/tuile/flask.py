"""Flask's sessions on Tuile.

>>> from flask import Flask, session
>>> app = Flask("example")
>>> app.secret_key = "an example of 32 bytes, not a secret"
>>> SessionInterface("memory:").init_app(app)
>>> @app.get("/")
... def count():
...     return str(session.add_int("count"))
>>> client = app.test_client()
>>> client.get("/").text, client.get("/").text
('1', '2')

The settings are Flask's: ``SECRET_KEY``, ``SECRET_KEY_FALLBACKS``, ``SESSION_COOKIE_…``,
``SESSION_REFRESH_EACH_REQUEST`` and ``PERMANENT_SESSION_LIFETIME``. Werkzeug writes the cookie. What
Flask's own sessions hold (dates, tuples, bytes, UUIDs, Markup) is held too. ``cookie:flask`` keeps
the session in Flask's own cookie.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional, Union
from urllib.parse import quote
from weakref import WeakKeyDictionary, WeakSet

from flask import Flask, Request, Response, current_app, request
from flask.globals import request_ctx as request_context
from flask.sessions import SessionInterface as FlaskInterface
from flask.sessions import SessionMixin
from werkzeug.exceptions import BadRequest

from . import arguments
from .device import OFFER, answered
from .errors import ArgumentError, StoreError
from .flask_cookie import Cookie, check, token
from .flask_session import FlaskSession
from .manager import Manager
from .session import SessionDeleted
from .settings import FlaskSettings, Settings, Unpack
from .stores import Store

__all__ = ["FlaskSession", "SessionInterface", "SessionInterrupted"]

# Said in Flask's own settings, and there alone.
_FLASKS = {
    "cookie_name": "SESSION_COOKIE_NAME",
    "cookie_domain": "SESSION_COOKIE_DOMAIN",
    "cookie_path": "SESSION_COOKIE_PATH",
    "cookie_secure": "SESSION_COOKIE_SECURE",
    "cookie_http_only": "SESSION_COOKIE_HTTPONLY",
    "cookie_partitioned": "SESSION_COOKIE_PARTITIONED",
    "cookie_same_site": "SESSION_COOKIE_SAMESITE",
    "cookie_age": "PERMANENT_SESSION_LIFETIME",
    "expire_at_browser_close": "session.permanent",
    "save_every_request": "SESSION_REFRESH_EACH_REQUEST",
}
# The longest idle time of each policy, in seconds.
_IDLE = {"aal2": 3600, "aal3": 900}
# What could end the cookie is no key.
_ENDS = frozenset(' \t;,"\\\r\n')


class SessionInterrupted(BadRequest):
    """Another request ended the session that this one has changed: nothing was saved, and the answer
    is status 400. ``app.errorhandler(SessionInterrupted)`` makes a page of it.

    .. versionadded:: 0.1.1
    """

    description = "The session was ended by another request."


class _Said(NamedTuple):
    """What an application says, of which a manager is made."""

    lifetime: timedelta
    cookie_name: str
    keys: tuple[Any, tuple[Any, ...]]


class _Known(NamedTuple):
    """An application's manager, and what it was made of."""

    manager: Manager
    said: _Said
    settings: dict[str, Any]


class SessionInterface(FlaskInterface):
    """``SessionInterface(store).init_app(app)``, or ``app.session_interface = SessionInterface(store)``.

    With :meth:`init_app` wrong settings, or a store that can't be opened, are an error when the application
    starts; else when it serves its first request. One interface may serve several applications, from any thread.

    :param store: a URL, or a :class:`tuile.stores.Store` of your own.
    :param login_keys: names. A session whose value under one of them changes gets a new key, as each
       login should: Flask-Login's ``_user_id``, and ``user_id``, as in Flask's tutorial.
    :param options: settings of :class:`tuile.sessions.Manager` that Flask has none for.
    :raises TypeError: a setting that is Flask's, or that there is none of.
    :raises ArgumentTypeError: a store that is no URL, or a lone text as ``fallbacks`` or ``login_keys``.

    .. versionadded:: 0.1.0

    .. versionchanged:: 0.1.1
       ``login keys``.
    """

    def __init__(
        self, store: Union[str, Store], *, login_keys: Iterable[str] = ("_user_id", "user_id"), **options: Unpack[FlaskSettings]
    ) -> None:
        if said := _FLASKS.keys() & options.keys():
            raise TypeError(", ".join(f"{name} is Flask's {_FLASKS[name]}" for name in sorted(said)))
        allowed = Settings.__annotations__.keys() | FlaskSettings.__annotations__.keys()
        if unknown := [arguments.meant(name, allowed) for name in options if name not in allowed]:
            raise TypeError(f"unknown setting: {', '.join(unknown)}")
        if "fallbacks" in options:
            # Read here, once: a manager is made again when settings change.
            options["fallbacks"] = arguments.secrets(options["fallbacks"], "fallbacks")
        if not isinstance(store, Store):
            arguments.url(store, "store")
        login_keys = arguments.names(login_keys, "login_keys")
        self._store, self._options, self._login_keys = store, options, frozenset(login_keys)
        self._managers: WeakKeyDictionary[Flask, _Known] = WeakKeyDictionary()
        self._initialised: WeakSet[Flask] = WeakSet()
        self._making = threading.Lock()
        # With a store of the application's own: a manager that was replaced would close it under the next one.
        self._kept: list[Manager] = []

    def init_app(self, app: Flask) -> None:
        """Makes this the application's, and checks its settings and, where there is a ``SECRET_KEY``, the store at once.

        :param app: the application.
        :raises CookieRuleError: browsers would refuse the cookie of its settings.
        :raises ArgumentError: a setting that can't be. What else a manager raises is raised here, too.

        .. versionadded:: 0.1.1
        """
        check(Cookie.of(self, app))
        if app.secret_key:
            self.manager(app)
        app.session_interface = self
        if self._options.get("device_bound"):
            # Before all checks of forged requests: a proof is one.
            app.before_request_funcs.setdefault(None, []).insert(0, _answer_device)
        self._initialised.add(app)

    # -- the manager

    def manager(self, app: Flask) -> Manager:
        """The manager for an application's settings; another one once they are changed. Safe from all threads.

        :param app: the application.
        :returns: the manager; do not close it.
        :raises ArgumentError: a setting that can't be.
        :raises StoreError: the store can't be opened.

        .. versionadded:: 0.1.0
        """
        said = _Said(app.permanent_session_lifetime, self.get_cookie_name(app), _keys(app))
        known = self._managers.get(app)
        if known is not None and known.said == said:
            return known.manager
        settings = self._settings(said)
        with self._making:
            known = self._managers.get(app)
            if known is None or known.settings != settings:
                self._check_binding(app)
                secrets = {"secret": said.keys[0], "fallbacks": said.keys[1]}
                known = _Known(Manager(store=self._store, **{**secrets, **settings}), said, settings)
                if isinstance(self._store, Store):
                    self._kept.append(known.manager)
            elif known.said.keys != said.keys:
                known.manager.reload(*said.keys)
            self._managers[app] = known._replace(said=said)
        return known.manager

    def _check_binding(self, app: Flask) -> None:
        """The cookie is Flask's, so that the library can't look whether it could be bound."""
        cookie = Cookie.of(self, app)
        if self._options.get("device_bound") and (not cookie.secure or cookie.partitioned):
            raise ArgumentError("device_bound needs SESSION_COOKIE_SECURE, and no SESSION_COOKIE_PARTITIONED: browsers bind over https alone")

    def _settings(self, said: _Said) -> dict[str, Any]:
        age = int(said.lifetime.total_seconds())
        return {
            "cookie_name": token(said.cookie_name),
            # Of two limits the shorter one counts.
            "cookie_age": min(age, _IDLE.get(self._options.get("policy") or "", age)),
            # What Flask takes for a SECRET_KEY is taken here.
            "allow_weak_secrets": True,
            # The cookie is Werkzeug's; these have to be what any name allows.
            "cookie_secure": True,
            "expire_at_browser_close": True,
            **self._options,
        }

    # -- what Flask calls

    def open_session(self, app: Flask, request: Request) -> Optional[FlaskSession]:
        if not app.secret_key:
            return None
        check(Cookie.of(self, app))
        manager = self.manager(app)
        if manager.device_path is not None and app not in self._initialised:
            raise ArgumentError("device_bound needs SessionInterface(…).init_app(app), which answers browsers")
        # Werkzeug's rules, as for Flask's own: of several cookies the first, and without its quotes.
        names = {manager.cookie_name: self.get_cookie_name(app)}
        if previous := self._options.get("previous_cookie"):
            names.setdefault(previous, previous)
        if manager.device_path is not None:
            names.update({name: name for name in request.cookies if name.endswith("-bound")})
        sent = [(name, request.cookies.get(flasks, "")) for name, flasks in names.items()]
        header = "; ".join(f"{name}={value}" for name, value in sent if value and _ENDS.isdisjoint(value))
        url = ""
        if self._options.get("url_sessions"):
            url = quote(request.path, safe="/;=&") + "?" + request.query_string.decode("latin-1")
        session = manager.begin_as(FlaskSession, header, url)
        session._login_keys, session._interface = self._login_keys, self
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, FlaskSession) or session._answered:
            return  # It could not be opened, and this is the page that says so; or the library has answered.
        # What is read from here on, the application has not.
        session.accessed = session.accessed
        if session.accessed:
            response.vary.add("Cookie")
        if not session.used and not _refreshes_unread(app, session):
            return
        changed = session.modified
        try:
            self._save(app, session, response, changed)
        except SessionDeleted:
            if changed:
                _interrupt(app, response)
        except StoreError as problem:
            # Who only read knows already, or has what he asked for.
            if changed:
                raise
            app.logger.warning("the session was left as it is: %s", problem)
        finally:
            # As with Flask's own, what was changed is not forgotten with the response.
            session.modified = changed

    def _save(self, app: Flask, session: FlaskSession, response: Response, changed: bool) -> None:
        said, session._told = session._told, changed
        # Which asks whether it was changed.
        wanted, empty = self.should_set_cookie(app, session), not session
        if session._told is changed:
            session._told = said
        if not changed and (empty or session._told is False and not wanted):
            return
        if empty:
            cookie = Cookie.of(self, app)
            session.flush()
            response.delete_cookie(cookie.name, **cookie.named())
            response.vary.add("Cookie")
        if session._logged_in:
            session.cycle_key()
            session._logged_in = False
        if wanted:
            # Flask moves the end, and sends the cookie, even where nothing was changed.
            session.touch()
        for name, value in session.commit():
            # What the library would write says what has to be written.
            written = value.partition("=")[0] if name == "Set-Cookie" else ""
            if written == session._manager.cookie_name and not empty:
                cookie = Cookie.of(self, app)
                end = cookie.named(expires=self._end(app, session))
                response.set_cookie(cookie.name, session.session_key or "", **end)
                response.vary.add("Cookie")
            elif written and written == self._options.get("previous_cookie"):
                response.delete_cookie(written, **Cookie.of(self, app).named())
            elif name == OFFER or written.endswith("-bound"):
                response.headers.add(name, value)

    def write_cookie(self, app: Flask, response: Response, set_cookie: str, headers: list[tuple[str, str]]) -> bool:
        """Writes the session's own cookie of a library's answer as Flask writes it.

        :param app: the application.
        :param response: that gets the cookie.
        :param set_cookie: the library's Set-Cookie header.
        :param headers: all of the answer.
        :returns: False if it is another cookie's.

        .. versionadded:: 0.2.0
        """
        manager, cookie = self.manager(app), Cookie.of(self, app)
        name, _, rest = set_cookie.partition("=")
        if name != manager.cookie_name:
            return False
        if not (value := rest.partition(";")[0]):
            response.delete_cookie(cookie.name, **cookie.named())
            return True
        sent = "; ".join(text.partition(";")[0] for header, text in headers if header == "Set-Cookie")
        with manager.begin_as(FlaskSession, sent) as session:
            response.set_cookie(cookie.name, value, **cookie.named(expires=self._end(app, session)))
        return True

    def _end(self, app: Flask, session: FlaskSession) -> Optional[datetime]:
        """When the cookie ends: as Flask says, unless the session or a policy says something else."""
        if not session.get_expire_at_browser_close():
            return session.get_expiry_date()
        end = self.get_expiration_time(app, session)
        if end is None or session.get_lifetime() is None and "policy" not in self._options:
            return end
        return min(end if end.tzinfo else end.replace(tzinfo=timezone.utc), session.get_expiry_date())


def _answer_device() -> Optional[Response]:
    """Before each request: what device-bound sessions have to answer in place of the application."""
    session = request_context.session
    if not isinstance(session, FlaskSession):
        return None
    environ = request.environ
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".encode("latin-1", "replace").decode("utf-8", "replace")
    answer = answered(session, path, request.method, request.headers.get)
    if answer is None:
        return None
    session._answered = True
    made = current_app.response_class(answer.body, answer.status)
    made.headers.clear()
    for name, value in answer.headers:
        if name != "Set-Cookie" or not session._interface.write_cookie(current_app._get_current_object(), made, value, answer.headers):  # type: ignore[attr-defined]
            made.headers.add(name, value)
    made.headers.add("Content-Length", str(len(answer.body)))
    return made


def _refreshes_unread(app: Flask, session: FlaskSession) -> bool:
    """Flask sends a permanent session's cookie with each response. A store is not asked for that."""
    manager = session._manager
    return manager.store_name == "cookie:" and not manager.blocking and app.config["SESSION_REFRESH_EACH_REQUEST"]


def _keys(app: Flask) -> tuple[Any, tuple[Any, ...]]:
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS") or ()
    return app.secret_key or "", tuple(arguments.secrets(fallbacks, "SECRET_KEY_FALLBACKS")) if fallbacks else ()


def _interrupt(app: Flask, response: Response) -> None:
    """Makes the response what the application answers to status 400."""
    answer = app.make_response(app.handle_http_exception(SessionInterrupted()))
    words = list(response.vary)
    response.close()
    response.status, response.headers, response.response = answer.status, answer.headers, answer.response
    response.direct_passthrough = answer.direct_passthrough
    response.vary.update([*words, "Cookie"])
