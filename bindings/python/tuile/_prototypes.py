"""The structs, constants and functions of tuile.h, as ctypes sees them.

Generated from the library's sources by scripts/generate-header: edit those.
"""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
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
)
from typing import Any

OK = 0
ABSENT = 1
EXPIRED = 2
BAD_SIGNATURE = 3
CONFLICT = 4
EXISTS = 5
DELETED = 6
REFUSED = 7
UNREADABLE = 8
UNBOUND = 9
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
E_MISSING = -14
E_FILE = -15
E_UNKNOWN = -16
E_CANCELLED = -17


class Bytes(Structure):
    _fields_ = [
        ("data", c_char_p),
        ("size", c_size_t),
    ]


class Error(Structure):
    _fields_ = [
        ("status", c_int),
        ("offset", c_size_t),
        ("message", c_char * 240),
    ]


class Cookie(Structure):
    _fields_ = [
        ("name", Bytes),
        ("value", Bytes),
    ]


MATCH = {
    "first": 0,
    "last": 1,
}

COOKIE_RULE = {
    "default": 0,
    "django": 1,
    "flask": 2,
    "go": 3,
    "express": 4,
    "rack": 5,
}

COOKIE_MODE = {
    "browser": 0,
    "django": 1,
    "strict": 2,
}


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


ENCODING = {
    "raw": 0,
    "percent": 1,
    "quoted": 2,
    "quoted-utf8": 3,
    "base64url": 4,
}

SAME_SITE = {
    "unset": 0,
    "lax": 1,
    "strict": 2,
    "none": 3,
}

PRIORITY = {
    "unset": 0,
    "low": 1,
    "medium": 2,
    "high": 3,
}

RULE = {
    "name": 1 << 0,
    "value": 1 << 1,
    "domain": 1 << 2,
    "path": 1 << 3,
    "size": 1 << 4,
    "attribute-size": 1 << 5,
    "lifetime": 1 << 6,
    "same-site": 1 << 7,
    "partitioned": 1 << 8,
    "prefix": 1 << 9,
}


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


Clock = CFUNCTYPE(c_int64, c_void_p)

PublicSuffix = CFUNCTYPE(c_bool, c_void_p, Bytes)

SUFFIXES = {
    "libpsl": 0,
    "label": 1,
}


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


SITE = {
    "same": 0,
    "navigation": 1,
    "cross": 2,
}


class JarRequest(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("url", Bytes),
        ("context", c_int),
        ("script", c_bool),
        ("top_level_site", Bytes),
    ]


SECRET = {
    "text": 0,
    "hex": 1,
    "base64": 2,
}

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
    "fernet": 17,
    "tornado": 18,
    "hono": 19,
    "jwt": 20,
    "laravel": 21,
    "laravel-gcm": 22,
    "auth-js": 23,
    "data-protection": 24,
}

DIGEST = {
    "default": 0,
    "sha1": 1,
    "sha256": 2,
    "sha512": 3,
    "sha384": 4,
}

CIPHER = {
    "default": 0,
    "aes-256-gcm": 1,
    "aes-192-gcm": 2,
    "aes-128-gcm": 3,
    "aes-256-cbc": 4,
}

DERIVATION = {
    "default": 0,
    "django-concat": 1,
    "concat": 2,
    "hmac": 3,
    "none": 4,
}


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
        ("leeway", c_int64),
        ("cipher", c_int),
        ("mac_digest", c_int),
        ("mac_salt", Bytes),
    ]


class Signing(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("value", Bytes),
        ("now", c_int64),
        ("compress", c_bool),
    ]


class Verification(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("token", Bytes),
        ("max_age", c_int64),
        ("now", c_int64),
        ("timestamp", c_int64),
        ("secret", c_size_t),
    ]


URL = {
    "path": 0,
    "query": 1,
}


class UrlParameter(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("place", c_int),
        ("name", Bytes),
        ("value", Bytes),
    ]


