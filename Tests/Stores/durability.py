"""What each setting of a store loses, measured: the table of docs/stores.md. Eight threads create sessions and
note which were acknowledged; then the server, all of it, gets kill -9, or its replica takes over; what is missing
afterwards was lost. Before a failover the link to the replica is silent for three seconds, as one that lags. The
file stores' process itself gets kill -9.
    .venv/bin/python Tests/Stores/durability.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import postgresql_server
import redis_server
from proxy import Proxy
from store import LATER, Refused, Store


class Writers:
    """Sessions that were acknowledged, and those of which that is not known."""

    def __init__(self, url: str) -> None:
        self.store, self.done = Store(url), threading.Event()
        self.acknowledged: list[str] = []
        self.unknown = 0
        self.threads = [threading.Thread(target=self._write, args=(i,)) for i in range(8)]
        for thread in self.threads:
            thread.start()

    def _write(self, number: int) -> None:
        for i in range(10**9):
            if self.done.is_set():
                return
            key = f"session{number}x{i:09}"
            try:
                if self.store.create("x", LATER, key):
                    self.acknowledged.append(key)
            except Refused:
                self.unknown += 1

    def missing(self, url: str) -> str:
        self.done.set()
        for thread in self.threads:
            thread.join()
        with Store(url) as store:
            lost = 0
            for key in self.acknowledged:
                lost += store.load(key) is None
        self.store.close()
        return f"{lost} of {len(self.acknowledged)} acknowledged, {self.unknown} were not"


def measured(name: str, url: str, harm: Callable[[], str]) -> None:
    writers = Writers(url)
    time.sleep(1)
    print(f"{name:60} {writers.missing(harm())}", flush=True)


class Link:
    """A proxy in a process of its own, so that the writers here don't slow it down."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, __file__, "link", str(port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def silence(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("silence\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def link_to(port: int) -> None:
    with Proxy(port) as proxy:
        print(proxy.port, flush=True)
        for _ in sys.stdin:
            proxy.silence()
            print("silent", flush=True)


LIMITS = "timeout=300&wait=300&connect=300&retries=0"


def redis(folder: Path) -> None:
    for name, options in (
        ("no persistence", ("appendonly no",)),
        ("appendonly, appendfsync no", ("appendonly yes", "appendfsync no")),
        ("appendonly, appendfsync everysec", ("appendonly yes", "appendfsync everysec")),
        ("appendonly, appendfsync always", ("appendonly yes", "appendfsync always")),
    ):
        with redis_server.running(folder / name.replace(" ", ""), *options) as server:

            def kill() -> str:
                server.kill()
                server.start()
                return server.unix

            measured(f"Redis, kill -9: {name}", f"{server.unix}?{LIMITS}", kill)
    for i, (name, options, option) in enumerate(
        (
            ("a replica", (), ""),
            ("a replica, min-replicas-to-write 1, max-lag 1", ("min-replicas-to-write 1", "min-replicas-max-lag 1"), ""),
            ("a replica, replicas=1", (), "&replicas=1"),
        )
    ):
        with redis_server.running(folder / f"m{i}", "repl-diskless-sync-delay 0", *options) as master:
            with Link(master.port) as link, redis_server.running(folder / f"r{i}", f"replicaof 127.0.0.1 {link.port}") as replica:
                redis_server.eventually(lambda: replica.client().info("replication")["master_link_status"] == "up")

                def promote() -> str:
                    link.silence()
                    time.sleep(3)
                    master.kill()
                    replica.client().execute_command("REPLICAOF", "NO", "ONE")
                    return replica.unix

                measured(f"Redis, failover: {name}", f"{master.unix}?{LIMITS}{option}", promote)


def standby_of(server: postgresql_server.Server, link: Link) -> postgresql_server.Server:
    other = postgresql_server.Server.__new__(postgresql_server.Server)
    other.bin, other.process = server.bin, None
    other.settings = {"primary_conninfo": f"host=127.0.0.1 port={link.port} user=postgres"}
    other.folder = Path(tempfile.mkdtemp(prefix="tuile-standby-"))
    other.folder.chmod(0o755)
    other.data, other.port = other.folder / "data", postgresql_server.free_port()
    if postgresql_server.os.getuid() == 0:
        shutil.chown(other.folder, "postgres", "postgres")
    words = [server.bin / "pg_basebackup", "-D", other.data, "-h", server.folder, "-p", str(server.port), "-U", "postgres", "-R"]
    subprocess.run(postgresql_server.as_postgres(*words, "-c", "fast"), check=True, cwd=other.folder)
    other.start()
    return other


def postgresql() -> None:
    for setting in ("on", "off"):
        with postgresql_server.running(synchronous_commit=setting, fsync="on") as server:

            def kill() -> str:
                server.kill()
                server.start()
                return server.url()

            measured(f"PostgreSQL, kill -9: synchronous_commit {setting}", server.url(timeout="300", retries="0"), kill)
    hba = postgresql_server.HBA
    postgresql_server.HBA = hba + "local replication all trust\nhost replication all 127.0.0.1/32 trust\n"
    for name, standbys in (("a standby, asynchronous", ""), ("a standby in synchronous_standby_names", "*")):
        with postgresql_server.running(wal_level="replica", fsync="on") as server, Link(server.port) as link:
            standby = standby_of(server, link)
            try:
                server.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
                server.sql("SELECT pg_reload_conf()")
                Store(server.url()).close()
                redis_server.eventually(lambda: server.sql("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"))

                def promote() -> str:
                    link.silence()
                    time.sleep(3)
                    server.kill()
                    standby.sql("SELECT pg_promote()")
                    return standby.url()

                measured(f"PostgreSQL, failover: {name}", server.url(timeout="300", wait="300", connect="300", retries="0"), promote)
            finally:
                standby.stop()
                shutil.rmtree(standby.folder, ignore_errors=True)
    postgresql_server.HBA = hba


def files(folder: Path) -> None:
    """A process of its own writes, and says after each answer which session was acknowledged."""
    for i, options in enumerate(("file?fsync=off", "file?fsync=data", "file?fsync=full", "sqlite?synchronous=normal", "sqlite?synchronous=full")):
        scheme, _, option = options.partition("?")
        url = f"{scheme}://{folder}/f{i}?{option}"
        writer = subprocess.Popen([sys.executable, __file__, url], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent)
        time.sleep(3)
        writer.kill()
        assert writer.stdout is not None
        keys = [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        with Store(url) as store:
            lost = sum(store.load(key) is None for key in keys)
        print(f"{'kill -9: ' + options:60} {lost} of {len(keys)} acknowledged", flush=True)


def write_on(url: str) -> None:
    def write(number: int) -> None:
        for i in range(10**9):
            key = f"session{number}x{i:09}"
            if store.create("x", LATER, key):
                sys.stdout.write(key + "\n")
                sys.stdout.flush()

    store = Store(url)
    for number in range(8):
        threading.Thread(target=write, args=(number,)).start()


if __name__ == "__main__":
    if sys.argv[1:2] == ["link"]:
        link_to(int(sys.argv[2]))
    elif len(sys.argv) > 1:
        write_on(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as place:
            files(Path(place))
            redis(Path(place))
        postgresql()
