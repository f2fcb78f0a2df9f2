"""A client's cookies: what responses set, and the Cookie header of each request."""

from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import byref, c_size_t, c_void_p, sizeof
from types import TracebackType
from typing import Any, Optional, Union

from . import _native as native
from . import arguments
from .choices import Context
from .lifetime import Handle, Uncopyable


class Jar(Uncopyable):
    """A jar as browsers keep it (RFC 6265bis, sections 5.7 and 5.8). Safe from all threads.

    :param max_per_site: the most cookies of one site.
    :param max_cookies: the most of all.
    :param public_suffix: is called with a domain in lower case and says whether nobody may set
       cookies for it; None: libpsl does. What it raises comes out of the call that asked it.
    :param clock: gives Unix seconds; None: the system's.
    :raises MissingLibraryError: libpsl is asked for and not installed.
    :raises ArgumentError: a limit of 0; a negative one is a :class:`~tuile.errors.RangeError`.

    .. versionadded:: 0.1.0

    >>> jar = Jar(public_suffix=lambda domain: "." not in domain)
    >>> jar.receive("https://example.com/", "id=1; Path=/; Domain=example.com")
    >>> jar.header("https://www.example.com/news")
    'id=1'
    """

    _instead = "save() writes its cookies to a file, from which another Jar loads them"

    def __init__(
        self,
        *,
        max_per_site: int = 180,
        max_cookies: int = 3000,
        public_suffix: Optional[Callable[[str], bool]] = None,
        clock: Optional[Callable[[], float]] = None,
    ) -> None:
        config = native.JarConfig()
        native.lib.tuile_jar_config_init(byref(config), sizeof(config))
        config.max_per_site, config.max_cookies = native.size(max_per_site, "max_per_site"), native.size(max_cookies, "max_cookies")
        # The library calls them for as long as the jar lives.
        callbacks = []
        if public_suffix is not None:
            config.public_suffix = _asking(public_suffix)
            callbacks.append(config.public_suffix)
        if clock is not None:
            config.clock = native.clock(clock)
            callbacks.append(config.clock)
        number = c_void_p()
        native.check(native.lib.tuile_jar_new, byref(config), byref(number))
        self._handle = Handle(number.value, native.lib.tuile_jar_free, "the jar is closed", keep=callbacks)

    def receive(
        self,
        url: str,
        set_cookie: Union[str, bytes],
        *,
        context: Context = "same-site",
        script: bool = False,
        top_level_site: str = "",
    ) -> None:
        """Takes one Set-Cookie header of a response.

        :param url: of the request: http, https, ws or wss.
        :param set_cookie: the header's value.
        :param context: ``same-site``, ``cross-site-navigation`` or ``cross-site``.
        :param script: it came from a page's script.
        :param top_level_site: the site of the page at the top, such as ``https://example.com``; empty: the URL's own.
        :raises SyntaxProblem: a browser would ignore the cookie for a control character, or the URL is none.
        :raises LimitError: it would for its size.
        :raises CookieRuleError: it would for another reason, which the message says.
        :raises ArgumentError: an unknown context, or the jar is closed.

        .. versionadded:: 0.1.0
        """
        request, error = self._request(url, context, script, top_level_site), native.Error()
        text = native.view(set_cookie, "set_cookie")
        receive = native.lib.tuile_jar_receive
        status = self._handle.use(lambda jar: receive(jar, byref(request), text, byref(error)))
        native.answered(status, error)

    def header(
        self, url: str, *, context: Context = "same-site", script: bool = False, top_level_site: str = ""
    ) -> Optional[str]:
        """The Cookie header for a request.

        :param url: of the request: http, https, ws or wss.
        :param context: ``same-site``, ``cross-site-navigation`` or ``cross-site``.
        :param script: it is what a page's script sees: no HttpOnly.
        :param top_level_site: the site of the page at the top; empty: the URL's own.
        :returns: the header's value; None if there is nothing to send.
        :raises SyntaxProblem: the URL is none.
        :raises ArgumentError: an unknown context, or the jar is closed.

        .. versionadded:: 0.1.0
        """
        request, error = self._request(url, context, script, top_level_site), native.Error()
        write = native.lib.tuile_jar_header
        status, text = self._handle.use(
            lambda jar: native.filled(4096, lambda *out: write(jar, byref(request), *out, byref(error)))
        )
        native.answered(status, error)
        return arguments.text(text) if status == native.OK else None

    def _request(self, url: str, context: Context, script: bool, top_level_site: str) -> native.JarRequest:
        request = native.JarRequest()
        native.lib.tuile_jar_request_init(byref(request), sizeof(request))
        request.owners = (native.view(url, "url"), native.view(top_level_site, "top_level_site"))
        request.url, request.top_level_site = request.owners
        request.context, request.script = arguments.choice(native.SITES, context, "context"), script
        return request

    def __len__(self) -> int:
        """The cookies that have not expired."""
        count = c_size_t()
        self._handle.use(lambda jar: native.lib.tuile_jar_count(jar, byref(count)))
        native.answered()
        return count.value

    def end_session(self) -> None:
        """Forgets the cookies that have no end, as a browser does when it is closed.

        .. versionadded:: 0.1.0
        """
        self._handle.use(native.lib.tuile_jar_end_session)
        native.answered()

    def load(self, path: Union[str, os.PathLike[str]]) -> int:
        """Adds the cookies of a file in the Netscape format, which curl writes.

        :param path: the file.
        :returns: the number of lines that were passed over: no cookie, or one that no response could have set.
        :raises FileNotFoundError: there is no such file.
        :raises FileError: it can't be read.
        :raises LimitError: it has more than 64 MiB.

        .. versionadded:: 0.1.0
        """
        name, load = native.view(arguments.path(path)), native.lib.tuile_jar_load
        skipped = c_size_t()
        if self._handle.use(lambda jar: native.check(load, jar, name, byref(skipped))) == native.ABSENT:
            raise FileNotFoundError(os.fspath(path))
        return skipped.value

    def save(self, path: Union[str, os.PathLike[str]], *, session_cookies: bool = True) -> None:
        """Writes the jar to a file that curl reads; it is replaced in one step.

        :param path: the file.
        :param session_cookies: those without an end, too.
        :raises FileError: it can't be written; an older file is as it was.

        .. versionadded:: 0.1.0
        """
        name, save = native.view(arguments.path(path)), native.lib.tuile_jar_save
        self._handle.use(lambda jar: native.check(save, jar, name, session_cookies))

    def close(self) -> None:
        """Wipes the cookies, once the last call in another thread has ended.

        .. versionadded:: 0.1.0
        """
        self._handle.release()

    def __enter__(self) -> Jar:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<closed Jar>" if self._handle.released else f"<Jar of {len(self)} cookies>"


# No exception gets through C: it is raised when the call that it was made from has ended.


def _asking(public_suffix: Callable[[str], bool]) -> Any:
    def ask(_: Any, domain: native.Bytes) -> bool:
        try:
            return bool(public_suffix(native.copy(domain).decode("ascii")))
        except BaseException as problem:
            native.keep(problem, always=True)
            return True

    return native.PublicSuffix(ask)
