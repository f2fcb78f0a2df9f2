"""A visitor who goes away before the answer, under ASGI; prints what is in the database then."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Any

import django

sys.path.insert(0, os.getcwd())
django.setup()
logging.disable(logging.CRITICAL)

from asgiref.testing import ApplicationCommunicator  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402


def scope(path: str, cookie: str = "") -> dict[str, Any]:
    path, _, query = path.partition("?")
    headers = [(b"host", b"localhost"), *([(b"cookie", cookie.encode())] if cookie else [])]
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "scheme": "http",
    }  # fmt: skip


async def visit(application: Any, path: str, cookie: str, leave: bool) -> tuple[int | None, list[str]]:
    visitor = ApplicationCommunicator(application, scope(path, cookie))
    await visitor.send_input({"type": "http.request"})
    if leave:
        # Once the view has saved the first time.
        while not any([row.get_decoded().get("slow") async for row in Session.objects.all()]):
            await asyncio.sleep(0.05)
        await visitor.send_input({"type": "http.disconnect"})
        try:
            await visitor.wait(20)
        except asyncio.CancelledError:
            pass
        return None, []
    start = await visitor.receive_output(20)
    await visitor.receive_output(20)
    await visitor.wait(20)
    return start["status"], [value.decode() for name, value in start["headers"] if name.lower() == b"set-cookie"]


async def main() -> list[Any]:
    application = get_asgi_application()
    seen: list[Any] = []

    async def note(what: str, status: int | None) -> None:
        seen.append([what, status, sorted([row.get_decoded() async for row in Session.objects.all()], key=str)])

    await note("a visitor leaves", (await visit(application, "/slow/?seconds=30", "", True))[0])
    await Session.objects.all().adelete()
    status, cookies = await visit(application, "/count/", "", False)
    await note("one who stays", status)
    cookie = cookies[0].partition(";")[0]
    await note("and leaves later", (await visit(application, "/slow/?seconds=30", cookie, True))[0])
    await note("and comes again", (await visit(application, "/slow/", cookie, False))[0])
    await note("", (await visit(application, "/count/", cookie, False))[0])
    return seen


call_command("migrate", verbosity=0)
print(json.dumps(asyncio.run(main())))
