"""Sessions of an event loop whose store waits: no thread of the loop's, nobody else held up, and an end whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import select
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from tuile.asgi import AsyncSession, SessionMiddleware
from tuile.errors import ArgumentError, CommitUnknown, RangeError, StoreError
from tuile.loop_queue import LoopQueue
from tuile.sessions import Manager

Change = Callable[[AsyncSession], Any]


def nothing(session: AsyncSession) -> None:
    """A page that asks nothing of its session."""


def count(session: AsyncSession) -> None:
    session.add_int("n")


async def application(scope: Any, receive: Any, send: Any) -> None:
    answer = scope["change"](scope["session"])
    if inspect.isawaitable(answer):
        await answer
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Site:
    def __init__(self, folder: Path, deadline: float = 3600, mode: str = "rwc") -> None:
        self.file = folder / "sessions.db"
        store = f"sqlite://{self.file}?busy=600000&mode={mode}"
        self.manager = Manager(store=store, secret="a secret of thirty-two octets, or more")
        self.app = SessionMiddleware(application, self.manager, deadline=deadline)
        with self.manager.begin("") as session:
            session["n"] = 0
            self.cookie = dict(session.commit())["Set-Cookie"].partition(";")[0].encode()

    async def visit(self, change: Change = count, cookie: Optional[bytes] = None) -> list[bytes]:
        """The names of the response's headers."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"cookie", self.cookie if cookie is None else cookie)]
        await self.app({"type": "http", "headers": headers, "change": change}, None, send)
        assert sent[0]["status"] == 200
        return [name for name, _ in sent[0]["headers"]]

    @property
    def queue(self) -> LoopQueue:
        queue = self.app._queues[asyncio.get_running_loop()]
        assert queue is not None
        return queue

    async def saving(self, change: Change = count) -> asyncio.Task[list[bytes]]:
        """A visit whose save is under way."""
        ran = asyncio.Event()

        def then(session: AsyncSession) -> Any:
            ran.set()
            return change(session)

        visit = asyncio.ensure_future(self.visit(then))
        await ran.wait()
        while not self.queue._under_way:
            await asyncio.sleep(0)
        return visit

    def stored(self) -> Any:
        with self.manager.begin(self.cookie) as session:
            return session.get("n")

    @contextlib.contextmanager
    def locked(self) -> Iterator[sqlite3.Connection]:
        """Another program writes into the database: reads go on, writes wait."""
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield other


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.manager.close()


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a thread of the loop's")

    monkeypatch.setattr(asyncio, "to_thread", refuse)


def test_requests_need_no_thread(site: Site) -> None:
    async def visits() -> None:
        for _ in range(5):
            assert await site.visit() == [b"set-cookie", b"cache-control", b"vary"]
        assert await site.visit(lambda session: session.get("n")) == [b"vary"]
        assert await site.visit(nothing) == []
        assert await site.visit(cookie=b"") == [b"set-cookie", b"cache-control", b"vary"]

    asyncio.run(visits())
    assert site.stored() == 5


def test_many_at_once_lose_nothing(site: Site) -> None:
    async def visits() -> None:
        await asyncio.gather(*(site.visit() for _ in range(200)))

    asyncio.run(visits())
    assert site.stored() == 200


def test_who_waits_for_the_store_holds_nobody_up(site: Site) -> None:
    async def visits() -> None:
        with site.locked():
            waiting = await site.saving()
            for _ in range(100):
                assert await site.visit(nothing, b"") == []
                assert await site.visit(lambda session: session["n"]) == [b"vary"]
            assert not waiting.done()
        assert await waiting == [b"set-cookie", b"cache-control", b"vary"]

    asyncio.run(visits())
    assert site.stored() == 1


def test_a_save_that_gets_no_answer_ends_at_its_deadline(tmp_path: Path) -> None:
    # Long enough for what is not held up, on a busy machine, too.
    site = Site(tmp_path, deadline=1)

    async def visits() -> None:
        with site.locked():
            with pytest.raises(CommitUnknown):
                await site.visit()
            # And a response that loses nothing goes out.
            assert await site.visit(lambda session: session["n"]) == [b"vary"]

    asyncio.run(visits())
    site.manager.close()


