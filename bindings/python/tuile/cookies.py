"""The Cookie header, Set-Cookie headers that browsers take, and a client's jar."""

from __future__ import annotations

import datetime
import enum
import struct
from collections.abc import Iterator, Sequence
from ctypes import byref, c_bool, c_int64, c_size_t, sizeof
from dataclasses import dataclass
from typing import Any, Optional, Union

from . import _flat as flat
from . import _native as native
from . import arguments
from .choices import CookieMode, CookieRule, Encoding, Priority, SameSite
from .jar import Jar

__all__ = [
    "Jar",
    "Rule",
    "SetCookie",
    "date",
    "decode",
    "django_delete_cookie",
    "django_set_cookie",
    "encode",
    "pairs",
    "parse",
    "parse_date",
    "read",
    "several",
]

Text = Union[str, bytes]

_REQUEST = native.Cookies()
native.lib.tuile_cookies_init(byref(_REQUEST), sizeof(_REQUEST))


def pairs(header: Text | Sequence[Text], mode: CookieMode = "browser") -> Iterator[tuple[str, str]]:
    """The cookies of a request in order; octets that are not UTF-8 are kept as surrogates.

    :param header: one Cookie header or several, which are read as one.
    :param mode: ``browser``, ``django`` (what ``parse_cookie`` gives) or ``strict`` (the grammar of RFC 6265bis).
    :returns: names and values. They are read before this returns.
    :raises LimitError: more than 64 KiB or 3000 cookies.
    :raises SyntaxProblem: in ``strict``, what is not of the grammar.
    :raises ArgumentError: an unknown mode.

    .. versionadded:: 0.1.0

    >>> list(pairs('a=1; b="x y"; a=2'))
    [('a', '1'), ('b', '"x y"'), ('a', '2')]
    """
    found = _flat(flat.pairs, header, mode)
    return iter(_read(header, mode) if found is None else found)


_MODES = native.COOKIE_MODE


def _flat(call: Any, header: Text | Sequence[Text], mode: CookieMode) -> Any:
    """None for what `_read` has to say why, or has in another form."""
    try:
        return call(header, _MODES[mode])
    except (KeyError, TypeError, UnicodeEncodeError):
        return None


# Each cookie of the array as four numbers: where name and value are, and how long.
_COOKIE = struct.Struct("@PNPN")
_FEW = native.Cookie * 32


def _read(header: Text | Sequence[Text], mode: CookieMode) -> list[tuple[str, str]]:
    """All cookies by one call; what it found is cut from the text here, since each look
    through ctypes would cost as much as a cookie."""
    given = [header] if isinstance(header, (str, bytes)) else header
    raws = [arguments.octets(text, "a Cookie header") for text in given]
    views = (native.Bytes * len(raws))(*[native.Bytes(raw, len(raw)) for raw in raws])
    request = native.Cookies.from_buffer_copy(_REQUEST)
    request.headers, request.header_count = views, len(raws)
    request.mode = arguments.choice(native.COOKIE_MODE, mode, "mode")
    count, array = c_size_t(), _FEW()
    read = native.lib.tuile_cookies_all
    if native.check(read, byref(request), array, len(array), byref(count), space=True):
        array = (native.Cookie * count.value)()
        native.check(read, byref(request), array, len(array), byref(count))
    cookies = _COOKIE.iter_unpack(memoryview(array).cast("B")[: count.value * _COOKIE.size])
    starts = [(start, raw) for (start, _), raw in zip(struct.iter_unpack("@PN", views), raws)]
    quotes = mode == "django" and any(b'"' in raw for raw in raws)
    if len(raws) == 1 and raws[0].isascii() and not quotes:
        # As nearly all are.
        whole, at = raws[0].decode("ascii"), starts[0][0]
        return [(whole[n - at : n - at + n_size], whole[v - at : v - at + v_size]) for n, n_size, v, v_size in cookies]

    def cut(pointer: int, size: int) -> bytes:
        # What is empty points anywhere.
        found = [raw[pointer - start : pointer - start + size] for start, raw in starts if 0 <= pointer - start <= len(raw)]
        return found[0] if size else b""

    def text(value: bytes) -> str:
        return decode(value, "quoted") if quotes else arguments.text(value)

    return [(arguments.text(cut(n, n_size)), text(cut(v, v_size))) for n, n_size, v, v_size in cookies]


