"""Counts each visitor's pages: `python wsgi_page_count.py`, then open http://127.0.0.1:8000/."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import make_server

from tuile.sessions import Manager


def page_counter(manager: Manager) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # WSGI hands a header's bytes over as Latin-1 text.
        with manager.begin(environ.get("HTTP_COOKIE", "").encode("latin-1")) as session:
            page = f"You have seen {session.add_int('count')} pages.\n"
            start_response("200 OK", [("Content-Type", "text/plain"), *session.commit(200)])
        return [page.encode()]

    return application


if __name__ == "__main__":
    with Manager(store="memory:") as manager, make_server("127.0.0.1", 8000, page_counter(manager)) as server:
        server.serve_forever()
