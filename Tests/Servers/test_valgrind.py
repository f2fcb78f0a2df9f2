"""A short run of the server under valgrind: no error, and nothing of ours lost."""

from __future__ import annotations

import re
from configured import Site
from conftest import Start
from processes import HERE
from visitor import Visitor

VALGRIND = (
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--num-callers=30",
    f"--suppressions={HERE}/valgrind.supp",
)
LOCATIONS = {
    "nginx": """
      location /inside { tuile_store cookie:; tuile_cookie_name inside; tuile_count n; return 200 $tuile_session_n; }
      location /kept { tuile_refresh on; try_files /none =204; }
    """
}
ALONE = {"nginx": {"main": "master_process off;"}}


def test_a_short_run_under_valgrind(start: Start, site: Site, kind: str) -> None:
    front = start(site, prefix=VALGRIND, locations=LOCATIONS[kind], **ALONE[kind])
    visitor = Visitor(front.port)
    assert visitor.get("/members/page.html").status == 302
    visitor.log_in()
    for path in ("/members/page.html", "/members/", "/files/page.html", "/inside", "/kept", "/count", "/count", "/"):
        assert visitor.get(path).status in (200, 204), path
    visitor.cookie = "x"
    assert visitor.get("/files/page.html").status == 401
    front.stop(front.graceful)
    assert not re.search(r"==\d+== ", front.messages()), front.messages()
