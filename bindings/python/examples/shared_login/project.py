"""A Django project in one file, with the admin. Its sessions are Tuile's, in Django's own database.

SITE_FOLDER names the folder of its database and its secret.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_logged_in
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html

FOLDER = Path(os.environ["SITE_FOLDER"])

settings.configure(
    SECRET_KEY=(FOLDER / "secret").read_text().strip(),
    SESSION_ENGINE="tuile.django",  # the one line
    ALLOWED_HOSTS=["*"],
    DEBUG=True,
    ROOT_URLCONF=__name__,
    STATIC_URL="/static/",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
django.setup()


def remember_name(request: HttpRequest, user: Any, **_: Any) -> None:
    """The greeter knows no table of users: what it needs is in the session."""
    request.session["user_name"] = user.get_full_name() or user.get_username()


user_logged_in.connect(remember_name)


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        format_html(
            '<h1 id=hello>Django knows {}</h1><p><a href="/hello/">The C server</a> <a href="/admin/">The admin</a></p>',
            request.user if request.user.is_authenticated else "nobody",
        )
    )


urlpatterns = [path("", home), path("admin/", admin.site.urls)]
application = StaticFilesHandler(get_wsgi_application())
