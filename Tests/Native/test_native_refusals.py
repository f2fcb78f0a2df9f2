"""Tuile's own tokens, changed: neither the library nor native_format.py reads any of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from typing import Any

import native_format as format_
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from test_native_format import BOTH, KINDS, OVERHEAD, SECRET, TIME, URL_SAFE, kinds, readers, refused, writers

TEXTS = (b"", b"a", b"to", b"bcd", b'{"user":42}', bytes(range(256)))
texts = pytest.mark.parametrize("text", TEXTS, ids=map(len, TEXTS))


def octets_of(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@kinds
@writers
@readers
@texts
def test_each_bit_counts(kind: str, writer: Any, reader: Any, text: bytes) -> None:
    tokens, octets = reader(kind, SECRET), octets_of(writer(kind, SECRET).make(text, TIME, 60))
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        refused(tokens.read, format_.encode(changed), TIME)


@kinds
@writers
@readers
@texts
def test_no_part_of_a_token_is_one(kind: str, writer: Any, reader: Any, text: bytes) -> None:
    tokens, token = reader(kind, SECRET), writer(kind, SECRET).make(text, TIME)
    octets = octets_of(token)
    for size in range(len(token)):
        refused(tokens.read, token[:size], TIME)
        refused(tokens.read, token[len(token) - size :], TIME)
    for size in range(len(octets)):
        refused(tokens.read, format_.encode(octets[:size]), TIME)
        refused(tokens.read, format_.encode(octets[:size] + octets[size + 1 :]), TIME)
        refused(tokens.read, format_.encode(octets[:size] + b"\0" + octets[size:]), TIME)
    refused(tokens.read, format_.encode(octets + b"\0"), TIME)


@kinds
@writers
@readers
@texts
def test_each_character_counts(kind: str, writer: Any, reader: Any, text: bytes) -> None:
    # That is stronger than each bit: the last character has bits that no byte gets.
    tokens, token = reader(kind, SECRET), writer(kind, SECRET).make(text, TIME)
    random_ = random.Random(len(text))
    for place in range(len(token)):
        last = place == len(token) - 1
        for other in URL_SAFE if last else random_.sample(URL_SAFE, 4):
            if other != token[place]:
                refused(tokens.read, token[:place] + other + token[place + 1 :], TIME)
        for other in "+/=.~ \n\0é":
            refused(tokens.read, token[:place] + other + token[place + 1 :], TIME)


@kinds
@writers
@readers
@texts
def test_one_token_has_one_text(kind: str, writer: Any, reader: Any, text: bytes) -> None:
    tokens, token = reader(kind, SECRET), writer(kind, SECRET).make(text, TIME)
    assert tokens.read(token, TIME)[0] == text
    for other in (token + "=" * (-len(token) % 4 or 4), token + "=", token + "A", token + "\n", " " + token, token + "\0"):
        refused(tokens.read, other, TIME)
    padded = base64.b64encode(octets_of(token)).decode()
    if set("+/") & set(padded):
        refused(tokens.read, padded.rstrip("="), TIME)


@writers
@readers
@texts
def test_sealed_is_never_read_as_signed_nor_signed_as_sealed(writer: Any, reader: Any, text: bytes) -> None:
    for kind, other in (KINDS, KINDS[::-1]):
        token = writer(kind, SECRET).make(text, TIME)
        refused(reader(other, SECRET).read, token, TIME)
        # Nor under the other's version.
        octets = bytearray(octets_of(token))
        octets[0] = KINDS.index(other) + 1
        refused(reader(other, SECRET).read, format_.encode(octets), TIME)
        refused(reader(kind, SECRET).read, format_.encode(octets), TIME)


@readers
def test_the_keys_of_one_kind_make_no_token_of_the_other(reader: Any) -> None:
    names = b"cart", b"c"
    keys = {kind: format_.hkdf(SECRET, format_.info(format_.VERSION[kind], *names), 32) for kind in KINDS}
    for key_of in KINDS:
        header = b"\x02" + format_.key_id(SECRET) + TIME.to_bytes(5, "big") + bytes(5)
        mac = hmac.digest(keys[key_of], header + b"text", hashlib.sha256)
        signed = format_.encode(header + b"text" + mac)
        header = b"\x01" + header[1:]
        cipher = AESGCM(hmac.digest(keys[key_of], bytes(24), hashlib.sha256))
        sealed = format_.encode(header + bytes(24) + cipher.encrypt(bytes(12), b"text", header))
        for kind, token in (("signed", signed), ("sealed", sealed)):
            if kind == key_of:
                assert reader(kind, SECRET).read(token, TIME) == (b"text", TIME, 0)
            else:
                refused(reader(kind, SECRET).read, token, TIME)


@kinds
@writers
@readers
def test_other_versions_are_refused(kind: str, writer: Any, reader: Any) -> None:
    octets = bytearray(octets_of(writer(kind, SECRET).make(b"text", TIME)))
    for version in range(256):
        if version != KINDS.index(kind) + 1:
            octets[0] = version
            refused(reader(kind, SECRET).read, format_.encode(octets), TIME)


@kinds
@readers
def test_a_changed_end_is_refused_and_not_called_expired(kind: str, reader: Any) -> None:
    octets = octets_of(BOTH[1](kind, SECRET).make(b"text", TIME, 60))
    for start in (5, 10):
        for time in (0, 1, TIME - 1000, TIME + 1000, 2**40 - 1):
            changed = octets[:start] + time.to_bytes(5, "big") + octets[start + 5 :]
            refused(reader(kind, SECRET).read, format_.encode(changed), TIME + 61)
            refused(reader(kind, SECRET).read, format_.encode(changed), TIME)


@kinds
@writers
@readers
def test_parts_of_two_tokens_make_no_third(kind: str, writer: Any, reader: Any) -> None:
    tokens = writer(kind, SECRET)
    one, two = (octets_of(tokens.make(text, now)) for text, now in ((b"one", TIME), (b"two", TIME + 1)))
    for cut in range(1, len(one)):
        mixed = one[:cut] + two[cut:]
        if mixed not in (one, two):
            refused(reader(kind, SECRET).read, format_.encode(mixed), TIME)


@kinds
@readers
@pytest.mark.parametrize("seed", range(20))
def test_random_octets_are_refused(kind: str, reader: Any, seed: int) -> None:
    random_, tokens = random.Random(seed), reader(kind, SECRET)
    head = bytes([KINDS.index(kind) + 1]) + format_.key_id(SECRET)
    for _ in range(50):
        refused(tokens.read, format_.encode(head + random_.randbytes(random_.randrange(OVERHEAD[kind] + 40))), TIME)
        refused(tokens.read, "".join(random_.choices(URL_SAFE, k=random_.randrange(200))), TIME)
