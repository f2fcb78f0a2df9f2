"""Django's cache sessions, or Flask-Session, on a memcached: KIND HOST:PORT; each line of its input is a command, each
answer a line of JSON. KIND is the framework and its client, such as django-pylibmc."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from flask_commands import commands as commands_of

kind, host = sys.argv[1:]


def django_commands() -> Any:
    import django
    from django.conf import settings

    backend = "PyLibMCCache" if "pylibmc" in kind else "PyMemcacheCache"
    cache: dict[str, Any] = {"BACKEND": f"django.core.cache.backends.memcached.{backend}", "LOCATION": host}
    if "compressed" in kind:
        from pymemcache.serde import compressed_serde

        cache["OPTIONS"] = {"serde": compressed_serde}
    settings.configure(
        SECRET_KEY="any", SESSION_ENGINE="django.contrib.sessions.backends.cache", CACHES={"default": cache}, USE_TZ=True
    )
    django.setup()
    from django.contrib.sessions.backends.cache import SessionStore

    def answer(command: str, sid: str = "", *arguments: str) -> Any:
        store = SessionStore(sid or None)
        if command == "read":
            return dict(store.items())
        if command == "write":
            store.update(json.loads(arguments[0]))
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
    from flask import Flask
    from flask_session import Session

    app = Flask("app")
    client: Any
    if "pylibmc" in kind:
        import pylibmc

        client = pylibmc.Client([host])
    elif "python-memcached" in kind:
        import memcache

        client = memcache.Client([host])
    else:
        from pymemcache.client.base import Client

        client = Client(host, default_noreply=False)
    app.config.update(SECRET_KEY="any", SESSION_TYPE="memcached", SESSION_MEMCACHED=client)
    Session(app)
    return commands_of(app)


commands = flask_commands() if kind.startswith("flask") else django_commands()
for line in sys.stdin:
    print(json.dumps(commands(*json.loads(line))), flush=True)
