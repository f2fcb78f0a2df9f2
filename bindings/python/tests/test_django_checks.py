"""Settings that can't work are errors at `manage.py check` and when a server starts: each in a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[1]
SETTINGS = """
SECRET_KEY = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
SESSION_ENGINE = "tuile.django"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.sessions", "tuile.django.sessions"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
ROOT_URLCONF = "project"
urlpatterns = []
"""
BOUND = """TUILE_OPTIONS = {"device_bound": True}
SESSION_COOKIE_SECURE = True
MIDDLEWARE.insert(0, "tuile.django.middleware.DeviceBoundMiddleware")"""
START = "import django.core.wsgi; django.core.wsgi.get_wsgi_application()"


def run(folder: Path, settings: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "project.py").write_text(SETTINGS + settings)
    paths = [str(folder), *([] if "TUILE_INSTALLED" in os.environ else [str(PYTHON)])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DJANGO_SETTINGS_MODULE": "project"}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize(
    "settings",
    [
        "", 'SESSION_COOKIE_NAME = "my:sess"', 'SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"',
        'TUILE_OPTIONS = {"policy": "aal2"}', 'TUILE_OPTIONS = {"track_owners": False, "max_owned": 9}',
        'MIDDLEWARE += ["tuile.django.middleware.ClientMiddleware"]',
        'TUILE_STORE = "cookie:"', 'TUILE_STORE = "memory:"\nTUILE_OPTIONS = {"cycle_grace": 0, "max_data": 4096, "log": print, "log_level": "info"}',
        'SESSION_COOKIE_AGE = 60 * 60 * 0.5', 'SESSION_COOKIE_SAMESITE = "None"\nSESSION_COOKIE_SECURE = True',
        'SESSION_COOKIE_SAMESITE = False', 'SESSION_ENGINE = "django.contrib.sessions.backends.cache"',
        'TUILE_OPTIONS = {"device_bound": "call", "device_path": "/device", "device_seconds": 60}\nSESSION_COOKIE_SECURE = True\n'
        'MIDDLEWARE.insert(0, "tuile.django.middleware.DeviceBoundMiddleware")',
        f'TUILE_STORE = "redis://127.0.0.1:1/?retries=0"  # away{" " * 5}',
    ],
)  # fmt: skip
def test_what_works_is_no_error(tmp_path: Path, settings: str) -> None:
    if "redis" in settings and not (PYTHON.parents[1] / "build/libtuile-redis.so").exists():
        pytest.skip("the module is not built")
    done = run(tmp_path, settings, "-m", "django", "check")
    assert done.returncode == 0, done.stderr
    done = run(tmp_path, settings, "-c", START)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "settings, said",
    [
        (BOUND.replace("True}", "7}"), "True, False, 'login' or 'call'"),
        (BOUND.replace("SECURE = True", "SECURE = False"), "SESSION_COOKIE_SECURE"),
        (BOUND.replace("insert(0,", "insert(1,"), "before SessionMiddleware"),
        (BOUND.partition("MIDDLEWARE")[0], "DeviceBoundMiddleware"),
        (BOUND.replace("True}", 'True, "device_seconds": 0}'), "1 to 86400"),
        (BOUND.replace("True}", 'True, "device_path": "device"}'), "device_path"),
        (BOUND + '\nSESSION_COOKIE_PATH = "/app/"', "device_path"),
        (BOUND + '\nTUILE_STORE = "memory:"', "TUILE_STORE"),
        (BOUND + '\nTUILE_STORE = "cookie:"', "TUILE_STORE"),
        (BOUND + '\nSESSION_SERIALIZER = "project.Pickle"', "SESSION_SERIALIZER"),
        ('TUILE_OPTIONS = {"device_path": "/device"}', "counts only with device_bound"),
        ('TUILE_OPTION = {"policy": "aal2"}', "TUILE_OPTIONS"),
        ('TUILE_OPTIONS = {"polizy": "aal2"}', "did you mean policy"),
        ('TUILE_OPTIONS = {"policy": "aal9"}', "policy"),
        ('TUILE_OPTIONS = {"refresh": "soon"}', "refresh"),
        ('TUILE_OPTIONS = {"max_data": 4096}', "counts only with TUILE_STORE"),
        ('TUILE_STORE = "cookie:"\nTUILE_OPTIONS = {"track_owners": True}', "lists of owners"),
        ('TUILE_OPTIONS = {"lifetime": -1}', "seconds"),
        ('TUILE_OPTIONS = {"lifetime": True}', "seconds"),
        ('TUILE_OPTIONS = {"track_owners": "no"}', "True or False"),
        ('TUILE_OPTIONS = {"max_owned": 10_001}', "sessions"),
        ('TUILE_OPTIONS = {7: 1}', "is no option"),
        ('TUILE_OPTIONS = ["policy"]', "dictionary"),
        ('TUILE_STORE = 7', "TUILE_STORE"),
        ('TUILE_STORE = "memory:"\nTUILE_OPTIONS = {"max_data": 0}', "bytes"),
        ('TUILE_STORE = "memory:"\nTUILE_OPTIONS = {"log": "stderr"}', "function"),
        ('TUILE_STORE = "memory:"\nTUILE_OPTIONS = {"log_level": 1}', "error, warning"),
        ('TUILE_STORE = "memory:"\nTUILE_OPTIONS = {"revocations": None}', "text"),
        ('TUILE_STORE = "memory:"\nTUILE_OPTIONS = {"cookie_age": 60}', "SESSION_COOKIE_AGE"),
        ('TUILE_STORE = "sqlit:///x"', "sqlit"),
        ('TUILE_STORE = "sqlite:///x?bussy=1"', "TUILE_STORE"),
        ('TUILE_STORE = "nowhere://x"', "nowhere"),
        ('TUILE_STORE = "django:nobody"', "nobody"),
        ('TUILE_STORE = "memory:"\nSESSION_SERIALIZER = "project.Pickle"', "SESSION_SERIALIZER"),
    ],
)
def test_what_cannot_work_is_an_error_at_once(tmp_path: Path, settings: str, said: str) -> None:
    for words in (("-m", "django", "check"), ("-c", START)):
        done = run(tmp_path, settings, *words)
        assert done.returncode != 0 and said in done.stderr, done.stderr


def test_a_wrong_beginning_is_a_warning(tmp_path: Path) -> None:
    done = run(tmp_path, 'TULIE_STORE = "memory:"', "-m", "django", "check")
    assert done.returncode == 0 and "did you mean TUILE_STORE" in done.stderr, done.stderr


@pytest.mark.parametrize("option", ['"track_owners": True', '"max_owned": 9'])
def test_lists_without_the_application_are_an_error_when_the_server_starts(tmp_path: Path, option: str) -> None:
    done = run(tmp_path, f"TUILE_OPTIONS = {{{option}}}\nINSTALLED_APPS = INSTALLED_APPS[:2]", "-c", START)
    assert done.returncode != 0 and '"tuile.django.sessions" in INSTALLED_APPS' in done.stderr, done.stderr


@pytest.mark.parametrize(
    "settings",
    [
        'SESSION_COOKIE_SAMESITE = "None"', 'SESSION_COOKIE_NAME = "__Host-id"', 'SESSION_COOKIE_NAME = "__Secure-id"',
        'SESSION_COOKIE_NAME = "__Host-id"\nSESSION_COOKIE_SECURE = True\nSESSION_COOKIE_PATH = "/a"', 'SESSION_COOKIE_NAME = "a b"',
        'SESSION_SERIALIZER = "project.Nothing"', 'MIDDLEWARE = ["tuile.django.middleware.ClientMiddleware", *MIDDLEWARE]',
        """DATABASES["other"] = DATABASES["default"]
