"""The settings under which Django's own tests run: its test_sqlite.py, with tuile.django."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ["TUILE_TEST_FOLDER"])

SESSION_ENGINE = "tuile.django"
if "TUILE_TEST_STORE" in os.environ:
    TUILE_STORE = os.environ["TUILE_TEST_STORE"]

DATABASES = {
    # A file, which Tuile opens, too.
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "default.db"),
        "OPTIONS": {"timeout": 60},
        "TEST": {"NAME": str(FOLDER / "test.db")},
    },
    "other": {"ENGINE": "django.db.backends.sqlite3"},
}
# 32 bytes, as sealed cookies want.
SECRET_KEY = "django_tests_secret_key_of_32_bytes_and_more"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
# A key that was replaced is gone at once, as a test of theirs asks.
TUILE_OPTIONS = {"cycle_grace": 0}
USE_TZ = False
