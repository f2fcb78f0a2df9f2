"""Laravel's cookies: its formula in Python, both ways. Tests/vectors/laravel.json is of Laravel itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any
from urllib.parse import quote, unquote

import live
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tuile.signing import BadSignature, Tokens

KINDS = [("laravel", 32), ("laravel", 16), ("laravel-gcm", 32), ("laravel-gcm", 16)]


def app_key(raw: bytes) -> str:
    return "base64:" + base64.b64encode(raw).decode()


def prefix(key: bytes, name: str) -> bytes:
    return hmac.new(key, f"{name}v2".encode(), hashlib.sha1).hexdigest().encode() + b"|"


def encrypted(dialect: str, key: bytes, text: bytes, name: str = "session", **changes: Any) -> str:
    plain = changes.pop("prefix", prefix(key, name)) + text
    b64 = lambda data: base64.b64encode(data).decode()  # noqa: E731
    if dialect == "laravel":
        iv, padder = os.urandom(16), padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        value = b64(encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize())
        mac, tag = hmac.new(key, (b64(iv) + value).encode(), hashlib.sha256).hexdigest(), ""
    else:
        iv = os.urandom(12)
        sealed = AESGCM(key).encrypt(iv, plain, None)
        value, mac, tag = b64(sealed[:-16]), "", b64(sealed[-16:])
    envelope = {"iv": b64(iv), "value": value, "mac": mac, "tag": tag, **changes}
    text_of = changes.get("raw") or json.dumps({k: v for k, v in envelope.items() if v is not ...}, separators=(",", ":"))
    return quote(base64.b64encode(text_of.encode()), safe="")


def decrypted(dialect: str, key: bytes, token: str, name: str = "session") -> bytes:
    assert not set(token) & set("+/=")
    envelope = json.loads(base64.b64decode(unquote(token)))
    assert list(envelope) == ["iv", "value", "mac", "tag"]
    iv, sealed = base64.b64decode(envelope["iv"]), base64.b64decode(envelope["value"])
    if dialect == "laravel":
        text = (envelope["iv"] + envelope["value"]).encode()
        assert (hmac.new(key, text, hashlib.sha256).hexdigest(), "") == (envelope["mac"], envelope["tag"])
        decryptor, unpadder = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor(), padding.PKCS7(128).unpadder()
        plain = unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()
    else:
        assert envelope["mac"] == ""
        plain = AESGCM(key).decrypt(iv, sealed + base64.b64decode(envelope["tag"]), None)
    assert plain.startswith(prefix(key, name))
    return plain[41:]


@pytest.mark.parametrize("dialect, size", KINDS)
def test_both_ways(dialect: str, size: int) -> None:
    new, old, other = live.raw_keys(dialect, size=size)
    tokens = Tokens(dialect, key=app_key(new), fallback_keys=[app_key(old)], name="session")
    for text in live.TEXTS:
        token = live.signed(tokens, text)
        assert decrypted(dialect, new, token).decode() == text
        for number, key in enumerate((new, old)):
            for made in (made := encrypted(dialect, key, text.encode()), unquote(made)):
                opened = tokens.open(made)
                assert (opened.value, opened.key, opened.timestamp) == (text, number, None)
    for payload in live.OBJECTS:
        assert json.loads(decrypted(dialect, new, live.written(tokens, payload))) == payload
        assert tokens.loads(encrypted(dialect, new, json.dumps(payload).encode())) == payload
    token = encrypted(dialect, new, b"v")
    for refused in (
        encrypted(dialect, other, b"v"), encrypted(dialect, new, b"v", "other"), encrypted(dialect, new, b"v", prefix=b""),
        encrypted(dialect, new, b"v", prefix=prefix(other, "session")), encrypted(dialect, new, b"", prefix=b"short"),
        live.changed(token, live.random_for(token)), token[:-4], "", "e30=", quote(base64.b64encode(b"[]")),
    ):  # fmt: skip
        with pytest.raises(BadSignature):
            tokens.open(refused)


def test_the_cipher_is_the_dialects() -> None:
    """A token does not say which cipher it is of: a tag for CBC, or none for GCM, is a bad signature."""
    (key,) = live.raw_keys("cipher", size=32, count=1)
    cbc, gcm = (Tokens(dialect, key=app_key(key), name="session") for dialect in ("laravel", "laravel-gcm"))
    for tokens, token in ((cbc, encrypted("laravel-gcm", key, b"v")), (gcm, encrypted("laravel", key, b"v"))):
        with pytest.raises(BadSignature):
            tokens.open(token)
    for dialect, tokens in (("laravel", cbc), ("laravel-gcm", gcm)):
        wrong: list[dict[str, Any]] = [{"iv": ""}, {"iv": "AAAA"}, {"iv": 1}, {"value": None}, {"value": "A"}, {"value": []}, {"iv": ...}, {"value": ...}]
        wrong += [{"mac": ""}, {"mac": None}, {"mac": "0" * 64}, {"mac": ...}, {"tag": "A" * 22 + "=="}] if dialect == "laravel" else [{"tag": ""}, {"tag": "AAAA"}, {"tag": ...}, {"tag": 1}]
        wrong += [{"other": 1}, {"raw": "{"}, {"raw": '{"iv":"a","iv":"b"}'}, {"raw": "[" * 3000}, {"raw": '"x"'}]
        for changes in wrong:
            with pytest.raises(BadSignature):
                tokens.open(encrypted(dialect, key, b"v", **changes))
    # Older ones have no tag, and PHP may escape a slash.
    assert cbc.open(encrypted("laravel", key, b"v", tag=...)).value == "v"
    token = json.dumps(json.loads(base64.b64decode(unquote(encrypted("laravel", key, b"v" * 200))))).replace("/", "\\/")
    assert cbc.open(base64.b64encode(token.encode()).decode()).value == "v" * 200


def test_keys_in_the_wrong_form() -> None:
    good = app_key(b"k" * 32)
    for key in ("short", "base64:", "base64:!!!!", good[:-1], good.replace("base64:", "base64:="), app_key(b"k" * 31), "k" * 33, app_key(b"k" * 24)):
        with pytest.raises(Exception, match="no APP_KEY"):
            Tokens("laravel", key=key, name="session")
    with pytest.raises(Exception, match="different sizes"):
        Tokens("laravel", key=good, fallback_keys=[app_key(b"k" * 16)], name="session")
    assert Tokens("laravel", key="k" * 32, name="n").loads(Tokens("laravel", key=app_key(b"k" * 32), name="n").dumps(1)) == 1
