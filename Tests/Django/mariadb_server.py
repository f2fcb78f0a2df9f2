"""A MariaDB server of its own for a test that asks: Debian's, in a temporary folder, on a unix socket alone.
The server refuses to run as root: it runs as mysql then."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_there() -> bool:
    return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None


@contextmanager
def running(**settings: str) -> Iterator[Path]:
    """Gives its socket; the user root has no password there."""
    folder = Path(tempfile.mkdtemp(prefix="tuile-mariadb-"))
    data, socket = folder / "data", folder / "socket"
    user = []
    if os.getuid() == 0:
        shutil.chown(folder, "mysql", "mysql")
        user = ["--user=mysql"]
    try:
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user]
        subprocess.run(install, check=True, capture_output=True, cwd="/")
        options = {"datadir": str(data), "socket": str(socket), "skip-networking": "1", "innodb-flush-log-at-trx-commit": "0",
                   "innodb-buffer-pool-size": "32M", "pid-file": str(folder / "pid"), **settings}  # fmt: skip
        words = ["mariadbd", "--no-defaults", *user, *(f"--{name}={value}" for name, value in options.items())]
        with open(folder / "log", "wb") as log, subprocess.Popen(words, stdout=log, stderr=log, cwd="/") as server:
            try:
                for _ in range(1200):
                    if server.poll() is not None or socket.exists():
                        break
                    time.sleep(0.05)
                assert server.poll() is None and socket.exists(), (folder / "log").read_text()
                yield socket
            finally:
                server.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
