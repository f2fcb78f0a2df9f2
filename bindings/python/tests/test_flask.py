"""Flask's session interface, beside Flask's own."""

from __future__ import annotations

import copy
import datetime
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional, Union

import flask
import pytest
from dictionary_store import Dictionary, pair
from flask import Flask
from tuile import errors
from tuile.flask import SessionInterface, SessionInterrupted
from tuile.stores import Store

Change = Callable[[flask.sessions.SessionMixin], Any]
SECRET = "a secret of thirty-two octets, or more"


class Visited:
    """An application whose one page does what the test says."""

    def __init__(self, store: Union[str, Store, None], static: Any = None, **options: Any) -> None:
        self.app = Flask("visited", static_folder=static)
        self.app.secret_key = SECRET
        self.interface = SessionInterface(store or "memory:", **options)
        if store:
            self.interface.init_app(self.app)
        self._changes: dict[str, Change] = {}
        self.app.add_url_rule("/<number>", "page", lambda number: self._page(number))

    def _page(self, number: str) -> Any:
        answer = self._changes[number](flask.session)
        return answer if isinstance(answer, (str, tuple)) else repr(answer)

    def visit(self, change: Change, cookie: str = "") -> Any:
        number = str(len(self._changes))
        self._changes[number] = change
        sent = {"Cookie": cookie} if cookie else {}
        return self.app.test_client(use_cookies=False).get(f"/{number}", headers=sent)


def log_in(session: Any) -> None:
    session["_user_id"] = "7"


# -- no value is written that the application did not set


@pytest.mark.parametrize("permanent", [False, True])
def test_a_slow_request_brings_nobody_back(permanent: bool) -> None:
    visited = Visited("memory:")

    def begin(session: Any) -> None:
        session.permanent = permanent
        session.update(_user_id="7", _fresh=True, cart=["tea"])

    cookie = pair(visited.visit(begin))

    def slow(session: Any) -> None:
        session["seen"] = True

        def log_out(other: Any) -> None:
            for name in ("_user_id", "_fresh"):
                other.pop(name)

        visited.visit(log_out, cookie)

    visited.visit(slow, cookie)
    assert visited.visit(lambda s: sorted(s.items()), cookie).text == repr(
        [("_permanent", permanent), ("cart", ["tea"]), ("seen", True)]
    )


def test_requests_at_once_all_count() -> None:
    visited = Visited("memory:")
    cookie = pair(visited.visit(lambda s: s.add_int("first")))

    def slow(session: Any) -> None:
        session.add_int("first")
        visited.visit(lambda other: other.add_int("first"), cookie)

    visited.visit(slow, cookie)
    assert visited.visit(lambda s: s["first"], cookie).text == "3"


@pytest.mark.parametrize("handled", [False, True])
def test_a_logout_that_empties_the_session_is_final(tmp_path: Path, handled: bool) -> None:
    visited = Visited(f"sqlite://{tmp_path / 's.db'}")
    if handled:
        visited.app.register_error_handler(SessionInterrupted, lambda problem: ("come in again", 409, {"X-Mine": "1"}))
    cookie = pair(visited.visit(log_in))

    def slow(session: Any) -> str:
        session["seen"] = True
        assert "Max-Age=0" in visited.visit(lambda other: other.pop("_user_id"), cookie).headers["Set-Cookie"]
        return "saved"

    answer = visited.visit(slow, cookie)
    assert "Set-Cookie" not in answer.headers and answer.headers["Vary"] == "Cookie"
    if handled:
        assert (answer.status_code, answer.text, answer.headers["X-Mine"]) == (409, "come in again", "1")
    else:
        assert answer.status_code == 400 and "ended by another request" in answer.text
    assert visited.visit(lambda s: dict(s), cookie).text == "{}"


