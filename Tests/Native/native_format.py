"""Tuile's own tokens, written a second time from FORMAT.md alone, to hold the library against.

Plain rather than fast: nothing is kept between calls, and keys are derived anew for each token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Optional

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED, SIGNED = 1, 2
VERSION = {"sealed": SEALED, "signed": SIGNED}
LABEL = {SEALED: b"tuile v1 seal", SIGNED: b"tuile v1 sign"}
HEADER = 1 + 4 + 5 + 5
SALT, TAG, MAC = 24, 16, 32
LAST_TIME = 2**40 - 1


class BadToken(Exception):
    """Not made with one of the secrets for this purpose and name, or changed since."""


class Expired(BadToken):
    """Genuine, but past its end or over the age that is allowed."""


@dataclass(frozen=True)
class Opened:
    version: int
    key_id: bytes
    issued: int
    end: Optional[int]
    text: bytes
    # 0 the secret, 1 the first older one, and so on.
    key: int


def hkdf(secret: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869 with SHA-256 and no salt, for at most one block of output, which is all that is used here."""
    assert size <= 32
    extracted = hmac.digest(bytes(32), secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)[:size]


def key_id(secret: bytes) -> bytes:
    return hkdf(secret, b"tuile v1 key id", 4)


def info(version: int, purpose: bytes, name: bytes) -> bytes:
    """Each part with its length, so that no two pairs of purpose and name give the same octets."""
    parts = [b"%d:%b" % (len(part), part) for part in (purpose, name)]
    return b"\0".join([LABEL[version], *parts])


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def decode(token: str) -> bytes:
    try:
        octets = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        raise BadToken("not base64") from None
    # Python's decoder passes over other characters and ignores spare bits: one token, one text.
    if encode(octets) != token:
        raise BadToken("not canonical base64")
    return octets


class Tokens:
    """Makes tokens with the first secret, reads those of all."""

    def __init__(self, kind: str, secret: bytes, purpose: bytes, name: bytes, older: tuple[bytes, ...] = ()) -> None:
        self.version = VERSION[kind]
        self.secrets = (secret, *older)
        self.info = info(self.version, purpose, name)

    def make(self, text: bytes, now: int, lifetime: Optional[int] = None, salt: Optional[bytes] = None) -> str:
        # A lifetime of 0 or less could give an end of 0, which would mean that there is none.
        end = 0 if lifetime is None else now + lifetime
        if not 0 <= now <= LAST_TIME or end > LAST_TIME or (lifetime is not None and lifetime < 1):
            raise ValueError("a time that the format can't hold")
        secret = self.secrets[0]
        header = bytes([self.version]) + key_id(secret) + now.to_bytes(5, "big") + end.to_bytes(5, "big")
        key = hkdf(secret, self.info, 32)
        if self.version == SIGNED:
            return encode(header + text + hmac.digest(key, header + text, hashlib.sha256))
        salt = os.urandom(SALT) if salt is None else salt
        assert len(salt) == SALT
        return encode(header + salt + self._cipher(key, salt).encrypt(bytes(12), text, header))

    def read(self, token: str, now: int, max_age: Optional[int] = None) -> Opened:
        octets = decode(token)
        if len(octets) < HEADER + (SALT + TAG if self.version == SEALED else MAC):
            raise BadToken("too short")
        if octets[0] != self.version:
            raise BadToken("another version")
        for number, secret in enumerate(self.secrets):
            # Two secrets may share an id, once in 2**32 pairs: each of them is tried.
            if key_id(secret) == octets[1:5]:
                text = self._open(hkdf(secret, self.info, 32), octets)
                if text is not None:
                    return self._in_time(octets, text, number, now, max_age)
        raise BadToken("no secret fits")

    def _open(self, key: bytes, octets: bytes) -> Optional[bytes]:
        if self.version == SIGNED:
            fits = hmac.compare_digest(hmac.digest(key, octets[:-MAC], hashlib.sha256), octets[-MAC:])
            return octets[HEADER:-MAC] if fits else None
        salt = octets[HEADER : HEADER + SALT]
        try:
            return self._cipher(key, salt).decrypt(bytes(12), octets[HEADER + SALT :], octets[:HEADER])
        except InvalidTag:
            return None

    @staticmethod
    def _in_time(octets: bytes, text: bytes, number: int, now: int, max_age: Optional[int]) -> Opened:
        # Looked at last: what a token says of its time counts only once it is known to be genuine.
        issued, end = int.from_bytes(octets[5:10], "big"), int.from_bytes(octets[10:15], "big")
        if end != 0 and now >= end:
            raise Expired("past its end")
        if max_age is not None and now - issued > max_age:
            raise Expired("too old")
        return Opened(octets[0], octets[1:5], issued, end or None, text, number)

    @staticmethod
    def _cipher(key: bytes, salt: bytes) -> AESGCM:
        return AESGCM(hmac.digest(key, salt, hashlib.sha256))
