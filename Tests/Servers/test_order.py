"""Access rules come first: what they refuse costs no store anything, and changes nothing."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from configured import Site
from conftest import Start
from processes import BUILD
from visitor import Visitor


def rows(database: Path) -> int:
    with sqlite3.connect(database, timeout=20) as connection:
        found: int = connection.execute("select count(*) from django_session").fetchone()[0]
    return found


LIMITED = {
    "nginx": """
      location /limited { limit_req zone=one; tuile_count n; try_files /none =204; }
      location /denied { deny all; tuile_count n; try_files /none =204; }
      location /basic { auth_basic x; auth_basic_user_file none; tuile_count n; try_files /none =204; }
      location /required { tuile_require on; tuile_count n; try_files /none =204; }
      location /any { satisfy any; deny all; tuile_require on; tuile_count n; try_files /none =204; }
      location /rewritten { deny all; rewrite ^ /denied; }
      location /moved { tuile_count n; rewrite ^ /denied last; }
    """,
    "apache": """
      Alias /test {members}/page.html
      <Location /test>
        TuileCount n
        Require tuile-session
      </Location>
      <Location /test/denied>
        Require all denied
      </Location>
      <Location /test/basic>
        AuthType Basic
        AuthName x
        AuthUserFile none
        Require valid-user
      </Location>
      <Location /test/forbidden>
        Require all granted
        RewriteEngine On
        RewriteRule . - [F]
      </Location>
    """,
}
REFUSED = {
    "nginx": ("/denied", "/basic", "/required", "/any", "/rewritten", "/moved"),
    "apache": ("/test/required", "/test/denied", "/test/basic", "/test/forbidden"),
}


def test_what_is_refused_makes_no_session(start: Start, site: Site, kind: str, database: Path) -> None:
    http = "limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;" if kind == "nginx" else ""
    front = start(site, http=http, locations=LIMITED[kind].replace("{members}", str(site.members)))
    visitor = Visitor(front.port)
    before = rows(database)
    for path in REFUSED[kind]:
        response = visitor.get(path)
        assert response.status in (401, 403), path
        assert response.all("Set-Cookie") == [], path
    assert rows(database) == before
    if kind == "nginx":
        statuses = [Visitor(front.port).get("/limited").status for _ in range(30)]
        assert statuses == [204] + [503] * 29
        assert rows(database) == before + 1
    assert visitor.get("/count").body == "1\n"  # the control


@pytest.fixture
def slow(site: Site, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file is there the store gives no answer."""
    monkeypatch.setenv("TUILE_MODULE_PATH", str(BUILD / "servers"))
    site.store = f"away://{database}"
    return Path(f"{database}.slow")


def test_what_is_refused_waits_for_no_store(start: Start, site: Site, kind: str, slow: Path) -> None:
    http = "limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;" if kind == "nginx" else ""
    front = start(site, http=http, locations=LIMITED[kind].replace("{members}", str(site.members)))
    visitor = Visitor(front.port)
    visitor.log_in()
    slow.touch()
    try:
        began = time.monotonic()
        for path in ("/denied", "/basic", "/moved") if kind == "nginx" else ("/test/denied", "/test/basic"):
            assert visitor.get(path).status in (401, 403), path
        assert time.monotonic() - began < 10
    finally:
        slow.unlink()
