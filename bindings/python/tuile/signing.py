"""Django's signing: the same names, the same tokens, without Django.

>>> signer = TimestampSigner(key="a secret")
>>> signer.unsign(signer.sign("hello"), max_age=60)
'hello'
>>> loads(dumps({"user": 42}, key="a secret"), key="a secret")
{'user': 42}
"""

from __future__ import annotations

import datetime
import json
import math
import os
import threading
from collections.abc import Iterable
from ctypes import byref, c_int64, c_size_t, c_void_p, sizeof
from dataclasses import dataclass
from typing import Any, Callable, Optional, TypeVar, Union

from . import _flat as flat
from . import _native as native
from . import arguments
from .choices import Cipher, Derivation, Dialect, Digest, KeyFormat
from .errors import ArgumentError, BadSignature, RangeError, SignatureExpired
from .lifetime import Handle, Uncopyable

__all__ = [
    "BadSignature",
    "Keyring",
    "Opened",
    "SignatureExpired",
    "Signer",
    "TimestampSigner",
    "Tokens",
    "derive_key",
    "dumps",
    "generate_key",
    "loads",
]

_Answer = TypeVar("_Answer")
_COMPACT = json.JSONEncoder(separators=(",", ":")).encode
Age = Union[int, float, datetime.timedelta, None]


class Keyring(Uncopyable):
    """Keys in the order of their use: the first one writes, all read. Signers and managers
    copy them. Keys under 32 bytes are refused unless ``allow_weak``.

    >>> ring = Keyring(generate_key())
    >>> len(ring), ring
    (1, <Keyring of 1 keys>)
    """

    _instead = "it holds secrets; make another one from its keys"

    def __init__(self, *keys: str | bytes, format: KeyFormat = "text", allow_weak: bool = False) -> None:
        number = c_void_p()
        native.check(native.lib.tuile_keyring_new, arguments.switch(allow_weak, "allow_weak"), byref(number))
        self._handle = Handle(number.value, native.lib.tuile_keyring_free, "the keyring is closed")
        # Adding is for one thread at a time.
        self._lock = threading.Lock()
        for key in keys:
            self.add(key, format)

    def add(
        self, key: str | bytes, format: KeyFormat = "text", *, block_key: str | bytes = b"", id: Optional[int] = None
    ) -> None:
        """Adds a key behind the others; ``format`` is ``text``, ``hex`` or ``base64``.

        ``block_key``, of the same format, is what gorilla encrypts with beside the key, ``id`` iron-session's
        or Tornado's number of it: where one key has an id, all need one.
        """
        constant = arguments.choice(native.SECRET, format, "format")
        texts = native.view(arguments.secret(key, "a key")), native.view(arguments.secret(block_key, "block_key"))
        number = native.UNSET if id is None else native.int64(id, "id")
        add = native.lib.tuile_keyring_add_entry
        self._alone(lambda ring: native.check(add, ring, *texts, number, constant))

    def add_file(self, path: str | bytes | os.PathLike[str], format: KeyFormat = "text", *, shared: bool = False) -> None:
        """Adds the keys of a file that only its owner may open, one a line.

        With ``shared`` others may read the file, too, as its group does, or a container with a secret
        mounted into it; write it they may not.
        """
        path = arguments.path(path)
        self._add(native.lib.tuile_keyring_add_file, path, format, native.SHARED_FILE if shared else 0)

    def add_environment(self, variable: str, format: KeyFormat = "text") -> None:
        """Adds the keys in a variable of the environment, one a line."""
        name = arguments.octets(variable, "variable")
        if self._add(native.lib.tuile_keyring_add_environment, name, format) == native.ABSENT:
            raise KeyError(variable)

    def _add(self, function: Any, octets: bytes, format: str, flags: int = 0) -> int:
        constant, key = arguments.choice(native.SECRET, format, "format"), native.view(octets)
        return self._alone(lambda ring: native.check(function, ring, key, constant | flags))

    def _alone(self, call: Callable[[int], _Answer]) -> _Answer:
        with self._lock:
            return self._handle.use(call)

    def derive(self, purpose: str | bytes) -> Keyring:
        """A ring of what each key gives for a purpose: see :func:`derive_key`."""
        number, derived, use = c_void_p(), Keyring(), native.view(purpose, "purpose")
        self._alone(lambda ring: native.check(native.lib.tuile_keyring_derive, ring, use, byref(number)))
        derived._handle = Handle(number.value, native.lib.tuile_keyring_free, "the keyring is closed")
        return derived

    def __len__(self) -> int:
        count = c_size_t()
        self._alone(lambda ring: native.lib.tuile_keyring_count(ring, byref(count)))
        return count.value

    def __repr__(self) -> str:
        return f"<Keyring of {len(self)} keys>"


