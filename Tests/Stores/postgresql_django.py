"""Django on a PostgreSQL database, in a process of its own:
postgresql_django.py HOST PORT DATABASE COMMAND [ARGUMENT]. Prints its answer as JSON."""

from __future__ import annotations

import json
import sys
import threading

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"


def page(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"{request.user} {request.session['count']}")


urlpatterns = [path("", page)]


def set_up(host: str, port: str, database: str) -> None:
    settings.configure(
        SECRET_KEY=SECRET,
        USE_TZ=True,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="postgresql_django",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": database, "HOST": host, "PORT": port, "USER": "postgres",
            }
        },
    )  # fmt: skip
    django.setup()


def run(command: str, argument: str) -> object:
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.test import Client

    if command == "migrate":
        call_command("migrate", verbosity=0, fake_initial=argument == "fake")
        return None
    if command == "write":
        session = SessionStore()
        session.update(json.loads(argument))
        session.create()
        return session.session_key
    if command == "read":
        session = SessionStore(argument)
        return {"items": dict(session.items()), "expires": SessionStore(argument).get_expiry_date().isoformat()}
    if command == "login":
        client = Client()
        client.force_login(User.objects.create_user(argument))
        return client.cookies["sessionid"].value
    if command == "visit":
        client = Client()
        client.cookies["sessionid"] = argument
        return client.get("/").content.decode()
    if command == "clear":
        SessionStore.clear_expired()
        return None
    if command == "count":
        # What Tuile's store_counter does, as a view under Django would: for docs/concurrency.md.
        key, threads, times = argument.split()

        def add() -> None:
            for _ in range(int(times)):
                session = SessionStore(key)
                session["count"] = session.get("count", 0) + 1
                session.save()

        together = [threading.Thread(target=add) for _ in range(int(threads))]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        return None
    raise SystemExit(f"unknown command {command}")


if __name__ == "__main__":
    # The views are found under the name that ROOT_URLCONF has.
    sys.modules["postgresql_django"] = sys.modules["__main__"]
    set_up(*sys.argv[1:4])
    print(json.dumps(run(sys.argv[4], sys.argv[5] if len(sys.argv) > 5 else "")))
