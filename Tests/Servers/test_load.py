"""wrk on the counter: every request counts once, and no process ends. TUILE_LOAD_SECONDS lengthens it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from configured import Site
from conftest import Start
from visitor import Visitor

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="there is no wrk on the PATH")
SECONDS = int(os.environ.get("TUILE_LOAD_SECONDS", "2"))


def wrk(port: int, path: str, cookie: str | None, connections: int = 16) -> tuple[int, str]:
    """How many requests were answered, and what wrk says."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "60s"]
    if cookie is not None:
        command += ["-H", f"Cookie: sessionid={cookie}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, timeout=SECONDS + 120)
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) requests in", done.stdout)
    assert found, done.stdout
    return int(found.group(1)), done.stdout


def counted(access_log: Path) -> list[int]:
    lines = [line.split() for line in access_log.read_text().splitlines()]
    return sorted(int(line[2]) for line in lines if line[1] == "/count" and line[2] != "-")


def test_the_counter_is_exact_under_load(start: Start, site: Site) -> None:
    front = start(site)
    visitor = Visitor(front.port)
    visitor.log_in()
    visitor.get("/count")
    answered, said = wrk(front.port, "/count", visitor.cookie)
    assert "Non-2xx" not in said and "timeout" not in said, said
    front.stop(front.graceful)  # in order: what is under way is finished, and written to the log
    values = counted(site.folder / "access.log")
    assert answered <= len(values) <= answered + 17
    print(f"{answered} counted in {SECONDS} s, 1 session, 16 connections")
    # Each request saw a number of its own: none was lost, none counted twice.
    assert values == list(range(1, len(values) + 1))
    again = start(site)
    assert Visitor(again.port).with_cookie(visitor.cookie).get("/count").body == f"{len(values) + 1}\n"


def test_who_passes_is_right_under_load(start: Start, site: Site) -> None:
    front = start(site)
    visitor = Visitor(front.port)
    visitor.log_in()
    answered, said = wrk(front.port, "/files/page.html", visitor.cookie)
    assert answered > 0 and "Non-2xx" not in said, said
    _, said = wrk(front.port, "/files/page.html", "a" * 32)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    total = re.search(r"(\d+) requests in", said)
    assert refused and total and refused.group(1) == total.group(1), said


def test_the_counter_could_be_inexact(site: Site) -> None:
    """The control: Django's own counter, under the same load, loses some."""
    visitor = Visitor(site.application)
    visitor.log_in()
    answered, said = wrk(site.application, "/control", visitor.cookie)
    last = int(visitor.get("/control").body)
    assert last <= answered, (last, said)
