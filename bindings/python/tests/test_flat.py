"""The flat calls give what the functions with structs give, whatever comes between a call and its answer."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tuile import _by_ctypes, cookies, errors, signing
from tuile import _flat as flat

HEADERS: list[Any] = [
    "", "a=1", "a=1; a=2; b", "a", "=", "; ;", "a=\"x\\054y\"; b=\"\\000\"", "a=é; b=\udcff", b"a=\xff\xfe; b=\xc3", "a=\0; b=2",
    b"a=1", "a=" + "v" * 4090, "a=" + "v" * 5000, "; ".join(f"c{i}=1" for i in range(800)), ["a=1", "b=2"], "a=1;b=2", "\tа=1 ",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("mode", ["browser", "django", "strict"])
def test_cookies_are_the_same(header: Any, mode: Any) -> None:
    try:
        expected = cookies._read(header, mode)
    except errors.TuileError as problem:
        with pytest.raises(type(problem)) as raised:
            cookies.parse(header, mode)
        assert (str(raised.value), raised.value.offset) == (str(problem), problem.offset)
        return
    assert list(cookies.pairs(header, mode)) == expected
    assert list(cookies.parse(header, mode).items()) == list(dict(expected).items())


def test_most_are_read_by_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cookies, "_read", None)
    monkeypatch.setattr(cookies.SetCookie, "_write", None)
    for name in ("_sign", "_unsign", "_dumps", "_loads"):
        monkeypatch.setattr(signing.Signer, name, None)
    assert cookies.parse("a=1; b=\"\\101\"", "django") == {"a": "1", "b": "A"}
    assert cookies.SetCookie("a", "b", max_age=60, secure=True, same_site="Lax").header() == "a=b; Max-Age=60; Path=/; SameSite=Lax; Secure"
    for signer in (signing.TimestampSigner(key="k" * 32), signing.Tokens("sealed", key="k" * 32, salt="s", name="n")):
        assert signer.unsign(signer.sign("é")) == "é"
        assert signer.loads(signer.dumps({"a": [1]}), max_age=60) == {"a": [1]}


FIELDS: list[dict[str, Any]] = [
    {}, {"value": "x y"}, {"name": "a\0b"}, {"name": b"bytes"}, {"max_age": 0}, {"max_age": 2**40}, {"max_age": True}, {"max_age": 1.5},
    {"expires": 0}, {"secure": True, "same_site": "None", "partitioned": True}, {"same_site": "none"}, {"same_site": []}, {"secure": 1},
    {"secure": "no"}, {"http_only": True, "priority": "High"}, {"priority": 3}, {"path": ""}, {"domain": "example.org"}, {"domain": "\udc80"},
    {"value": "x y", "skip_rules": cookies.Rule.VALUE}, {"name": "__Host-a"}, {"value": "v" * 5000}, {"max_age": 500 * 86400}, {"name": ""},
    {"value": "a\0b\0c"}, {"name": None}, {"value": "\ud800"},
]  # fmt: skip


@pytest.mark.parametrize("fields", FIELDS)
def test_set_cookies_are_the_same(fields: dict[str, Any]) -> None:
    cookie = cookies.SetCookie(**{"name": "a", "value": "b", **fields})
    try:
        expected = cookie._write(cookies.native.lib.tuile_set_cookie_write)
    except Exception as problem:
        with pytest.raises(type(problem)) as raised:
            cookie.header()
        assert str(raised.value) == str(problem)
        return
    assert cookie.header() == expected


def test_what_comes_between_takes_another_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's handler, a finalizer or another thread that runs before the answer was read."""
    call = _by_ctypes.cookies
    depth = 0

    def interrupted(*given: Any) -> Any:
        nonlocal depth
        answer = call(*given)
        if depth < 3:
            depth += 1
            name = f"inner{depth}"
            assert cookies.parse(f"{name}=secret") == {name: "secret"}
        return answer

    monkeypatch.setattr(_by_ctypes, "cookies", interrupted)
    monkeypatch.setattr(flat, "parse", _by_ctypes.parse)
    assert cookies.parse("outer=mine") == {"outer": "mine"}
    assert depth == 3


def test_threads() -> None:
    signer = signing.TimestampSigner(key="k" * 32)
    wrong: list[Any] = []

    def work(number: int) -> None:
        for i in range(2000):
            text = f"{number}-{i}"
            if cookies.parse(f"a={text}; b={number}") != {"a": text, "b": str(number)} or signer.unsign(signer.sign(text)) != text:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_signer_that_is_closed() -> None:
    signer = signing.TimestampSigner(key="k" * 32)
    token = signer.sign("a")
    with pytest.raises(errors.BadSignature):
        signer.unsign(token + "x")
    signer.close()
    for call in (lambda: signer.sign("a"), lambda: signer.unsign(token), lambda: signer.dumps(1), lambda: signer.loads(token)):
        with pytest.raises(errors.ArgumentError, match="closed"):
            call()


@pytest.mark.parametrize("age", [-1, 0, 60, 60.9, 2**31, 2**62])
def test_ages(age: Any) -> None:
    signer = signing.TimestampSigner(key="k" * 32)
    old = signer._sign("a", 1000)
    if age >= 2**31:
        assert signer.unsign(old, max_age=age) == "a"
    else:
        with pytest.raises(signing.SignatureExpired):
            signer.unsign(old, max_age=age)