def test_who_only_read_gets_his_page_whatever_another_request_did() -> None:
    visited = Visited("memory:")

    def begin(session: Any) -> None:
        session.permanent = True
        session["a"] = 1

    cookie = pair(visited.visit(begin))

    def slow(session: Any) -> Any:
        seen = session["a"]
        visited.visit(lambda other: other.clear(), cookie)
        return seen

    answer = visited.visit(slow, cookie)
    assert (answer.status_code, answer.text) == (200, "1") and "Set-Cookie" not in answer.headers


# -- a login has a new key


@pytest.mark.parametrize("change", [log_in, lambda s: s.update(user_id=7), lambda s: (s.clear(), s.update(user_id=7))])
def test_a_key_from_before_the_login_is_worth_nothing(change: Change) -> None:
    visited = Visited("memory:", cycle_grace=0)
    planted = pair(visited.visit(lambda s: s.update(a=1)))
    own = pair(visited.visit(change, planted))
    assert own != planted and visited.visit(lambda s: dict(s), planted).text == "{}"
    assert "7" in visited.visit(lambda s: dict(s), own).text
    # The same again is no login.
    assert pair(visited.visit(change, own)) == own or "clear" in change.__code__.co_names


# -- nothing is asked for a page without a session


def test_a_page_that_asks_nothing_costs_nothing_and_stands_an_outage(tmp_path: Path) -> None:
    (tmp_path / "logo.txt").write_text("logo")
    store = Dictionary()
    visited = Visited(store, static=tmp_path)
    visited.app.register_error_handler(errors.StoreError, lambda problem: (f"later: {flask.request.args}", 503))

    @visited.app.after_request
    def flask_logins(response: flask.Response) -> flask.Response:
        if "_remember" in flask.session:
            response.headers["X-Remember"] = flask.session.pop("_remember")
        return response

    def begin(session: Any) -> None:
        session.permanent = True
        session["a"] = 1
        session["_remember"] = "set"
        # The library has set a value of its own, so that what was read is read again.
        session.set_lifetime(10**6)

    answer = visited.visit(begin)
    cookie = pair(answer)
    assert answer.headers["X-Remember"] == "set"
    store.takes()
    for away in (False, True):
        store.away = away
        file = visited.app.test_client(use_cookies=False).get(f"/{tmp_path.name}/logo.txt", headers={"Cookie": cookie})
        for answer in (file, visited.visit(lambda _: "idle", cookie), visited.visit(lambda s: str(bool(s.accessed)), cookie)):
            assert "X-Remember" not in answer.headers
            assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert store.takes() == []
    # Who asks is told, once, and may answer himself.
    answer = visited.visit(lambda s: s.get("a"), cookie)
    assert (answer.status_code, answer.text[:5]) == (503, "later") and "Set-Cookie" not in answer.headers
    assert store.takes() == ["load"]
    answer = visited.visit(lambda s: s.clear(), cookie)
    assert answer.status_code == 500, "a change that could not be saved is no success"
    store.away = False
    assert visited.visit(lambda s: s["a"], cookie).text == "1"


def test_a_permanent_session_lives_on_where_it_is_used(caplog: pytest.LogCaptureFixture) -> None:
    store = Dictionary()
    visited = Visited(store)

    def begin(session: Any) -> None:
        session.permanent = True
        session["a"] = 1

    cookie = pair(visited.visit(begin))
    (key,) = store.rows
    data, end = store.rows[key]
    store.rows[key] = data, end - 10**12
    assert pair(visited.visit(lambda s: s["a"], cookie)) == cookie
    assert store.rows[key][0] == data and store.rows[key][1] >= end
    visited.app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    store.takes()
    assert "Set-Cookie" not in visited.visit(lambda s: s["a"], cookie).headers and store.takes() == ["load"]
    visited.app.config["SESSION_REFRESH_EACH_REQUEST"] = True

    def read_and_lose(session: Any) -> Any:
        seen = session["a"]
        store.away = True
        return seen

    answer = visited.visit(read_and_lose, cookie)
    assert (answer.status_code, answer.text) == (200, "1") and "Set-Cookie" not in answer.headers
    assert "was left as it is" in caplog.text


