"""The PostgreSQL store while its server is killed, stopped, slowed, full, or behind a pooler:
statuses within the limits, nothing acknowledged is lost, nothing leaks."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("psycopg")
from postgresql_helpers import FULL, PLAIN, needed, opened, program, run, written  # noqa: E402
from postgresql_server import Server, as_postgres, free_port, running  # noqa: E402
from proxy import until  # noqa: E402
from store import Refused, Store, native  # noqa: E402
from tuile.errors import StoreError  # noqa: E402

pytestmark = needed

LIMITS = {"connect": "500", "timeout": "500", "wait": "500", "retries": "1"}
# Each of two tries may connect and wait for an answer; the rest is for a busy machine.
LONGEST_MS = 2 * (500 + 500) + 500 + 1500


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def database(server: Server) -> str:
    return server.new_database()


class Load:
    """store_outage while `with` lasts, and what it printed."""

    def __init__(self, url: str, seconds: int) -> None:
        self.process = subprocess.Popen(
            [program("store_outage"), url, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.fine = self.failed = self.longest = self.grown = 0

    def __enter__(self) -> Load:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, err
        words = out.replace(",", "").split()
        self.fine, self.failed, self.longest, self.grown = (int(words[i]) for i in (0, 2, 5, 8))
        assert self.fine > 0 and self.longest < LONGEST_MS, out
        assert self.grown < 8192 or not PLAIN, out


def test_killed_and_started_again(server: Server, database: str) -> None:
    with Load(server.url(database, **LIMITS), 5) as load:
        for _ in range(2):
            time.sleep(0.5)
            server.kill()
            time.sleep(0.3)
            server.start()
    assert load.failed > 0


def test_a_server_that_is_not_there_shows_at_once() -> None:
    with pytest.raises(Refused) as caught:
        Store("postgresql://nobody@127.0.0.1:1/none?retries=0&connect=300")
    assert caught.value.status == native.E_STORE


def test_stopped_for_a_while(server: Server, database: str) -> None:
    with Load(server.url(database, **LIMITS), 6) as load:
        time.sleep(0.5)
        server.pause()
        time.sleep(LONGEST_MS / 1000 + 0.5)
        server.resume()
    assert load.failed > 0


def test_a_table_that_somebody_locks(server: Server, database: str) -> None:
    with Load(server.url(database, **LIMITS), 4) as load, server.connect(database) as other:
        time.sleep(0.5)
        other.autocommit = False
        other.execute("LOCK TABLE django_session")
        time.sleep(2)
        # The server gives up what we gave up: nothing waits for the lock that nobody waits for.
        until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0] <= 8)
        other.rollback()
    assert load.failed > 0


def test_connections_that_the_server_ends(server: Server, database: str) -> None:
    with Load(server.url(database, **LIMITS), 3) as load:
        for _ in range(20):
            time.sleep(0.05)
            server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    # Half of what it cut were calls that could be repeated.
    assert load.failed < load.fine


def test_idle_connections_that_the_server_ended_are_noticed(server: Server, database: str) -> None:
    with opened(server.url(database, retries="0")) as manager:
        key = written(manager, count=0)
        for _ in range(5):
            ended = server.sql(f"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
            # Until the server's processes are gone, and their connections with them.
            while any(Path(f"/proc/{pid}").exists() for pid, _ in ended):
                time.sleep(0.005)
            with manager.begin(f"sessionid={key}") as session:
                session.add_int("count")
                session.commit(200)
        with manager.begin(f"sessionid={key}") as session:
            assert session["count"] == 5


def test_more_threads_than_connections() -> None:
    with running(max_connections="6", superuser_reserved_connections="0", autovacuum="off") as small:
        with Load(small.url(pool="16", **LIMITS), 2):
            pass
        with small.connect(), small.connect(), small.connect(), small.connect(), small.connect(), small.connect():
            with pytest.raises(StoreError) as caught:
                opened(small.url(retries="0")).close()
            assert "too many" in str(caught.value)


def test_a_pool_that_is_too_small_for_too_long(server: Server, database: str) -> None:
    url = server.url(database, **{**LIMITS, "pool": "1", "timeout": "600000", "wait": "100"})
    with opened(url) as manager, server.connect(database) as other:
        key = written(manager, a=1)
        other.autocommit = False
        other.execute("LOCK TABLE django_session")
        ends: queue.Queue[object] = queue.Queue()

        def visit() -> None:
            with manager.begin(f"sessionid={key}") as session:
                try:
                    ends.put(session["a"])
                except Exception as error:  # noqa: BLE001: its name is looked at
                    ends.put(type(error).__name__)

        threads = [threading.Thread(target=visit) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert [ends.get(), ends.get()] == ["BusyError"] * 2
        other.rollback()
        assert ends.get() == 1
        for thread in threads:
            thread.join()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own, which only root can mount."""
    path = Path("/tmp") / f"tuile-small-{os.getpid()}-{time.monotonic_ns()}"
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(path)]
    try:
        if os.getuid() != 0 or subprocess.run(["mount", *options], capture_output=True, check=False).returncode != 0:
            pytest.skip("no small file system can be mounted here")
        try:
            yield path
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True)
    finally:
        path.rmdir()