class HiddenField(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", Bytes),
        ("form", Bytes),
        ("session_id", Bytes),
        ("value", Bytes),
        ("body", Bytes),
        ("max_age", c_int64),
        ("now", c_int64),
    ]


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


CSRF = {
    "none": 0,
    "bad-origin": 1,
    "no-referer": 2,
    "malformed-referer": 3,
    "insecure-referer": 4,
    "bad-referer": 5,
    "no-cookie": 6,
    "bad-cookie": 7,
    "no-token": 8,
    "bad-token": 9,
    "wrong-token": 10,
}

Receive = CFUNCTYPE(None, c_void_p, Bytes, c_int64)

ReceiveOwned = CFUNCTYPE(None, c_void_p, Bytes, Bytes, c_int64)

ReceiveKey = CFUNCTYPE(c_bool, c_void_p, Bytes, c_int64)

ReceiveOwner = CFUNCTYPE(c_bool, c_void_p, Bytes)

STORE = {
    "load": 0,
    "create": 1,
    "replace": 2,
}


class StoreCall(Structure):
    _fields_ = [
        ("operation", c_int),
        ("key", Bytes),
        ("expected", Bytes),
        ("data", Bytes),
        ("time", c_int64),
        ("receiver", c_void_p),
        ("status", c_int),
        ("error", Error),
    ]


class StoreOps(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("trusted", c_bool),
        ("load", CFUNCTYPE(c_int, c_void_p, Bytes, c_int64, Receive, c_void_p, POINTER(Error))),
        ("create", CFUNCTYPE(c_int, c_void_p, Bytes, Bytes, c_int64, POINTER(Error))),
        ("replace", CFUNCTYPE(c_int, c_void_p, Bytes, Bytes, Bytes, c_int64, POINTER(Error))),
        ("touch", CFUNCTYPE(c_int, c_void_p, Bytes, c_int64, POINTER(Error))),
        ("remove", CFUNCTYPE(c_int, c_void_p, Bytes, POINTER(Error))),
        ("sweep", CFUNCTYPE(c_int, c_void_p, c_int64, c_size_t, POINTER(c_size_t), POINTER(Error))),
        ("close", CFUNCTYPE(None, c_void_p)),
        ("put", CFUNCTYPE(c_int, c_void_p, Bytes, Bytes, c_int64, POINTER(Error))),
        ("own", CFUNCTYPE(c_int, c_void_p, Bytes, Bytes, Bytes, c_int64, POINTER(Error))),
        ("owned", CFUNCTYPE(c_int, c_void_p, Bytes, c_int64, ReceiveOwned, c_void_p, POINTER(Error))),
        ("disown", CFUNCTYPE(c_int, c_void_p, Bytes, Bytes, POINTER(Error))),
        ("keys", CFUNCTYPE(c_int, c_void_p, c_int64, ReceiveKey, c_void_p, POINTER(Error))),
        ("owners", CFUNCTYPE(c_int, c_void_p, ReceiveOwner, c_void_p, POINTER(Error))),
        ("owned_record", CFUNCTYPE(c_int, c_void_p, Bytes, Bytes, Receive, c_void_p, POINTER(Error))),
        ("confirms", c_bool),
        ("max_together", c_size_t),
        ("together", CFUNCTYPE(None, c_void_p, POINTER(StoreCall), c_size_t, Receive)),
    ]


ModuleOpenFunction = CFUNCTYPE(c_int, Bytes, POINTER(StoreOps), POINTER(c_void_p), POINTER(Error))

AddHeader = CFUNCTYPE(c_int, c_void_p, Bytes, Bytes)

Wait = CFUNCTYPE(c_int, c_void_p, c_uint32)

LOG = {
    "error": 0,
    "warning": 1,
    "info": 2,
    "debug": 3,
}

Log = CFUNCTYPE(None, c_void_p, c_int, Bytes)