def test_saying_permanent_before_each_request_writes_nothing_anew() -> None:
    store = Dictionary()
    visited = Visited(store)

    @visited.app.before_request
    def always() -> None:
        flask.session.permanent = True

    cookie = pair(visited.visit(lambda s: s.update(a=1)))
    (before,) = store.rows.values()
    assert pair(visited.visit(lambda _: "", cookie)) == cookie
    (after,) = store.rows.values()
    assert after[0] == before[0]


# -- the manager


def test_the_first_requests_at_once_have_one_manager() -> None:
    store = Dictionary(seconds=0.001)
    for given in ("memory:", store):
        visited = Visited(None)
        visited.app.session_interface = interface = SessionInterface(given)
        visited._changes["0"] = lambda s: s.add_int("n")
        start, answers = threading.Barrier(32), []

        def first() -> None:
            start.wait()
            answers.append(pair(visited.app.test_client(use_cookies=False).get("/0")))

        threads = [threading.Thread(target=first) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(answers)) == 32
        assert {visited.visit(lambda s: s["n"], cookie).text for cookie in answers} == {"1"}
        assert interface.manager(visited.app).stats()["saves"] == 32
    assert not store.closed


def test_settings_may_change_while_requests_run() -> None:
    store = Dictionary(seconds=0.001)
    visited = Visited(store)
    visited._changes["0"] = lambda s: s.add_int("n")
    cookie = pair(visited.visit(lambda s: s.add_int("n")))
    stop, failed = threading.Event(), []

    def go_on() -> None:
        while not stop.is_set():
            answer = visited.app.test_client(use_cookies=False).get("/0", headers={"Cookie": cookie})
            if answer.status_code != 200:
                failed.append(answer.text)

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for days in range(20, 40):
        visited.app.permanent_session_lifetime = datetime.timedelta(days=days)
        visited.app.config["SECRET_KEY_FALLBACKS"] = [f"an older secret, number {days}, of 32 octets"]
        visited.visit(lambda s: s.get("n"), cookie)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed and not store.closed


def test_keys_rotate() -> None:
    visited = Visited("cookie:flask")
    cookie = pair(visited.visit(lambda s: s.update(a=1)))
    visited.app.secret_key = "another secret of thirty-two octets"
    assert visited.visit(lambda s: s.get("a"), cookie).text == "None"
    fallbacks = visited.app.config["SECRET_KEY_FALLBACKS"] = ["an older secret that has its thirty-two octets"]
    assert visited.visit(lambda s: s.get("a"), cookie).text == "None"
    fallbacks.append(SECRET)
    assert visited.visit(lambda s: s.get("a"), cookie).text == "1"
    visited.app.secret_key = None
    assert visited.visit(lambda s: s.get("a"), cookie).text == "None"
    assert visited.visit(lambda s: s.update(a=1), cookie).status_code == 500


# -- errors


def test_a_page_that_fails_is_saved_as_flask_saves_it() -> None:
    def flashed(_: Any) -> Any:
        flask.flash("that went wrong")
        return "no", 500

    def raised(_: Any) -> Any:
        flask.flash("that went wrong")
        raise LookupError

    for page in (flashed, raised):
        ours = Visited("memory:")
        theirs = Visited(None)
        for visited in (ours, theirs):
            answer = visited.visit(page)
            assert answer.status_code == 500
            assert visited.visit(lambda _: flask.get_flashed_messages(), pair(answer)).text == "['that went wrong']"


# -- the session is a dictionary, as Flask's


