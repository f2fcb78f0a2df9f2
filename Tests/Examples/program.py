"""Runs an example as its user would: argv is the program, and "valgrind" to run it under that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path

PROGRAM = os.path.abspath(sys.argv[1])
VALGRIND = [shutil.which("valgrind") or "valgrind", "--quiet", "--vgdb=no", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite"]
COMMAND = [*(VALGRIND if sys.argv[2:] == ["valgrind"] else []), PROGRAM]
SECRET = "a secret of the examples' tests, 0123456789"


def check(holds: bool, what: object = "") -> None:
    """Unlike assert, in every mode of Python."""
    if not holds:
        raise AssertionError(what)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tuile-example-") as name:
        yield Path(name)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


@contextmanager
def server(*options: str, **more: str) -> Iterator[str]:
    """The URL at which it says that it listens."""
    process = subprocess.Popen([*COMMAND, "--port", "0", *options], stdout=subprocess.PIPE, text=True, env=environment(**more))
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        check("http://" in line, f"it said {line!r}")
        yield line.split()[-1].rstrip("/")
    finally:
        process.terminate()
        code = process.wait(120)
        process.stdout.close()
    check(code == 0, f"it ended with {code}")


@dataclass
class Answer:
    status: int
    headers: Message
    body: str


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are answers."""

    def redirect_request(self, *_: object) -> None:
        return None


class Visitor:
    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        request = urllib.request.Request(self.url + path, data=body, headers=headers or {})
        try:
            with self._opener.open(request, timeout=120) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def cookie(self, name: str) -> str | None:
        return next((cookie.value for cookie in self.jar if cookie.name == name), None)
