"""One manager for the application: configuration, keys and store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from ctypes import byref, c_size_t, c_void_p, sizeof
from types import TracebackType
from typing import Any, Optional, TypeVar, Union

from . import _native as native
from .errors import ArgumentError
from .owners import OwnedSession, owned_session
from .session import Session
from .signing import Keyring
from .stores import Bridge, Store

AnySession = TypeVar("AnySession", bound=Session)

# Those that are no numbers, texts or switches, and come in another way.
_HIDDEN = {"size", "store", "secret", "fallbacks", "fallback_count", "open_store", "keyring", "cookie_same_site"}
_SETTINGS = {
    name for name, kind, *_ in native.Config._fields_ if name not in _HIDDEN and not hasattr(kind, "_restype_")
} - {"clock_context", "log_context"}


def _config(secret: str | bytes | Keyring, fallbacks: Iterable[str | bytes]) -> tuple[native.Config, object]:
    """The defaults with these keys, and what has to live as long as they."""
    config = native.Config()
    native.lib.tuile_config_init(byref(config))
    older = [native.view(fallback) for fallback in fallbacks]
    array = (native.Bytes * len(older))(*older)
    config.fallbacks, config.fallback_count = array, len(older)
    if isinstance(secret, Keyring):
        config.keyring = secret._handle
    else:
        config.secret = native.view(secret)
    return config, (array, older)


def _logger(log: Callable[[str, str], None]) -> Any:
    levels = {number: name for name, number in native.LOG.items()}

    def told(_: Any, level: int, message: native.Bytes) -> None:
        log(levels[level], native.copy(message).decode("utf-8", "replace"))

    return native.Log(told)


class Manager:
    """One for the application: configuration, keys and store. Safe from all threads and after fork.

    ``store`` is a URL, or a :class:`tuile.stores.Store` of your own. Settings have the names of
    ``tuile_config``: ``cookie_name``, ``cookie_age``, ``cookie_secure``, ``save_every_request``, and so
    on; the defaults are Django's. ``policy`` is ``aal2`` or ``aal3``: the limits of NIST SP 800-63B-4.
    ``log`` is told ``error``, ``warning``, ``info`` or ``debug``, and what an administrator should know; it
    holds no key and no secret. ``clock`` gives Unix seconds, for tests.
    """

    def __init__(
        self,
        *,
        store: Union[str, Store],
        secret: str | bytes | Keyring = "",
        fallbacks: Iterable[str | bytes] = (),
        cookie_same_site: Optional[str] = "Lax",
        policy: Optional[str] = None,
        log: Optional[Callable[[str, str], None]] = None,
        clock: Optional[Callable[[], float]] = None,
        **settings: Union[str, bytes, int, bool],
    ) -> None:
        self._handle: Optional[int] = None
        self._bridge: Optional[Bridge] = None
        self._open: set[int] = set()
        self._closing = threading.Lock()
        self._closed = False
        if unknown := settings.keys() - _SETTINGS:
            raise TypeError(f"unknown setting: {', '.join(sorted(unknown))}")
        config, kept = _config(secret, fallbacks)
        if policy is not None:
            if policy not in native.POLICY:
                raise native.failure(native.E_ARGUMENT)
            native.lib.tuile_config_set_policy(byref(config), native.POLICY[policy])
        if cookie_same_site not in native.SAME_SITES:
            raise native.failure(native.E_ARGUMENT)
        config.cookie_same_site = native.SAME_SITES[cookie_same_site]
        if log is not None:
            self._log = config.log = _logger(log)
        if clock is not None:
            told = clock
            self._clock = config.clock = native.Clock(lambda _: int(told() * 1_000_000))
        for name, value in settings.items():
            setattr(config, name, native.view(value) if isinstance(value, (str, bytes)) else native.int64(value))
        if isinstance(store, Store):
            self._bridge = Bridge(store)
            config.open_store, self.store_name, self.blocking = self._bridge.handle, type(store).__name__, store.blocking
        else:
            config.store, self.store_name = native.view(store), store.split(":")[0] + ":"
            #: Calls may wait for a disk or a network.
            self.blocking = self.store_name not in ("memory:", "cookie:")
        #: Sessions are saved also where nothing was changed.
        self.save_every_request = bool(config.save_every_request)
        self.cookie_name = native.copy(config.cookie_name).decode("utf-8")
        handle = c_void_p()
        try:
            native.check(native.lib.tuile_manager_open, byref(config), byref(handle))
        except BaseException:
            self._free()
            raise
        self._handle = handle.value

    def begin(self, cookie_header: str | bytes, url: str | bytes = "") -> Session:
        """A request's session, from its Cookie header; nothing is read before it is needed.

        With the setting ``url_sessions`` a key in ``url`` counts where no cookie came.
        """
        return self.begin_as(Session, cookie_header, url)

    def begin_as(self, kind: type[AnySession], cookie_header: str | bytes, url: str | bytes = "") -> AnySession:
        """As :meth:`begin`, for a class of your own."""
        if self._handle is None or self._closed:
            raise ArgumentError("the manager is closed")
        header, address = native.view(cookie_header), native.view(url)
        handle = native.lib.tuile_session_begin_url(self._handle, header, address)
        if not handle:
            raise native.failure(native.E_MEMORY)
        self._open.add(handle)
        return kind(self, handle)

    def clear_expired(self, limit: int = 10_000) -> int:
        """Removes at most ``limit`` expired sessions; how many there were."""
        removed = c_size_t()
        native.check(native.lib.tuile_manager_clear_expired, self._handle, native.size(limit), byref(removed))
        return removed.value

    def reload(self, secret: str | bytes | Keyring, fallbacks: Iterable[str | bytes] = ()) -> None:
        """New keys, without dropping a request: those under way end with the keys that they began with."""
        config, kept = _config(secret, fallbacks)
        native.check(native.lib.tuile_manager_reload, self._handle, byref(config))

    def sessions(self, owner: str, current: Optional[Session] = None) -> list[OwnedSession]:
        """An owner's sessions, the one seen last first; ``current`` is marked."""
        found: list[OwnedSession] = []

        def add(_: Any, session: Any) -> None:
            found.append(owned_session(session.contents))

        asking, receive = current._live() if current else None, native.ReceiveOwnedSession(add)
        native.check(native.lib.tuile_manager_sessions, self._handle, native.view(owner), asking, receive, None)
        return found

    def revoke(self, owner: str, id: str) -> bool:
        """Ends the session of an owner that has this id, for good; False if there is none any more."""
        answer = native.check(native.lib.tuile_manager_revoke, self._handle, native.view(owner), native.view(id))
        return answer == native.OK

    def revoke_all(self, owner: str, keep: Optional[Session] = None) -> int:
        """Ends all sessions of an owner but ``keep``, as after a change of the password; how many."""
        revoked, kept = c_size_t(), keep._live() if keep else None
        native.check(native.lib.tuile_manager_revoke_all, self._handle, native.view(owner), kept, byref(revoked))
        return revoked.value

    def check(self) -> None:
        """Writes, reads and removes a session that nobody knows: StoreError if that can't be done."""
        native.check(native.lib.tuile_manager_check, self._handle)

    def metrics(self) -> str:
        """All counters and the times of the store's operations, as Prometheus reads them."""
        status, text = native.filled(1 << 14, lambda *out: native.lib.tuile_manager_metrics(self._handle, *out))
        if status != native.OK:
            raise native.failure(status)
        return text.decode("ascii")

    def stats(self) -> dict[str, int]:
        """Counters since the manager was opened."""
        stats = native.Stats()
        stats.size = sizeof(native.Stats)
        if (status := native.lib.tuile_manager_stats(self._handle, byref(stats))) != native.OK:
            raise native.failure(status)
        return {name: getattr(stats, name) for name, *_ in native.Stats._fields_ if name != "size"}

    def close(self) -> None:
        """Closes the store and wipes the keys, once the last session has ended."""
        self._closed = True
        if native is not None and not getattr(self, "_open", True):
            self._free()

    __del__ = close

    def _ended(self, session: int) -> None:
        """A session says that it has ended."""
        native.lib.tuile_session_end(session)
        self._open.discard(session)
        if self._closed and not self._open:
            self._free()

    def _free(self) -> None:
        with self._closing:
            handle, self._handle = self._handle, None
            bridge, self._bridge = self._bridge, None
        native.lib.tuile_manager_close(handle)
        if bridge is not None:
            bridge.free()

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        # Not the whole URL, which may hold a password.
        return f"<Manager of {self.store_name}{' closed' if self._closed else ''}>"
