"""The session of one request or websocket in an event loop."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional, TypeVar, Union

from . import _flat as flat
from .errors import ArgumentError, StoreError
from .headers import committed, log, uncommitted
from .loop_queue import LoopQueue, Operation
from .manager import Manager
from .mirror import Mirror
from .session import Expiry, ServedSession, Session, SessionDeleted
from .watched import Watched

OffLoop = Callable[..., Awaitable[Any]]
_Answer = TypeVar("_Answer")
# What a page gets that only reads.
_VARY = [("Vary", "Cookie")]


class AsyncSession(Watched):
    """``scope["session"]``: a dictionary, as Starlette's is, with the methods of
    :class:`tuile.sessions.Session` that no dictionary has. The middleware makes it.

    The store is asked before the application starts and after it has answered, so that none of
    these waits for it. What was changed, in place included, is seen at the end. A use of it raises StoreError
    if the store gave no answer to the reading.

    :param manager: the middleware's.
    :param cookies: the request's Cookie header.
    :param url: its path and query, for ``url_sessions``.
    :param off_loop: calls a function where it may wait.
    :param queue: what reads and saves where it may wait, in place of that, for the loop that runs.
    :param reads: whether it is read at once where that waits for nothing, in the same call.

    .. versionadded:: 0.1.0

    .. versionchanged:: 0.2.0
       ``queue`` and ``reads``.
    """

    #: Whether the application asked for anything: the response then says Vary: Cookie.
    accessed = False
    # A bound session is not read again without them.
    _bound = b""
    _busy, _ended = 0, False
    _read = _flushed = _told = False
    # The dictionary, since it was compared last.
    _used = False
    # The session behind it was asked for more than its values.
    _called = False
    _problem: Optional[StoreError] = None
    # What a commit before the response's start has for it.
    _headers: Sequence[tuple[str, str]] = ()
    # The headers are out, and with them the key; "" stands for none.
    _sent_key: Optional[str] = None

    def __init__(
        self, manager: Manager, cookies: bytes, url: bytes, off_loop: OffLoop, queue: Optional[LoopQueue] = None, reads: bool = False
    ) -> None:
        self._queue, self._manager, self._off_loop = queue, manager, off_loop
        if queue is not None:
            self._away = _Away()
        if b"-bound=" in cookies:
            self._bound = b"".join(b"; " + pair.strip() for pair in cookies.split(b";") if b"-bound=" in pair)
        # Threads of the application and the middleware's; two requests have two sessions.
        self._lock = threading.RLock()
        if not (reads and manager._reads_at_once and self._begin_read(cookies)):
            self._mirror = Mirror.of(_begun(manager, cookies, url))

    def _begin_read(self, cookies: bytes) -> bool:
        """Begins and reads in one call; False if that was not answered, which who reads it is told."""
        try:
            handle, found = self._manager._read(cookies)
        except StoreError:
            return False
        self._mirror = Mirror(self._manager, handle)
        dict.update(self, self._mirror.read_as(found[3], compared=True))
        self._read = True
        return True

    @property
    def _session(self) -> Session:
        return self._mirror.session

    # -- what Starlette's session has

    def mark_accessed(self) -> None:
        """Starlette's ``request.session`` calls this, and so does each use of the dictionary.

        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        self.accessed = self._used = True
        if not self._read:
            self._read_values()
        if self._problem is not None:
            raise self._problem

    def mark_modified(self) -> None:
        """Has the session saved, even if nothing was changed.

        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.1
        """
        self.mark_accessed()
        self._told = True

    @property
    def modified(self) -> bool:
        """Whether the session was changed, in place included.

        .. versionadded:: 0.1.1
        """
        return self._told or self._changed()

    @modified.setter
    def modified(self, value: bool) -> None:
        if value:
            self.mark_modified()
        self._told = value

    # -- what no dictionary has

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once.

        :param key: the counter's name; one that is missing counts as 0.
        :param delta: what is added; it may be negative.
        :returns: the sum as this request sees it.
        :raises ValueTypeError: the value is no integer.
        :raises RangeError: the sum does not fit into 64 bits.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        total: int = self._now("add_int", key, delta)
        return total

    def append(self, key: str, value: Any) -> None:
        """Puts a value at the end of a list, and loses none that another request appends at once.

        :param key: the list's name; one that is missing is made.
        :param value: anything that JSON can hold.
        :raises ValueTypeError: what is there is no list.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        self._now("append", key, value)

    def flush(self) -> None:
        """Logs out; the store is told when the response starts, or with the next commit.

        .. versionadded:: 0.1.0
        """
        with self._held():
            self.clear()
            self._flushed = True

    def cycle_key(self) -> None:
        """A new key for the same data, as every login should do, while the headers are not out.

        :raises ArgumentError: the headers are out: the browser would not get the new key.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        if self._sent_key is not None:
            raise ArgumentError("the headers are out: the browser would not get the new key")
        self._now("cycle_key")

    def set_expiry(self, value: Expiry) -> None:
        """When the session ends.

        :param value: idle seconds as a number, 0 until the browser closes, a fixed time as a ``datetime`` (UTC if it has no zone) or
           a ``timedelta`` from now, or None for ``cookie_age``.
        :raises ArgumentTypeError: it is none of these.
        :raises RangeError: no date up to the year 9999 holds it.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        self._now("set_expiry", value)

    def get_expiry_age(self) -> int:
        """Seconds that are left if the session is saved now.

        :returns: seconds, negative if it is over.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        age: int = self._now("get_expiry_age")
        return age

    @property
    def owner(self) -> Optional[str]:
        """Whose session it is, as the application calls its users; None for nobody's. Set it at a login. Raises StoreError if the
        store gave no answer when the session was read, and ArgumentError for what can't be an owner's name.

        .. versionadded:: 0.1.1
        """
        owner: Optional[str] = self._now("__getattribute__", "owner")
        return owner

    @owner.setter
    def owner(self, owner: Optional[str]) -> None:
        self._now("__setattr__", "owner", owner)

    def set_owner(self, owner: Optional[str]) -> None:
        """Says whose session it is, as a login does.

        :param owner: the user's name; None: nobody.
        :raises ArgumentError: it can't be one.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.0
        """
        self.owner = owner

    @property
    def is_device_bound(self) -> bool:
        """Whether the session is bound to its browser's device.

        .. versionadded:: 0.2.0
        """
        return self._session.is_device_bound

    def offer_device_binding(self) -> bool:
        """Has the response offer the browser to bind this session, with the setting ``device_bound="call"``.

        :returns: False if it is bound, or there is nothing yet that could be.
        :raises ArgumentError: sessions are not bound by this manager.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.2.0
        """
        offered: bool = self._now("offer_device_binding")
        return offered

    def set_client(self, user_agent: str = "", address: str = "") -> None:
        """Says where the request comes from, for the owner's list.

        :param user_agent: of which 256 bytes are kept.
        :param address: of which 64 bytes are kept.
        :raises StoreError: the store gave no answer when the session was read.

        .. versionadded:: 0.1.1
        """
        self._now("set_client", user_agent, address)

    @property
    def session_key(self) -> Optional[str]:
        """The key, once the session has one. A password: do not log it.

        .. versionadded:: 0.1.0
        """
        return None if self._flushed else self._session.session_key

    # -- while a response is sent or a websocket is open

    async def load(self) -> None:
        """Reads the session, if that was not done yet, without blocking the event loop. A store that gave no answer is
        told at the first use, so that a page that asks nothing of the session is served.

        .. versionadded:: 0.1.1
        """
        if self._read:
            return
        if self._session.session_key is None:
            # Nobody is asked for what has no key.
            self._read_values()
        elif self._queue is None:
            await self._off_loop(self._read_values)
        else:
            await self._load_by(self._queue)

    async def commit(self) -> None:
        """Saves what was changed so far. What others saved meanwhile is then here, too. For websockets and responses that take long;
        the middleware saves by itself when the response starts.

        :raises SessionDeleted: another request ended the session.
        :raises StoreError: the store gave no answer.
        :raises ArgumentError: the headers are out, and the browser has no cookie for it.

        .. versionadded:: 0.1.1
        """
        self.mark_accessed()
        if self._sent_key is not None and self.modified and not await self._is_known():
            raise ArgumentError("the headers are out: the browser has no cookie for this session")
        headers = await self._saved_all()
        if self._sent_key is None:
            self._headers = headers

    async def reload(self) -> None:
        """Reads the session again, as the next request with the same cookie would; empty if it was ended.

        :raises ArgumentError: it was changed: commit that before.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.1
        """
        self.accessed = True
        if self.modified:
            raise ArgumentError("the session was changed: commit it before it is read again")
        await self._off_loop(self._begin_again, self._session.session_key)

    # -- the middleware's

    async def start(self, status: int) -> list[tuple[str, str]]:
        """Saves, and gives the headers for the response that starts now. The middleware's to call.

        :param status: the response's.
        :returns: names and values.
        :raises SessionDeleted: another request ended the session that this one changed.
        :raises StoreError: the store gave no answer, and a change would be lost.

        .. versionadded:: 0.1.1
        """
        headers = list(self._headers)
        if self.accessed and self._problem is not None:
            headers = [("Vary", "Cookie")]
        elif self.accessed or self._manager.save_every_request:
            self._used = False
            latest = await self._saved(status) if self._manager.blocking else self._save(status)
            # A commit that came before has set the cookie, unless this one had to set another.
            headers = latest if not headers or _sets_cookie(latest) else headers
        self.headers_are_out()
        return headers

    def headers_are_out(self) -> None:
        """From here on the browser gets no other key. The middleware's to call.

        .. versionadded:: 0.1.1
        """
        if self._sent_key is None:
            self._sent_key = self._session.session_key or ""

    async def finish(self) -> None:
        """Saves what was changed after the headers went out, if the browser has a cookie for it. The middleware's to call.

        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.1
        """
        if self._is_unfinished():
            await self._finish()

    async def _finish(self) -> None:
        if not await self._is_known():
            log.warning("what was changed after the headers went out is lost: the browser has no cookie for it")
            return
        try:
            await self._saved_all()
        except SessionDeleted:
            pass  # A logout meanwhile, which is final; there is no response left to say so.

    def _is_unfinished(self) -> bool:
        """Whether something was changed since it was saved."""
        if not self.accessed or self._problem is not None:
            return False
        asked = self._told or self._flushed or self._called or not self._read
        return self.modified if asked else self._differs()

    def close(self) -> None:
        """Ends it, without waiting for a thread that is at work on it, which closes it when it is done. The middleware's to call.

        .. versionadded:: 0.1.0
        """
        self._ended = True
        if self._lock.acquire(blocking=False):
            try:
                self._mirror.close()
            finally:
                self._lock.release()

    def _differs(self) -> bool:
        """Whether it has other values than it had when it was read or saved."""
        if not self._used and not self._mirror.may_differ_inside(self):
            return False
        return any(self._mirror.difference(_plain(self)))

    def _alone(self, call: Callable[[int], _Answer]) -> _Answer:
        """As a session's, for what asks the manager about this one."""
        with self._held():
            return self._session._alone(call)

    def _enter(self) -> None:
        self._lock.acquire()
        self._busy += 1
        try:
            # In the loop's own thread the lock lets everybody in.
            if self._queue is not None and self._away.operation is not None:
                self._queue.wait(self._away.operation)
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        try:
            self._busy -= 1
            if self._ended and not self._busy:
                self._mirror.close()
        finally:
            self._lock.release()

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._enter()
        try:
            yield
        finally:
            self._leave()

    # -- by a queue, with nobody else at the session meanwhile

    async def _load_by(self, queue: LoopQueue) -> None:
        with self._held():
            if self._read:
                return
            operation = await self._away.until(*queue.load(self._session, self._away.back))
            problem = operation.problem
            if problem is None:
                self._read_values()
            elif isinstance(problem, StoreError):
                self._problem, self._read = problem, True
            else:
                raise problem

    async def _saved(self, status: int) -> list[tuple[str, str]]:
        """Saves for a response with that status."""
        if (queue := self._mine()) is None:
            headers: list[tuple[str, str]] = await self._off_loop(self._save, status)
            return headers
        with self._held():
            session = self._prepared()
            changed, accessed = session.modified and status < 500, session.accessed
            operation = await self._commit_by(queue, status)
            return operation.headers if operation.problem is None else uncommitted(operation.problem, changed, accessed)

    async def _saved_all(self) -> list[tuple[str, str]]:
        """Whatever becomes of the response; dictionary and session have the same values then."""
        if (queue := self._mine()) is None:
            headers: list[tuple[str, str]] = await self._off_loop(self._save_all)
            return headers
        with self._held():
            self._prepared()
            operation = await self._commit_by(queue, 200)
            if isinstance(operation.problem, SessionDeleted):
                self._begin_again(None)
            if operation.problem is not None:
                raise operation.problem
            self._take(self._mirror.read())
            return operation.headers

    def _mine(self) -> Optional[LoopQueue]:
        """The queue, if it can save: what ends a session has more to ask, and what was not read is read first."""
        return self._queue if self._read and not self._flushed and dict.__len__(self) else None

    async def _commit_by(self, queue: LoopQueue, status: int) -> Operation:
        self._session._return()
        self._session._unsaved = False
        operation = await self._away.until(*queue.commit(self._session, self._away.back, status))
        # The library has what other requests saved, too.
        self._session._forget()
        return operation

    # -- with the session behind it, in a thread where the store waits

    def _read_values(self) -> None:
        with self._held():
            if self._read:
                return
            try:
                dict.update(self, self._mirror.read())
            except StoreError as problem:
                self._problem = problem
            self._read = True

    def _now(self, name: str, *arguments: Any) -> Any:
        self.mark_accessed()
        self._called = True
        with self._held():
            self._mirror.write(_plain(self))
            answer = getattr(self._session, name)(*arguments)
            self._take(self._mirror.read())
        return answer

    def _take(self, fresh: dict[str, Any]) -> None:
        # Values that stayed the same stay the same objects: the application may hold one.
        for key in [key for key in _plain(self) if key not in fresh]:
            dict.pop(self, key)
        mine = _plain(self)
        dict.update(self, {key: value for key, value in fresh.items() if key not in mine or mine[key] != value})

    def _changed(self) -> bool:
        with self._held():
            if self._read and self._problem is None:
                self._mirror.write(_plain(self))
            return self._flushed or self._session.modified

    async def _is_known(self) -> bool:
        """The browser has a cookie that the session is found with once it is saved."""
        if self._flushed and dict.__len__(self):
            # A logout counts; what came after it is another session.
            await self._off_loop(self._session.flush)
            return False
        return self._session.session_key == self._sent_key and self._manager.store_name != "cookie:"

    def _save_all(self) -> list[tuple[str, str]]:
        with self._held():
            try:
                headers = self._prepared().commit(200)
            except SessionDeleted:
                self._begin_again(None)
                raise
            self._take(self._mirror.read())
            return headers

    def _save(self, status: int) -> list[tuple[str, str]]:
        # Not by `_held`, which takes as long as the call to the library.
        self._enter()
        try:
            if self._flushed or self._called or not self._read or not dict.__len__(self):
                return committed(self._prepared(), status)
            # As that, in one call.
            changed = False
            try:
                if not self._told and self._mirror.is_same(self):
                    self._sent_key, headers = self._mirror.commit_same(status)
                else:
                    difference = self._mirror.difference(_plain(self))
                    changed = status < 500 and (self._told or any(difference))
                    touch = ("touch", "") if self._told else ()
                    self._told = False
                    self._sent_key, headers = self._mirror.commit(difference, touch, status)
            except (SessionDeleted, StoreError) as problem:
                return uncommitted(problem, changed, True)
            return _VARY[:] if headers == "Vary\0Cookie\0" else flat.paired(headers)
        finally:
            self._leave()

    def _prepared(self) -> Session:
        changed = self._changed()
        # A session that was emptied has ended, as in Starlette.
        if self._flushed or (changed and not dict.__len__(self)):
            self._session.flush()
            self._mirror, self._flushed = Mirror.of(self._session), False
            self._mirror.write(_plain(self))
        if self._told:
            self._session.touch()
            self._told = False
        if self.accessed:
            # The session has to know, for Vary, that its copy was looked at.
            self._session.load()
        return self._session

    def _begin_again(self, key: Optional[str]) -> None:
        with self._held():
            begun = _begun(self._manager, f"{self._manager.cookie_name}={key}".encode() + self._bound if key else b"")
            mirror = Mirror.of(begun)
            fresh = mirror.read()
            self._mirror.close()
            self._mirror = mirror
            self._read, self._problem = True, None
            self._take(fresh)


class _Away:
    """The operation that a session's queue has of it."""

    def __init__(self) -> None:
        self.operation: Optional[Operation] = None

    async def until(self, operation: Operation, future: Awaitable[None]) -> Operation:
        self.operation = operation
        await future
        return operation

    def back(self) -> None:
        self.operation = None


def _begun(manager: Manager, cookies: Union[str, bytes], url: bytes = b"") -> Session:
    return manager.begin_as(ServedSession, cookies, url)


def _plain(session: AsyncSession) -> dict[str, Any]:
    """A copy. Not by `dict.copy`, which asks a dictionary of another kind for each name."""
    return dict(dict.items(session))


def _sets_cookie(headers: list[tuple[str, str]]) -> bool:
    return any(name == "Set-Cookie" for name, _ in headers)
