"""The page count on an event loop: loops.py."""

from __future__ import annotations

from loops import run

run()
