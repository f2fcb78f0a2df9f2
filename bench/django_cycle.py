"""Django's own request cycle (load, add 1, save, Set-Cookie through its middleware) for comparison:
django_cycle.py FOLDER                        its cache in local memory, its db backend on SQLite (WAL)
django_cycle.py FOLDER redis SOCKET           django-redis-sessions, its cache on Redis
django_cycle.py FOLDER postgresql HOST PORT   its db backend on PostgreSQL"""

import sys
import time

import django
from django.conf import settings

folder, kind, place = sys.argv[1], "".join(sys.argv[2:3]), sys.argv[3:]
database: dict[str, object] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": f"{folder}/django.db",
    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
}
cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
redis = {}
engines = ["django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.db"]
if kind == "redis":
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"unix://{place[0]}"}
    redis = {"unix_domain_socket_path": place[0], "socket_timeout": 10}
    engines = ["redis_sessions.session", "django.contrib.sessions.backends.cache"]
elif kind == "postgresql":
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": place[0],
        "PORT": place[1],
    }
    engines = ["django.contrib.sessions.backends.db"]
settings.configure(
    SECRET_KEY="a secret that has its thirty-two bytes and more",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.sessions"],
    DATABASES={"default": database},
    CACHES={"default": cache},
    SESSION_REDIS=redis,
)
django.setup()

from django.contrib.sessions.middleware import SessionMiddleware  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402

call_command("migrate", verbosity=0, fake_initial=True)


def view(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse("")


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
    print(f"Django's request cycle, {engine}: {best * 1e9:.0f} ns")
