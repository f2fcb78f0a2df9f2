"""A store in Python keeps the rules that every store keeps, and its exceptions are StoreErrors."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any, Optional

import pytest
from custom_store import Table
from tuile import _native as native
from tuile import errors
from tuile.sessions import Manager
from tuile.stores import Bridge

ROOT = Path(__file__).resolve().parents[3]
CONTRACT = ROOT / "Tests/StoreContract"


class Contract(ctypes.Structure):
    """struct store_contract; compared with its header below."""

    _fields_ = [
        ("store", ctypes.c_void_p), ("binary", ctypes.c_bool), ("shared", ctypes.c_bool),
        ("own_clock", ctypes.c_bool), ("owners", ctypes.c_bool), ("keys", ctypes.c_bool), ("stale", ctypes.c_uint),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Any:
    library = tmp_path_factory.mktemp("contract") / "contract.so"
    sources = ["-shared", "-fPIC", "-I", CONTRACT / "include", "-I", ROOT / "include", *CONTRACT.glob("*.c")]
    subprocess.run(["cc", "-o", library, *sources, native.lib._name, "-lpthread"], check=True)
    run = ctypes.CDLL(str(library)).store_contract_run
    run.argtypes, run.restype = [ctypes.POINTER(Contract)], ctypes.c_char_p
    return run


def test_the_contract_is_the_headers() -> None:
    text = (CONTRACT / "include/store_contract.h").read_text()
    body = text[text.index("typedef struct store_contract {") : text.index("} store_contract;")]
    names = [line.split(";")[0].split()[-1].strip("*") for line in body.splitlines()[1:] if ";" in line]
    assert names == [name for name, *_ in Contract._fields_]


def broken_rule(suite: Any, store: Table) -> Optional[str]:
    bridge = Bridge(store)
    try:
        broken: Optional[bytes] = suite(ctypes.byref(Contract(store=bridge.handle, binary=True, shared=True, owners=True, keys=True)))
        return broken.decode() if broken else None
    finally:
        bridge.free()


def test_the_example_passes_the_suite_of_every_store(suite: Any, tmp_path: Path) -> None:
    assert broken_rule(suite, Table(tmp_path / "sessions.db")) is None


class Forgetful(Table):
    def replace(self, key: str, expected: bytes, data: bytes, expires: int) -> Optional[bool]:
        return super().touch(key, expires) or None


def test_a_store_that_loses_data_fails_the_suite(suite: Any, tmp_path: Path) -> None:
    assert broken_rule(suite, Forgetful(tmp_path / "sessions.db")) is not None


class Away(Table):
    away = False

    def load(self, key: str, now: int) -> Optional[tuple[bytes, int]]:
        if self.away:
            raise TimeoutError("no answer from db-7")
        return super().load(key, now)

    def close(self) -> None:
        self.closed = getattr(self, "closed", 0) + 1


def test_an_exception_is_a_store_error_with_its_cause_and_logs_nobody_out(tmp_path: Path) -> None:
    store = Away(tmp_path / "sessions.db")
    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager:
        with manager.begin("") as session:
            session["a"] = 1
            cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
        store.away = True
        with manager.begin(cookie) as session:
            with pytest.raises(errors.StoreError, match="TimeoutError") as caught:
                session.get("a")
            assert isinstance(caught.value.__cause__, TimeoutError)
            assert "db-7" not in str(caught.value)
            with pytest.raises(errors.StoreError):
                session.commit()
        store.away = False
        with manager.begin(cookie) as session:
            assert session["a"] == 1
    assert store.closed == 1


def test_a_cause_belongs_to_one_failure_alone(tmp_path: Path) -> None:
    store = Away(tmp_path / "sessions.db")
    store.away = True
    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager, manager.begin("sessionid=" + "a" * 32) as session:
        with pytest.raises(errors.StoreError):
            len(session)
    with pytest.raises(errors.SyntaxProblem) as caught:
        Manager(store="nothing", secret="a secret that has its thirty-two bytes and more")
    assert caught.value.__cause__ is None
