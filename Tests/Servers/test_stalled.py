"""nginx with one worker, while its store stands still: SQLite's file locked by another process, Redis stopped by SIGSTOP,
PostgreSQL's rows locked by another client."""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from configured import Site
from conftest import Start
from processes import BUILD, ROOT, Front
from test_binding import DIRECTIVES, OFFER, PAGE, log_in
from test_redis import Redis
from visitor import Response, Visitor

sys.path.append(str(ROOT / "Tests/Stores"))
import postgresql_server  # noqa: E402

ONE = "worker_processes 1; thread_pool single threads=1;"
USES = "tuile_require pages; tuile_count pages; tuile_login_url /in; try_files /none =204;"
LOCATIONS = f"""
  location = /patient {{ tuile_deadline 600s; {USES} }}
  location = /hasty {{ tuile_deadline 200ms; {USES} }}
  location = /holds {{ tuile_thread_pool single; tuile_deadline 600s; {USES} }}
  location = /behind {{ tuile_thread_pool single; tuile_deadline 200ms; {USES} }}
  location = /passed {{ tuile_deadline 200ms; tuile_unavailable pass; tuile_count pages; return 200 "-$tuile_session_pages-$tuile_status-"; }}
  location = /shown {{ tuile_early on; return 200 "$tuile_session_pages"; }}
"""


@dataclass
class Store:
    hold: Callable[[], None]
    release: Callable[[], None]
    stops_readers: bool


@pytest.fixture
def kind() -> str:
    return "nginx"


def sqlite(site: Site, database: Path) -> Iterator[Store]:
    lock = sqlite3.connect(database, isolation_level=None)
    site.store = f"sqlite://{database}?busy=600000"

    def release() -> None:
        if lock.in_transaction:
            lock.execute("ROLLBACK")

    yield Store(lambda: lock.execute("BEGIN EXCLUSIVE") and None, release, False)
    release()
    lock.close()


def redis(site: Site) -> Iterator[Store]:
    server = Redis(site)
    site.store = f"redis://127.0.0.1:{server.port}/0?timeout=600000"
    yield Store(lambda: server.process.send_signal(signal.SIGSTOP), lambda: server.process.send_signal(signal.SIGCONT), True)
    server.process.send_signal(signal.SIGCONT)
    server.stop()


