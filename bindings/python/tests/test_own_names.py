"""What the library keeps in a session for itself is not among its values, and stays when they go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from custom_store import Table
from tuile import _native as native
from tuile.errors import ArgumentError
from tuile.sessions import Manager, Session

SECRET = "0123456789abcdef0123456789abcdef"
OWN = ["_session_id", "_session_since", "_session_ends", "_session_owner", "_session_issued", "_session_moved", "_session_moved_until"]


def cookie(session: Session) -> str:
    return dict(session.commit())["Set-Cookie"].partition(";")[0]


def full(manager: Manager) -> str:
    """A session that has all of them, as far as its store has use for them."""
    with manager.begin("") as session:
        session.update(name="Ada", _session_foo=1)
        session.owner = "ada"
        session.set_lifetime(5000)
        session.set_expiry(300)
        return cookie(session)


@pytest.fixture(params=["sqlite", "python", "memory", "cookie:", "cookie:flask", "cookie:rails", "cookie:sealed"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    stores = {"sqlite": f"sqlite://{tmp_path / 's.db'}", "python": Table(tmp_path / "t.db"), "memory": "memory:"}
    more: dict[str, Any] = {"revocations": f"sqlite://{tmp_path / 'r.db'}"} if request.param.startswith("cookie") else {}
    with Manager(store=stores.get(request.param, request.param), secret=SECRET, **more) as manager:
        yield manager


def test_they_are_not_among_the_values(manager: Manager) -> None:
    shown = {"name": "Ada", "_session_foo": 1, "_session_expiry": 300}
    with manager.begin(full(manager)) as session:
        assert session.owner == "ada" and 4900 < (session.get_lifetime() or 0) <= 5000
        assert dict(session) == json.loads(session.to_json()) == shown
        assert len(session) == 3 and [*session] == [*shown] and [*session.items()] == [*shown.items()]
        for name in OWN:
            assert name not in session and session.get(name) is None and session.pop(name, 7) == 7
            with pytest.raises(KeyError):
                session[name]


WAYS: list[Callable[[Session, str], Any]] = [
    lambda session, name: session.__setitem__(name, "x"),
    lambda session, name: session.update({"other": 1, name: "x"}),
    lambda session, name: session.setdefault(name, "x"),
    lambda session, name: session.add_int(name),
    lambda session, name: session.append(name, "x"),
    lambda session, name: session.merge({}, {"other": 1, name: "x"}),
]


@pytest.mark.parametrize("name", OWN)
def test_they_are_not_set(manager: Manager, name: str) -> None:
    sent = full(manager)
    with manager.begin(sent) as session:
        for way in WAYS:
            with pytest.raises(ArgumentError, match="keeps for itself"):
                way(session, name)
        assert "other" not in session and not session.modified
        escaped = '{"other":1,"' + name.replace("_", "\\u005f") + '":1}'
        with pytest.raises(ArgumentError):
            session._call("update", native.view(escaped))
        assert "other" not in session


def test_what_is_carried_over_a_logout_is_a_session_of_its_own(manager: Manager) -> None:
    sent = full(manager)
    with manager.begin(sent) as session:
        kept = dict(session)
        session.flush()
        session.update(kept)
        assert session.owner is None and session.get_lifetime() is None
        fresh = cookie(session)
    # The logout ended the old one, and not the new one with it.
    with manager.begin(fresh) as session:
        assert dict(session) == kept
    with manager.begin(sent) as session:
        assert not session.load() and dict(session) == {}


@pytest.mark.parametrize("read", [False, True])
def test_clearing_the_values_ends_no_limit(manager: Manager, read: bool) -> None:
    first = full(manager)
    with manager.begin(first) as session:
        if read:
            assert session["name"] == "Ada"
        session.clear()
        session["cart"] = []
        second = cookie(session)
    with manager.begin(second) as session:
        assert dict(session) == {"cart": []} and session.owner is None
        assert 4900 < (session.get_lifetime() or 0) <= 5000
        session.flush()
        session.commit()
    # Copies of the cookie from before the clearing are copies of what was logged out.
    for copy in (first, second):
        with manager.begin(copy) as session:
            assert not session.load()
