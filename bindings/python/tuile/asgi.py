"""Sessions for any ASGI application: Starlette, FastAPI, Django Channels, Quart.

>>> async def application(scope, receive, send):
...     scope["session"]["seen"] = True
...     await send({"type": "http.response.start", "status": 200, "headers": []})
...     await send({"type": "http.response.body", "body": b""})
>>> application = SessionMiddleware(application, store="memory:")
>>> async def send(message):
...     print([name for name, _ in message.get("headers", [])])
>>> asyncio.run(application({"type": "http", "headers": []}, None, send))
[b'set-cookie', b'cache-control', b'vary']
[]

In Starlette and FastAPI: ``app.add_middleware(SessionMiddleware, store="sqlite:////var/lib/app/sessions.db",
secret=...)``, in place of Starlette's own; ``request.session`` is the session.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Optional

from .errors import StoreError
from .headers import INTERRUPTED, with_session
from .manager import Manager
from .mirror import Mirror
from .session import Expiry, SessionDeleted

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Send], Awaitable[None]]


class AsyncSession(dict[str, Any]):
    """``scope["session"]``: a dictionary, as Starlette's is, with the methods of
    :class:`tuile.sessions.Session` that no dictionary has.

    The store is asked before the application starts and after it has answered, so that none of
    these waits for it. What was changed, in place included, is seen at the end.
    """

    def __init__(self, manager: Manager, cookies: bytes) -> None:
        super().__init__()
        #: Whether the application asked for anything: the response then says Vary: Cookie.
        self.accessed = False
        self._manager = manager
        self._session = manager.begin(cookies)
        self._mirror = Mirror(self._session)
        self._flushed = False
        self._problem: Optional[StoreError] = None

    def mark_accessed(self) -> None:
        """Starlette's ``request.session`` calls this. Raises what went wrong when the session was read."""
        self.accessed = True
        if self._problem is not None:
            raise self._problem

    def add_int(self, key: str, delta: int = 1) -> int:
        """Adds to a counter, exactly, whatever other requests do at once; the sum so far."""
        total: int = self._now("add_int", key, delta)
        return total

    def append(self, key: str, value: Any) -> None:
        """Puts a value at the end of a list, a new one if there is none, and loses none."""
        self._now("append", key, value)

    def flush(self) -> None:
        """Logs out; the store is told when the response starts."""
        self.clear()
        self._flushed = True

    def cycle_key(self) -> None:
        """A new key for the same data, as every login should do."""
        self._now("cycle_key")

    def set_expiry(self, value: Expiry) -> None:
        """Idle seconds, 0 until the browser closes, a fixed time, or None for the default."""
        self._now("set_expiry", value)

    def get_expiry_age(self) -> int:
        """Seconds left if the session is saved now."""
        age: int = self._now("get_expiry_age")
        return age

    def set_owner(self, owner: Optional[str]) -> None:
        """Says whose session it is, as a login does."""
        self._now("__setattr__", "owner", owner)

    @property
    def session_key(self) -> Optional[str]:
        """The key, once the session has one. A password: do not log it."""
        return None if self._flushed else self._session.session_key

    def _now(self, name: str, *arguments: Any) -> Any:
        self.mark_accessed()
        self._mirror.write(dict(self))
        answer = getattr(self._session, name)(*arguments)
        # Values that stayed the same stay the same objects: the application may hold one.
        fresh = self._mirror.read()
        for key in [key for key in self if key not in fresh]:
            dict.pop(self, key)
        dict.update(self, {key: value for key, value in fresh.items() if key not in self or self[key] != value})
        return answer

    # The middleware's, in a thread where the store waits.

    def read(self) -> None:
        try:
            dict.update(self, self._mirror.read())
        except StoreError as problem:
            self._problem = problem

    @property
    def unread(self) -> bool:
        """The store gave no answer, so that there is nothing to save: the application knows."""
        return self._problem is not None

    def changed(self) -> bool:
        self._mirror.write(dict(self))
        return self._flushed or self._session.modified

    def commit(self, status: int) -> list[tuple[str, str]]:
        changed = self.changed()
        # A session that was emptied has ended, as in Starlette.
        if self._flushed or (changed and not dict.__len__(self)):
            self._session.flush()
            self._mirror, self._flushed = Mirror(self._session), False
            self._mirror.write(dict(self))
        if self.accessed:
            # The session has to know, for Vary, that its copy was looked at.
            self._session.load()
        return self._session.commit(status)

    def close(self) -> None:
        self._session.close()


