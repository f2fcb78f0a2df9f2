"""The application, as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "tuile.django.sessions"
    label = "tuile_sessions"
    verbose_name = "Sessions"

    def ready(self) -> None:
        from .. import checks  # noqa: F401  registers them
