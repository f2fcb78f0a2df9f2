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
from collections.abc import Iterable
from ctypes import byref, c_void_p, sizeof
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

from . import _flat as flat
from . import _native as native
from . import arguments
from .choices import Cipher, Derivation, Dialect, Digest
from .errors import ArgumentError, BadSignature, RangeError, SignatureExpired
from .keyring import Keyring, derive_key, generate_key
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

_COMPACT = json.JSONEncoder(separators=(",", ":")).encode
Age = Union[int, float, datetime.timedelta, None]


class Signer(Uncopyable):
    """``value:signature``, as django.core.signing.Signer writes it. Safe from all threads.

    :param key: the secret, or a :class:`Keyring`.
    :param salt: the purpose, so that a token for one is none for another; no secret. None: Django's own.
    :param fallback_keys: a list of older secrets, which verify and do not sign.
    :raises ArgumentError: an empty secret, or ``fallback_keys`` beside a keyring.
    :raises LimitError: more than 64 fallbacks, or a secret or salt over 4096 bytes.

    .. versionadded:: 0.1.0

    >>> signer = Signer(key="a secret", salt="links")
    >>> signer.unsign(signer.sign("report-7"))
    'report-7'
    """

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
        """Wipes the keys, once the last call in another thread has ended. The signer can't be used afterwards.

        .. versionadded:: 0.1.0
        """
        self._handle.release()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(salt={self.salt!r})"

    def sign(self, value: str) -> str:
        """The value with its signature, and the present time if timed.

        :param value: the text.
        :returns: the token.
        :raises SyntaxProblem: text that the dialect can't hold.
        :raises LimitError: a token over 64 MiB.
        :raises ArgumentError: the dialect signs JSON alone, or the signer is closed.

        .. versionadded:: 0.1.0
        """
        token = self._flat(flat.sign, value)
        return self._sign(value, native.UNSET) if token is None else token

    def unsign(self, signed_value: str) -> str:
        """The value, or BadSignature.

        :param signed_value: what :meth:`sign` gave.
        :returns: the value.
        :raises BadSignature: it is not what any of the secrets has signed.
        :raises ArgumentError: the signer is closed.

        .. versionadded:: 0.1.0
        """
        return self._unsigned(signed_value, native.UNSET)

    def _unsigned(self, signed_value: str, max_age: int) -> str:
        text = self._flat(flat.unsign, signed_value, max_age)
        return self._unsign(signed_value, max_age, native.UNSET) if text is None else text

    def dumps(self, obj: Any, *, compress: bool = False) -> str:
        """Signs any value that JSON can hold.

        :param obj: the value.
        :param compress: deflates it where that makes it shorter, in the dialects of Django and itsdangerous.
        :returns: the token.
        :raises TypeError: JSON can't hold it.
        :raises LimitError: a token over 64 MiB.
        :raises ArgumentError: the dialect has no form for JSON, or the signer is closed.

        .. versionadded:: 0.1.0
        """
        payload = _COMPACT(obj)
        token = self._flat(flat.dumps, payload, 1 if compress else 0)
        return self._dumps(payload, compress, native.UNSET) if token is None else token

    def loads(self, token: str, *, max_age: Age = None) -> Any:
        """The value in a token of :meth:`dumps`. Nothing is decoded before the signature was found right.

        :param token: the token.
        :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
        :returns: the value.
        :raises BadSignature: it is not what any of the secrets has signed.
        :raises SignatureExpired: it is older.
        :raises SyntaxProblem: what was signed is no JSON.
        :raises LimitError: it has more than 64 MiB.
        :raises RangeError: ``max_age`` does not fit, or is not finite.

        .. versionadded:: 0.1.0
        """
        seconds = _seconds(max_age)
        payload = self._flat(flat.loads, token, seconds)
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
            count, found = function(signer, raw, *more)
        finally:
            handle.leave()
        if 0 <= count <= flat.ROOM:
            return str(found, "utf-8", "surrogateescape")
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
    """``value:timestamp:signature``, as django.core.signing.TimestampSigner writes it. Safe from all threads.

    :param key: the secret, or a :class:`Keyring`.
    :param salt: the purpose; no secret. None: Django's own.
    :param fallback_keys: a list of older secrets, which verify and do not sign.

    .. versionadded:: 0.1.0
    """

    _timed = True
    _salt = "django.core.signing.TimestampSigner"

    def unsign(self, signed_value: str, max_age: Age = None) -> str:
        """The value, or SignatureExpired if it is older than ``max_age`` seconds.

        :param signed_value: what :meth:`sign` gave.
        :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
        :returns: the value.
        :raises BadSignature: it is not what any of the secrets has signed.
        :raises SignatureExpired: it is older.
        :raises RangeError: ``max_age`` does not fit, or is not finite.

        .. versionadded:: 0.1.0
        """
        return self._unsigned(signed_value, _seconds(max_age))


@dataclass(frozen=True)
class Opened:
    """What a genuine token holds.

    :param value: the text or the value.
    :param timestamp: when it was made, in Unix seconds; None if the token does not say.
    :param key: which secret it was: 0 the first, 1 the first fallback, worth signing again.

    .. versionadded:: 0.1.0
    """

    value: Any
    timestamp: Optional[int]
    key: int