def test_a_store_that_is_not_read_in_time_is_told_at_the_first_use(tmp_path: Path) -> None:
    Site(tmp_path).manager.close()
    # Where there is no log of writes readers wait, too.
    with contextlib.closing(sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    site = Site(tmp_path, deadline=0.05, mode="rw")
    told = []

    def use(session: AsyncSession) -> None:
        try:
            session.get("n")
        except StoreError as problem:
            told.append(problem)

    async def visits() -> None:
        with contextlib.closing(sqlite3.connect(site.file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert await site.visit(nothing) == []
            assert await site.visit(use) == [b"vary"]

    asyncio.run(visits())
    assert len(told) == 1 and "deadline" in str(told[0])
    site.manager.close()


def test_a_session_that_was_ended_meanwhile_is_told(site: Site) -> None:
    async def end(session: AsyncSession) -> None:
        session["n"] = 7
        with site.manager.begin(site.cookie) as other:
            other.flush()

    async def visits() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await site.app({"type": "http", "headers": [(b"cookie", site.cookie)], "change": end}, None, send)
        assert sent[0]["status"] == 400

    asyncio.run(visits())
    with pytest.raises(KeyError), site.manager.begin(site.cookie) as session:
        session["n"]


def test_a_request_that_is_cancelled_still_saves_what_was_under_way(site: Site) -> None:
    async def visits() -> None:
        with site.locked():
            visit = await site.saving()
            visit.cancel()
            with pytest.raises(asyncio.CancelledError):
                await visit
            assert site.queue._under_way
        while site.queue._under_way:
            await asyncio.sleep(0)

    asyncio.run(visits())
    assert site.stored() == 1


def test_another_task_of_the_request_waits_for_the_save(site: Site) -> None:
    seen: list[AsyncSession] = []

    def change(session: AsyncSession) -> None:
        session.add_int("n", 5)
        seen.append(session)

    async def visits() -> None:
        with site.locked() as other:
            visit = await site.saving(change)
            threading.Timer(0, other.rollback).start()
            assert seen[0].add_int("n", 2) == 7
        # What came after the headers is saved behind the response.
        await visit

    asyncio.run(visits())
    assert site.stored() == 7


def test_a_thread_of_a_cancelled_request_waits_for_the_save(site: Site) -> None:
    seen: list[AsyncSession] = []

    def change(session: AsyncSession) -> None:
        session.add_int("n", 5)
        seen.append(session)

    def use() -> None:
        # It may have ended by then.
        with contextlib.suppress(ArgumentError):
            seen[0].add_int("n")

    async def visits() -> None:
        with site.locked() as other:
            visit = await site.saving(change)
            # Another request waits, too, and is told in the loop, whichever thread it is that hears of it.
            second = await site.saving()
            visit.cancel()
            thread = threading.Thread(target=use)
            thread.start()
            threading.Timer(0, other.rollback).start()
            assert await second == [b"set-cookie", b"cache-control", b"vary"]
            thread.join()
            with pytest.raises(asyncio.CancelledError):
                await visit

    asyncio.run(visits())
    assert site.stored() == 6


def test_a_thread_whose_save_ends_before_it_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # The loop may end it after the thread's last look at it.
    class Poll:
        def __init__(self) -> None:
            self._real = real()
            self.register = self._real.register

        def poll(self) -> Any:
            other.rollback()
            alone = real()
            alone.register(queue._descriptor, select.POLLIN)
            while queue._under_way or alone.poll(0):
                queue.run()
            return self._real.poll()

    real = select.poll
    monkeypatch.setattr(select, "poll", Poll)
    with site.locked() as other:

        async def visits() -> None:
            nonlocal queue
            visit = await site.saving()
            queue = site.queue
            (operation,) = queue._under_way.values()
            thread = threading.Thread(target=queue.wait, args=(operation,), daemon=True)
            thread.start()
            # Without this loop, which does not run meanwhile.
            thread.join(60)
            assert not thread.is_alive()
            await visit

        queue: Any = None
        asyncio.run(visits())
    assert site.stored() == 1


def test_a_loop_that_ends_in_the_middle_leaves_nothing(site: Site) -> None:
    operations = []
    # The end waits for the store, as it does for the loop's threads.
    with site.locked() as other:

        async def visits() -> None:
            await site.saving()
            operations.extend(site.queue._under_way.values())
            threading.Timer(0, other.rollback).start()

        asyncio.run(visits())
        gc.collect()
    assert not site.app._queues
    # A thread may not have come to it yet: what had begun was made before the queue went, and what had not was not.
    (operation,) = operations
    assert operation.then is None
    if operation.problem is None:
        assert site.stored() == 1
    else:
        assert "cancelled before it began" in str(operation.problem) and site.stored() == 0


def test_each_loop_has_its_own(site: Site) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        async def visits() -> None:
            for _ in range(20):
                await site.visit()

        try:
            asyncio.run(visits())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and site.stored() == 80


@pytest.mark.parametrize("deadline", [0, -1, 3601, float("nan"), float("inf")])
def test_a_deadline_that_can_not_be(site: Site, deadline: float) -> None:
    with pytest.raises(RangeError):
        SessionMiddleware(application, site.manager, deadline=deadline)


def test_a_deadline_is_a_number(site: Site) -> None:
    with pytest.raises(TypeError):
        SessionMiddleware(application, site.manager, deadline="5")  # type: ignore[arg-type]
