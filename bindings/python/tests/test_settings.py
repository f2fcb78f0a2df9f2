"""All settings of a manager: typed, in the table of docs/python.md, and honoured or refused."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import typing
from ctypes import byref, sizeof
from pathlib import Path
from typing import Any, Union

import pytest
from custom_store import Table
from tuile import _native as native
from tuile import asgi, flask, wsgi
from tuile.sessions import Manager, Session
from tuile.settings import FlaskSettings, Given, Settings
from tuile.signing import Keyring
from tuile.stores import Store

ROOT = Path(__file__).resolve().parents[3]
SECRET = "a secret that has its thirty-two bytes and more"


# -- the table


def rows() -> dict[str, tuple[str, str, str]]:
    page = ROOT / "docs/python.md"
    if not page.exists():
        pytest.skip("the documentation is not in the wheel")
    _, _, section = page.read_text().partition("### Settings\n")
    found = {}
    for line in section.partition("\n## ")[0].splitlines():
        if line.startswith("| `"):
            name, kind, default, meaning = (part.strip() for part in line.strip("|").split("|", 3))
            found[name.strip("`")] = (kind.replace("`", ""), default.strip("`"), meaning)
    return found


def written(hint: Any) -> str:
    """A type as the table writes it."""
    if hint is None or hint is type(None):
        return "None"
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(repr(name) for name in typing.get_args(hint))
    if typing.get_origin(hint) is Union:
        return " or ".join(written(part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is not None and "Callable" in str(hint):
        return "function"
    if "Iterable" in str(hint):
        return "list of str or bytes"
    return str(hint.__name__)


def hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def test_the_table_has_each_setting_with_its_type() -> None:
    assert {name: kind for name, (kind, _, _) in rows().items()} == {name: written(hint) for name, hint in hints(Given).items()}


def test_the_table_has_the_librarys_defaults() -> None:
    config = native.Config()
    native.lib.tuile_config_init(byref(config), sizeof(config))
    said = {name: default for name, (_, default, _) in rows().items()}
    for name, kind, *_ in native.Config._fields_:
        value = getattr(config, name)
        if name in said and not hasattr(kind, "_restype_") and name not in ("store", "secret", "fallbacks"):
            if name in ("cookie_same_site", "cookie_rule", "log_level"):
                names = {"cookie_same_site": native.SAME_SITES, "cookie_rule": native.COOKIE_RULE, "log_level": native.LOG}[name]
                value = next(repr(choice) for choice, number in names.items() if number == value)
            elif kind is native.Bytes:
                value = repr(native.copy(value).decode())
            assert said[name] == str(value), name
    assert said["store"] == "needed" and said["secret"] == '""' and said["fallbacks"] == "()"
    assert {said[name] for name in ("policy", "log", "clock", "wait")} == {"None"}


def test_every_setting_of_c_is_one_here() -> None:
    # C's device_binding is device_bound, which may be True or False.
    own = {"device_binding", "size", "fallback_count", "open_store", "keyring", "clock_context", "log_context", "wait_context"}
    fields = {name for name, *_ in native.Config._fields_} - own
    assert fields | {"policy", "device_bound"} == set(hints(Given)) and set(hints(Settings)) < set(hints(Given))
    cookie = set(flask._FLASKS)
    assert set(hints(FlaskSettings)) == set(hints(Given)) - cookie - {"store"}


def test_each_row_says_what_it_means() -> None:
    for name, (_, _, meaning) in rows().items():
        assert len(meaning) > 10, name
    for name in ("cookie_age", "lifetime", "refresh", "cycle_grace"):
        assert "second" in rows()[name][2], name
    assert "octets" in rows()["max_data"][2]


# -- type checkers

CHECKED = """
from tuile import asgi, flask, wsgi
from tuile.cookies import SetCookie
from tuile.sessions import Manager
from tuile.signing import Tokens

