"""One manager for the application: configuration, keys and store."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from ctypes import byref, c_size_t, c_void_p, sizeof
from types import BuiltinFunctionType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, TypeVar, Union

from . import _flat as flat
from . import _native as native
from . import arguments, settings
from .errors import ArgumentError
from .lifetime import Handle, Uncopyable
from .owners import OwnedSession, owned_session
from .session import Session
from .signing import Keyring
from .settings import Settings, Unpack
from .stores import Bridge, Store

if TYPE_CHECKING:
    from .async_session import AsyncSession

_Answer = TypeVar("_Answer")
AnySession = TypeVar("AnySession", bound=Session)

# Those that are there, to be closed while everything that they need is: at the end of the interpreter.
_open: weakref.WeakValueDictionary[int, Manager] = weakref.WeakValueDictionary()
_ending = False


@atexit.register
def _end() -> None:
    global _ending
    _ending = True
    for reference in _open.valuerefs():
        manager = reference()
        if manager is not None:
            manager.close()


def _config(secret: str | bytes | Keyring, fallbacks: Iterable[str | bytes]) -> tuple[native.Config, object]:
    """The defaults with these keys, and what has to live as long as they."""
    config = native.Config()
    native.lib.tuile_config_init(byref(config), sizeof(config))
    older = [native.view(fallback) for fallback in arguments.secrets(fallbacks, "fallbacks")]
    if older and isinstance(secret, Keyring):
        raise ArgumentError("a Keyring holds the older secrets, too: add them to it, in place of fallbacks")
    array = (native.Bytes * len(older))(*older)
    config.fallbacks, config.fallback_count = array, len(older)
    text = native.view(b"" if isinstance(secret, Keyring) else arguments.secret(secret, "secret"))
    config.secret = text
    return config, (array, older, text)


def _with_keys(secret: str | bytes | Keyring, config: native.Config, call: Callable[[], int]) -> int:
    """Calls while nobody adds to the keyring, if it is one."""
    if not isinstance(secret, Keyring):
        return call()

    def keyed(ring: int) -> int:
        config.keyring = ring
        return call()

    return secret._alone(keyed)


def _scheme(url: str) -> str:
    return url.partition(":")[0] + ":"


def _waits(url: Optional[str]) -> bool:
    """Whether a store's calls may wait for a disk or a network."""
    return bool(url) and _scheme(str(url)) not in ("memory:", "cookie:")


def _logger(log: Callable[[str, str], None]) -> Any:
    levels = {number: name for name, number in native.LOG.items()}

    def told(_: Any, level: int, message: native.Bytes) -> None:
        log(levels[level], native.copy(message).decode("utf-8", "replace"))

    return native.Log(told)


def _waiter(wait: Optional[Callable[[float], object]]) -> Any:
    """How to wait, where a thread that sleeps would stop others: greenlets."""

    def call(_: Any, microseconds: int) -> int:
        try:
            # Looked up here: gevent and eventlet put one of theirs there.
            (wait or time.sleep)(microseconds / 1_000_000)
            return native.OK
        except BaseException as problem:
            native.keep(problem, always=True)
            return native.E_CALLBACK

    return native.Wait(call)


class Found(NamedTuple):
    """What a session was when it was read, each as the library's flat call has it."""

    #: Empty: there is none.
    key: bytes
    owner: bytes
    #: Seconds that are left of its longest life, in digits, or empty.
    lifetime: bytes
    #: All values, as JSON.
    values: bytes