def _accessing(name: str) -> Any:
    method = getattr(dict, name)

    @functools.wraps(method)
    def call(self: AsyncSession, *arguments: Any, **named: Any) -> Any:
        self.mark_accessed()
        return method(self, *arguments, **named)

    return call


for _name in (
    "__contains__ __delitem__ __eq__ __getitem__ __ior__ __iter__ __len__ __ne__ __or__ __reversed__ __ror__ __setitem__ "
    "clear copy get items keys pop popitem setdefault update values"
).split():
    setattr(AsyncSession, _name, _accessing(_name))


class SessionMiddleware:
    """Puts a session into ``scope["session"]``, and saves it before the response starts.

    ``settings`` are those of :class:`tuile.sessions.Manager`. The event loop is never blocked:
    where the store waits for a disk or a network, a session whose cookie came is read in a thread
    before the application starts, and saved in one. Emptying a session ends it, as Starlette's
    does. A request whose session another one ended gets status 400.
    """

    def __init__(self, app: Application, manager: Optional[Manager] = None, **settings: Any) -> None:
        self.app = app
        self.manager = manager if manager is not None else Manager(**settings)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # HTTP/2 may split the header.
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        session = AsyncSession(self.manager, cookies)
        try:
            if self.manager.cookie_name.encode() in cookies:
                await self._off_loop(session.read)
            scope["session"] = session
            response = _Response(self.manager, session, send, self._off_loop)
            await self.app(scope, receive, response.send)
            await response.finish()
        finally:
            session.close()

    async def _off_loop(self, call: Callable[..., Any], *arguments: Any) -> Any:
        if not self.manager.blocking:
            return call(*arguments)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            # Trio's loop: who runs Starlette on it has anyio.
            from anyio import to_thread

            return await to_thread.run_sync(call, *arguments)
        return await asyncio.to_thread(call, *arguments)


class _Response:
    """Sends what the application sends, with the session's headers."""

    def __init__(
        self, manager: Manager, session: AsyncSession, send: Send, off_loop: Callable[..., Awaitable[Any]]
    ) -> None:
        self._manager, self._session, self._send, self._off_loop = manager, session, send, off_loop
        self._started = self._interrupted = False

    async def send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            self._started = True
            try:
                added = await self._commit(message.get("status", 200))
            except SessionDeleted:
                await self._interrupt(message["type"])
                return
            if added:
                headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", [])]
                merged = with_session(headers, [(name.lower(), value) for name, value in added])
                message["headers"] = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in merged]
        if not self._interrupted:
            await self._send(message)

    async def _interrupt(self, kind: str) -> None:
        self._interrupted = True
        if kind == "websocket.accept":
            await self._send({"type": "websocket.close", "code": 1008})
            return
        await self._send({"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"text/plain")]})
        await self._send({"type": "http.response.body", "body": INTERRUPTED})

    async def _commit(self, status: int) -> list[tuple[str, str]]:
        if self._session.unread or not (self._session.accessed or self._manager.save_every_request):
            return []
        headers: list[tuple[str, str]] = await self._off_loop(self._session.commit, status)
        return headers

    async def finish(self) -> None:
        """Saves what was changed after the response started, if the browser has a cookie by then."""
        late = self._started and not self._interrupted and self._session.accessed and not self._session.unread
        if late and self._session.changed() and self._session.session_key:
            await self._commit(200)
