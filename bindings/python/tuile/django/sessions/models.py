"""The lists of users' sessions, in the table that the library itself makes where there is none."""

from __future__ import annotations

from django.db import models


class ListedSession(models.Model):
    """One session's entry in its owner's list. The session itself stays in Django's table."""

    session_key: models.CharField[str, str] = models.CharField(max_length=40, primary_key=True)
    owner: models.CharField[str, str] = models.CharField(max_length=255)
    #: JSON: when it began and was last seen, user agent, address.
    record: models.TextField[str, str] = models.TextField()

    class Meta:
        db_table = "tuile_session_owner"
        default_permissions = ("view", "delete")
        verbose_name = "live session"
        verbose_name_plural = "live sessions"
        indexes = [models.Index(fields=["owner"], name="tuile_session_owner_owner")]

    def __str__(self) -> str:
        # The key is a password.
        return f"a session of {self.owner}"


