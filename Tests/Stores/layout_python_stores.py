"""A framework's own sessions, where its settings say: KIND SETTINGS; each line of its input is a
command, each answer a line of JSON. They read their settings once, so each is a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from typing import Any

from flask_commands import commands as commands_of

kind, settings = sys.argv[1], json.loads(sys.argv[2])


def django_commands() -> Any:
    import django
    from django.conf import settings as configured

    # As Django does where its settings are a module.
    os.environ["TZ"] = settings.get("zone", "UTC")
    time.tzset()
    configured.configure(
        SECRET_KEY=settings["secret"],
        SESSION_ENGINE=f"django.contrib.sessions.backends.{settings['engine']}",
        CACHES={"default": settings["cache"]},
        DATABASES={"default": settings["database"]} if "database" in settings else {},
        INSTALLED_APPS=["django.contrib.sessions"],
        USE_TZ="zone" not in settings,
        TIME_ZONE=settings.get("zone", "UTC"),
    )
    django.setup()
    from importlib import import_module

    from django.core.management import call_command

    if "database" in settings:
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
    session_store = import_module(configured.SESSION_ENGINE).SessionStore

    def answer(command: str, sid: str = "", *arguments: str) -> Any:
        store = session_store(sid or None)
        if command == "read":
            return dict(store.items())
        if command == "write":
            store.update(json.loads(arguments[0]))
            store.save()
            return store.session_key
        if command == "delete":
            store.delete()
        elif command == "count":
            for _ in range(int(arguments[1])):
                one = session_store(sid)
                value = one.get(arguments[0], 0)
                time.sleep(0.001)
                one[arguments[0]] = value + 1
                one.save()
        return None

    return answer


def flask_commands() -> Any:
    import warnings

    from flask import Flask

    warnings.simplefilter("ignore")
    from flask_session import Session

    app = Flask("app")
    app.config.update(SECRET_KEY=settings["secret"], **settings["config"])
    if "redis" in settings:
        import redis

        app.config["SESSION_REDIS"] = redis.Redis(unix_socket_path=settings["redis"])
    if "files" in settings:
        from cachelib.file import FileSystemCache

        app.config["SESSION_CACHELIB"] = FileSystemCache(settings["files"], threshold=0)
    if "database" in settings:
        from flask_sqlalchemy import SQLAlchemy

        app.config.update(SQLALCHEMY_DATABASE_URI=settings["database"])
        app.config["SESSION_SQLALCHEMY"] = SQLAlchemy(app)
    Session(app)
    return commands_of(app)


class Request:
    """What a request of an application's does with its session, by one command."""

    def __init__(self, command: str, arguments: tuple[str, ...]) -> None:
        self.command, self.arguments = command, arguments

    async def run(self, session: Any) -> Any:
        if self.command == "write":
            session.update(json.loads(self.arguments[0]))
        elif self.command == "delete":
            session.clear()
        elif self.command == "add":
            value = session.get(self.arguments[0], 0)
            await asyncio.sleep(0.001)
            session[self.arguments[0]] = value + 1
        return dict(session)


def counted(request: Any) -> Any:
    def answer(command: str, sid: str = "", *arguments: str) -> Any:
        if command != "count":
            return request(Request(command, arguments), sid)[1 if command == "read" else 0]
        for _ in range(int(arguments[1])):
            request(Request("add", arguments), sid)
        return None

    return answer


def starsessions_commands() -> Any:
    from redis.asyncio import Redis
    from starlette.applications import Starlette
    from starlette.routing import Route
    from starlette.responses import JSONResponse
    from starsessions import SessionAutoloadMiddleware, SessionMiddleware
    from starsessions.stores.redis import RedisStore

    loop = asyncio.new_event_loop()
    current: list[Request] = []

    async def view(request: Any) -> Any:
        return JSONResponse(await current[0].run(request.session))

    async def make() -> Any:
        app = Starlette(routes=[Route("/", view)])
        app.add_middleware(SessionAutoloadMiddleware)
        store = RedisStore(connection=Redis(unix_socket_path=settings["redis"]))
        app.add_middleware(SessionMiddleware, store=store, lifetime=settings["lifetime"], rolling=settings["rolling"])
        return app

    app = loop.run_until_complete(make())

    def request(command: Request, sid: str) -> Any:
        current[:] = [command]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"cookie", f"session={sid}".encode())] if sid else []
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
        loop.run_until_complete(app(scope, receive, send))
        cookies = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
        return (cookies[0].split(";")[0].split("=")[1] if cookies else None, json.loads(sent[1]["body"]))

    return counted(request)


def aiohttp_commands() -> Any:
    from aiohttp import web
    from aiohttp.test_utils import make_mocked_request
    from aiohttp_session.redis_storage import RedisStorage
    from redis.asyncio import Redis

    loop = asyncio.new_event_loop()

    async def one(command: Request, sid: str) -> Any:
        pool = Redis(unix_socket_path=settings["redis"])
        storage = RedisStorage(pool, max_age=settings["max_age"])
        request = make_mocked_request("GET", "/", headers={"Cookie": f"AIOHTTP_SESSION={sid}"} if sid else {})
        session = await storage.load_session(request)
        read = await command.run(session)
        response = web.Response()
        if command.command != "read":
            await storage.save_session(request, response, session)
        await pool.aclose()
        cookie = response.cookies.get("AIOHTTP_SESSION")
        return (cookie.value if cookie else None, read)

    return counted(lambda command, sid: loop.run_until_complete(one(command, sid)))


made = {"django": django_commands, "flask": flask_commands, "starsessions": starsessions_commands, "aiohttp": aiohttp_commands}
commands = made[kind]()
for line in sys.stdin:
    print(json.dumps(commands(*json.loads(line)), default=lambda value: base64.b64encode(value).decode()), flush=True)
