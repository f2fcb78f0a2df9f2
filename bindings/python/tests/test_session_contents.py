"""What is changed in place is saved, many values go in one call, and a session outlives its manager's close."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tuile import errors
from tuile.sessions import Manager
from test_sessions import saved


def test_a_list_that_was_changed_in_place_is_saved(manager: Manager) -> None:
    cookie = saved(manager, cart=["tea"], other=1)
    with manager.begin(cookie) as session:
        session["cart"].append("milk")
        session.setdefault("seen", {})["a"] = [1]
        assert session.modified
        session.commit()
    with manager.begin(cookie) as session:
        assert dict(session) == {"cart": ["tea", "milk"], "other": 1, "seen": {"a": [1]}}


def test_looking_at_a_list_is_no_change(manager: Manager) -> None:
    with manager.begin(saved(manager, cart=["tea"])) as session:
        assert session["cart"] == ["tea"] and list(session.values()) and not session.modified
        assert session.commit() == [("Vary", "Cookie")]


def test_what_was_replaced_or_removed_is_not_seen_as_changed_in_place(manager: Manager) -> None:
    cookie = saved(manager, a=[1], b=[2])
    with manager.begin(cookie) as session:
        old, gone = session["a"], session.pop("b")
        session["a"] = [3]
        old.append(9), gone.append(9)
        session.commit()
    with manager.begin(cookie) as session:
        assert dict(session) == {"a": [3]}


def test_changes_of_two_requests_to_other_names_both_stay(manager: Manager) -> None:
    cookie = saved(manager, a=[1], b=[1])
    with manager.begin(cookie) as one, manager.begin(cookie) as two:
        one["a"].append(2)
        two["b"].append(2)
        two.append("c", "x")
        one.append("c", "y")
        two.commit()
        one.commit()
        assert one["c"] == ["x", "y"]
    with manager.begin(cookie) as session:
        assert dict(session) == {"a": [1, 2], "b": [1, 2], "c": ["x", "y"]}


def test_append(manager: Manager) -> None:
    with manager.begin(saved(manager, n=1)) as session:
        session.append("list", 1)
        session["list"].append(2)
        session.append("list", 3)
        assert session["list"] == [1, 2, 3]
        with pytest.raises(errors.ValueTypeError):
            session.append("n", 1)


def test_merge_compares_numbers_as_json_has_them(manager: Manager) -> None:
    with manager.begin("") as session:
        session.merge({"nan": float("nan"), "one": 1.5}, {"nan": float("nan"), "one": 1.5})
        assert not session.modified
        session.merge({"zero": 0.0, "one": 1}, {"zero": -0.0, "one": 1.0})
        assert session.to_json() == '{"zero":-0.0,"one":1.0}'


def test_merge_sets_what_differs_alone(manager: Manager) -> None:
    cookie = saved(manager, same=[1], gone=1, other=1)
    with manager.begin(cookie) as session, manager.begin(cookie) as meanwhile:
        session.merge({"same": [1], "gone": 1, "other": 1}, {"same": [1], "other": True, "new": {}})
        meanwhile["same"] = "theirs"
        meanwhile.commit()
        session.commit()
        assert dict(session) == {"same": "theirs", "other": True, "new": {}}


@pytest.mark.parametrize("name", [5, b"a", None, ("a",)])
def test_a_name_is_text(manager: Manager, name: Any) -> None:
    with manager.begin("") as session:
        for call in (
            lambda: session.__setitem__(name, 1),
            lambda: session.update({name: 1}),
            lambda: session.add_int(name),
            lambda: session.append(name, 1),
        ):
            with pytest.raises(TypeError):
                call()
        assert dict(session) == {} and not session.modified


def test_update_takes_what_a_dictionarys_does(manager: Manager) -> None:
    with manager.begin("") as session:
        session.update({"a": 1})
        session.update([("b", 2)], c=3)
        session.update()
        assert dict(session) == {"a": 1, "b": 2, "c": 3}
        with pytest.raises(TypeError):
            session.update({"d": object()})


def test_expiry_with_djangos_arguments(manager: Manager) -> None:
    at = datetime(2030, 1, 1, tzinfo=timezone.utc)
    with manager.begin("") as session:
        session.set_expiry(10)
        assert session.get_expiry_date(modification=at) == at + timedelta(seconds=10)
        assert session.get_expiry_date(modification=at, expiry=60) == at + timedelta(seconds=60)
        assert session.get_expiry_date(modification=at, expiry=None) == at + timedelta(seconds=1209600)
        assert session.get_expiry_age(modification=at, expiry=at + timedelta(seconds=5)) == 5
        assert 4900 < session.get_expiry_age(expiry=timedelta(seconds=5000)) <= 5000
        assert session["_session_expiry"] == 10


def test_load_has_two_answers_and_an_error(manager: Manager, tmp_path: Path) -> None:
    with manager.begin(saved(manager, a=1)) as session:
        assert session.load()
    with manager.begin("sessionid=" + "a" * 32) as session:
        assert not session.load()


def test_a_manager_is_closed_when_its_last_session_has_ended() -> None:
    manager = Manager(store="memory:")
    session = manager.begin("")
    manager.close()
    with pytest.raises(ValueError):
        manager.begin("")
    session["a"] = 1
    assert session.commit()
    session.close()
    with pytest.raises(ValueError):
        session["a"]


@pytest.mark.parametrize("ending", ["", "del manager, session", "cycle", "os._exit(0)"])
def test_the_interpreter_ends_with_sessions_open_and_threads_at_work(ending: str) -> None:
    program = textwrap.dedent("""
        import gc, os, threading, time
        from tuile.sessions import Manager
        from tuile.signing import Signer
        manager, signer = Manager(store="memory:", secret="a secret that has its thirty-two bytes and more"), Signer(key="a secret that has its thirty-two bytes and more")
        session = manager.begin("")
        session["a"] = [1]
        def work():
            while True:
                with manager.begin("") as own:
                    own["a"] = signer.sign("x")
                    own.commit()
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """)
    if ending == "cycle":
        ending = "session.itself = session; manager.session = session; del manager, session; gc.collect()"
    if ending.startswith(("del", "session")):
        program = program.replace("for _ in range(3)", "for _ in range(0)")
    result = subprocess.run([sys.executable, "-c", program + ending], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")


def test_what_is_inside_itself_is_told_at_once() -> None:
    inside: dict[str, Any] = {"long": "x" * 1_000_000}
    inside["self"] = inside
    tracemalloc.start()
    try:
        with Manager(store="memory:") as manager, manager.begin("") as session, pytest.raises(ValueError, match="Circular"):
            session["a"] = inside
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
