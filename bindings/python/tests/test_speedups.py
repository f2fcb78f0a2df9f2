"""The module in C gives what ctypes gives, takes nothing that would crash it, and keeps nothing."""

from __future__ import annotations

import ctypes
import gc
import os
import random
import subprocess
import sys
import weakref
from typing import Any

import pytest
from tuile import _by_ctypes as slow
from tuile import _native as native
from tuile._flat import ANSWER, bind
from tuile.sessions import Manager
from tuile.signing import TimestampSigner

fast: Any = pytest.importorskip("tuile._speedups", reason="the module in C was not built")
SECRET = "0123456789abcdef0123456789abcdef"
HEADERS = ["", "a", "a=1", "a=1; a=2", "=; ;=", "a=é; b=\udcff", b"a=\xff\xfe; b=\xc3", "a=\0; b=2", "a=" + "v" * 4000, "x" * 5000, b"", "; ".join(f"c{i}=1" for i in range(700))]


def test_which_is_used() -> None:
    show = "from tuile import _flat; print(_flat._made.__name__)"
    for given, used in (("", "tuile._speedups"), ("1", "tuile._by_ctypes")):
        environ = {**os.environ, "TUILE_NO_EXTENSION": given}
        answer = subprocess.run([sys.executable, "-c", show], env=environ, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == used


@pytest.fixture(autouse=True)
def bound() -> None:
    """Also where the package was told to do without it."""
    bind(fast)


def told(answer: tuple[int, bytes]) -> tuple[int, list[bytes]]:
    """What is behind the words of an error is nobody's, and an ordinary answer has no words."""
    count, text = answer
    return count, [text] if count >= 0 else text.split(b"\0")[:2] if count > ANSWER else []


def same_cookies(header: Any, mode: int) -> None:
    assert fast.parse(header, mode) == slow.parse(header, mode)
    both = [call(header, mode) for call in (fast.pairs, slow.pairs)]
    assert [None if found is None else list(found) for found in both] in ([None, None], [both[0]] * 2)


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_cookies(header: Any) -> None:
    for mode in (*native.COOKIE_MODE.values(), 99, -1):
        same_cookies(header, mode)


def test_any_octets() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chosen = random.Random(seed)
    alphabet = [b"a", b"b=", b"; ", b";", b"=", b'"', b"\\", b"\0", b" ", b"\t", b"\xff", "é".encode(), b"\r\n", b"0"]
    for _ in range(20_000):
        octets = b"".join(chosen.choice(alphabet) for _ in range(chosen.randrange(40)))
        mode = chosen.choice(list(native.COOKIE_MODE.values()))
        same_cookies(octets, mode)
        same_cookies(octets.decode("utf-8", "surrogateescape"), mode)
        fields = octets.replace(b" ", b"\0")
        number = chosen.choice([native.UNSET, -1, 0, 60, 2**40])
        assert told(fast.set_cookie(fields, number, 3)) == told(slow.set_cookie(fields, number, 3))


def test_half_a_surrogate_pair_is_no_header() -> None:
    with pytest.raises(UnicodeEncodeError):
        fast.parse("a=\ud800", 0)
    assert slow.parse("a=\ud800", 0) is None


def test_signing() -> None:
    with TimestampSignerOf() as (number, address):
        for text in (b"", b"a", "é\0".encode(), b"\xff", b"v" * 4096):
            token = fast.sign(number, text)
            assert token[0] == len(token[1]) == slow.sign(address, text)[0]
            for age in (native.UNSET, 60, 2**40, -1):
                assert told(fast.unsign(number, token[1], age)) == told(slow.unsign(address, token[1], age))
                assert told(fast.loads(number, token[1], age)) == told(slow.loads(address, token[1], age))
            assert told(fast.unsign(number, token[1] + b"x", 60)) == told(slow.unsign(address, token[1] + b"x", 60))
        payload = b'{"a":[1]}'
        for compress in (0, 1):
            assert slow.loads(address, fast.dumps(number, payload, compress)[1], 60) == (len(payload), payload)


class TimestampSignerOf:
    """Its handle in both forms."""

    def __enter__(self) -> tuple[int, ctypes.c_void_p]:
        self.signer = TimestampSigner(key=SECRET)
        number = self.signer._handle.use(lambda handle: handle)
        return number, ctypes.c_void_p(number)

    def __exit__(self, *_: object) -> None:
        self.signer.close()


@pytest.mark.parametrize("suffix", ["", "_waiting"])
def test_a_session(suffix: str) -> None:
    begin, commit, end = (getattr(fast, name + suffix) for name in ("begin", "commit", "end"))
    with Manager(store="memory:") as manager:
        number = manager._handle.use(lambda handle: handle)
        count, text, session = begin(number, b"")
        assert text == ("", "", "", "{}") and count == len("\0\0\0{}\0")
        # Too large for the buffer: it is committed, and asked for again.
        long = b'{"a":"' + b"v" * 40_000 + b'"}'
        count, text = commit(session, b"set\0" + long + b"\0", 200)
        key = text.partition(b"\0")[0]
        end(session)
        count, text, session = begin(number, b"sessionid=" + key)
        assert count > slow.ROOM and text == (key.decode(), "", "", long.decode())
        assert fast.again(session, count).split(b"\0")[3] == long
        found = getattr(slow, "begin" + suffix)(ctypes.c_void_p(number), b"sessionid=" + key)
        assert found[:2] == (count, text)
        end(found[2])
        assert fast.again(session, 10) == b"\0" * 10
        # Of an error the place and the words; what the status was does not matter to a number that is none.
        count, text = commit(session, b"set\0{\0", 2**60)
        assert count < 0 and text.rstrip(b"\0").count(b"\0") == 1
        end(session)
        assert begin(0, b"")[0] < 0 and begin(0, b"")[2] is None
        assert commit(0, b"", 200)[0] < 0


@pytest.mark.parametrize("suffix", ["", "_waiting"])
def test_a_session_that_is_read_later(suffix: str) -> None:
    start, json, end = (getattr(fast, name + suffix) for name in ("start", "json", "end"))
    with Manager(store="memory:") as manager:
        number = manager._handle.use(lambda handle: handle)
        with manager.begin("") as session:
            session["a"] = "v" * 40_000
            session.commit()
            key = session.session_key
        count, text, begun = start(number, f"sessionid={key}".encode(), b"/?a=1")
        assert (count, text) == (0, b"")
        assert json(begun) == (0, b'{"a":"' + b"v" * 40_000 + b'"}') == getattr(slow, "json" + suffix)(ctypes.c_void_p(begun))
        end(begun)
        assert start(0, b"", b"")[::2] == (native.E_ARGUMENT, None) == getattr(slow, "start" + suffix)(ctypes.c_void_p(), b"", b"")[::2]
        assert told(json(0)) == told(getattr(slow, "json" + suffix)(ctypes.c_void_p())) and json(0)[0] == native.E_ARGUMENT


@pytest.mark.parametrize("suffix", ["", "_waiting"])
def test_changes_of_a_session(suffix: str) -> None:
    of = {module: {name: getattr(module, name + suffix) for name in ("set_json", "add_int", "json", "end", "begin")} for module in (fast, slow)}
    with Manager(store="memory:") as manager:
        number = manager._handle.use(lambda handle: handle)
        answers = []
        for module, calls in of.items():
            handle: Any = (lambda it: it) if module is fast else ctypes.c_void_p
            session = handle(calls["begin"](handle(number), b"")[2])
            made = [
                calls["set_json"](session, "é\0".encode(), b'{"a": [1, "\\ud800"]}'),
                calls["set_json"](session, b"n", b"41"),
                calls["add_int"](session, b"n", 1),
                calls["add_int"](session, b"new", -(2**63)),
                calls["add_int"](session, b"new", -1),
                calls["add_int"](session, "é\0".encode(), 1),
                calls["set_json"](session, b"\xff", b"1"),
                calls["set_json"](session, b"a", b"{"),
                calls["set_json"](handle(0), b"a", b"1"),
                calls["add_int"](handle(0), b"a", 1),
            ]
            assert [one[0] for one in made[:4]] == [0, 0, 0, 0] and all(one[0] < 0 for one in made[4:])
            assert made[2][2] == 42 and made[3][2] == -(2**63)
            answers.append(([(told(one[:2]), one[2:]) for one in made], calls["json"](session)))
            calls["end"](session)
        assert answers[0] == answers[1]


CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("sign", (1, b"")), ("unsign", (1, b"", 0)), ("dumps", (1, b"", 0)), ("loads", (1, b"", 0)), ("begin", (1, b"")), ("begin_waiting", (1, b"")),
    ("commit", (1, b"", 0)), ("commit_waiting", (1, b"", 0)), ("again", (1, 10)), ("end", (1,)), ("end_waiting", (1,)), ("start", (1, b"", b"")), ("start_waiting", (1, b"", b"")), ("json", (1,)), ("json_waiting", (1,)),
    ("set_json", (1, b"", b"")), ("set_json_waiting", (1, b"", b"")), ("add_int", (1, b"", 1)), ("add_int_waiting", (1, b"", 1)),
    ("parse", ("", 0)), ("pairs", ("", 0)),
    ("set_cookie", (b"", 0, 0)), ("bind", ({},)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "good"), CALLS)
