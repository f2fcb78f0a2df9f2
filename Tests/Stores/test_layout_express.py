"""express-session's sessions in Redis, PostgreSQL and files, opened, changed and written by Tuile.

No Debian package and no PyPI package has express-session: what it wrote is in vectors, and
what it does while Tuile writes is imitated here, by its stores' own commands.
"""

from __future__ import annotations

import datetime
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import postgresql_server
import pytest
import redis_server
from store import BUILD, ROOT, Refused, Store
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

VECTORS = json.loads((ROOT / "Tests/vectors/layout_express.json").read_text())
SECRET, OLDER = VECTORS["secret"]
NAMES = {"redis": "connect-redis", "postgresql": "connect-pg-simple", "file": "session-file-store"}


class Kept:
    """A store as its Node package uses it."""

    url = ""

    def get(self, sid: str) -> Optional[str]:
        raise NotImplementedError

    def set(self, sid: str, text: str, ttl: int = 86400) -> None:
        raise NotImplementedError

    def destroy(self, sid: str) -> None:
        raise NotImplementedError

    def left(self, sid: str) -> float:
        raise NotImplementedError


class InRedis(Kept):
    def __init__(self, server: redis_server.Server, prefix: str = "sess:") -> None:
        self.client, self.prefix = server.client(), prefix
        self.url = f"{server.unix}?layout=express&prefix={prefix.replace(':', '%3A')}"

    def get(self, sid: str) -> Optional[str]:
        found = self.client.get(self.prefix + sid)
        return None if found is None else str(found)

    def set(self, sid: str, text: str, ttl: int = 86400) -> None:
        self.client.set(self.prefix + sid, text, ex=ttl)

    def destroy(self, sid: str) -> None:
        self.client.delete(self.prefix + sid)

    def left(self, sid: str) -> float:
        return float(self.client.pttl(self.prefix + sid)) / 1000


class InPostgreSQL(Kept):
    def __init__(self, server: postgresql_server.Server, database: str) -> None:
        self.connection = server.connect(database)
        self.url = server.url(database, layout="connect-pg-simple")

    def get(self, sid: str) -> Optional[str]:
        row = self.connection.execute(
            "SELECT sess::text FROM session WHERE sid = %s AND expire >= to_timestamp(%s)", (sid, int(time.time()))
        ).fetchone()
        return None if row is None else str(row[0])

    def set(self, sid: str, text: str, ttl: int = 86400) -> None:
        self.connection.execute(
            "INSERT INTO session (sess, expire, sid) SELECT %s, to_timestamp(%s), %s"
            " ON CONFLICT (sid) DO UPDATE SET sess = %s, expire = to_timestamp(%s)",
            (text, int(time.time()) + ttl, sid, text, int(time.time()) + ttl),
        )

    def destroy(self, sid: str) -> None:
        self.connection.execute("DELETE FROM session WHERE sid = %s", (sid,))

    def left(self, sid: str) -> float:
        row = self.connection.execute("SELECT extract(epoch FROM expire::timestamptz) FROM session WHERE sid = %s", (sid,)).fetchone()
        assert row is not None
        return float(row[0]) - time.time()


class InFiles(Kept):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"file://{folder}?layout=express"

    def get(self, sid: str) -> Optional[str]:
        try:
            return (self.folder / f"{sid}.json").read_text()
        except FileNotFoundError:
            return None

    def set(self, sid: str, text: str, ttl: int = 86400) -> None:
        temporary = self.folder / f"{sid}.json.{threading.get_ident()}"
        temporary.write_text(text)
        temporary.rename(self.folder / f"{sid}.json")

    def destroy(self, sid: str) -> None:
        (self.folder / f"{sid}.json").unlink(missing_ok=True)

    def left(self, sid: str) -> float:
        session = json.loads(self.get(sid) or "{}")
        return float(session["__lastAccess"] + (session["cookie"]["originalMaxAge"] or 3_600_000)) / 1000 - time.time()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    with redis_server.running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgresql_server.Server]:
    with postgresql_server.running(timezone="Europe/Madrid") as server:
        yield server


