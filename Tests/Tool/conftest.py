"""The command `tuile`: `Tests/Tool/run`, after CMake has built build/."""

from __future__ import annotations

import django
from django.conf import settings

from command import SECRET

settings.configure(
    SECRET_KEY=SECRET,
    INSTALLED_APPS=["django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
