"""Calls of sessions that wait for a store, made by the library's threads while an event loop goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import weakref
from collections.abc import Callable
from ctypes import byref, c_void_p, sizeof
from typing import TYPE_CHECKING, Any, Optional

from . import _native as native
from . import errors
from ._prototypes import AddHeader, Complete
from .lifetime import Handle

if TYPE_CHECKING:
    from .manager import Manager
    from .session import Session


class Operation:
    """One call under way. The session is its own until it has ended."""

    __slots__ = ("bell", "future", "headers", "problem", "session", "then")

    def __init__(self, session: Session, future: asyncio.Future[None]) -> None:
        self.session = session
        # Whoever waits has it. It has its loop, which nothing of the queue may hold.
        self.future = weakref.ref(future)
        self.headers: list[tuple[str, str]] = []
        #: What it came to, if that is no answer.
        self.problem: Optional[BaseException] = None
        #: Called once it has ended, whoever waits for it; None by then.
        self.then: Optional[Callable[[], None]] = None
        #: A pipe that gets an octet then, for a thread that waits. Who takes it out may write into it.
        self.bell: list[int] = []

    def end(self, status: int, error: Optional[native.Error]) -> None:
        try:
            if status < 0 or status == native.UNBOUND:
                self.problem = native.failure(status, error)
            elif status == native.DELETED:
                self.problem = errors.SessionDeleted("the session was deleted meanwhile")
        except MemoryError as problem:
            self.problem = problem
        self.session._calling = False
        self.session._handle.leave()
        if self.then is not None:
            self.then()
            self.then = None
        if self.bell:
            with contextlib.suppress(IndexError):
                os.write(self.bell.pop(), b"!")
        future = self.future()
        if future is None or (loop := future.get_loop()).is_closed():
            return
        if asyncio._get_running_loop() is loop:
            _settle(future)
        else:
            # Another thread has come to the session of a request that was cancelled.
            loop.call_soon_threadsafe(_settle, future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


#: An operation, and what it ends.
Given = tuple[Operation, "asyncio.Future[None]"]


class LoopQueue:
    """A queue of a manager's for the running loop, which calls what is done. It goes with its loop."""

    def __init__(self, manager: Manager, deadline: float) -> None:
        # Kept by the callbacks, so that what is under way ends also when nobody else has the queue.
        under_way: dict[int, Operation] = {}

        def complete(context: int, status: int, error: Any) -> None:
            under_way.pop(context).end(status, error.contents if error else None)

        def add_header(context: int, name: native.Bytes, value: native.Bytes) -> int:
            pair = native.copy(name).decode("latin-1"), native.copy(value).decode("latin-1")
            under_way[context].headers.append(pair)
            return native.OK

        self._under_way, self._number = under_way, 0
        self._complete, self._add_header = Complete(complete), AddHeader(add_header)
        config, number = native.QueueConfig(), c_void_p()
        native.lib.tuile_queue_config_init(byref(config), sizeof(config))
        config.deadline = max(1, round(deadline * 1000))
        manager._check(native.lib.tuile_queue_open, byref(config), byref(number))
        kept = (self._complete, self._add_header)
        self._handle = Handle(number.value, native.lib.tuile_queue_close, "the queue is closed", None, kept)
        self._descriptor: int = native.lib.tuile_queue_fd(number)
        try:
            asyncio.get_running_loop().add_reader(self._descriptor, self.run)
        except BaseException:
            self._handle.release()
            raise

    def run(self) -> None:
        """Ends the operations that are answered."""
        self._handle.use(lambda queue: native.lib.tuile_queue_run(queue, None))

    def wait(self, operation: Operation) -> None:
        """Blocks until it has ended: for who comes to its session meanwhile, in the loop's own thread or in another."""
        # The queue's descriptor is not enough: the loop may end the operation between a look at it and the poll.
        ended, bell = os.pipe()
        operation.bell.append(bell)
        try:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            poll.register(ended, select.POLLIN)
            while operation.then is not None:
                poll.poll()
                self.run()
        finally:
            try:
                operation.bell.pop()
            except IndexError:
                os.read(ended, 1)  # Whoever took it out writes into it yet.
            os.close(ended)
            os.close(bell)

    def load(self, session: Session, then: Callable[[], None]) -> Given:
        return self._give(session, then, native.lib.tuile_queue_load)

    def commit(self, session: Session, then: Callable[[], None], status: int) -> Given:
        return self._give(session, then, native.lib.tuile_queue_commit, status)

    def _give(self, session: Session, then: Callable[[], None], function: Any, *status: int) -> Given:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        operation = Operation(session, future)
        self._number = number = self._number + 1
        headers = (self._add_header, number) if status else ()
        error = native.Error()
        with session._lock:
            if session._calling:
                raise errors.ArgumentError("the session is in the middle of a call")
            address = session._handle.enter()
            session._calling = True
        operation.then = then
        self._under_way[number] = operation
        given = self._handle.use(
            lambda queue: function(queue, address, *status, *headers, self._complete, number, None, byref(error))
        )
        if given != native.OK:
            del self._under_way[number]
            operation.then = None
            session._calling = False
            session._handle.leave()
            raise native.failure(given, error)
        return operation, future
