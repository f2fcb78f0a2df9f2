"""The Redis store's connections: a name that leads to another server, connections that something on the way
forgot, connecting that takes too long, clocks that differ, replicas that have to have a change."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("redis")
from proxy import Pair, Proxy, until  # noqa: E402
from redis_server import Server, eventually, running  # noqa: E402
from store import BUILD, KEY, LATER, Refused, Store, native, works_in_queues  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")
RECORD = "~0123456789abcdef0123456789abcdef0123456"
UNKNOWN = native.E_UNKNOWN


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "redis", "user reader on >reader +@read -@write ~*", "repl-diskless-sync-delay 0") as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


# ---- one name ----


def test_a_failover_behind_one_name_is_followed(server: Server, proxy: Proxy, tmp_path: Path) -> None:
    with running(tmp_path / "other") as other, Store(f"redis://{proxy.host}?retries=1&open=lazy") as store:
        # Eight connections, all to what is about to become a replica.
        proxy.go.clear()
        with ThreadPoolExecutor(8) as threads:
            done = [threads.submit(store.create, "x", key=f"session{i}") for i in range(8)]
            until(lambda: len(proxy.pairs) == 4)
            proxy.go.set()
            assert all(each.result() for each in done)
        server.client().execute_command("REPLICAOF", "127.0.0.1", other.port)
        proxy.target = other.port
        # Each of them would be one error.
        for i in range(8):
            assert store.create("y", key=f"renewed{i}")
        assert len(other.client().keys("tuile:renewed*")) == 8


# ---- connections that something forgot ----


def test_connections_that_were_forgotten_on_the_way_cost_one_retry(proxy: Proxy) -> None:
    with Store(f"redis://{proxy.host}?timeout=3000&connect=60000") as store:
        assert store.create("x")
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda _: store.load(), range(16))) == [(b"x", LATER)] * 16
        proxy.silence()
        # A read finds it out, and no other one has to.
        assert store.load() == (b"x", LATER)
        before = len(proxy.pairs)
        assert store.load() == (b"x", LATER) and store.replace("x", "y") == native.OK
        assert len(proxy.pairs) == before


def test_a_connection_that_was_long_unused_is_tried_before_a_write(proxy: Proxy) -> None:
    with Store(f"redis://{proxy.host}?timeout=3000&connect=60000&idle=0&retries=0") as store:
        assert store.create("x")
        proxy.silence()
        # What is written is never sent twice: it goes where somebody answers.
        assert store.replace("x", "y") == native.OK and store.load() == (b"y", LATER)


# ---- connecting ----


def test_connecting_that_takes_too_long_is_tried_again(proxy: Proxy) -> None:
    proxy.lost = 1
    with Store(f"redis://{proxy.host}?connect=300&retries=1&open=lazy") as store:
        assert store.create("x")
    proxy.lost = 2
    with Store(f"redis://{proxy.host}?connect=300&retries=1&open=lazy") as store, pytest.raises(Refused) as caught:
        store.load()
    assert caught.value.status == native.E_STORE and "connecting" in caught.value.message


def test_few_connections_are_opened_at_a_time(proxy: Proxy) -> None:
    proxy.go.clear()
    with Store(f"redis://{proxy.host}?connect=60000&wait=60000&timeout=60000&open=lazy") as store:
        with ThreadPoolExecutor(16) as threads:
            done = [threads.submit(store.load) for _ in range(16)]
            until(lambda: len(proxy.pairs) == 4)
            time.sleep(0.2)
            assert len(proxy.pairs) == 4
            proxy.go.set()
            assert [each.result() for each in done] == [None] * 16


# ---- what was sent and got no answer ----

WRITES: list[tuple[bytes, Callable[[Store], object]]] = [
    (b"SET", lambda store: store.create("x")),
    (b"SET", lambda store: store.put("x")),
    (b"SET", lambda store: store.put("x", key=RECORD)),
    (b"EVALSHA", lambda store: store.replace("x", "y")),
    (b"PEXPIREAT", lambda store: store.touch(LATER)),
    (b"UNLINK", lambda store: store.remove()),
    (b"EVALSHA", lambda store: store.own("ada")),
    (b"HDEL", lambda store: store.disown("ada")),
]


@pytest.mark.parametrize("word, call", WRITES)
@pytest.mark.parametrize("how", ["cut", "late", "damaged"])
def test_a_write_without_an_answer_is_unknown_and_sent_once(
    proxy: Proxy, how: str, word: bytes, call: Callable[[Store], object]
) -> None:
    with Store(f"redis://{proxy.host}?timeout=300&retries=5") as store:
        store.put("warm", key="warmedup")  # the clocks are compared, a connection is there

        def answer(pair: Pair, data: bytes) -> bytes:
            if how == "late":
                pair.silent = True
                return b"+"
            return b"" if how == "cut" else b"?" + data

        before = proxy.heard(word)
        proxy.answer = answer
        with pytest.raises(Refused) as caught:
            call(store)
        assert caught.value.status == UNKNOWN and "not known" in caught.value.message
        assert proxy.heard(word) == before + 1


def test_a_read_without_an_answer_is_a_failure_and_no_unknown(proxy: Proxy) -> None:
    with Store(f"redis://{proxy.host}?timeout=300&retries=1") as store:
        assert store.load() is None
        proxy.answer = lambda pair, data: b""
        with pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_STORE


def test_what_was_not_sent_is_no_unknown(server: Server) -> None:
    with Store(f"redis://{server.host}?retries=0&connect=300") as store:
        server.kill()
        with pytest.raises(Refused) as caught:
            store.put("x")
        assert caught.value.status == native.E_STORE


def test_a_server_that_is_not_there_shows_at_the_first_call_of_a_store_that_was_opened_lazily() -> None:
    with Store("redis://127.0.0.1:1?retries=0&connect=300&open=lazy") as store:
        with pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_STORE


# ---- clocks ----


@contextmanager
def other_clock(server: Server, seconds: int) -> Iterator[Proxy]:
    """The server as one whose clock is ahead: in what it is told and what it tells."""

    def shifted(data: bytes, by: int) -> bytes:
        parts = data.split(b"\r\n")
        for i, part in enumerate(parts):
            digits = part.lstrip(b":")
            if len(digits) == 13 and digits.isdigit():
                changed = str(int(digits) + by * 1000).encode()
                assert len(changed) == 13
                parts[i] = part[: len(part) - 13] + changed
            elif len(digits) == 10 and digits.isdigit():
                parts[i] = str(int(digits) + by).encode()
        return b"\r\n".join(parts)

    with Proxy(server.port) as proxy:
        proxy.answer = lambda pair, data: shifted(data, seconds)
        proxy.ask = lambda pair, data: shifted(data, -seconds)
        yield proxy


@pytest.mark.parametrize("minutes", [40, -40])
def test_a_clock_that_is_off_neither_ends_sessions_nor_keeps_them(server: Server, minutes: int) -> None:
    present = int(time.time()) * 1_000_000
    expires = present + 1800 * 1_000_000
    with other_clock(server, minutes * 60) as proxy, Store(f"redis://{proxy.host}") as store:
        assert store.create("x", expires)
        found = store.load(now=present)
        assert found is not None and found[0] == b"x" and abs(found[1] - expires) < 2_000_000
        # For half an hour on the server too, however it counts.
        assert 1790 < server.client().ttl(f"tuile:{KEY}") <= 1802
        assert store.replace("x", "y", expires) == native.OK and store.touch(expires)
        assert 1790 < server.client().ttl(f"tuile:{KEY}") <= 1802
        ((key, listed),) = store.keys(present)
        assert key == KEY and abs(listed - expires) < 2_000_000
    # One that only reads learns it, too.
    with other_clock(server, minutes * 60) as proxy, Store(f"redis://{proxy.host}") as store:
        assert store.load(now=present) is not None


# ---- replicas ----


def test_a_change_that_too_few_replicas_have_is_unknown(server: Server, tmp_path: Path) -> None:
    with running(tmp_path / "replica", f"replicaof 127.0.0.1 {server.port}") as replica:
        eventually(lambda: replica.client().info("replication")["master_link_status"] == "up")
        eventually(lambda: server.client().info("replication")["connected_slaves"] == 1)
        with Store(f"{server.unix}?replicas=1&timeout=10000") as store:
            assert store.create("x")
            assert replica.client().get(f"tuile:{KEY}") == "x"
        works_in_queues(f"{server.unix}?replicas=1&timeout=10000", tmp_path)
        # The server is asked to wait for three quarters of the time; what is left is for a busy machine.
        with Store(f"{server.unix}?replicas=1&timeout=4000") as store:
            replica.pause()
            messages = []
            for call in (lambda: store.replace("x", "y"), lambda: store.put("z", key="otherkey"), store.remove):
                with pytest.raises(Refused) as caught:
                    call()
                assert caught.value.status == UNKNOWN
                messages.append(caught.value.message)
            # A machine that stands still for longer than that is told otherwise.
            assert any("replicas" in message for message in messages)
            assert store.load() is None and store.load(key="otherkey") == (b"z", LATER)
            replica.resume()


# ---- modes ----


def test_a_user_who_may_only_read_reads(server: Server) -> None:
    with Store(server.unix) as store:
        assert store.create("x")
        store.own("ada")
        store.put("1", key=RECORD)
    with Store(f"redis://reader:reader@{server.host}?mode=ro") as store:
        assert store.load() == (b"x", LATER) and store.load(key=RECORD) == (b"1", LATER)
        assert store.keys() == [(KEY, LATER)] and store.owners() == ["ada"]
        for call in (lambda: store.create("x", key="otherkey"), store.remove, lambda: store.put("x")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_STORE and "mode=ro" in caught.value.message


# ---- Sentinel ----


class Watcher:
    """A Sentinel that says what the test says."""

    def __init__(self, master: Server) -> None:
        self.master = master
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                while connection.recv(4096):
                    port = str(self.master.port)
                    connection.sendall(b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n" % (len(port), port.encode()))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_a_master_that_was_replaced_gets_no_write_although_it_says_that_it_is_one(server: Server, tmp_path: Path) -> None:
    with running(tmp_path / "new") as new:
        watcher = Watcher(server)
        with Store(f"redis://{watcher.host}?sentinel=mymaster") as store:
            assert store.create("x")
            # A failover that the old master does not know of: it still says master.
            watcher.master = new
            until(lambda: store.load() is None)
            assert store.create("y") and new.client().get(f"tuile:{KEY}") == "y"
            assert server.client().get(f"tuile:{KEY}") == "x"
            # And back; the connections that are there are cut, so that new ones are made at once.
            watcher.master = server
            new.client().client_kill_filter(_type="normal", skipme=True)
            assert store.load() == (b"x", LATER)
        watcher.close()
