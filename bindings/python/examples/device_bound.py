"""A stolen cookie opens nothing: python bindings/python/examples/device_bound.py [--port N] [--seconds N] [--no-browser]

Serves a login over https on localhost, and opens Chromium with a profile of its own. Log in; the page shows a curl
command with a copy of all cookies, as a thief would have it. Run it: it is served, until the bound cookie's life of
twenty seconds is over, and then refused, while the browser goes on.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import secrets
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tuile.wsgi import SessionMiddleware

PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Bound to its device</title><link rel="icon" href="data:,">
<style>body {{ font: 1.1rem sans-serif; max-width: 50rem; margin: 3rem auto }} pre {{ background: #eee; padding: 1rem; overflow: auto }}</style>
{body}</html>"""
LOGIN = '<form method="post" action="/login"><p><button>Log in as Ada</button></form>'
HOME = """<p>Hello, {user}. Pages of this session: <b id="count">{count}</b> <small id="status"></small>
<p>All cookies of this browser, for a thief:
<pre id="curl">{curl}</pre>
<script>setInterval(async () => {{ const answer = await fetch("/count"); document.getElementById("status").textContent = answer.ok ? "" : answer.status;
if (answer.ok) document.getElementById("count").textContent = await answer.text(); }}, 2000)</script>"""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    session, path = environ["tuile.session"], environ["PATH_INFO"]
    if path == "/login" and environ["REQUEST_METHOD"] == "POST":
        # A new key for the session: with that goes the offer to bind it.
        session.cycle_key()
        session["user"] = "Ada"
        start_response("303 See Other", [("Location", "/")])
        return [b""]
    if "user" not in session:
        # What the thief's command asks for is for those alone who are logged in.
        start_response("401 Unauthorized" if path == "/count" else "200 OK", [("Content-Type", "text/html")])
        return [PAGE.format(body=LOGIN).encode()]
    count = session.add_int("count")
    if path == "/count":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d" % count]
    curl = f"curl -sk -o /dev/null -w '%{{http_code}}\\n' -b '{environ.get('HTTP_COOKIE', '')}' https://{environ['HTTP_HOST']}/count"
    start_response("200 OK", [("Content-Type", "text/html")])
    return [PAGE.format(body=HOME.format(user=session["user"], count=count, curl=html.escape(curl))).encode()]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *given: object) -> None:
        pass


def certificate(folder: Path) -> tuple[Path, str]:
    """A key and a certificate for localhost in one file, and what Chromium calls the key."""
    file, der = folder / "localhost.pem", folder / "key.der"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(file), "-out", str(folder / "certificate")]
    subprocess.run(new + names, check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", str(file), "-pubout", "-outform", "der", "-out", str(der)], check=True)
    file.write_bytes(file.read_bytes() + (folder / "certificate").read_bytes())
    return file, base64.b64encode(hashlib.sha256(der.read_bytes()).digest()).decode()


def browser(url: str, folder: Path, pin: str) -> list[str]:
    # Keys in software, since many machines have no other, and as many refreshes as the short life asks for.
    features = "DeviceBoundSessions:RequireOriginTrialTokens/false/RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"
    name = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    return [name, f"--enable-features={features}", f"--ignore-certificate-errors-spki-list={pin}", f"--user-data-dir={folder}/profile", "--no-first-run", url]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--port", type=int, default=0, help="a free one")
    parser.add_argument("--seconds", type=int, default=20, help="the life of a bound cookie")
    parser.add_argument("--no-browser", action="store_true", help="says only how to start one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuile-device-bound-") as name:
        bound = {"device_bound": True, "device_seconds": given.seconds}
        sessions = SessionMiddleware(application, store="memory:", secret=secrets.token_urlsafe(32), cookie_secure=True, **bound)  # type: ignore[arg-type]
        server = make_server("127.0.0.1", given.port, sessions, Server, Handler)
        file, pin = certificate(Path(name))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        command = browser(f"https://localhost:{server.server_port}/", Path(name), pin)
        print(" ".join(f"'{word}'" if any(letter in word for letter in " ,/:=") else word for word in command), flush=True)
        process = None if given.no_browser else subprocess.Popen(command)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            if process is not None:
                process.terminate()


if __name__ == "__main__":
    main()
