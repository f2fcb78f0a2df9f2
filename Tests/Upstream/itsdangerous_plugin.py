"""pytest -p itsdangerous_plugin: what itsdangerous signs and reads in its tests, Tuile does, too."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from agree import calls, compared
from itsdangerous import Signer, TimestampSigner
from itsdangerous.signer import HMACAlgorithm
from tuile.signing import BadSignature, Tokens

DIGESTS = {hashlib.sha1: "sha1", hashlib.sha256: "sha256", hashlib.sha512: "sha512"}


def tokens(signer: Signer, value: bytes, timed: bool) -> Tokens | None:
    """The same signer by Tuile; None if it has no such thing."""
    probe = getattr(signer.algorithm, "digest_method", None)
    digest = DIGESTS.get(getattr(hashlib, probe().name, None)) if probe else None
    plain = type(signer.algorithm) is HMACAlgorithm and signer.sep == b"." and digest is not None
    try:
        value.decode()
    except UnicodeDecodeError:
        plain = False
    if not plain:
        calls["another algorithm or separator, or no text"] += 1
        return None
    keys = [key for key in reversed(signer.secret_keys)]
    return Tokens(
        "itsdangerous", key=keys[0], fallback_keys=keys[1:], salt=signer.salt.decode(), timed=timed, digest=digest,
        derivation=signer.key_derivation,
    )  # fmt: skip


def patch(kind: type, timed: bool) -> None:
    sign, unsign = kind.__dict__["sign"], kind.__dict__["unsign"]

    def signing(self: Any, value: str | bytes) -> bytes:
        raw = value.encode() if isinstance(value, str) else value
        mine = tokens(self, raw, timed) if type(self) is kind else None
        if mine is None:
            return sign(self, value)
        return compared(lambda: sign(self, value), lambda: mine._sign(raw.decode(), int(time.time())).encode(), BadSignature)

    def unsigning(self: Any, signed: str | bytes, *arguments: Any, **named: Any) -> Any:
        raw = signed.encode() if isinstance(signed, str) else signed
        mine = tokens(self, raw, timed) if type(self) is kind else None
        if mine is None or arguments or named.get("return_timestamp"):
            return unsign(self, signed, *arguments, **named)

        def ours() -> bytes:
            return str(mine.open(raw, max_age=named.get("max_age"), now=int(time.time())).value).encode()

        return compared(lambda: unsign(self, signed, **named), ours, BadSignature)

    kind.sign, kind.unsign = signing, unsigning


patch(Signer, False)
patch(TimestampSigner, True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    print(f"\nTuile agreed in {calls.pop('compared')} calls; not compared: {dict(calls)}")
