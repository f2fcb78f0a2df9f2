"""The table of options in the documents is that of the code, and the code's defaults are the library's."""

from __future__ import annotations

import re
from ctypes import byref, sizeof
from pathlib import Path
from typing import get_type_hints

import django_project  # noqa: F401  settings
from tuile import _native as native
from tuile.django import Options
from tuile.django.configuration import SETTINGS
from tuile.django.options import OPTIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs/python.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| `([\w ]+)` \| `([^`]*)` \| (\w*) ?\| (everywhere|lists|store) \|", re.M)


def test_the_documents_table() -> None:
    table = PAGE[PAGE.index("### Django's settings") : PAGE.index("### A user's sessions")]
    written = {name: (kind, default, unit, where) for name, kind, default, unit, where in ROW.findall(table)}
    shown = {
        name: (one.kind, f'"{one.default}"' if isinstance(one.default, str) else repr(one.default), one.unit, one.where)
        for name, one in OPTIONS.items()
    }
    assert written == shown
    assert table.count("\n| `") == len(OPTIONS)
    assert all(f"`{name}`" in table for name in SETTINGS)
    for name, one in OPTIONS.items():
        (line,) = [line for line in table.splitlines() if line.startswith(f"| `{name}`")]
        assert all(f"`{choice}`" in line for choice in one.choices), name


def test_the_typed_dictionary() -> None:
    hints = {name: str(hint) for name, hint in get_type_hints(Options).items()}
    assert hints.keys() == OPTIONS.keys()
    for name, one in OPTIONS.items():
        kind = "Callable" if one.kind == "function" else "Literal" if one.choices else one.kind
        if kind == "bool or str":
            # Python 3.14 writes it as it is written.
            kind = "bool | typing.Literal[" if hints[name].startswith("bool |") else "typing.Union[bool, typing.Literal["
        assert kind in hints[name] and all(choice in hints[name] for choice in one.choices), name


def test_the_defaults_are_the_librarys() -> None:
    config = native.Config()
    native.lib.tuile_config_init(byref(config), sizeof(config))
    for name, one in OPTIONS.items():
        # What Django's adapter decides for itself: by itself where the store can.
        if name in ("policy", "track_owners", "log"):
            continue
        found = getattr(config, "device_binding" if name == "device_bound" else name)
        if name == "log_level":
            found = {number: level for level, number in native.LOG.items()}[found]
        assert (native.copy(found).decode() if isinstance(found, native.Bytes) else found) == one.default, name
