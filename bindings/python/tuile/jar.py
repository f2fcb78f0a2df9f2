"""A client's cookies: what responses set, and the Cookie header of each request."""

from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import byref, c_size_t, c_void_p
from types import TracebackType
from typing import Any, Optional, Union

from . import _native as native


class Jar:
    """A jar as browsers keep it (RFC 6265bis, sections 5.7 and 5.8). Safe from all threads.

    ``public_suffix`` is called with a domain in lower case and says whether nobody may set
    cookies for it; without one, libpsl is used, and MissingLibraryError raised if it is not
    installed. ``clock`` gives Unix seconds.

    >>> jar = Jar(public_suffix=lambda domain: "." not in domain)
    >>> jar.receive("https://example.com/", "id=1; Path=/; Domain=example.com")
    >>> jar.header("https://www.example.com/news")
    'id=1'
    """

    def __init__(
        self,
        *,
        max_per_site: int = 180,
        max_cookies: int = 3000,
        public_suffix: Optional[Callable[[str], bool]] = None,
        clock: Optional[Callable[[], float]] = None,
    ) -> None:
        config = native.JarConfig()
        native.lib.tuile_jar_config_init(byref(config))
        config.max_per_site, config.max_cookies = native.size(max_per_site), native.size(max_cookies)
        # The library calls them for as long as the jar lives.
        self._callbacks: list[Any] = []
        self._problem: Optional[BaseException] = None
        if public_suffix is not None:
            asked = public_suffix

            def ask(_: Any, domain: native.Bytes) -> bool:
                try:
                    return bool(asked(native.copy(domain).decode("ascii")))
                except BaseException as problem:  # no exception gets through C: refuse, and raise it later
                    self._problem = problem
                    return True

            config.public_suffix = self._keep(native.PublicSuffix(ask))
        if clock is not None:
            told = clock
            config.clock = self._keep(native.Clock(lambda _: int(told() * 1_000_000)))
        self._handle = c_void_p()
        native.check(native.lib.tuile_jar_new, byref(config), byref(self._handle))

    def _keep(self, callback: Any) -> Any:
        self._callbacks.append(callback)
        return callback

    def receive(
        self,
        url: str,
        set_cookie: Union[str, bytes],
        *,
        context: str = "same-site",
        script: bool = False,
        top_level_site: str = "",
    ) -> None:
        """Takes one Set-Cookie header of the response from ``url``.

        ``context`` is ``same-site``, ``cross-site-navigation`` or ``cross-site``; ``script`` means
        that it came from a page's script. Raises SyntaxProblem, LimitError or CookieRuleError,
        with the reason, where a browser would ignore the cookie.
        """
        request = self._request(url, context, script, top_level_site)
        try:
            native.check(native.lib.tuile_jar_receive, self._open, byref(request), native.view(set_cookie))
        finally:
            problem, self._problem = self._problem, None
            if problem is not None:
                raise problem

    def header(
        self, url: str, *, context: str = "same-site", script: bool = False, top_level_site: str = ""
    ) -> Optional[str]:
        """The Cookie header for a request to ``url``; None if there is nothing to send."""
        request, error = self._request(url, context, script, top_level_site), native.Error()
        status, text = native.filled(
            4096, lambda *out: native.lib.tuile_jar_header(self._open, byref(request), *out, byref(error))
        )
        if status == native.ABSENT:
            return None
        if status != native.OK:
            raise native.failure(status, error)
        return text.decode("utf-8", "surrogateescape")

    def _request(self, url: str, context: str, script: bool, top_level_site: str) -> native.JarRequest:
        if context not in native.SITES:
            raise native.failure(native.E_ARGUMENT)
        request = native.JarRequest()
        native.lib.tuile_jar_request_init(byref(request))
        request.owners = (native.view(url), native.view(top_level_site))
        request.url, request.top_level_site = request.owners
        request.context, request.script = native.SITES[context], script
        return request

    def __len__(self) -> int:
        """The cookies that have not expired."""
        count = c_size_t()
        native.lib.tuile_jar_count(self._open, byref(count))
        return count.value

    def end_session(self) -> None:
        """Forgets the cookies that have no end, as a browser does when it is closed."""
        native.lib.tuile_jar_end_session(self._open)

    def load(self, path: Union[str, os.PathLike[str]]) -> None:
        """Adds the cookies of a file in the Netscape format, which curl writes."""
        if native.check(native.lib.tuile_jar_load, self._open, native.view(os.fsencode(path))) == native.ABSENT:
            raise FileNotFoundError(os.fspath(path))

    def save(self, path: Union[str, os.PathLike[str]], *, session_cookies: bool = True) -> None:
        """Writes the jar to a file that curl reads; it is replaced in one step."""
        native.check(native.lib.tuile_jar_save, self._open, native.view(os.fsencode(path)), session_cookies)

    @property
    def _open(self) -> c_void_p:
        if not self._handle:
            raise ValueError("the jar is closed")
        return self._handle

    def close(self) -> None:
        """Frees the jar and wipes its cookies."""
        handle, self._handle = self._handle, c_void_p()
        native.lib.tuile_jar_free(handle)

    def __enter__(self) -> Jar:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.close()

    def __repr__(self) -> str:
        return f"<Jar of {len(self)} cookies>" if self._handle else "<closed Jar>"
