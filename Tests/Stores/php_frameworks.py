"""Where PHP's frameworks of a later Debian are."""

from __future__ import annotations

import functools
import shutil
import subprocess

import pytest
from store import ROOT

PHP = shutil.which("php")


@functools.cache
def frameworks() -> str:
    """Their folder; skipped, with the reason, where they can't be had."""
    if PHP is None:
        pytest.skip("php-cli is not installed")
    had = subprocess.run([ROOT / "Tests/Stores/php_frameworks"], capture_output=True, text=True, check=False)
    if had.returncode == 3:
        pytest.skip(f"PHP's frameworks of a later Debian: {had.stderr.strip()}")
    assert had.returncode == 0, had.stderr
    return str(ROOT / "build-php/usr/share/php")
