"""ASP.NET Core's Data Protection: its documentation's formula in Python, checked with .NET's own known answers, both ways.

.NET itself is in no Debian package.
"""

from __future__ import annotations

import base64
import os
import struct
import uuid
from typing import Any, Optional

import live
import pytest
from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode
from tuile.signing import BadSignature, Tokens

COOKIE = "/srv/shop\nMicrosoft.AspNetCore.Authentication.Cookies.CookieAuthenticationMiddleware\nCookies\nv2"
HASHES: dict[str, Any] = {"HMACSHA256": hashes.SHA256, "HMACSHA512": hashes.SHA512}
ALGORITHMS = [
    *((f"AES_{bits}_CBC", name) for bits in (128, 192, 256) for name in HASHES),
    *((f"AES_{bits}_GCM", "") for bits in (128, 192, 256)),
]


def derived(master: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """NIST SP 800-108 in counter mode, by another library."""
    return KBKDFHMAC(
        hashes.SHA512(), Mode.CounterMode, size, rlen=4, llen=4, location=CounterLocation.BeforeFixed,
        label=label, context=context, fixed=None,
    ).derive(master)  # fmt: skip


def mac(key: bytes, text: bytes, name: str) -> bytes:
    made = hmac.HMAC(key, HASHES[name]())
    made.update(text)
    return made.finalize()


def cbc(key: bytes, iv: bytes, text: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()


def uncbc(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()


class Key:
    """A key of the ring, as the documentation describes it."""

    def __init__(self, encryption: str = "AES_256_CBC", validation: str = "HMACSHA256", master: Optional[bytes] = None):
        self.id, self.master = uuid.uuid4(), os.urandom(64) if master is None else master
        self.encryption, self.validation = encryption, validation
        self.size = int(encryption[4:7]) // 8
        self.gcm = encryption.endswith("GCM")
        self.mac_size = 0 if self.gcm else HASHES[validation].digest_size

    @property
    def context(self) -> bytes:
        keys = derived(b"", b"", b"", self.size + self.mac_size)
        if self.gcm:
            return b"\0\1" + struct.pack(">IIII", self.size, 12, 16, 16) + AESGCM(keys).encrypt(bytes(12), b"", None)
        head = b"\0\0" + struct.pack(">IIII", self.size, 16, self.mac_size, self.mac_size)
        return head + cbc(keys[: self.size], bytes(16), b"") + mac(keys[self.size :], b"", self.validation)

    def encrypt(self, text: bytes, aad: bytes, random: bytes) -> bytes:
        """`random`: the modifier and the IV."""
        modifier, iv = random[:16], random[16:]
        keys = derived(self.master, aad, self.context + modifier, self.size + self.mac_size)
        if self.gcm:
            return random + AESGCM(keys).encrypt(iv, text, None)
        sealed = iv + cbc(keys[: self.size], iv, text)
        return modifier + sealed + mac(keys[self.size :], sealed, self.validation)

    def decrypt(self, token: bytes, aad: bytes) -> bytes:
        modifier, rest = token[:16], token[16:]
        keys = derived(self.master, aad, self.context + modifier, self.size + self.mac_size)
        if self.gcm:
            return AESGCM(keys).decrypt(rest[:12], rest[12:], None)
        sealed, given = rest[: -self.mac_size], rest[-self.mac_size :]
        assert mac(keys[self.size :], sealed, self.validation) == given
        return uncbc(keys[: self.size], sealed[:16], sealed[16:])

    def head(self) -> bytes:
        return bytes.fromhex("09F0C9F0") + self.id.bytes_le

    def aad(self, purposes: str) -> bytes:
        chain = purposes.split("\n")
        texts = [purpose.encode() for purpose in chain]
        assert all(len(text) < 16384 for text in texts)
        sizes = [bytes([n]) if (n := len(text)) < 128 else bytes([n & 127 | 128, n >> 7]) for text in texts]
        return self.head() + struct.pack(">I", len(chain)) + b"".join(a + b for a, b in zip(sizes, texts))

    def protect(self, text: bytes, purposes: str = COOKIE) -> str:
        body = self.encrypt(text, self.aad(purposes), os.urandom(28 if self.gcm else 32))
        return base64.urlsafe_b64encode(self.head() + body).rstrip(b"=").decode()

    def unprotect(self, token: str, purposes: str = COOKIE) -> bytes:
        raw = base64.urlsafe_b64decode(token + "==")
        assert raw[:20] == self.head()
        return self.decrypt(raw[20:], self.aad(purposes))

    def xml(self) -> str:
        """As .NET writes the file."""
        validation = "" if self.gcm else f'<validation algorithm="{self.validation}" />'
        return f"""\ufeff<?xml version="1.0" encoding="utf-8"?>
<key id="{self.id}" version="1">
  <creationDate>2026-01-02T03:04:05.0678901Z</creationDate>
  <activationDate>2026-01-02T03:04:05.0543210Z</activationDate>
  <expirationDate>2026-04-02T03:04:05.0543210Z</expirationDate>
  <descriptor deserializerType="Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel.AuthenticatedEncryptorDescriptorDeserializer, Microsoft.AspNetCore.DataProtection, Version=9.0.0.0, Culture=neutral, PublicKeyToken=adb9793829ddae60">
    <descriptor>
      <encryption algorithm="{self.encryption}" />
      {validation}
      <masterKey p4:requiresEncryption="true" xmlns:p4="http://schemas.asp.net/2015/03/dataProtection">
        <!-- Warning: the key below is in an unencrypted form. -->
        <value>{base64.b64encode(self.master).decode()}</value>
      </masterKey>
    </descriptor>
  </descriptor>
</key>"""


def test_the_formula_has_nets_own_answers() -> None:
    """The documentation's context headers, and what a test of .NET's own encryptor expects."""
    assert Key("AES_192_CBC").context.hex(" ", 2) == (
        "0000 0000 0018 0000 0010 0000 0020 0000 0020 f474 b187 2b3b 53e4 721d e19c 0841 db6f d479 1184 b996 092e e120 2f36 e860"
        " 8fa8 fbd9 8abd ff54 02f2 64b1 d721 1536 220c"
    )
    assert Key("AES_256_GCM", "").context.hex(" ", 2) == (
        "0001 0000 0020 0000 000c 0000 0010 0000 0010 e7dc ce66 df85 5a32 3a6b b7bd 7a59 be45"
    )
    made = Key(master=b"master key").encrypt(bytes([2, 3, 4]), bytes([6, 5, 4, 3]), bytes(range(32)))
    expected = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+36j4yWJOjBgOJxmYDYwhLnYqFxw+9mNh/cudyPrWmJmw4d/dmGaLJLLut2udiAAA="
    assert base64.b64encode(made).decode() == expected


@pytest.mark.parametrize("encryption, validation", ALGORITHMS)
def test_both_ways(encryption: str, validation: str) -> None:
    new, old, other = (Key(encryption, validation) for _ in range(3))
    tokens = Tokens("data-protection", key=new.xml(), fallback_keys=[old.xml()], salt=COOKIE)
    for text in live.TEXTS:
        assert new.unprotect(live.signed(tokens, text)).decode() == text
        for number, key in enumerate((new, old)):
            opened = tokens.open(key.protect(text.encode()))
            assert (opened.value, opened.key, opened.timestamp) == (text, number, None)
    for payload in live.OBJECTS:
        assert tokens.loads(live.written(tokens, payload)) == payload
    token = new.protect(b"v")
    same_id = Key(encryption, validation)
    same_id.id = new.id
    for refused in (
        other.protect(b"v"), new.protect(b"v", COOKIE + "x"), new.protect(b"v", COOKIE + "\nx"), new.protect(b"v", "/srv/shop"),
        same_id.protect(b"v"), live.changed(token, live.random_for(token)), token[:-2], token[:40], "CfDJ8", "",
    ):  # fmt: skip
        with pytest.raises(BadSignature):
            tokens.open(refused)


def test_octets_and_a_key_in_short() -> None:
    """A ticket is no text: its octets come as they are. A line `id:master` is a key of the usual algorithms."""
    key, ticket = Key(), bytes(range(256)) * 3
    short = f"{key.id}:{base64.b64encode(key.master).decode()}"
    for secret in (short, short.upper().split(":")[0] + ":" + short.split(":")[1], key.xml().encode()):
        opened = Tokens("data-protection", key=secret, salt=COOKIE).open(key.protect(ticket))
        assert opened.value.encode("utf-8", "surrogateescape") == ticket


def test_long_purposes() -> None:
    key = Key()
    for size in (1, 127, 128, 129, 4000):
        purposes = "app\n" + "p" * size
        tokens = Tokens("data-protection", key=key.xml(), salt=purposes)
        assert tokens.open(key.protect(b"v", purposes)).value == "v"
        assert key.unprotect(tokens.sign("v"), purposes) == b"v"
    # Where one purpose ends is part of what is bound.
    token = key.protect(b"v", "ab\nc")
    for purposes in ("a\nbc", "abc", "ab\nc\nd", "ab", "c\nab", "ab c"):
        with pytest.raises(BadSignature):
            Tokens("data-protection", key=key.xml(), salt=purposes).open(token)


def test_keys_and_purposes_in_the_wrong_form() -> None:
    xml = Key().xml()
    master = xml[xml.index("<value>") + 7 : xml.index("</value>")]
    for secret, why in (
        ("s3cret", "XML, or its id"), (master, "XML, or its id"), (f"{uuid.uuid4()}", "XML, or its id"),
        (f"{uuid.uuid4()}:{master[:-1]}", "XML, or its id"), (f"{uuid.uuid4()}:AAAA", "XML, or its id"),
        (f"{uuid.uuid4().hex}:{master}", "XML, or its id"), (xml.replace("<value>", "<v>"), "no id, or no master key"),
        (xml.replace("id=", "no="), "no id, or no master key"), (xml.replace(master, "AAAA"), "no id, or no master key"),
        (xml.replace("AES_256_CBC", "AES"), "algorithms are none"), (xml.replace("AES_256_CBC", "AES_512_CBC"), "algorithms are none"),
        (xml.replace("HMACSHA256", "HMACSHA1"), "algorithms are none"), (xml.replace("AES_256_CBC", "AES_256_CTR"), "algorithms are none"),
        (xml.replace("<masterKey", "<encryptedSecret/><masterKey"), "is encrypted"), ("<key ", "algorithms are none"),
    ):  # fmt: skip
        with pytest.raises(Exception, match=why):
            Tokens("data-protection", key=secret, salt=COOKIE)
        with pytest.raises(Exception, match=why):
            Tokens("data-protection", key=xml, fallback_keys=[secret], salt=COOKIE)
    for purposes in ("", "\n", "a\n", "\na", "a\n\nb"):
        with pytest.raises(Exception, match="purposes in the salt"):
            Tokens("data-protection", key=xml, salt=purposes)
