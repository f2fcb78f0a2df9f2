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
import math
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Optional, Union

from . import arguments
from .async_session import AsyncSession
from .device import DeviceAnswer, answered
from .errors import RangeError
from .headers import INTERRUPTED, manager_of, without_second_vary
from .loop_queue import LoopQueue
from .manager import Manager
from .session import SessionDeleted
from .settings import Given, Unpack

__all__ = ["AsyncSession", "SessionMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Send], Awaitable[None]]

# Those that have headers, and what comes after an HTTP response's.
_STARTS = {
    "http.response.start": "http.response.body",
    "websocket.http.response.start": "websocket.http.response.body",
    "websocket.accept": "",
}

# As ASGI has those that sessions have most.
_NAMES = {name: name.lower().encode() for name in ("Vary", "Set-Cookie", "Cache-Control")}


class SessionMiddleware:
    """Puts an :class:`AsyncSession` into ``scope["session"]``, and saves it before the response starts.

    The event loop is never blocked: a session whose cookie came is read before the application starts, and saved when the response
    does. Where the store waits for a disk or a network, threads of the library do, and no thread of the loop's; with a
    store or a ``clock``, ``log`` or ``wait`` of your own, and in loops without ``add_reader``, it is one of the loop's threads. Where it
    was not read, ``await scope["session"].load()`` does, or else its first use, which then blocks.

    Emptying a session ends it, as Starlette's does. A request that changed a session which another one ended
    gets status 400, a websocket is closed with 1008. With a status of 500 or more nothing is saved, but in Starlette and FastAPI,
    whose own middleware saves then.

    :param app: the application.
    :param manager: one that is open already; it is not closed here.
    :param preload: for which requests: all, none, or those of which a function of the
       scope says so, such as ``lambda scope: not scope["path"].startswith("/static/")``.
    :param save_on_error: whether a response with a status of 500 or more saves; None: as the framework does.
    :param deadline: seconds after which a store that gives no answer counts as away, from 0.001 to 3600. Reading then raises BusyError at the session's
       first use; so does a save that had not begun, and one that had raises CommitUnknown. It is not
       for what the loop's threads do, which the store's own limits end.
    :param settings: those of :class:`tuile.sessions.Manager`, in place of one.
    :raises TypeError: both, neither, or a setting that there is none of. What else a manager raises is raised here, too.
    :raises RangeError: a deadline that can't be.

    .. versionadded:: 0.1.0

    .. versionchanged:: 0.1.1
       ``preload`` and ``save_on_error``.

    .. versionchanged:: 0.2.0
       ``deadline``.
    """

    def __init__(
        self,
        app: Application,
        manager: Optional[Manager] = None,
        *,
        preload: Union[bool, Callable[[Scope], bool]] = True,
        save_on_error: Optional[bool] = None,
        deadline: float = 5.0,
        **settings: Unpack[Given],
    ) -> None:
        self.app = app
        self.manager = manager_of(manager, settings)
        self._preload = preload if callable(preload) else arguments.switch(preload, "preload")
        self._save_on_error = None if save_on_error is None else arguments.switch(save_on_error, "save_on_error")
        self._deadline = _seconds(deadline)
        # One for each loop, which goes with it.
        self._queues: weakref.WeakKeyDictionary[Any, Optional[LoopQueue]] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # HTTP/2 may split the header.
        cookies = b"; ".join([value for name, value in scope["headers"] if name == b"cookie"])
        reads = self._reads_first(scope)
        url = b"" if self.manager._reads_at_once else _url(scope)
        session = AsyncSession(self.manager, cookies, url, self._off_loop, self._queue(), reads)
        try:
            if self.manager.device_path is not None and (instead := await self._device(scope, session)) is not None:
                await _send_instead(scope, send, instead)
                return
            if reads and not session._read:
                await session.load()
            scope["session"] = session
            response = _Response(session, send, self._saves_errors(scope))
            await self.app(scope, receive, response.send)
            if response.is_unfinished():
                await session._finish()
        finally:
            # A thread that is still in a call of its own keeps what it uses.
            session.close()

    async def _device(self, scope: Scope, session: AsyncSession) -> Optional[DeviceAnswer]:
        """What device-bound sessions have to answer in place of the application."""
        path = scope.get("path", "")
        if path != self.manager.device_path and not session.is_device_bound:
            return None
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        method = scope.get("method", "GET")
        answer: Optional[DeviceAnswer] = await self._off_loop(
            answered, session._session, path, method, lambda name: headers.get(name.lower())
        )
        return answer

    def _reads_first(self, scope: Scope) -> bool:
        return self._preload(scope) if callable(self._preload) else self._preload

    def _saves_errors(self, scope: Scope) -> bool:
        if self._save_on_error is not None:
            return self._save_on_error
        starlette = sys.modules.get("starlette.applications")
        return starlette is not None and isinstance(scope.get("app"), starlette.Starlette)

    def _queue(self) -> Optional[LoopQueue]:
        """That of the running loop; None where threads of the loop's make the calls."""
        if not (self.manager.blocking and self.manager._is_plain):
            return None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return None  # Trio's
        with self._lock:
            if loop not in self._queues:
                try:
                    self._queues[loop] = LoopQueue(self.manager, self._deadline)
                except NotImplementedError:
                    self._queues[loop] = None
            return self._queues[loop]

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


async def _send_instead(scope: Scope, send: Send, answer: DeviceAnswer) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    octets = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": octets})
    await send({"type": "http.response.body", "body": answer.body})


def _seconds(deadline: float) -> float:
    if isinstance(deadline, bool) or not isinstance(deadline, (int, float)):
        raise TypeError(f"deadline has to be a number of seconds, not {type(deadline).__name__}")
    if not (math.isfinite(deadline) and 0.001 <= deadline <= 3600):
        raise RangeError("deadline is not 0.001 to 3600 seconds")
    return deadline


def _url(scope: Scope) -> bytes:
    """For the setting url_sessions."""
    path: bytes = scope.get("raw_path") or scope.get("path", "").encode()
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query


def _with_session(headers: list[Any], added: list[tuple[str, str]]) -> list[Any]:
    vary = [value.decode("latin-1") for name, value in headers if name.lower() == b"vary"] if headers else []
    fresh = without_second_vary(added, vary)
    return headers + [(_NAMES.get(name) or name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fresh]


class _Response:
    """Sends what the application sends, with the session's headers."""

    def __init__(self, session: AsyncSession, send: Send, saves_errors: bool) -> None:
        self._session, self._send, self._saves_errors = session, send, saves_errors
        self._interrupted = False
        # Of the response that has started.
        self._status: Optional[int] = None

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in _STARTS:
            status = message.get("status", 200)
            self._status = 200 if self._saves_errors else status
            try:
                added = await self._session.start(self._status)
            except SessionDeleted:
                await self._interrupt(kind)
                return
            if added:
                message["headers"] = _with_session(list(message.get("headers", ())), added)
        elif kind == "websocket.close" and self._status is None:
            # Refused: there are no headers, so that a browser without a cookie gets none.
            self._status = 200
            self._session.headers_are_out()
        if not self._interrupted:
            await self._send(message)

    async def _interrupt(self, kind: str) -> None:
        self._interrupted = True
        if kind == "websocket.accept":
            await self._send({"type": "websocket.close", "code": 1008})
            return
        await self._send({"type": kind, "status": 400, "headers": [(b"content-type", b"text/plain")]})
        await self._send({"type": _STARTS[kind], "body": INTERRUPTED})

    def is_unfinished(self) -> bool:
        """Whether something was changed after the response started, which `_finish` saves if the browser has a cookie by then."""
        return self._status is not None and self._status < 500 and not self._interrupted and self._session._is_unfinished()