def generate_key() -> str:
    """A new key: 256 random bits in URL-safe base64."""
    status, key = native.filled(43, lambda *out: native.lib.tuile_secret_generate(*out, None))
    if status != native.OK:
        raise native.failure(status)
    return key.decode("ascii")


def derive_key(secret: str | bytes, purpose: str | bytes) -> str:
    """The secret that another one, of 32 bytes or more, gives for a purpose: for each dialect one of
    its own, since those that share one may give each other away.

    >>> derive_key("a secret that has its thirty-two bytes and more", "express")
    'xyz4ioICYMn2v3jkvyDiGj0rK-ZsltQkxJyv9fZ7iQs'
    """
    given, use = native.view(arguments.secret(secret, "secret")), native.view(purpose, "purpose")
    error = native.Error()
    derive = native.lib.tuile_secret_derive
    status, key = native.filled(43, lambda *out: derive(given, use, *out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return key.decode("ascii")


class Signer(Uncopyable):
    """``value:signature``, as django.core.signing.Signer writes it. Safe from all threads."""

    _instead = "it holds secrets; make another one from its key"

    _timed = False
    _salt = "django.core.signing.Signer"

    def __init__(
        self, *, key: str | bytes | Keyring, salt: str | None = None, fallback_keys: Iterable[str | bytes] = ()
    ) -> None:
        self.salt = self._salt if salt is None else salt
        purpose = native.view(self.salt, "salt")
        older = [native.view(fallback) for fallback in arguments.secrets(fallback_keys, "fallback_keys")]
        if older and isinstance(key, Keyring):
            raise ArgumentError("a Keyring holds the older keys, too: add them to it, in place of fallback_keys")
        config = native.SignerConfig()
        native.lib.tuile_signer_config_init(byref(config), sizeof(config))
        config.salt, config.timed = purpose, self._timed
        config.fallbacks = (native.Bytes * len(older))(*older)
        config.fallback_count = len(older)
        self._configure(config)
        number = c_void_p()
        if isinstance(key, Keyring):

            def make(ring: int) -> None:
                config.keyring = ring
                native.check(native.lib.tuile_signer_new, byref(config), byref(number))

            key._alone(make)
        else:
            secret = native.view(arguments.secret(key, "key"))
            config.secret = secret
            native.check(native.lib.tuile_signer_new, byref(config), byref(number))
        self._handle = Handle(number.value, native.lib.tuile_signer_free, "the signer is closed")

    def _configure(self, config: native.SignerConfig) -> None:
        """What a subclass sets besides."""

    def close(self) -> None:
        """Wipes the keys, once the last call in another thread has ended. The signer can't be used afterwards."""
        self._handle.release()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(salt={self.salt!r})"

    def sign(self, value: str) -> str:
        """The value with its signature, and the present time if timed."""
        token = self._flat(flat.sign, value)
        return self._sign(value, native.UNSET) if token is None else token

    def unsign(self, signed_value: str) -> str:
        """The value, or BadSignature."""
        return self._unsigned(signed_value, native.UNSET)

    def _unsigned(self, signed_value: str, max_age: int) -> str:
        text = self._flat(flat.unsign, signed_value, _age(max_age))
        return self._unsign(signed_value, max_age, native.UNSET) if text is None else text

    def dumps(self, obj: Any, *, compress: bool = False) -> str:
        """Signs any value that JSON can hold."""
        payload = _COMPACT(obj)
        token = self._flat(flat.dumps, payload, 1 if compress else 0)
        return self._dumps(payload, compress, native.UNSET) if token is None else token

    def loads(self, token: str, *, max_age: Age = None) -> Any:
        """What :meth:`dumps` signed, or BadSignature."""
        seconds = _seconds(max_age)
        payload = self._flat(flat.loads, token, _age(seconds))
        return json.loads(self._loads(token, seconds, native.UNSET) if payload is None else payload)

    def _flat(self, function: Any, text: str, *more: Any) -> Optional[str]:
        """What a flat call makes of a text; None for what the functions below have to say why, and for long texts."""
        try:
            raw = str.encode(text, "utf-8", "surrogateescape")
        except (TypeError, UnicodeEncodeError):
            return None
        if len(raw) > flat.SHORT:
            return None
        handle = self._handle
        signer = handle.enter()
        try:
            count, found = flat.answer(function, signer, raw, len(raw), *more)
        finally:
            handle.leave()
        if 0 <= count <= flat.ROOM:
            return found.decode("utf-8", "surrogateescape")
        if count == flat.BAD_SIGNATURE:
            raise BadSignature("the signature does not match")
        if count == flat.EXPIRED:
            raise SignatureExpired("the signature is too old")
        return None

    # With an explicit time, Unix seconds.

    def _sign(self, value: str, now: int) -> str:
        text = native.view(value, "value")
        return self._token(text.size, native.lib.tuile_token_sign, text, False, now)

    def _dumps(self, payload: str, compress: bool, now: int) -> str:
        text = native.view(payload)
        return self._token(text.size * 4 // 3, native.lib.tuile_token_dumps, text, compress, now)

    def _token(self, size: int, make: Callable[..., int], text: native.Bytes, compress: bool, now: int) -> str:
        signing, error = native.Signing(sizeof(native.Signing), text, now, compress), native.Error()
        status, token = self._filled(size + 64, lambda signer, *out: make(signer, byref(signing), *out, byref(error)))
        if status != native.OK:
            raise native.failure(status, error)
        return arguments.text(token)

    def _unsign(self, token: str, max_age: int, now: int) -> str:
        # What is lent lies in the text.
        text, value = native.view(arguments.sent(token, "the token")), native.Bytes()
        asked, verify = _verification(text, max_age, now), native.lib.tuile_token_verify
        _raise_for(self._handle.use(lambda signer: verify(signer, byref(asked), byref(value), None)))
        return arguments.text(native.copy(value))

    def _loads(self, token: str, max_age: int, now: int) -> str:
        text, error = native.view(arguments.sent(token, "the token")), native.Error()
        asked, loads = _verification(text, max_age, now), native.lib.tuile_token_loads
        call = lambda signer, *out: loads(signer, byref(asked), *out, byref(error))  # noqa: E731
        status, payload = self._filled(max(256, text.size * 4), call)
        _raise_for(status, error)
        return payload.decode("utf-8")

    def _filled(self, room: int, call: Callable[..., int]) -> tuple[int, bytes]:
        return self._handle.use(lambda signer: native.filled(room, lambda *out: call(signer, *out)))


class TimestampSigner(Signer):
    """``value:timestamp:signature``, as django.core.signing.TimestampSigner writes it."""

    _timed = True
    _salt = "django.core.signing.TimestampSigner"

    def unsign(self, signed_value: str, max_age: Age = None) -> str:
        """The value, or SignatureExpired if it is older than ``max_age`` seconds."""
        return self._unsigned(signed_value, _seconds(max_age))


@dataclass(frozen=True)
class Opened:
    """What a genuine token holds: its ``value``, when it was made, and which key it was
    (0 the first, 1 the first fallback, worth signing again)."""

    value: Any
    timestamp: Optional[int]
    key: int


class Tokens(Signer):
    """The tokens of another framework, or Tuile's own.

    ``dialect`` is one of ``django``, ``django-cookie``, ``itsdangerous``, ``flask``,
    ``starlette``, ``cookie-signature``, ``express``, ``keygrip``, ``rails-signed``,
    ``rails-encrypted``, ``gorilla``, ``rack``, ``cookie-rs-signed``, ``cookie-rs-private``,
    ``iron-session``, ``fernet``, ``tornado``, ``hono``, ``jwt``, ``laravel``,
    ``laravel-gcm``, ``auth-js``, ``data-protection``, ``sealed`` and ``signed``; docs/formats.md says what each needs.

    >>> tokens = Tokens("sealed", key=b"0123456789abcdef0123456789abcdef", salt="cart", name="cart")
    >>> tokens.loads(tokens.dumps([1, 2]), max_age=60)
    [1, 2]
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        key: str | bytes | Keyring,
        fallback_keys: Iterable[str | bytes] = (),
        salt: str = "",
        name: str = "",
        timed: bool = True,
        block_key: bytes = b"",
        digest: Optional[Digest] = None,
        derivation: Optional[Derivation] = None,
        iterations: int = 1000,
        lifetime: Optional[int] = None,
        legacy: bool = False,
        leeway: int = 0,
        cipher: Optional[Cipher] = None,
        mac_digest: Optional[Digest] = None,
        mac_salt: str = "",
    ) -> None:
        self.dialect: Dialect = dialect
        if arguments.count(iterations, "iterations") >= 1 << 32:
            raise RangeError("iterations does not fit into 32 bits")
        # What the views point to has to live until the signer is made.
        self._views = (
            native.view(name, "name"), native.view(arguments.secret(block_key, "block_key")), native.view(mac_salt, "mac_salt"),
        )  # fmt: skip
        self._fields = {
            "timed": arguments.switch(timed, "timed"), "legacy": arguments.switch(legacy, "legacy"),
            "dialect": arguments.choice(native.DIALECT, dialect, "dialect"),
            "digest": arguments.choice(native.DIGESTS, digest, "digest"),
            "derivation": arguments.choice(native.DERIVATIONS, derivation, "derivation"), "iterations": iterations,
            "lifetime": native.UNSET if lifetime is None else native.int64(lifetime, "lifetime"),
            "leeway": native.int64(leeway, "leeway"),
            "name": self._views[0], "block_secret": self._views[1], "mac_salt": self._views[2],
            "cipher": arguments.choice(native.CIPHERS, cipher, "cipher"),
            "mac_digest": arguments.choice(native.DIGESTS, mac_digest, "mac_digest"),
        }  # fmt: skip
        try:
            super().__init__(key=key, salt=salt, fallback_keys=fallback_keys)
        finally:
            del self._fields, self._views

    def _configure(self, config: native.SignerConfig) -> None:
        for field, value in self._fields.items():
            setattr(config, field, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dialect!r}, salt={self.salt!r})"

    def unsign(self, signed_value: str, max_age: Age = None) -> str:
        """The text of a token, or BadSignature or SignatureExpired."""
        found = self._flat(flat.unsign, signed_value, _age(_seconds(max_age)))
        text: str = self.open(signed_value, max_age=max_age).value if found is None else found
        return text

    def open(self, token: str | bytes, *, max_age: Age = None, now: Optional[int] = None) -> Opened:
        """The text of a token with its time and key; ``now`` is Unix seconds, the clock if None."""
        raw, verified = self._read(native.lib.tuile_token_unsign, token, max_age, now)
        return self._opened(arguments.text(raw), verified)

    def open_json(self, token: str | bytes, *, max_age: Age = None, now: Optional[int] = None) -> Opened:
        """As :meth:`open` for what :meth:`dumps` or the framework's session made."""
        raw, verified = self._read(native.lib.tuile_token_loads, token, max_age, now)
        return self._opened(json.loads(raw), verified)

    def _opened(self, value: Any, verified: native.Verification) -> Opened:
        timestamp = None if verified.timestamp == native.UNSET else verified.timestamp
        return Opened(value, timestamp, verified.secret)

    def _read(self, call: Any, token: str | bytes, max_age: Age, now: Optional[int]) -> tuple[bytes, native.Verification]:
        text, error = native.view(arguments.sent(token, "the token")), native.Error()
        present = native.UNSET if now is None else native.int64(now, "now")
        verified = _verification(text, _seconds(max_age), present)
        status, payload = self._filled(
            max(256, text.size * 4),
            lambda signer, *out: call(signer, byref(verified), *out, byref(error)),
        )
        _raise_for(status, error)
        return payload, verified


def _verification(token: native.Bytes, max_age: int, now: int) -> native.Verification:
    return native.Verification(sizeof(native.Verification), token, max_age, now, native.UNSET, 0)


def dumps(
    obj: Any,
    *,
    key: str | bytes | Keyring,
    salt: str = "django.core.signing",
    compress: bool = False,
) -> str:
    """A signed, URL-safe token of any value that JSON can hold."""
    return TimestampSigner(key=key, salt=salt).dumps(obj, compress=compress)


def loads(
    token: str,
    *,
    key: str | bytes | Keyring,
    salt: str = "django.core.signing",
    max_age: Age = None,
    fallback_keys: Iterable[str | bytes] = (),
) -> Any:
    """What :func:`dumps` signed; raises BadSignature or SignatureExpired."""
    return TimestampSigner(key=key, salt=salt, fallback_keys=fallback_keys).loads(token, max_age=max_age)


def _age(seconds: int) -> Any:
    """As a flat call takes it."""
    if seconds == native.UNSET:
        return flat.UNSET
    return seconds if seconds in flat.SMALL else c_int64(seconds)


def _seconds(age: Age) -> int:
    if age is None:
        return native.UNSET
    if isinstance(age, datetime.timedelta):
        age = age.total_seconds()
    if isinstance(age, float):
        if not math.isfinite(age):
            raise RangeError("max_age is not finite")
        age = int(age)
    seconds = native.int64(age, "max_age")
    # The lowest number would mean that no age was given.
    return max(seconds, native.UNSET + 1)


def _raise_for(status: int, error: Optional[native.Error] = None) -> None:
    if status == native.BAD_SIGNATURE:
        raise BadSignature("the signature does not match")
    if status == native.EXPIRED:
        raise SignatureExpired("the signature is too old")
    if status != native.OK:
        raise native.failure(status, error)
