"""Laravel's and Symfony's sessions in memcached, where php-memcached compresses them: each of them and Tuile, in both
directions, with FastLZ and zlib; and what is no such value stays."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from php_frameworks import FASTLZ, PLAIN, ZLIB, memcached_running, uncompressed
from store import native
from test_layout_laravel import OfMemcached as Laravel
from test_layout_symfony import COOKIE
from test_layout_symfony import OfMemcached as Symfony
from tuile.errors import TuileError
from tuile.sessions import Manager, SessionDeleted

SID = "0123456789abcdefghijklmnop"
WAYS = {"fastlz": FASTLZ, "zlib": ZLIB, "none": PLAIN}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    yield from memcached_running()


def text_of(size: int, chance: random.Random) -> str:
    """Words that come again, near and far, and runs of one character."""
    words = ["".join(chance.choices("abcdefghijkl é", k=chance.randrange(1, 40))) for _ in range(200)] + ["x" * 400, "-" * 30]
    made = ""
    while len(made) < size:
        made += chance.choice(words)
    return made[:size]


def written(kept: Symfony, values: dict[str, Any]) -> None:
    """By Symfony; more than an argument takes."""
    process = kept.start(SID, "write", "-")
    assert json.loads(process.communicate(json.dumps(values), timeout=120)[0]) == SID


@pytest.mark.parametrize("way", list(WAYS))
def test_what_symfony_compressed_stays_compressed_and_it_reads_it(server: Any, way: str) -> None:
    kept, chance = Symfony(server, compression=way), random.Random(way)
    # Over 64 KiB FastLZ writes its other level; 800,000 bytes are almost all that an item takes.
    for size in (10, 1500, 5000, 66_000, 800_000):
        text = text_of(size, chance)
        written(kept, {"text": text[: size // 2], "n": 1})
        written(kept, {"text": text})
        stored = kept.stored(SID)
        assert stored and stored[1] == (WAYS[way] if size > 2000 else PLAIN)
        with kept.opened(max_data=4 << 20) as manager, manager.begin(COOKIE) as session:
            assert session["text"] == text and session.add_int("n", 1) == 2
            session["more"] = text[:3000] + chance.randbytes(300).hex()
            session.commit(200)
            more = session["more"]
        after = kept.stored(SID)
        assert after and after[1] == stored[1]
        assert len(after[0]) < len(stored[0]) * 1.3 + 4000
        assert kept.symfony(SID, "read") == {"text": text, "n": 2, "more": more}
        # What gets small, or can't be compressed, is as it is, as php-memcached has it.
        with kept.opened(max_data=4 << 20) as manager, manager.begin(COOKIE) as session:
            session["text"] = chance.randbytes(4000).hex()[:2000]
            del session["more"]
            session.commit(200)
            text = session["text"]
        assert kept.symfony(SID, "read") == {"text": text, "n": 2}
        kept.drop(SID)


def test_laravel_s_are_compressed_too_and_a_new_one_is_not(server: Any) -> None:
    kept = Laravel(server)
    text = text_of(20_000, random.Random(1))
    with kept.opened() as manager:
        with manager.begin("") as session:
            session["text"] = text
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0]
            sid = session.session_key or ""
        stored = kept.stored(sid)
        assert stored and stored[1] == PLAIN and kept.laravel(sid, "read")["text"] == text
        stored = kept.stored(sid)
        assert stored and stored[1] == FASTLZ and len(stored[0]) < 15_000
        with manager.begin(cookie) as session:
            assert session["text"] == text
            session["n"] = 1
            session.commit(200)
        stored = kept.stored(sid)
        assert stored and stored[1] == FASTLZ and kept.laravel(sid, "read")["n"] == 1
        with manager.begin(cookie) as session:
            session["late"] = 1
            kept.laravel(sid, "destroy")
            with pytest.raises(SessionDeleted):
                session.commit(200)


def test_what_is_no_such_value_stays(server: Any) -> None:
    kept = Symfony(server)
    text = text_of(9000, random.Random(2))
    kept.symfony(SID, "write", json.dumps({"text": text}))
    stored = kept.stored(SID)
    assert stored and stored[1] == FASTLZ
    value, data = stored[0], uncompressed(*stored)

    def head(size: int) -> bytes:
        return struct.pack("=I", size)

    bad = [
        (value[:-1], FASTLZ), (value + b"\0", FASTLZ), (value[:3], FASTLZ), (value[:4], FASTLZ), (b"", FASTLZ), (value, ZLIB), (value, PLAIN),
        (head(len(data) + 1) + value[4:], FASTLZ), (head(len(data) - 1) + value[4:], FASTLZ), (head(1 << 31) + value[4:], FASTLZ),
        (head(64 << 20) + value[4:], FASTLZ), (head(0) + value[4:], FASTLZ), (head(5) + b"\x40abcd", FASTLZ), (head(6) + b"\x00a\x20\x05", FASTLZ),
        # Further back than there is anything, level 2's long distance without its bytes, and a length that does not end.
        (head(6) + b"\x20a\x3f\xff\x01", FASTLZ), (head(9000) + b"\x20a" + b"\xff" * 40, FASTLZ), (head(4) + b"\x03ab", FASTLZ),
        (head(len(data)) + zlib.compress(data)[:-2], ZLIB), (head(len(data) - 1) + zlib.compress(data), ZLIB), (head(70 << 20) + zlib.compress(bytes(70 << 20)), ZLIB),
        (head(5) + zlib.compress(bytes(70 << 20)), ZLIB),
        # Of other types, other compressors, and an application's own flags.
        (data, 1), (data, 4), (data, 0x10), (value, 0x40), (value, 0x70), (value, 0x90), (value, FASTLZ | 4), (data, 1 << 16),
    ]  # fmt: skip
    for stored_value, flags in bad:
        kept.put(SID, stored_value, flags)
        with kept.opened() as manager, manager.begin(COOKIE) as session:
            shown = {}
            try:
                shown = {**session}
                session["mine"] = 1
                session.commit(200)
                assert session.session_key != SID
            except TuileError as error:
                assert error.status in (native.E_CORRUPT, native.E_LIMIT)
            assert shown == {}
        assert kept.stored(SID) == (stored_value, flags)
    for flags, again in ((FASTLZ, value), (ZLIB, head(len(data)) + zlib.compress(data)), (PLAIN, data)):
        kept.put(SID, again, flags)
        with kept.opened() as manager, manager.begin(COOKIE) as session:
            assert session["text"] == text


def test_a_damaged_value_is_read_as_something_or_refused(server: Any) -> None:
    """Any byte may be another: there is an answer, and nothing is written over."""
    chance = random.Random(3)
    kept: Any
    kept = Symfony(server)
    kept.symfony(SID, "write", json.dumps({"text": text_of(70_000, chance)}))
    value, flags = kept.stored(SID)
    assert flags == FASTLZ and value[4] >> 5 == 1
    with kept.opened() as manager:
        for _ in range(300):
            at = chance.randrange(4, len(value))
            damaged = value[:at] + chance.randbytes(1) + value[at + 1 :]
            kept.put(SID, damaged, flags)
            with manager.begin(COOKIE) as session:
                try:
                    session.get("text")
                except TuileError as error:
                    assert error.status == native.E_CORRUPT
            assert kept.stored(SID) == (damaged, flags)


def test_they_find_each_other_s_on_several_servers(server: Any) -> None:
    from memcached_server import running

    with running() as one, running() as two:
        servers = [server, one, two]
        place: Callable[[str], int] = lambda sid: [s.client().get("sf_s" + sid) is not None for s in servers].index(True)
        kept = Symfony(server, memcached=[["127.0.0.1", s.port] for s in servers])
        used = set()
        with Manager(store=f"memcached://{','.join(s.host for s in servers)}/?layout=symfony", cookie_name="PHPSESSID") as manager:
            for i in range(10):
                sid = f"{i:026}"
                kept.symfony(sid, "write", json.dumps({"n": i}))
                with manager.begin(f"PHPSESSID={sid}") as session:
                    assert session["n"] == i
                used.add(place(sid))
        assert len(used) > 1


def test_a_wrong_option_is_an_error(server: Any) -> None:
    for query in ("layout=symfony&depth=1", "layout=symfony&table=a", "layout=symfony&busy=5", "layout=laravel&table=a", "layout=laravel&busy=5", "layout=laravel&distribution=x"):
        with pytest.raises(TuileError):
            Manager(store=f"{server.url}?{query}", cookie_name="a", secret="base64:" + "A" * 43 + "=")
