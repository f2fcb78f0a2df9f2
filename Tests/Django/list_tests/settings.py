"""The project of database_tests with the application of sessions; TUILE_TEST_STORE names a store of the library's."""

from __future__ import annotations

import os

from database_tests.settings import *  # noqa: F403
from database_tests.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.messages", "django.contrib.admin", "tuile.django.sessions"]
MIDDLEWARE = [
    *MIDDLEWARE,
    "django.contrib.messages.middleware.MessageMiddleware",
    "tuile.django.middleware.ClientMiddleware",
]
ROOT_URLCONF = "list_tests.urls"
LOGIN_URL = "admin:login"
STATIC_URL = "/static/"
TEMPLATES = [
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
]
if os.environ.get("TUILE_TEST_STORE"):
    TUILE_STORE = os.environ["TUILE_TEST_STORE"]
