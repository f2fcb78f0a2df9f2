"""Each public name of the Python package says what it does, what its parameters are, and since when it is there."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What docs/python-*.md show. Of a module without __all__ what it defines itself is public.
MODULES = """
    tuile tuile.asgi tuile.cookies tuile.errors tuile.flask tuile.jar tuile.sessions tuile.signing tuile.state tuile.stores tuile.wsgi
    tuile.django tuile.django.middleware tuile.django.owners
""".split()
VERSIONS = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def django() -> None:
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(SECRET_KEY="an example of 32 bytes, not a secret", USE_TZ=True, INSTALLED_APPS=["django.contrib.sessions"])
        django.setup()


def is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "tuile"


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Classes, functions, and their methods and properties, but not those that a dictionary or a framework has under the same name."""
    named = getattr(module, "__all__", None)
    names = named or [name for name, thing in vars(module).items() if name[0] != "_" and getattr(thing, "__module__", "") == module.__name__]
    for name in names:
        thing = getattr(module, name)
        if not is_ours(thing) or not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        yield f"{module.__name__}.{name}", thing
        if inspect.isclass(thing):
            yield from members(f"{module.__name__}.{name}", thing)


def members(path: str, kind: type) -> Iterator[tuple[str, Any]]:
    theirs = {name for base in kind.__mro__ if not is_ours(base) for name in vars(base)}
    for name in dir(kind):
        if name[0] == "_" or name in theirs:
            continue
        found = inspect.getattr_static(kind, name)
        found = found.__func__ if isinstance(found, (classmethod, staticmethod)) else found
        if isinstance(found, property) or inspect.isfunction(found):
            yield f"{path}.{name}", found


def parameters(thing: Any) -> tuple[set[str], set[str]]:
    """Those that it has to name, and those that it may: of a class whose base has them already."""
    if isinstance(thing, property):
        return set(), set()
    own = not inspect.isclass(thing) or not {"__init__", "__dataclass_fields__", "_fields"}.isdisjoint(vars(thing))
    # Of Python's own a class has none that say something: an exception's text, an enumeration's value.
    if not own and (not is_ours(getattr(thing, "__init__")) or issubclass(thing, dict)):
        return set(), set()
    names = {name for name in inspect.signature(thing).parameters if name not in ("self", "cls")}
    return names if own else set(), names


def missing(thing: Any) -> list[str]:
    """What its docstring does not say."""
    text = inspect.cleandoc(thing.__doc__ or "")
    if not text or text.startswith((":", "..")):
        return ["what it does"]
    said = re.findall(r"^:param (\w+):", text, re.MULTILINE)
    since = re.findall(r"^\.\. versionadded:: (\S+)$", text, re.MULTILINE)
    changed = re.findall(r"^\.\. versionchanged:: (\S+)$", text, re.MULTILINE)
    needed, known = parameters(thing)
    found = [f"the parameter {name}" for name in sorted(needed - set(said))]
    found += [f"{name}, which is no parameter" for name in sorted(set(said) - known)]
    if len(since) != 1 or not {*since, *changed} <= set(VERSIONS):
        found.append("since when")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_its_docstring(module: str) -> None:
    names = dict(public(importlib.import_module(module)))
    assert names or module == "tuile"
    wrong = {name: found for name, thing in names.items() if (found := missing(thing))}
    assert wrong == {}


def test_every_module_says_what_it_is() -> None:
    assert VERSIONS[0] >= "0.2.0"
    for module in MODULES:
        assert importlib.import_module(module).__doc__, module
    shown = "".join(path.read_text() for path in (ROOT / "docs").glob("python-*.md"))
    assert {name for name in re.findall(r"automodule:: (\S+)", shown)} <= set(MODULES), "a page shows a module that is not looked at"


def test_what_a_docstring_does_not_say_is_noticed() -> None:
    def bare(one: int) -> None: ...

    def half(one: int, two: int) -> None:
        """Adds.

        :param one: the first.
        :param three: the third.

        .. versionadded:: 0.1.0
        """

    def timeless(one: int) -> None:
        """Adds.

        :param one: the first.
        """

    def early() -> None:
        """Adds.

        .. versionadded:: 0.0.9
        """

    def whole(one: int) -> None:
        """Adds.

        :param one: the first.

        .. versionadded:: 0.1.0
        """

    assert missing(bare) == ["what it does"]
    assert missing(half) == ["the parameter two", "three, which is no parameter"]
    assert missing(timeless) == missing(early) == ["since when"]
    assert missing(whole) == []


def test_a_method_that_is_added_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from tuile.sessions import Manager

    def added(self: Manager) -> None: ...

    added.__module__ = Manager.__module__
    monkeypatch.setattr(Manager, "added", added, raising=False)
    names = dict(public(sys.modules["tuile.sessions"]))
    assert {name for name, thing in names.items() if missing(thing)} == {"tuile.sessions.Manager.added"}
    assert "tuile.sessions.Session.add_int" in names and "tuile.sessions.Session.get" not in names
