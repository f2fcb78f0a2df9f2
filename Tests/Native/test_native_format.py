"""Tuile's own tokens, made by the library and by native_format.py, each read by the other.

Wants TUILE_LIBRARY and bindings/python on the PYTHONPATH.
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any, Callable, Optional

import make_vectors
import native_format as format_
import pytest
from native_format import BadToken, Expired
from tuile import errors, signing

KINDS = ("sealed", "signed")
OVERHEAD = {"sealed": 55, "signed": 47}
SECRET, OLDER, OLDEST = (letter * 32 for letter in (b"s", b"o", b"t"))
TIME = 1749730710
# Two secrets whose ids are both af2f93b3: found by trying 200,000.
SAME_ID = b"one of two secrets with one id: 00020211", b"one of two secrets with one id: 00190251"
VECTORS = json.loads(make_vectors.FILE.read_text(encoding="utf-8"))["cases"]
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Library:
    """libtuile behind the interface of native_format.Tokens."""

    def __init__(
        self, kind: str, secret: bytes, purpose: bytes = b"cart", name: bytes = b"c", older: tuple[bytes, ...] = ()
    ) -> None:
        self.options: dict[str, Any] = {"key": secret, "salt": purpose, "name": name, "fallback_keys": older}
        self.kind = kind
        self.reader = signing.Tokens(kind, **self.options)

    def make(self, text: bytes, now: int, lifetime: Optional[int] = None) -> str:
        writer = signing.Tokens(self.kind, lifetime=lifetime, **self.options)
        return writer._sign(text, now)  # type: ignore[arg-type]

    def read(self, token: str, now: int, max_age: Optional[int] = None) -> tuple[bytes, int, int]:
        try:
            opened = self.reader.open(token, now=now, max_age=max_age)
        except signing.SignatureExpired as error:
            raise Expired from error
        except signing.BadSignature as error:
            raise BadToken from error
        assert opened.timestamp is not None
        return opened.value.encode("utf-8", "surrogateescape"), opened.timestamp, opened.key


class Second(format_.Tokens):
    def __init__(
        self, kind: str, secret: bytes, purpose: bytes = b"cart", name: bytes = b"c", older: tuple[bytes, ...] = ()
    ) -> None:
        super().__init__(kind, secret, purpose, name, older)

    def read(self, token: str, now: int, max_age: Optional[int] = None) -> tuple[bytes, int, int]:  # type: ignore[override]
        opened = super().read(token, now, max_age)
        return opened.text, opened.issued, opened.key


BOTH = (Library, Second)
kinds = pytest.mark.parametrize("kind", KINDS)
readers = pytest.mark.parametrize("reader", BOTH)
writers = pytest.mark.parametrize("writer", BOTH)


def refused(read: Callable[..., Any], *arguments: Any) -> None:
    """Not told as expired either: that is only said of a genuine token."""
    with pytest.raises(BadToken) as raised:
        read(*arguments)
    assert raised.type is BadToken


@kinds
@writers
@readers
@pytest.mark.parametrize("seed", range(60))
def test_random_octets_pass_to_and_fro(kind: str, writer: Any, reader: Any, seed: int) -> None:
    random_ = random.Random(seed)
    text = random_.randbytes(random_.choice((0, 1, 2, 15, 16, 17, random_.randrange(3000))))
    secret, purpose, name = (random_.randbytes(random_.randrange(low, 90)) for low in (32, 0, 0))
    now, lifetime = random_.randrange(2**39), random_.choice((None, 1, random_.randrange(1, 2**39)))
    token = writer(kind, secret, purpose, name).make(text, now, lifetime)
    assert reader(kind, secret, purpose, name).read(token, now) == (text, now, 0)
    assert len(token) == -(-4 * (OVERHEAD[kind] + len(text)) // 3) and set(token) <= set(URL_SAFE)


@kinds
@writers
def test_each_field_is_where_the_format_has_it(kind: str, writer: Any) -> None:
    token = writer(kind, SECRET).make(b"text", TIME, 60)
    octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert octets[0] == KINDS.index(kind) + 1
    assert octets[1:5] == format_.key_id(SECRET)
    assert int.from_bytes(octets[5:10], "big") == TIME
    assert int.from_bytes(octets[10:15], "big") == TIME + 60
    assert len(octets) == OVERHEAD[kind] + 4 and (octets[15:19] == b"text") == (kind == "signed")
    opened = format_.Tokens(kind, SECRET, b"cart", b"c").read(token, TIME)
    assert opened == format_.Opened(octets[0], octets[1:5], TIME, TIME + 60, b"text", 0)
    token = writer(kind, SECRET).make(b"text", TIME)
    assert base64.urlsafe_b64decode(token[:20])[10:15] == bytes(5)


@pytest.mark.parametrize("text", ["", '{"a":[1,"é",null]}', "x" * 500])
def test_signed_tokens_are_equal_to_the_byte(text: str) -> None:
    assert Library("signed", SECRET).make(text.encode(), TIME, 9) == Second("signed", SECRET).make(text.encode(), TIME, 9)


@kinds
def test_json_is_compact_utf_8(kind: str) -> None:
    value = {"name": "Zoë", "n": [1, 2.5, None, True], "🍪": ""}
    token = signing.Tokens(kind, key=SECRET, salt="cart", name="c").dumps(value)
    text = format_.Tokens(kind, SECRET, b"cart", b"c").read(token, TIME).text
    assert text == json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    token = Second(kind, SECRET).make(text, TIME)
    assert signing.Tokens(kind, key=SECRET, salt="cart", name="c").open_json(token, now=TIME).value == value


@writers
def test_no_two_sealed_tokens_are_the_same(writer: Any) -> None:
    tokens = writer("sealed", SECRET)
    salts = {base64.urlsafe_b64decode(tokens.make(b"", TIME)[:52])[15:39] for _ in range(500)}
    assert len(salts) == 500


@kinds
@writers
@readers
def test_the_key_id_finds_the_secret(kind: str, writer: Any, reader: Any) -> None:
    rotated = reader(kind, SECRET, older=(OLDER, OLDEST))
    for key, secret in enumerate((SECRET, OLDER, OLDEST)):
        assert rotated.read(writer(kind, secret).make(b"text", TIME), TIME) == (b"text", TIME, key)
    refused(rotated.read, writer(kind, b"x" * 32).make(b"text", TIME), TIME)
    refused(reader(kind, SECRET).read, writer(kind, OLDER).make(b"text", TIME), TIME)
    # Only the first secret writes.
    refused(reader(kind, OLDER).read, writer(kind, SECRET, older=(OLDER,)).make(b"text", TIME), TIME)


@kinds
@writers
@readers
def test_two_secrets_may_have_one_id(kind: str, writer: Any, reader: Any) -> None:
    assert format_.key_id(SAME_ID[0]) == format_.key_id(SAME_ID[1])
    rotated = reader(kind, SAME_ID[0], older=(SAME_ID[1],))
    for key, secret in enumerate(SAME_ID):
        assert rotated.read(writer(kind, secret).make(b"text", TIME), TIME) == (b"text", TIME, key)


@kinds
@writers
@readers
def test_purpose_and_name_are_bound_each_for_itself(kind: str, writer: Any, reader: Any) -> None:
    pairs = [(b"ab", b"c"), (b"a", b"bc"), (b"", b"abc"), (b"abc", b""), (b"", b""), (b"c", b"ab"), (b"AB", b"c")]
    pairs += [(b"ab\x001:c", b""), (b"ab", b"c\0"), (b"a\x001:b", b"c"), (b"a", b"b\x001:c"), (b"2:ab", b"1:c")]
    made = [writer(kind, SECRET, *pair).make(b"text", TIME) for pair in pairs]
    for read_as, pair in enumerate(pairs):
        tokens = reader(kind, SECRET, *pair)
        for made_as, token in enumerate(made):
            if made_as == read_as:
                assert tokens.read(token, TIME)[0] == b"text"
            else:
                refused(tokens.read, token, TIME)


@kinds
@writers
@readers
def test_a_token_is_good_up_to_the_second_before_its_end(kind: str, writer: Any, reader: Any) -> None:
    tokens = reader(kind, SECRET)
    token, endless = writer(kind, SECRET).make(b"text", TIME, 60), writer(kind, SECRET).make(b"text", TIME)
    for now in (0, TIME - 1, TIME, TIME + 59):
        assert tokens.read(token, now)[1] == TIME
    for now in (TIME + 60, TIME + 61, 2**40, 2**62):
        with pytest.raises(Expired):
            tokens.read(token, now)
        assert tokens.read(endless, now)[1] == TIME


@kinds
@writers
@readers
def test_a_token_of_just_the_age_is_good(kind: str, writer: Any, reader: Any) -> None:
    tokens = reader(kind, SECRET)
    token = writer(kind, SECRET).make(b"text", TIME, 60)
    for now, age in ((TIME, 0), (TIME + 30, 30), (TIME + 59, 59), (TIME - 5, 0), (TIME - 5, -5), (TIME + 5, 2**62)):
        assert tokens.read(token, now, age)[0] == b"text"
    for now, age in ((TIME + 1, 0), (TIME + 31, 30), (TIME, -1), (TIME - 5, -6), (TIME + 60, 1000)):
        with pytest.raises(Expired):
            tokens.read(token, now, age)


@kinds
@writers
def test_times_that_five_bytes_cannot_hold_are_not_written(kind: str, writer: Any) -> None:
    last = 2**40 - 1
    for now, lifetime in ((0, None), (0, 1), (last, None), (last - 1, 1)):
        Second(kind, SECRET).read(writer(kind, SECRET).make(b"", now, lifetime), now)
    times = [(-1, None), (last + 1, None), (last, 1), (0, 0), (10, -10), (10, 0), (10, -5), (-5, 10), (1, 2**62)]
    for now, lifetime in times:
        with pytest.raises((errors.RangeError, errors.ArgumentError, ValueError)):
            writer(kind, SECRET).make(b"", now, lifetime)


@pytest.mark.parametrize("case", VECTORS, ids=range(len(VECTORS)))
def test_vectors(case: dict[str, Any]) -> None:
    names, text = (case["purpose"].encode(), case["name"].encode()), case["text"].encode()
    for tokens in (both(case["kind"], case["secret"].encode(), *names) for both in BOTH):
        assert tokens.read(case["token"], case["time"]) == (text, case["time"], 0)
        if case["lifetime"] is not None:
            with pytest.raises(Expired):
                tokens.read(case["token"], case["time"] + case["lifetime"])
        if case["kind"] == "signed":
            assert tokens.make(text, case["time"], case["lifetime"]) == case["token"]


def test_the_vectors_are_those_that_are_made_now() -> None:
    assert make_vectors.FILE.read_text(encoding="utf-8") == make_vectors.written()
