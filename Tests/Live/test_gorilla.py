"""gorilla/securecookie: signed and encrypted, JSON and bytes."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import Any

import live
import pytest
from live import Helper, Refused
from tuile.errors import TuileError
from tuile.signing import BadSignature, Keyring, SignatureExpired, Tokens

BLOCKS = [0, 16, 24, 32]
each_block = pytest.mark.parametrize("block", BLOCKS)
PAYLOADS: list[Any] = [*live.OBJECTS, live.BIG, [], "text", 1, None]


class Codec:
    """Theirs and ours with the same keys."""

    def __init__(self, gorilla: Helper, hash_key: bytes, block_key: bytes, name: str = "session", **options: Any):
        self.gorilla, self.hash_key, self.block_key, self.name = gorilla, hash_key, block_key, name
        self.options = {"hash": hash_key.hex(), "block": block_key.hex(), "name": name, **options}

    def encode(self, value: Any) -> str:
        token: str = self.gorilla("encode", value=value, **self.options)
        return token

    def decode(self, token: str, max_age: int = 0) -> Any:
        return self.gorilla("decode", token=token, max_age=max_age, **self.options)

    def ours(self, *older: Codec) -> Tokens:
        """One entry of the ring for each pair, as securecookie.CodecsFromPairs has them."""
        ring = Keyring(allow_weak=True)
        for codec in (self, *older):
            ring.add(codec.hash_key, block_key=codec.block_key)
        return Tokens("gorilla", key=ring, name=self.name, digest=self.options.get("digest"))


def codecs(gorilla: Helper, block: int, *what: object, **options: Any) -> tuple[Codec, Codec, Codec]:
    blocks = live.raw_keys("block", *what, size=block)
    first, second, third = live.raw_keys("hash", *what, size=64)
    return (
        Codec(gorilla, first, blocks[0], **options),
        Codec(gorilla, second, blocks[1], **options),
        Codec(gorilla, third, blocks[2], **options),
    )


def moment(token: str) -> int:
    """When theirs was written: its clock can't be set."""
    return int(base64.urlsafe_b64decode(token).split(b"|")[0])


@each_block
@pytest.mark.parametrize("payload", PAYLOADS)
def test_json(gorilla: Helper, payload: Any, block: int) -> None:
    new, old, other = codecs(gorilla, block, payload)
    tokens = new.ours(old)
    token = new.encode(payload)
    opened = tokens.open_json(token, max_age=60)
    assert (opened.value, opened.timestamp, opened.key) == (payload, moment(token), 0)
    assert (tokens.open_json(old.encode(payload)).value, tokens.open_json(old.encode(payload)).key) == (payload, 1)
    live.refuses(tokens, other.encode(payload))
    mine = tokens.dumps(payload)
    assert new.decode(mine, max_age=60) == payload
    for refusing in (old, other, Codec(gorilla, new.hash_key, new.block_key, "sessio")):
        with pytest.raises(Refused):
            refusing.decode(mine)
    live.refuses(Codec(gorilla, new.hash_key, new.block_key, "sessio").ours(), token)
    # Go sorts the keys of a map, and since 1.22 it has \b and \f, where it had \u0008 and \u000c.
    text = live.loaded_text(tokens, live.written(tokens, live.sorted_keys(payload)))
    if not any(escape in text for escape in ("\\b", "\\f", "\\u0008", "\\u000c")):
        assert live.loaded_text(tokens, token) == text
        if not block:
            assert live.written(tokens, live.sorted_keys(payload), moment(token)) == token


def test_go_s_escapes(gorilla: Helper) -> None:
    """To the byte with the Go that the vectors are from."""
    if tuple(int(part) for part in gorilla.versions["go"].removeprefix("go").split(".")[:2]) >= (1, 22):
        pytest.skip(f"{gorilla.versions['go']} writes \\b where we write \\u0008, as it was before 1.22")
    codec, *_ = codecs(gorilla, 0, "escapes")
    token = codec.encode({"a": live.TEXTS[7]})
    assert live.written(codec.ours(), {"a": live.TEXTS[7]}, moment(token)) == token


@each_block
@live.each_text
def test_bytes(gorilla: Helper, text: str, block: int) -> None:
    codec, old, other = codecs(gorilla, block, text, text=True)
    tokens = codec.ours(old)
    token = codec.encode(text)
    assert (tokens.open(token).value, tokens.open(token).key) == (text, 0)
    assert tokens.open(old.encode(text)).key == 1
    live.refuses(tokens, other.encode(text))
    if block and not text:
        # It fails to decrypt nothing, of its own too.
        for empty in (token, tokens.sign(text)):
            with pytest.raises(Refused, match="decrypt"):
                codec.decode(empty)
    else:
        assert codec.decode(tokens.sign(text)) == text
    if not block:
        assert live.signed(tokens, text, moment(token)) == token


