"""A TCP proxy whose connections a test can hold, cut, silence and lead elsewhere, and which counts them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Optional


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


class Pair:
    """One connection that came, and where it leads to."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.server: Optional[socket.socket] = None
        self.silent = False
        self.heard = b""

    def close(self) -> None:
        for end in (self.client, self.server):
            if end is not None:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()


class Proxy:
    """Leads to `target`, a port of loopback or the path of a socket."""

    def __init__(self, target: int | str) -> None:
        self.target = target
        self.pairs: list[Pair] = []
        # Cleared: what comes is accepted, and waits.
        self.go = threading.Event()
        self.go.set()
        # What to do with what a server says: b"" cuts the connection in its place.
        self.answer: Callable[[Pair, bytes], bytes] = lambda pair, data: data
        # And what a client says.
        self.ask: Callable[[Pair, bytes], bytes] = lambda pair, data: data
        self.lost = 0  # how many of the next connections never lead anywhere
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            pair = Pair(client)
            self.pairs.append(pair)
            if self.lost > 0:
                self.lost -= 1
                continue
            threading.Thread(target=self._serve, args=(pair,), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self.target, int):
            return socket.create_connection(("127.0.0.1", self.target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.target)
        return server

    def _serve(self, pair: Pair) -> None:
        self.go.wait()
        try:
            pair.server = self._connect()
        except OSError:
            pair.close()
            return
        threading.Thread(target=self._pump_back, args=(pair,), daemon=True).start()
        try:
            while data := pair.client.recv(1 << 16):
                pair.heard += data
                if not pair.silent:
                    pair.server.sendall(self.ask(pair, data))
        except OSError:
            pass
        pair.close()

    def _pump_back(self, pair: Pair) -> None:
        assert pair.server is not None
        try:
            while data := pair.server.recv(1 << 16):
                if pair.silent:
                    continue
                data = self.answer(pair, data)
                if not data:
                    break
                pair.client.sendall(data)
        except OSError:
            pass
        pair.close()

    def silence(self) -> None:
        """As something on the way that has forgotten the connections: nothing passes, and nobody is told."""
        for pair in self.pairs:
            pair.silent = True

    def heard(self, word: bytes) -> int:
        return sum(pair.heard.count(word) for pair in self.pairs)

    def open(self) -> int:
        """Connections that their clients have not closed."""
        count = 0
        for pair in self.pairs:
            try:
                pair.client.setblocking(False)
                count += pair.client.recv(1, socket.MSG_PEEK) != b""
            except BlockingIOError:
                count += 1
            except OSError:
                pass
            finally:
                try:
                    pair.client.setblocking(True)
                except OSError:
                    pass
        return count

    def close(self) -> None:
        self.go.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        for pair in self.pairs:
            pair.close()
        self._thread.join(10)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()
