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
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Optional

from .errors import StoreError
from .headers import INTERRUPTED, with_session
from .manager import Manager
from .session import Session, SessionDeleted

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Send], Awaitable[None]]


class AsyncSession(Session):
    """A session that an event loop may use: the store is asked before and after, in a thread."""

    def __init__(self, manager: Manager, handle: int) -> None:
        super().__init__(manager, handle)
        #: The application has asked for something, which the middleware's reading ahead is not.
        self.touched = False
        self._flushed = False

    def _call(self, name: str, *arguments: object) -> int:
        self.touched = True
        return super()._call(name, *arguments)

    @property
    def accessed(self) -> bool:
        return self.touched

    @property
    def session_key(self) -> Optional[str]:
        return None if self._flushed else super().session_key

    def flush(self) -> None:
        """Logs out; the store is told with the commit, or now if there is none to wait for."""
        if self._manager.blocking:
            self.clear()
            self._flushed = True
        else:
            super().flush()

    def read_ahead(self) -> None:
        try:
            super()._call("load")
        except StoreError:
            pass  # raised again to those who ask for something

    def commit(self, status: int = 200) -> list[tuple[str, str]]:
        # A session without any value has been ended, as in Starlette.
        if self._flushed or (not self and self.modified):
            kept = dict(self)
            super().flush()
            self._flushed = False
            if kept:
                self.update(kept)
        return super().commit(status)


class SessionMiddleware:
    """Puts a session into ``scope["session"]``, and saves it before the response starts.

    ``settings`` are those of :class:`tuile.sessions.Manager`. The event loop is never blocked: where the
    store waits for a disk or a network, a session whose cookie came is read in a thread before
    the application starts, and saved in one. Clearing a session ends it, as Starlette's does. A
    request whose session another one ended gets status 400.
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
        with self.manager.begin_as(AsyncSession, cookies) as session:
            if self.manager.blocking and self.manager.cookie_name.encode() in cookies:
                await asyncio.to_thread(session.read_ahead)
            scope["session"] = session
            response = _Response(self.manager, session, send)
            await self.app(scope, receive, response.send)
            await response.finish()


class _Response:
    """Sends what the application sends, with the session's headers."""

    def __init__(self, manager: Manager, session: AsyncSession, send: Send) -> None:
        self._manager, self._session, self._send = manager, session, send
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
        if not self._session.touched and not self._manager.save_every_request:
            return []
        if self._manager.blocking:
            return await asyncio.to_thread(self._session.commit, status)
        return self._session.commit(status)

    async def finish(self) -> None:
        """Saves what was changed after the response started, if the browser has a cookie by then."""
        late = self._started and not self._interrupted and self._session.touched
        if late and self._session.modified and self._session.session_key:
            await self._commit(200)
