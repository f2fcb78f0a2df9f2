"""The one module that knows ctypes: structs, prototypes, and finding the library.

``PROTOTYPES`` and the structs repeat ``tuile.h`` and ``tuile/types.h``;
``tests/test_native.py`` compares the two.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
    create_string_buffer,
)
from pathlib import Path
from typing import Any, Callable, Optional

from . import errors

OK, ABSENT, EXPIRED, BAD_SIGNATURE = 0, 1, 2, 3
CONFLICT, EXISTS, DELETED, REFUSED = 4, 5, 6, 7
E_ARGUMENT, E_SPACE, E_LIMIT, E_SYNTAX, E_RULE, E_TYPE, E_RANGE = -1, -2, -3, -4, -5, -6, -7
E_MEMORY, E_RANDOM, E_STORE, E_BUSY, E_CORRUPT, E_CALLBACK = -8, -9, -10, -11, -12, -13
E_MISSING, E_FILE = -14, -15

UNSET = -(2**63)
MATCH_FIRST, MATCH_LAST = 0, 1
SAME_SITE: dict[Optional[str], int] = {None: 0, "Lax": 1, "Strict": 2, "None": 3}
PRIORITY: dict[Optional[str], int] = {None: 0, "Low": 1, "Medium": 2, "High": 3}
COOKIE_MODE = {"browser": 0, "django": 1, "strict": 2}
ENCODING = {"raw": 0, "percent": 1, "quoted": 2, "quoted-utf8": 3, "base64url": 4}
DIALECT = {
    "django": 0,
    "django-cookie": 1,
    "itsdangerous": 2,
    "flask": 3,
    "starlette": 4,
    "cookie-signature": 5,
    "express": 6,
    "keygrip": 7,
    "rails-signed": 8,
    "rails-encrypted": 9,
    "gorilla": 10,
    "rack": 11,
    "cookie-rs-signed": 12,
    "cookie-rs-private": 13,
    "iron-session": 14,
    "sealed": 15,
    "signed": 16,
}
DIGEST: dict[Optional[str], int] = {None: 0, "sha1": 1, "sha256": 2, "sha512": 3}
DERIVATION: dict[Optional[str], int] = {None: 0, "django-concat": 1, "concat": 2, "hmac": 3, "none": 4}
KEY = {"text": 0, "hex": 1, "base64": 2}
URL = {"path": 0, "query": 1}
SUFFIXES_LIBPSL, SUFFIXES_LABEL = 0, 1
SITE = {"same-site": 0, "cross-site-navigation": 1, "cross-site": 2}

_EXCEPTIONS: dict[int, type[errors.TuileError]] = {
    E_ARGUMENT: errors.ArgumentError,
    E_LIMIT: errors.LimitError,
    E_SYNTAX: errors.SyntaxProblem,
    E_RULE: errors.CookieRuleError,
    E_TYPE: errors.ValueTypeError,
    E_RANGE: errors.RangeError,
    E_STORE: errors.StoreError,
    E_BUSY: errors.BusyError,
    E_CORRUPT: errors.CorruptStoreError,
    E_MISSING: errors.MissingLibraryError,
    E_FILE: errors.FileError,
}


class Bytes(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]
    # Keeps what `data` points to alive as long as this.
    owner: bytes


class Error(Structure):
    _fields_ = [("status", c_int), ("offset", c_size_t), ("message", c_char * 240)]


class Cookie(Structure):
    _fields_ = [("name", Bytes), ("value", Bytes)]


class Cookies(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("headers", POINTER(Bytes)),
        ("header_count", c_size_t),
        ("mode", c_int),
        ("max_header", c_size_t),
        ("max_cookies", c_size_t),
        ("max_name", c_size_t),
        ("max_value", c_size_t),
    ]


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
        ("priority", c_int),
        ("skip_rules", c_uint32),
        ("now", c_int64),
    ]


class DjangoCookie(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("key", Bytes),
        ("value", Bytes),
        ("max_age", c_int64),
        ("expires", c_int64),
        ("expires_text", Bytes),
        ("path", Bytes),
        ("domain", Bytes),
        ("samesite", Bytes),
        ("secure", c_bool),
        ("httponly", c_bool),
        ("now", c_int64),
    ]


class SignerConfig(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("secret", Bytes),
        ("fallbacks", POINTER(Bytes)),
        ("fallback_count", c_size_t),
        ("salt", Bytes),
        ("timed", c_bool),
        ("dialect", c_int),
        ("name", Bytes),
        ("block_secret", Bytes),
        ("digest", c_int),
        ("derivation", c_int),
        ("iterations", c_uint32),
        ("lifetime", c_int64),
        ("legacy", c_bool),
        ("keyring", c_void_p),
    ]


class HiddenField(Structure):
    _fields_ = [("size", c_size_t), ("name", Bytes), ("form", Bytes), ("session_key", Bytes)]


class CsrfRequest(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("method", Bytes),
        ("secure", c_bool),
        ("host", Bytes),
        ("origin", Bytes),
        ("referer", Bytes),
        ("cookie", Bytes),
        ("token", Bytes),
        ("trusted_origins", POINTER(Bytes)),
        ("trusted_count", c_size_t),
        ("cookie_domain", Bytes),
    ]


class Verified(Structure):
    _fields_ = [("timestamp", c_int64), ("key", c_size_t)]


Receive = CFUNCTYPE(None, c_void_p, Bytes, c_int64)
Clock = CFUNCTYPE(c_int64, c_void_p)
AddHeader = CFUNCTYPE(c_int, c_void_p, Bytes, Bytes)
PublicSuffix = CFUNCTYPE(c_bool, c_void_p, Bytes)


class JarConfig(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("max_per_site", c_size_t),
        ("max_cookies", c_size_t),
        ("suffixes", c_int),
        ("public_suffix", PublicSuffix),
        ("public_suffix_context", c_void_p),
        ("clock", Clock),
        ("clock_context", c_void_p),
    ]


class JarRequest(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("url", Bytes),
        ("context", c_int),
        ("script", c_bool),
        ("top_level_site", Bytes),
    ]


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
        ("keyring", c_void_p),
        ("url_sessions", c_bool),
        ("url_name", Bytes),
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


_error = POINTER(Error)
_size = POINTER(c_size_t)

# Name: (what it returns, what it takes).
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "tuile_version": (c_uint32, []),
    "tuile_version_string": (c_char_p, []),
    "tuile_status_name": (c_char_p, [c_int]),
    "tuile_status_message": (c_char_p, [c_int]),
    "tuile_unset": (c_int64, []),
    "tuile_cookie_next": (c_int, [Bytes, _size, POINTER(Cookie)]),
    "tuile_cookie_get": (c_int, [Bytes, Bytes, c_int, POINTER(Bytes)]),
    "tuile_cookies_init": (c_int, [POINTER(Cookies)]),
    "tuile_cookies_count": (c_int, [POINTER(Cookies), _size, _error]),
    "tuile_cookies_all": (c_int, [POINTER(Cookies), POINTER(Cookie), c_size_t, _size, _error]),
    "tuile_cookies_get": (c_int, [POINTER(Cookies), Bytes, c_int, POINTER(Bytes), _error]),
    "tuile_cookies_read": (c_int, [POINTER(Cookies), Bytes, c_char_p, c_size_t, _size, _error]),
    "tuile_cookie_encode": (c_int, [Bytes, c_int, c_char_p, c_size_t, _size, _error]),
    "tuile_cookie_decode": (c_int, [Bytes, c_int, c_char_p, c_size_t, _size, _error]),
    "tuile_set_cookie_init": (c_int, [POINTER(SetCookie)]),
    "tuile_set_cookie_write": (c_int, [POINTER(SetCookie), c_char_p, c_size_t, _size, _error]),
    "tuile_set_cookie_delete": (c_int, [POINTER(SetCookie), c_char_p, c_size_t, _size, _error]),
    "tuile_set_cookie_parse": (c_int, [Bytes, POINTER(SetCookie), _error]),
    "tuile_date_write": (c_int, [c_int64, c_char_p, c_size_t, _size]),
    "tuile_date_parse": (c_int, [Bytes, POINTER(c_int64)]),
    "tuile_django_cookie_init": (c_int, [POINTER(DjangoCookie)]),
    "tuile_django_cookie_write": (c_int, [POINTER(DjangoCookie), c_char_p, c_size_t, _size, _error]),
    "tuile_django_cookie_delete": (c_int, [POINTER(DjangoCookie), c_char_p, c_size_t, _size, _error]),
    "tuile_jar_config_init": (c_int, [POINTER(JarConfig)]),
    "tuile_jar_request_init": (c_int, [POINTER(JarRequest)]),
    "tuile_jar_new": (c_int, [POINTER(JarConfig), POINTER(c_void_p), _error]),
    "tuile_jar_free": (None, [c_void_p]),
    "tuile_jar_receive": (c_int, [c_void_p, POINTER(JarRequest), Bytes, _error]),
    "tuile_jar_header": (c_int, [c_void_p, POINTER(JarRequest), c_char_p, c_size_t, _size, _error]),
    "tuile_jar_count": (c_int, [c_void_p, _size]),
    "tuile_jar_end_session": (c_int, [c_void_p]),
    "tuile_jar_load": (c_int, [c_void_p, Bytes, _error]),
    "tuile_jar_save": (c_int, [c_void_p, Bytes, c_bool, _error]),
    "tuile_keyring_new": (c_int, [c_bool, POINTER(c_void_p), _error]),
    "tuile_keyring_free": (None, [c_void_p]),
    "tuile_keyring_add": (c_int, [c_void_p, Bytes, c_int, _error]),
    "tuile_keyring_add_file": (c_int, [c_void_p, Bytes, c_int, _error]),
    "tuile_keyring_add_environment": (c_int, [c_void_p, Bytes, c_int, _error]),
    "tuile_keyring_count": (c_int, [c_void_p, _size]),
    "tuile_key_generate": (c_int, [c_char_p, c_size_t, _size]),
    "tuile_url_write": (c_int, [Bytes, c_int, Bytes, Bytes, c_char_p, c_size_t, _size, _error]),
    "tuile_url_read": (c_int, [Bytes, c_int, Bytes, POINTER(Bytes), _error]),
    "tuile_hidden_field_write": (
        c_int,
        [c_void_p, POINTER(HiddenField), Bytes, c_int64, c_char_p, c_size_t, _size, _error],
    ),
    "tuile_hidden_field_read": (
        c_int,
        [c_void_p, POINTER(HiddenField), Bytes, c_int64, c_int64, c_char_p, c_size_t, _size, _error],
    ),
    "tuile_csrf_secret": (c_int, [c_char_p, c_size_t, _size]),
    "tuile_csrf_token": (c_int, [Bytes, c_char_p, c_size_t, _size, _error]),
    "tuile_csrf_verify": (c_int, [POINTER(CsrfRequest), POINTER(c_int), _error]),
    "tuile_csrf_reason_message": (c_char_p, [c_int]),
    "tuile_signer_config_init": (c_int, [POINTER(SignerConfig)]),
    "tuile_signer_new": (c_int, [POINTER(SignerConfig), POINTER(c_void_p), _error]),
    "tuile_signer_free": (None, [c_void_p]),
    "tuile_signer_sign": (c_int, [c_void_p, Bytes, c_int64, c_char_p, c_size_t, _size]),
    "tuile_signer_verify": (c_int, [c_void_p, Bytes, c_int64, c_int64, POINTER(Bytes), POINTER(Verified)]),
    "tuile_signer_open": (
        c_int,
        [c_void_p, Bytes, c_int64, c_int64, c_char_p, c_size_t, _size, POINTER(Verified), _error],
    ),
    "tuile_signer_dumps": (c_int, [c_void_p, Bytes, c_bool, c_int64, c_char_p, c_size_t, _size, _error]),
    "tuile_signer_loads": (
        c_int,
        [c_void_p, Bytes, c_int64, c_int64, c_char_p, c_size_t, _size, POINTER(Verified), _error],
    ),
    "tuile_store_open": (c_int, [Bytes, POINTER(c_void_p), _error]),
    "tuile_store_new": (c_int, [c_void_p, c_void_p, POINTER(c_void_p), _error]),
    "tuile_store_close": (None, [c_void_p]),
    "tuile_store_load": (c_int, [c_void_p, Bytes, c_int64, Receive, c_void_p, _error]),
    "tuile_store_create": (c_int, [c_void_p, Bytes, Bytes, c_int64, _error]),
    "tuile_store_replace": (c_int, [c_void_p, Bytes, Bytes, Bytes, c_int64, _error]),
    "tuile_store_touch": (c_int, [c_void_p, Bytes, c_int64, _error]),
    "tuile_store_remove": (c_int, [c_void_p, Bytes, _error]),
    "tuile_store_sweep": (c_int, [c_void_p, c_int64, c_size_t, _size, _error]),
    "tuile_config_init": (c_int, [POINTER(Config)]),
    "tuile_manager_open": (c_int, [POINTER(Config), POINTER(c_void_p), _error]),
    "tuile_manager_close": (None, [c_void_p]),
    "tuile_manager_clear_expired": (c_int, [c_void_p, c_size_t, _size, _error]),
    "tuile_manager_stats": (c_int, [c_void_p, POINTER(Stats)]),
    "tuile_session_begin": (c_void_p, [c_void_p, Bytes]),
    "tuile_session_begin_url": (c_void_p, [c_void_p, Bytes, Bytes]),
    "tuile_session_commit": (c_int, [c_void_p, c_int32, AddHeader, c_void_p, _error]),
    "tuile_session_end": (None, [c_void_p]),
    "tuile_session_key": (c_int, [c_void_p, POINTER(Bytes)]),
    "tuile_session_accessed": (c_bool, [c_void_p]),
    "tuile_session_modified": (c_bool, [c_void_p]),
    "tuile_session_is_empty": (c_int, [c_void_p, POINTER(c_bool), _error]),
    "tuile_session_clear": (c_int, [c_void_p, _error]),
    "tuile_session_flush": (c_int, [c_void_p, _error]),
    "tuile_session_cycle_key": (c_int, [c_void_p, _error]),
    "tuile_session_type": (c_int, [c_void_p, Bytes, POINTER(c_int), _error]),
    "tuile_session_get_bool": (c_int, [c_void_p, Bytes, POINTER(c_bool), _error]),
    "tuile_session_get_int": (c_int, [c_void_p, Bytes, POINTER(c_int64), _error]),
    "tuile_session_get_double": (c_int, [c_void_p, Bytes, POINTER(c_double), _error]),
    "tuile_session_get_string": (c_int, [c_void_p, Bytes, POINTER(Bytes), _error]),
    "tuile_session_get_json": (c_int, [c_void_p, Bytes, POINTER(Bytes), _error]),
    "tuile_session_set_null": (c_int, [c_void_p, Bytes, _error]),
    "tuile_session_set_bool": (c_int, [c_void_p, Bytes, c_bool, _error]),
    "tuile_session_set_int": (c_int, [c_void_p, Bytes, c_int64, _error]),
    "tuile_session_set_double": (c_int, [c_void_p, Bytes, c_double, _error]),
    "tuile_session_set_string": (c_int, [c_void_p, Bytes, Bytes, _error]),
    "tuile_session_set_json": (c_int, [c_void_p, Bytes, Bytes, _error]),
    "tuile_session_add_int": (c_int, [c_void_p, Bytes, c_int64, POINTER(c_int64), _error]),
    "tuile_session_remove": (c_int, [c_void_p, Bytes, _error]),
    "tuile_session_contains": (c_int, [c_void_p, Bytes, _error]),
    "tuile_session_count": (c_int, [c_void_p, _size, _error]),
    "tuile_session_next_key": (c_int, [c_void_p, _size, POINTER(Bytes), _error]),
    "tuile_session_set_expiry": (c_int, [c_void_p, c_int64, _error]),
    "tuile_session_set_expiry_date": (c_int, [c_void_p, c_int64, _error]),
    "tuile_session_clear_expiry": (c_int, [c_void_p, _error]),
    "tuile_session_get_expiry_age": (c_int, [c_void_p, POINTER(c_int64), _error]),
    "tuile_session_get_expiry_date": (c_int, [c_void_p, POINTER(c_int64), _error]),
    "tuile_session_get_expire_at_browser_close": (c_int, [c_void_p, POINTER(c_bool), _error]),
    "tuile_session_set_test_cookie": (c_int, [c_void_p, _error]),
    "tuile_session_test_cookie_worked": (c_int, [c_void_p, POINTER(c_bool), _error]),
    "tuile_session_delete_test_cookie": (c_int, [c_void_p, _error]),
}

VERSION = (0, 1)


def _load() -> ctypes.CDLL:
    """The library that TUILE_LIBRARY names, else the one in this package, else the system's."""
    named = os.environ.get("TUILE_LIBRARY")
    packaged = Path(__file__).with_name("libtuile.so.0")
    path = named or (str(packaged) if packaged.exists() else "libtuile.so.0")
    try:
        loaded = ctypes.CDLL(path)
        found = loaded.tuile_version
    except (OSError, AttributeError) as problem:
        raise ImportError(f"libtuile cannot be loaded from {path}: {problem}") from problem
    number = found()
    if (number >> 16, number >> 8 & 0xFF) != VERSION:
        raise ImportError(
            f"{path} is libtuile {number >> 16}.{number >> 8 & 0xFF}, but this package is made for "
            f"{VERSION[0]}.{VERSION[1]}"
        )
    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    return loaded