Manager(store="memory:", cookie_age=60, policy="aal2", cookie_same_site=None)
wsgi.SessionMiddleware(lambda e, s: [], store="memory:", cookie_age=60)
Manager(store="memory:", cookie_agee=60)
Manager(store="memory:", cookie_age="60")
Manager(store="memory:", cookie_same_site="lacks")
Manager(store="memory:", policy="aal5")
Manager(stor="memory:")
wsgi.SessionMiddleware(lambda e, s: [], store="memory:", cookie_agee=60)
asgi.SessionMiddleware(print, store="memory:", cookie_agee=60)  # type: ignore[arg-type]
flask.SessionInterface("memory:", cycle_grase=60)
flask.SessionInterface("memory:", cookie_age=60)
Tokens("flaskk", key="")
SetCookie("a", same_site="lax")
Manager(store="memory:", cookie_secure="no")
"""


def test_a_type_checker_finds_what_is_none(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    file, package = tmp_path / "checked.py", str(Path(native.__file__).parents[1])
    file.write_text(CHECKED)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(file)],
        # What is installed is found without a path.
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", **({} if "site-packages" in package else {"MYPYPATH": package})},
    )  # fmt: skip
    found = {int(number) for number in re.findall(r"checked\.py:(\d+): error", done.stdout)}
    first = CHECKED.splitlines().index('Manager(store="memory:", cookie_agee=60)') + 1
    assert found == set(range(first, len(CHECKED.splitlines()) + 1)), done.stdout + done.stderr


def test_help_names_them() -> None:
    for kind in (Manager, wsgi.SessionMiddleware, asgi.SessionMiddleware, flask.SessionInterface):
        assert "Unpack" in str(inspect.signature(kind))


# -- what they do


def header(session: Session) -> str:
    session["a"] = 1
    return dict(session.commit())["Set-Cookie"]


@pytest.mark.parametrize("policy, idle, longest", [("aal2", 3600, 86400), ("aal3", 900, 43200)])
def test_a_policy_is_kept_to(policy: Any, idle: int, longest: int) -> None:
    with Manager(store="memory:", policy=policy, clock=lambda: 1_000_000) as manager, manager.begin("") as session:
        assert f"Max-Age={idle};" in header(session) and session.get_expiry_age() == idle
        assert session.get_lifetime() == longest
    for shorter in ({"cookie_age": idle // 2}, {"lifetime": idle}, {"cookie_age": idle, "lifetime": longest}):
        settings: dict[str, Any] = shorter
        with Manager(store="memory:", policy=policy, clock=lambda: 1_000_000, **settings) as manager, manager.begin("") as session:
            assert f"Max-Age={min(shorter.get('cookie_age', idle), shorter.get('lifetime', longest))};" in header(session)
    for longer in ({"cookie_age": idle + 1}, {"lifetime": longest + 1}, {"lifetime": 0}):
        settings = longer
        with pytest.raises(ValueError, match=f"policy {policy} lets {next(iter(longer))} be"):
            Manager(store="memory:", policy=policy, **settings)


def test_refresh_keeps_a_session_alive_that_is_only_read() -> None:
    now = [1_000_000]
    for refresh, lives in ((60, True), (0, False)):
        with Manager(store="memory:", refresh=refresh, cookie_age=300, clock=lambda: now[0]) as manager:
            with manager.begin("") as session:
                cookie = header(session).partition(";")[0]
            for _ in range(3):
                now[0] += 200
                with manager.begin(cookie) as session:
                    session.load()
                    session.commit()
            with manager.begin(cookie) as session:
                assert session.load() is lives


def test_blocking_counts_every_store_that_is_asked(tmp_path: Path) -> None:
    class Quick(Table):
        blocking = False

    file, other = f"sqlite://{tmp_path / 'a.db'}", f"file://{tmp_path}"
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"store": "memory:"}, False), ({"store": "cookie:"}, False), ({"store": "cookie:flask"}, False),
        ({"store": file}, True), ({"store": other}, True), ({"store": f"cached+{file}"}, True),
        ({"store": "cookie:", "revocations": other}, True), ({"store": "cookie:", "revocations": file}, True),
        ({"store": "cookie:", "revocations": ""}, False), ({"store": other, "previous_store": file}, True),
        ({"store": Table(tmp_path / "t.db")}, True), ({"store": Quick(tmp_path / "q.db")}, False),
    ]  # fmt: skip
    for settings, waits in cases:
        with Manager(secret=SECRET, **settings) as manager:
            assert manager.blocking is waits, settings


def test_a_keyring_and_a_store_of_ones_own_are_taken(tmp_path: Path) -> None:
    assert issubclass(Table, Store)
    with Manager(store=Table(tmp_path / "t.db"), secret=Keyring(SECRET)) as manager, manager.begin("") as session:
        assert header(session)
