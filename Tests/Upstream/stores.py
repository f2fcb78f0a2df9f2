"""The stores that other projects' session tests run on: to add one, add a line.

FOLDER stands for an empty folder of the test's own. A store that needs a server names the
variable of the environment that has its URL; the run skips it where that is not set.
"""

from __future__ import annotations

import os

STORES = {
    "Memory": "memory:",
    "SQLite": "sqlite://FOLDER/sessions.db",
    "File": "file://FOLDER",
    "Cached": "cached+sqlite://FOLDER/sessions.db",
    "Cookie": "cookie:",
    "SealedCookie": "cookie:sealed",
}

SERVERS = {
    "Redis": "TUILE_TEST_REDIS",
    "PostgreSQL": "TUILE_TEST_POSTGRESQL",
}


def url(name: str, folder: str) -> str | None:
    if name in SERVERS:
        return os.environ.get(SERVERS[name])
    return STORES[name].replace("FOLDER", folder)


NAMES = [*STORES, *SERVERS]
