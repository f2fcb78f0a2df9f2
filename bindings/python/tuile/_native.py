"""The only module that knows ctypes: layouts, prototypes, and the library itself.

Everything here mirrors include/tuile.h and include/tuile/types.h by name;
tests/test_native.py parses both and fails when they drift apart. The library
is loaded as a CDLL, so the interpreter lock is free while a call runs.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char, c_char_p, c_double, c_int, c_int32
from ctypes import c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

# The version of the header that this file mirrors.
VERSION = (0, 1)
UNSET = -(2**63)

# enum tuile_status
OK = 0
ABSENT = 1
EXPIRED = 2
BAD_SIGNATURE = 3
CONFLICT = 4
EXISTS = 5
DELETED = 6
E_ARGUMENT = -1
E_SPACE = -2
E_LIMIT = -3
E_SYNTAX = -4
E_RULE = -5
E_TYPE = -6
E_RANGE = -7
E_MEMORY = -8
E_RANDOM = -9
E_STORE = -10
E_BUSY = -11
E_CORRUPT = -12
E_CALLBACK = -13

# enum tuile_same_site, by the attribute's value in lower case
SAME_SITE = {"": 0, "lax": 1, "strict": 2, "none": 3}


class Bytes(Structure):
    """struct tuile_bytes; it keeps what it was made from alive."""

    _fields_ = [("data", c_void_p), ("size", c_size_t)]

    @classmethod
    def of(cls, value: bytes) -> Bytes:
        # Going through c_char_p stores a reference to `value` in the pointer
        # object, which the attribute below keeps for as long as the struct.
        pointer = c_char_p(value)
        made = cls(ctypes.cast(pointer, c_void_p), len(value))
        made.owner = pointer
        return made

    def copy(self) -> bytes:
        return ctypes.string_at(self.data, self.size) if self.size else b""


class Error(Structure):
    _fields_ = [("status", c_int), ("offset", c_size_t), ("message", c_char * 240)]


class Cookie(Structure):
    _fields_ = [("name", Bytes), ("value", Bytes)]


class SetCookie(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", Bytes),
        ("value", Bytes),
        ("domain", Bytes),
        ("path", Bytes),
        ("max_age", c_int64),
        ("expires", c_int64),
        ("same_site", c_int),
        ("secure", c_bool),
        ("http_only", c_bool),
        ("partitioned", c_bool),
    ]


class SignerConfig(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("secret", Bytes),
        ("fallbacks", POINTER(Bytes)),
        ("fallback_count", c_size_t),
        ("salt", Bytes),
        ("timed", c_bool),
    ]


class Verified(Structure):
    _fields_ = [("timestamp", c_int64), ("key", c_size_t)]


Clock = CFUNCTYPE(c_int64, c_void_p)
AddHeader = CFUNCTYPE(c_int, c_void_p, Bytes, Bytes)


class Config(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("secret", Bytes),
        ("fallbacks", POINTER(Bytes)),
        ("fallback_count", c_size_t),
        ("store", Bytes),
        ("open_store", c_void_p),
        ("cookie_name", Bytes),
        ("cookie_domain", Bytes),
        ("cookie_path", Bytes),
        ("cookie_age", c_int64),
        ("cookie_same_site", c_int),
        ("cookie_secure", c_bool),
        ("cookie_http_only", c_bool),
        ("cookie_partitioned", c_bool),
        ("expire_at_browser_close", c_bool),
        ("save_every_request", c_bool),
        ("max_data", c_size_t),
        ("clock", Clock),
        ("clock_context", c_void_p),
    ]


class Stats(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("loads", c_uint64),
        ("misses", c_uint64),
        ("saves", c_uint64),
        ("conflicts", c_uint64),
        ("deletes", c_uint64),
        ("bad_signatures", c_uint64),
        ("resurrections_refused", c_uint64),
        ("store_failures", c_uint64),
    ]


Handle = c_void_p
_error = POINTER(Error)
_size = POINTER(c_size_t)
_write = [c_void_p, c_size_t, _size]  # buffer, capacity, *size
_key = [Handle, Bytes]
_simple = (c_int, [Handle, _error])

# What this package calls: name -> (restype, argtypes).
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "tuile_version": (c_uint32, []),
    "tuile_version_string": (c_char_p, []),
    "tuile_status_name": (c_char_p, [c_int]),
    "tuile_status_message": (c_char_p, [c_int]),
    "tuile_unset": (c_int64, []),
    "tuile_cookie_next": (c_int, [Bytes, _size, POINTER(Cookie)]),
    "tuile_set_cookie_init": (c_int, [POINTER(SetCookie)]),
    "tuile_set_cookie_write": (c_int, [POINTER(SetCookie), *_write, _error]),
    "tuile_set_cookie_delete": (c_int, [POINTER(SetCookie), *_write, _error]),
    "tuile_signer_config_init": (c_int, [POINTER(SignerConfig)]),
    "tuile_signer_new": (c_int, [POINTER(SignerConfig), POINTER(Handle), _error]),
    "tuile_signer_free": (None, [Handle]),
    "tuile_signer_sign": (c_int, [Handle, Bytes, c_int64, *_write]),
    "tuile_signer_verify": (c_int, [Handle, Bytes, c_int64, c_int64, POINTER(Bytes), POINTER(Verified)]),
    "tuile_signer_dumps": (c_int, [Handle, Bytes, c_bool, c_int64, *_write, _error]),
    "tuile_signer_loads": (c_int, [Handle, Bytes, c_int64, c_int64, *_write, POINTER(Verified), _error]),
    "tuile_config_init": (c_int, [POINTER(Config)]),
    "tuile_manager_open": (c_int, [POINTER(Config), POINTER(Handle), _error]),
    "tuile_manager_close": (None, [Handle]),
    "tuile_manager_clear_expired": (c_int, [Handle, c_size_t, _size, _error]),
    "tuile_manager_stats": (c_int, [Handle, POINTER(Stats)]),
    "tuile_session_begin": (Handle, [Handle, Bytes]),
    "tuile_session_commit": (c_int, [Handle, c_int32, AddHeader, c_void_p, _error]),
    "tuile_session_end": (None, [Handle]),
    "tuile_session_key": (c_int, [Handle, POINTER(Bytes)]),
    "tuile_session_accessed": (c_bool, [Handle]),
    "tuile_session_modified": (c_bool, [Handle]),
    "tuile_session_is_empty": (c_int, [Handle, POINTER(c_bool), _error]),
    "tuile_session_clear": _simple,
    "tuile_session_flush": _simple,
    "tuile_session_cycle_key": _simple,
    "tuile_session_get_json": (c_int, [*_key, POINTER(Bytes), _error]),
    "tuile_session_set_json": (c_int, [*_key, Bytes, _error]),
    "tuile_session_set_double": (c_int, [*_key, c_double, _error]),
    "tuile_session_add_int": (c_int, [*_key, c_int64, POINTER(c_int64), _error]),
    "tuile_session_remove": (c_int, [*_key, _error]),
    "tuile_session_contains": (c_int, [*_key, _error]),
    "tuile_session_count": (c_int, [Handle, _size, _error]),
    "tuile_session_next_key": (c_int, [Handle, _size, POINTER(Bytes), _error]),
    "tuile_session_set_expiry": (c_int, [Handle, c_int64, _error]),
    "tuile_session_set_expiry_date": (c_int, [Handle, c_int64, _error]),
    "tuile_session_clear_expiry": _simple,
    "tuile_session_get_expiry_age": (c_int, [Handle, POINTER(c_int64), _error]),
    "tuile_session_get_expiry_date": (c_int, [Handle, POINTER(c_int64), _error]),
    "tuile_session_get_expire_at_browser_close": (c_int, [Handle, POINTER(c_bool), _error]),
    "tuile_session_set_test_cookie": _simple,
    "tuile_session_test_cookie_worked": (c_int, [Handle, POINTER(c_bool), _error]),
    "tuile_session_delete_test_cookie": _simple,
}


def _find() -> str:
    chosen = os.environ.get("TUILE_LIBRARY")
    if chosen:
        return chosen
    shipped = Path(__file__).parent / "libtuile.so.0"
    return str(shipped) if shipped.exists() else "libtuile.so.0"


def _load(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
        library.tuile_version.restype = c_uint32
        found = library.tuile_version()
    except (OSError, AttributeError) as error:
        raise ImportError(f"tuile: {path} is no usable libtuile: {error}") from None
    if (found >> 16, found >> 8 & 255) != VERSION:
        raise ImportError(
            f"tuile: {path} is version {found >> 16}.{found >> 8 & 255}, "
            f"this package needs {VERSION[0]}.{VERSION[1]}; install the two from one release"
        )
    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


library = _load(_find())
