"""Sessions: a manager for the application, a session for each request.

>>> with Manager(store="memory:") as manager:
...     with manager.begin("") as session:
...         session["name"] = "Ada"
...         visits = session.add_int("visits", 1)
...         headers = session.commit(200)
>>> [name for name, _ in headers]
['Set-Cookie', 'Cache-Control', 'Vary']
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, MutableMapping
from ctypes import byref, c_bool, c_int64, c_size_t, c_void_p, sizeof
from types import TracebackType
from typing import Any, Optional, Union

from . import _native as native
from .errors import TuileError
from .signing import Keyring


class SessionDeleted(TuileError):
    """Another request deleted the session meanwhile; nothing was saved."""


class Manager:
    """One for the application: configuration, keys and store. Safe from all threads and after fork.

    Settings have the names of ``tuile_config``: ``cookie_name``, ``cookie_age``,
    ``cookie_secure``, ``save_every_request``, and so on; the defaults are Django's.
    """

    def __init__(
        self,
        *,
        store: str,
        secret: str | bytes | Keyring = "",
        fallbacks: Iterable[str | bytes] = (),
        cookie_same_site: Optional[str] = "Lax",
        **settings: Union[str, int, bool],
    ) -> None:
        self._handle: Optional[int] = None
        self._store = store.split("?")[0]
        config = native.Config()
        native.lib.tuile_config_init(byref(config))
        older = [native.view(fallback) for fallback in fallbacks]
        config.fallbacks = (native.Bytes * len(older))(*older)
        config.fallback_count = len(older)
        known = {name for name, *_ in native.Config._fields_} - {
            "size", "open_store", "clock", "clock_context", "keyring",
        }  # fmt: skip
        if unknown := settings.keys() - known:
            raise TypeError(f"unknown setting: {', '.join(sorted(unknown))}")
        texts: dict[str, str | bytes] = {name: value for name, value in settings.items() if isinstance(value, (str, bytes))}
        if isinstance(secret, Keyring):
            config.keyring = secret._handle
        else:
            texts["secret"] = secret
        views = {name: native.view(text) for name, text in {"store": store, **texts}.items()}
        for name, value in {**settings, **views, "cookie_same_site": native.SAME_SITES[cookie_same_site]}.items():
            setattr(config, name, native.int64(value) if isinstance(value, int) else value)
        handle = c_void_p()
        native.check(native.lib.tuile_manager_open, byref(config), byref(handle))
        self._handle = handle.value

    def begin(self, cookie_header: str | bytes, url: str | bytes = "") -> Session:
        """A request's session, from its Cookie header; nothing is read before it is needed.

        With the setting ``url_sessions`` a key in ``url`` counts where no cookie came.
        """
        if self._handle is None:
            raise native.failure(native.E_ARGUMENT)
        header, address = native.view(cookie_header), native.view(url)
        return Session(self, native.lib.tuile_session_begin_url(self._handle, header, address))

    def clear_expired(self, limit: int = 10_000) -> int:
        """Removes at most ``limit`` expired sessions; how many there were."""
        removed = c_size_t()
        native.check(native.lib.tuile_manager_clear_expired, self._handle, native.size(limit), byref(removed))
        return removed.value

    def stats(self) -> dict[str, int]:
        """Counters since the manager was opened."""
        stats = native.Stats()
        stats.size = _sizeof_stats
        if (status := native.lib.tuile_manager_stats(self._handle, byref(stats))) != native.OK:
            raise native.failure(status)
        return {name: getattr(stats, name) for name, *_ in native.Stats._fields_ if name != "size"}

    def close(self) -> None:
        """Closes the store and wipes the keys. All sessions must have ended."""
        handle, self._handle = getattr(self, "_handle", None), None
        if handle is not None and native is not None:
            native.lib.tuile_manager_close(handle)

    __del__ = close

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Manager(store={self._store!r})"


_sizeof_stats = sizeof(native.Stats)


class Session(MutableMapping[str, Any]):
    """One request's session: a dictionary of what JSON can hold, with Django's methods.

    Values are read as copies: change one by setting it again.
    """

    def __init__(self, manager: Manager, handle: Optional[int]) -> None:
        self._handle: Optional[int] = handle
        if not handle:
            raise native.failure(native.E_MEMORY)
        self._manager = manager  # so that it outlives this

    # -- the dictionary

    def __getitem__(self, key: str) -> Any:
        value = native.Bytes()
        if self._call("get_json", native.view(key), byref(value)) == native.ABSENT:
            raise KeyError(key)
        return json.loads(native.copy(value))

    def __setitem__(self, key: str, value: Any) -> None:
        self._call("set_json", native.view(key), native.view(json.dumps(value, separators=(",", ":"))))

    def __delitem__(self, key: str) -> None:
        if self._call("remove", native.view(key)) == native.ABSENT:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        # Asking is access, whatever is asked for: the response then says Vary: Cookie.
        name = native.view(key if isinstance(key, str) else "")
        return self._call("contains", name) == native.OK and isinstance(key, str)

    def __len__(self) -> int:
        count = c_size_t()
        self._call("count", byref(count))
        return count.value

    def __iter__(self) -> Iterator[str]:
        position, key = c_size_t(), native.Bytes()
        while self._call("next_key", byref(position), byref(key)) == native.OK:
            yield native.copy(key).decode("utf-8", "surrogatepass")

    has_key = __contains__

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once; the sum so far."""
        value = c_int64()
        self._call("add_int", native.view(key), native.int64(delta), byref(value))
        return value.value

    def clear(self) -> None:
        """Drops all values without reading them; the session keeps its key."""
        self._call("clear")

    # -- the session

    @property
    def session_key(self) -> Optional[str]:
        """The key, once the session has one. A password: do not log it."""
        key = native.Bytes()
        found = native.lib.tuile_session_key(self._live(), byref(key)) == native.OK
        return native.copy(key).decode("ascii") if found else None

    @property
    def accessed(self) -> bool:
        return bool(native.lib.tuile_session_accessed(self._live()))

    @property
    def modified(self) -> bool:
        return bool(native.lib.tuile_session_modified(self._live()))

    def is_empty(self) -> bool:
        """Neither a key nor data."""
        return self._bool("is_empty")

    def flush(self) -> None:
        """Logs out: deletes the data, the session in the store and, on commit, the cookie."""
        self._call("flush")

    def cycle_key(self) -> None:
        """A new key for the same data, as every login should do."""
        self._call("cycle_key")

    def set_expiry(self, value: Union[int, datetime.datetime, datetime.timedelta, None]) -> None:
        """Idle seconds, 0 until the browser closes, a fixed time, or None for the default."""
        if isinstance(value, datetime.timedelta):
            value = datetime.datetime.now(datetime.timezone.utc) + value
        if value is None:
            self._call("clear_expiry")
        elif isinstance(value, datetime.datetime):
            if value.tzinfo is None:
                value = value.replace(tzinfo=datetime.timezone.utc)
            self._call("set_expiry_date", int(value.timestamp()))
        else:
            self._call("set_expiry", native.int64(value))

    def get_expiry_age(self) -> int:
        """Seconds left if the session is saved now."""
        return self._int("get_expiry_age")

    def get_expiry_date(self) -> datetime.datetime:
        """When the session expires if it is saved now."""
        return datetime.datetime.fromtimestamp(self._int("get_expiry_date"), datetime.timezone.utc)

    def get_expire_at_browser_close(self) -> bool:
        return self._bool("get_expire_at_browser_close")

    def set_test_cookie(self) -> None:
        """At the next request, test_cookie_worked() tells whether the browser takes cookies."""
        self._call("set_test_cookie")

    def test_cookie_worked(self) -> bool:
        return self._bool("test_cookie_worked")

    def delete_test_cookie(self) -> None:
        """KeyError if there is none, as in Django."""
        if self._call("delete_test_cookie") == native.ABSENT:
            raise KeyError("testcookie")

    # -- the request

    def commit(self, status: int = 200) -> list[tuple[str, str]]:
        """Saves, and gives the headers that the response needs.

        Raises SessionDeleted if another request deleted the session meanwhile, and
        StoreError if the store gave no answer; then the cookie stays as it is.
        """
        headers: list[tuple[str, str]] = []

        def add(context: object, name: native.Bytes, value: native.Bytes) -> int:
            headers.append((native.copy(name).decode("ascii"), native.copy(value).decode("ascii")))
            return native.OK

        if self._call("commit", status, native.AddHeader(add), None) == native.DELETED:
            raise SessionDeleted("the session was deleted meanwhile")
        return headers

    def close(self) -> None:
        """Ends the session. What was not committed is gone."""
        handle, self._handle = getattr(self, "_handle", None), None
        if handle is not None and native is not None:
            native.lib.tuile_session_end(handle)

    __del__ = close

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Session {'ended' if self._handle is None else 'open'}>"

    def _live(self) -> int:
        if self._handle is None:
            raise native.failure(native.E_ARGUMENT)
        return self._handle

    def _call(self, name: str, *arguments: object) -> int:
        return native.check(getattr(native.lib, f"tuile_session_{name}"), self._live(), *arguments)

    def _bool(self, name: str) -> bool:
        answer = c_bool()
        self._call(name, byref(answer))
        return answer.value

    def _int(self, name: str) -> int:
        answer = c_int64()
        self._call(name, byref(answer))
        return answer.value
