"""What a manager can be told, as type checkers see it. docs/python.md has a table of all, with defaults."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from ctypes import byref, c_bool, c_int64, sizeof
from typing import TYPE_CHECKING, Any, Optional, TypedDict, Union

from . import _native as native
from . import arguments
from .choices import CookieRule, DeviceBound, LogLevel, Policy, SameSite
from .errors import ArgumentError, ArgumentTypeError, RangeError
from .keyring import Keyring
from .stores import Store

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack
else:
    # Imported by others, and never looked at: annotations are not evaluated.
    Unpack = Any

__all__ = ["CookieSettings", "FlaskSettings", "Given", "SessionSettings", "Settings", "Unpack"]


class SessionSettings(TypedDict, total=False):
    """Those of sessions."""

    policy: Optional[Policy]
    lifetime: int
    refresh: int
    cycle_grace: int
    track_owners: bool
    max_owned: int
    max_data: int
    revocations: str
    previous_store: str
    previous_cookie: str
    url_sessions: bool
    url_name: str
    cookie_rule: CookieRule
    allow_weak_secrets: bool
    device_bound: Union[bool, DeviceBound]
    device_path: str
    device_seconds: int
    log: Optional[Callable[[str, str], None]]
    log_level: LogLevel
    clock: Optional[Callable[[], float]]
    wait: Optional[Callable[[float], object]]


class CookieSettings(TypedDict, total=False):
    """Those of the cookie that a manager writes."""

    cookie_name: str
    cookie_age: int
    cookie_domain: str
    cookie_path: str
    cookie_secure: bool
    cookie_http_only: bool
    cookie_same_site: Optional[SameSite]
    cookie_partitioned: bool
    cookie_skip_rules: int
    expire_at_browser_close: bool
    save_every_request: bool


class Settings(SessionSettings, CookieSettings, total=False):
    """All of them."""


class FlaskSettings(SessionSettings, total=False):
    """Those that Flask has no setting for."""

    secret: Union[str, bytes, Keyring]
    fallbacks: Iterable[Union[str, bytes]]
    cookie_skip_rules: int


class Given(Settings, total=False):
    """What a middleware makes a manager of. ``store`` has to be there."""

    store: Union[str, Store]
    secret: Union[str, bytes, Keyring]
    fallbacks: Iterable[Union[str, bytes]]


# What each is in C. Those that are there are names of fields.
_FIELDS: dict[str, Any] = {name: kind for name, kind, *_ in native.Config._fields_}
_CHOICES: dict[str, dict[Any, int]] = {
    "cookie_same_site": native.SAME_SITES, "cookie_rule": native.COOKIE_RULE, "log_level": native.LOG,
}  # fmt: skip
# What C calls a binding: of all logins, or of those that the application offers.
_DEVICE_BOUND: dict[Any, int] = {False: native.DEVICE_BINDING["off"], True: native.DEVICE_BINDING["login"]}
_DEVICE_BOUND |= {name: native.DEVICE_BINDING[name] for name in ("login", "call")}
_CALLBACKS = ("clock", "log", "wait")
_URLS = ("previous_store", "revocations")


def apply(config: native.Config, settings: Settings) -> list[object]:
    """Puts settings into a configuration, all or an error; what has to live as long as that."""
    given: dict[str, Any] = {**settings}
    if unknown := [arguments.meant(name, Settings.__annotations__) for name in given if name not in Settings.__annotations__]:
        raise TypeError(f"unknown setting: {', '.join(unknown)}")
    for name in _CALLBACKS:
        if given.get(name) is not None and not callable(given[name]):
            raise TypeError(f"{name} has to be a function")
    policy = given.pop("policy", None)
    if policy is not None:
        native.lib.tuile_config_set_policy(byref(config), arguments.choice(native.POLICY, policy, "policy"))
        _within(given, policy, config)
    kept: list[object] = []
    for name, value in given.items():
        if name == "device_bound":
            config.device_binding = device_binding(value)
        elif name not in _CALLBACKS:
            setattr(config, name, _converted(name, value, kept))
    return kept


def device_binding(value: Any) -> int:
    """What C has for ``device_bound``."""
    if value.__class__ not in (bool, str) or value not in _DEVICE_BOUND:
        raise ArgumentTypeError("device_bound has to be True, False, 'login' or 'call'")
    return _DEVICE_BOUND[value]


def _within(given: dict[str, Any], policy: str, config: native.Config) -> None:
    """A policy that is not kept to would be none. Shorter times keep to it."""
    for name, longest in (("cookie_age", config.cookie_age), ("lifetime", config.lifetime)):
        if name in given:
            seconds = arguments.number(given[name], name)
            if seconds > longest or (name == "lifetime" and seconds == 0):
                raise ArgumentError(f"policy {policy} lets {name} be {longest} seconds at most")


def _converted(name: str, value: Any, kept: list[object]) -> Any:
    if name in _CHOICES:
        # Numbers are what C has: they are taken where they are one of these.
        known = value in _CHOICES[name].values() if value.__class__ is int else False
        return value if known else arguments.choice(_CHOICES[name], value, name)
    kind = _FIELDS[name]
    if kind is c_bool:
        return arguments.switch(value, name)
    if kind is native.Bytes:
        view = native.view(arguments.url(value, name) if name in _URLS else value, name)
        kept.append(view)
        return view
    whole = arguments.number(value, name)
    if kind is c_int64:
        return whole
    # What C has no sign or no room for would wrap around.
    if arguments.count(whole, name) >> 8 * sizeof(kind):
        raise RangeError(f"{name} does not fit into {8 * sizeof(kind)} bits")
    return whole
