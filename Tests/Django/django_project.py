"""A Django project of one settings call: sessions, authentication, and a page that counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"


def count(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"{request.user} {request.session['count']}")


urlpatterns = [path("", count)]

settings.configure(
    SECRET_KEY=SECRET,
    USE_TZ=True,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="django_project",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    # Another process writes the same file: wait for its lock.
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {"timeout": 20}}},
)
django.setup()


@contextmanager
def connected_to(database: Path) -> Iterator[None]:
    """Turns Django's default connection to this file, in this thread."""
    connection = connections["default"]
    connection.close()
    connection.settings_dict["NAME"] = str(database)
    try:
        yield
    finally:
        connection.close()


def migrate() -> None:
    call_command("migrate", verbosity=0)


@contextmanager
def frozen(seconds: int) -> Iterator[None]:
    """Django signs as if it were this time."""
    with mock.patch("django.core.signing.time.time", return_value=float(seconds)):
        yield
