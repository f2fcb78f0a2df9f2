"""The settings of a Django project, written for a gate by `python -m tuile.django.gate`, and included by each."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import configured
import pytest
from application import SECRET
from configured import Site
from conftest import Start
from processes import ROOT, Front
from visitor import Visitor

PROJECT = """
SECRET_KEY = {secret!r}
SECRET_KEY_FALLBACKS = ["an older secret that has thirty-two bytes"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {database!r}}}}}
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
LOGIN_URL = "/accounts/login/"
USE_TZ = True
{more}
"""
CUSTOM = """
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

class Person(AbstractBaseUser):
    number = models.AutoField(primary_key=True)
    mail = models.CharField(max_length=99, unique=True, db_column="address")
    USERNAME_FIELD = "mail"
    class Meta:
        app_label = "people"
"""


def mirror(site: Site, server: str, more: str = "", **files: str) -> tuple[int, str, str]:
    folder = site.folder / "project"
    folder.mkdir(exist_ok=True)
    database = site.store.removeprefix("sqlite://")
    (folder / "mirrored_settings.py").write_text(PROJECT.format(secret=SECRET, database=database, more=more))
    for name, text in files.items():
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").touch()
        (folder / name / "models.py").write_text(text)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mirrored_settings", "PYTHONPATH": f"{folder}:{ROOT}/bindings/python"}
    command = [sys.executable, "-m", "tuile.django.gate", server, "--secret-file", str(site.folder / "mirrored-key")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def kept(site: Site, server: str) -> Path:
    code, text, said = mirror(site, server)
    assert code == 0, said
    path = site.folder / "mirrored.conf"
    path.write_text(text)
    key = site.folder / "mirrored-key"
    assert key.stat().st_mode & 0o777 == 0o600 and key.read_text().splitlines()[0] == SECRET
    return path


def without(text: str, *names: str) -> str:
    """The documented configuration, whose own lines the included ones stand for."""
    return "\n".join(line for line in text.splitlines() if not line.split()[:1] or line.split()[0] not in names)


def test_the_servers_take_it(start: Start, site: Site, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept(site, kind)
    original = configured.replaced

    def changed(text: str, values: dict[str, object]) -> str:
        found = original(text, values)
        return without(found, "tuile_store", "tuile_secret_file", "TuileStore", "TuileSecretFile")

    monkeypatch.setattr(configured, "replaced", changed)
    front = start(site, http=f"include {path};" if kind == "nginx" else f"Include {path}")
    passes(front, "/members/page.html")


def test_the_daemon_takes_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept(site, "nginx")
    original = configured.replaced
    monkeypatch.setattr(configured, "replaced", lambda text, values: without(original(text, values), "tuile_store", "tuile_secret_file"))
    with ExitStack() as stack:
        if os.geteuid() == 0:
            os.chown(site.folder / "mirrored-key", *(os.stat(site.store.removeprefix("sqlite://"))[4:6]))
        front = configured.gate(site, "caddy", top=f"include {path};")
        stack.callback(front.stop)
        passes(front, "/members", site.application)


def passes(front: Front, page: str, application: int | None = None) -> None:
    headers = {"X-Forwarded-Uri": "/members/", "X-Forwarded-Method": "GET"}
    visitor = Visitor(front.port)
    assert visitor.get(page, headers=headers).status == 302
    other = Visitor(application or front.port)
    other.log_in()
    visitor.cookie = other.cookie
    assert visitor.get(page, headers=headers).status == 200


def test_a_custom_user_and_all_of_a_cookie(site: Site) -> None:
    more = """
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.Person"
SESSION_COOKIE_NAME, SESSION_COOKIE_PATH, SESSION_COOKIE_DOMAIN = "app", "/shop/", "example.org"
SESSION_COOKIE_SAMESITE, SESSION_COOKIE_SECURE, SESSION_COOKIE_AGE = "None", True, 600
SECRET_KEY_FALLBACKS = ["short"]
"""
    code, text, said = mirror(site, "nginx", more, people=CUSTOM)
    assert code == 0, said
    for line in (
        'tuile_django_users "on";',
        'tuile_django_user_table "people_person";',
        'tuile_django_user_column "id" "number";',
        'tuile_django_user_column "username" "address";',
        'tuile_django_user_column "active" "";',
        'tuile_django_user_column "staff" "";',
        'tuile_cookie_name "app";',
        'tuile_cookie_path "/shop/";',
        'tuile_cookie_domain "example.org";',
        'tuile_cookie_samesite "none";',
        'tuile_cookie_secure "on";',
        'tuile_cookie_age "600";',
        'tuile_expire_at_browser_close "on";',
        'tuile_login_url "/accounts/login/";',
        f'tuile_secret_file "{site.folder}/mirrored-key" "weak";',
    ):
        assert line in text.splitlines(), (line, text)
    _, text, _ = mirror(site, "apache", more, people=CUSTOM)
    for line in ('TuileDjangoUserColumn "id" "number"', 'TuileCookieSameSite "none"', 'TuileLoginURL "/accounts/login/"'):
        assert line in text.splitlines(), (line, text)


def test_what_a_gate_can_t_have_is_an_error(site: Site) -> None:
    for more, message in (
        ('SESSION_ENGINE = "django.contrib.sessions.backends.cache"', "SESSION_ENGINE"),
        ('SESSION_SERIALIZER = "project.Pickle"', "SESSION_SERIALIZER"),
        ('SECRET_KEY = " a secret with a blank in front of it, of 32 bytes"', "blanks"),
        ('DATABASES["default"]["ENGINE"] = "django.db.backends.mysql"', ""),
        ('LOGIN_URL = "/log-in/$x/"', "LOGIN_URL"),
        ('SESSION_ENGINE, TUILE_STORE = "tuile.django.session", "memory:"', "TUILE_STORE"),
    ):
        code, text, said = mirror(site, "nginx", more)
        assert code != 0 and text == "" and message in said, (more, text, said)
        assert not (site.folder / "mirrored-key").exists()


def test_other_stores(site: Site) -> None:
    for more, line in (
        ('SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"', 'tuile_store "cookie:";'),
        ('SESSION_ENGINE = "django.contrib.sessions.backends.file"\nSESSION_FILE_PATH = "/srv/a b"', 'tuile_store "file:///srv/a%20b?prefix=sessionid&age=1209600";'),
        ('SESSION_ENGINE, TUILE_STORE = "tuile.django.session", "redis://cache/1"', 'tuile_store "redis://cache/1";'),
        ('SESSION_ENGINE = "tuile.django.session"\nTUILE_OPTIONS = {"policy": "aal2"}', 'tuile_policy "aal2";'),
    ):
        code, text, said = mirror(site, "nginx", more)
        assert code == 0 and line in text.splitlines(), (more, text, said)
