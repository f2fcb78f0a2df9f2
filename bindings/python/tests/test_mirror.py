"""A framework's dictionary beside a session: the same whether calls go straight to the library or through a session of Python's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tuile import _flat as flat
from tuile.errors import LimitError
from tuile.mirror import Mirror
from tuile.session import ServedSession
from tuile.sessions import Manager, SessionDeleted


@pytest.fixture(params=["straight", "a log", "asked before"])
def manager(request: pytest.FixtureRequest) -> Iterator[Manager]:
    log = {"log": lambda level, message: None} if request.param == "a log" else {}
    with Manager(store="memory:", max_data=2000, **log) as manager:
        assert manager._is_atomic == (request.param != "a log" and flat.LOCKED)
        manager.asks = request.param == "asked before"  # type: ignore[attr-defined]
        yield manager


def opened(manager: Manager, key: str) -> tuple[Mirror, dict[str, Any]]:
    handle, found = manager._read(f"{manager.cookie_name}={key}".encode())
    mirror = Mirror(manager, handle)
    if manager.asks:  # type: ignore[attr-defined]
        assert mirror.session.session_key == (key or None)
    return mirror, mirror.read_as(found[3], compared=True)


def made(manager: Manager, **values: Any) -> str:
    mirror, own = opened(manager, "")
    own.update(values)
    key, headers = mirror.commit(mirror.difference(own))
    assert headers.startswith("Set-Cookie\0")
    mirror.close()
    return key


def stored(manager: Manager, key: str) -> dict[str, Any]:
    with manager.begin(f"{manager.cookie_name}={key}") as session:
        return dict(session)


def test_changes_are_saved(manager: Manager) -> None:
    key = made(manager, a=1, inside=[1], gone="x")
    mirror, values = opened(manager, key)
    assert mirror.is_same(values)
    values["inside"].append({"é": None})
    values["b\0"] = "a name that a flat text can't hold"
    del values["gone"]
    assert not mirror.is_same(values) and mirror.may_differ_inside(values)
    assert mirror.commit(mirror.difference(values))[0] == key
    assert stored(manager, key) == values == {"a": 1, "inside": [1, {"é": None}], "b\0": values["b\0"]}
    assert not any(mirror.difference(values))
    values["a"] = 2
    mirror.commit(mirror.difference(values))
    assert mirror.session["a"] == 2, "a session that is asked for later has what was saved"
    mirror.close()


def test_who_only_reads_keeps_what_others_save(manager: Manager) -> None:
    key = made(manager, n=1)
    mirror, values = opened(manager, key)
    assert mirror.is_same(values)
    other, theirs = opened(manager, key)
    theirs["n"] = 2
    other.commit(other.difference(theirs))
    assert mirror.commit_same(200) == (key, "Vary\0Cookie\0")
    assert stored(manager, key) == {"n": 2}
    mirror.close(), other.close()


def test_equal_in_python_is_not_the_same(manager: Manager) -> None:
    mirror, values = opened(manager, made(manager, n=1, zero=0.0, inside=[1]))
    for name, other in (("n", True), ("n", 1.0), ("zero", -0.0), ("inside", [1.0])):
        assert not mirror.is_same({**values, name: other})
        assert mirror.difference({**values, name: other}) == ([], {name: other})
    mirror.close()


def test_what_fails_is_told_and_made_again(manager: Manager) -> None:
    key = made(manager, n=1)
    mirror, values = opened(manager, key)
    values["n"], values["long"] = 2, "x" * 3000
    with pytest.raises(LimitError):
        mirror.commit(mirror.difference(values))
    assert not mirror.is_same(values) and stored(manager, key) == {"n": 1}
    del values["long"]
    assert mirror.commit(mirror.difference(values))[0] == key
    assert stored(manager, key) == {"n": 2}
    with manager.begin(f"{manager.cookie_name}={key}") as session:
        session.flush()
    values["n"] = 3
    with pytest.raises(SessionDeleted):
        mirror.commit(mirror.difference(values))
    mirror.close()


def test_two_threads_get_one_session(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ServedSession.__init__
    both = threading.Barrier(2, timeout=60)

    def slowly(session: ServedSession, *given: Any) -> None:
        made(session, *given)
        both.wait()

    if manager.asks:  # type: ignore[attr-defined]
        pytest.skip("it is there already")
    monkeypatch.setattr(ServedSession, "__init__", slowly)
    for _ in range(3):
        mirror, _ = opened(manager, "")
        found: list[object] = []
        threads = [threading.Thread(target=lambda of: found.append(of.session), args=(mirror,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found[0] is found[1] is mirror.session
        mirror.close()
