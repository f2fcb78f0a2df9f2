"""Ports for servers that a test starts."""

from __future__ import annotations

import random
import socket
from collections import deque
from pathlib import Path

# Of the ports given out last, as long as this process lives: by then their servers listen.
_marks: deque[socket.socket] = deque(maxlen=100)


def free_port() -> int:
    """One that nobody listens on, and that no other test is given meanwhile. Below those that the
    kernel takes for connections by itself: else one of these could have it before the server has."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(first // 2, first), first // 4):
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0tuile-test-port-{port}")
            with socket.socket() as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        _marks.append(mark)
        return port
    raise OSError("no port is free")


if __name__ == "__main__":
    print(free_port())
