"""A store that is away or slow: a status and never a logout, and other requests go on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from configured import Site
from conftest import Start
from processes import BUILD
from visitor import Response, Visitor


@pytest.fixture
def away(site: Site, database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The site on the module of away_store.c; the store is away while this file is there."""
    assert (BUILD / "servers/libtuile-away.so").exists(), "Tests/Servers/run builds it"
    monkeypatch.setenv("TUILE_MODULE_PATH", str(BUILD / "servers"))
    site.store = f"away://{database}"
    yield Path(f"{database}.away")
    for name in ("away", "slow"):
        Path(f"{database}.{name}").unlink(missing_ok=True)


def test_an_outage_is_503_and_no_logout(start: Start, site: Site, away: Path) -> None:
    visitor = Visitor(start(site).port)
    visitor.log_in()
    away.touch()
    for path in ("/members/page.html", "/files/page.html", "/count"):
        response = visitor.get(path)
        assert response.status == 503 and response.all("Set-Cookie") == [], path
    away.unlink()
    visitor.wait_until_served("/members/page.html")
    assert visitor.get_served("/count").body == "1\n"


def test_it_starts_without_the_store_and_finds_it_later(start: Start, site: Site, away: Path) -> None:
    away.touch()
    visitor = Visitor(start(site).port)
    visitor.cookie = "a" * 32
    assert visitor.get("/members/page.html").status == 503
    away.unlink()
    visitor.with_cookie(None).log_in()
    visitor.wait_until_served("/members/page.html")


def test_a_visitor_without_a_cookie_is_served_during_an_outage(start: Start, site: Site, away: Path) -> None:
    visitor = Visitor(start(site).port)
    away.touch()
    assert visitor.get("/members/page.html").status == 302


PASS = {
    "nginx": """location /pass { tuile_unavailable pass; return 200 "-$tuile_session__auth_user_id-"; }
        location /never { tuile_unavailable pass; tuile_require on; }
        location /own { tuile_unavailable 504; error_page 504 =500 /sorry; }
        location /sorry { return 200 sorry; }""",
    "apache": """Alias /test/pass {members}/page.html
        <Location /test/pass>
          TuileUnavailable pass
        </Location>""",
}


def test_what_is_done_in_an_outage_can_be_set(start: Start, site: Site, away: Path, kind: str) -> None:
    visitor = Visitor(start(site, locations=PASS[kind].replace("{members}", str(site.members))).port)
    visitor.log_in()
    away.touch()
    assert visitor.get("/pass" if kind == "nginx" else "/test/pass").status == 200
    if kind == "nginx":
        assert visitor.get("/pass").body == "--"
        assert visitor.get("/never").status == 503
        response = visitor.get("/own")
        assert (response.status, response.body) == (500, "sorry")
    assert visitor.cookie


def test_a_slow_store_stalls_nobody_else(start: Start, site: Site, away: Path) -> None:
    slow = Path(str(away).replace(".away", ".slow"))
    front = start(site)
    visitor = Visitor(front.port)
    visitor.log_in()
    slow.touch()
    answers: list[Response] = []

    def wait() -> None:
        waiting = Visitor(front.port)
        waiting.cookie = visitor.cookie
        answers.append(waiting.get("/files/page.html"))

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    stranger = Visitor(front.port)
    for _ in range(100):  # more than any worker could skip
        assert stranger.get("/members/page.html").status == 302
    assert answers == []
    os.unlink(slow)
    for thread in threads:
        thread.join(60)
    assert [answer.status for answer in answers] == [200] * 4