DEVICE_BINDING = {
    "off": 0,
    "call": 1,
    "login": 2,
}


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
        ("lifetime", c_int64),
        ("refresh", c_int64),
        ("cycle_grace", c_int64),
        ("track_owners", c_bool),
        ("max_owned", c_size_t),
        ("previous_store", Bytes),
        ("previous_cookie", Bytes),
        ("revocations", Bytes),
        ("log", Log),
        ("log_context", c_void_p),
        ("log_level", c_int),
        ("cookie_rule", c_int),
        ("cookie_skip_rules", c_uint32),
        ("allow_weak_secrets", c_bool),
        ("wait", Wait),
        ("wait_context", c_void_p),
        ("device_binding", c_int),
        ("device_path", Bytes),
        ("device_seconds", c_int64),
    ]


class DeviceRequest(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("method", Bytes),
        ("proof", Bytes),
        ("identifier", Bytes),
        ("skipped", Bytes),
        ("fetch_site", Bytes),
        ("fetch_mode", Bytes),
        ("fetch_dest", Bytes),
    ]


class Header(Structure):
    _fields_ = [
        ("name", Bytes),
        ("value", Bytes),
    ]


class DeviceAnswer(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("http_status", c_int32),
        ("headers", POINTER(Header)),
        ("header_count", c_size_t),
        ("body", Bytes),
    ]


POLICY = {
    "aal2": 2,
    "aal3": 3,
}


class OwnedSession(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("id", Bytes),
        ("created", c_int64),
        ("seen", c_int64),
        ("expires", c_int64),
        ("user_agent", Bytes),
        ("address", Bytes),
        ("current", c_bool),
        ("device_bound", c_bool),
    ]


ReceiveOwnedSession = CFUNCTYPE(None, c_void_p, POINTER(OwnedSession))

LOSS = {
    "value": 0,
    "expiry": 1,
    "metadata": 2,
}

ReceiveLoss = CFUNCTYPE(None, c_void_p, c_int, Bytes)


class Copying(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("look", c_bool),
        ("lossy", c_bool),
        ("lost", ReceiveLoss),
        ("lost_context", c_void_p),
    ]


TYPE = {
    "null": 0,
    "bool": 1,
    "int": 2,
    "double": 3,
    "string": 4,
    "array": 5,
    "object": 6,
}


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
        ("old_secret_loads", c_uint64),
        ("touches", c_uint64),
        ("cookie_bytes", c_uint64),
        ("revoked", c_uint64),
        ("swept", c_uint64),
    ]


OPERATION = {
    "load": 0,
    "create": 1,
    "replace": 2,
    "touch": 3,
    "remove": 4,
    "sweep": 5,
    "put": 6,
    "own": 7,
    "owned": 8,
    "disown": 9,
}


class Latency(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("calls", c_uint64),
        ("microseconds", c_uint64),
        ("buckets", c_uint64 * 24),
    ]


Complete = CFUNCTYPE(None, c_void_p, c_int, POINTER(Error))


class QueueConfig(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("workers", c_size_t),
        ("max_waiting", c_size_t),
        ("deadline", c_uint32),
        ("deliver_on_workers", c_bool),
    ]


