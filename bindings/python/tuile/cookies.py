"""The Cookie header, and Set-Cookie headers that browsers take."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import byref, c_size_t
from dataclasses import dataclass
from typing import Any, Optional

from . import _native as native


def pairs(header: str | bytes) -> Iterator[tuple[str, str]]:
    """The pairs of a Cookie header in order; octets that are not UTF-8 are kept as surrogates.

    >>> list(pairs('a=1; b="x y"; a=2'))
    [('a', '1'), ('b', '"x y"'), ('a', '2')]
    """
    text = native.view(header)
    position, cookie = c_size_t(), native.Cookie()
    while native.lib.tuile_cookie_next(text, byref(position), byref(cookie)) == native.OK:
        yield _text(cookie.name), _text(cookie.value)


def parse(header: str | bytes) -> dict[str, str]:
    """The cookies of a header by name; of several of one name the last, as in Django.

    >>> parse("a=1; b=2; a=3")
    {'a': '3', 'b': '2'}
    """
    return dict(pairs(header))


def _text(borrowed: native.Bytes) -> str:
    return native.copy(borrowed).decode("utf-8", "surrogateescape")


@dataclass
class SetCookie:
    """The fields of a Set-Cookie header; times in seconds, ``expires`` since 1970.

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
    same_site: Optional[str] = None
    partitioned: bool = False

    def header(self) -> str:
        """The header's value. Raises CookieRuleError for what browsers would refuse."""
        return self._write(native.lib.tuile_set_cookie_write)

    def delete_header(self) -> str:
        """The value of the header that makes a browser delete this cookie."""
        return self._write(native.lib.tuile_set_cookie_delete)

    def _write(self, function: Any) -> str:
        if self.same_site not in native.SAME_SITE:
            raise native.failure(native.E_ARGUMENT)
        views = [native.view(text) for text in (self.name, self.value, self.domain, self.path)]
        fields = native.SetCookie()
        native.lib.tuile_set_cookie_init(byref(fields))
        fields.name, fields.value, fields.domain, fields.path = views
        fields.max_age = native.UNSET if self.max_age is None else native.int64(self.max_age)
        fields.expires = native.UNSET if self.expires is None else native.int64(self.expires)
        fields.same_site = native.SAME_SITE[self.same_site]
        fields.secure, fields.http_only, fields.partitioned = self.secure, self.http_only, self.partitioned
        error = native.Error()
        status, text = native.filled(512, lambda *out: function(byref(fields), *out, byref(error)))
        if status != native.OK:
            raise native.failure(status, error)
        return text.decode("ascii")
