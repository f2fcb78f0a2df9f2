"""A throwaway project, as `django-admin startproject` makes it: the tutorial's polls, Django's admin, accounts,
ATOMIC_REQUESTS, and as its only other line perhaps the one that makes its sessions Tuile's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(__file__).resolve().parent / "site"
THE_LINE = 'SESSION_ENGINE = "tuile.django"\n'


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mysite.settings",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT / "bindings/python"),
        "TUILE_LIBRARY": os.environ.get("TUILE_LIBRARY", str(ROOT / "build/libtuile.so.0")),
    }


def run(folder: Path, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment(), capture_output=True, text=True, timeout=timeout)


def make(folder: Path, database: dict[str, Any] | None, *lines: str) -> Path:
    """The project with these lines behind its settings; without a database, with startproject's own."""
    folder.mkdir()
    done = run(folder, "-m", "django", "startproject", "mysite", ".")
    assert done.returncode == 0, done.stderr
    for application in ("polls", "accounts"):
        shutil.copytree(SITE / application, folder / application)
    with open(folder / "mysite/settings.py", "a") as settings:
        settings.write('\nINSTALLED_APPS += ["polls", "accounts"]\n')
        if database is not None:
            settings.write(f'DATABASES = {{"default": {database!r}}}\n')
        settings.write('PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast\n')
        settings.write('DATABASES["default"]["ATOMIC_REQUESTS"] = True\n')
        settings.writelines(lines)
    with open(folder / "mysite/urls.py", "a") as urls:
        urls.write('\nfrom django.urls import include  # noqa: E402\n\nurlpatterns += [path("", include("accounts.urls"))]\n')
    return folder
