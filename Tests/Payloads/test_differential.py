"""The payloads against the languages' own readers and writers: random values, seeded, both ways. TUILE_FULL=1: more of them."""

from __future__ import annotations

import base64
import copy
import datetime
import decimal
import json
import os
import pathlib
import pickle
import random
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import msgspec
import payloads
import pytest

HERE = pathlib.Path(__file__).resolve().parent
FULL = os.environ.get("TUILE_FULL") == "1"
ROUNDS = 20000 if FULL else 400
TEXT = ["", "a", "hits", "$type ", "naïve", "東京", "🙂 ok", 'q"\\/\n\0', "x" * 40, "y" * 300, "7", "-0", "a|b", "käse"]


def text(rng: random.Random) -> str:
    return rng.choice(TEXT) + (str(rng.randrange(1000)) if rng.random() < 0.5 else "")


def number(rng: random.Random, bits: int) -> int:
    return rng.choice([0, 1, -1, 127, 128, 255, 256, 65535, 65536, -32, -33, -128, -129, -32769, 2**30, -(2**30) - 1, 2**31,
                       -(2**31) - 1, rng.getrandbits(rng.randrange(1, bits)), -rng.getrandbits(rng.randrange(1, bits))])


def plain(rng: random.Random, depth: int = 3, bits: int = 63, name: Callable[[random.Random], str] = text) -> Any:
    """What JSON says."""
    kind = rng.randrange(9 if depth > 0 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return number(rng, bits)
    if kind == 3:
        return rng.choice([0.1, -0.0, 3.0, 1e16, 1e17, 1e21, 1.5e-7, 5e-324, 0.0001, 123456789.125, rng.random(), rng.gauss(0, 1e9)])
    if kind in (4, 5):
        return text(rng)
    size = rng.choice([0, 1, 2, 3, 20])
    if kind == 6:
        return [plain(rng, depth - 1, bits, name) for _ in range(size)]
    return {name(rng): plain(rng, depth - 1, bits, name) for _ in range(size)}


def session(rng: random.Random, make: Callable[[random.Random], Any], name: Callable[[random.Random], str] = text) -> dict[str, Any]:
    made = {name(rng): make(rng) for _ in range(rng.choice([0, 1, 2, 5, 20]))}
    made.pop("hits", None)
    return made


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def edited(rng: random.Random, shown: dict[str, Any], make: Callable[[random.Random], Any]) -> dict[str, Any]:
    """Some members are left out, others set; a list grows or loses its first."""
    new = copy.deepcopy(shown)
    for name in list(new):
        chance = rng.random()
        if chance < 0.1:
            del new[name]
        elif chance < 0.3:
            new[name] = make(rng)
        elif chance < 0.5 and isinstance(new[name], list) and new[name]:
            new[name].append(make(rng)) if chance < 0.4 else new[name].pop(0)
        elif chance < 0.7 and isinstance(new[name], dict):
            new[name]["new"] = make(rng)
    new["hits"] = 41
    return new


# ---- pickle ----

def shows(value: Any) -> Any:
    """What a value of Python's is shown as."""
    if isinstance(value, dict):
        if all(isinstance(key, str) and key != "$type" for key in value):
            return {key: shows(item) for key, item in value.items()}
        return {"$type": "dict", "items": [[shows(key), shows(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [shows(item) for item in value]
    if isinstance(value, (tuple, set, frozenset)):
        return {"$type": type(value).__name__, "items": [shows(item) for item in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"$type": type(value).__name__, "base64": base64.b64encode(value).decode()}
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return {"$type": type(value).__name__, "iso": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"$type": "timedelta", "seconds": value.total_seconds()}
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return {"$type": type(value).__name__.lower(), "value": str(value)}
    return value


def pythonic(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(14)
    if kind < 6 or depth == 0:
        return plain(rng, min(depth, 2), 200)
    if kind == 6:
        return tuple(pythonic(rng, depth - 1) for _ in range(rng.randrange(6)))
    if kind == 7:
        return rng.choice([bytes, bytearray])(rng.randbytes(rng.choice([0, 1, 9, 300])))
    if kind == 8:
        return rng.choice([set, frozenset])({rng.randrange(9) for _ in range(rng.randrange(4))})
    if kind == 9:
        return datetime.datetime(2026, 3, 29, 2, 30, rng.randrange(60), rng.choice([0, 5, 999999]), rng.choice(
            [None, datetime.UTC, datetime.timezone(datetime.timedelta(seconds=rng.randrange(-86000, 86000)))]))
    if kind == 10:
        return rng.choice([datetime.date(2024, 2, 29), datetime.time(8, 15, 0, 7), datetime.timedelta(-3, 61, 5),
                           decimal.Decimal("1E-7"), uuid.UUID(int=rng.getrandbits(128))])
    if kind == 11:
        return {rng.choice([1, 2.5, None, True, (1, 2), "x"]): pythonic(rng, depth - 1) for _ in range(3)}
    inner = pythonic(rng, depth - 1)
    return [inner, {"same": inner, "again": [inner]}]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_are_shown_and_written_as_python_writes_them(protocol: int) -> None:
    rng = random.Random(protocol)
    for _ in range(ROUNDS):
        value = session(rng, pythonic)
        # As a framework has it that read it.
        stored = pickle.dumps(pickle.loads(pickle.dumps(value, protocol)), protocol)
        loaded = pickle.loads(stored)
        shown = payloads.read("pickle", stored)
        assert json.loads(shown) == shows(loaded)
        loaded["hits"] = 41
        wanted = json.loads(shown) | {"hits": 41}
        assert payloads.rewrite("pickle", stored, dumped(wanted)) == pickle.dumps(loaded, protocol)


@pytest.mark.parametrize("protocol", [2, 5])
def test_python_reads_pickles_that_were_changed(protocol: int) -> None:
    rng = random.Random(protocol)
    refused = 0
    for _ in range(ROUNDS):
        stored = pickle.dumps(session(rng, pythonic), protocol)
        shown = json.loads(payloads.read("pickle", stored))
        wanted = edited(rng, shown, lambda rng: plain(rng, 2, 200))
        status, data = payloads.run("pickle", stored, dumped(wanted))
        # What is shared or behind a placeholder is not changed.
        if status == payloads.READ_ONLY:
            refused += 1
            continue
        assert status == payloads.OK
        assert shows(pickle.loads(data)) == wanted
    assert refused < ROUNDS * 3 / 4


def test_large_pickles_have_pythons_frames() -> None:
    rng = random.Random(7)
    for size in [999, 1000, 1001, 2000, 2001, 5000]:
        value = {"list": list(range(size)), "map": {f"k{i}": "v" * rng.randrange(90) for i in range(size)}, "text": "é" * size * 40}
        stored = pickle.dumps(value, 5)
        value = pickle.loads(stored) | {"hits": 41}
        assert payloads.rewrite("pickle", stored, dumped(value)) == pickle.dumps(value, 5)


# ---- MessagePack ----

def test_messagepack_is_written_as_its_libraries_write_it() -> None:
    rng = random.Random(1)
    for _ in range(ROUNDS):
        value = session(rng, lambda rng: plain(rng, 3, 63))
        for encode in (msgpack.packb, msgspec.msgpack.encode):
            stored = encode(value)
            assert payloads.read("msgpack", stored) == dumped(value)
            assert payloads.rewrite("msgpack", b"", dumped(value)) == stored
            wanted = edited(rng, value, lambda rng: plain(rng, 2, 64))
            data = payloads.rewrite("msgpack", stored, dumped(wanted))
            assert data == encode(wanted)
            assert msgpack.unpackb(data) == wanted


def test_messagepack_keeps_what_json_lacks() -> None:
    rng = random.Random(2)
    for _ in range(ROUNDS):
        value = {"a": [rng.randbytes(9), {1: "x"}], "e": msgpack.ExtType(5, b"xyz"), "at": datetime.datetime.fromtimestamp(rng.randrange(2**33) + 0.5, datetime.UTC),
                 "plain": plain(rng)}
        stored = msgpack.packb(value, datetime=True)
        shown = json.loads(payloads.read("msgpack", stored))
        assert shown["at"] == {"$type": "datetime", "iso": value["at"].isoformat()}
        shown["hits"] = 41
        value["hits"] = 41
        assert payloads.rewrite("msgpack", stored, dumped(shown)) == msgpack.packb(value, datetime=True)
        shown["e"] = 7
        assert payloads.run("msgpack", stored, dumped(shown))[0] == payloads.READ_ONLY


# ---- PHP and Ruby: one process each, that is asked line by line ----

class Language:
    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words: str) -> list[bytes]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(" ".join(words).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), (words[0], line)
        return [base64.b64decode(word) for word in line[:-1].split(b" ")]

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode() or "="


def language(*command: str) -> Iterator[Language]:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    started = Language(*command)
    yield started
    started.close()


@pytest.fixture(scope="module", params=["php", "php_serialize", "php_binary"])
def handler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def php(handler: str) -> Iterator[Language]:
    settings = ("-d", "serialize_precision=-1", "-d", f"session.serialize_handler={handler}")
    yield from language("php", *settings, str(HERE / "php.php"))


@pytest.fixture(scope="module")
def ruby() -> Iterator[Language]:
    yield from language("ruby", str(HERE / "ruby.rb"))


def php_name(rng: random.Random) -> str:
    return "k" + rng.choice(["", "ey", "ключ", " x", "-1"]) + str(rng.randrange(50))


def unempty(value: Any) -> Any:
    """PHP has one empty array."""
    if isinstance(value, dict):
        return {key: unempty(item) for key, item in value.items()} or []
    return [unempty(item) for item in value] if isinstance(value, list) else value


def test_php_is_read_and_written_as_php_does(php: Language, handler: str) -> None:
    rng = random.Random(handler)
    for _ in range(ROUNDS):
        value = session(rng, lambda rng: unempty(plain(rng, 3, 63, php_name)), php_name)
        stored = php.ask("encode", encoded(dumped(value)))[0]
        assert payloads.read(handler, stored) == dumped(value)
        assert payloads.rewrite(handler, b"", dumped(value)) == stored
        wanted = edited(rng, value, lambda rng: unempty(plain(rng, 2, 63, php_name)))
        assert payloads.rewrite(handler, stored, dumped(wanted)) == php.ask("encode", encoded(dumped(wanted)))[0]


def test_php_objects_and_references_stay(php: Language, handler: str) -> None:
    for seed in range(ROUNDS):
        stored, after, without = php.ask("graph", str(seed))
        shown = json.loads(payloads.read(handler, stored))
        assert payloads.rewrite(handler, stored, dumped(shown | {"hits": 41})) == after
        # A member before all others is left out: every reference has another number.
        del shown["first"]
        assert payloads.rewrite(handler, stored, dumped(shown)) == without


def test_ruby_is_read_and_written_as_ruby_does(ruby: Language) -> None:
    rng = random.Random(5)
    for _ in range(ROUNDS):
        value = session(rng, lambda rng: plain(rng, 3, 200))
        stored = ruby.ask("encode", encoded(dumped(value)))[0]
        assert json.loads(payloads.read("marshal", stored)) == value
        wanted = edited(rng, value, lambda rng: plain(rng, 2, 200))
        data = payloads.rewrite("marshal", stored, dumped(wanted))
        assert ruby.ask("same", encoded(data), encoded(dumped(wanted))) == [b"true"]
        data = payloads.rewrite("marshal", b"", dumped(value))
        assert ruby.ask("same", encoded(data), encoded(dumped(value))) == [b"true"]


def test_rubys_objects_and_links_stay(ruby: Language) -> None:
    for seed in range(ROUNDS):
        stored, after, without = ruby.ask("graph", str(seed))
        shown = json.loads(payloads.read("marshal", stored))
        assert payloads.rewrite("marshal", stored, dumped(shown | {"hits": 41})) == after
        del shown["first"]
        assert payloads.rewrite("marshal", stored, dumped(shown)) == without
