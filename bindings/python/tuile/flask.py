"""Flask's sessions on Tuile.

>>> from flask import Flask, session
>>> app = Flask("example")
>>> app.secret_key = "an example, not a secret"
>>> app.session_interface = SessionInterface("memory:")
>>> @app.get("/")
... def count():
...     return str(session.add_int("count"))
>>> client = app.test_client()
>>> client.get("/").text, client.get("/").text
('1', '2')

The settings are Flask's: ``SECRET_KEY``, ``SECRET_KEY_FALLBACKS``, ``SESSION_COOKIE_…`` and
``PERMANENT_SESSION_LIFETIME``. What Flask's own sessions hold (dates, tuples, bytes, UUIDs, Markup)
is held too. ``cookie:flask`` keeps the session in Flask's own cookie.
"""

from __future__ import annotations

from typing import Any, Optional, Union
from weakref import WeakKeyDictionary

from flask import Flask, Request, Response
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface as FlaskInterface
from flask.sessions import SessionMixin

from .manager import Manager
from .session import Session
from .stores import Store

_TAGGED = TaggedJSONSerializer()


class FlaskSession(Session, SessionMixin):
    """Flask's ``session``, kept by Tuile. What is changed in place is saved, too."""

    # Flask sets it when its proxy is used; asking here for `permanent` is no access of the application's.
    accessed = False
    _changed = False

    def _dumps(self, value: Any) -> str:
        return _TAGGED.dumps(value)

    def _loads(self, text: str) -> Any:
        return _TAGGED.loads(text)

    @property
    def modified(self) -> bool:
        return self._changed or super().modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self._changed = value


class SessionInterface(FlaskInterface):
    """``app.session_interface = SessionInterface(store)``: a URL, or a store of your own."""

    def __init__(self, store: Union[str, Store], **options: Any) -> None:
        self._store, self._options = store, options
        self._managers: WeakKeyDictionary[Flask, tuple[Any, Any, Manager]] = WeakKeyDictionary()

    def manager(self, app: Flask) -> Manager:
        """The manager for an application's settings; another one once they are changed."""
        config = app.config
        settings: dict[str, Any] = {
            "secret": app.secret_key or "",
            "fallbacks": tuple(config["SECRET_KEY_FALLBACKS"] or ()),
            "cookie_name": self.get_cookie_name(app),
            "cookie_domain": self.get_cookie_domain(app) or "",
            "cookie_path": self.get_cookie_path(app),
            "cookie_secure": self.get_cookie_secure(app),
            "cookie_http_only": self.get_cookie_httponly(app),
            "cookie_partitioned": self.get_cookie_partitioned(app),
            "cookie_same_site": self.get_cookie_samesite(app),
            "cookie_age": int(app.permanent_session_lifetime.total_seconds()),
            # Sessions that are not permanent end with the browser.
            "expire_at_browser_close": True,
            **self._options,
        }
        known, keys = self._managers.get(app), (settings.pop("secret"), settings.pop("fallbacks"))
        if known is None or known[0] != settings:
            known = settings, keys, Manager(store=self._store, secret=keys[0], fallbacks=keys[1], **settings)
        elif known[1] != keys:
            known[2].reload(*keys)
            known = settings, keys, known[2]
        self._managers[app] = known
        return known[2]

    def open_session(self, app: Flask, request: Request) -> Optional[FlaskSession]:
        if not app.secret_key:
            return None
        return self.manager(app).begin_as(FlaskSession, request.headers.get("Cookie", "").encode("latin-1"))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, FlaskSession)
        accessed = session.accessed
        session.modified = session.modified
        if session.modified and not session:
            session.flush()
        elif session and self.should_set_cookie(app, session):
            self._keep(app, session)
        # Flask leaves a cookie that it can't read where it is.
        silent = not session and not session.modified
        # A body that is streamed may read the session on: it ends with its last reference.
        for name, value in session.commit(response.status_code):
            if name == "Vary" or silent:
                continue
            accessed = True
            response.headers.add(name, value)
        if accessed:
            response.vary.add("Cookie")

    def _keep(self, app: Flask, session: FlaskSession) -> None:
        """Has the session saved even where nothing was changed, so that its end moves."""
        if session.permanent:
            session.set_expiry(int(app.permanent_session_lifetime.total_seconds()))
        else:
            session.set_expiry(None)
            name = next(iter(session))
            session[name] = session[name]
