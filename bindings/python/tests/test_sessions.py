"""A session is a dictionary with Django's methods; a commit gives Django's headers."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from tuile import errors
from tuile.sessions import Manager, Session, SessionDeleted
from wsgi_page_count import page_counter


def saved(manager: Manager, **values: Any) -> str:
    """The Cookie header of a new session."""
    with manager.begin("") as session:
        session.update(values)
        return dict(session.commit(200))["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize(
    "value", [None, True, 0, -1, 2**53 + 1, 2**70, 1e100, 0.1, "", "é☕\0", [], {}, [1, {"a": [None]}], {"k": "v"}]
)
def test_values_come_back_as_they_were(manager: Manager, value: Any) -> None:
    with manager.begin(saved(manager, v=value)) as session:
        assert session["v"] == value and type(session["v"]) is type(value)


def test_negative_zero_keeps_its_sign(manager: Manager) -> None:
    with manager.begin(saved(manager, v=-0.0)) as session:
        assert str(session["v"]) == "-0.0"


def test_is_a_dictionary(manager: Manager) -> None:
    with manager.begin(saved(manager, a=1, b=2)) as session:
        assert (list(session), len(session), "a" in session, "x" in session) == (["a", "b"], 2, True, False)
        assert session.get("x", 5) == 5 and session.setdefault("c", 3) == 3
        assert session.pop("a") == 1 and session.pop("a", None) is None
        with pytest.raises(KeyError):
            session["a"]
        with pytest.raises(KeyError):
            del session["a"]
        assert dict(session.items()) == {"b": 2, "c": 3}


def test_only_a_pop_of_what_is_there_counts_as_a_change(manager: Manager) -> None:
    with manager.begin(saved(manager, a=1)) as session:
        session.pop("x", None)
        assert session.accessed and not session.modified
        session.pop("a")
        assert session.modified


def test_headers_are_those_of_djangos_middleware(manager: Manager) -> None:
    with manager.begin("") as session:
        assert session.commit(200) == []
    with manager.begin("") as session:
        session["a"] = 1
        headers = dict(session.commit(200))
    assert headers.keys() == {"Set-Cookie", "Vary", "Cache-Control"}
    cookie, *attributes = headers["Set-Cookie"].split("; ")
    assert [attribute.partition("=")[0] for attribute in attributes] == [
        "expires", "HttpOnly", "Max-Age", "Path", "SameSite",
    ]  # fmt: skip
    with manager.begin(cookie) as session:
        assert session["a"] == 1
        assert session.commit(200) == [("Vary", "Cookie")]
    with manager.begin(cookie) as session:
        session.flush()
        assert "Max-Age=0" in dict(session.commit(200))["Set-Cookie"]


def test_nothing_is_saved_for_a_server_error(manager: Manager) -> None:
    cookie = saved(manager, a=1)
    with manager.begin(cookie) as session:
        session["a"] = 2
        assert "Set-Cookie" not in dict(session.commit(500))
    with manager.begin(cookie) as session:
        assert session["a"] == 1


def test_a_deleted_session_stays_deleted(manager: Manager) -> None:
    cookie = saved(manager, a=1)
    with manager.begin(cookie) as slow, manager.begin(cookie) as logout:
        slow["a"] = 2
        logout.flush()
        logout.commit(200)
        with pytest.raises(SessionDeleted):
            slow.commit(200)
    with manager.begin(cookie) as session:
        assert dict(session) == {}


def test_a_key_that_the_client_chose_is_not_adopted(manager: Manager) -> None:
    chosen = "a" * 32
    with manager.begin(f"sessionid={chosen}") as session:
        session["a"] = 1
        session.commit(200)
        assert session.session_key not in (None, chosen)


def test_expiry(manager: Manager) -> None:
    with manager.begin("") as session:
        assert session.get_expiry_age() == 1209600
        session.set_expiry(0)
        assert session.get_expire_at_browser_close()
        session.set_expiry(timedelta(hours=1))
        assert 3590 <= session.get_expiry_age() <= 3600
        date = datetime(2090, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        session.set_expiry(date)
        assert session.get_expiry_date() == date
        session.set_expiry(None)
        assert session.get_expiry_age() == 1209600


def test_test_cookie(manager: Manager) -> None:
    with manager.begin("") as session:
        session.set_test_cookie()
        cookie = dict(session.commit(200))["Set-Cookie"].partition(";")[0]
    with manager.begin(cookie) as session:
        assert session.test_cookie_worked()
        session.delete_test_cookie()
        assert not session.test_cookie_worked()


@pytest.mark.parametrize("cookie", ["=", "sessionid=", "sessionid=../../etc/passwd", "sessionid=" + "a" * 4096,
                                    b"sessionid=\xff\0\xfe", "\ud800", ";" * 10000, "sessionid='; DROP TABLE x"])  # fmt: skip
def test_a_hostile_cookie_is_an_empty_session(manager: Manager, cookie: str | bytes) -> None:
    with manager.begin(cookie) as session:
        assert dict(session) == {} and session.commit(200) is not None


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_json_can_not_hold_is_refused(manager: Manager, value: Any) -> None:
    with manager.begin("") as session, pytest.raises((ValueError, TypeError)):
        session["v"] = value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_has_not_are_kept_as_django_keeps_them(manager: Manager, value: float) -> None:
    with manager.begin(saved(manager, v=value)) as session:
        assert repr(session["v"]) == repr(value)


def test_a_counter_of_another_type_or_too_large_is_refused(manager: Manager) -> None:
    with manager.begin("") as session:
        session.update({"text": "1", "large": 2**63 - 1})
        with pytest.raises(errors.ValueTypeError):
            session.add_int("text")
        with pytest.raises(errors.RangeError):
            session.add_int("large")


def test_a_store_that_can_not_be_opened_is_a_store_error(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database at all" * 100)
    for path in (tmp_path / "missing" / "s.db", damaged):
        with pytest.raises(errors.StoreError):
            Manager(store=f"sqlite://{path}", secret="a secret that has its thirty-two bytes and more")


def test_threads_count_exactly(manager: Manager) -> None:
    cookie = saved(manager, count=0)

    def add(_: int) -> None:
        with manager.begin(cookie) as session:
            session.add_int("count")
            session.commit(200)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(200)))
    with manager.begin(cookie) as session:
        assert session["count"] == 200


def test_a_child_after_fork_shares_the_database(tmp_path: Path) -> None:
    with Manager(store=f"sqlite://{tmp_path / 's.db'}", secret="a secret that has its thirty-two bytes and more") as manager:
        cookie = saved(manager, count=0)
        children = []
        for _ in range(4):
            if (child := os.fork()) == 0:
                try:
                    for _ in range(20):
                        with manager.begin(cookie) as session:
                            session.add_int("count")
                            session.commit(200)
                    os._exit(0)
                finally:
                    os._exit(1)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
        with manager.begin(cookie) as session:
            assert session["count"] == 80


def test_closing_twice_is_fine_and_using_after_it_is_an_error() -> None:
    manager = Manager(store="memory:")
    session: Session = manager.begin("")
    for closed in (session, session, manager, manager):
        closed.close()
    with pytest.raises(ValueError):
        len(session)
    with pytest.raises(ValueError):
        manager.begin("")


def test_repr_shows_no_secret(tmp_path: Path) -> None:
    with Manager(store="memory:", secret="hush-hush, said so often that it has 32 bytes") as manager, manager.begin("") as session:
        session["a"] = "private"
        session.commit(200)
        assert session.session_key is not None
        for text in (repr(manager), repr(session)):
            assert "hush" not in text and "private" not in text and session.session_key not in text


def test_wsgi_example_counts(manager: Manager) -> None:
    application, answers = page_counter(manager), []

    def visit(cookie: str) -> bytes:
        environ = {"HTTP_COOKIE": cookie, "wsgi.input": BytesIO()}
        return b"".join(application(environ, lambda status, headers: answers.append(dict(headers))))

    assert visit("") == b"You have seen 1 pages.\n"
    assert visit(answers[0]["Set-Cookie"].partition(";")[0]) == b"You have seen 2 pages.\n"


@pytest.mark.parametrize("number", [2**63, 2**64 + 5, -(2**63) - 1])
def test_a_number_over_64_bits_is_refused_and_not_cut(manager: Manager, number: int) -> None:
    with manager.begin("") as session:
        for call in (lambda: session.add_int("n", number), lambda: session.set_expiry(number)):
            with pytest.raises(errors.RangeError):
                call()
        assert dict(session) == {}


@pytest.mark.parametrize("number", [2**63, 2**64 + 5])
def test_a_setting_or_limit_over_64_bits_is_refused_and_not_cut(manager: Manager, number: int) -> None:
    with pytest.raises(errors.RangeError):
        Manager(store="memory:", cookie_age=number)
    for limit in (number, -1):
        with pytest.raises(errors.RangeError):
            manager.clear_expired(limit)


def test_asking_for_what_is_no_text_is_access_too(manager: Manager) -> None:
    with manager.begin(saved(manager, a=1)) as session:
        assert 5 not in session and session.accessed


def test_there_is_no_test_cookie_to_delete(manager: Manager) -> None:
    with manager.begin(saved(manager, a=1)) as session, pytest.raises(KeyError):
        session.delete_test_cookie()


@pytest.mark.skipif(not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no interpreter lock")
@pytest.mark.parametrize(("where", "keeps"), [("memory:", True), ("cookie:", True), ("sqlite:", False)])
def test_what_waits_for_nobody_keeps_the_interpreter_lock(tmp_path: Path, where: str, keeps: bool) -> None:
    store = f"sqlite://{tmp_path / 's.db'}" if where == "sqlite:" else where
    ran, gate = [], threading.Lock()

    def wait() -> None:
        with gate:
            ran.append(True)

    with Manager(store=store, secret="a secret that has its thirty-two bytes and more") as manager:
        cookie = saved(manager, a=1)
        gate.acquire()
        other = threading.Thread(target=wait)
        other.start()
        interval = sys.getswitchinterval()
        # Nobody takes the lock away from a thread that keeps it.
        sys.setswitchinterval(1000)
        try:
            gate.release()
            requests = 0
            while requests < 1000 or not (keeps or ran):
                session, _ = manager.begin_and_read(cookie)
                session.add_int("a")
                session.commit()
                session.close()
                requests += 1
            assert bool(ran) == (not keeps)
        finally:
            sys.setswitchinterval(interval)
        other.join()


def test_a_log_that_lets_others_run_stops_nobody() -> None:
    """One thread is in its log, with the library below it, while others come with the interpreter lock."""
    program = """
        import threading, time
        from tuile.sessions import Manager, SessionDeleted

        def log(level, message):
            told.append(message)
            time.sleep(0.0001)

        def work():
            for _ in range(200):
                with manager.begin(cookie) as session:
                    session.add_int("n")
                    log_in.wait()
                    try:
                        session.commit()
                    except SessionDeleted:
                        pass

        told, log_in = [], threading.Barrier(4)
        with Manager(store="memory:", log=log, log_level="debug") as manager:
            with manager.begin("") as session:
                session["n"] = 0
                cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with manager.begin(cookie) as session:
                print(session["n"], bool(told))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("800 True\n", "")
