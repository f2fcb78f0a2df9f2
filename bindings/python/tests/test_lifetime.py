"""Nothing is freed while it is used, whoever closes it and when; nothing is copied by accident."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from custom_store import Table
from test_sessions import saved
from tuile import _flat as flat
from tuile import _native as native
from tuile import asgi, errors
from tuile.cookies import Jar
from tuile.errors import ArgumentError, StoreError
from tuile.sessions import Manager
from tuile.signing import Keyring, Signer, TimestampSigner, Tokens
from tuile.state import hidden_field
from tuile.stores import Bridge

SECRET = "0123456789abcdef0123456789abcdef"


class Slow(Table):
    """Says when a call is in it, and stays there until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.inside, self.go_on, self.closed = threading.Event(), threading.Event(), 0
        self.go_on.set()

    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        self.inside.set()
        assert self.go_on.wait(30)
        return super().load(key, now)

    def hold(self) -> None:
        self.inside.clear()
        self.go_on.clear()

    def close(self) -> None:
        self.closed += 1


class Ended:
    """What was freed, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        for name in ("tuile_manager_close", "tuile_store_close", "tuile_signer_free", "tuile_jar_free"):
            monkeypatch.setattr(native.lib, name, self.noting(name, getattr(native.lib, name)))
        for calls in ("waiting", "instant"):
            ends = self.noting("tuile_session_end", getattr(flat, calls).end)
            monkeypatch.setattr(flat, calls, getattr(flat, calls)._replace(end=ends))

    def noting(self, name: str, free: Callable[[int], None]) -> Callable[[int], None]:
        def call(handle: int) -> None:
            self.names.append(name)
            free(handle)

        return call


def owners(folder: Path) -> list[Any]:
    """One of each class that owns a handle, and what holds them."""
    manager = Manager(store="memory:", secret=SECRET)
    tokens = Tokens("flask", key=SECRET)
    jar = Jar(public_suffix=lambda domain: False)
    kept = [manager, manager.begin(""), Signer(key=SECRET), TimestampSigner(key=SECRET), tokens, Keyring(SECRET), jar]
    return [*kept, Table(folder / "s.db")]


def test_what_owns_a_handle_is_not_copied_or_pickled(tmp_path: Path) -> None:
    made = owners(tmp_path)
    for one in made:
        for way in (copy.copy, copy.deepcopy, pickle.dumps, lambda one: copy.deepcopy({"held": [one]}), lambda one: pickle.dumps(one, 0)):
            with pytest.raises(TypeError, match="can't be copied or pickled: ...") as caught:
                way(one)
            assert type(one).__name__ in str(caught.value) and SECRET not in str(caught.value)
    session = made[1]
    session["mine"] = 1
    assert dict(session) == {"mine": 1} and "mine" not in made[0].begin("")


def test_a_session_that_is_closed_ends_after_the_call_of_another_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, store = Ended(monkeypatch), Slow(tmp_path / "s.db")
    manager = Manager(store=store, secret=SECRET)
    cookie = saved(manager, text="x" * 500_000)
    del ended.names[:]
    session, found = manager.begin(cookie), list[Any]()

    def work() -> None:
        try:
            found.append(len(session["text"]))
            session["more"] = 1
        except ArgumentError as problem:
            found.append(str(problem))

    store.hold()
    thread = threading.Thread(target=work)
    thread.start()
    assert store.inside.wait(30)
    # Neither waits, and the other thread has what it is at.
    session.close()
    manager.close()
    assert ended.names == [] and store.closed == 0
    with pytest.raises(ArgumentError):
        manager.begin("")
    store.go_on.set()
    thread.join(30)
    assert found == [500_000, "the session has ended"]
    assert ended.names == ["tuile_session_end", "tuile_manager_close", "tuile_store_close"] and store.closed == 1


def test_a_manager_that_is_closed_ends_after_the_call_of_another_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, store = Ended(monkeypatch), Slow(tmp_path / "s.db")
    manager, answers = Manager(store=store, secret=SECRET), list[object]()
    store.hold()
    thread = threading.Thread(target=lambda: answers.append(manager.check()))
    thread.start()
    assert store.inside.wait(30)
    manager.close()
    assert ended.names == []
    store.go_on.set()
    thread.join(30)
    assert answers == [None] and ended.names == ["tuile_manager_close", "tuile_store_close"]
    for call in (manager.check, manager.metrics, manager.stats, manager.clear_expired, lambda: manager.sessions("a")):
        with pytest.raises(ArgumentError, match="the manager is closed"):
            call()


def test_a_jar_that_is_closed_by_its_own_callback_ends_after_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Ended(monkeypatch)

    def public_suffix(domain: str) -> bool:
        jar.close()
        assert ended.names == []
        return False

    jar = Jar(public_suffix=public_suffix)
    jar.receive("https://a.example/", "id=1; Domain=a.example")
    assert ended.names == ["tuile_jar_free"]
    with pytest.raises(ValueError, match="closed"):
        jar.header("https://a.example/")


def test_a_signer_that_is_closed_says_so() -> None:
    signer, tokens = Signer(key=SECRET), Tokens("flask", key=SECRET)
    signer.close()
    signer.close()
    tokens.close()
    for call in (
        lambda: signer.sign("a"), lambda: signer.unsign("a:b"), lambda: signer.dumps(1), lambda: signer.loads("a:b"),
        lambda: tokens.open("a"), lambda: tokens.open_json("a"), lambda: hidden_field(signer, "a", "b", form="c"),
    ):  # fmt: skip
        with pytest.raises(ArgumentError, match="the signer is closed"):
            call()


def test_a_request_that_is_cancelled_ends_its_session_after_the_store_has_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, store = Ended(monkeypatch), Slow(tmp_path / "s.db")
    manager = Manager(store=store, secret=SECRET)
    cookie = saved(manager, text="x" * 500_000)
    del ended.names[:]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the store had not answered")

    async def run() -> None:
        app = asgi.SessionMiddleware(application, manager)
        scope = {"type": "http", "headers": [(b"cookie", cookie.encode())]}
        task = asyncio.ensure_future(app(scope, None, None))  # type: ignore[arg-type]
        assert await asyncio.to_thread(store.inside.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.names == []
        store.go_on.set()

    store.hold()
    asyncio.run(run())
    assert ended.names == ["tuile_session_end"]


def test_threads_that_end_sessions_while_their_manager_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(30):
        ended = Ended(monkeypatch)
        manager = Manager(store=f"sqlite://{tmp_path / 's.db'}", secret=SECRET)
        barrier, begun = threading.Barrier(5), list[int]()

        def work() -> None:
            barrier.wait()
            try:
                while True:
                    with manager.begin("") as session:
                        begun.append(session.add_int("n"))
            except ArgumentError:
                pass

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        barrier.wait()
        manager.close()
        for thread in threads:
            thread.join()
        assert ended.names.count("tuile_session_end") >= len(begun)
        assert ended.names.count("tuile_manager_close") == 1 and ended.names[-1] == "tuile_manager_close"
        monkeypatch.undo()


@pytest.mark.parametrize("store", ["memory:", "sqlite", "cookie:", "python"])
def test_two_threads_in_one_session_lose_nothing(store: Any, tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 's.db'}" if store == "sqlite" else Table(tmp_path / "s.db") if store == "python" else store
    with Manager(store=url, secret=SECRET) as manager, manager.begin("") as session:
        session["list"] = []
        barrier, problems = threading.Barrier(4), list[BaseException]()

        def work(number: int) -> None:
            try:
                barrier.wait()
                for i in range(200):
                    session.add_int("n")
                    session.append("all", [number, i])
                    session[f"own {number}"] = {"i": i}
                    assert session[f"own {number}"] == {"i": i} and session.get("n", 0) > 0
                    assert session.setdefault(f"first {i}", number) in range(4)
                    assert next(iter(session.items())) == ("list", []) and list(session.values())[0] == []
                    if i % 50 == number:
                        session.commit()
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        cookie = dict(session.commit())["Set-Cookie"].partition(";")[0] if store != "cookie:" else ""
        with manager.begin(cookie) as again:
            found = dict(session if store == "cookie:" else again)
    assert found["n"] == 800 and sorted(found["all"]) == [[number, i] for number in range(4) for i in range(200)]


def test_a_store_can_not_use_the_session_that_asks_it(tmp_path: Path) -> None:
    class Nosy(Table):
        session: Any = None

        def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
            if self.session is not None:
                self.session["from"] = "inside"
            return super().load(key, now)

    store = Nosy(tmp_path / "s.db")
    with Manager(store=store, secret=SECRET) as manager:
        store.session = session = manager.begin(saved(manager, a=1))
        with pytest.raises(StoreError, match="ArgumentError") as caught:
            session.load()
        assert "in the middle of a call" in str(caught.value.__cause__)
        session.close()


@pytest.mark.parametrize("problem", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_exception_comes_out_of_a_store_as_itself(problem: type[BaseException], tmp_path: Path) -> None:
    class Stopped(Table):
        where = ""

        def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
            return self.stop("load") or super().load(key, now)

        def create(self, key: str, data: bytes, expires: int) -> bool:
            return self.stop("create") or super().create(key, data, expires)

        def remove(self, key: str) -> None:
            self.stop("remove")

        def disown(self, owner: str, key: str) -> None:
            self.stop("disown")

        def stop(self, where: str) -> None:
            if where == self.where:
                raise problem("now")

    store = Stopped(tmp_path / "s.db")
    with Manager(store=store, secret=SECRET) as manager:
        cookie = saved(manager, a=1)
        for where, call in (
            ("load", lambda session: session.load()), ("remove", lambda session: session.flush()),
        ):  # fmt: skip
            store.where = where
            with manager.begin(cookie) as session, pytest.raises(problem, match="now"):
                call(session)
        store.where = "create"
        with manager.begin("") as session:
            session["a"] = 1
            with pytest.raises(problem):
                session.commit()
            # Nor is it the cause of what follows, or comes out twice.
            store.where = ""
            assert session.commit()
        # Even where the library takes no notice of the failure: an entry that points nowhere.
        with manager.begin("") as session:
            session.owner = "ada"
            session.commit()
            store.where = "disown"
            with pytest.raises(problem):
                session.flush()


def test_a_callback_that_a_signal_cuts_short_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's handler may raise before the first step of the callback, where no except is yet."""
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def cut(*_: Any) -> int:
        raise KeyboardInterrupt

    for name in ("_load", "_create", "_replace", "_remove"):
        # Many times: what ctypes returns is whatever lay on the stack.
        for _ in range(5):
            store = Table(tmp_path / f"{name}.db")
            with Manager(store=store, secret=SECRET) as manager:
                cookie = saved(manager, a=1)
            with monkeypatch.context() as patch:
                patch.setattr(Bridge, name, cut)
                manager = Manager(store=store, secret=SECRET)
            with manager, manager.begin("" if name == "_create" else cookie) as session, pytest.raises(StoreError):
                if name in ("_create", "_replace"):
                    session["a"] = 2
                elif name == "_remove":
                    session.flush()
                else:
                    session.load()
                session.commit()
            with Manager(store=store, secret=SECRET) as manager, manager.begin(cookie) as session:
                # A logout that failed at its last step has ended the session all the same.
                assert name == "_remove" or session["a"] == 1
    assert {type(problem.exc_value) for problem in told} == {KeyboardInterrupt}


