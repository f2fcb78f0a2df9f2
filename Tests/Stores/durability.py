"""What each setting of a server loses, measured: the table of docs/stores.md. Eight threads create sessions and
note which were acknowledged; then the server, all of it, gets kill -9, or its replica takes over; what is missing
afterwards was lost. A replica is stopped for half a second before that, as one that lags.
    python Tests/Stores/durability.py
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import postgresql_server
import redis_server
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
    for name, option in (("a replica", ""), ("a replica, replicas=1", "&replicas=1"), ("a replica, min-replicas-to-write 1", "")):
        more = ["min-replicas-to-write 1", "min-replicas-max-lag 1"] if "min" in name else []
        with redis_server.running(folder / f"m{len(name)}", *more, "repl-diskless-sync-delay 0") as master:
            with redis_server.running(folder / f"r{len(name)}", f"replicaof 127.0.0.1 {master.port}") as replica:
                redis_server.eventually(lambda: master.client().info("replication")["connected_slaves"] == 1)
                redis_server.eventually(lambda: replica.client().info("replication")["master_link_status"] == "up")

                def promote() -> str:
                    replica.pause()
                    time.sleep(0.5)
                    master.kill()
                    replica.resume()
                    replica.client().execute_command("REPLICAOF", "NO", "ONE")
                    return replica.unix

                measured(f"Redis, failover: {name}", f"{master.unix}?{LIMITS}{option}", promote)


def standby_of(server: postgresql_server.Server) -> postgresql_server.Server:
    other = postgresql_server.Server.__new__(postgresql_server.Server)
    other.bin, other.settings, other.process = server.bin, {}, None
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
    postgresql_server.HBA = hba + "local replication all trust\n"
    for name, standbys in (("a standby, asynchronous", ""), ("a standby in synchronous_standby_names", "*")):
        with postgresql_server.running(wal_level="replica") as server:
            standby = standby_of(server)
            try:
                server.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
                server.sql("SELECT pg_reload_conf()")
                Store(server.url()).close()

                def promote() -> str:
                    standby.pause()
                    time.sleep(0.5)
                    server.kill()
                    standby.resume()
                    standby.sql("SELECT pg_promote()")
                    return standby.url()

                measured(f"PostgreSQL, failover: {name}", server.url(timeout="300", wait="300", connect="300", retries="0"), promote)
            finally:
                standby.stop()
                shutil.rmtree(standby.folder, ignore_errors=True)
    postgresql_server.HBA = hba


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        redis(Path(place))
    postgresql()
