"""The shorter configurations of docs/nginx.md and docs/apache.md, beside the long one that every test runs."""

from __future__ import annotations

import pytest
from configured import Site, block
from conftest import Start
from processes import Front
from visitor import Visitor


@pytest.fixture
def front(start: Start, site: Site, kind: str) -> Front:
    blocks = "".join(block(f"{kind}.md", "text", number) for number in range(2))
    here = f"http://127.0.0.1:{site.application}"
    if kind == "nginx":
        assert blocks.count("http://127.0.0.1:8000") == 2
        return start(site, locations=blocks.replace("http://127.0.0.1:8000", here))
    return start(site, locations=blocks)


def test_admins_and_readers_of_reports(front: Front, site: Site) -> None:
    anna = Visitor(front.port)
    # Nobody, then somebody without what is required, then with it: 404 is the application's, which has no such page.
    for page in ("/admin/page", "/reports/page"):
        assert anna.get(page).status == 401
    anna.log_in()
    for page in ("/admin/page", "/reports/page"):
        assert anna.get(page).status == 403
    anna.put(role="admin")
    assert anna.get("/admin/page").status == 404
    assert anna.get("/reports/page").status == 403
