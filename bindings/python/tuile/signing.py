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
from collections.abc import Iterable
from ctypes import byref, c_void_p
from typing import Any, Callable, Optional, Union

from . import _native as native

Age = Union[int, float, datetime.timedelta, None]


class BadSignature(Exception):
    """The signature does not match: tampered with, or another key or salt."""


class SignatureExpired(BadSignature):
    """The signature matches, but is older than ``max_age``."""


class Signer:
    """``value:signature``, as django.core.signing.Signer writes it."""

    _timed = False
    _salt = "django.core.signing.Signer"

    def __init__(self, *, key: str | bytes, salt: str | None = None, fallback_keys: Iterable[str | bytes] = ()) -> None:
        self._handle: Optional[int] = None
        self.salt = self._salt if salt is None else salt
        secret, purpose = native.view(key), native.view(self.salt)
        older = [native.view(fallback) for fallback in fallback_keys]
        config = native.SignerConfig()
        native.lib.tuile_signer_config_init(byref(config))
        config.secret, config.salt, config.timed = secret, purpose, self._timed
        config.fallbacks = (native.Bytes * len(older))(*older)
        config.fallback_count = len(older)
        handle = c_void_p()
        native.check(native.lib.tuile_signer_new, byref(config), byref(handle))
        self._handle = handle.value

    def close(self) -> None:
        """Wipes the keys. The signer can't be used afterwards."""
        handle, self._handle = getattr(self, "_handle", None), None
        # At interpreter shutdown the module may be gone already.
        if handle is not None and native is not None:
            native.lib.tuile_signer_free(handle)

    __del__ = close

    def __repr__(self) -> str:
        return f"{type(self).__name__}(salt={self.salt!r})"

    def sign(self, value: str) -> str:
        """The value with its signature, and the present time if timed."""
        return self._sign(value, native.UNSET)

    def unsign(self, signed_value: str) -> str:
        """The value, or BadSignature."""
        return self._unsign(signed_value, native.UNSET, native.UNSET)

    def dumps(self, obj: Any, *, compress: bool = False) -> str:
        """Signs any value that JSON can hold."""
        return self._dumps(json.dumps(obj, separators=(",", ":")), compress, native.UNSET)

    def loads(self, token: str, *, max_age: Age = None) -> Any:
        """What :meth:`dumps` signed, or BadSignature."""
        return json.loads(self._loads(token, _seconds(max_age), native.UNSET))

    # With an explicit time, Unix seconds.

    def _sign(self, value: str, now: int) -> str:
        text = native.view(value)
        sign = native.lib.tuile_signer_sign
        return self._token(len(text.owner), lambda *out: sign(self._handle, text, now, *out))

    def _dumps(self, payload: str, compress: bool, now: int) -> str:
        text, error = native.view(payload), native.Error()
        dumps = native.lib.tuile_signer_dumps
        call = lambda *out: dumps(self._handle, text, compress, now, *out, byref(error))  # noqa: E731
        return self._token(len(text.owner) * 4 // 3, call, error)

    def _token(self, size: int, call: Callable[..., int], error: Optional[native.Error] = None) -> str:
        status, token = native.filled(size + 64, call)
        if status != native.OK:
            raise native.failure(status, error)
        return token.decode("utf-8", "surrogatepass")

    def _unsign(self, token: str, max_age: int, now: int) -> str:
        text, value = native.view(token), native.Bytes()
        status = native.lib.tuile_signer_verify(self._handle, text, max_age, now, byref(value), None)
        _raise_for(status)
        return native.copy(value).decode("utf-8", "surrogatepass")

    def _loads(self, token: str, max_age: int, now: int) -> str:
        text, error = native.view(token), native.Error()
        loads = native.lib.tuile_signer_loads
        call = lambda *out: loads(self._handle, text, max_age, now, *out, None, byref(error))  # noqa: E731
        status, payload = native.filled(max(256, len(text.owner) * 4), call)
        _raise_for(status, error)
        return payload.decode("utf-8")


class TimestampSigner(Signer):
    """``value:timestamp:signature``, as django.core.signing.TimestampSigner writes it."""

    _timed = True
    _salt = "django.core.signing.TimestampSigner"

    def unsign(self, signed_value: str, max_age: Age = None) -> str:
        """The value, or SignatureExpired if it is older than ``max_age`` seconds."""
        return self._unsign(signed_value, _seconds(max_age), native.UNSET)


def dumps(
    obj: Any,
    *,
    key: str | bytes,
    salt: str = "django.core.signing",
    compress: bool = False,
) -> str:
    """A signed, URL-safe token of any value that JSON can hold."""
    return TimestampSigner(key=key, salt=salt).dumps(obj, compress=compress)


def loads(
    token: str,
    *,
    key: str | bytes,
    salt: str = "django.core.signing",
    max_age: Age = None,
    fallback_keys: Iterable[str | bytes] = (),
) -> Any:
    """What :func:`dumps` signed; raises BadSignature or SignatureExpired."""
    return TimestampSigner(key=key, salt=salt, fallback_keys=fallback_keys).loads(token, max_age=max_age)


def _seconds(age: Age) -> int:
    if age is None:
        return native.UNSET
    seconds = native.int64(int(age.total_seconds() if isinstance(age, datetime.timedelta) else age))
    # The lowest number would mean that no age was given.
    return max(seconds, native.UNSET + 1)


def _raise_for(status: int, error: Optional[native.Error] = None) -> None:
    if status == native.BAD_SIGNATURE:
        raise BadSignature("the signature does not match")
    if status == native.EXPIRED:
        raise SignatureExpired("the signature is too old")
    if status != native.OK:
        raise native.failure(status, error)
