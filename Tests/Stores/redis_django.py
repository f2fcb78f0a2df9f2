"""django-redis-sessions on a server: SOCKET PREFIX; each line of its input is a command, each answer a line of JSON.

It reads its settings once, when it is imported: so it is a process of its own.
"""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings

path, prefix, secret = sys.argv[1:]
settings.configure(
    SECRET_KEY=secret,
    SESSION_ENGINE="redis_sessions.session",
    SESSION_REDIS={"unix_domain_socket_path": path, "db": 2, "prefix": prefix, "socket_timeout": 30},
)
django.setup()

from redis_sessions.session import SessionStore  # noqa: E402


def answer(command: str, *arguments: str) -> object:
    store = SessionStore(arguments[0] if arguments and command != "write" else None)
    if command == "read":
        return {"items": dict(store.items()), "left": store.server.ttl(store.get_real_stored_key(arguments[0]))}
    if command == "write":
        store.update(json.loads(arguments[0]))
        store.set_expiry(int(arguments[1]))
        store.save()
        return store.session_key
    if command == "set":
        store[arguments[1]] = json.loads(arguments[2])
        store.save()
    elif command == "delete":
        store.delete()
    elif command == "names":
        return sorted(key.decode() for key in store.server.keys())
    return None


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)
