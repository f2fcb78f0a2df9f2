"""The manager: configuration, keys and store of one application. It begins sessions."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_void_p, sizeof
from datetime import datetime, timedelta, timezone
from typing import Callable, Iterable

from . import _native
from .cookies import int64, same_site
from .errors import fail
from .session import Session, SessionHandle

__all__ = ["Manager", "Session"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Manager:
    """Opens sessions; safe from all threads, and in a child after fork().

    `store` is "memory:" or "sqlite:///absolute/path"; the latter needs `secret`,
    Django's SECRET_KEY, and is Django's own table. The names and defaults of the
    others are those of Django's settings. `clock` replaces time.time.

    >>> with Manager("memory:", cookie_name="sid") as manager:
    ...     manager
    <tuile.Manager memory: open>
    """

    _close = staticmethod(_native.library.tuile_manager_close)
    _pointer: int | None = None

    def __init__(
        self,
        store: str,
        secret: str | bytes = b"",
        *,
        fallbacks: Iterable[str | bytes] = (),
        cookie_name: str = "sessionid",
        cookie_domain: str = "",
        cookie_path: str = "/",
        cookie_age: int = 1209600,
        cookie_samesite: str = "Lax",
        cookie_secure: bool = False,
        cookie_httponly: bool = True,
        cookie_partitioned: bool = False,
        expire_at_browser_close: bool = False,
        save_every_request: bool = False,
        max_data: int = 1048576,
        clock: Callable[[], float] | None = None,
    ) -> None:
        config = _native.Config()
        config.size = sizeof(config)
        texts = {
            "store": store,
            "secret": secret,
            "cookie_name": cookie_name,
            "cookie_domain": cookie_domain,
            "cookie_path": cookie_path,
        }
        views = {name: _native.Bytes.of(text) for name, text in texts.items()}
        for name, view in views.items():
            setattr(config, name, view)
        older = [_native.Bytes.of(old) for old in fallbacks]
        config.fallbacks = (_native.Bytes * len(older))(*older)
        config.fallback_count = len(older)
        config.cookie_age = int64(cookie_age)
        config.cookie_same_site = same_site(cookie_samesite)
        config.cookie_secure = cookie_secure
        config.cookie_http_only = cookie_httponly
        config.cookie_partitioned = cookie_partitioned
        config.expire_at_browser_close = expire_at_browser_close
        config.save_every_request = save_every_request
        config.max_data = int64(max_data)
        self._clock = clock
        if clock is not None:
            # The library calls it for as long as the manager lives.
            self._native_clock = config.clock = _native.Clock(lambda _: round(clock() * 1_000_000))
        pointer, error = c_void_p(), _native.Error()
        status = _native.library.tuile_manager_open(byref(config), byref(pointer), byref(error))
        del views, older  # kept up to here: the configuration points into them
        if status != _native.OK:
            fail(status, error)
        self._pointer = pointer.value
        self._scheme = store.partition(":")[0]
        self._open: set[SessionHandle] = set()

    def begin(self, cookie_header: str | bytes | None = None) -> Session:
        """The session of a request with this Cookie header."""
        pointer = _native.library.tuile_session_begin(self._get(), _native.Bytes.of(cookie_header or b""))
        if not pointer:
            raise MemoryError("libtuile ran out of memory")
        handle = SessionHandle(self, pointer)
        self._open.add(handle)
        return Session(handle)

    def clear_expired(self, limit: int = 10_000) -> int:
        """Removes at most `limit` expired sessions and returns how many; for a timer."""
        removed, error = c_size_t(), _native.Error()
        status = _native.library.tuile_manager_clear_expired(self._get(), limit, byref(removed), byref(error))
        if status != _native.OK:
            fail(status, error)
        return removed.value

    def stats(self) -> dict[str, int]:
        """Counts since the manager was opened: loads, misses, saves, conflicts and so on."""
        stats = _native.Stats()
        stats.size = sizeof(stats)
        status = _native.library.tuile_manager_stats(self._get(), byref(stats))
        if status != _native.OK:
            fail(status)
        return {field[0]: getattr(stats, field[0]) for field in stats._fields_[1:]}

    def now(self) -> datetime:
        """The present time by the manager's clock."""
        if self._clock is None:
            return datetime.now(timezone.utc)
        return _EPOCH + timedelta(seconds=self._clock())

    def close(self) -> None:
        """Ends all sessions and closes the store. Again is fine. No thread may be using it."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            for handle in list(self._open):
                handle.close()
            self._close(pointer)

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        # Only the scheme: a store's URL may hold a password.
        return f"<tuile.Manager {self._scheme}: {'open' if self._pointer is not None else 'closed'}>"

    def _get(self) -> int:
        if self._pointer is None:
            raise ValueError("the manager is closed")
        return self._pointer
