"""The ASGI middleware: a dictionary for the application, the store in a thread."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any, Optional

import pytest
from test_stores import Away
from tuile import errors
from tuile.asgi import AsyncSession, SessionMiddleware
from tuile.sessions import Manager


async def visit(middleware: Any, cookie: str = "", kind: str = "http") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await middleware({"type": kind, "headers": [(b"cookie", cookie.encode())]}, None, send)
    return sent


def cookie_of(sent: list[dict[str, Any]]) -> str:
    value: bytes = dict(sent[0]["headers"])[b"set-cookie"]
    return value.decode().partition(";")[0]


def application(change: Any, start: str = "http.response.start") -> Any:
    async def run(scope: Any, receive: Any, send: Any) -> None:
        result = change(scope["session"])
        if asyncio.iscoroutine(result):
            await result
        await send({"type": start, "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    return run


def test_owners_lists_take_the_session_of_an_event_loop() -> None:
    seen: list[Any] = []

    def log_in(session: AsyncSession) -> None:
        session.owner = "ada"
        session["user"] = "ada"

    def look(session: AsyncSession) -> None:
        seen.append([one.current for one in made.manager.sessions("ada", session)])
        seen.append(made.manager.revoke_all("ada", keep=session))

    made = SessionMiddleware(application(log_in), store="memory:")
    for _ in range(2):
        cookie = cookie_of(asyncio.run(visit(made)))
    made.app = application(look)
    asyncio.run(visit(made, cookie))
    assert sorted(seen[0]) == [False, True] and seen[1] == 1


def test_what_was_changed_is_saved_in_place_included(manager: Manager) -> None:
    def change(session: AsyncSession) -> None:
        session.setdefault("list", []).append(session.add_int("count"))
        session.append("log", {"n": len(session)})

    middleware = SessionMiddleware(application(change), manager)
    cookie = cookie_of(asyncio.run(visit(middleware)))
    asyncio.run(visit(middleware, cookie))
    with manager.begin(cookie) as session:
        assert dict(session) == {"list": [1, 2], "count": 2, "log": [{"n": 2}, {"n": 3}]}


def test_it_is_a_dictionary(manager: Manager) -> None:
    def change(session: AsyncSession) -> None:
        session |= {"a": 1}
        assert isinstance(session, dict) and json.dumps(session) == '{"a": 1}' and session | {"b": 2} == {"a": 1, "b": 2}
        assert session.pop("a") == 1 and not session and session == {}

    sent = asyncio.run(visit(SessionMiddleware(application(change), manager)))
    assert dict(sent[0]["headers"]) == {b"vary": b"Cookie"}


def test_requests_at_once_all_count(manager: Manager) -> None:
    async def change(session: AsyncSession) -> None:
        session.add_int("count")
        await asyncio.sleep(0)

    middleware = SessionMiddleware(application(change), manager)

    async def many() -> str:
        cookie = cookie_of(await visit(middleware))
        await asyncio.gather(*(visit(middleware, cookie) for _ in range(50)))
        return cookie

    with manager.begin(asyncio.run(many())) as session:
        assert session["count"] == 51


@pytest.mark.parametrize("end", ["flush", "clear"])
def test_an_emptied_session_has_ended(manager: Manager, end: str) -> None:
    cookie = cookie_of(asyncio.run(visit(SessionMiddleware(application(lambda s: s.update(a=1)), manager))))
    sent = asyncio.run(visit(SessionMiddleware(application(lambda s: getattr(s, end)()), manager), cookie))
    assert b"Max-Age=0" in dict(sent[0]["headers"])[b"set-cookie"]
    with manager.begin(cookie) as session:
        assert not session.load()


def test_a_login_after_a_logout_is_a_new_session(manager: Manager) -> None:
    def again(session: AsyncSession) -> None:
        session.flush()
        session["user"] = 2
        assert session.session_key is None

    cookie = cookie_of(asyncio.run(visit(SessionMiddleware(application(lambda s: s.update(a=1)), manager))))
    newer = cookie_of(asyncio.run(visit(SessionMiddleware(application(again), manager), cookie)))
    assert newer != cookie
    with manager.begin(newer) as session:
        assert dict(session) == {"user": 2}


class Slow(Away):
    """Waits until the loop has gone on, and notes in which threads."""

    def __init__(self, path: Path) -> None:
        self.threads: set[Optional[int]] = set()
        self.inside, self.gone_on = threading.Event(), threading.Event()
        super().__init__(path)

    def _wait(self) -> None:
        self.threads.add(threading.get_ident())
        self.inside.set()
        assert self.gone_on.wait(60)
        self.gone_on.clear()

    def load(self, key: str, now: int) -> Any:
        self._wait()
        return super().load(key, now)

    def create(self, key: str, data: bytes, expires: int) -> bool:
        self._wait()
        return super().create(key, data, expires)

    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Any:
        self._wait()
        return super().replace(key, expected, data, expires)


def test_the_event_loop_is_never_blocked(tmp_path: Path) -> None:
    store = Slow(tmp_path / "sessions.db")
    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager:
        middleware = SessionMiddleware(application(lambda s: s.add_int("count")), manager)

        async def meanwhile(cookie: str = "") -> tuple[list[dict[str, Any]], int]:
            times, work = 0, asyncio.ensure_future(visit(middleware, cookie))
            while not work.done():
                if store.inside.is_set():
                    store.inside.clear()
                    store.gone_on.set()
                    times += 1
                await asyncio.sleep(0.001)
            return await work, times

        async def run() -> None:
            sent, times = await meanwhile()
            assert times == 1
            assert (await meanwhile(cookie_of(sent)))[1] == 2

        asyncio.run(run())
        assert store.threads and threading.get_ident() not in store.threads


@pytest.mark.parametrize("store", ["memory:", "sqlite:"])
@pytest.mark.parametrize("how", ["in place", "by name", "a new one, in place", "not at all"])
def test_what_is_changed_while_the_body_is_sent(tmp_path: Path, store: str, how: str) -> None:
    async def run(scope: Any, receive: Any, send: Any) -> None:
        session = scope["session"]
        held = session["list"]
        if how.startswith("a new one"):
            held = session["other"] = [1]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if how == "by name":
            session["list"] = [1, 2]
        elif how != "not at all":
            held.append(2)
        await send({"type": "http.response.body", "body": b"x"})

    url = f"sqlite://{tmp_path / 's.db'}" if store == "sqlite:" else store
    with Manager(store=url, secret="a secret that has its thirty-two bytes and more") as manager:
        cookie = cookie_of(asyncio.run(visit(SessionMiddleware(application(lambda s: s.update(list=[1])), manager))))
        asyncio.run(visit(SessionMiddleware(run, manager), cookie))
        with manager.begin(cookie) as session:
            assert session["other" if how.startswith("a new one") else "list"] == ([1] if how == "not at all" else [1, 2])


def test_an_outage_is_raised_to_those_who_ask_alone(tmp_path: Path) -> None:
    store = Away(tmp_path / "sessions.db")
    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager:
        cookie = cookie_of(asyncio.run(visit(SessionMiddleware(application(lambda s: s.update(a=1)), manager))))
        store.away = True
        sent = asyncio.run(visit(SessionMiddleware(application(lambda s: None), manager), cookie))
        assert sent[0]["status"] == 200 and sent[0]["headers"] == []
        with pytest.raises(errors.StoreError):
            asyncio.run(visit(SessionMiddleware(application(lambda s: s.get("a")), manager), cookie))
        store.away = False
        with manager.begin(cookie) as session:
            assert session["a"] == 1


def test_a_session_that_another_request_ended(manager: Manager) -> None:
    cookie = cookie_of(asyncio.run(visit(SessionMiddleware(application(lambda s: s.update(a=1)), manager))))

    def log_out_elsewhere(session: AsyncSession) -> None:
        session["a"] = 2
        with manager.begin(cookie) as other:
            other.flush()

    sent = asyncio.run(visit(SessionMiddleware(application(log_out_elsewhere), manager), cookie))
    assert [message.get("status") for message in sent] == [400, None]
    cookie = cookie_of(asyncio.run(visit(SessionMiddleware(application(lambda s: s.update(a=1)), manager))))
    socket = SessionMiddleware(application(log_out_elsewhere, "websocket.accept"), manager)
    assert asyncio.run(visit(socket, cookie, "websocket"))[0] == {"type": "websocket.close", "code": 1008}
