"""A session engine with a model of its own, as Django's documents have it, on top of Tuile's."""

from __future__ import annotations

from typing import Any

from sessions_tests.models import CustomSession
from tuile.django import SessionStore as Base


class SessionStore(Base):
    @classmethod
    def get_model_class(cls) -> type[CustomSession]:
        return CustomSession

    def create_model_instance(self, data: dict[str, Any]) -> CustomSession:
        row = super().create_model_instance(data)
        user = data.get("_auth_user_id")
        row.account_id = int(user) if user is not None else None
        return row

    def get_session_cookie_age(self) -> int:
        return 60 * 60 * 24
