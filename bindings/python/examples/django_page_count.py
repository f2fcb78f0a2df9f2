"""Counts each visitor's pages: `python django_page_count.py runserver`, then open http://127.0.0.1:8000/."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def count(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"You have seen {request.session.add_int('count')} pages.\n", content_type="text/plain")


urlpatterns = [path("", count)]

if not settings.configured:
    settings.configure(
        SECRET_KEY="an example of 32 bytes, not a secret",
        SESSION_ENGINE="tuile.django",
        TUILE_STORE=f"sqlite://{Path(tempfile.gettempdir()).resolve()}/django_page_count.db",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    )
    application = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
