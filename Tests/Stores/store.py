"""A store as its C functions see it: what the Python package has no class for."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TUILE_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "bindings/python"))
os.environ.setdefault("TUILE_LIBRARY", str(BUILD / "libtuile.so.0"))
from tuile import _native as native  # noqa: E402  the path has to be set first
from tuile.sessions import Manager, Session  # noqa: E402

# The whole of it takes minutes; the usual run does a part.
FULL = bool(os.environ.get("TUILE_FULL"))
KEY, LATER = "abcdefgh", 2_000_000_000_000_000


def login(session: Session) -> Optional[str]:
    """Who is logged in, as the store's layout knows it."""
    kind, value = ctypes.c_int(), native.Bytes()
    found = session._call("get_login", ctypes.byref(kind), ctypes.byref(value)) == native.OK
    return native.copy(value).decode() if found else None


class Refused(Exception):
    """A negative status; `args` are its number, the message and the offset."""

    def __init__(self, error: native.Error) -> None:
        super().__init__(int(error.status), error.message.decode(), int(error.offset))

    @property
    def status(self) -> int:
        return int(self.args[0])

    @property
    def message(self) -> str:
        return str(self.args[1])


def patient(url: str) -> str:
    """With limits that a busy machine does not come to in a program that works for long, where the test says none."""
    if not re.match("(redis|rediss|unix|memcached)://", url):
        return url
    head, _, query = url.partition("?")
    given = {option.partition("=")[0] for option in query.split("&")}
    return f"{head}?" + "&".join([*filter(None, [query]), *(f"{name}=30000" for name in ("connect", "timeout", "wait") if name not in given)])


class Store:
    def __init__(self, url: str) -> None:
        self._handle = ctypes.c_void_p()
        self._call("tuile_store_open", native.view(url), ctypes.byref(self._handle), store=False)

    def _call(self, name: str, *arguments: object, store: bool = True) -> int:
        error = native.Error()
        handle = [self._handle] if store else []
        status = int(getattr(native.lib, name)(*handle, *arguments, ctypes.byref(error)))
        if status < 0:
            raise Refused(error)
        return status

    def load(self, key: str = KEY, now: int = 0) -> Optional[tuple[bytes, int]]:
        found: list[tuple[bytes, int]] = []
        receive = native.Receive(lambda _, data, expires: found.append((native.copy(data), expires)))
        self._call("tuile_store_load", native.view(key), now, receive, None)
        return found[0] if found else None

    def create(self, data: str | bytes, expires: int = LATER, key: str = KEY) -> bool:
        return self._call("tuile_store_create", native.view(key), native.view(data), expires) == native.OK

    def replace(self, expected: str | bytes, data: str | bytes, expires: int = LATER, key: str = KEY) -> int:
        return self._call("tuile_store_replace", native.view(key), native.view(expected), native.view(data), expires)

    def touch(self, expires: int, key: str = KEY) -> bool:
        return self._call("tuile_store_touch", native.view(key), expires) == native.OK

    def remove(self, key: str = KEY) -> None:
        self._call("tuile_store_remove", native.view(key))

    def put(self, data: str | bytes, expires: int = LATER, key: str = KEY) -> None:
        self._call("tuile_store_put", native.view(key), native.view(data), expires)

    def sweep(self, now: int, limit: int = 1000) -> int:
        removed = ctypes.c_size_t()
        self._call("tuile_store_sweep", now, limit, ctypes.byref(removed))
        return removed.value

    def keys(self, now: int = 0) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []

        def receive(_: Any, key: native.Bytes, expires: int) -> bool:
            found.append((native.copy(key).decode(), expires))
            return True

        self._call("tuile_store_keys", now, native.ReceiveKey(receive), None)
        return sorted(found)

    def own(self, owner: str, key: str = KEY) -> None:
        self._call("tuile_store_own", native.view(owner), native.view(key), native.view("r"), LATER)

    def disown(self, owner: str, key: str = KEY) -> None:
        self._call("tuile_store_disown", native.view(owner), native.view(key))

    def owners(self) -> list[str]:
        found: list[str] = []
        receive = native.ReceiveOwner(lambda _, owner: found.append(native.copy(owner).decode()) is None)
        self._call("tuile_store_owners", receive, None)
        return sorted(found)

    def close(self) -> None:
        native.lib.tuile_store_close(self._handle)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        self.close()


def written(manager: Manager, **values: Any) -> str:
    """The key of a new session."""
    with manager.begin("") as session:
        session.update(values)
        session.commit(200)
        assert session.session_key is not None
        return session.session_key


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BUILD / "Tests/Stores" / program), *map(patient, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)


def works_in_queues(url: str, folder: Path) -> None:
    """What Tests/C/queue.c asks of each store, and thousands of requests at once."""
    command = [str(BUILD / "Tests/C/test_queue"), str(folder), str(BUILD / "libtuile.so"), patient(url)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    answer = run("store_queued", url, "10000" if FULL else "2000", "200000" if FULL else "6000")
    print(answer.stdout)
    assert (answer.returncode, answer.stderr) == (0, "") and " 0 failures, 0 wrong" in answer.stdout