# Name: (what it returns, what it takes).
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "tuile_version": (c_uint32, []),
    "tuile_version_string": (c_char_p, []),
    "tuile_status_name": (c_char_p, [c_int]),
    "tuile_status_message": (c_char_p, [c_int]),
    "tuile_config_init": (c_int, [POINTER(Config), c_size_t]),
    "tuile_config_set_policy": (c_int, [POINTER(Config), c_int]),
    "tuile_manager_open": (c_int, [POINTER(Config), POINTER(c_void_p), POINTER(Error)]),
    "tuile_manager_close": (None, [c_void_p]),
    "tuile_manager_reload": (c_int, [c_void_p, POINTER(Config), POINTER(Error)]),
    "tuile_session_start": (c_int, [c_void_p, Bytes, Bytes, POINTER(c_void_p), POINTER(Error)]),
    "tuile_session_start_with_id": (c_int, [c_void_p, Bytes, POINTER(c_void_p), POINTER(Error)]),
    "tuile_session_commit": (c_int, [c_void_p, c_int32, AddHeader, c_void_p, POINTER(Error)]),
    "tuile_session_has_several_cookies": (c_int, [c_void_p, POINTER(c_bool)]),
    "tuile_session_is_revocable": (c_int, [c_void_p, POINTER(c_bool), POINTER(Error)]),
    "tuile_session_touch": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_end": (None, [c_void_p]),
    "tuile_session_id": (c_int, [c_void_p, POINTER(Bytes)]),
    "tuile_session_make_id": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_accessed": (c_bool, [c_void_p]),
    "tuile_session_modified": (c_bool, [c_void_p]),
    "tuile_session_is_empty": (c_int, [c_void_p, POINTER(c_bool), POINTER(Error)]),
    "tuile_session_clear": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_flush": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_cycle_id": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_type": (c_int, [c_void_p, Bytes, POINTER(c_int), POINTER(Error)]),
    "tuile_session_get_bool": (c_int, [c_void_p, Bytes, POINTER(c_bool), POINTER(Error)]),
    "tuile_session_get_int": (c_int, [c_void_p, Bytes, POINTER(c_int64), POINTER(Error)]),
    "tuile_session_get_double": (c_int, [c_void_p, Bytes, POINTER(c_double), POINTER(Error)]),
    "tuile_session_get_string": (c_int, [c_void_p, Bytes, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_get_json": (c_int, [c_void_p, Bytes, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_set_bool": (c_int, [c_void_p, Bytes, c_bool, POINTER(Error)]),
    "tuile_session_set_int": (c_int, [c_void_p, Bytes, c_int64, POINTER(Error)]),
    "tuile_session_set_double": (c_int, [c_void_p, Bytes, c_double, POINTER(Error)]),
    "tuile_session_set_string": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_session_set_json": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_session_get_login": (c_int, [c_void_p, POINTER(c_int), POINTER(Bytes), POINTER(Error)]),
    "tuile_session_add_int": (c_int, [c_void_p, Bytes, c_int64, POINTER(c_int64), POINTER(Error)]),
    "tuile_session_remove": (c_int, [c_void_p, Bytes, POINTER(Error)]),
    "tuile_session_count": (c_int, [c_void_p, POINTER(c_size_t), POINTER(Error)]),
    "tuile_session_load": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_json": (c_int, [c_void_p, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_update": (c_int, [c_void_p, Bytes, POINTER(Error)]),
    "tuile_session_pop": (c_int, [c_void_p, Bytes, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_set_default": (c_int, [c_void_p, Bytes, Bytes, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_append": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_session_next_item": (c_int, [c_void_p, POINTER(c_size_t), POINTER(Bytes), POINTER(Bytes),
        POINTER(Error)]),
    "tuile_session_set_bytes": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_session_get_bytes": (c_int, [c_void_p, Bytes, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_set_expiry": (c_int, [c_void_p, c_int64, POINTER(Error)]),
    "tuile_session_set_expiry_time": (c_int, [c_void_p, c_int64, POINTER(Error)]),
    "tuile_session_set_stored_time": (c_int, [c_void_p, c_int64, POINTER(Error)]),
    "tuile_session_set_lifetime": (c_int, [c_void_p, c_int64, POINTER(Error)]),
    "tuile_session_get_lifetime": (c_int, [c_void_p, POINTER(c_int64), POINTER(Error)]),
    "tuile_session_get_expiry_age": (c_int, [c_void_p, c_int64, Bytes, POINTER(c_int64), POINTER(Error)]),
    "tuile_session_get_expiry_time": (c_int, [c_void_p, c_int64, Bytes, POINTER(c_int64), POINTER(Error)]),
    "tuile_session_get_expire_at_browser_close": (c_int, [c_void_p, POINTER(c_bool), POINTER(Error)]),
    "tuile_session_set_owner": (c_int, [c_void_p, Bytes, POINTER(Error)]),
    "tuile_session_get_owner": (c_int, [c_void_p, POINTER(Bytes), POINTER(Error)]),
    "tuile_session_set_client": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_manager_sessions": (c_int, [c_void_p, Bytes, c_void_p, ReceiveOwnedSession, c_void_p, POINTER(Error)]),
    "tuile_manager_revoke": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_manager_revoke_all": (c_int, [c_void_p, Bytes, c_void_p, POINTER(c_size_t), POINTER(Error)]),
    "tuile_manager_sweep": (c_int, [c_void_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_manager_stats": (c_int, [c_void_p, POINTER(Stats)]),
    "tuile_manager_start_sweeping": (c_int, [c_void_p, c_uint32, c_size_t, POINTER(Error)]),
    "tuile_manager_stop_sweeping": (None, [c_void_p]),
    "tuile_manager_check": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_manager_latency": (c_int, [c_void_p, c_int, POINTER(Latency)]),
    "tuile_manager_metrics": (c_int, [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)]),
    "tuile_cookie_next": (c_int, [Bytes, POINTER(c_size_t), POINTER(Cookie)]),
    "tuile_cookie_get": (c_int, [Bytes, Bytes, c_int, POINTER(Bytes)]),
    "tuile_cookie_read": (c_int, [Bytes, Bytes, c_int, c_char_p, c_size_t, POINTER(c_size_t)]),
    "tuile_cookie_differs": (c_int, [Bytes, Bytes, c_int, POINTER(c_bool)]),
    "tuile_cookies_init": (c_int, [POINTER(Cookies), c_size_t]),
    "tuile_cookies_count": (c_int, [POINTER(Cookies), POINTER(c_size_t), POINTER(Error)]),
    "tuile_cookies_all": (c_int, [POINTER(Cookies), POINTER(Cookie), c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_cookies_get": (c_int, [POINTER(Cookies), Bytes, c_int, POINTER(Bytes), POINTER(Error)]),
    "tuile_cookies_read": (c_int, [POINTER(Cookies), Bytes, c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_cookie_encode": (c_int, [Bytes, c_int, c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_cookie_decode": (c_int, [Bytes, c_int, c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_set_cookie_init": (c_int, [POINTER(SetCookie), c_size_t]),
    "tuile_set_cookie_write": (c_int, [POINTER(SetCookie), c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_set_cookie_delete": (c_int, [POINTER(SetCookie), c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_set_cookie_read": (c_int, [Bytes, POINTER(SetCookie), POINTER(Error)]),
    "tuile_date_write": (c_int, [c_int64, c_char_p, c_size_t, POINTER(c_size_t)]),
    "tuile_date_read": (c_int, [Bytes, POINTER(c_int64)]),
    "tuile_django_cookie_init": (c_int, [POINTER(DjangoCookie), c_size_t]),
    "tuile_django_cookie_write": (c_int, [POINTER(DjangoCookie), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_django_cookie_delete": (c_int, [POINTER(DjangoCookie), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_jar_config_init": (c_int, [POINTER(JarConfig), c_size_t]),
    "tuile_jar_request_init": (c_int, [POINTER(JarRequest), c_size_t]),
    "tuile_jar_new": (c_int, [POINTER(JarConfig), POINTER(c_void_p), POINTER(Error)]),
    "tuile_jar_free": (None, [c_void_p]),
    "tuile_jar_receive": (c_int, [c_void_p, POINTER(JarRequest), Bytes, POINTER(Error)]),
    "tuile_jar_header": (c_int, [c_void_p, POINTER(JarRequest), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_jar_count": (c_int, [c_void_p, POINTER(c_size_t)]),
    "tuile_jar_end_session": (c_int, [c_void_p]),
    "tuile_jar_load": (c_int, [c_void_p, Bytes, POINTER(c_size_t), POINTER(Error)]),
    "tuile_jar_save": (c_int, [c_void_p, Bytes, c_bool, POINTER(Error)]),
    "tuile_keyring_new": (c_int, [c_bool, POINTER(c_void_p), POINTER(Error)]),
    "tuile_keyring_free": (None, [c_void_p]),
    "tuile_keyring_add": (c_int, [c_void_p, Bytes, c_int, POINTER(Error)]),
    "tuile_keyring_add_entry": (c_int, [c_void_p, Bytes, Bytes, c_int64, c_int, POINTER(Error)]),
    "tuile_keyring_add_file": (c_int, [c_void_p, Bytes, c_int, POINTER(Error)]),
    "tuile_keyring_add_environment": (c_int, [c_void_p, Bytes, c_int, POINTER(Error)]),
    "tuile_keyring_count": (c_int, [c_void_p, POINTER(c_size_t)]),
    "tuile_secret_generate": (c_int, [c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_keyring_verify_login": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_secret_derive": (c_int, [Bytes, Bytes, c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_keyring_derive": (c_int, [c_void_p, Bytes, POINTER(c_void_p), POINTER(Error)]),
    "tuile_signer_config_init": (c_int, [POINTER(SignerConfig), c_size_t]),
    "tuile_signer_new": (c_int, [POINTER(SignerConfig), POINTER(c_void_p), POINTER(Error)]),
    "tuile_signer_free": (None, [c_void_p]),
    "tuile_token_sign": (c_int, [c_void_p, POINTER(Signing), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_token_verify": (c_int, [c_void_p, POINTER(Verification), POINTER(Bytes), POINTER(Error)]),
    "tuile_token_unsign": (c_int, [c_void_p, POINTER(Verification), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_token_dumps": (c_int, [c_void_p, POINTER(Signing), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_token_loads": (c_int, [c_void_p, POINTER(Verification), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_url_write": (c_int, [Bytes, POINTER(UrlParameter), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_url_read": (c_int, [Bytes, c_int, Bytes, POINTER(Bytes), POINTER(Error)]),
    "tuile_hidden_field_write": (c_int, [c_void_p, POINTER(HiddenField), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_hidden_field_read": (c_int, [c_void_p, POINTER(HiddenField), c_char_p, c_size_t, POINTER(c_size_t),
        POINTER(Error)]),
    "tuile_csrf_secret": (c_int, [c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_csrf_token": (c_int, [Bytes, c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_csrf_verify": (c_int, [POINTER(CsrfRequest), POINTER(c_int), POINTER(Error)]),
    "tuile_csrf_reason_message": (c_char_p, [c_int]),
    "tuile_store_open": (c_int, [Bytes, POINTER(c_void_p), POINTER(Error)]),
    "tuile_module_folder": (c_int, [Bytes]),
    "tuile_store_open_ops": (c_int, [POINTER(StoreOps), c_void_p, POINTER(c_void_p), POINTER(Error)]),
    "tuile_store_close": (None, [c_void_p]),
    "tuile_store_load": (c_int, [c_void_p, Bytes, c_int64, Receive, c_void_p, POINTER(Error)]),
    "tuile_store_create": (c_int, [c_void_p, Bytes, Bytes, c_int64, POINTER(Error)]),
    "tuile_store_replace": (c_int, [c_void_p, Bytes, Bytes, Bytes, c_int64, POINTER(Error)]),
    "tuile_store_touch": (c_int, [c_void_p, Bytes, c_int64, POINTER(Error)]),
    "tuile_store_remove": (c_int, [c_void_p, Bytes, POINTER(Error)]),
    "tuile_store_sweep": (c_int, [c_void_p, c_int64, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_store_put": (c_int, [c_void_p, Bytes, Bytes, c_int64, POINTER(Error)]),
    "tuile_store_keys": (c_int, [c_void_p, c_int64, ReceiveKey, c_void_p, POINTER(Error)]),
    "tuile_store_owners": (c_int, [c_void_p, ReceiveOwner, c_void_p, POINTER(Error)]),
    "tuile_store_key_id": (c_int, [Bytes, c_char_p, c_size_t, POINTER(c_size_t)]),
    "tuile_store_own": (c_int, [c_void_p, Bytes, Bytes, Bytes, c_int64, POINTER(Error)]),
    "tuile_store_owned": (c_int, [c_void_p, Bytes, c_int64, ReceiveOwned, c_void_p, POINTER(Error)]),
    "tuile_store_owned_record": (c_int, [c_void_p, Bytes, Bytes, Receive, c_void_p, POINTER(Error)]),
    "tuile_store_disown": (c_int, [c_void_p, Bytes, Bytes, POINTER(Error)]),
    "tuile_layout_read": (c_int, [Bytes, Bytes, c_char_p, c_size_t, POINTER(c_size_t), POINTER(Error)]),
    "tuile_manager_copy_session": (c_int, [c_void_p, c_void_p, Bytes, POINTER(Copying), POINTER(Error)]),
    "tuile_device_request_init": (c_int, [POINTER(DeviceRequest), c_size_t]),
    "tuile_device_answer_init": (c_int, [POINTER(DeviceAnswer), c_size_t]),
    "tuile_session_offer_device_binding": (c_int, [c_void_p, POINTER(Error)]),
    "tuile_session_is_device_bound": (c_int, [c_void_p, POINTER(c_bool)]),
    "tuile_session_answer_device": (c_int, [c_void_p, POINTER(DeviceRequest), POINTER(DeviceAnswer),
        POINTER(Error)]),
    "tuile_session_refuse": (c_int, [c_void_p, POINTER(DeviceRequest), POINTER(DeviceAnswer), POINTER(Error)]),
    "tuile_flat_cookies": (c_int64, [c_char_p, c_size_t, c_int, c_char_p, c_size_t]),
    "tuile_flat_set_cookie": (c_int64, [c_char_p, c_size_t, c_int64, c_uint32, c_char_p, c_size_t]),
    "tuile_flat_sign": (c_int64, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "tuile_flat_unsign": (c_int64, [c_void_p, c_char_p, c_size_t, c_int64, c_char_p, c_size_t]),
    "tuile_flat_dumps": (c_int64, [c_void_p, c_char_p, c_size_t, c_int32, c_char_p, c_size_t]),
    "tuile_flat_loads": (c_int64, [c_void_p, c_char_p, c_size_t, c_int64, c_char_p, c_size_t]),
    "tuile_queue_config_init": (c_int, [POINTER(QueueConfig), c_size_t]),
    "tuile_queue_open": (c_int, [c_void_p, POINTER(QueueConfig), POINTER(c_void_p), POINTER(Error)]),
    "tuile_queue_fd": (c_int32, [c_void_p]),
    "tuile_queue_run": (c_int, [c_void_p, POINTER(c_size_t)]),
    "tuile_queue_close": (None, [c_void_p]),
    "tuile_queue_load": (c_int, [c_void_p, c_void_p, Complete, c_void_p, POINTER(c_uint64), POINTER(Error)]),
    "tuile_queue_commit": (c_int, [c_void_p, c_void_p, c_int32, AddHeader, c_void_p, Complete, c_void_p,
        POINTER(c_uint64), POINTER(Error)]),
    "tuile_queue_flush": (c_int, [c_void_p, c_void_p, Complete, c_void_p, POINTER(c_uint64), POINTER(Error)]),
    "tuile_queue_sessions": (c_int, [c_void_p, Bytes, c_void_p, ReceiveOwnedSession, c_void_p, Complete, c_void_p,
        POINTER(c_uint64), POINTER(Error)]),
    "tuile_queue_revoke": (c_int, [c_void_p, Bytes, Bytes, Complete, c_void_p, POINTER(c_uint64), POINTER(Error)]),
    "tuile_queue_revoke_all": (c_int, [c_void_p, Bytes, c_void_p, POINTER(c_size_t), Complete, c_void_p,
        POINTER(c_uint64), POINTER(Error)]),
    "tuile_queue_cancel": (c_int, [c_void_p, c_uint64]),
    "tuile_flat_begin": (c_int64, [c_void_p, c_char_p, c_size_t, POINTER(c_void_p), c_char_p, c_size_t]),
    "tuile_flat_commit": (c_int64, [c_void_p, c_char_p, c_size_t, c_int32, c_char_p, c_size_t]),
    "tuile_flat_again": (c_int64, [c_void_p, c_char_p, c_size_t]),
}
