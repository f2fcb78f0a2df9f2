"""A page as an Express application has it: express-session in Redis, signed, with Passport's login. No package that
could be installed here has express-session itself; the sessions are to the byte what it writes."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tuile.wsgi import SessionMiddleware

PLACES = json.loads((Path(os.environ["SITE_FOLDER"]) / "places.json").read_text())


def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    session = environ["tuile.session"]
    user = session.get("passport", {}).get("user", "nobody")
    visits = session.add_int("visits")
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [f'<h1 id=hello>Express knows {html.escape(user)}</h1><p id=visits>{visits}</p><a href="/">Back</a>'.encode()]


application = SessionMiddleware(page, store=PLACES["express"], cookie_name="connect.sid", secret=PLACES["express_secret"])
