"""Django's own request cycle (load, add 1, save, Set-Cookie through its middleware) for
comparison: on its cache backend in local memory and on its db backend on SQLite (WAL); with
a Redis server's socket behind the folder, on django-redis-sessions and its cache on Redis."""

import sys
import time

import django
from django.conf import settings

redis_socket = sys.argv[2] if len(sys.argv) > 2 else None
if redis_socket:
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"unix://{redis_socket}"}
else:
    cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
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
    CACHES={"default": cache},
    SESSION_REDIS={"unix_domain_socket_path": redis_socket, "socket_timeout": 10},
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


backends = "django.contrib.sessions.backends"
engines = ("redis_sessions.session", f"{backends}.cache") if redis_socket else (f"{backends}.cache", f"{backends}.db")
for engine in engines:
    settings.SESSION_ENGINE = engine
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
    print(f"Django's request cycle, {engine.removeprefix(backends + '.')}: {best * 1e9:.0f} ns")