def test_its_copies_are_dictionaries() -> None:
    visited = Visited("memory:")

    def copied(session: Any) -> str:
        session["list"] = [1]
        one, two, three = session.copy(), copy.copy(session._get_current_object()), copy.deepcopy(session)
        assert type(one) is type(two) is type(three) is dict and one == two == three == {"list": [1]}
        del one, two
        three["list"].append(2)
        return str(session["list"])

    assert visited.visit(copied).text == "[1]"


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update({}),
        lambda s: s.clear(),
        lambda s: s.pop("none", None),
        lambda s: s.setdefault("a", 1),
        lambda s: s.setdefault("c"),
        lambda s: sorted(s.__ior__({"c": (1, 2)})),
        lambda s: (list(reversed(s)), s | {"c": 1}, {"c": 1} | s),
        lambda s: s.__delitem__("b"),
        lambda s: s.__delitem__("none"),
        lambda s: setattr(s, "modified", True),
        lambda s: (s.update(a=7), setattr(s, "modified", False)),
        lambda s: (s.update(a=7), setattr(s, "modified", False), s.update(b=8)),
        lambda s: s.__setitem__(" t", 1),
        lambda s: s.update({" di": 1}),
        lambda s: s.update({" di": {"a__": 1}, " b": b"x"}),
        lambda s: (s["a"], s.get("x"), len(s), "a" in s, list(s.items()), s == {"a": 1}, bool(s)),
    ],
)
@pytest.mark.parametrize("store", ["memory:", "cookie:flask"])
@pytest.mark.parametrize("begun", [True, False])
def test_it_is_changed_and_answered_as_flasks(change: Change, store: str, begun: bool) -> None:
    """What the page saw, whether a cookie is set, deleted or left, and what the next page finds."""
    seen = []
    for visited in (Visited(store), Visited(None)):
        cookie = pair(visited.visit(lambda s: s.update(a=1, b=2))) if begun else ""
        answer = visited.visit(change, cookie)
        value = answer.headers.get("Set-Cookie", "")
        kind = "deleted" if "Max-Age=0" in value else "set" if value else "left"
        cookie = cookie if kind == "left" else "" if kind == "deleted" else pair(answer)
        found = sorted(visited.visit(lambda s: dict(s), cookie).text)
        seen.append((answer.status_code, answer.text, kind, answer.headers.get("Vary"), found))
    assert seen[0] == seen[1]


def test_a_thread_with_the_requests_context_goes_on() -> None:
    visited = Visited("memory:")
    ended, done = threading.Event(), []

    def page(session: Any) -> None:
        session["a"] = 1

        def work() -> None:
            for _ in range(200):
                flask.session.add_int("n")
            ended.wait(10)
            done.append(flask.session["a"])

        threads = [threading.Thread(target=flask.copy_current_request_context(work)) for _ in range(4)]
        for thread in threads:
            thread.start()
        page.threads = threads  # type: ignore[attr-defined]
        while session.get("n") != 800:
            time.sleep(0.001)

    cookie = pair(visited.visit(page))
    ended.set()
    for thread in page.threads:  # type: ignore[attr-defined]
        thread.join()
    assert done == [1] * 4
    assert visited.visit(lambda s: s["n"], cookie).text == "800"


# -- settings of the library's


def test_a_policys_limits_count() -> None:
    for policy, idle in (("aal2", 3600), ("aal3", 900)):
        store = Dictionary()
        visited = Visited(store, policy=policy)

        def begin(session: Any) -> None:
            session.permanent = True
            session["a"] = 1

        began = time.time()
        answer = visited.visit(begin)
        ((_, end),) = store.rows.values()
        assert began + idle - 1 <= end / 1e6 <= time.time() + idle
        cookie = answer.headers["Set-Cookie"].partition("Expires=")[2].partition(";")[0]
        expires = datetime.datetime.strptime(cookie, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.timezone.utc)
        assert began + idle - 2 <= expires.timestamp() <= time.time() + idle
        # The shorter of two limits counts.
        visited.app.permanent_session_lifetime = datetime.timedelta(minutes=5)
        visited.interface.manager(visited.app)
        assert visited.interface._managers[visited.app].settings["cookie_age"] == 300


