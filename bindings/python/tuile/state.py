"""State without cookies: a parameter in URLs, a signed value in a form, CSRF tokens."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import byref, c_int, sizeof
from typing import Any, Optional, Union

from . import _native as native
from . import arguments
from .choices import Place
from .signing import Age, Signer, _raise_for, _seconds

__all__ = ["csrf_refusal", "csrf_secret", "csrf_token", "hidden_field", "read_hidden_field", "url_parameter", "url_with"]


def url_with(url: str, name: str, value: str, place: Place = "query") -> str:
    """The URL with a parameter set in its ``query`` or ``path``; an empty value takes it out.

    :param url: any, also a relative one; the rest of it stays to the byte.
    :param name: the parameter's: letters, digits and ``- . _ ~ : %``.
    :param value: of the same characters; empty: the parameter is taken out.
    :param place: ``query`` or ``path``.
    :returns: the URL.
    :raises SyntaxProblem: another character, or an empty name.
    :raises ArgumentError: an unknown place.

    .. versionadded:: 0.1.0

    >>> url_with("/cart?x=1#top", "sid", "abc"), url_with("/cart?x=1", "sid", "abc", "path")
    ('/cart?x=1&sid=abc#top', '/cart;sid=abc?x=1')
    """
    views, error = [native.view(url, "url"), native.view(name, "name"), native.view(value, "value")], native.Error()
    where = arguments.choice(native.URL, place, "place")
    parameter = native.UrlParameter(sizeof(native.UrlParameter), where, *views[1:])
    write = native.lib.tuile_url_write
    status, text = native.filled(
        views[0].size + 128, lambda *out: write(views[0], byref(parameter), *out, byref(error))
    )
    if status != native.OK:
        raise native.failure(status, error)
    return arguments.text(text)


def url_parameter(url: str, name: str, place: Place = "query") -> Optional[str]:
    """The value of a parameter as it stands in the URL; None if there is none.

    :param url: any, also a relative one.
    :param name: the parameter's.
    :param place: ``query`` or ``path``.
    :returns: the value, not decoded.
    :raises SyntaxProblem: a character that a name can't have, or an empty one.
    :raises ArgumentError: an unknown place.

    .. versionadded:: 0.1.0

    >>> url_parameter("/cart;sid=abc?x=1", "sid", "path")
    'abc'
    """
    text, value, where = native.view(url, "url"), native.Bytes(), arguments.choice(native.URL, place, "place")
    status = native.check(native.lib.tuile_url_read, text, where, native.view(name, "name"), byref(value))
    return arguments.text(native.copy(value)) if status == native.OK else None


def _field(name: str, form: str, session_key: str, now: Optional[int], max_age: int = native.UNSET) -> native.HiddenField:
    field = native.HiddenField()
    field.owners = [native.view(text) for text in (name, form, session_key)]
    field.size = sizeof(native.HiddenField)
    field.name, field.form, field.session_id = field.owners
    field.now, field.max_age = native.UNSET if now is None else native.int64(now, "now"), max_age
    return field


def hidden_field(
    signer: Signer, name: str, value: str, *, form: str, session_key: str = "", now: Optional[int] = None
) -> str:
    """``<input type="hidden">`` with a signed value that only this form and session take.

    :param signer: whose dialect has a form for JSON; give it a salt of its own for forms.
    :param name: the field's.
    :param value: the text in it. It can be read in the page, unless the dialect encrypts.
    :param form: the form's purpose, such as ``checkout``.
    :param session_key: the session's, of which a hash is kept in the page; empty: any session.
    :param now: Unix seconds; None: the clock.
    :returns: HTML, escaped.
    :raises SyntaxProblem: value or form is not UTF-8.
    :raises ArgumentError: a field without a name, or a dialect without a form for JSON.

    .. versionadded:: 0.1.0

    >>> signer = Signer(key="a secret", salt="forms")
    >>> hidden_field(signer, "step", "2", form="checkout").startswith('<input type="hidden" name="step" value="')
    True
    """
    field, text, error = _field(name, form, session_key, now), native.view(value, "value"), native.Error()
    field.value, write = text, native.lib.tuile_hidden_field_write
    status, html = signer._filled(1024, lambda handle, *out: write(handle, byref(field), *out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return arguments.text(html)


def read_hidden_field(
    signer: Signer,
    name: str,
    body: Union[str, bytes],
    *,
    form: str,
    session_key: str = "",
    max_age: Age = None,
    now: Optional[int] = None,
) -> Optional[str]:
    """The value in an urlencoded body. Of several fields of the name the first counts.

    :param signer: as that of :func:`hidden_field`.
    :param name: the field's.
    :param body: the request's.
    :param form: the form's purpose.
    :param session_key: the session's.
    :param max_age: seconds that it may be old, or a ``timedelta``; None: any age.
    :param now: Unix seconds; None: the clock.
    :returns: the text; None if there is no such field.
    :raises BadSignature: it was changed, or is of another form or session.
    :raises SignatureExpired: it is older.
    :raises LimitError: more than 64 MiB.

    .. versionadded:: 0.1.0
    """
    field, error = _field(name, form, session_key, now, _seconds(max_age)), native.Error()
    text = native.view(arguments.sent(body, "body"))
    field.body, read = text, native.lib.tuile_hidden_field_read
    status, value = signer._filled(1024, lambda handle, *out: read(handle, byref(field), *out, byref(error)))
    if status == native.ABSENT:
        return None
    _raise_for(status, error)
    return arguments.text(value)


def csrf_secret() -> str:
    """A new secret for the cookie csrftoken, as Django's.

    :returns: 32 letters and digits.

    .. versionadded:: 0.1.0
    """
    error = native.Error()
    status, secret = native.filled(32, lambda *out: native.lib.tuile_csrf_secret(*out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return secret.decode("ascii")


def csrf_token(secret: str) -> str:
    """A token for a form, other characters each time, as Django's ``csrf_token``.

    :param secret: what :func:`csrf_secret` gave, from the cookie.
    :returns: 64 letters and digits.
    :raises SyntaxProblem: the secret is not 32 letters and digits.

    .. versionadded:: 0.1.0

    >>> secret = csrf_secret()
    >>> csrf_refusal("POST", host="a.test", cookie=secret, token=csrf_token(secret)) is None
    True
    """
    text, error = native.view(secret), native.Error()
    status, token = native.filled(64, lambda *out: native.lib.tuile_csrf_token(text, *out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return token.decode("ascii")


def csrf_refusal(
    method: str,
    *,
    host: str,
    secure: bool = False,
    origin: Optional[str] = None,
    referer: Optional[str] = None,
    cookie: Optional[str] = None,
    token: Optional[str] = None,
    trusted_origins: Iterable[str] = (),
    cookie_domain: str = "",
) -> Optional[str]:
    """Why a request may be forged, by the rules of Django's CsrfViewMiddleware. Tokens compare in constant time.

    :param method: the request's; GET, HEAD, OPTIONS and TRACE need no token.
    :param host: the Host header, which the server has checked.
    :param secure: it came over https.
    :param origin: the Origin header; None: there was none.
    :param referer: the Referer header; None: there was none.
    :param cookie: the value of the cookie csrftoken; None: there was none.
    :param token: of the form or of the header X-CSRFToken; None: there was none.
    :param trusted_origins: a list, as CSRF_TRUSTED_ORIGINS.
    :param cookie_domain: as CSRF_COOKIE_DOMAIN.
    :returns: the reason, for the log; None if the request is fine.
    :raises ArgumentTypeError: a lone text as ``trusted_origins``, or a ``secure`` that is no bool.

    .. versionadded:: 0.1.0

    >>> csrf_refusal("POST", host="a.test", cookie=csrf_secret()) is None
    False
    """
    request, reason = native.CsrfRequest(), c_int()
    request.size = sizeof(native.CsrfRequest)
    kept: list[Any] = []
    given = {
        "method": method, "host": host, "origin": origin, "referer": referer, "cookie": cookie, "token": token,
        "cookie_domain": cookie_domain,
    }  # fmt: skip
    for field, text in given.items():
        if text is not None:
            # An empty header is one too: its view is not NULL.
            kept.append(native.view(arguments.sent(text, field)))
            setattr(request, field, kept[-1])
    trusted = [native.view(origin, "trusted_origins") for origin in arguments.names(trusted_origins, "trusted_origins")]
    request.trusted_origins = (native.Bytes * len(trusted))(*trusted)
    request.trusted_count, request.secure = len(trusted), arguments.switch(secure, "secure")
    if native.check(native.lib.tuile_csrf_verify, byref(request), byref(reason)) == native.OK:
        return None
    message: bytes = native.lib.tuile_csrf_reason_message(reason)
    return message.decode("ascii")
