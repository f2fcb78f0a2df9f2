"""What the payloads refuse, and that no input ends the process: on a thread with little stack, too."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable

import msgpack
import payloads
import pytest
from payloads import MALFORMED, NOT_REPRESENTABLE, OK, READ_ONLY, read, rewrite, run


def nested(format: str, depth: int) -> bytes:
    """A list in a list, so often."""
    if format == "pickle":
        return b"\x80\x04}(X\x01\x00\x00\x00a" + b"]" * depth + b"a" * (depth - 1) + b"u."
    if format == "msgpack":
        return b"\x81\xa1a" + b"\x91" * (depth - 1) + b"\x90"
    if format == "marshal":
        return b'\x04\x08{\x06I"\x06a\x06:\x06ET' + b"[\x06" * (depth - 1) + b"[\x00"
    if format == "json":
        return b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    inner = b"a:1:{i:0;" * (depth - 1) + b"a:0:{}" + b"}" * (depth - 1)
    return {"php": b"a|" + inner, "php_binary": b"\x01a" + inner, "php_serialize": b'a:1:{s:1:"a";' + inner + b"}"}[format]


def test_what_is_shown_is_no_deeper_than_json_may_be() -> None:
    # Each tuple is shown as a list in an object.
    for depth in range(55, 75):
        stored = b"\x80\x04}(\x8c\x01aK\x01" + b"\x85" * depth + b"u."
        status, json = run("pickle", stored)
        assert status == (OK if depth <= 63 else MALFORMED)
        assert status != OK or run("pickle", stored, json) == (OK, stored)


def on_small_stack(call: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    before = threading.stack_size(128 * 1024)
    try:
        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if failed:
        raise failed[0]


@pytest.mark.parametrize("format", payloads.FORMATS)
def test_depth_is_bounded(format: str) -> None:
    def call() -> None:
        deepest = nested(format, 127)
        shown = read(format, deepest)
        assert shown == b'{"a":' + b"[" * 127 + b"]" * 127 + b"}"
        assert read(format, rewrite(format, deepest, b'{"b":1,' + shown[1:])) == b'{"b":1,' + shown[1:]
        assert read(format, rewrite(format, b"", shown)) == shown
        for depth in (128, 129, 1000, 100_000):
            assert run(format, nested(format, depth))[0] == MALFORMED
        assert run(format, b"", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}")[0] == NOT_REPRESENTABLE

    on_small_stack(call)


@pytest.mark.parametrize("format", payloads.FORMATS)
def test_each_prefix_and_each_changed_octet_gets_a_status(format: str) -> None:
    value = b'{"a":[1,-70000,3.5,"x",{"b":null,"c":[true,false]}],"text":"\\u00e4","n":123456789012}'
    stored = rewrite(format, b"", value)
    assert read(format, stored) == value

    def call() -> None:
        for size in range(len(stored)):
            run(format, stored[:size], value)
        for at in range(len(stored)):
            for octet in (0, 0x22, 0x30, 0x3A, 0x7B, 0x7F, 0x80, 0x94, 0xFF):
                changed = stored[:at] + bytes([octet]) + stored[at + 1:]
                status, shown = run(format, changed)
                assert status in (OK, MALFORMED)
                if status == OK:
                    json.loads(shown)
                    run(format, changed, value)

    on_small_stack(call)


@pytest.mark.parametrize(
    ("format", "stored"),
    [
        ("php", b"a|i:1;a|i:2;"), ("php", b"a|i:1;tail"), ("php", b"a|i:01;"), ("php", b"a|R:3;"), ("php", b"a|r:1;"),
        ("php", b'a|s:4:"abc";'), ("php", b"a|a:2:{i:0;i:1;}"), ("php", b'a|O:1:"A":1:{i:0;i:1;'), ("php_serialize", b"i:1;"),
        ("php_serialize", b"a:999999999:{}"), ("php_serialize", b'a:2:{i:1;i:1;s:1:"1";i:2;}'), ("php_binary", b"\x81ai:1;"),
        ("pickle", b"\x80\x04."), ("pickle", b"\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x00."), ("pickle", b"\x80\x04}}."), ("pickle", b"\x80\x04]."), ("pickle", b"\x80\x04}.x"), ("pickle", b"\x80\x06}."),
        ("pickle", pickle.dumps({"a": 1}, 0)), ("pickle", b"\x80\x02}h\x00."), ("pickle", b"\x80\x02}q\x00q\x00."),
        ("pickle", b"\x80\x04}\x8c\x01a\x8c\x01as\x8c\x01a\x8c\x01bs."), ("pickle", b"\x80\x02}j\xff\xff\xff\xff."),
        ("pickle", b"\x80\x04}\x8d\xff\xff\xff\xff\xff\xff\xff\x7fa."), ("msgpack", b"\x81\xa1a"), ("msgpack", b"\x80\x80"), ("msgpack", b"\x90"),
        ("msgpack", b"\xdf\xff\xff\xff\xff"), ("msgpack", b"\x82\xa1a\x01\xa1a\x02"), ("marshal", b"\x04\x09{\x00"), ("marshal", b"\x04\x08[\x00"),
        ("marshal", b"\x04\x08{\x06;\x00i\x00"), ("marshal", b'\x04\x08{\x06I"\x06a\x06:\x06ET@\x09'), ("marshal", b"\x04\x08{\xfc\xff\xff\xff\xff"),
        ("json", b'{"a":1,"a":2}'), ("json", b"[]"), ("json", b'{"a":1'),
    ],
)
def test_what_no_framework_writes_is_refused(format: str, stored: bytes) -> None:
    assert run(format, stored)[0] == MALFORMED
    assert run(format, stored, b'{"hits":41}')[0] == MALFORMED


def test_what_refers_again_and_again_does_not_grow_without_bound() -> None:
    value: object = "x" * 1000
    for _ in range(24):
        value = [value, value, value, value]
    assert run("pickle", pickle.dumps({"a": value}, 4))[0] == MALFORMED
    text = b'a|s:3000:"' + b"x" * 3000 + b'";b|a:9000:{' + b"".join(b"i:%d;R:1;" % i for i in range(9000)) + b"}"
    assert run("php", text)[0] == MALFORMED


def test_too_many_values_are_refused() -> None:
    assert run("msgpack", msgpack.packb({"a": [0] * 100_000}))[0] == OK
    assert run("msgpack", msgpack.packb({"a": [0] * 300_000}))[0] == MALFORMED
    assert run("php", b"a|" + b"N;" * (1 << 24))[0] == MALFORMED


def test_nothing_is_made_or_run(tmp_path: object) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return exec, ("raise SystemExit",)

    stored = pickle.dumps({"evil": Evil(), "a": 1}, 4)
    assert json.loads(read("pickle", stored)) == {"evil": {"$type": "object", "class": "builtins.exec"}, "a": 1}
    assert rewrite("pickle", stored, b'{"evil":{"$type":"object","class":"builtins.exec"},"a":2}') == stored.replace(b"K\x01", b"K\x02")


@pytest.mark.parametrize(
    ("format", "stored"),
    [
        ("pickle", pickle.dumps({"a": {"t": [(1, 2), 3]}, "b": 1})), ("msgpack", msgpack.packb({"a": {"t": [b"x", 3]}, "b": 1})),
        ("php", b'a|a:1:{s:1:"t";a:2:{i:0;O:1:"A":0:{}i:1;i:3;}}b|i:1;'),
        ("marshal", b'\x04\x08{\x07I"\x06a\x06:\x06ET{\x06I"\x06t\x06;\x00T[\x07:\x06xi\x08I"\x06b\x06;\x00Ti\x06'),
    ],
)
def test_placeholders_stay_and_are_not_changed(format: str, stored: bytes) -> None:
    shown = json.loads(read(format, stored))
    placeholder = shown["a"]["t"][0]
    assert placeholder["$type"]

    def status(new: object) -> int:
        return run(format, stored, json.dumps(new).encode())[0]

    for inner in ([placeholder, 4], [placeholder, 3, 5], [1, placeholder, 3], [placeholder], [3], []):
        new = {"a": {"t": inner}, "b": 2}
        data = rewrite(format, stored, json.dumps(new).encode())
        assert json.loads(read(format, data)) == new
    # Left out with all that it is in; not made something else, nor made anew.
    assert status({"b": 1}) == OK
    for inner in ([4, 3], [placeholder | {"x": 1}, 3], [4, 5, 6]):
        assert status({"a": {"t": inner}, "b": 1}) == READ_ONLY
    assert status({"a": 1, "b": 1}) == READ_ONLY
    assert status(shown | {"new": placeholder}) == NOT_REPRESENTABLE
    assert status({"a": shown["a"], "b": placeholder}) == NOT_REPRESENTABLE


@pytest.mark.parametrize(
    ("format", "json_text"),
    [
        ("php", b'{"a|b":1}'), ("php", b'{"7":1}'), ("php_binary", b'{"' + b"k" * 128 + b'":1}'), ("php_binary", b'{"-7":1}'),
        ("php_serialize", b'{"a":{"7":1}}'), ("php", b'{"a":9223372036854775808}'), ("php", b'{"a":"\\ud800"}'), ("php", b'{"a":NaN}'),
        ("msgpack", b'{"a":18446744073709551616}'), ("msgpack", b'{"a":-9223372036854775809}'), ("msgpack", b'{"a":"\\ud800"}'),
        ("marshal", b'{"a":"\\ud800"}'), ("pickle", b'{"a":1e999}'), ("pickle", b'{"a":1' + b"0" * 5000 + b"}"), ("pickle", b'{"a":1,"a":2}'),
        ("pickle", b"[]"), ("pickle", b"{"), ("json", b'{"a":1,"a":2}'),
    ],
)
def test_what_a_format_cannot_say_is_refused(format: str, json_text: bytes) -> None:
    assert run(format, b"", json_text)[0] == NOT_REPRESENTABLE


def test_keys_that_are_no_strings_stay_where_they_are() -> None:
    value = {"a": 1, 7: "seven", "b": 2, (1, 2): 3}
    stored = pickle.dumps(value, 4)
    shown = json.loads(read("pickle", stored))
    assert shown == {"a": 1, "b": 2, "$keys": {"$type": "dict", "count": 2}}
    assert rewrite("pickle", stored, json.dumps(shown | {"b": 5}).encode()) == pickle.dumps(value | {"b": 5}, 4)
    assert pickle.loads(rewrite("pickle", stored, b'{"a":1}')) == {"a": 1}
    assert run("pickle", stored, b'{"a":1,"$keys":3}')[0] == READ_ONLY
    assert read("php_serialize", rewrite("php_serialize", b"a:1:{i:7;i:1;}", b'{"7":2,"8":3}')) == b'{"7":2,"8":3}'


def test_a_value_that_is_there_twice_is_changed_alone_or_not_at_all() -> None:
    text, inner = "".join(["some", " text"]), [1]
    stored = pickle.dumps({"a": text, "b": text, "c": inner, "d": inner}, 4)
    new = b'{"a":"other","b":"some text","c":[1],"d":[1]}'
    data = rewrite("pickle", stored, new)
    assert read("pickle", data) == new
    loaded = pickle.loads(data)
    assert loaded["c"] is loaded["d"] and loaded["b"] == text
    assert run("pickle", stored, b'{"a":"some text","b":"some text","c":[2],"d":[1]}')[0] == READ_ONLY
    # The first place goes: the value is written at the next.
    assert pickle.loads(rewrite("pickle", stored, b'{"b":"some text","d":[1]}')) == {"b": text, "d": [1]}
    assert run("php", b"a|i:1;b|R:1;", b'{"a":2,"b":1}')[0] == READ_ONLY
    assert rewrite("php", b"a|i:1;b|R:1;c|i:3;d|R:2;", b'{"b":1,"c":3,"d":3}') == b"b|i:1;c|i:3;d|R:2;"
