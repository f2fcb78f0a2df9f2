"""What makes five logins one: whoever logs in to Django, or out, is in or out of the others' own sessions.

Each of them goes on with its sessions as it always had them; none knows of Tuile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest, HttpResponse
from tuile.sessions import Manager, Session

PLACES = json.loads((Path(os.environ["SITE_FOLDER"]) / "places.json").read_text())


def tell_express(session: Session, name: str) -> None:
    session["passport"] = {"user": name}  # as Passport's own login does


def tell_php(session: Session, name: str) -> None:
    session["user"] = name  # what index.php looks for: PHP has no convention


def tell_flask(session: Session, name: str) -> None:
    session.update({"_user_id": name, "_fresh": True})  # as Flask-Login does


OTHERS = [
    (Manager(store=PLACES["express"], cookie_name="connect.sid", secret=PLACES["express_secret"]), tell_express),
    (Manager(store=PLACES["php"], cookie_name="PHPSESSID"), tell_php),
    (Manager(store=PLACES["flask"], cookie_name="session"), tell_flask),
]


def note(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    request.one_login = user.get_username()  # type: ignore[attr-defined]


def forget(sender: Any, request: HttpRequest, **_: Any) -> None:
    request.one_login = ""  # type: ignore[attr-defined]


user_logged_in.connect(note)
user_logged_out.connect(forget)


class OneLogin:
    """Middleware, in front of Django's sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        name = getattr(request, "one_login", None)
        if name is None:
            return response
        for manager, tell in OTHERS:
            with manager.begin(request.META.get("HTTP_COOKIE", "")) as session:
                # Whose session it was before is nothing to the next: no value of it goes over.
                session.flush()
                if name:
                    tell(session, name)
                for header, value in session.commit():
                    if header == "Set-Cookie":
                        response.cookies.load(value)
        return response
