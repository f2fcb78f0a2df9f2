"""Redis servers for tests: on free ports and sockets in a temporary folder, stopped by their own process."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
from server_process import ServerProcess, free_port

PASSWORD = "pa:ss/wo@rd%"


def eventually(holds: Callable[[], Any], seconds: float = 180) -> Any:
    """What `holds` gives when it is true; errors of a server that is not there yet count as false."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := holds():
                return answer
        except (redis.RedisError, OSError):
            pass
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


class Server(ServerProcess):
    """One redis-server, or a Sentinel."""

    def __init__(self, folder: Path, *options: str, sentinel: bool = False, tls: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.sentinel = sentinel
        self.tls = tls
        self.password: str | None = None
        folder.mkdir(parents=True)
        self.socket = folder / "socket"
        port = f"port 0\ntls-port {self.port}\ntls-auth-clients no" if tls else f"port {self.port}"
        lines = [port, "bind 127.0.0.1", f"unixsocket {self.socket}", "unixsocketperm 700", f"dir {folder}"]
        lines += [f"logfile {folder / 'log'}", "daemonize no", "save ''", *options]
        self.config = folder / "redis.conf"
        self.config.write_text("\n".join(lines) + "\n")

    def start(self) -> Server:
        command = ["redis-server", str(self.config), *(["--sentinel"] if self.sentinel else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(self.answers)
        except BaseException:
            self.stop()
            raise
        return self

    def answers(self) -> bool:
        log = self.folder / "log"
        assert self.process.poll() is None, log.read_text() if log.exists() else "it ended without a log"
        return bool(self.client().ping()) or True

    def client(self) -> Any:
        return redis.Redis(
            unix_socket_path=str(self.socket), password=self.password, socket_timeout=20, decode_responses=True
        )

    @property
    def unix(self) -> str:
        return f"unix://{self.socket}"


@contextmanager
def running(folder: Path, *options: str, tls: bool = False) -> Iterator[Server]:
    server = Server(folder, *options, tls=tls).start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def cluster(folder: Path, nodes: int = 3) -> Iterator[list[Server]]:
    """Masters alone, the slots shared out evenly."""
    with ExitStack() as stack:
        servers = []
        for i in range(nodes):
            options = ["cluster-enabled yes", f"cluster-port {free_port()}", "cluster-node-timeout 2000"]
            servers.append(stack.enter_context(running(folder / f"node{i}", *options, "appendonly yes")))
        for i, server in enumerate(servers):
            first, last = 16384 * i // nodes, 16384 * (i + 1) // nodes - 1
            server.client().execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            server.client().execute_command("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        bus = servers[0].client().config_get("cluster-port")["cluster-port"]
        for server in servers[1:]:
            server.client().execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port, bus)
        for server in servers:
            eventually(lambda: "cluster_state:ok" in str(server.client().execute_command("CLUSTER", "INFO")))
            eventually(lambda: len(server.client().execute_command("CLUSTER", "SLOTS")) == nodes)
        yield servers


class Pair:
    """A master and its replica, watched by three Sentinels."""

    def __init__(self, master: Server, replica: Server, sentinels: list[Server]) -> None:
        self.servers = [master, replica]
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        return f"redis://{','.join(s.host for s in self.sentinels)}/0?sentinel=mymaster"

    def master(self) -> Server:
        _, port = self.sentinels[0].client().execute_command("SENTINEL", "get-master-addr-by-name", "mymaster")
        return next(server for server in self.servers if server.port == int(port))


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        options = ["repl-diskless-sync-delay 0", "repl-timeout 10"]
        master = stack.enter_context(running(folder / "one", *options))
        replica = stack.enter_context(running(folder / "two", *options, f"replicaof 127.0.0.1 {master.port}"))
        eventually(lambda: replica.client().info("replication")["master_link_status"] == "up")
        watch = [
            f"sentinel monitor mymaster 127.0.0.1 {master.port} 2",
            "sentinel down-after-milliseconds mymaster 1500",
            "sentinel failover-timeout mymaster 2000",
        ]
        sentinels = []
        for i in range(3):
            sentinel = Server(folder / f"sentinel{i}", *watch, sentinel=True)
            stack.callback(sentinel.start().stop)
            sentinels.append(sentinel)
        for sentinel in sentinels:
            eventually(lambda: sentinel.client().execute_command("SENTINEL", "CKQUORUM", "mymaster"))
            eventually(lambda: len(sentinel.client().execute_command("SENTINEL", "SENTINELS", "mymaster")) == 2)
            eventually(lambda: len(sentinel.client().execute_command("SENTINEL", "REPLICAS", "mymaster")) == 1)
        yield Pair(master, replica, sentinels)


def certificates(folder: Path) -> dict[str, Path]:
    """An authority, a certificate of it for localhost and 127.0.0.1, and an authority that signed nothing."""
    folder.mkdir(parents=True)

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    for name in ("ca", "other"):
        openssl(*new, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    openssl(
        *new, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=server",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE",
    )  # fmt: skip
    return {name: folder / name for name in ("ca.pem", "other.pem", "server.pem", "server.key")}
