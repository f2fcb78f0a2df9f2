"""Auth.js' and NextAuth.js' sessions: jwcrypto and a formula of the keys, both ways. Tests/vectors/auth_js.json is of Auth.js itself."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

import live
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwcrypto import jwe, jwk
from tuile.signing import BadSignature, SignatureExpired, Tokens

NAME = "authjs.session-token"
HERE = live.NOW


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_of(secret: str, enc: str, version: int = 5, name: str = NAME) -> bytes:
    info = f"Auth.js Generated Encryption Key ({name})" if version == 5 else "NextAuth.js Generated Encryption Key"
    salt = name.encode() if version == 5 else b""
    return HKDF(hashes.SHA256(), 64 if enc == "A256CBC-HS512" else 32, salt, info.encode()).derive(secret.encode())


def thumbprint(key: bytes) -> str:
    text = json.dumps({"k": b64(key), "kty": "oct"}, separators=(",", ":")).encode()
    return b64(hashlib.new("sha512" if len(key) == 64 else "sha256", text).digest())


def encrypted(secret: str, payload: Any, enc: str = "A256CBC-HS512", version: int = 5, name: str = NAME, **header: Any) -> str:
    key = key_of(secret, enc, version, name)
    head = {"alg": "dir", "enc": enc, **({"kid": thumbprint(key)} if version == 5 else {}), **header}
    head = {member: value for member, value in head.items() if value is not None}
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    token = jwe.JWE(text, json.dumps(head))
    token.allowed_algs = ["dir", "A256CBC-HS512", "A256GCM", "A128GCM", "A256KW"]
    token.add_recipient(jwk.JWK(kty="oct", k=b64(key)))
    return token.serialize(compact=True)


def decrypted(secret: str, token: str, enc: str = "A256CBC-HS512", version: int = 5) -> Any:
    key = key_of(secret, enc, version)
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert head == {"alg": "dir", "enc": enc, **({"kid": thumbprint(key)} if version == 5 else {})}
    read = jwe.JWE()
    read.deserialize(token, jwk.JWK(kty="oct", k=b64(key)))
    return json.loads(read.payload)


@pytest.mark.parametrize("payload", live.OBJECTS)
def test_both_ways(payload: dict[str, Any]) -> None:
    new, old, other = live.keys("auth-js", payload)
    for version, enc in ((5, "A256CBC-HS512"), (4, "A256GCM")):
        tokens = Tokens("auth-js", key=new, fallback_keys=[old], name=NAME, lifetime=3600, legacy=version == 4)
        held = decrypted(new, live.written(tokens, payload), enc, version)
        assert uuid.UUID(held.pop("jti")).version == 4
        assert held == {**payload, "iat": HERE, "exp": HERE + 3600}
        for number, secret in enumerate((new, old)):
            opened = tokens.open_json(encrypted(secret, {**payload, "iat": HERE}, enc, version), now=HERE)
            assert (opened.value, opened.timestamp, opened.key) == ({**payload, "iat": HERE}, HERE, number)
        live.refuses(tokens, encrypted(other, payload, enc, version))
        token = live.written(tokens, payload)
        live.refuses(tokens, live.changed(token, live.random_for(token)))


def test_versions() -> None:
    """Version 5 reads A256GCM under its own key, with a kid or without; version 4's only if that is asked for."""
    secret, *_ = live.keys("versions")
    new, both = (Tokens("auth-js", key=secret, name=NAME, legacy=legacy) for legacy in (False, True))
    for enc in ("A256CBC-HS512", "A256GCM"):
        for kid in ({}, {"kid": None}):
            for tokens in (new, both):
                assert tokens.loads(encrypted(secret, {"a": 1}, enc, **kid)) == {"a": 1}
    old = encrypted(secret, {"a": 1}, "A256GCM", version=4)
    assert both.loads(old) == {"a": 1}
    live.refuses(new, old)
    live.refuses(new, encrypted(secret, {"a": 1}, name="__Secure-authjs.session-token"))
    live.refuses(both, encrypted(secret, {"a": 1}, kid="another"))


@pytest.mark.parametrize("off", [-16, -15, -14, 0, 14, 15, 16])
@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_times(claim: str, off: int) -> None:
    """Clocks may differ by 15 seconds, as there: jose takes exp > now - 15 and nbf <= now + 15."""
    tokens = Tokens("auth-js", key="s" * 32, name=NAME)
    token = encrypted("s" * 32, {claim: HERE + off})
    if (claim == "exp" and off > -15) or (claim == "nbf" and off <= 15):
        assert tokens.open_json(token, now=HERE).value == {claim: HERE + off}
    else:
        with pytest.raises(SignatureExpired if claim == "exp" else BadSignature):
            tokens.open_json(token, now=HERE)


def test_what_is_no_session() -> None:
    secret = "s" * 32
    tokens = Tokens("auth-js", key=secret, name=NAME, legacy=True)
    token = encrypted(secret, {"a": 1})
    head, _, iv, text, tag = token.split(".")
    assert tokens.loads(token) == {"a": 1}
    for refused in (
        f"{head}.AAAA.{iv}.{text}.{tag}", f"{head}.{iv}.{text}.{tag}", f"{token}.", f"{head}...{text}.{tag}", f"{head}..{iv}..{tag}",
        f"{head}..{iv}.{text}.", f"{head}..{iv}.{text}.{tag[:-1]}", f"{head}..{iv[:-1]}.{text}.{tag}", f"..{iv}.{text}.{tag}", "....", "",
        f"{head}..{iv}.{text[:-4]}.{tag}", f"{head}..{iv}.{text}.{tag[:22]}", "a.b.c.d.e",
        b64(b'{"alg":"none"}') + f"..{iv}.{text}.{tag}", b64(b'{"alg":"dir","enc":"A128GCM"}') + f"..{iv}.{text}.{tag}",
        b64(b'{"alg":"dir","enc":"A256GCM"}') + f"..{iv}.{text}.{tag}", b64(b'{"enc":"A256CBC-HS512"}') + f"..{iv}.{text}.{tag}",
        encrypted(secret, {"a": 1}, zip="DEF"), encrypted(secret, b"[1]"), encrypted(secret, b"text"), encrypted(secret, b""),
        encrypted(secret, b'{"exp":1e99}'), encrypted(secret, b'{"exp":"9999999999"}'), encrypted(secret, b'{"a":1'),
    ):  # fmt: skip
        live.refuses(tokens, refused)
    with pytest.raises(Exception, match="cookie's name"):
        Tokens("auth-js", key=secret)