def test_refresh_moves_the_end_of_what_is_only_read() -> None:
    store = Dictionary()
    visited = Visited(store, refresh=600)
    cookie = pair(visited.visit(lambda s: s.update(a=1)))
    (key,) = store.rows
    store.takes()
    visited.visit(lambda s: s["a"], cookie)
    assert store.takes() == ["load"]
    data, end = store.rows[key]
    store.rows[key] = data, end - 700 * 10**6
    visited.visit(lambda s: s["a"], cookie)
    assert store.rows[key][1] >= end


@pytest.mark.parametrize(("value", "at_close"), [(0, True), (60, False), (None, True)])
def test_an_expiry_of_the_applications_own_counts(value: Optional[int], at_close: bool) -> None:
    visited = Visited("memory:")

    def change(session: Any) -> None:
        session.permanent = True
        session["a"] = 1
        session.set_expiry(value)

    cookie = visited.visit(change).headers["Set-Cookie"]
    assert ("Expires" in cookie) is (value != 0)


def test_sessions_move_from_flasks_own_cookies() -> None:
    theirs = Visited(None)
    cookie = pair(theirs.visit(lambda s: s.update(a=(1, 2))))
    for name in ("session", "sid"):
        visited = Visited("memory:", previous_store="cookie:flask", previous_cookie="session")
        visited.app.config["SESSION_COOKIE_NAME"] = name
        answer = visited.visit(lambda s: repr(s["a"]), cookie)
        assert answer.text == "(1, 2)"
        mine, *gone = answer.headers.getlist("Set-Cookie")
        assert mine.startswith(f"{name}=") and len(gone) == (name != "session")
        assert all(one.startswith("session=;") and "Max-Age=0" in one for one in gone)
        assert visited.visit(lambda s: repr(s["a"]), mine.partition(";")[0]).text == "(1, 2)"


def test_owners() -> None:
    visited = Visited("memory:")
    cookie = pair(visited.visit(lambda s: (s.update(a=1), setattr(s, "owner", "ada"))))
    manager = visited.interface.manager(visited.app)
    assert len(manager.sessions("ada")) == 1 and manager.revoke_all("ada") == 1
    assert visited.visit(lambda s: dict(s), cookie).text == "{}"


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        # Of what Python's octets can hold, of what they can't, and from one to the other.
        ([1, 2], lambda value: value.append(True), [1, 2, True]),
        ([1], lambda value: value.__setitem__(0, True), [True]),
        ([datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)], lambda value: value.append(1), None),
        ([datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)], lambda value: value.__setitem__(0, 7), [7]),
        ([(1, 2)], lambda value: value.__setitem__(0, [1, 2]), [[1, 2]]),
        ({"a": b"\xff"}, lambda value: value.update(a=datetime.timedelta), TypeError),
        ([7], lambda value: value.__setitem__(0, datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)), None),
    ],
)
def test_every_change_in_place_is_seen(before: Any, change: Callable[[Any], Any], after: Any) -> None:
    visited = Visited("memory:")
    cookie = pair(visited.visit(lambda session: session.__setitem__("value", before)))

    def page(session: Any) -> str:
        assert not session.modified
        change(session["value"])
        if after is TypeError:
            with pytest.raises(TypeError):
                session.modified
            session["value"] = before
        return str(session.modified)

    assert visited.visit(page, cookie).text == "True"
    expected = after
    if after is None:
        expected = copy.deepcopy(before)
        change(expected)
    assert visited.visit(lambda session: repr(session["value"]), cookie).text == repr(before if after is TypeError else expected)


def test_a_value_that_is_equal_again_is_no_change() -> None:
    visited = Visited("memory:")
    cookie = pair(visited.visit(lambda session: session.__setitem__("value", ["a name", 1])))

    def page(session: Any) -> str:
        value = session["value"]
        # Another object, of which Python's octets say other things.
        value[0] = "".join(["a ", "name"])
        value.append(2)
        del value[2]
        return str(session.modified)

    assert visited.visit(page, cookie).text == "False"
