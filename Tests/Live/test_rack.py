"""rack-session: its encryptor in both versions, and the cookie of a real app, with JSON."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any
from urllib.parse import quote, unquote

import live
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from live import Helper, Refused
from tuile.signing import Tokens

MODES = ["v1", "v2"]
each_mode = pytest.mark.parametrize("mode", MODES)
PAYLOADS: list[Any] = [*live.OBJECTS, live.BIG, [], "text", 1, None]


def ours(mode: str, *secrets: bytes, purpose: str | None = None) -> Tokens:
    first, *older = secrets
    return Tokens("rack", key=first, fallback_keys=older, name=purpose or "", legacy=mode == "v1")


class Encryptor:
    def __init__(self, rack: Helper, mode: str, secret: bytes, purpose: str | None = None, **options: Any) -> None:
        if mode == "v2":
            rack.need("V2")
        self.rack = rack
        self.options = {"mode": mode, "secret": secret.hex(), "purpose": purpose, **options}

    def encrypt(self, value: Any) -> str:
        try:
            token: str = self.rack("encrypt", value=value, **self.options)
        except Refused as refused:
            if "CompatibilityError" in str(refused):
                pytest.skip("before 2.1.2 rack-session fails to write text that is not ASCII")
            raise
        return token

    def decrypt(self, token: str) -> Any:
        return self.rack("decrypt", token=token, **self.options)


@each_mode
@pytest.mark.parametrize("purpose", [None, "rack.session", "é"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_encryptor(rack: Helper, payload: Any, purpose: str | None, mode: str) -> None:
    new, old, other = live.raw_keys("rack", payload, purpose, mode, size=64)
    tokens = ours(mode, new, old, purpose=purpose)
    theirs = Encryptor(rack, mode, new, purpose)
    token = theirs.encrypt(payload)
    assert (tokens.open_json(token).value, tokens.open_json(token).key) == (payload, 0)
    assert live.loaded_text(tokens, token) == live.loaded_text(tokens, live.written(tokens, payload))
    older = Encryptor(rack, mode, old, purpose).encrypt(payload)
    assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
    live.refuses(tokens, Encryptor(rack, mode, other, purpose).encrypt(payload))
    live.refuses(tokens, Encryptor(rack, mode, new, "another").encrypt(payload))
    mine = tokens.dumps(payload)
    assert theirs.decrypt(mine) == payload
    for refusing in (Encryptor(rack, mode, other, purpose), Encryptor(rack, mode, new, "another")):
        with pytest.raises(Refused):
            refusing.decrypt(mine)


@live.each_text
@each_mode
def test_text(rack: Helper, text: str, mode: str) -> None:
    secret, *_ = live.raw_keys("rack text", text, size=64)
    theirs = Encryptor(rack, mode, secret, "p")
    assert ours(mode, secret, purpose="p").unsign(theirs.encrypt(text)) == text
    assert theirs.decrypt(ours(mode, secret, purpose="p").sign(text)) == text


@each_mode
@pytest.mark.parametrize("pad", [None, 2, 3, 100, 4096])
def test_padding(rack: Helper, pad: int | None, mode: str) -> None:
    secret, *_ = live.raw_keys("padding", size=64)
    for payload in live.OBJECTS:
        assert ours(mode, secret).loads(Encryptor(rack, mode, secret, pad=pad).encrypt(payload)) == payload


@pytest.mark.parametrize("written", MODES)
@pytest.mark.parametrize("read", MODES)
def test_either_version_is_read(rack: Helper, read: str, written: str) -> None:
    """As their encryptor does without a mode."""
    secret, *_ = live.raw_keys("either", size=64)
    for number in range(50):
        token = Encryptor(rack, written, secret, "p").encrypt({"n": number})
        assert ours(read, secret, purpose="p").loads(token) == {"n": number}
    rack.need("V2")
    guessing = {"secret": secret.hex(), "purpose": "p"}
    assert rack("decrypt", token=ours(written, secret, purpose="p").dumps([1]), **guessing) == [1]


@pytest.mark.parametrize("size", [32, 33, 63, 64, 100])
def test_sizes_of_secrets(rack: Helper, size: int) -> None:
    secret, *_ = live.raw_keys("size", size=size)
    theirs = Encryptor(rack, "v2", secret)
    assert theirs.decrypt(ours("v2", secret).dumps([1])) == [1]
    assert ours("v2", secret).loads(theirs.encrypt([1])) == [1]
    if size >= 64:
        assert Encryptor(rack, "v1", secret).decrypt(ours("v1", secret).dumps([1])) == [1]


@each_mode
def test_changed(rack: Helper, mode: str) -> None:
    secret, *_ = live.raw_keys("changed", size=64)
    theirs, random_ = Encryptor(rack, mode, secret), live.random_for("changed", mode)
    token = theirs.encrypt({"a": 1})
    for _ in range(60):
        bad = live.changed(token, random_)
        live.refuses(ours(mode, secret), bad)
        with pytest.raises(Refused):
            theirs.decrypt(bad)


@pytest.mark.parametrize("payload", live.short())
def test_app(rack: Helper, payload: dict[str, Any]) -> None:
    """The cookie is percent-encoded; the purpose is its name."""
    for part in ("app", "V2"):
        rack.need(part)
    # Its sessions leave out what is nil.
    payload = {name: value for name, value in payload.items() if value is not None}
    new, old, other = live.raw_keys("app", payload, size=64)
    app = {"name": "my.session", "secrets": [new.hex(), old.hex()]}
    tokens = ours("v2", new, old, purpose="my.session")
    _, cookie = rack("visit", value={**payload, "more": 1}, **app)
    session = tokens.loads(unquote(cookie))
    assert session == {**payload, "more": 1, "session_id": session["session_id"]}
    for writer, mode, fine in ((new, "v1", True), (new, "v2", True), (old, "v2", True), (other, "v2", False)):
        token = ours(mode, writer, purpose="my.session").dumps({**payload, "session_id": "s"})
        seen, _ = rack("visit", token=quote(token, safe=""), **app)
        assert {name: value for name, value in seen.items() if name != "session_id"} == (payload if fine else {})


@each_mode
@pytest.mark.parametrize("purpose", ["", "é"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_formula(payload: Any, purpose: str, mode: str) -> None:
    """Where rack-session is not there: its formula, with another library's AES."""
    secret, salt, *_ = live.raw_keys("formula", payload, purpose, size=64)
    tokens, salt = ours(mode, secret, purpose=purpose), salt[:32]
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    token = sealed(mode, secret, salt, purpose.encode(), b"\x05\x00" + b"=" * 5 + text)
    assert tokens.open_json(token).value == payload
    padded = opened(mode, secret, tokens.dumps(payload), purpose.encode())
    assert len(padded) % 32 == 0 and padded[2 + int.from_bytes(padded[:2], "little") :] == text


