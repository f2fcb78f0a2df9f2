"""memcached servers for tests: on free ports and sockets in a temporary folder, stopped by their own process."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymemcache.client.base import Client
from server_process import ServerProcess, free_port

PASSWORD = "pa:ss/wo@rd%"


class Server(ServerProcess):
    """One memcached; `where` is None for a port of 127.0.0.1, or the path of its socket."""

    def __init__(self, *options: str, where: Path | None = None, environment: dict[str, str] | None = None) -> None:
        self.options = options
        self.path = where
        self.port = 0 if where else free_port()
        self.environment = {**os.environ, **(environment or {})}

    def start(self) -> Server:
        place = ["-s", str(self.path), "-a", "0700"] if self.path else ["-l", "127.0.0.1", "-p", str(self.port), "-U", "0"]
        user = ["-u", "root"] if os.getuid() == 0 else []
        command = ["memcached", *place, *user, "-m", "64", "-t", "2", *self.options]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    raise
            time.sleep(0.02)

    def connect(self) -> socket.socket:
        if self.path is None:
            return socket.create_connection(("127.0.0.1", self.port), 5)
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(5)
        made.connect(str(self.path))
        return made

    def client(self) -> Client:
        """Without a serializer: values and flags are what is stored."""
        return Client(str(self.path) if self.path else ("127.0.0.1", self.port), timeout=10, connect_timeout=10, default_noreply=False)

    def ask(self, command: str) -> str:
        """The first line of what the server answers to a command of the text protocol."""
        with self.connect() as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.makefile("rb").readline().decode().strip()

    def left(self, key: str) -> int:
        """Seconds; -1: it stays."""
        answer = self.ask(f"mg {key} t")
        assert answer.startswith("HD t"), answer
        return int(answer[4:])

    def flags(self, key: str) -> int:
        answer = self.ask(f"mg {key} f")
        assert answer.startswith("HD f"), answer
        return int(answer[4:])

    @property
    def url(self) -> str:
        return f"memcached://{self.path or self.host}"


@contextmanager
def running(*options: str, where: Path | None = None, environment: dict[str, str] | None = None) -> Iterator[Server]:
    server = Server(*options, where=where, environment=environment).start()
    try:
        yield server
    finally:
        server.stop()