@pytest.fixture(params=["redis", "postgresql", "file"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "file":
        (tmp_path / "sessions").mkdir()
        return InFiles(tmp_path / "sessions")
    if not (BUILD / f"libtuile-{request.param}.so").exists():
        pytest.skip("the module is not built")
    if request.param == "redis":
        server = request.getfixturevalue("redis")
        server.client().flushall()
        return InRedis(server)
    if postgresql_server.binaries() is None:
        pytest.skip("no server is installed")
    server = request.getfixturevalue("postgresql")
    found = InPostgreSQL.__new__(InPostgreSQL)
    database = server.new_database()
    with opened(server.url(database, layout="connect-pg-simple")):
        pass
    found.__init__(server, database)  # type: ignore[misc]
    return found


def later(text: str) -> str:
    """Thirty years later, so that no store lets it go."""
    days = (datetime.date(2056, 11, 25) - datetime.date(2026, 11, 25)).days
    text = text.replace('"2026-11-2', '"2056-11-2')
    return re.sub(r'(?<="__lastAccess":)\d+', lambda found: str(int(found[0]) + days * 86_400_000), text)


def cases(kept: Kept) -> list[dict[str, Any]]:
    name = {InRedis: "connect-redis", InPostgreSQL: "connect-pg-simple", InFiles: "session-file-store"}[type(kept)]
    return [{**case, "value": later(case["value"]), "after": later(case["after"])} for case in VECTORS[name]]


def opened(url: str, **more: Any) -> Manager:
    settings = {"cookie_name": "connect.sid", "secret": SECRET, "fallbacks": [OLDER], "allow_weak_secrets": True, **more}
    return Manager(store=url, **settings)


def sid_of(cookie: str) -> str:
    found = re.match(r"connect\.sid=s%3A([^.]+)\.", cookie)
    assert found is not None
    return found[1]


def moment(case: dict[str, Any]) -> float:
    """When it was saved again, in Unix seconds, as far as what was stored then tells."""
    after = json.loads(case["after"])
    if "__lastAccess" in after:
        return float(after["__lastAccess"]) / 1000
    if after["cookie"]["expires"] is None:
        return time.time()
    end = time.mktime(time.strptime(after["cookie"]["expires"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return end + int(after["cookie"]["expires"][20:23]) / 1000 - float(after["cookie"]["originalMaxAge"]) / 1000


def test_what_express_wrote_is_read_and_changed_as_express_changes_it(kept: Kept) -> None:
    count = 0
    for case in cases(kept):
        sid = sid_of(case["cookie"])
        kept.set(sid, case["value"], 40 * 365 * 86400)
        now = round(moment(case), 3)
        with opened(kept.url, clock=lambda: now) as manager, manager.begin(case["cookie"]) as session:
            theirs = json.loads(case["value"])
            for name in ("cookie", "__lastAccess"):
                theirs.pop(name, None)
            if case["name"] != "unicode":
                assert {**session} == theirs
            assert session.session_key == sid
            session["hits"] = 41
            headers = dict(session.commit(200))
        assert kept.get(sid) == case["after"], case["name"]
        # The very cookie that express had signed.
        assert headers["Set-Cookie"].split(";")[0] == case["cookie"]
        count += 1
    assert count == 9


def test_a_prefix_of_the_application_s_own(redis: redis_server.Server) -> None:
    case = VECTORS["connect-redis prefix"][0]
    there = InRedis(redis, VECTORS["settings"]["connect-redis prefix"])
    there.set(sid_of(case["cookie"]), case["value"])
    assert there.client.exists(case["key"])
    with opened(there.url) as manager, manager.begin(case["cookie"]) as session:
        session["hits"] = 41
        session.commit(200)
    assert there.client.get(case["key"]) == case["after"]


def test_what_tuile_writes_is_what_express_needs(kept: Kept) -> None:
    with opened(kept.url, cookie_age=600, cookie_secure=True) as manager:
        with manager.begin("") as session:
            session["passport"] = {"user": 7}
            headers = dict(session.commit(200))
            sid = session.session_key
        assert sid is not None and re.fullmatch(r"[A-Za-z0-9_-]{32}", sid)
        assert re.match(rf"connect\.sid=s%3A{sid}\.[A-Za-z0-9%]{{43,}};", headers["Set-Cookie"])
        stored = json.loads(kept.get(sid) or "")
        assert list(stored)[0] == "cookie"
        cookie = stored["cookie"]
        assert list(cookie) == ["originalMaxAge", "expires", "secure", "httpOnly", "path", "sameSite"]
        assert cookie["originalMaxAge"] == 600_000 and cookie["secure"] and cookie["httpOnly"] and cookie["path"] == "/"
        assert 500 < kept.left(sid) <= 601
        # And again through its own cookie.
        with manager.begin(headers["Set-Cookie"].split(";")[0]) as session:
            assert {**session} == {"passport": {"user": 7}}
            with pytest.raises(TuileError):
                session["cookie"] = {}
            session.clear()
            session["a"] = 1
            session.commit(200)
        stored = json.loads(kept.get(sid) or "")
        assert stored["cookie"]["originalMaxAge"] == 600_000 and stored["a"] == 1 and "passport" not in stored
        # An age of its own is express' maxAge.
        with manager.begin(headers["Set-Cookie"].split(";")[0]) as session:
            session.set_expiry(90)
            session.commit(200)
        stored = json.loads(kept.get(sid) or "")
        assert stored["cookie"]["originalMaxAge"] == 90_000 and "_session_expiry" not in stored and kept.left(sid) <= 91
        with manager.begin(headers["Set-Cookie"].split(";")[0]) as session:
            assert session.get_expiry_age() <= 90
            session.flush()
            session.commit(200)
        assert kept.get(sid) is None


def test_a_session_until_the_browser_closes_lives_as_the_store_s_ttl_says(kept: Kept) -> None:
    standard = 3600 if isinstance(kept, InFiles) else 86400
    for url, ttl in ((kept.url, standard), (kept.url + "&ttl=100", 100)):
        with opened(url, expire_at_browser_close=True) as manager, manager.begin("") as session:
            session["a"] = 1
            headers = dict(session.commit(200))
            sid = session.session_key or ""
        assert "Max-Age" not in headers["Set-Cookie"]
        assert json.loads(kept.get(sid) or "")["cookie"]["expires"] is None
        if not isinstance(kept, InFiles) or ttl == standard:
            assert ttl - 60 < kept.left(sid) <= ttl + 1


def test_a_login_gets_a_new_cookie_and_the_old_one_nothing(kept: Kept) -> None:
    with opened(kept.url, cycle_grace=0) as manager:
        with manager.begin("") as session:
            session["cart"] = [1]
            before = dict(session.commit(200))["Set-Cookie"].split(";")[0]
        with manager.begin(before) as session:
            session.cycle_key()
            session["passport"] = {"user": "ada"}
            after = dict(session.commit(200))["Set-Cookie"].split(";")[0]
        assert after != before and kept.get(sid_of(before)) is None
        assert json.loads(kept.get(sid_of(after)) or "")["cart"] == [1]
        assert "cookie" in json.loads(kept.get(sid_of(after)) or "")


def test_what_can_not_be_verified_or_read_stays(kept: Kept) -> None:
    case = cases(kept)[1]
    sid = sid_of(case["cookie"])
    other = "{" + '"a":1' + "}"  # JSON, and no session: it has no cookie
    for value, cookie in (
        (case["value"], case["cookie"][:-3] + "AAA"),
        (case["value"], f"connect.sid={sid}"),
        (other, case["cookie"]),
        ('{"cookie":5}' if not isinstance(kept, InPostgreSQL) else other, case["cookie"]),
        ("[1]", case["cookie"]),
    ):
        kept.set(sid, value, 365 * 86400)
        with opened(kept.url) as manager, manager.begin(cookie) as session:
            assert {**session} == {}
            headers = dict(session.commit(200))
            assert "Set-Cookie" not in headers
            session["mine"] = 1
            session.commit(200)
            assert session.session_key != sid
        assert kept.get(sid) == value


def test_a_change_of_express_under_way_is_not_undone(kept: Kept) -> None:
    case = cases(kept)[1]
    sid = sid_of(case["cookie"])
    kept.set(sid, case["value"], 3600)
    with opened(kept.url) as manager:
        with manager.begin(case["cookie"]) as session:
            session["mine"] = session.get("views")
            theirs = json.loads(kept.get(sid) or "")
            theirs["theirs"] = True
            kept.set(sid, json.dumps(theirs, separators=(",", ":")), 3600)
            session.commit(200)
        stored = json.loads(kept.get(sid) or "")
        assert stored["mine"] == 3 and stored["theirs"] is True and stored["passport"] == theirs["passport"]
        with manager.begin(case["cookie"]) as session:
            session["late"] = 1
            kept.destroy(sid)
            with pytest.raises(SessionDeleted):
                session.commit(200)
        assert kept.get(sid) is None


def race(kept: Kept, url: str, check: bool) -> tuple[int, int, int]:
    """Two writers of each kind: what each counted, and how often express' saves undid Tuile's."""
    case = cases(kept)[0]
    sid = sid_of(case["cookie"])
    kept.set(sid, '{"cookie":{"originalMaxAge":null,"expires":null},"__lastAccess":4795644493522,"tuile":0,"express":0}')
    each, turn, undone = 60, threading.Lock(), [0]

    def express() -> None:
        # A request of express is get, work, set; requests of its own that take turns.
        for _ in range(each):
            with turn:
                session = json.loads(kept.get(sid) or "")
                before = session["tuile"]
                session["express"] += 1
                now = json.loads(kept.get(sid) or "")["tuile"]
                undone[0] += now - before
                kept.set(sid, json.dumps(session))

    def tuile() -> None:
        with opened(url) as manager:
            for _ in range(each):
                if check:
                    with manager.begin(case["cookie"]) as session:
                        session.add_int("tuile", 1)
                        session.commit(200)
                else:
                    session_now = json.loads(kept.get(sid) or "")
                    session_now["tuile"] += 1
                    time.sleep(0.001)
                    kept.set(sid, json.dumps(session_now))

    writers = [threading.Thread(target=express) for _ in range(2)] + [threading.Thread(target=tuile) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    end = json.loads(kept.get(sid) or "")
    return end["express"], end["tuile"], 2 * each


def test_tuile_undoes_no_finished_save_of_express(kept: Kept) -> None:
    express, tuile, wanted = race(kept, kept.url, check=True)
    # Express' saves may undo Tuile's, as they undo each other's: the last writer wins there.
    # In files express takes no lock: within microseconds it may read what Tuile takes back.
    assert wanted - (3 if isinstance(kept, InFiles) else 0) <= express <= wanted and 0 < tuile <= wanted
    # The control: without comparing, express' saves are lost as well.
    assert any(race(kept, kept.url, check=False)[0] < wanted for _ in range(5))


def test_two_processes_of_tuile_lose_nothing_of_each_other(kept: Kept) -> None:
    case = cases(kept)[0]
    sid = sid_of(case["cookie"])
    kept.set(sid, '{"cookie":{"originalMaxAge":null,"expires":null},"__lastAccess":4795644493522}')

    def count(manager: Manager) -> None:
        for _ in range(50):
            with manager.begin(case["cookie"]) as session:
                session.add_int("n", 1)
                session.commit(200)

    with opened(kept.url) as one, opened(kept.url) as other:
        threads = [threading.Thread(target=count, args=(manager,)) for manager in (one, other, one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert json.loads(kept.get(sid) or "")["n"] == 200


def test_the_store_tells_its_keys_and_the_owner_s_are_listed(kept: Kept) -> None:
    with opened(kept.url, track_owners=True) as manager:
        with manager.begin("") as session:
            session["passport"] = {"user": "ada"}
            session.commit(200)
            sid = session.session_key or ""
        with Store(kept.url) as store:
            assert [key for key, _ in store.keys()] == [sid] and store.owners() == ["ada"]
            assert store.load(sid) is not None
            assert store.touch(2_000_000_000_000_000, key=sid)
            with pytest.raises(Refused):
                store.load("../../../etc/passwd")
        assert manager.revoke_all("ada") == 1 and kept.get(sid) is None


def test_a_layout_that_is_none_is_an_error_that_lists_them(tmp_path: Path) -> None:
    wrong = [
        f"file://{tmp_path}/s?layout=expres", f"file://{tmp_path}/s?layout=connect-redis", f"sqlite://{tmp_path}/s?layout=express",
        "redis://localhost/?layout=connect-pg-simple", "memory:?layout=express", f"file://{tmp_path}/s?layout=",
    ]  # fmt: skip
    for url in wrong:
        with pytest.raises(TuileError) as refused:
            opened(url)
        assert url.startswith("memory") or "connect-pg-simple" in str(refused.value), url
    for url in (f"file://{tmp_path}/s?layout=express&prefix=a", f"file://{tmp_path}/s?layout=express&layout=express",
                f"file://{tmp_path}/s?layout=express&ttl=0", f"cached+file://{tmp_path}/s?layout=express"):  # fmt: skip
        with pytest.raises(TuileError):
            opened(url)
    with pytest.raises(TuileError, match="secret"):
        Manager(store=f"file://{tmp_path}/s?layout=express")
    with pytest.raises(TuileError, match="url_sessions"):
        opened(f"file://{tmp_path}/s?layout=express", url_sessions=True)
    with pytest.raises(TuileError, match="previous_store"):
        opened(f"file://{tmp_path}/s?layout=express", previous_store=f"file://{tmp_path}/t")
