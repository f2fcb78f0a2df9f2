"""Django's cache sessions, or Flask-Session, on a Redis: KIND SOCKET; each line of its input is a
command, each answer a line of JSON. They read their settings once, so each is a process of its own."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from flask_commands import commands as commands_of

kind, path = sys.argv[1:]


def django_commands() -> Any:
    import django
    from django.conf import settings

    backend = "django.core.cache.backends.redis.RedisCache" if kind == "django-cache" else "django_redis.cache.RedisCache"
    settings.configure(
        SECRET_KEY="any",
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        CACHES={"default": {"BACKEND": backend, "LOCATION": f"unix://{path}?db=0"}},
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.sessions.backends.cache import SessionStore

    def answer(command: str, sid: str = "", *arguments: str) -> Any:
        store = SessionStore(sid or None)
        if command == "read":
            return {name: str(value) if name == "when" else value for name, value in store.items()}
        if command == "write":
            store.update(json.loads(arguments[0]))
            if "when" in store:
                store["when"] = __import__("datetime").datetime(2026, 1, 2, 3, 4, 5)
            store.save()
            return store.session_key
        if command == "delete":
            store.delete()
        elif command == "count":
            for _ in range(int(arguments[0])):
                one = SessionStore(sid)
                one["django"] = one.get("django", 0) + 1
                one.save()
                time.sleep(0.001)
        return None

    return answer


def flask_commands() -> Any:
    import redis
    from flask import Flask
    from flask_session import Session

    app = Flask("app")
    app.config.update(SECRET_KEY="any", SESSION_TYPE="redis", SESSION_REDIS=redis.Redis(unix_socket_path=path))
    Session(app)
    return commands_of(app)


commands = flask_commands() if kind == "flask-session" else django_commands()
for line in sys.stdin:
    print(json.dumps(commands(*json.loads(line))), flush=True)