class Router:
    def db_for_write(self, model, **_):
        return "other" if model._meta.app_label == "sessions" else None
DATABASE_ROUTERS = [Router()]""",
        'INSTALLED_APPS = ["tuile.django.sessions"]',
    ],
)  # fmt: skip
def test_check_says_what_a_browser_or_a_visitor_would_meet(tmp_path: Path, settings: str) -> None:
    done = run(tmp_path, settings, "-m", "django", "check")
    assert done.returncode != 0 and "tuile.E" in done.stderr, done.stderr


AWAY = """
from tuile.django import manager
from tuile.errors import StoreError
def said():
    try:
        manager()
    except StoreError as problem:
        return str(problem)
first = said()
assert "127.0.0.1:1: the Redis server can't be reached" in first, first
assert said() == first  # The answer of a second, for requests that come at once.
"""


def test_a_program_starts_while_redis_is_away_and_says_which(tmp_path: Path) -> None:
    if not (PYTHON.parents[1] / "build/libtuile-redis.so").exists():
        pytest.skip("the module is not built")
    away = 'TUILE_STORE = "redis://:hidden@127.0.0.1:1/?retries=0"'
    for words in (("-m", "django", "check"), ("-c", f"{START}\n{AWAY}")):
        done = run(tmp_path, away, *words)
        assert done.returncode == 0 and "gave no answer: " in done.stderr, done.stderr
        assert "127.0.0.1:1: the Redis server can't be reached" in done.stderr and "hidden" not in done.stderr
    # Lazily nobody asks before the first request.
    done = run(tmp_path, away.replace("retries=0", "open=lazy"), "-m", "django", "check")
    assert done.returncode == 0 and "gave no answer" not in done.stderr, done.stderr