lib = _load()


def version() -> str:
    text: bytes = lib.tuile_version_string()
    return text.decode("ascii")


def view(value: str | bytes) -> Bytes:
    """A view of text or bytes that stays valid as long as it is referred to."""
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
    made = Bytes(ctypes.cast(c_char_p(raw), c_void_p), len(raw))
    made.owner = raw
    return made


def address(buffer: Any) -> int:
    return ctypes.addressof(buffer)


def copy(borrowed: Bytes) -> bytes:
    return ctypes.string_at(borrowed.data, borrowed.size) if borrowed.size else b""


def failure(status: int, error: Optional[Error] = None) -> errors.TuileError:
    """The exception for a negative status."""
    if error is not None and error.message:
        message = error.message.decode("utf-8", "replace")
    else:
        message = lib.tuile_status_message(status).decode("ascii")
    if status == E_MEMORY:
        raise MemoryError(message)
    made = _EXCEPTIONS.get(status, errors.TuileError)(message)
    made.status = status
    made.offset = error.offset if error is not None else 0
    return made


def check(call: Callable[..., int], *arguments: object, space: bool = False) -> int:
    """Calls a function whose last parameter is a tuile_error; its ordinary answer.

    With ``space``, that of too small a buffer is one too.
    """
    error = Error()
    status = call(*arguments, byref(error))
    if status < 0 and not (space and status == E_SPACE):
        raise failure(status, error)
    return status


def int64(number: int) -> int:
    """The number, if it fits: ctypes would cut it without a word."""
    if not -(2**63) <= number < 2**63:
        raise failure(E_RANGE)
    return number


def size(number: int) -> int:
    """The number, if it can be a count."""
    if number < 0:
        raise failure(E_RANGE)
    return int64(number)


def filled(room: int, call: Callable[[Any, int, Any], int]) -> tuple[int, bytes]:
    """Calls with a buffer of `room` bytes, and once more if that was too small."""
    size = c_size_t()
    buffer = create_string_buffer(room)
    status = call(buffer, room, byref(size))
    if status == E_SPACE:
        buffer = create_string_buffer(size.value)
        status = call(buffer, size.value, byref(size))
    return status, buffer.raw[: size.value] if status == OK else b""
