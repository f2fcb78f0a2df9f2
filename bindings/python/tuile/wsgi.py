"""Sessions for any WSGI application.

>>> def application(environ, start_response):
...     count = environ["tuile.session"].add_int("count")
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"%d" % count]
>>> application = SessionMiddleware(application, store="memory:")
>>> application({}, lambda status, headers: print(status, [name for name, _ in headers]))
200 OK ['Content-Type', 'Set-Cookie', 'Cache-Control', 'Vary']
[b'1']
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Optional, Union

from . import arguments
from .device import answered
from .headers import INTERRUPTED, committed, log, manager_of, without_second_vary
from .manager import Manager
from .errors import SyntaxProblem
from .session import ServedSession, Session, SessionDeleted
from .settings import Given, Unpack

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def from_wsgi(text: str) -> bytes:
    """The octets of what a WSGI server put into ``environ``, which has each as a character of Latin-1 (PEP 3333).

    Everything here that reads headers and URLs takes them:

    :param text: of ``environ``.
    :returns: the octets.
    :raises SyntaxProblem: it has a character over U+00FF, which no WSGI server gives.

    .. versionadded:: 0.1.1

    >>> from tuile import cookies
    >>> cookies.parse(from_wsgi("name=M\u00c3\u00bcller"))
    {'name': 'Müller'}
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as problem:
        at = problem.start
    raise SyntaxProblem(f"the text has a character at {at} that no WSGI server gives: it is over U+00FF")


def to_wsgi(value: Union[str, bytes]) -> str:
    """The opposite, for ``start_response``.

    :param value: text or octets.
    :returns: a character of Latin-1 for each octet.
    :raises SyntaxProblem: text with half a surrogate pair.

    .. versionadded:: 0.1.1

    >>> to_wsgi("name=Müller") == "name=M\u00c3\u00bcller"
    True
    """
    return arguments.octets(value).decode("latin-1")


class SessionMiddleware:
    """Puts a :class:`tuile.sessions.Session` into ``environ["tuile.session"]``, and saves it
    before the headers of the response go out.

    What is changed while the body is sent is saved at its end, if the browser has a cookie by then. With a
    status of 500 or more nothing is saved. A request that changed a session which another one ended
    gets status 400, as in Django; a change that the store does not take is a StoreError, which is the
    server's to report. Safe from all threads: each request has a session of its own.

    :param application: the application.
    :param manager: one that is open already; it is not closed here.
    :param settings: those of :class:`tuile.sessions.Manager`, in place of one.
    :raises TypeError: both, neither, or a setting that there is none of. What else a manager raises is raised here, too.

    .. versionadded:: 0.1.0
    """

    def __init__(self, application: Application, manager: Optional[Manager] = None, **settings: Unpack[Given]) -> None:
        self.application = application
        self.manager = manager_of(manager, settings)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        url = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}"
        session = self.manager.begin_as(ServedSession, from_wsgi(environ.get("HTTP_COOKIE", "")), from_wsgi(url))
        environ["tuile.session"] = session
        path = from_wsgi(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}").decode("utf-8", "replace")
        instead = answered(session, path, environ.get("REQUEST_METHOD", ""), lambda name: _header(environ, name))
        if instead is not None:
            session.close()
            start_response(_line(instead.status), [*instead.headers, ("Content-Length", str(len(instead.body)))])
            return [instead.body]
        response = _Response(session, start_response, in_cookie=self.manager.store_name == "cookie:")
        try:
            body = self.application(environ, response.start)
            # Nothing runs any more that could change the session: the server gets these as they are.
            plain = (list, tuple, environ.get("wsgi.file_wrapper", tuple))
            if response.status is not None and isinstance(body, plain):
                response.send()
                session.close()
                return [INTERRUPTED] if response.interrupted else body
        except BaseException:
            session.close()
            raise
        return _Body(response, body)


def _header(environ: Environ, name: str) -> bytes:
    return from_wsgi(environ.get("HTTP_" + name.upper().replace("-", "_"), ""))


def _line(status: int) -> str:
    return f"{status} {http.client.responses.get(status, 'Unknown')}"


class _Response:
    def __init__(self, session: Session, start_response: Callable[..., Any], in_cookie: bool) -> None:
        self.session = session
        self._in_cookie = in_cookie
        # The key that the browser has once the headers are out.
        self._key: Optional[str] = None
        self._start_response = start_response
        self._write: Optional[Callable[[bytes], Any]] = None
        self.status: Optional[str] = None
        self.interrupted = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
        self.status, self._headers, self._exc_info = status, headers, exc_info
        if self._write is not None:
            # Headers are out: the server raises what went wrong.
            self._start_response(status, headers, exc_info)
        return self.write

    def write(self, data: bytes) -> None:
        self.send()
        if self._write is not None and not self.interrupted:
            self._write(data)

    def send(self) -> None:
        """Commits the session and sends the headers, the first time it is called."""
        if self._write is not None or self.status is None:
            return
        try:
            added = committed(self.session, int(self.status[:3]))
        except SessionDeleted:
            self.interrupted = True
            headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(INTERRUPTED)))]
            self._write = self._start_response("400 Bad Request", headers) or _ignore
            return
        self._key = self.session.session_key
        more = (self._exc_info,) if self._exc_info else ()
        vary = [value for name, value in self._headers if name.lower() == "vary"]
        self._write = self._start_response(self.status, self._headers + without_second_vary(added, vary), *more) or _ignore

    def finish(self) -> None:
        """Saves what was changed after the headers went out."""
        session = self.session
        try:
            if self._write is None or self.interrupted or int((self.status or "500")[:3]) >= 500:
                return
            if not session.modified:
                return
            if self._key is None or self._in_cookie or (session and session.session_key != self._key):
                log.warning("what was changed after the headers went out is lost: the browser has no cookie for it")
            else:
                session.commit()
        except SessionDeleted:
            pass  # A logout meanwhile, which is final; there is no response left to say so.
        finally:
            session.close()


def _ignore(data: bytes) -> None:
    pass


class _Body:
    """A body that may change the session until its first part is there."""

    def __init__(self, response: _Response, body: Iterable[bytes]) -> None:
        self._response, self._body = response, body

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            self._response.send()
            if self._response.interrupted:
                break
            yield part
        self._response.send()
        if self._response.interrupted:
            yield INTERRUPTED

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._response.finish()
