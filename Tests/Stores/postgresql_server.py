"""A PostgreSQL server of its own for each test that asks: Debian's, in a temporary folder,
on a unix socket and on loopback. The server refuses to run as root: it runs as postgres then."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from server_process import free_port

PASSWORD = "correct horse"

# The socket trusts, as Debian's does by name; the network asks for the password.
HBA = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"


def binaries() -> Path | None:
    """Debian's newest server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def as_postgres(*command: str | Path) -> list[str]:
    """The command without root's rights, under the pid of its parent's child."""
    if os.getuid() != 0:
        return [str(word) for word in command]
    # It ends with the test, however that ends.
    prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT"]
    return prefix + [str(word) for word in command]


class Server:
    """One cluster; started and stopped as often as a test likes."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        found = binaries()
        assert found is not None
        self.bin, self.folder, self.settings = found, folder, settings
        self.data, self.port = folder / "data", free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o755)
        initdb = (self.bin / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        subprocess.run(as_postgres(*initdb, "--locale=C"), check=True, stdout=subprocess.DEVNULL, cwd=folder)
        (self.data / "pg_hba.conf").write_text(HBA)

    def start(self) -> None:
        settings = {
            "unix_socket_directories": str(self.folder), "listen_addresses": "127.0.0.1", "port": str(self.port),
            # A process that is killed loses nothing of it; only the machine would.
            "fsync": "off", "max_connections": "120", "shared_buffers": "16MB", **self.settings,
        }  # fmt: skip
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command, log = as_postgres(self.bin / "postgres", "-D", self.data, *words), self.folder / "log"
        for _ in range(600):
            before = log.stat().st_size if log.exists() else 0
            with log.open("ab") as file:
                self.process = subprocess.Popen(command, stdout=file, stderr=file, cwd=self.folder)
            if self._answers():
                return
            # A process that was born while kill -9 went round ends by itself when it sees that it is alone.
            assert b"pre-existing shared memory block" in log.read_bytes()[before:], log.read_text()
            time.sleep(0.1)
        raise AssertionError("the server does not start")

    def _answers(self) -> bool:
        """Waits for that; False if it ended."""
        assert self.process is not None
        for _ in range(600):
            if self.process.poll() is not None:
                return False
            try:
                self.sql("SELECT 1")
                return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        if self.process is None:
            return
        self.resume()
        self.process.send_signal(signal.SIGINT)  # its fast shutdown
        self.process.wait(60)
        self.process = None

    def processes(self) -> list[int]:
        """The server's own processes: the first one, and its children."""
        if self.process is None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            return [self.process.pid, *map(int, children.read_text().split())]
        except FileNotFoundError:
            return []

    def signal_all(self, number: signal.Signals) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        """kill -9, all of it."""
        assert self.process is not None
        self.signal_all(signal.SIGKILL)
        self.process.wait(60)
        self.process = None

    def pause(self) -> None:
        self.signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal_all(signal.SIGCONT)

    def url(self, database: str = "postgres", **options: str) -> str:
        # Limits are for the tests of limits: a busy machine takes its time.
        query = "&".join(f"{n}={v}" for n, v in {"connect": "30000", "timeout": "30000", "wait": "60000", **options}.items())
        return f"postgresql:///{database}?host={self.folder}&port={self.port}&user=postgres&{query}".rstrip("&")

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True, connect_timeout=10
        )

    def sql(self, command: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with self.connect(database) as connection:
            cursor = connection.execute(command.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        name = f"test_{time.monotonic_ns()}"
        self.sql(f"CREATE DATABASE {name}")
        return name


@contextmanager
def running(**settings: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="tuile-postgresql-"))
    server = Server(folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
