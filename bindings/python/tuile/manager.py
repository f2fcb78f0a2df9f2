"""One manager for the application: configuration, keys and store."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
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
from .keyring import Keyring
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
    """What a session was when it was read.

    .. versionadded:: 0.2.0
    """

    #: Empty: there is none.
    key: str
    owner: str
    #: Seconds that are left of its longest life, in digits, or empty.
    lifetime: str
    #: All values, as JSON.
    values: str


class Manager(Uncopyable):
    """One for the application: configuration, keys and store. Safe from all threads and after fork.

    Opening it opens the store, so that a wrong path or a server that is not there is an error here, and not at the first
    request. Keep it for the life of the process; ``with`` closes it at the end.

    :param store: a URL, such as ``sqlite:////var/lib/app/sessions.db``, or a :class:`tuile.stores.Store` of your own, which
       the manager closes.
    :param secret: at least 32 bytes to sign with, or a :class:`tuile.signing.Keyring`. Needed where the store's data could be
       somebody else's: everywhere but in ``memory:`` and stores that are ``trusted``.
    :param fallbacks: a list of older secrets, which read and do not write.
    :param more: the settings of ``tuile_config`` in C, with Django's defaults: docs/python.md has a table of them all, with their units.
       ``policy`` is ``aal2`` or ``aal3``, the limits of NIST SP 800-63B-4; ``cookie_age`` and ``lifetime`` may be shorter then,
       and not longer. ``log`` is told ``error``, ``warning``, ``info`` or ``debug``, and a message with no key and no secret
       in it. ``wait`` is called with seconds before changes are made again that another request was first with:
       ``time.sleep``, if there is none. ``clock`` gives Unix seconds, for tests.
    :raises ArgumentError: a value can't be, no secret where the store needs one, or one under 32 bytes without
       ``allow_weak_secrets``. One of the wrong type is an :class:`~tuile.errors.ArgumentTypeError`.
    :raises RangeError: a number that does not fit.
    :raises TypeError: a setting that there is none of, with the one that was meant.
    :raises SyntaxProblem: a store's URL, or a cookie's name or attribute, that is none.
    :raises CookieRuleError: browsers would refuse the session cookie.
    :raises LimitError: a setting or the cookie is larger than its limit.
    :raises StoreError: the store can't be opened; :class:`~tuile.errors.BusyError` and
       :class:`~tuile.errors.CorruptStoreError` are kinds of it.
    :raises MissingLibraryError: the store's module, or a library that it needs, is not installed.

    .. versionadded:: 0.1.0
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
        #: A session may be read where its request begins, from its cookie alone.
        self._reads_at_once = not (self.blocking or self.device_path or more.get("url_sessions"))
        number = c_void_p()
        # What gevent and eventlet have put in the place of time.sleep is a function of Python's.
        green = not isinstance(time.sleep, BuiltinFunctionType)
        waiter = _waiter(wait) if wait or bridge or green else None
        if waiter is not None:
            config.wait = waiter
        # What Python does meanwhile may wait for another thread; the log is told with nothing of the library's held.
        self._calls = flat.waiting if self.blocking or bridge or ticking or waiter else flat.instant
        try:
            _with_keys(secret, config, lambda: native.check(native.lib.tuile_manager_open, byref(config), byref(number)))
            parent = bridge.owned if bridge else None
            kept = (logger, ticking, waiter)
            #: Nothing of Python's runs in its calls, so that any thread may make them.
            self._is_plain = bridge is None and kept == (None, None, None)
            #: A call of one of its sessions is nothing that another thread could come between.
            self._is_atomic = self._is_plain and self._calls is flat.instant and flat.LOCKED
            self._handle = Handle(number.value, native.lib.tuile_manager_close, "the manager is closed", parent, kept)
        finally:
            # It goes with the manager.
            if bridge is not None:
                bridge.free()
        self._bridge = bridge
        _open[id(self)] = self

    def begin(self, cookie_header: str | bytes, url: str | bytes = "") -> Session:
        """A request's session, from its Cookie header; nothing is read before it is needed.

        :param cookie_header: as the browser sent it; empty if it sent none.
        :param url: the request's path and query. With the setting ``url_sessions`` a key in it counts where no cookie came.
        :returns: the session, for this request alone. Leave it by ``with`` or :meth:`Session.close`.
        :raises ArgumentError: the manager is closed.
        :raises ArgumentTypeError: what is given is neither text nor bytes.

        .. versionadded:: 0.1.0

        >>> with Manager(store="memory:") as manager, manager.begin("") as session:
        ...     session["name"] = "Ada"
        ...     cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
        ...     with manager.begin(cookie) as next_request:
        ...         next_request["name"]
        'Ada'
        """
        return self.begin_as(Session, cookie_header, url)

    def begin_as(self, kind: type[AnySession], cookie_header: str | bytes, url: str | bytes = "") -> AnySession:
        """As :meth:`begin`, for a class of your own.

        :param kind: a class that inherits :class:`Session`.
        :param cookie_header: as the browser sent it; empty if it sent none.
        :param url: the request's path and query, for ``url_sessions``.
        :returns: a session of that class.
        :raises ArgumentError: the manager is closed.
        :raises ArgumentTypeError: what is given is neither text nor bytes.

        .. versionadded:: 0.1.0
        """
        given = arguments.sent(cookie_header, "cookie_header"), arguments.sent(url, "url")
        return kind(self, self._begun(self._calls.start, *given)[0])

    def begin_and_read(self, cookie_header: Union[str, bytes], kind: type[Session] = Session) -> tuple[Session, Found]:
        """A request's session, and at once what the store has of it: one call.

        :param cookie_header: as the browser sent it.
        :param kind: a class that inherits :class:`Session`.
        :returns: the session, and what it was when it was read.
        :raises StoreError: the store gave no answer.
        :raises SessionUnbound: a device-bound session came without its bound cookie.
        :raises ArgumentError: the manager is closed.

        .. versionadded:: 0.2.0
        """
        handle, found = self._read(arguments.sent(cookie_header, "cookie_header"))
        return kind(self, handle), Found(*found)

    def _read(self, header: bytes) -> tuple[Handle, Sequence[str]]:
        """The same without its objects: the handle, and what a `Found` has."""
        return self._begun(self._calls.begin, header)

    def _begun(self, call: Any, *given: bytes) -> tuple[Handle, Any]:
        """What a call that begins a session gives."""
        handle = self._handle
        if _ending:
            # Which has a word for daemon threads.
            self._use(lambda _: None)
        manager = handle.enter()
        try:
            count, said, number = call(manager, *given)
            # Before the answer is looked at: it has to be ended, whatever comes of that.
            begun = None if number is None else Handle(number, self._calls.end, "the session has ended", handle)
            if count < 0 or not self._is_plain:
                said = flat.checked(count, said)
            assert begun is not None
            return begun, said
        finally:
            handle.leave()

    def clear_expired(self, limit: int = 10_000) -> int:
        """Removes expired sessions from the store, in steps that leave it to others in between: for a timer. Redis needs none.

        :param limit: the most that are removed by this call.
        :returns: how many were removed; as many as ``limit``: there may be more.
        :raises StoreError: the store gave no answer.
        :raises ArgumentError: the manager is closed; a negative limit is a :class:`~tuile.errors.RangeError`.

        .. versionadded:: 0.1.0
        """
        removed = c_size_t()
        self._check(native.lib.tuile_manager_sweep, native.size(limit, "limit"), byref(removed))
        return removed.value

    def reload(self, secret: str | bytes | Keyring, fallbacks: Iterable[str | bytes] = ()) -> None:
        """New keys, without dropping a request: those under way end with the keys that they began with.

        After an error the keys are as they were.

        :param secret: the new secret, or a keyring.
        :param fallbacks: a list of secrets that still read: the one of before among them, or its sessions end.
        :raises ArgumentError: an empty keyring, a secret under 32 bytes without ``allow_weak_secrets``, or the manager is closed.
        :raises LimitError: more than 64 fallbacks.

        .. versionadded:: 0.1.0
        """
        config, kept = _config(secret, fallbacks)
        _with_keys(secret, config, lambda: self._check(native.lib.tuile_manager_reload, byref(config)))

    def sessions(self, owner: str, current: Optional[Union[Session, AsyncSession]] = None) -> list[OwnedSession]:
        """An owner's sessions, the one seen last first; ``current`` is marked.

        :param owner: the name that ``session.owner`` was set to; with ``track_owners`` a Django user's primary key as text.
        :param current: this request's session, whose entry is marked.
        :returns: a list of :class:`tuile.owners.OwnedSession`; empty if the owner has none.
        :raises LimitError: more than 10,000.
        :raises StoreError: the store gave no answer.
        :raises ArgumentError: the store keeps no lists, the owner can't be one, or the manager is closed.

        .. versionadded:: 0.1.0

        .. versionchanged:: 0.2.0
           Also takes the session of an event loop.

        >>> with Manager(store="memory:") as manager, manager.begin("") as session:
        ...     session.owner = "ada"
        ...     headers = session.commit()
        ...     [found.current for found in manager.sessions("ada", session)]
        [True]
        """
        found: list[OwnedSession] = []

        def add(_: Any, session: Any) -> None:
            found.append(owned_session(session.contents))

        name, receive = native.view(owner, "owner"), native.ReceiveOwnedSession(add)

        def call(asking: Optional[int]) -> int:
            return self._check(native.lib.tuile_manager_sessions, name, asking, receive, None)

        call(None) if current is None else current._alone(call)
        return found

    def revoke(self, owner: str, id: str) -> bool:
        """Ends one session of an owner, at once and for good.

        :param owner: whose.
        :param id: which, as :meth:`sessions` named it.
        :returns: False if the owner has no such session any more.
        :raises StoreError: the store gave no answer.
        :raises ArgumentError: the store keeps no lists, or the manager is closed.

        .. versionadded:: 0.1.0
        """
        return self._check(native.lib.tuile_manager_revoke, native.view(owner, "owner"), native.view(id, "id")) == native.OK

    def revoke_all(self, owner: str, keep: Optional[Union[Session, AsyncSession]] = None) -> int:
        """Ends all sessions of an owner, as after a change of the password.

        :param owner: whose.
        :param keep: this request's session, which stays. One that is in its cookie has to be committed then.
        :returns: how many were ended; 0 for sessions in cookies, which nobody counts.
        :raises StoreError: the store gave no answer: some may be left.
        :raises ArgumentError: the store keeps no lists, or the manager is closed.

        .. versionadded:: 0.1.0

        .. versionchanged:: 0.2.0
           Also takes the session of an event loop.
        """
        name, revoked = native.view(owner, "owner"), c_size_t()

        def call(kept: Optional[int]) -> int:
            return self._check(native.lib.tuile_manager_revoke_all, name, kept, byref(revoked))

        call(None) if keep is None else keep._alone(call)
        return revoked.value

    def check(self) -> None:
        """Writes, reads and removes a session that nobody knows: a health check.

        :raises StoreError: that can't be done.
        :raises ArgumentError: the manager is closed.

        .. versionadded:: 0.1.0
        """
        self._check(native.lib.tuile_manager_check)

    def metrics(self) -> str:
        """All counters and the times of the store's operations, as Prometheus reads them.

        :returns: the text of Prometheus' format; docs/metrics.md says what each is. Each process counts for itself.
        :raises ArgumentError: the manager is closed.

        .. versionadded:: 0.1.0
        """
        write = native.lib.tuile_manager_metrics
        status, text = self._use(lambda manager: native.filled(1 << 14, lambda *out: write(manager, *out)))
        if status != native.OK:
            raise native.failure(status)
        return text.decode("ascii")

    def stats(self) -> dict[str, int]:
        """Counters since the manager was opened.

        :returns: numbers by the names of ``tuile_stats`` in C, such as ``loads``, ``misses`` and ``saves``.
        :raises ArgumentError: the manager is closed.

        .. versionadded:: 0.1.0

        >>> with Manager(store="memory:") as manager:
        ...     manager.stats()["loads"]
        0
        """
        stats = native.Stats()
        stats.size = sizeof(native.Stats)
        status = self._use(lambda manager: int(native.lib.tuile_manager_stats(manager, byref(stats))))
        if status != native.OK:
            raise native.failure(status)
        return {name: getattr(stats, name) for name, *_ in native.Stats._fields_ if name != "size"}

    def close(self) -> None:
        """Closes the store and wipes the keys: now, or when the last open session and the last call
        in another thread have ended. A second time is fine. What the ``close`` of a store of your own raises comes out here.

        .. versionadded:: 0.1.0
        """
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
