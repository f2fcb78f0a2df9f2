"""A server on loopback as a WSGI application, for what asks one: a browser of a test's, or another server."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from typing import Any

_OF_ONE_CONNECTION = {"CONNECTION", "KEEP-ALIVE", "TRANSFER-ENCODING", "UPGRADE"}


def through(port: int) -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_") and value}
        target = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size) if size else b""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.putrequest(environ["REQUEST_METHOD"], target, skip_host="HOST" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                if name not in _OF_ONE_CONNECTION:
                    connection.putheader(name, value.encode("latin-1"))
            if size:
                connection.putheader("Content-Type", environ.get("CONTENT_TYPE") or "application/octet-stream")
            if size or environ["REQUEST_METHOD"] == "POST":
                connection.putheader("Content-Length", str(size))
            connection.endheaders(body)
            answer = connection.getresponse()
            pairs = [(name, value) for name, value in answer.getheaders() if name.upper() not in _OF_ONE_CONNECTION]
            start_response(f"{answer.status} {answer.reason}", pairs)
            return [answer.read()]
        finally:
            connection.close()

    return application
