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
        self.store = Dictionary(seconds=0.1)
        self.manager = Manager(store=self.store, secret="a secret of thirty-two octets, or more")
        #: What was under way in the store when a session of the library's was freed.
        self.freed: list[int] = []
        self.store.seconds = 0
        with self.manager.begin("") as session:
            session["a"] = LARGE
            self.cookie = dict(session.commit())["Set-Cookie"].partition(";")[0].encode()
        self.store.seconds = 0.1

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

    def quiet(self) -> None:
        """Waits for the threads that are in the store."""
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join(0.5)

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
    free = native.lib.tuile_session_end

    def freeing(handle: Any) -> None:
        site.freed.append(site.store.under_way)
        free(handle)

    monkeypatch.setattr(native.lib, "tuile_session_end", freeing)
    yield site
    # One visitor at a time: nothing was under way when its session was freed.
    assert site.freed and not any(site.freed)
    site.manager.close()
    assert site.store.closed == 1


def test_cancelled_while_the_session_is_read(site: Site) -> None:
    async def run() -> None:
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(site.visit(lambda s: None), 0.05)
            assert site.store.under_way == 1
            await asyncio.sleep(0.2)
            assert site.store.under_way == 0

    asyncio.run(run())
    assert site.store.takes().count("load") == 3


@pytest.mark.parametrize("cookie", [True, False])
def test_cancelled_while_it_is_saved(site: Site, cookie: bool) -> None:
    async def run() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(site.visit(lambda s: s.update(b=1), cookie), 0.15 if cookie else 0.05)

    asyncio.run(run())
    # What was under way went on.
    assert {"b": 1} in site.holds()


def test_cancelled_in_trio(site: Site) -> None:
    async def run() -> None:
        with trio.move_on_after(0.05) as scope:
            await site.visit(lambda s: s.update(b=1))
        assert scope.cancelled_caught and site.store.under_way == 0

    trio.run(run)


def test_cancelled_while_threads_of_the_application_use_it(site: Site) -> None:
    kept: list[AsyncSession] = []

    async def change(session: AsyncSession) -> None:
        kept.append(session)
        await asyncio.to_thread(lambda: [session.add_int("n") for _ in range(20)])
        await asyncio.sleep(10)

    async def run() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(site.visit(change), 0.3)

    asyncio.run(run())
    with pytest.raises(ArgumentError, match="ended"):
        kept[0].add_int("n")


@pytest.mark.parametrize("problem", [LookupError, KeyboardInterrupt, SystemExit])
def test_an_exception_while_another_task_saves_it(site: Site, problem: type[BaseException]) -> None:
    async def change(session: AsyncSession) -> None:
        session["b"] = 1
        change.task = asyncio.ensure_future(session.commit())  # type: ignore[attr-defined]
        await asyncio.sleep(0.02)
        raise problem

    async def run() -> None:
        with pytest.raises(problem):
            await site.visit(change)
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
        await asyncio.gather(*(one(number) for number in range(120)))

    asyncio.run(run())
    assert site.store.under_way == 0 and site.holds()
    # Of these several are under way at once.
    site.freed[:] = [0]


def test_the_interpreter_may_end_meanwhile(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
import asyncio, sys
from dictionary_store import Dictionary
from tuile.asgi import SessionMiddleware

store = Dictionary(seconds=0.3)
async def application(scope, receive, send):
    scope["session"]["a"] = "x" * 100_000
    await send({"type": "http.response.start", "status": 200, "headers": []})

async def send(message): pass

loop = asyncio.new_event_loop()
visit = SessionMiddleware(application, store=store, secret="a secret of thirty-two octets, or more")(
    {"type": "http", "headers": []}, None, send)
try:
    loop.run_until_complete(asyncio.wait_for(visit, 0.05))
except asyncio.TimeoutError:
    assert store.under_way == 1
    print("left")
sys.exit(3)
"""
    )
    done = subprocess.run(
        [sys.executable, program], env={"PYTHONPATH": ":".join(sys.path), "TUILE_LIBRARY": native.lib._name},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, "left\n", "")
