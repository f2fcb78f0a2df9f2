"""Django's own request cycle (load, add 1, save, Set-Cookie through its middleware) for
comparison: on its cache backend in local memory and on its db backend on SQLite (WAL)."""

import sys
import time

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="secret",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.sessions"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{sys.argv[1]}/django.db",
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
        }
    },
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
)
django.setup()

from django.contrib.sessions.middleware import SessionMiddleware  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402

call_command("migrate", verbosity=0)


def view(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse("")


for engine in ("cache", "db"):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    cycle = SessionMiddleware(view)
    factory = RequestFactory()
    factory.cookies["sessionid"] = cycle(factory.get("/")).cookies["sessionid"].value
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(200):
            cycle(factory.get("/"))
        best = min(best, (time.perf_counter() - began) / 200)
    began = time.perf_counter()
    for _ in range(200):
        factory.get("/")
    best -= (time.perf_counter() - began) / 200
    print(f"Django's request cycle, {engine}: {best * 1e9:.0f} ns")
