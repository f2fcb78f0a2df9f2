"""The page count on an event loop: loops.py."""

from __future__ import annotations

import program

# libsoup 3.2 leaks the socket of a connection that it closes, also in a server of its alone.
program.COMMAND[:] = [part for part in program.COMMAND if not part.startswith("--leak-check")]

from loops import run  # noqa: E402

run()
