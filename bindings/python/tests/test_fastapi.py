"""FastAPI: endpoints in the loop and in threads, background tasks, and what Starlette's session has."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dictionary_store import Dictionary
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from starlette.middleware import sessions as starlettes
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from tuile import asgi, errors
from tuile.asgi import AsyncSession
from tuile.sessions import Manager

SECRET = "a secret of thirty-two octets, or more"
Change = Callable[[Any], Any]


class Site:
    def __init__(self, manager: Any = None, **settings: Any) -> None:
        self.app = FastAPI()
        self.changes: list[Change] = []
        if manager is None:
            self.app.add_middleware(starlettes.SessionMiddleware, secret_key=SECRET)
        else:
            self.app.add_middleware(asgi.SessionMiddleware, manager=manager, **settings)  # type: ignore[arg-type]

        @self.app.get("/loop/{number}")
        async def loop(number: int, request: Request) -> Any:
            result = self.changes[number](request.session)
            return str(await result if asyncio.iscoroutine(result) else result)

        @self.app.get("/thread/{number}")
        def thread(number: int, request: Request) -> Any:
            return str(self.changes[number](request.session))

        def depended(number: int, request: Request) -> Any:
            return str(self.changes[number](request.session))

        @self.app.get("/depends/{number}")
        async def depends(value: str = Depends(depended)) -> str:
            return value

        @self.app.get("/background/{number}")
        async def background(number: int, request: Request, tasks: BackgroundTasks) -> None:
            tasks.add_task(self.changes[number], request.session)

        self.client = TestClient(self.app)

    def visit(self, change: Change, path: str = "loop") -> Any:
        self.changes.append(change)
        response = self.client.get(f"/{path}/{len(self.changes) - 1}")
        return response.json()


@pytest.fixture
def site(manager: Manager) -> Site:
    return Site(manager)


@pytest.mark.parametrize("path", ["loop", "thread", "depends", "background"])
def test_wherever_it_is_changed_it_is_saved(site: Site, path: str) -> None:
    site.visit(lambda s: s.update(a=1))
    site.visit(lambda s: (s.add_int("n", 2), s.append("list", 3)), path)
    assert site.visit(lambda s: s) == str({"a": 1, "n": 2, "list": [3]})


def test_threads_at_once_in_one_session(site: Site) -> None:
    def change(session: AsyncSession) -> None:
        def work(name: str) -> None:
            for number in range(100):
                session.add_int("n")
                session[f"{name} {number % 7}"] = number

        threads = [threading.Thread(target=work, args=[f"thread {number}"]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    site.visit(change, "thread")
    assert site.visit(lambda s: (s["n"], len(s))) == str((400, 29))


def test_whose_session_it_is(manager: Manager) -> None:
    site = Site(manager)

    def log_in(session: AsyncSession) -> None:
        session.owner = "ada"
        session.set_client("a browser", "::1")
        session["user"] = "ada"

    site.visit(log_in)
    assert site.visit(lambda s: s.owner) == "ada"
    (listed,) = manager.sessions("ada")
    assert (listed.user_agent, listed.address) == ("a browser", "::1")
    assert manager.revoke_all("ada") == 1 and site.visit(lambda s: s) == "{}"
    site.visit(log_in)
    site.visit(lambda s: setattr(s, "owner", None))
    assert manager.sessions("ada") == []


def test_its_copies_are_dictionaries(site: Site) -> None:
    def change(session: AsyncSession) -> None:
        session["list"] = [1]
        copies = session.copy(), copy.copy(session), copy.deepcopy(session), pickle.loads(pickle.dumps(session))
        assert [type(one) for one in copies] == [dict] * 4 and all(one == session for one in copies)
        copies[2]["list"].append(2)
        assert json.dumps(session) == json.dumps(copies[3])

    site.visit(change)
    assert site.visit(lambda s: s) == str({"list": [1]})


@pytest.mark.parametrize(
    "change",
    [
        lambda s: None,
        lambda s: s.get("a"),
        lambda s: s.update({}),
        lambda s: s.update(a=1),
        lambda s: s.update(a=2),
        lambda s: s.__setitem__("a", 1),
        lambda s: s.setdefault("a", 2),
        lambda s: s.pop("b", None),
        lambda s: s.pop("none", None),
        lambda s: s and s.popitem(),
        lambda s: s.clear(),
        lambda s: s.setdefault("c", [1]),
        lambda s: s.__ior__({"c": 1}),
        lambda s: s | {"c": 1},
        lambda s: s.mark_modified(),
        lambda s: (s.__setitem__("a", 2), s.modified),
        lambda s: (s.modified, s.accessed),
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_beside_starlettes_own(manager: Manager, change: Change, begun: bool) -> None:
    seen: list[Any] = []
    for site in (Site(), Site(manager)):
        if begun:
            site.visit(lambda s: s.update(a=1, b=2))
        site.changes.append(change)
        response = site.client.get(f"/loop/{len(site.changes) - 1}")
        cookie = response.headers.get("set-cookie")
        kind = "left" if cookie is None else "deleted" if "1970" in cookie else "set"
        answer = response.text if response.status_code == 200 else response.status_code
        seen.append((answer, kind, response.headers.get("vary"), site.visit(lambda s: s)))
    assert seen[0] == seen[1]


def test_what_is_not_read_before_is_read_when_it_is_asked_for() -> None:
    store = Dictionary()
    with Manager(store=store, secret=SECRET) as manager:
        site = Site(manager, preload=lambda scope: scope["path"].startswith("/loop"))
        site.visit(lambda s: s.update(a=1))
        store.takes()
        site.app.add_route("/plain", lambda request: PlainTextResponse("none"), ["GET"])
        assert site.client.get("/plain").text == "none" and store.takes() == []
        assert site.visit(lambda s: s["a"], "thread") == "1" and store.takes() == ["load"]
        store.away = True
        assert site.client.get("/plain").text == "none" and store.takes() == []
        with pytest.raises(errors.StoreError):
            site.visit(lambda s: s["a"], "thread")
        store.away = False

        async def load(session: AsyncSession) -> Any:
            await session.load()
            return session["a"]

        assert Site(manager, preload=False).visit(lambda s: dict(s)) == "{}"
        site = Site(manager, preload=False)
        site.visit(lambda s: s.update(a=2))
        store.threads.clear()
        assert site.visit(load) == "2"
