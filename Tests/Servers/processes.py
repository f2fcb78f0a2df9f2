"""Servers started on loopback with a folder of their own, and stopped by their pid."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
from ports import free_port as free_port  # noqa: E402

BUILD = Path(os.environ.get("TUILE_BUILD", ROOT / "build"))


def wait_for_port(port: int, process: subprocess.Popen[str], log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"it ended with {process.returncode}: {read(log)}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}: {read(log)}")


def copy_database(source: Path, folder: Path) -> Path:
    """A copy in a folder of its own, which anybody may write to."""
    folder.mkdir()
    folder.chmod(0o777)
    copy = folder / "db"
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    copy.chmod(0o666)
    return copy


def read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def django(database: Path | str) -> Iterator[int]:
    """The application's port."""
    command = [sys.executable, HERE / "application.py", database]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "Django did not start"
        yield int(line)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Front:
    """nginx or Apache in the foreground, with a configuration file in its folder."""

    def __init__(self, folder: Path, port: int, command: list[str | Path], graceful: signal.Signals) -> None:
        self.folder, self.port, self.log, self.graceful = folder, port, folder / "error.log", graceful
        self._output = folder / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True)
        wait_for_port(port, self.process, self._output)

    def reload(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def output(self) -> str:
        return read(self._output)

    def messages(self) -> str:
        return read(self.log) + self.output()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it, and looks for what must not have happened."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        messages = self.messages()
        crash = re.search(r".*(exited on signal|exit signal|core dumped|\[alert\]|\[crit\]|ERROR SUMMARY: [1-9]).*", messages)
        assert code == 0 and crash is None, f"it ended with {code}: {crash and crash.group(0)}\n{messages[-3000:]}"


def threads(process: str) -> int:
    try:
        return len(os.listdir(f"/proc/{process}/task"))
    except OSError:  # It is over.
        return 0


class Apache(Front):
    def __init__(self, folder: Path, port: int, command: list[str | Path]) -> None:
        super().__init__(folder, port, command, signal.SIGWINCH)
        if "-X" in command:
            return  # One process, which says nothing more.
        # It listens before it takes signals: one that came then would end it as if it had crashed.
        self._wait(lambda: "resuming normal operations" in self.messages())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM alone closes sockets that a thread of mpm_event's may be freeing: with no module of ours, 16 of 7,500
        Apaches crashed so, right behind a response. Its children finish first; the parent would look a second later."""
        if number == signal.SIGTERM and self._have_threads():
            self.process.send_signal(self.graceful)
            self._wait(lambda: not self._have_threads())
        super().stop(number)

    def _have_threads(self) -> bool:
        children = read(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")).split()
        return any(threads(child) > 1 for child in children)

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not done() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
