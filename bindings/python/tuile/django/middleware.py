"""Middleware: where each request comes from."""

from __future__ import annotations

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from ..errors import StoreError
from .owned import OwnedSession, client_of


class ClientMiddleware(MiddlewareMixin):
    """Tells the lists of users' sessions each request's user agent and address, and when a session was last seen.

    It stands after SessionMiddleware. Behind a proxy derive a class from it, whose ``address`` reads the header that
    your proxy sets: REMOTE_ADDR is the proxy's then.
    """

    def user_agent(self, request: HttpRequest) -> str:
        return client_of(request)[0]

    def address(self, request: HttpRequest) -> str:
        return client_of(request)[1]

    def process_request(self, request: HttpRequest) -> None:
        session = getattr(request, "session", None)
        if session is None:
            raise ImproperlyConfigured(f"{type(self).__qualname__} has to stand after SessionMiddleware in MIDDLEWARE")
        if isinstance(session, OwnedSession):
            session.set_client(self.user_agent(request), self.address(request))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        session = getattr(request, "session", None)
        # What was changed is saved by SessionMiddleware, and a page that asked nothing of the session costs nothing.
        if isinstance(session, OwnedSession) and session.accessed and not session.modified and session.session_key:
            try:
                session.keep_listed()
            except (DatabaseError, StoreError) as problem:
                logging.getLogger("tuile").warning("a session's entry in its owner's list could not be renewed: %s", problem)
        return response