def test_a_full_disk() -> None:
    with small_disk(16) as disk, running() as server:
        folder = disk / "space"
        folder.mkdir()
        shutil.chown(folder, server.folder.owner(), server.folder.group())
        server.sql(f"CREATE TABLESPACE small LOCATION '{folder}'")
        server.sql("CREATE DATABASE small TABLESPACE small")
        keys = []
        with opened(server.url("small", timeout="10000")) as manager:
            with pytest.raises(StoreError) as caught:
                for number in range(400):
                    keys.append(written(manager, number=number, bulk=os.urandom(100_000).hex()))
            assert "53100" in str(caught.value) and keys
            # With room again it goes on, on the same connections, and nothing was lost.
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            written(manager, bulk=os.urandom(100_000).hex())
            for number, key in enumerate(keys):
                with manager.begin(f"sessionid={key}") as session:
                    assert session["number"] == number and len(session["bulk"]) == 200_000
        server.stop()


# ---- behind a pooler ----


@contextmanager
def pgbouncer(server: Server, mode: str, connections: int) -> Iterator[str]:
    """Debian's pgbouncer in front of the server, with so many connections for everybody; its URL."""
    if not shutil.which("pgbouncer"):
        pytest.skip("no pgbouncer")
    port, file = free_port(), server.folder / "pgbouncer.ini"
    file.write_text(
        f"[databases]\n* = host={server.folder} port={server.port} user=postgres\n[pgbouncer]\n"
        f"listen_addr =\nlisten_port = {port}\nunix_socket_dir = {server.folder}\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = {connections}\nmax_client_conn = 400\nlogfile = {server.folder}/pgbouncer.log\n"
    )
    process = subprocess.Popen(
        as_postgres("pgbouncer", "-q", file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=server.folder
    )
    try:
        socket = server.folder / f".s.PGSQL.{port}"
        for _ in range(200):
            if socket.exists():
                break
            time.sleep(0.05)
        yield f"postgresql:///DATABASE?host={server.folder}&port={port}&user=postgres&timeout=20000&wait=20000"
    finally:
        process.terminate()
        process.wait(30)


def test_behind_a_pooler_of_transactions(server: Server, database: str) -> None:
    with pgbouncer(server, "transaction", 2) as url:
        url = url.replace("DATABASE", database)
        answer = run("store_driver", f"{url}&prepare=off", "shared", "owners")
        assert answer.returncode == 0, answer.stderr
        times = 1000 if FULL else 20
        answer = run("store_counter", f"{url}&prepare=off", "4", "4", str(times))
        assert answer.stdout == f"counted {16 * times} of {16 * times}\n", answer.stderr


def test_prepared_commands_behind_it_never_do_what_another_meant(server: Server, database: str) -> None:
    """They may fail, or be prepared once more; each acknowledged change is there all the same."""
    with pgbouncer(server, "transaction", 2) as url:
        url = url.replace("DATABASE", database)
        opened(f"{url}&prepare=off").close()
        with Load(f"{url}&retries=10", 2):
            pass


def test_behind_a_pooler_of_connections(server: Server, database: str) -> None:
    with pgbouncer(server, "session", 60) as url:
        answer = run("store_driver", url.replace("DATABASE", database), "shared", "owners")
        assert answer.returncode == 0, answer.stderr
