"""The page count: its pages, redirects and the ways a cookie can end."""

from __future__ import annotations

import re

from program import SECRET, Visitor, check, folder, server


def count(visitor: Visitor, path: str = "/") -> int:
    found = re.search(r'id="count">(\d+)', visitor.get(path).body)
    return int(found.group(1)) if found else -1


with folder() as here:
    for store in ("memory:", f"sqlite://{here}/db"):
        with server("--store", store, TUILE_SECRET=SECRET) as url:
            visitor = Visitor(url)
            check([count(visitor) for _ in range(3)] == [1, 2, 3])
            check(visitor.get("/redirect").status == 303 and count(visitor) == 5)
            check("Max-Age" not in visitor.get("/?cookie=browser").headers["Set-Cookie"])
            check("Max-Age=1209600" in visitor.get("/?cookie=persistent").headers["Set-Cookie"])
            check(visitor.get("/none").status == 404 and visitor.get("/", b"body").status == 405)
            check(visitor.get("/logout").status == 303 and count(visitor) == 1)
