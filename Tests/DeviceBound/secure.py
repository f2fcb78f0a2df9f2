"""An https server on loopback around a WSGI application: it keeps what was said, and fails where a test says so."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

SECONDS = 60


def certificate(folder: Path, names: Iterable[str]) -> Path:
    """One file with a key and a certificate of its own for these names."""
    file = folder / "certificate.pem"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=tuile", "-addext", f"subjectAltName={alternatives}", "-keyout", str(file), "-out", f"{file}.crt"],
        check=True,
        capture_output=True,
    )
    with file.open("a") as whole:
        whole.write(Path(f"{file}.crt").read_text())
    return file


def pin(file: Path) -> str:
    """What Chromium calls the certificate's key: base64 of the SHA-256 of the SubjectPublicKeyInfo."""
    commands = (
        ["openssl", "x509", "-in", str(file), "-noout", "-pubkey"],
        ["openssl", "pkey", "-pubin", "-outform", "der"],
        ["openssl", "dgst", "-sha256", "-binary"],
        ["openssl", "base64", "-A"],
    )
    data = b""
    for command in commands:
        data = subprocess.run(command, input=data, check=True, capture_output=True).stdout
    return data.decode().strip()


@dataclass
class Exchange:
    """A request and what was answered; status 0: nothing, the connection was closed."""

    method: str
    path: str
    cookies: dict[str, str]
    environ: dict[str, Any]
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def sent(self, name: str) -> str | None:
        value = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return None if value is None else str(value)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, address: Any) -> None:
        pass  # A browser that goes away in the middle of a handshake is none.


class _Handler(WSGIRequestHandler):
    def setup(self) -> None:
        # Here and not while accepting: a slow handshake holds up nobody else.
        self.request.settimeout(SECONDS)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)  # type: ignore[attr-defined]
        super().setup()

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "HTTPS": "on"}

    def log_message(self, format: str, *given: object) -> None:
        pass


class Closed(Exception):
    """The connection is closed without an answer."""


class Secure:
    """`fault` is asked before each request and may answer it: a status, or an exception to close the connection."""

    def __init__(self, application: Any, file: Path, name: str) -> None:
        self.name = name
        self.exchanges: list[Exchange] = []
        self.fault: Callable[[Exchange], int | None] = lambda _: None
        self.is_known = False
        self._application, self._changed = application, threading.Condition()
        self._server = make_server("127.0.0.1", 0, self._answer, _Server, _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self._server.context = context  # type: ignore[attr-defined]
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str) -> str:
        return f"https://{self.name}:{self.port}{path}"

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        pairs = (pair.partition("=") for pair in environ.get("HTTP_COOKIE", "").split("; ") if pair)
        exchange = Exchange(
            environ["REQUEST_METHOD"], environ["PATH_INFO"], {name: value for name, _, value in pairs}, dict(environ)
        )

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            exchange.status, exchange.headers = int(status[:3]), list(headers)
            return start_response(status, headers, *([exc_info] if exc_info else []))

        try:
            if exchange.path == "/favicon.ico":
                # Asked for once: a page's icon would start a refresh when no test means one.
                start("404 Not Found", [("Content-Length", "0")])
                return [b""]
            if (status := self.fault(exchange)) is not None:
                start(f"{status} Made", [("Content-Length", "0")])
                return [b""]
            exchange.body = b"".join(self._application(environ, start))
            return [exchange.body]
        except Closed:
            environ["wsgi.input"].close()
            raise
        finally:
            with self._changed:
                self.exchanges.append(exchange)
                self._changed.notify_all()

    # -- what came

    def forget(self) -> None:
        with self._changed:
            self.exchanges.clear()

    def seen(self, path: str) -> list[Exchange]:
        with self._changed:
            return [one for one in self.exchanges if one.path == path]

    def wait_for(self, path: str, count: int = 1, wanted: Callable[[Exchange], bool] = lambda _: True) -> list[Exchange]:
        """Until that many such requests were answered, since the last `forget`."""

        def found() -> list[Exchange]:
            return [one for one in self.exchanges if one.path == path and wanted(one)]

        with self._changed:
            done = self._changed.wait_for(lambda: len(found()) >= count, SECONDS)
            assert done, f"{path} was asked {len(found())} times: {[(one.method, one.path, one.status) for one in self.exchanges]}"
            return found()
