"""The library under test is what TUILE_LIBRARY names, else what CMake built in build/."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.conf import settings

PYTHON = Path(__file__).resolve().parent
# A test of the installed wheel brings its own library.
if "TUILE_INSTALLED" not in os.environ:
    os.environ.setdefault("TUILE_LIBRARY", str(PYTHON.parents[1] / "build/libtuile.so.0"))
    sys.path[:0] = [str(PYTHON)]
sys.path[:0] = [str(PYTHON / "examples"), str(PYTHON / "tests")]

# One set of settings for the process: the tests of tuile.django change what they need.
settings.configure(SECRET_KEY="an example of 32 bytes, not a secret", USE_TZ=True, INSTALLED_APPS=["django.contrib.sessions"])
django.setup()
