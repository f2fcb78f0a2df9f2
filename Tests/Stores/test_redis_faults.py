"""The Redis store while its server is killed, stopped, slow or lying: statuses within the limits, no session
lost, no descriptor left open."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redis")
from redis_server import PASSWORD, Server, eventually, free_port, running  # noqa: E402
from store import BUILD, FULL, KEY, LATER, Refused, Store, native  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")

# An answer is sent when it is on the disk: what was acknowledged is there after kill -9.
DURABLE = ("appendonly yes", "appendfsync always")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "redis", *DURABLE) as server:
        yield server


def worked(url: str, seconds: int, harm: Callable[[], None]) -> tuple[int, int, int]:
    """Calls that went well, calls that did not, and the longest in milliseconds."""
    command = [str(BUILD / "Tests/Stores/store_outage"), url, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as working:
        assert working.stdout is not None and working.stdout.readline() == "ready\n"
        harm()
        out, problem = working.communicate(timeout=seconds + 120)
    assert working.returncode == 0, out + problem
    words = out.split()
    return int(words[0]), int(words[2]), int(words[5])


def slowest(limits: str, retries: int = 2) -> int:
    """The limit of a call with these options, and much for a busy machine."""
    values = dict(part.split("=") for part in limits.split("&"))
    return (retries + 1) * sum(int(values[name]) for name in ("connect", "timeout", "wait")) + 10_000


def refused(store: Store, *command: str) -> tuple[subprocess.Popen[bytes], int]:
    """Runs what keeps the server from answering, until a load meets it, and the status that it gets."""
    while True:
        working = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while working.poll() is None:
            try:
                assert store.load() == (b"x", LATER)
            except Refused as problem:
                return working, problem.status


# ---- harm ----

LIMITS = "connect=300&timeout=300&wait=300"


@pytest.mark.parametrize("where", ["{unix}", "redis://{host}"])
def test_a_server_that_is_killed_and_restarted_loses_nothing(server: Server, where: str) -> None:
    def harm() -> None:
        for _ in range(100 if FULL else 4):
            time.sleep(0.3)
            server.kill()
            time.sleep(0.2)
            server.start()

    url = f"{where.format(unix=server.unix, host=server.host)}?{LIMITS}"
    fine, failed, longest = worked(url, 60 if FULL else 4, harm)
    assert fine > 100 and failed > 0 and longest < slowest(LIMITS)


def test_a_server_that_stands_still_is_a_status_in_time(server: Server) -> None:
    def harm() -> None:
        for _ in range(2):
            time.sleep(0.3)
            server.pause()
            time.sleep(1.5)
            server.resume()

    fine, failed, longest = worked(f"redis://{server.host}?{LIMITS}", 5, harm)
    assert fine > 100 and failed > 0 and longest < slowest(LIMITS)


def test_a_slow_server_is_a_status_in_time(server: Server) -> None:
    def harm() -> None:
        for _ in range(3):
            server.client().execute_command("CLIENT", "PAUSE", 700, "ALL")
            time.sleep(1)

    fine, failed, longest = worked(f"redis://{server.host}?{LIMITS}", 4, harm)
    assert fine > 100 and failed > 0 and longest < slowest(LIMITS)


def test_connections_that_the_server_closes_are_opened_anew_without_a_failure(server: Server) -> None:
    with Store(server.unix) as store:
        store.create("x")
        for _ in range(3):
            server.client().client_kill_filter(_type="normal", skipme=True)
            time.sleep(0.05)
            # Even what is never sent twice: the break is noticed before.
            assert store.replace("x", "x") == native.OK


def test_a_pool_that_is_full_is_busy(server: Server) -> None:
    with Store(f"{server.unix}?pool=1&wait=50&timeout=600000&retries=0") as store:
        store.create("x")
        server.pause()
        ends: queue.Queue[Any] = queue.Queue()

        def load() -> None:
            try:
                ends.put(store.load())
            except Refused as problem:
                ends.put(problem.status)

        waiting = [threading.Thread(target=load) for _ in range(2)]
        for thread in waiting:
            thread.start()
        # Whichever came later.
        assert ends.get() == native.E_BUSY
        server.resume()
        assert ends.get() == (b"x", LATER)
        for thread in waiting:
            thread.join()


def test_a_server_that_loads_its_data_is_a_status(tmp_path: Path) -> None:
    with running(tmp_path / "redis", *DURABLE, "enable-debug-command yes") as server, Store(f"{server.unix}?timeout=500&retries=0") as store:
        store.create("x")
        server.client().config_set("key-load-delay", 3_000_000)
        loading, status = refused(store, "redis-cli", "-s", str(server.socket), "DEBUG", "LOADAOF")
        assert status == native.E_STORE
        assert loading.wait(60) == 0
        assert eventually(lambda: store.load()) == (b"x", LATER)


def test_a_script_that_runs_on_is_busy(server: Server) -> None:
    server.client().config_set("busy-reply-threshold", 100)
    with Store(f"{server.unix}?retries=0") as store:
        assert store.create("x")
        endless, status = refused(store, "redis-cli", "-s", str(server.socket), "EVAL", "while true do end", "0")
        assert status == native.E_BUSY
        server.client().script_kill()
        endless.wait(60)
        assert store.load() == (b"x", LATER)


# ---- servers that lie ----


@contextmanager
def liar(answers: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Accepts connections and gives each command the next answer, b"" for hanging up; what it was sent."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        left = iter(answers)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 16):
                    heard.append(data)
                    answer = b":-2\r\n" if b"tuile:probe" in data else next(left, b"")
                    if not answer:
                        break
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        # The answers are for the calls, not for what opening asks.
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}?open=lazy", heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*2147483647\r\n", b"$999999999999\r\n", b"$-7\r\n", b"*1\r\n" * 20,
     b"-MOVED 99999 127.0.0.1:1\r\n", b"-MOVED 1 :\r\n", b"-ASK\r\n", b"-\r\n", b"+OK\r\n:7\r\n", b"*0\r\n:1\r\n"],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_a_status(answer: bytes) -> None:
    with liar([answer] * 9) as (url, _), Store(f"{url}&timeout=200") as store:
        for call in (store.load, lambda: store.replace("x", "y")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status in (native.E_STORE, native.E_LIMIT, native.E_UNKNOWN)


def test_the_servers_text_stays_out_of_messages() -> None:
    answer = b"-ERR unknown command 'GET', with args beginning with: 'secretsecret'\r\n"
    with liar([answer * 2]) as (url, _), Store(url) as store, pytest.raises(Refused) as caught:
        store.load()
    assert "secret" not in caught.value.message and caught.value.message.endswith("ERR")


def test_what_may_have_been_done_is_not_done_again() -> None:
    with liar([b"", b"", b""]) as (url, heard), Store(url) as store:
        for call, word in ((lambda: store.replace("x", "y"), b"EVALSHA"), (lambda: store.create("x"), b"SET")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_UNKNOWN and "not known" in caught.value.message
            assert sum(word in data for data in heard) == 1
    # The control: what does no harm is asked again.
    with liar([b"", b"", b"$1\r\nx\r\n:2000000000000\r\n"]) as (url, heard), Store(url) as store:
        assert store.load() == (b"x", LATER) and sum(b"GET" in data for data in heard) == 3


def test_a_password_is_in_no_message() -> None:
    with liar([f"-ERR {PASSWORD}\r\n".encode()] * 3) as (url, _):
        with Store(url.replace("//", "//ada:secretword@")) as store, pytest.raises(Refused) as caught:
            store.load()
    assert "secretword" not in caught.value.message and PASSWORD not in caught.value.message


def test_a_child_of_fork_leaves_its_parents_connections_alone(server: Server) -> None:
    with Store(f"{server.unix}?pool=1") as store:
        store.create("x")
        child = os.fork()
        if child == 0:
            fine = store.load() == (b"x", LATER)
            store.close()
            os._exit(0 if fine else 1)
        assert os.waitpid(child, 0)[1] == 0
        before = server.client().info("stats")["total_connections_received"]
        assert store.load() == (b"x", LATER)
        # The same connection as before, not one more: only the two that asked for the number are.
        assert server.client().info("stats")["total_connections_received"] == before + 1


def test_a_name_that_is_not_answered_for_is_a_status(server: Server) -> None:
    began = time.monotonic()
    with Store("redis://no-such-host.invalid?connect=500&retries=0&open=lazy") as store, pytest.raises(Refused):
        store.load(KEY)
    assert time.monotonic() - began < 20
    with Store(f"redis://127.0.0.1:{free_port()}?open=lazy") as store, pytest.raises(Refused):
        store.load(KEY)