def parse(header: Text | Sequence[Text], mode: CookieMode = "browser") -> dict[str, str]:
    """The cookies of a request by name; of several of one name the last, as in Django.

    :param header: one Cookie header or several, which are read as one.
    :param mode: as for :func:`pairs`.
    :returns: values by names.
    :raises LimitError: more than 64 KiB or 3000 cookies.
    :raises SyntaxProblem: in ``strict``, what is not of the grammar.
    :raises ArgumentError: an unknown mode.

    .. versionadded:: 0.1.0

    >>> parse("a=1; b=2; a=3")
    {'a': '3', 'b': '2'}
    >>> parse(r'name="M\\374ller"', mode="django")
    {'name': 'Müller'}
    """
    # As `_flat`, whose call would be a tenth of the time.
    try:
        found = flat.parse(header, _MODES[mode])
    except (KeyError, TypeError, UnicodeEncodeError):
        found = None
    return dict(_read(header, mode)) if found is None else found


def read(header: Text, name: Text, rule: CookieRule = "django") -> Optional[str]:
    """The cookie of a name as a framework sees it: of several the one that counts there, with quotes
    as they are meant there.

    :param header: the Cookie header.
    :param name: the cookie's name.
    :param rule: ``django`` (Starlette too), ``flask``, ``go``, ``express`` or ``rack``.
    :returns: its value; None if there is none that the rule takes.
    :raises ArgumentError: an unknown rule.

    .. versionadded:: 0.1.1

    >>> read('a="1"; a=2', "a", "flask"), read('a="1"; a=2', "a", "rack"), read('a="1"; a=2', "a")
    ('1', '"1"', '2')
    """
    found = _found(header, name, rule)
    return None if found is None else arguments.text(found[0])


def several(header: Text, name: Text) -> bool:
    """Whether cookies of that name have different values, so that programs may disagree which counts.

    :param header: the Cookie header.
    :param name: the cookies' name.
    :returns: False for none, for one, and for several that are the same.

    .. versionadded:: 0.1.1

    >>> several("a=1; b=2; a=1", "a"), several("a=1; a=2", "a")
    (False, True)
    """
    found = _found(header, name, "rack")
    return found is not None and found[1]


def _found(header: Text, name: Text, rule: CookieRule) -> Optional[tuple[bytes, bool]]:
    whole, wanted, differ = native.view(header, "header"), native.view(name, "name"), c_bool()
    constant = arguments.choice(native.COOKIE_RULE, rule, "rule")
    status, value = native.filled(
        max(64, whole.size * 2),
        lambda *out: native.lib.tuile_cookie_read(whole, wanted, constant, *out),
    )
    if status == native.ABSENT:
        return None
    if status != native.OK:
        raise native.failure(status)
    native.lib.tuile_cookie_differs(whole, wanted, constant, byref(differ))
    return value, differ.value


def encode(text: Text, encoding: Encoding) -> str:
    """Text as a cookie's value can hold it.

    :param text: the text.
    :param encoding: ``raw``, ``percent``, ``quoted`` (Python's SimpleCookie), ``quoted-utf8`` (Werkzeug) or ``base64url``.
    :returns: the value.
    :raises SyntaxProblem: the encoding can't hold the text; ``offset`` says where.
    :raises ArgumentError: an unknown encoding.

    .. versionadded:: 0.1.0

    >>> encode("a;b é", "percent"), encode("a;b é", "quoted"), encode("a;b é", "quoted-utf8")
    ('a%3Bb%20%C3%A9', '"a\\\\073b \\\\351"', '"a\\\\073b \\\\303\\\\251"')
    """
    return _coded(native.lib.tuile_cookie_encode, text, encoding).decode("ascii")


