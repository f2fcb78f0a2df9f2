"""However a request ends, nothing is closed before the work that uses it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from dictionary_store import Dictionary
from tuile import _native as native
from tuile.asgi import AsyncSession, SessionMiddleware
from tuile.errors import ArgumentError
from tuile.sessions import Manager

LARGE = "x" * 200_000


class Site:
    def __init__(self) -> None:
        self.store = Dictionary()
        self.manager = Manager(store=self.store, secret="a secret of thirty-two octets, or more")
        #: What was under way in the store when a session of the library's was freed.
        self.freed: list[int] = []
        with self.manager.begin("") as session:
            session["a"] = LARGE
            self.cookie = dict(session.commit())["Set-Cookie"].partition(";")[0].encode()

    async def visit(self, change: Any, cookie: bool = True, hangs_up: bool = False) -> list[Any]:
        sent: list[Any] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            answer = change(scope["session"])
            if inspect.isawaitable(answer):
                await answer
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async def send(message: Any) -> None:
            if hangs_up:
                raise OSError("the client is gone")
            sent.append(message)

        headers = [(b"cookie", self.cookie)] if cookie else []
        await SessionMiddleware(application, self.manager)({"type": "http", "headers": headers}, None, send)
        return sent

    async def cancelled_in(self, what: str, change: Any, cookie: bool = True) -> None:
        """A visit that is cancelled while it is in that call of the store, which goes on."""
        self.store.hold(what)
        visit = asyncio.ensure_future(self.visit(change, cookie))
        assert await asyncio.to_thread(self.store.reached.wait, 300)
        visit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visit
        assert self.store.under_way == 1
        self.store.go.set()

    def holds(self) -> list[Any]:
        self.store.seconds = 0
        found = []
        for key in list(self.store.rows):
            with self.manager.begin(f"sessionid={key}") as session:
                found.append({name: value for name, value in session.items() if value != LARGE})
        return found


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()
    free = site.manager._calls.end

    def freeing(handle: Any) -> None:
        site.freed.append(site.store.under_way)
        free(handle)

    monkeypatch.setattr(site.manager, "_calls", site.manager._calls._replace(end=freeing))
    yield site
    # One visitor at a time: nothing was under way when its session was freed.
    assert site.freed and not any(site.freed)
    site.manager.close()
    assert site.store.closed == 1


def test_cancelled_while_the_session_is_read(site: Site) -> None:
    async def run() -> None:
        for _ in range(3):
            await site.cancelled_in("load", lambda s: None)
            while site.store.under_way:
                await asyncio.sleep(0.01)

    asyncio.run(run())
    assert site.store.takes().count("load") == 3


@pytest.mark.parametrize("cookie", [True, False])
def test_cancelled_while_it_is_saved(site: Site, cookie: bool) -> None:
    asyncio.run(site.cancelled_in("replace" if cookie else "create", lambda s: s.update(b=1), cookie))
    # What was under way went on.
    assert {"b": 1} in site.holds()


def test_cancelled_in_trio(site: Site) -> None:
    async def visit(scope: trio.CancelScope) -> None:
        with scope:
            await site.visit(lambda s: s.update(b=1))

    async def run() -> None:
        site.store.hold("load")
        scope = trio.CancelScope()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(visit, scope)
            assert await trio.to_thread.run_sync(site.store.reached.wait, 300)
            scope.cancel()
            site.store.go.set()
        assert scope.cancelled_caught and site.store.under_way == 0

    trio.run(run)


def test_cancelled_while_threads_of_the_application_use_it(site: Site) -> None:
    kept: list[AsyncSession] = []
    begun, go = threading.Event(), threading.Event()

    def add(session: AsyncSession) -> None:
        session.add_int("n")
        begun.set()
        assert go.wait(300)
        with pytest.raises(ArgumentError, match="ended"):
            session.add_int("n")

    async def change(session: AsyncSession) -> None:
        kept.append(session)
        await asyncio.to_thread(add, session)

    async def run() -> None:
        visit = asyncio.ensure_future(site.visit(change))
        assert await asyncio.to_thread(begun.wait, 300)
        visit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visit
        go.set()

    asyncio.run(run())
    with pytest.raises(ArgumentError, match="ended"):
        kept[0].add_int("n")


@pytest.mark.parametrize("problem", [LookupError, KeyboardInterrupt, SystemExit])
def test_an_exception_while_another_task_saves_it(site: Site, problem: type[BaseException]) -> None:
    async def change(session: AsyncSession) -> None:
        session["b"] = 1
        site.store.hold("replace")
        change.task = asyncio.ensure_future(session.commit())  # type: ignore[attr-defined]
        assert await asyncio.to_thread(site.store.reached.wait, 300)
        raise problem

    async def run() -> None:
        with pytest.raises(problem):
            await site.visit(change)
        assert site.store.under_way == 1
        site.store.go.set()
        await change.task  # type: ignore[attr-defined]

    asyncio.run(run())
    assert {"b": 1} in site.holds()


def test_a_client_that_is_gone(site: Site) -> None:
    async def run() -> None:
        with pytest.raises(OSError, match="gone"):
            await site.visit(lambda s: s.update(b=1), hangs_up=True)

    asyncio.run(run())
    assert {"b": 1} in site.holds()


def test_many_at_once_that_are_cancelled_at_any_time(site: Site) -> None:
    async def one(number: int) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(site.visit(lambda s: s.add_int("n"), number % 3 != 0), 0.01 * (number % 40))

    async def run() -> None:
        site.store.seconds = 0.1
        await asyncio.gather(*(one(number) for number in range(120)))

    asyncio.run(run())
    assert site.store.under_way == 0 and site.holds()
    # Of these several are under way at once.
    site.freed[:] = [0]


def test_the_interpreter_may_end_meanwhile(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
import asyncio, sys, threading
from dictionary_store import Dictionary
from tuile.asgi import SessionMiddleware

store = Dictionary()
store.hold("create")
async def application(scope, receive, send):
    scope["session"]["a"] = "x" * 100_000
    await send({"type": "http.response.start", "status": 200, "headers": []})

async def send(message): pass

loop = asyncio.new_event_loop()
visit = SessionMiddleware(application, store=store, secret="a secret of thirty-two octets, or more")(
    {"type": "http", "headers": []}, None, send)
visit = loop.create_task(visit)
assert loop.run_until_complete(loop.run_in_executor(None, store.reached.wait, 300))
visit.cancel()
try:
    loop.run_until_complete(visit)
except asyncio.CancelledError:
    assert store.under_way == 1
    print("left")
threading.Timer(0.3, store.go.set).start()
sys.exit(3)
"""
    )
    done = subprocess.run(
        [sys.executable, program], env={"PYTHONPATH": ":".join(sys.path), "TUILE_LIBRARY": native.lib._name},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, "left\n", "")
