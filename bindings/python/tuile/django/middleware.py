"""Middleware: where each request comes from."""

from __future__ import annotations

import logging
from typing import Optional

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from ..errors import StoreError
from . import device
from .configuration import device_bound
from .owned import OwnedSession, client_of


class DeviceBoundMiddleware(MiddlewareMixin):
    """Binds logins to their browser's device, with ``TUILE_OPTIONS = {"device_bound": True}``: at the beginning of MIDDLEWARE.

    It answers browsers at ``device_path`` before all checks of forged requests (a proof is one), and refuses a bound
    session that comes without its bound cookie. What a login answers offers the browser to bind its session.

    .. versionadded:: 0.2.0
    """

    def process_request(self, request: HttpRequest) -> Optional[HttpResponseBase]:
        """What the library answers in place of any view.

        :param request: the request.
        :returns: a response; None: the request goes on.

        .. versionadded:: 0.2.0
        """
        answer = device.answer(request) if device_bound() else None
        request._tuile_answered = answer is not None  # type: ignore[attr-defined]
        return answer

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Adds the offer to a login's response, and takes the bound cookie away with the session's.

        :param request: the request.
        :param response: its response.
        :returns: the same response.

        .. versionadded:: 0.2.0
        """
        if device_bound() and not getattr(request, "_tuile_answered", False):
            device.finish(request, response)
        return response


class ClientMiddleware(MiddlewareMixin):
    """Tells the lists of users' sessions each request's user agent and address, and when a session was last seen.

    It stands after SessionMiddleware. Behind a proxy derive a class from it, whose ``address`` reads the header that
    your proxy sets: REMOTE_ADDR is the proxy's then.

    .. versionadded:: 0.1.1
    """

    def user_agent(self, request: HttpRequest) -> str:
        """The browser's word for itself. A class of yours may define it anew.

        :param request: the request.
        :returns: of which 256 characters are kept; empty: what the list has stays.

        .. versionadded:: 0.1.1
        """
        return client_of(request)[0]

    def address(self, request: HttpRequest) -> str:
        """Where the request comes from: REMOTE_ADDR. A class of yours may define it anew.

        :param request: the request.
        :returns: of which 64 characters are kept; empty: what the list has stays.

        .. versionadded:: 0.1.1
        """
        return client_of(request)[1]

    def process_request(self, request: HttpRequest) -> None:
        """Tells the session where the request comes from.

        :param request: the request.
        :raises ImproperlyConfigured: SessionMiddleware does not stand before this one.

        .. versionadded:: 0.1.1
        """
        session = getattr(request, "session", None)
        if session is None:
            raise ImproperlyConfigured(f"{type(self).__qualname__} has to stand after SessionMiddleware in MIDDLEWARE")
        if isinstance(session, OwnedSession):
            session.set_client(self.user_agent(request), self.address(request))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Renews the entry of a session that was only read. A database or store that fails is told to the log, and the page is served.

        :param request: the request.
        :param response: its response.
        :returns: the same response.

        .. versionadded:: 0.1.1
        """
        session = getattr(request, "session", None)
        # What was changed is saved by SessionMiddleware, and a page that asked nothing of the session costs nothing.
        if isinstance(session, OwnedSession) and session.accessed and not session.modified and session.session_key:
            try:
                session.keep_listed()
            except (DatabaseError, StoreError) as problem:
                logging.getLogger("tuile").warning("a session's entry in its owner's list could not be renewed: %s", problem)
        return response
