"""The payloads of the library, through Tests/Payloads/entry.swift."""

from __future__ import annotations

import ctypes
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FORMATS = ["json", "php", "php_serialize", "php_binary", "pickle", "msgpack", "marshal"]
BY_TREE = 16
OK, MALFORMED, NOT_REPRESENTABLE, READ_ONLY, NO_MEMORY = range(5)


class View(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


LIBRARY = ctypes.CDLL(os.environ.get("TUILE_PAYLOADS", str(ROOT / "build/payloads/libpayloads.so")))
LIBRARY.payload_run.argtypes = [ctypes.c_int32, View, ctypes.POINTER(View), ctypes.POINTER(View)]
LIBRARY.payload_free.argtypes = [View]


LIBRARY.payload_rails.argtypes = [ctypes.c_int32, View, ctypes.POINTER(View), ctypes.c_int64, ctypes.c_int64, ctypes.POINTER(View)]


def _view(data: bytes) -> View:
    return View(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))


def run(format: str, stored: bytes, json: bytes | None = None) -> tuple[int, bytes]:
    """The status, and the JSON that was read or, with `json`, the bytes to store."""
    out = View()
    wanted = None if json is None else ctypes.byref(_view(json))
    answer = _taken(LIBRARY.payload_run(FORMATS.index(format), _view(stored), wanted, ctypes.byref(out)), out)
    if json is None and format != "json":
        # What is read in one pass reads as the tree reads it.
        slow = View()
        by_tree = _taken(LIBRARY.payload_run(FORMATS.index(format) | BY_TREE, _view(stored), None, ctypes.byref(slow)), slow)
        assert by_tree[0] == answer[0] and (answer[0] != OK or by_tree[1] == answer[1]), stored[:200]
    return answer


def rails(form: int, stored: bytes, json: bytes | None = None, now: int = 0, expires: int = 0) -> tuple[int, bytes]:
    """The same of an entry of Rails' cache; `form` is 0 to 2 for the formats 6.1, 7.0 and 7.1 of a new one, the times are
    Unix microseconds."""
    out = View()
    wanted = None if json is None else ctypes.byref(_view(json))
    return _taken(LIBRARY.payload_rails(form, _view(stored), wanted, now, expires, ctypes.byref(out)), out)


def _taken(status: int, out: View) -> tuple[int, bytes]:
    try:
        return status, ctypes.string_at(out.data, out.size) if out.data else b""
    finally:
        LIBRARY.payload_free(out)


def read(format: str, stored: bytes) -> bytes:
    status, json = run(format, stored)
    assert status == OK, (status, stored[:200])
    return json


def rewrite(format: str, stored: bytes, json: bytes) -> bytes:
    status, data = run(format, stored, json)
    assert status == OK, (status, stored[:200], json[:200])
    return data