class Tokens(Signer):
    """The tokens of another framework, or Tuile's own. Safe from all threads. docs/formats.md says what each dialect needs.

    :param dialect: one of ``django``, ``django-cookie``, ``itsdangerous``, ``flask``,
       ``starlette``, ``cookie-signature``, ``express``, ``keygrip``, ``rails-signed``,
       ``rails-encrypted``, ``gorilla``, ``rack``, ``cookie-rs-signed``, ``cookie-rs-private``,
       ``iron-session``, ``fernet``, ``tornado``, ``hono``, ``jwt``, ``laravel``,
       ``laravel-gcm``, ``auth-js``, ``data-protection``, ``sealed`` and ``signed``.
    :param key: the secret, in the framework's own form, or a :class:`Keyring`.
    :param fallback_keys: a list of older secrets, which verify and do not sign.
    :param salt: the purpose; no secret.
    :param name: the cookie's name, where tokens are bound to it.
    :param timed: whether tokens have a time, where the dialect leaves that open.
    :param block_key: gorilla's block key: 16, 24 or 32 bytes, or empty to sign alone.
    :param digest: the signature's hash function; None: the dialect's.
    :param derivation: how the signature's key is made of the secret; None: the dialect's.
    :param iterations: of Rails' PBKDF2.
    :param lifetime: seconds for which what is written is good; None: as the dialect has it.
    :param legacy: reads what older versions wrote, as the dialect says; for ``sealed`` and ``signed`` a secret under 32 bytes.
    :param leeway: of JWT, seconds by which clocks may differ.
    :param cipher: Rails' ``encrypted_cookie_cipher``.
    :param mac_digest: Rails' ``signed_cookie_digest``.
    :param mac_salt: Rails' ``encrypted_signed_cookie_salt``.
    :raises ArgumentError: a secret that the dialect can't use, a name that it needs, or an unknown choice.
    :raises LimitError: more than 64 fallbacks, or a secret or salt over 4096 bytes.
    :raises RangeError: a number that does not fit.

    .. versionadded:: 0.1.0

    .. versionchanged:: 0.1.1
       ``leeway``, ``cipher``, ``mac digest`` and ``mac salt``.

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
        """The text of a token.

        :param signed_value: the token.
        :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
        :returns: the text.
        :raises BadSignature: it is not what any of the secrets has signed.
        :raises SignatureExpired: it is older.
        :raises ValueTypeError: the token holds JSON that is no text.
        :raises SyntaxProblem: it holds what its dialect does not.

        .. versionadded:: 0.1.0
        """
        found = self._flat(flat.unsign, signed_value, _seconds(max_age))
        text: str = self.open(signed_value, max_age=max_age).value if found is None else found
        return text

    def open(self, token: str | bytes, *, max_age: Age = None, now: Optional[int] = None) -> Opened:
        """The text of a token, with its time and which secret it was.

        :param token: the token.
        :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
        :param now: Unix seconds; None: the clock.
        :returns: what it holds.
        :raises BadSignature: it is not what any of the secrets has signed.
        :raises SignatureExpired: it is older.
        :raises ValueTypeError: the token holds JSON that is no text.
        :raises SyntaxProblem: it holds what its dialect does not.

        .. versionadded:: 0.1.0
        """
        raw, verified = self._read(native.lib.tuile_token_unsign, token, max_age, now)
        return self._opened(arguments.text(raw), verified)

    def open_json(self, token: str | bytes, *, max_age: Age = None, now: Optional[int] = None) -> Opened:
        """As :meth:`open`, for what :meth:`dumps` or the framework's session made.

        :param token: the token.
        :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
        :param now: Unix seconds; None: the clock.
        :returns: what it holds; its ``value`` is any that JSON can hold.
        :raises BadSignature: it is not what any of the secrets has signed.
        :raises SignatureExpired: it is older.
        :raises SyntaxProblem: what was signed is no JSON.

        .. versionadded:: 0.1.0
        """
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
    """A signed, URL-safe token of any value that JSON can hold, as Django's ``signing.dumps``.

    :param obj: the value.
    :param key: the secret, or a :class:`Keyring`.
    :param salt: the purpose; no secret.
    :param compress: deflates it where that makes it shorter.
    :returns: the token.
    :raises TypeError: JSON can't hold it.
    :raises ArgumentError: an empty secret.
    :raises LimitError: a token over 64 MiB.

    .. versionadded:: 0.1.0
    """
    return TimestampSigner(key=key, salt=salt).dumps(obj, compress=compress)


def loads(
    token: str,
    *,
    key: str | bytes | Keyring,
    salt: str = "django.core.signing",
    max_age: Age = None,
    fallback_keys: Iterable[str | bytes] = (),
) -> Any:
    """What :func:`dumps` signed.

    :param token: the token.
    :param key: the secret, or a :class:`Keyring`.
    :param salt: the purpose that it was signed for.
    :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
    :param fallback_keys: a list of older secrets.
    :returns: the value.
    :raises BadSignature: it is not what any of the secrets has signed.
    :raises SignatureExpired: it is older.
    :raises ArgumentError: an empty secret, or ``fallback_keys`` beside a keyring.

    .. versionadded:: 0.1.0
    """
    return TimestampSigner(key=key, salt=salt, fallback_keys=fallback_keys).loads(token, max_age=max_age)


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