def test_a_write_that_a_store_says_was_not_made_is_no_unknown_one(tmp_path: Path) -> None:
    class Telling(Table):
        problem: Optional[Exception] = None

        def create(self, key: str, data: bytes, expires: int) -> bool:
            if self.problem is not None:
                raise self.problem
            return super().create(key, data, expires)

    store = Telling(tmp_path / "s.db")
    with Manager(store=store, secret=SECRET) as manager, manager.begin("") as session:
        session["a"] = 1
        for problem in (errors.BusyError("later"), errors.LimitError("full"), errors.CorruptStoreError("torn"), MemoryError()):
            store.problem = problem
            with pytest.raises(type(problem)) as caught:
                session.commit()
            assert caught.value.__cause__ is problem or isinstance(problem, MemoryError)
        store.problem = None
        assert session.commit()


def test_what_the_close_of_a_store_raises_comes_out_of_the_managers(tmp_path: Path) -> None:
    class Broken(Table):
        def close(self) -> None:
            raise OSError("the disk is gone")

    manager = Manager(store=Broken(tmp_path / "s.db"), secret=SECRET)
    with pytest.raises(OSError, match="the disk is gone"):
        manager.close()
    manager.close()


ENDINGS = {
    "a manager that lives to the end": "",
    "with a session": "session = manager.begin(''); session.load()",
    "in a cycle": "manager.itself = manager; session = manager.begin(''); manager.session = session; session.itself = session; del manager, session",
    "in another module": "import sys, types; sys.modules['other'] = other = types.ModuleType('other'); other.manager = manager; del manager, other",
    "a daemon thread at work": "threading.Thread(target=work, daemon=True).start(); time.sleep(0.2)",
    "a daemon thread in the store": "store.sleeping = True; threading.Thread(target=work, daemon=True).start(); store.inside.wait()",
    "threads that end with it": "[threading.Thread(target=work, args=(30,)).start() for _ in range(4)]",
    "an exit in a thread's request": "threading.Thread(target=work, args=(50,)).start(); sys.exit(0)",
    "with atexit": "import atexit; atexit.register(lambda: work(3))",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_end_of_the_interpreter(name: str, tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import logging, os, sys, threading, time
        from pathlib import Path
        from custom_store import Table
        from tuile.cookies import Jar
        from tuile.sessions import Manager
        from tuile.signing import Signer

        class Store(Table):
            sleeping, inside = False, threading.Event()
            def load(self, key, now):
                self.inside.set()
                if self.sleeping:
                    time.sleep(0.3)
                return super().load(key, now)
            def close(self):
                # All of it has to be there still.
                os.write(1, b"closed\\n")
                logging.getLogger(__name__).debug("closed")
                open(os.devnull).close()

        store = Store(Path(sys.argv[1]))
        manager, signer, jar = Manager(store=store, secret="s" * 32), Signer(key="s"), Jar(public_suffix=lambda domain: False)

        def work(times=10**9):
            cookie = ""
            for _ in range(times):
                with manager.begin(cookie) as session:
                    session.add_int("n")
                    cookie = dict(session.commit())["Set-Cookie"].split(";")[0]
                    signer.sign("x")
    """)
    arguments = [sys.executable, "-c", program + ENDINGS[name], str(tmp_path / "s.db")]
    environment = {"PYTHONPATH": ":".join(sys.path), "TUILE_LIBRARY": native.lib._name}
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    # A thread that Python stops in the middle of a call never lets go.
    assert result.stdout == "closed\n" or (result.stdout == "" and "daemon" in name)