def message_key(secret: bytes, salt: bytes) -> bytes:
    return hmac.digest(secret[:32], salt, "sha256")


def counter(key: bytes, iv: bytes) -> Any:
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()


def sealed(mode: str, secret: bytes, salt: bytes, purpose: bytes, text: bytes) -> str:
    key, iv = message_key(secret, salt), salt[::-1]
    if mode == "v1":
        data = b"\1" + salt + iv[:16] + counter(key, iv[:16]).update(text)
        return base64.urlsafe_b64encode(data + hmac.digest(secret[32:], data + purpose, "sha256")).decode()
    whole = AESGCM(key).encrypt(iv[:12], text, b"\2" + salt + purpose)
    return base64.b64encode(b"\2" + salt + iv[:12] + whole[-16:] + whole[:-16]).decode()


def opened(mode: str, secret: bytes, token: str, purpose: bytes) -> bytes:
    data = base64.urlsafe_b64decode(token) if mode == "v1" else base64.b64decode(token, validate=True)
    assert data[0] == int(mode[1])
    key = message_key(secret, data[1:33])
    if mode == "v1":
        assert hmac.digest(secret[32:], data[:-32] + purpose, "sha256") == data[-32:]
        return bytes(counter(key, data[33:49]).update(data[49:-32]))
    return AESGCM(key).decrypt(data[33:45], data[61:] + data[45:61], data[:33] + purpose)
