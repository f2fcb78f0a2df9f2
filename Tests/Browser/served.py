"""Starts the C server and asks it; what it says is the library's own account of what it wrote and read."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
from enum import IntFlag
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TUILE_COOKIE_SERVER", ROOT / "build/browser/cookie_server"))
# Names that Chromium and curl are told to find on the loopback address.
HOSTS = ["a.test", "sub.a.test", "b.test", "sub.b.test", "c.test", "localhost"]

Parameter = str | bytes | int | bool


class Rule(IntFlag):
    """tuile_rule"""

    NAME = 1 << 0
    VALUE = 1 << 1
    DOMAIN = 1 << 2
    PATH = 1 << 3
    SIZE = 1 << 4
    ATTRIBUTE_SIZE = 1 << 5
    LIFETIME = 1 << 6
    SAME_SITE = 1 << 7
    PARTITIONED = 1 << 8
    PREFIX = 1 << 9
    ALL = (1 << 10) - 1


def octets(text: str) -> bytes:
    """The server writes each octet as one character."""
    return text.encode("latin-1")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ",".join([f"DNS:{host}" for host in HOSTS] + ["IP:127.0.0.1"])
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-days", "2", "-subj", "/CN=tuile", "-addext", f"subjectAltName={names}"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return key, certificate


class Server:
    def __init__(self, folder: Path) -> None:
        assert BINARY.exists(), f"{BINARY} is missing: Tests/Browser/run builds it"
        self.key, self.certificate = make_certificate(folder)
        self._process = subprocess.Popen(
            [BINARY, self.key, self.certificate], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the server ended with {self._process.wait()}"
        http, https = (int(word) for word in line.split())
        self.ports = {"http": http, "https": https}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()  # it ends with its input
        code = self._process.wait(10)
        self._process.stdout.close()
        assert code == 0, f"the server ended with {code}"

    def url(self, origin: str, path: str, /, **parameters: Parameter) -> str:
        """`origin` is such as "https://a.test"; parameters that are False are left out."""
        scheme = origin.split(":")[0]
        given = {key: 1 if value is True else value for key, value in parameters.items() if value is not False}
        return f"{origin}:{self.ports[scheme]}{path}?{urlencode(given, quote_via=quote)}"

    def ask(self, path: str, /, **parameters: Parameter) -> Any:
        """Without a browser, hence without cookies."""
        # The certificate is our own, made a moment ago: nothing to verify it against but itself.
        context = ssl.create_default_context(cafile=str(self.certificate))
        with urlopen(self.url("https://localhost", path, **parameters), context=context, timeout=10) as response:
            return json.load(response)

    def logged(self, mark: str, seconds: float = 120) -> Any:
        """What /echo answered to the request with that mark, which may still be on its way."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if entries := self.ask("/log", mark=mark):
                return entries[0]
            time.sleep(0.02)
        raise AssertionError(f"the request {mark!r} never came")
