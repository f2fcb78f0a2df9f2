"""The Django project of the example, in one file: its sessions are in its cache, which is Redis.

SITE_FOLDER names the folder of its database, its secret and the other applications' places.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from django.utils.html import format_html

FOLDER = Path(os.environ["SITE_FOLDER"])
PLACES = json.loads((FOLDER / "places.json").read_text())
FORM = """<!doctype html><meta charset=utf-8><title>Log in</title>
<form id=login method=post>{% csrf_token %}{{ form.as_p }}<button>Log in</button></form>"""

settings.configure(
    SECRET_KEY=(FOLDER / "secret").read_text().strip(),
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": PLACES["redis"]}},
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    MIDDLEWARE=[
        "one_login.OneLogin",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"registration/login.html": FORM})]},
        }
    ],
)
django.setup()

LINKS = '<p><a href="/express/">Express</a> <a href="/php/">PHP</a> <a href="/flask/">Flask</a> <a href="/counter/">C</a> <a href="/who">nginx</a></p>'


def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return HttpResponse('<h1 id=hello>Django knows nobody</h1><p><a href="/accounts/login/">Log in</a></p>')
    form = '<form id=logout method=post action="/accounts/logout/"><input type=hidden name=csrfmiddlewaretoken value="{}"><button>Log out</button></form>'
    return HttpResponse(format_html("<h1 id=hello>Django knows {}</h1>", request.user) + LINKS + format_html(form, get_token(request)))


urlpatterns = [path("", home), path("accounts/", include("django.contrib.auth.urls"))]
application = get_wsgi_application()
