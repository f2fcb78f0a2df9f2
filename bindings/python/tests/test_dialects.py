"""Every framework's tokens: reading what the real ones made, writing the same bytes."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from tuile import signing
from tuile.signing import BadSignature, Tokens

VECTORS = Path(__file__).resolve().parents[3] / "Tests/vectors"
Case = dict[str, Any]
#: Whose tokens are others each time, or hold their time as the test can't set it.
RANDOM = ("gorilla", "fernet", "laravel", "auth_js")


def made(name: str, case: Case) -> Optional[tuple[Tokens, str]]:
    """The signer for a case, and its token."""
    kind, token = case["kind"], case.get("token", "")
    common: Case = {"key": case.get("secret", "")}
    if name == "itsdangerous":
        secrets = list(reversed(case.get("secrets", [case.get("secret")])))
        timed = "Timed" in kind or "Timestamp" in kind
        return Tokens(
            "itsdangerous", key=secrets[0], fallback_keys=secrets[1:], salt=case["salt"], timed=timed,
            digest=case.get("digest"), derivation=case.get("key_derivation"),
        ), token  # fmt: skip
    if name in ("flask", "starlette"):
        return Tokens(name, **common), token
    if kind == "set_signed_cookie":
        return Tokens("django-cookie", salt=case["salt"], name=case["cookie"], **common), case["cookie_value"]
    if kind == "cookie-signature":
        return Tokens("cookie-signature", **common), token
    if kind.startswith("express"):
        return Tokens("express", **common), case["cookie_value"]
    if kind.startswith("cookie-session"):
        key, *older = case["keys"]
        keygrip = Tokens("keygrip", key=key, fallback_keys=older, name=case["cookie"])
        return keygrip, f"{case['cookie_value']}.{case['sig']}"
    if kind.startswith("Rails"):
        dialect = "rails-encrypted" if "encrypted" in kind else "rails-signed"
        return Tokens(
            dialect, key=case["secret_key_base"], name=case["purpose"].removeprefix("cookie."),
            digest=case["key_generator_digest"].lower(), iterations=case["iterations"],
        ), case["cookie_value"]  # fmt: skip
    if name == "gorilla":
        block = hashlib.sha256(case["hash_key"].encode()).digest() if case["block_key_sha256_of_hash_key"] else b""
        return Tokens("gorilla", key=case["hash_key"], block_key=block, name=case["cookie"]), case["cookie_value"]
    if name == "jwt":
        key = base64.urlsafe_b64decode(case["secret_base64url"] + "==") if "secret_base64url" in case else case["secret"]
        return Tokens("jwt", key=key, fallback_keys=case.get("older", []), digest=case.get("digest"), timed=False), token
    if name in ("laravel", "auth_js"):
        dialect = case.get("dialect", "auth-js")
        older, old = case.get("older", []), case.get("legacy", False)
        return Tokens(dialect, fallback_keys=older, name=case["name"], legacy=old, **common), token
    if name in ("fernet", "tornado", "hono"):
        older, old = case.get("older", []), case.get("version") == 1
        return Tokens(name, fallback_keys=older, name=case.get("name", ""), legacy=old, **common), token
    return None


def every() -> Iterator[Any]:
    for name in ("itsdangerous", "flask", "starlette", "node", "rails", "gorilla", "django_signing", "fernet",
                 "tornado", "hono", "jwt", "laravel", "auth_js"):  # fmt: skip
        for number, case in enumerate(json.loads((VECTORS / f"{name}.json").read_text())["cases"]):
            if made(name, case):
                yield pytest.param(name, case, id=f"{name} {number}: {case['kind']}")


CASES = list(every())


@pytest.mark.parametrize(("name", "case"), CASES)
def test_vector(name: str, case: Case) -> None:
    tokens, token = made(name, case) or pytest.fail()
    now = case.get("time", 1_795_230_425)
    if "payload" in case:
        opened = tokens.open_json(token, now=now)
        expected = case["payload"]
        if name == "gorilla" and "nested" in expected:  # Go reads every number as a double
            expected = {"nested": {**expected["nested"], "big": 9007199254740992}}
        assert opened.value == expected
        # Text of numbers too: 9007199254740993 and 1e100 come back as they were sent.
        raw, _ = tokens._read(signing.native.lib.tuile_token_loads, token, None, now)
        if not ("encrypted" in case["kind"] or name in RANDOM or "rotated" in case["kind"] or "old" in case["kind"] or "RFC" in case["kind"]):
            assert tokens._dumps(raw.decode(), True, now) == token
    else:
        opened = tokens.open(token, now=now)
        assert opened.value == case["value"]
        if not (name in RANDOM or "old" in case["kind"] or "RFC" in case["kind"] or case.get("version") == 1):
            assert tokens._sign(case["value"], now) == token
    assert opened.timestamp in (None, now)
    assert opened.key == (1 if "old key" in case["kind"] else 0)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_no_bit_of_a_vector_can_change(name: str, case: Case) -> None:
    tokens, token = made(name, case) or pytest.fail()
    now, read = case.get("time", 1_795_230_425), tokens.open_json if "payload" in case else tokens.open
    raw = token.encode()
    step = max(1, len(raw) // 120)
    for at in range(0, len(raw), step):
        for bit in range(8):
            changed = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]
            try:
                value = read(changed, now=now).value
            except BadSignature:
                continue
            # Percent-encoding has two ways to say one octet; the token is the same.
            assert name in ("node", "rails", "hono", "laravel") and "%" in token and value == case.get("value", case.get("payload"))
    for size in range(0, len(raw), step):
        with pytest.raises(BadSignature):
            read(raw[:size], now=now)


def test_a_jwt_without_a_signature() -> None:
    for case in json.loads((VECTORS / "jwt.json").read_text())["refused"]:
        for read in (Tokens("jwt", key=case["secret"]).open_json, Tokens("jwt", key=case["secret"]).open):
            with pytest.raises(BadSignature):
                read(case["token"], now=0)


@pytest.mark.parametrize("name", ["fernet", "jwt", "laravel", "auth_js", "rails"])
def test_a_forged_token_leaves_no_error_of_libcrypto_behind(name: str) -> None:
    """The host's own calls look into the same list, and take what they find there for theirs."""
    libcrypto = ctypes.CDLL("libcrypto.so.3")
    cases = [case for case in json.loads((VECTORS / f"{name}.json").read_text())["cases"] if made(name, case)]
    for case in cases:
        tokens, token = made(name, case) or pytest.fail()
        half = len(token) // 2
        for forged in (token[:half] + ("A" if token[half] != "A" else "B") + token[half + 1 :], token[:-8], token[8:]):
            libcrypto.ERR_clear_error()
            with pytest.raises(BadSignature):
                tokens.open(forged, now=0)
            assert libcrypto.ERR_peek_error() == 0, forged