def postgresql(site: Site) -> Iterator[Store]:
    with postgresql_server.running() as server:
        name = server.new_database()
        site.store = server.url(name, timeout="600000", wait="600000", mode="rwc")
        with server.connect(name) as lock:
            lock.autocommit = False

            def hold() -> None:
                assert lock.execute("SELECT * FROM django_session FOR UPDATE").fetchall()

            yield Store(hold, lock.rollback, False)


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def store(request: pytest.FixtureRequest, site: Site, database: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield from sqlite(site, database)
    elif request.param == "postgresql":
        if not (BUILD / "libtuile-postgresql.so").exists() or postgresql_server.binaries() is None:
            pytest.skip("there is no PostgreSQL")
        yield from postgresql(site)
    elif not (BUILD / "libtuile-redis.so").exists() or shutil.which("redis-server") is None:
        pytest.skip("there is no Redis")
    else:
        yield from redis(site)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


def begin(start: Start, site: Site) -> tuple[Front, Visitor]:
    """The server, and somebody with a session that has 1 page."""
    front = start(site, locations=LOCATIONS, main=ONE)
    visitor = Visitor(front.port)
    assert visitor.get("/count").body == "1\n"
    return front, visitor


def ask(threads: ThreadPoolExecutor, visitor: Visitor, path: str, count: int) -> list[Future[Response]]:
    return [threads.submit(Visitor(visitor.port).with_cookie(visitor.cookie).get, path) for _ in range(count)]


def check_strangers(port: int) -> None:
    for _ in range(100):
        assert Visitor(port).get("/patient", headers={"Sec-Fetch-Mode": "navigate"}).status == 302


def check_unavailable(waiting: list[Future[Response]]) -> None:
    for each in waiting:
        response = each.result()
        assert response.status == 503 and response.all("Set-Cookie") == []


def pages(visitor: Visitor) -> int:
    return int(visitor.get_served("/shown").body)


def test_others_are_served_and_who_waits_gets_503(start: Start, site: Site, store: Store, threads: ThreadPoolExecutor) -> None:
    front, visitor = begin(start, site)
    store.hold()
    patient = ask(threads, visitor, "/patient", 4)
    check_unavailable(ask(threads, visitor, "/hasty", 8))
    check_strangers(front.port)
    assert visitor.get("/passed").body == "--away-"
    assert not any(each.done() for each in patient)
    store.release()
    assert [each.result().status for each in patient] == [204] * 4
    # Of what was answered at its deadline nothing is counted but what had begun to write.
    assert pages(visitor) in ([5] if store.stops_readers else range(5, 15))
    assert "the store gave no answer by tuile_deadline" in front.messages()


def test_what_no_thread_has_begun_is_not_done(start: Start, site: Site, store: Store, threads: ThreadPoolExecutor) -> None:
    _, visitor = begin(start, site)
    store.hold()
    holds = ask(threads, visitor, "/holds", 1)
    # The only thread has that, or else one of these: the others are behind it.
    check_unavailable(ask(threads, visitor, "/behind", 8))
    store.release()
    assert holds[0].result().status == 204
    assert visitor.get_served("/behind").status == 204
    assert pages(visitor) in ([3] if store.stops_readers else [3, 4])


@pytest.fixture
def djangos(site: Site, database: Path) -> Iterator[Store]:
    yield from sqlite(site, database)


def test_a_browser_that_registers(start: Start, site: Site, djangos: Store) -> None:
    locations = "location = /device { tuile_deadline 200ms; } location = /stranger { return 204; }"
    front = start(site, http=DIRECTIVES["nginx"], locations=locations, main=ONE)
    browser = log_in(front)
    (offer,) = [value for name, value in browser.ask("/", **PAGE)[1] if name == OFFER]
    challenge = offer.split('challenge="')[1].split('"')[0]
    djangos.hold()
    status, headers, _ = browser.ask("/device", "POST", secure_session_response=browser.proof(challenge, True))
    assert status == 503 and "Set-Cookie" not in dict(headers)
    for _ in range(100):
        assert Visitor(front.port).get("/stranger").status == 204
    djangos.release()


def leave(visitor: Visitor, path: str, count: int) -> None:
    """Clients whose connections are reset once the server has their requests."""
    clients = [socket.create_connection(("127.0.0.1", visitor.port)) for _ in range(count)]
    for client in clients:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\nCookie: sessionid={visitor.cookie}\r\n\r\n".encode())
    check_strangers(visitor.port)
    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def test_clients_that_leave(start: Start, site: Site, store: Store, threads: ThreadPoolExecutor) -> None:
    front, visitor = begin(start, site)
    store.hold()
    leave(visitor, "/patient", 8)
    leave(visitor, "/hasty", 8)
    leave(visitor, "/behind", 8)
    check_unavailable(ask(threads, visitor, "/hasty", 4))
    check_strangers(front.port)
    store.release()
    assert visitor.get_served("/patient").status == 204
    assert 2 <= pages(visitor) <= 2 + 3 * 8


@pytest.mark.parametrize("hasty", [False, True])
def test_a_reload_and_an_end_in_the_middle(
    start: Start, site: Site, store: Store, threads: ThreadPoolExecutor, hasty: bool
) -> None:
    front, visitor = begin(start, site)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        store.hold()
        patient = ask(threads, visitor, "/patient", 4)
        if hasty:
            check_unavailable(ask(threads, visitor, "/hasty", 4))
        check_strangers(front.port)
        front.process.send_signal(number)
        if number == signal.SIGHUP:
            check_strangers(front.port)  # by whichever worker
        store.release()
        assert [each.result().status for each in patient] == [204] * 4
        if number == signal.SIGHUP:
            assert visitor.get_served("/patient").status == 204
    assert front.process.wait(60) == 0


def test_an_end_while_the_store_still_stands_still(start: Start, site: Site, store: Store, threads: ThreadPoolExecutor) -> None:
    front, visitor = begin(start, site)
    store.hold()
    check_unavailable(ask(threads, visitor, "/hasty", 4))
    front.process.send_signal(signal.SIGQUIT)
    store.release()
    assert front.process.wait(60) == 0
