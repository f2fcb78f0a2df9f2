"""What TUILE_OPTIONS may have: one table, for `manage.py check`, for mypy and for the documents."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from ctypes import byref, sizeof
from dataclasses import dataclass
from typing import Any, Literal, Optional, TypedDict, Union

from .. import _native as native


class Options(TypedDict, total=False):
    """``TUILE_OPTIONS: tuile.django.Options = {...}`` has mypy find what is misspelt.

    .. versionadded:: 0.1.1
    """

    policy: Optional[Literal["aal2", "aal3"]]
    lifetime: int
    refresh: int
    track_owners: bool
    max_owned: int
    cycle_grace: int
    max_data: int
    previous_store: str
    revocations: str
    device_bound: Union[bool, Literal["login", "call"]]
    device_path: str
    device_seconds: int
    log: Optional[Callable[[str, str], None]]
    log_level: Literal["error", "warning", "info", "debug"]


@dataclass(frozen=True)
class Option:
    #: As the documents name it.
    kind: str
    default: Any
    unit: str = ""
    #: Where it counts: everywhere, where lists are kept, or in a store of TUILE_STORE.
    where: Literal["everywhere", "lists", "store"] = "store"
    choices: tuple[str, ...] = ()
    #: Of a number.
    least: int = 0
    most: int = (1 << 31) - 1

    def problem(self, value: Any) -> str:
        """Why it can't be that; empty if it can."""
        if value is None and self.default is None:
            return ""
        if self.choices:
            return "" if value in self.choices else f"has to be one of {', '.join(self.choices)}"
        if self.kind == "bool or str":
            return "" if value.__class__ is bool or value in ("login", "call") else "has to be True, False, 'login' or 'call'"
        if self.kind == "int":
            if value.__class__ is int and self.least <= value <= self.most:
                return ""
            return f"has to be a number of {self.unit}, {self.least} to {self.most}"
        if self.kind == "bool":
            return "" if value.__class__ is bool else "has to be True or False"
        if self.kind == "str":
            return "" if isinstance(value, str) else "has to be text"
        return "" if callable(value) else "has to be a function of a level and a message"


# The defaults are C's, but for who is listed.
_C = native.Config()
native.lib.tuile_config_init(byref(_C), sizeof(_C))

OPTIONS: dict[str, Option] = {
    "policy": Option("str", None, where="everywhere", choices=tuple(native.POLICY)),
    "lifetime": Option("int", _C.lifetime, "seconds", "everywhere"),
    "refresh": Option("int", _C.refresh, "seconds", "everywhere"),
    "track_owners": Option("bool", True, where="lists"),
    "max_owned": Option("int", _C.max_owned, "sessions", "lists", most=10_000),
    "cycle_grace": Option("int", _C.cycle_grace, "seconds"),
    "max_data": Option("int", _C.max_data, "bytes", least=1, most=64 << 20),
    "previous_store": Option("str", ""),
    "revocations": Option("str", ""),
    "device_bound": Option("bool or str", False, where="everywhere"),
    "device_path": Option("str", native.copy(_C.device_path).decode(), where="everywhere"),
    "device_seconds": Option("int", _C.device_seconds, "seconds", "everywhere", least=1, most=86400),
    "log": Option("function", None),
    "log_level": Option("str", next(name for name, level in native.LOG.items() if level == _C.log_level), choices=tuple(native.LOG)),
}


def meant(name: str, names: Iterable[str]) -> str:
    """What to say of a name that there is none of."""
    near = difflib.get_close_matches(name, names := list(names), 1)
    return f": did you mean {near[0]}?" if near else f": they are {', '.join(names)}"
