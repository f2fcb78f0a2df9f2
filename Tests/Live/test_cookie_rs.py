"""Rust's cookie crate: the signed and the private jar."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, unquote

import live
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from live import Helper, Refused
from tuile.signing import BadSignature, Tokens

KINDS = ["signed", "private"]
each_kind = pytest.mark.parametrize("kind", KINDS)
WAYS = [(False, 32), (False, 50), (False, 64), (False, 200), (True, 64)]


class Jar:
    def __init__(self, cookie_rs: Helper, kind: str, key: bytes, whole: bool = False, name: str = "name") -> None:
        if kind == "private":
            cookie_rs.need("private")
        self.cookie_rs, self.kind, self.key, self.whole, self.name = cookie_rs, kind, key, whole, name
        self.options = {"private": kind == "private", "key": key.hex(), "whole": whole}

    def write(self, value: str) -> str:
        token: str = self.cookie_rs("write", name=self.name, value=value, **self.options)
        return token

    def read(self, token: str, name: str | None = None) -> Any:
        return self.cookie_rs("read", name=name or self.name, token=token, **self.options)

    def ours(self, *older: bytes) -> Tokens:
        return Tokens(
            f"cookie-rs-{self.kind}", key=self.key, fallback_keys=older, name=self.name,
            derivation="none" if self.whole else None,
        )  # fmt: skip


@each_kind
@pytest.mark.parametrize(("whole", "size"), WAYS)
@live.each_text
def test_text(cookie_rs: Helper, text: str, whole: bool, size: int, kind: str) -> None:
    """Keys by Key::derive_from of a secret, and by Key::from of 64 bytes."""
    new, old, other = (Jar(cookie_rs, kind, key, whole) for key in live.raw_keys("rs", text, size, whole, size=size))
    tokens = new.ours(old.key)
    token = new.write(text)
    assert (tokens.open(token).value, tokens.open(token).key, tokens.open(token).timestamp) == (text, 0, None)
    assert tokens.open(old.write(text)).key == 1
    assert new.read(tokens.sign(text)) == text
    if kind == "signed":
        assert tokens.sign(text) == token
    with pytest.raises(BadSignature):
        tokens.open(other.write(text))
    with pytest.raises(Refused):
        new.read(other.ours().sign(text))


@each_kind
@pytest.mark.parametrize("payload", [*live.OBJECTS, live.BIG, []])
def test_json(cookie_rs: Helper, payload: Any, kind: str) -> None:
    """A value is text to the crate; JSON in it is that of serde_json, which escapes what it must alone."""
    jar = Jar(cookie_rs, kind, live.raw_keys("json", payload, size=64)[0])
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    token = jar.write(text)
    assert jar.ours().loads(token) == payload
    assert jar.read(jar.ours().dumps(payload)) == text


@each_kind
@pytest.mark.parametrize("name", ["name", "é ☕", "a=b"])
def test_name(cookie_rs: Helper, name: str, kind: str) -> None:
    """The private jar binds the name, the signed one does not."""
    jar = Jar(cookie_rs, kind, live.raw_keys("name", name, size=64)[0], name=name)
    assert jar.ours().unsign(jar.write("text")) == "text"
    assert jar.read(jar.ours().sign("text")) == "text"
    another = Jar(cookie_rs, kind, jar.key, name=name + "x")
    if kind == "private":
        with pytest.raises(BadSignature):
            another.ours().open(jar.write("text"))
        with pytest.raises(Refused):
            another.read(jar.ours().sign("text"))
    else:
        assert another.ours().unsign(jar.write("text")) == another.read(jar.ours().sign("text")) == "text"


@each_kind
def test_changed(cookie_rs: Helper, kind: str) -> None:
    jar = Jar(cookie_rs, kind, live.raw_keys("changed", size=64)[0])
    token, random_ = jar.write("some text"), live.random_for("changed", kind)
    for _ in range(60):
        bad = live.changed(token, random_)
        with pytest.raises(BadSignature):
            jar.ours().open(bad)
        with pytest.raises(Refused):
            jar.read(bad)


@live.each_text
@pytest.mark.parametrize(("whole", "size"), WAYS)
def test_formula_of_the_private_jar(text: str, whole: bool, size: int) -> None:
    """Where the crate has no private jar: its formula, with another library's AES-GCM and HKDF."""
    secret = live.raw_keys("formula", text, size, whole, size=size)[0]
    cipher = AESGCM(secret[32:64] if whole else expanded(secret)[32:])
    tokens = Tokens("cookie-rs-private", key=secret, name="é", derivation="none" if whole else None)
    nonce = live.random_for("nonce", text).randbytes(12)
    token = base64.b64encode(nonce + cipher.encrypt(nonce, text.encode(), "é".encode())).decode()
    assert tokens.open(token).value == text
    data = base64.b64decode(tokens.sign(text), validate=True)
    assert cipher.decrypt(data[:12], data[12:], "é".encode()).decode() == text


def expanded(secret: bytes) -> bytes:
    info = b"COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM"
    return HKDFExpand(hashes.SHA256(), 64, info).derive(secret)


@each_kind
def test_as_a_cookie_header_has_it(cookie_rs: Helper, kind: str) -> None:
    """axum, Rocket and actix-web percent-encode; a value may have a percent sign of its own."""
    jar = Jar(cookie_rs, kind, live.raw_keys("wire", kind, size=64)[0])
    for value in ("text/+=", "100%", "%41", "é; ,", '{"a": "%2B"}'):
        token = jar.write(value)
        while (sent := quote(token, safe="")) == token:
            # What is encrypted is random, and may be letters and digits alone.
            assert kind == "private"
            token = jar.write(value)
        assert jar.ours().unsign(token) == value == jar.ours().unsign(sent)
        assert jar.read(unquote(quote(jar.ours().sign(value), safe=""))) == value
        live.refuses(jar.ours(), sent[:-1])
        live.refuses(jar.ours(), quote(sent, safe=""))
