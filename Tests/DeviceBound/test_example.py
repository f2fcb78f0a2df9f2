"""The example, as one tries it: a login, a thief's curl that is refused after some seconds, and a browser that goes on."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bound_browser import BoundBrowser, BoundPage, find_chromium

ROOT = Path(__file__).resolve().parents[2]
BOUND = re.compile(r"^(?=.*-bound=)(?=.*\bsessionid=\w{40}\b)")


def test_the_example_refuses_a_copy_and_serves_the_browser(tmp_path: Path) -> None:
    if find_chromium() is None:
        pytest.skip("there is no chromium on the PATH, nor in $CHROMIUM")
    command = [sys.executable, ROOT / "bindings/python/examples/device_bound.py", "--no-browser", "--seconds", "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            words = server.stdout.readline().replace("'", "").split()
            pin = next(word.partition("=")[2] for word in words if word.startswith("--ignore-certificate-errors-spki-list"))
            with BoundBrowser(tmp_path / "profile", pin) as browser:
                page = BoundPage(browser)
                page.open(words[-1])
                page.evaluate("document.querySelector('form').submit()")
                page.wait_until("document.getElementById('count')?.textContent")
                # The page of the login itself may have come before the browser was bound, and one that came at that
                # moment with the session's old ID.
                end = time.monotonic() + 300
                while not BOUND.search(curl := page.wait_until("document.getElementById('curl')?.textContent")):
                    assert time.monotonic() < end, curl
                    page.open(words[-1])
                thief = lambda: subprocess.run(curl, shell=True, capture_output=True, text=True, check=True).stdout.strip()  # noqa: E731
                assert thief() == "200"
                # Each has its own time: a busy machine may take most of the first one for the binding.
                end = time.monotonic() + 300
                while thief() == "200":
                    assert time.monotonic() < end, "the copy is served for ever"
                    time.sleep(0.2)
                assert thief() == "401"
                before = int(page.evaluate("document.getElementById('count').textContent"))
                page.wait_until(f"+document.getElementById('count').textContent > {before}")
                assert page.evaluate("document.getElementById('status').textContent") == ""
        finally:
            server.terminate()
