"""Visits the project in this folder as browsers do, in a process of its own, and prints what came out as JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any

import django

sys.path.insert(0, os.getcwd())
sys.path.append(os.path.dirname(__file__))
django.setup()
logging.disable(logging.CRITICAL)

from browser import Browser, Names  # noqa: E402
from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from polls.models import Choice, Question  # noqa: E402


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def served() -> ThreadedWSGIServer:
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Record:
    """What was seen, step by step."""

    def __init__(self, port: int) -> None:
        self.port, self.names, self.steps = port, Names(), list[dict[str, Any]]()

    def browser(self) -> Browser:
        return Browser(self.port, self.names)

    def add(self, what: str, seen: Any = None) -> None:
        # A process of its own would see it so, too.
        connection.close()
        self.steps.append({"what": what, "seen": seen, "database": self.database()})

    def database(self) -> dict[str, Any]:
        now = timezone.now()
        sessions = [
            {"key": self.names(row.session_key), "data": self.decoded(row), "left": (row.expire_date - now).total_seconds()}
            for row in Session.objects.order_by("session_key")
        ]
        return {
            "sessions": sorted(sessions, key=lambda row: str(row["key"])),
            "users": [[user.username, user.last_login is not None] for user in User.objects.order_by("username")],
            "questions": list(Question.objects.order_by("pk").values_list("question_text", flat=True)),
            "votes": list(Choice.objects.order_by("pk").values_list("choice_text", "votes")),
            "log": LogEntry.objects.count(),
        }

    @staticmethod
    def decoded(row: Session) -> dict[str, Any]:
        data = row.get_decoded()
        if "_auth_user_hash" in data:
            data["_auth_user_hash"] = "…"
        if "_csrftoken" in data:
            data["_csrftoken"] = "…"
        return data


def main() -> None:
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("admin", "admin@example.com", "a long password")
    server = served()
    record = Record(server.server_port)
    from scenes import SCENES

    for scene in SCENES:
        scene(record)
    server.shutdown()
    print(json.dumps(record.steps))


if __name__ == "__main__":
    main()
