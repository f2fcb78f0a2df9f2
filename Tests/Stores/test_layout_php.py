"""PHP's own sessions, in its files and in Redis by phpredis: Debian's PHP and Tuile, in both directions."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
import redis_server
from store import BUILD, ROOT, Store
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

VECTORS = json.loads((ROOT / "Tests/vectors/layout_php.json").read_text())
PHP = shutil.which("php")
HAS_PHPREDIS = PHP is not None and "redis" in subprocess.run([PHP, "-m"], capture_output=True, text=True, check=False).stdout.split()
SCRIPT = Path(__file__).with_name("layout_php.php")


class Kept:
    """Where PHP keeps its sessions, and how it is told so."""

    url = ""
    settings: dict[str, str] = {}

    def php(self, sid: str, command: str, *arguments: str, **more: str) -> Any:
        if PHP is None:
            pytest.skip("php-cli is not installed")
        return json.loads(self.start(sid, command, *arguments, **more).communicate(timeout=120)[0])

    def start(self, sid: str, command: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
        settings = [word for name, value in {**self.settings, **more}.items() for word in ("-d", f"{name}={value}")]
        assert PHP is not None
        return subprocess.Popen([PHP, *settings, str(SCRIPT), sid, command, *arguments], stdout=subprocess.PIPE, text=True)

    def get(self, sid: str) -> Optional[bytes]:
        raise NotImplementedError

    def put(self, sid: str, data: bytes) -> None:
        raise NotImplementedError

    def left(self, sid: str) -> float:
        raise NotImplementedError


class InFiles(Kept):
    def __init__(self, folder: Path, handler: str = "php", depth: int = 0) -> None:
        self.folder, self.depth = folder, depth
        self.url = f"file://{folder}?layout=php&handler={handler}&depth={depth}"
        path = f"{depth};{folder}" if depth else str(folder)
        self.settings = {
            "session.save_handler": "files", "session.save_path": f'"{path}"', "session.serialize_handler": handler, "session.gc_probability": "0",
        }  # fmt: skip

    def path(self, sid: str) -> Path:
        return self.folder.joinpath(*sid[: self.depth], f"sess_{sid}")

    def get(self, sid: str) -> Optional[bytes]:
        try:
            return self.path(sid).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, sid: str, data: bytes) -> None:
        self.path(sid).parent.mkdir(parents=True, exist_ok=True)
        self.path(sid).write_bytes(data)

    def left(self, sid: str) -> float:
        return self.path(sid).stat().st_mtime + 1440 - time.time()


class InRedis(Kept):
    def __init__(self, server: redis_server.Server, handler: str = "php", prefix: str = "PHPREDIS_SESSION:") -> None:
        import redis

        self.client, self.prefix = redis.Redis(unix_socket_path=str(server.socket)), prefix
        self.url = f"{server.unix}?layout=php&handler={handler}&prefix={prefix.replace(':', '%3A')}"
        self.settings = {
            "session.save_handler": "redis", "session.serialize_handler": handler,
            "session.save_path": f'"unix://{server.socket}?prefix={prefix}"', "redis.session.locking_enabled": "1",
            "redis.session.lock_retries": "-1", "redis.session.lock_wait_time": "500", "session.gc_probability": "0",
        }  # fmt: skip

    def get(self, sid: str) -> Optional[bytes]:
        found = self.client.get(self.prefix + sid)
        return None if found is None else bytes(found)

    def put(self, sid: str, data: bytes) -> None:
        self.client.set(self.prefix + sid, data, ex=1440)

    def left(self, sid: str) -> float:
        return float(self.client.pttl(self.prefix + sid)) / 1000


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    if not (BUILD / "libtuile-redis.so").exists():
        pytest.skip("the module is not built")
    with redis_server.running(tmp_path_factory.mktemp("redis") / "one") as server:
        yield server


@pytest.fixture(params=["file", "redis"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "redis":
        if not HAS_PHPREDIS:
            pytest.skip("php-redis is not installed")
        server = request.getfixturevalue("redis")
        server.client().flushall()
        return InRedis(server)
    folder = tmp_path / "sessions"
    folder.mkdir(mode=0o700)
    return InFiles(folder)


def opened(url: str, **more: Any) -> Manager:
    return Manager(store=url, cookie_name="PHPSESSID", **more)


def made_by_php(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = VECTORS[name]
    for case in cases:
        for member in ("value", "after"):
            if f"{member}_z" in case:
                case[member] = base64.b64encode(zlib.decompress(base64.b64decode(case[f"{member}_z"]))).decode()
    return cases


@pytest.mark.parametrize("name", [name for name in VECTORS if name not in ("note", "igbinary")])
def test_what_php_wrote_is_read_and_changed_as_php_changes_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    kept: Kept
    if name.startswith("redis"):
        server = request.getfixturevalue("redis")
        kept = InRedis(server) if name == "redis" else InRedis(server, "php_serialize", "shop_")
    else:
        (tmp_path / "sessions").mkdir(mode=0o700)
        word, value = name.split("=")
        kept = InFiles(tmp_path / "sessions", **({"handler": value} if word == "handler" else {"depth": int(value)}))
    count = 0
    for case in made_by_php(name):
        sid = case["cookie"].split("=")[1].replace("%2C", ",")
        kept.put(sid, base64.b64decode(case["value"]))
        # What PHP itself could not write is not written here either.
        if not case["write_ok"] or case["after"] is None:
            continue
        with opened(kept.url) as manager, manager.begin(case["cookie"]) as session:
            assert session.get("hits") is None
            if case["json"]:
                assert {**session} == case["json"], case["name"]
            session["hits"] = 41
            headers = dict(session.commit(200))
        assert kept.get(sid) == base64.b64decode(case["after"]), case["name"]
        assert headers["Set-Cookie"].split(";")[0] == case["cookie"]
        assert 1400 < kept.left(sid) <= 1441
        count += 1
    assert count >= 13


def test_igbinary_is_refused(kept: Kept) -> None:
    with pytest.raises(TuileError, match="handler"):
        opened(kept.url.replace("handler=php", "handler=igbinary"))
    for case in VECTORS["igbinary"]:
        sid, stored = case["cookie"].split("=")[1], base64.b64decode(case["value"])
        kept.put(sid, stored)
        with opened(kept.url) as manager:
            with manager.begin(case["cookie"]) as session:
                assert {**session} == {}
                session["hits"] = 41
                session.commit(200)
                assert session.session_key != sid
            assert manager.stats()["bad_signatures"] > 0
        assert kept.get(sid) == stored


def test_php_reads_what_tuile_wrote_and_the_other_way_round(kept: Kept) -> None:
    values = {"user": 7, "name": "žluťoučký", "list": [1, 2.5, None, {"a": True}]}
    with opened(kept.url) as manager:
        with manager.begin("") as session:
            session.update(values)
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0]
            sid = session.session_key or ""
        assert len(sid) == 26 and kept.php(sid, "read") == values
        kept.php(sid, "write", json.dumps({"php": [1], "user": 8}))
        with manager.begin(cookie) as session:
            assert session["php"] == [1] and session["user"] == 8
            session.add_int("user", 1)
            session.commit(200)
        assert kept.php(sid, "read")["user"] == 9
        # A logout of one is a logout of the other.
        with manager.begin(cookie) as session:
            session["late"] = 1
            kept.php(sid, "destroy")
            with pytest.raises(SessionDeleted):
                session.commit(200)
        assert kept.get(sid) is None
    sid = "a" * 26
    kept.php(sid, "write", json.dumps(values))
    with opened(kept.url, cycle_grace=0) as manager:
        with manager.begin(f"PHPSESSID={sid}") as session:
            assert {**session} == values
            session.cycle_key()
            session.commit(200)
            fresh = session.session_key or ""
        assert kept.get(sid) is None and kept.php(fresh, "read") == values
        with manager.begin(f"PHPSESSID={fresh}") as session:
            session.flush()
            session.commit(200)
    assert kept.get(fresh) is None


def test_an_object_of_php_s_stays_and_is_never_made(kept: Kept) -> None:
    sid = "b" * 26
    kept.php(sid, "object")
    with opened(kept.url) as manager:
        with manager.begin(f"PHPSESSID={sid}") as session:
            session["n"] = 2
            session.commit(200)
        assert kept.php(sid, "class") == "DateTime 2026-01-02" and kept.php(sid, "read")["n"] == 2
        before = kept.get(sid)
        with manager.begin(f"PHPSESSID={sid}") as session:
            session["a|b"] = 1
            with pytest.raises(TuileError):
                session.commit(200)
        assert kept.get(sid) == before
        with manager.begin(f"PHPSESSID={sid}") as session:
            del session["when"]
            session.commit(200)
        assert kept.php(sid, "read") == {"n": 2}


def test_what_is_no_session_of_php_s_stays(kept: Kept) -> None:
    sid = "c" * 26
    for data in (b"\x00\xff", b"a|O:", b'{"a":1}', b"n|i:1;x", b"n|a:99999999:{"):
        kept.put(sid, data)
        with opened(kept.url) as manager, manager.begin(f"PHPSESSID={sid}") as session:
            assert {**session} == {}
            assert "Set-Cookie" not in dict(session.commit(200))
            session["mine"] = 1
            session.commit(200)
            assert session.session_key != sid
        assert kept.get(sid) == data
    for cookie in ("../../etc/passwd", "x", "a" * 257, "abc/defghij", "abc%00defghij", "sess_abcdefgh"):
        with opened(kept.url) as manager, manager.begin(f"PHPSESSID={cookie}") as session:
            assert {**session} == {}


@pytest.mark.parametrize("locks", [True, False])
def test_of_php_and_tuile_at_once_none_loses_a_change(kept: Kept, locks: bool) -> None:
    """With PHP's lock all count. The control is a writer that does not look for it: it loses."""
    if PHP is None:
        pytest.skip("php-cli is not installed")
    each = 60

    def counted() -> dict[str, int]:
        sid = os.urandom(13).hex()
        kept.put(sid, b"php|i:0;tuile|i:0;")
        php = [kept.start(sid, "count", str(each)) for _ in range(2)]

        def tuile() -> None:
            with opened(f"{kept.url}&busy=60000") as manager:
                for _ in range(each):
                    with manager.begin(f"PHPSESSID={sid}") as session:
                        session.add_int("tuile", 1)
                        session.commit(200)

        def careless() -> None:
            for _ in range(each):
                text = (kept.get(sid) or b"php|i:0;tuile|i:0;").decode()
                words = dict(word.split("|i:") for word in text.split(";") if "|i:" in word)
                time.sleep(0.0005)
                kept.put(sid, f"php|i:{words.get('php', 0)};tuile|i:{int(words.get('tuile', 0)) + 1};".encode())

        threads = [threading.Thread(target=tuile if locks else careless) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for process in php:
            assert json.loads(process.communicate(timeout=300)[0]) is True
        read: dict[str, int] = kept.php(sid, "read")
        return read

    if locks:
        assert counted() == {"php": 2 * each, "tuile": 2 * each}
    else:
        assert any(sum(counted().values()) < 4 * each for _ in range(5))


def test_a_lock_that_php_keeps_is_waited_for_and_no_longer(kept: Kept) -> None:
    sid = "d" * 26
    kept.put(sid, b"n|i:1;")
    with opened(f"{kept.url}&busy=100") as manager:
        if isinstance(kept, InRedis):
            with manager.begin(f"PHPSESSID={sid}") as session:
                session["n"] = 2
                kept.client.set(f"{kept.prefix}{sid}_LOCK", "host|1")
                with pytest.raises(TuileError, match="lock"):
                    session.commit(200)
                with pytest.raises(TuileError, match="lock"):
                    session.flush()
                kept.client.delete(f"{kept.prefix}{sid}_LOCK")
                session.commit(200)
        else:
            assert isinstance(kept, InFiles)
            with open(kept.path(sid), "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                with manager.begin(f"PHPSESSID={sid}") as session, pytest.raises(TuileError):
                    session.get("n")
            with manager.begin(f"PHPSESSID={sid}") as session:
                session["n"] = 2
                session.commit(200)
    assert kept.get(sid) == b"n|i:2;"


def test_the_folder_is_walked_and_swept_by_php_s_rule(tmp_path: Path) -> None:
    for depth in (0, 2):
        folder = tmp_path / str(depth)
        folder.mkdir(mode=0o700)
        kept = InFiles(folder, depth=depth)
        old, new = "o" * 26, "n" * 26
        for sid in (old, new):
            kept.put(sid, b"n|i:1;")
        (folder / "other").write_text("x")
        os.utime(kept.path(old), (1, time.time() - 1500))
        with Store(kept.url) as store:
            now = int(time.time() * 1_000_000)
            assert [key for key, _ in store.keys(now)] == [new]
            assert store.load(old, now) is None and store.load(new, now) is not None
            assert store.sweep(now) == 1 and store.sweep(now) == 0
        assert kept.get(old) is None and kept.get(new) == b"n|i:1;" and (folder / "other").exists()


def test_what_can_not_be_is_an_error_at_the_start(tmp_path: Path) -> None:
    for option in ("handler=igbinary", "depth=9", "prefix=a", "ttl=0", "fsync=data", "age=5"):
        with pytest.raises(TuileError):
            opened(f"file://{tmp_path}/s?layout=php&{option}")
