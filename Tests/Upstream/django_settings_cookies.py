"""The same with Django's own sessions in cookies, to compare with."""

from __future__ import annotations

from django_settings import *  # noqa: F403

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