class Manager(Uncopyable):
    """One for the application: configuration, keys and store. Safe from all threads and after fork.

    ``store`` is a URL, or a :class:`tuile.stores.Store` of your own; ``secret`` is needed where the store's data
    could be somebody else's, and ``fallbacks`` are older ones, which read and do not write. The settings are those of
    ``tuile_config`` in C, with Django's defaults: docs/python.md has a table of them all. ``policy`` is ``aal2`` or ``aal3``, the
    limits of NIST SP 800-63B-4; ``cookie_age`` and ``lifetime`` may be shorter then, and not longer. ``log`` is told
    ``error``, ``warning``, ``info`` or ``debug``, and what an administrator should know; it holds no key and no
    secret. ``wait`` is called with seconds before changes are made again that another request was first with:
    ``time.sleep``, if there is none. ``clock`` gives Unix seconds, for tests.
    """

    _instead = "open another one from the same settings, one in each process"

    def __init__(
        self,
        *,
        store: Union[str, Store],
        secret: str | bytes | Keyring = "",
        fallbacks: Iterable[str | bytes] = (),
        **more: Unpack[Settings],
    ) -> None:
        config, kept = _config(secret, fallbacks)
        views = settings.apply(config, more)
        log, clock, wait = more.get("log"), more.get("clock"), more.get("wait")
        logger = None
        if log is not None:
            logger = config.log = _logger(log)
        ticking = None
        if clock is not None:
            ticking = config.clock = native.clock(clock)
        bridge: Optional[Bridge] = None
        #: Calls may wait for a disk or a network.
        self.blocking = _waits(more.get("previous_store")) or _waits(more.get("revocations"))
        if isinstance(store, Store):
            bridge = Bridge(store)
            config.open_store = bridge.handle
            self.store_name, self.blocking = type(store).__name__, self.blocking or bool(store.blocking)
        else:
            url = arguments.url(store, "store")
            views.append(native.view(url, "store"))
            config.store, self.store_name = views[-1], _scheme(url)
            self.blocking = self.blocking or _waits(url)
        #: Sessions are saved also where nothing was changed.
        self.save_every_request = bool(config.save_every_request)
        self.cookie_name = native.copy(config.cookie_name).decode("utf-8")
        #: The path of the endpoint for device-bound sessions; None: sessions are not bound.
        self.device_path = native.copy(config.device_path).decode("utf-8") if config.device_binding else None
        number = c_void_p()
        # What gevent and eventlet have put in the place of time.sleep is a function of Python's.
        green = not isinstance(time.sleep, BuiltinFunctionType)
        waiter = _waiter(wait) if wait or bridge or green else None
        if waiter is not None:
            config.wait = waiter
        try:
            _with_keys(secret, config, lambda: native.check(native.lib.tuile_manager_open, byref(config), byref(number)))
            parent = bridge.owned if bridge else None
            kept = (logger, ticking, waiter)
            self._handle = Handle(number.value, native.lib.tuile_manager_close, "the manager is closed", parent, kept)
        finally:
            # It goes with the manager.
            if bridge is not None:
                bridge.free()
        self._bridge = bridge
        _open[id(self)] = self

    def begin(self, cookie_header: str | bytes, url: str | bytes = "") -> Session:
        """A request's session, from its Cookie header; nothing is read before it is needed.

        With the setting ``url_sessions`` a key in ``url`` counts where no cookie came.
        """
        return self.begin_as(Session, cookie_header, url)

    def begin_as(self, kind: type[AnySession], cookie_header: str | bytes, url: str | bytes = "") -> AnySession:
        """As :meth:`begin`, for a class of your own."""
        header = native.view(arguments.sent(cookie_header, "cookie_header"))
        address = native.view(arguments.sent(url, "url"))

        def start(manager: int) -> Handle:
            number = c_void_p()
            native.check(native.lib.tuile_session_start, manager, header, address, byref(number))
            return Handle(number.value, native.lib.tuile_session_end, "the session has ended", self._handle, None, number)

        return kind(self, self._use(start))

    def begin_and_read(self, cookie_header: str) -> tuple[Session, Found]:
        """A request's session, and at once what the store has of it: one call."""
        try:
            raw = cookie_header.encode()
        except UnicodeEncodeError:
            raw = arguments.sent(cookie_header, "cookie_header")
        handle, number = self._handle, c_void_p()
        if _ending:
            # Which has a word for daemon threads.
            self._use(lambda _: None)
        manager = handle.enter()
        try:
            text = flat.result(number, flat.begin, manager, raw, flat.length(raw), byref(number))
            session = Session(self, Handle(number.value, native.lib.tuile_session_end, "the session has ended", handle, None, number))
        finally:
            handle.leave()
        return session, Found._make(text.split(b"\0")[:4])

    def clear_expired(self, limit: int = 10_000) -> int:
        """Removes at most ``limit`` expired sessions; how many there were."""
        removed = c_size_t()
        self._check(native.lib.tuile_manager_sweep, native.size(limit, "limit"), byref(removed))
        return removed.value

    def reload(self, secret: str | bytes | Keyring, fallbacks: Iterable[str | bytes] = ()) -> None:
        """New keys, without dropping a request: those under way end with the keys that they began with."""
        config, kept = _config(secret, fallbacks)
        _with_keys(secret, config, lambda: self._check(native.lib.tuile_manager_reload, byref(config)))

    def sessions(self, owner: str, current: Optional[Union[Session, AsyncSession]] = None) -> list[OwnedSession]:
        """An owner's sessions, the one seen last first; ``current`` is marked."""
        found: list[OwnedSession] = []

        def add(_: Any, session: Any) -> None:
            found.append(owned_session(session.contents))

        name, receive = native.view(owner, "owner"), native.ReceiveOwnedSession(add)

        def call(asking: Optional[int]) -> int:
            return self._check(native.lib.tuile_manager_sessions, name, asking, receive, None)

        call(None) if current is None else current._alone(call)
        return found

    def revoke(self, owner: str, id: str) -> bool:
        """Ends the session of an owner that has this id, for good; False if there is none any more."""
        return self._check(native.lib.tuile_manager_revoke, native.view(owner, "owner"), native.view(id, "id")) == native.OK

    def revoke_all(self, owner: str, keep: Optional[Union[Session, AsyncSession]] = None) -> int:
        """Ends all sessions of an owner but ``keep``, as after a change of the password; how many."""
        name, revoked = native.view(owner, "owner"), c_size_t()

        def call(kept: Optional[int]) -> int:
            return self._check(native.lib.tuile_manager_revoke_all, name, kept, byref(revoked))

        call(None) if keep is None else keep._alone(call)
        return revoked.value

    def check(self) -> None:
        """Writes, reads and removes a session that nobody knows: StoreError if that can't be done."""
        self._check(native.lib.tuile_manager_check)

    def metrics(self) -> str:
        """All counters and the times of the store's operations, as Prometheus reads them."""
        write = native.lib.tuile_manager_metrics
        status, text = self._use(lambda manager: native.filled(1 << 14, lambda *out: write(manager, *out)))
        if status != native.OK:
            raise native.failure(status)
        return text.decode("ascii")

    def stats(self) -> dict[str, int]:
        """Counters since the manager was opened."""
        stats = native.Stats()
        stats.size = sizeof(native.Stats)
        status = self._use(lambda manager: int(native.lib.tuile_manager_stats(manager, byref(stats))))
        if status != native.OK:
            raise native.failure(status)
        return {name: getattr(stats, name) for name, *_ in native.Stats._fields_ if name != "size"}

    def close(self) -> None:
        """Closes the store and wipes the keys: now, or when the last open session and the last call
        in another thread have ended."""
        raised: list[BaseException] = []
        if self._bridge is not None:
            self._bridge.raised = raised
        self._handle.release()
        if self._bridge is not None:
            self._bridge.raised = None
        if raised:
            raise raised[0]

    def _use(self, call: Callable[[int], _Answer]) -> _Answer:
        if _ending and self._handle.released and threading.current_thread().daemon:
            # Which would be stopped at its next step anyway, without a word.
            raise SystemExit
        return self._handle.use(call)

    def _check(self, function: Any, *arguments: object) -> int:
        return self._use(lambda manager: native.check(function, manager, *arguments))

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        # Not the whole URL, which may hold a password.
        return f"<Manager of {self.store_name}{' closed' if self._handle.released else ''}>"
