"""What gunicorn and uWSGI serve under load: a session that counts, and beside it how many were answered."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tuile.wsgi import SessionMiddleware

FOLDER = Path(os.environ["LOAD_FOLDER"])


def count(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    session = environ["tuile.session"]
    if "LOAD_CONTROL" in os.environ:
        # As every framework does it, which loses some: the test has to see that.
        session["count"] = session.get("count", 0) + 1
    else:
        session.add_int("count")
    page = b"%d\n" % session["count"]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(page)))])
    return [page]


counting = SessionMiddleware(count, store=f"sqlite://{FOLDER}/sessions.db?busy=30000", secret="a secret of the load test, of thirty-two bytes and more")
lock = threading.Lock()
slot: mmap.mmap | None = None


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Counts what was committed, in a file of this process."""
    global slot
    body = counting(environ, start_response)
    with lock:
        if slot is None:
            path = FOLDER / f"answered.{os.getpid()}"
            path.write_bytes(bytes(8))
            with path.open("r+b") as file:
                slot = mmap.mmap(file.fileno(), 8)
        slot[:] = (int.from_bytes(slot[:], "little") + 1).to_bytes(8, "little")
    return body