def test_wrong_arguments(name: str, good: tuple[Any, ...]) -> None:
    call = getattr(fast, name)
    wrong: list[tuple[Any, ...]] = [(), (*good, None)]
    for place, value in enumerate(good):
        for other in (None, 1.5, "text", b"octets", [], object(), 2**80, -(2**80)):
            if other.__class__ is not value.__class__ and not (name in ("parse", "pairs") and place == 0 and isinstance(other, (str, bytes))):
                wrong.append((*good[:place], other, *good[place + 1 :]))
    for given in wrong:
        with pytest.raises((TypeError, OverflowError, KeyError)):
            call(*given)


def test_nothing_is_kept() -> None:
    class Header(str):
        pass

    with TimestampSignerOf() as (number, _), Manager(store="memory:") as manager:
        handle = manager._handle.use(lambda found: found)

        def all_of_them() -> None:
            for header in HEADERS[:9]:
                fast.parse(header, 0), fast.pairs(header, 0)
            fast.set_cookie(b"a\0b\0\0\0", 60, 3), fast.set_cookie(b"a", 0, 0)
            fast.loads(number, fast.dumps(number, b"[1]", 1)[1], 60), fast.unsign(number, fast.sign(number, b"a")[1], 60)
            for given in ((), (None, 0), (1.5, 1.5)):
                with pytest.raises(TypeError):
                    fast.parse(*given)
            for suffix in ("", "_waiting"):
                session = getattr(fast, "begin" + suffix)(handle, b"a=1")[2]
                getattr(fast, "commit" + suffix)(session, b"", 200)
                for json in (b"1", b"{"):
                    getattr(fast, "set_json" + suffix)(session, b"a", json)
                    getattr(fast, "add_int" + suffix)(session, b"a", 2**63 - 1)
                getattr(fast, "json" + suffix)(session)
                getattr(fast, "json" + suffix)(0)
                fast.again(session, 40)
                getattr(fast, "end" + suffix)(session)
                getattr(fast, "end" + suffix)(getattr(fast, "start" + suffix)(handle, b"a=1", b"")[2])
                getattr(fast, "start" + suffix)(0, b"", b"")

        for _ in range(5):
            all_of_them()
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(300):
            all_of_them()
        gc.collect()
        assert sys.getallocatedblocks() - before < 250
        header = Header("a=1; b=2")
        gone = weakref.ref(header)
        assert fast.parse(header, 0) == {"a": "1", "b": "2"}
        del header
        assert gone() is None
