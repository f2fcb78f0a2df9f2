"""An owner's sessions: listed, ended one by one and all at once; a longest life; new keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from custom_store import Table
from test_sessions import saved
from tuile.sessions import Manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with Manager(store=Table(tmp_path / "sessions.db"), secret="a secret that has its thirty-two bytes and more") as manager:
        yield manager


def logged_in(manager: Manager, agent: str) -> str:
    with manager.begin("") as session:
        session.owner = "ada"
        session.set_client(agent, "192.0.2.1")
        return dict(session.commit())["Set-Cookie"].partition(";")[0]


def test_an_owners_sessions_are_listed_and_ended(manager: Manager) -> None:
    here, there, third = (logged_in(manager, agent) for agent in ("here", "there", "third"))
    with manager.begin(here) as session:
        assert session.owner == "ada" and dict(session) == {}
        rows = {row.user_agent: row for row in manager.sessions("ada", session)}
        assert {agent: row.current for agent, row in rows.items()} == {"here": True, "there": False, "third": False}
        assert rows["there"].address == "192.0.2.1" and rows["there"].created <= rows["there"].expires
        assert manager.revoke("ada", rows["there"].id) and not manager.revoke("ada", rows["there"].id)
        assert manager.revoke_all("ada", keep=session) == 1
    with manager.begin(there) as session:
        assert not session.load()
    with manager.begin(here) as session:
        assert session.load()
        session.owner = None
        session.commit()
    assert manager.sessions("ada") == []


def test_no_key_shows_in_an_entry(manager: Manager) -> None:
    key = logged_in(manager, "here").partition("=")[2]
    assert key not in repr(manager.sessions("ada"))


def test_a_longest_life(manager: Manager) -> None:
    with manager.begin(saved(manager, a=1)) as session:
        assert session.get_lifetime() is None
        session.set_lifetime(5000)
        assert 4900 < (session.get_lifetime() or 0) <= 5000


@pytest.mark.parametrize(("policy", "idle"), [("aal2", 3600), ("aal3", 900)])
def test_policies(policy: str, idle: int) -> None:
    with Manager(store="memory:", policy=policy) as manager, manager.begin("") as session:
        assert session.get_expiry_age() == idle
    with pytest.raises(ValueError):
        Manager(store="memory:", policy="none")


def test_new_keys_while_running(tmp_path: Path) -> None:
    with Manager(store=f"sqlite://{tmp_path / 's.db'}", secret="a secret that has its thirty-two bytes and more") as manager:
        cookie = saved(manager, a=1)
        manager.reload("a new secret that has its thirty-two bytes", fallbacks=["a secret that has its thirty-two bytes and more"])
        with manager.begin(cookie) as session:
            assert session["a"] == 1
        assert manager.stats()["old_secret_loads"] == 1
        manager.reload("the newest secret that has its thirty-two bytes")
        with manager.begin(cookie) as session:
            assert "a" not in session


def test_operations(manager: Manager) -> None:
    manager.check()
    assert "# TYPE tuile_" in manager.metrics()


def test_the_log_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    path = tmp_path / "s.db"
    with Manager(store=f"sqlite://{path}", secret="a secret that has its thirty-two bytes and more") as manager:
        cookie = saved(manager, a=1)
    with Manager(store=f"sqlite://{path}", secret="another secret that has its thirty-two bytes", log=lambda *line: told.append(line)) as manager:
        with manager.begin(cookie) as session:
            assert "a" not in session
    assert told and told[0][0] == "warning" and cookie.partition("=")[2] not in told[0][1]