@each_block
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_digest(gorilla: Helper, digest: str, block: int) -> None:
    codec, *_ = codecs(gorilla, block, digest, digest=digest, name="é")
    assert codec.ours().loads(codec.encode({"a": 1})) == {"a": 1}
    assert codec.decode(codec.ours().dumps({"a": 1})) == {"a": 1}


@each_block
def test_other_block_key(gorilla: Helper, block: int) -> None:
    """The MAC is right, but what comes out is not what went in; a lone digit may be JSON by chance."""
    codec, *_ = codecs(gorilla, block, "other block")
    for size in BLOCKS:
        if size == block == 0:
            continue
        other = Codec(gorilla, codec.hash_key, live.raw_keys("other", block, size=size)[0])
        with contextlib.suppress(Refused):
            assert other.decode(codec.ours().dumps({"a": 1})) != {"a": 1}
        with contextlib.suppress(BadSignature, TuileError, ValueError):
            assert other.ours().loads(codec.encode({"a": 1})) != {"a": 1}


@pytest.mark.parametrize("text", [False, True])
def test_a_pair_that_begins_or_ceases_to_encrypt(gorilla: Helper, text: bool) -> None:
    """Nothing in a token says that it is encrypted: without the right block key noise comes out, and is refused."""
    codec, old, _ = codecs(gorilla, 32, "encrypts", text=text)
    alone = Codec(gorilla, codec.hash_key, b"", text=text)
    value: Any = "a text of some length, since noise of a few bytes may be text" if text else {"a": 1}
    for ours, theirs in ((alone.ours(), codec), (codec.ours(), alone), (alone.ours(old), codec), (codec.ours(old), alone)):
        with pytest.raises(BadSignature):
            ours.unsign(theirs.encode(value)) if text else ours.loads(theirs.encode(value))
    # The old pair signs alone, the new one encrypts, and the other way round.
    bare = Codec(gorilla, old.hash_key, b"", text=True)
    assert codec.ours(bare).open(bare.encode("text")).key == 1
    assert alone.ours(old).open(Codec(gorilla, old.hash_key, old.block_key, text=True).encode("text")).key == 1


def test_rotation_of_pairs(gorilla: Helper) -> None:
    """As securecookie's documentation has it: the new pair in front, both, the old one dropped."""
    new, old, _ = codecs(gorilla, 32, "rotation")
    first, second, third = old.ours(), new.ours(old), new.ours()
    assert second.loads(first.dumps({"a": 1})) == {"a": 1} == third.loads(second.dumps({"a": 1}))
    assert new.decode(second.dumps({"a": 1})) == {"a": 1} == second.loads(old.encode({"a": 1}))
    live.refuses(third, old.encode({"a": 1}))


def test_pairs_are_entries_of_the_ring() -> None:
    with pytest.raises(TuileError, match="tuile_keyring_add_entry"):
        Tokens("gorilla", key=b"k" * 64, fallback_keys=[b"o" * 64], block_key=b"b" * 32, name="session")
    ring = Keyring(allow_weak=True)
    ring.add(b"k" * 64, block_key=b"b" * 32)
    with pytest.raises(TuileError, match="twice"):
        Tokens("gorilla", key=ring, block_key=b"b" * 32, name="session")
    ring.add(b"o" * 64, block_key=b"b" * 17)
    with pytest.raises(TuileError, match="16, 24 or 32"):
        Tokens("gorilla", key=ring, name="session")


@each_block
def test_age(gorilla: Helper, block: int) -> None:
    codec, *_ = codecs(gorilla, block, "age")
    tokens = codec.ours()
    now = int(time.time())
    for age, max_age, fine in ((0, 60, True), (50, 60, True), (70, 60, False), (10**8, 0, True), (-100, 60, True)):
        token = live.written(tokens, {"a": 1}, now - age)
        if fine:
            assert codec.decode(token, max_age) == {"a": 1} == tokens.loads(token, max_age=max_age or None)
        else:
            with pytest.raises(Refused, match="expired"):
                codec.decode(token, max_age)
            with pytest.raises(SignatureExpired):
                tokens.loads(token, max_age=max_age)
    # Exactly as old as it may be.
    assert tokens.open_json(live.written(tokens, 1, now - 60), max_age=60, now=now).value == 1


@each_block
def test_changed(gorilla: Helper, block: int) -> None:
    codec, *_ = codecs(gorilla, block, "changed")
    token, random_ = codec.encode({"a": 1}), live.random_for("changed", block)
    for _ in range(60):
        bad = live.changed(token, random_)
        live.refuses(codec.ours(), bad)
        with pytest.raises(Refused):
            codec.decode(bad)