def decode(value: Text, encoding: Encoding) -> str:
    """The text in a cookie's value: the opposite of :func:`encode`.

    :param value: the cookie's value.
    :param encoding: as for :func:`encode`.
    :returns: the text.
    :raises SyntaxProblem: a ``%`` without two hex digits, or what is no base64url.
    :raises ArgumentError: an unknown encoding.

    .. versionadded:: 0.1.0

    >>> decode('"a\\\\073b \\\\351"', "quoted")
    'a;b é'
    """
    return arguments.text(_coded(native.lib.tuile_cookie_decode, value, encoding))


def _coded(function: Any, text: Text, encoding: Encoding) -> bytes:
    view, error = native.view(text), native.Error()
    constant = arguments.choice(native.ENCODING, encoding, "encoding")
    status, coded = native.filled(max(64, view.size * 4), lambda *out: function(view, constant, *out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return coded


def _text(borrowed: native.Bytes) -> str:
    return arguments.text(native.copy(borrowed))


def _name(names: dict[Any, int], number: int) -> Any:
    return next(name for name, known in names.items() if known == number)


def date(seconds: int) -> str:
    """A time as an HTTP date.

    :param seconds: Unix seconds; outside the years 1 to 9999 the nearest of them.
    :returns: 29 characters.
    :raises RangeError: it does not fit into 64 bits.

    .. versionadded:: 0.1.0

    >>> date(784111777)
    'Sun, 06 Nov 1994 08:49:37 GMT'
    """
    status, text = native.filled(29, lambda *out: native.lib.tuile_date_write(native.int64(seconds, "seconds"), *out))
    return text.decode("ascii")


def parse_date(text: Text) -> Optional[int]:
    """Unix seconds of any date that servers write into Expires; None if it is none.

    :param text: the date.
    :returns: Unix seconds, or None.

    .. versionadded:: 0.1.0

    >>> parse_date("Sunday, 06-Nov-94 08:49:37 GMT")
    784111777
    """
    seconds = c_int64()
    status = native.lib.tuile_date_read(native.view(text), byref(seconds))
    return seconds.value if status == native.OK else None


class Rule(enum.IntFlag):
    """What a Set-Cookie is checked by; no rule lets a control character or ``;`` through.

    .. versionadded:: 0.1.0
    """

    NAME = 1 << 0
    VALUE = 1 << 1
    DOMAIN = 1 << 2
    PATH = 1 << 3
    SIZE = 1 << 4
    ATTRIBUTE_SIZE = 1 << 5
    LIFETIME = 1 << 6
    SAME_SITE = 1 << 7
    PARTITIONED = 1 << 8
    PREFIX = 1 << 9


@dataclass
class SetCookie:
    """The fields of a Set-Cookie header.

    :param name: the cookie's name.
    :param value: its value, as it stands in the header: see :func:`encode`.
    :param max_age: seconds from now, 400 days at most; None: not written.
    :param expires: Unix seconds; None: not written.
    :param domain: empty: this host alone.
    :param path: below which it is sent; empty: not written.
    :param secure: https alone.
    :param http_only: not for scripts.
    :param same_site: ``Lax``, ``Strict``, ``None`` (a text) or None: not written.
    :param partitioned: kept apart for each site at the top (CHIPS); needs ``secure``.
    :param priority: ``Low``, ``Medium``, ``High`` or None: not written.
    :param skip_rules: those of :class:`Rule` that are not checked.

    .. versionadded:: 0.1.0

    >>> SetCookie("theme", "dark", max_age=3600, secure=True).header()
    'theme=dark; Max-Age=3600; Path=/; Secure'
    """

    name: str
    value: str = ""
    max_age: Optional[int] = None
    expires: Optional[int] = None
    domain: str = ""
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    same_site: Optional[SameSite] = None
    partitioned: bool = False
    priority: Optional[Priority] = None
    skip_rules: Rule = Rule(0)

    def header(self) -> str:
        """The header's value, in the order in which Django writes attributes.

        :returns: the text behind ``Set-Cookie:``.
        :raises CookieRuleError: browsers would refuse or change the cookie; the message names the rule.
        :raises SyntaxProblem: a character that the name, value, domain or path may not have; ``offset`` says where.
        :raises LimitError: more than 4096 octets of name and value, or 1024 of an attribute.
        :raises ArgumentError: a field of another type, or a choice that there is none of.

        .. versionadded:: 0.1.0
        """
        return self._flat() or self._write(native.lib.tuile_set_cookie_write)

    def _flat(self) -> Optional[str]:
        """None for what `_write` has to say why, or what a flat call can't be told."""
        age, secure, http_only, partitioned = self.max_age, self.secure, self.http_only, self.partitioned
        try:
            raw = "\0".join((self.name, self.value, self.domain, self.path, "")).encode("utf-8", "surrogateescape")
            flags = _SAME_SITE_FLAGS[self.same_site] | _PRIORITY_FLAGS[self.priority]
        except (KeyError, TypeError, UnicodeEncodeError):
            return None
        if self.expires is not None or self.skip_rules is not _NO_RULE or len(raw) > flat.SHORT:
            return None
        for switch, flag in ((secure, 1), (http_only, 2), (partitioned, 4)):
            if switch is True:
                flags |= flag
            elif switch is not False:
                return None
        if age is None:
            age = native.UNSET
        elif age.__class__ is not int or age not in _AGES:
            return None
        count, found = flat.set_cookie(raw, age, flags)
        return found.decode("utf-8", "surrogateescape") if 0 <= count <= flat.ROOM else None

    def delete_header(self) -> str:
        """The value of the header that makes a browser delete this cookie; its value and ages are not looked at.

        :returns: the text behind ``Set-Cookie:``.
        :raises CookieRuleError: the conditions of a prefix such as ``__Host-``.
        :raises SyntaxProblem: a character that the name, domain or path may not have.
        :raises LimitError: more than 4096 octets of the name, or 1024 of an attribute.

        .. versionadded:: 0.1.0
        """
        return self._write(native.lib.tuile_set_cookie_delete)

    @classmethod
    def parse(cls, header: Text) -> SetCookie:
        """A Set-Cookie header as browsers read it (RFC 6265bis, section 5.6).

        :param header: the text behind ``Set-Cookie:``.
        :returns: the fields, which may be such as :meth:`header` refuses.
        :raises SyntaxProblem: browsers ignore the header for a control character, or for neither name nor value.
        :raises LimitError: they ignore it for its size.

        .. versionadded:: 0.1.0

        >>> SetCookie.parse("a=1; Path=/; Max-Age=60; Secure").max_age
        60
        """
        fields, text = native.SetCookie(size=sizeof(native.SetCookie)), native.view(header, "header")
        native.check(native.lib.tuile_set_cookie_read, text, byref(fields))
        return cls(
            name=_text(fields.name),
            value=_text(fields.value),
            max_age=None if fields.max_age == native.UNSET else fields.max_age,
            expires=None if fields.expires == native.UNSET else fields.expires,
            domain=_text(fields.domain),
            path=_text(fields.path),
            secure=fields.secure,
            http_only=fields.http_only,
            same_site=_name(native.SAME_SITES, fields.same_site),
            partitioned=fields.partitioned,
            priority=_name(native.PRIORITIES, fields.priority),
        )

    def _write(self, function: Any) -> str:
        views = [native.view(getattr(self, name), name) for name in ("name", "value", "domain", "path")]
        fields = native.SetCookie()
        native.lib.tuile_set_cookie_init(byref(fields), sizeof(fields))
        fields.name, fields.value, fields.domain, fields.path = views
        fields.max_age = native.UNSET if self.max_age is None else native.int64(self.max_age, "max_age")
        fields.expires = native.UNSET if self.expires is None else native.int64(self.expires, "expires")
        fields.same_site = arguments.choice(native.SAME_SITES, self.same_site, "same_site")
        fields.priority = arguments.choice(native.PRIORITIES, self.priority, "priority")
        for name in ("secure", "http_only", "partitioned"):
            setattr(fields, name, arguments.switch(getattr(self, name), name))
        fields.skip_rules = self.skip_rules
        return _written(function, fields)


_NO_RULE = Rule(0)
# What a flat call can be told.
_AGES = range(native.UNSET + 1, 2**63)
# As it has them among its bits.
_SAME_SITE_FLAGS = {name: number * 16 for name, number in native.SAME_SITES.items()}
_PRIORITY_FLAGS = {name: number * 256 for name, number in native.PRIORITIES.items()}


def _written(function: Any, fields: Any) -> str:
    error = native.Error()
    status, text = native.filled(512, lambda *out: function(byref(fields), *out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return arguments.text(text)


def django_set_cookie(
    key: str,
    value: str = "",
    max_age: Union[int, float, datetime.timedelta, None] = None,
    expires: Union[str, datetime.datetime, None] = None,
    path: Optional[str] = "/",
    domain: Optional[str] = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: Optional[str] = None,
    *,
    now: Optional[int] = None,
) -> str:
    """What Django's ``HttpResponse.set_cookie`` writes from the same arguments, to the byte.

    :param key: the cookie's name.
    :param value: its value.
    :param max_age: seconds, or a ``timedelta``.
    :param expires: a date (UTC if it has no zone), or text that is written as it is.
    :param path: below which it is sent.
    :param domain: None: this host alone.
    :param secure: https alone.
    :param httponly: not for scripts.
    :param samesite: ``Lax``, ``Strict``, ``None`` (a text) or None: not written.
    :param now: Unix seconds, from which ``max_age`` counts; None: the clock.
    :returns: the text behind ``Set-Cookie:``.
    :raises SyntaxProblem: what Django refuses, too, or what no header can have.
    :raises RangeError: a number that does not fit.

    .. versionadded:: 0.1.0

    >>> django_set_cookie("q", "a;b", max_age=60, now=0)
    'q="a\\\\073b"; expires=Thu, 01 Jan 1970 00:01:00 GMT; Max-Age=60; Path=/'
    """
    fields = native.DjangoCookie()
    native.lib.tuile_django_cookie_init(byref(fields), sizeof(fields))
    # What the views point to has to live until the call.
    views = [native.view(text or "") for text in (key, value, path, domain, samesite)]
    fields.key, fields.value, fields.path, fields.domain, fields.samesite = views
    if isinstance(max_age, datetime.timedelta):
        max_age = max_age.total_seconds()
    if max_age is not None:
        fields.max_age = native.int64(int(max_age))
    if isinstance(expires, datetime.datetime):
        aware = expires if expires.tzinfo else expires.replace(tzinfo=datetime.timezone.utc)
        fields.expires = native.int64(int(aware.timestamp() // 1))
    elif expires is not None:
        views.append(native.view(expires))
        fields.expires_text = views[-1]
    fields.secure, fields.httponly = secure, httponly
    fields.now = native.UNSET if now is None else native.int64(now)
    return _written(native.lib.tuile_django_cookie_write, fields)


def django_delete_cookie(
    key: str, path: Optional[str] = "/", domain: Optional[str] = None, samesite: Optional[str] = None
) -> str:
    """What Django's ``HttpResponse.delete_cookie`` writes from the same arguments, to the byte.

    :param key: the cookie's name.
    :param path: that it was set with.
    :param domain: that it was set with.
    :param samesite: that it was set with.
    :returns: the text behind ``Set-Cookie:``.
    :raises SyntaxProblem: what no header can have.

    .. versionadded:: 0.1.0

    >>> django_delete_cookie("q")
    'q=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/'
    """
    fields = native.DjangoCookie()
    native.lib.tuile_django_cookie_init(byref(fields), sizeof(fields))
    views = [native.view(text or "") for text in (key, path, domain, samesite)]
    fields.key, fields.path, fields.domain, fields.samesite = views
    return _written(native.lib.tuile_django_cookie_delete, fields)
