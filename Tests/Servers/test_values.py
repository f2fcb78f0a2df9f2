"""What satisfies a requirement, and which cookie counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from configured import Site
from conftest import Start
from visitor import Visitor

HOLDS = {
    "nginx": "location /holds { tuile_require value; try_files /none =204; }",
    "apache": "Alias /test/holds {members}/page.html\n<Location /test/holds>\nRequire tuile-session value\n</Location>",
}
PATH = {"nginx": "/holds", "apache": "/test/holds"}


def holds(kind: str, site: Site) -> str:
    return HOLDS[kind].replace("{members}", str(site.members))


def test_a_value_that_says_no_satisfies_nothing(start: Start, site: Site, kind: str) -> None:
    visitor = Visitor(start(site, locations=holds(kind, site)).port)
    visitor.log_in()
    refused = [None, False, 0, 0.0, -0.0, "", " ", "\t\n", "0", "false", "False", "FALSE", " false ", "null", "None", [], {}, float("nan")]
    passing = [True, 1, -1, 0.5, 1e-300, "1", "yes", "00", "falsehood", [0], {"a": None}, [False], 10, 100.0]
    for value in refused:
        visitor.put(value=value)
        assert visitor.get(PATH[kind]).status in (401, 403), value
    for value in passing:
        visitor.put(value=value)
        assert visitor.get(PATH[kind]).status in (200, 204), value


LOGINS = ("0", 0, "", None, False, "false", [], {})


def test_a_login_that_says_no_is_none(start: Start, site: Site) -> None:
    visitor = Visitor(start(site).port)
    visitor.log_in()
    for value in LOGINS:
        visitor.put(_auth_user_id=value)
        assert visitor.get("/members/page.html").status == 302, value


SEVERAL = {"nginx": "tuile_several_cookies on;", "apache": "TuileSeveralCookies On"}


def test_several_different_session_cookies_are_no_session(start: Start, site: Site, kind: str, database: Path) -> None:
    front = start(site, locations=holds(kind, site))
    anna, tossed = Visitor(front.port), Visitor(front.port)
    anna.log_in()
    tossed.put(value=1)
    for pair in ((anna.cookie, tossed.cookie), (tossed.cookie, anna.cookie), (anna.cookie, ""), ("x", anna.cookie)):
        both = {"Cookie": f"sessionid={pair[0]}; other=1; sessionid={pair[1]}"}
        for path in ("/members/page.html", "/files/page.html", PATH[kind]):
            response = Visitor(front.port).get(path, headers=both)
            assert response.status in (302, 401) and response.all("Set-Cookie") == [], (path, pair)
        counted = Visitor(front.port).get("/count", headers=both)
        assert counted.body == "\n" and counted.all("Set-Cookie") == [], pair
        assert Visitor(front.port).get("/", headers=both).body.split()[1] == "-"  # X-User
    same = {"Cookie": f"sessionid={anna.cookie}; sessionid={anna.cookie}"}
    assert Visitor(front.port).get("/files/page.html", headers=same).status == 200
    assert "several different session cookies" in front.messages()


def test_one_of_several_cookies_counts_where_that_is_said(start: Start, site: Site, kind: str) -> None:
    front = start(site, http=SEVERAL[kind], locations=holds(kind, site))
    anna, tossed = Visitor(front.port), Visitor(front.port)
    anna.log_in()
    tossed.put(value=1)

    def status(*cookies: str | None) -> int:
        header = "; ".join(f"sessionid={cookie}" for cookie in cookies)
        return Visitor(front.port).get("/files/page.html", headers={"Cookie": header}).status

    assert status(tossed.cookie, anna.cookie) == 200  # Django's rule: the last one
    assert status(anna.cookie, tossed.cookie) == 401


POLICY = {"nginx": "tuile_policy aal3; tuile_cookie_age 2w;", "apache": "TuilePolicy AAL3\nTuileCookieAge 1209600"}
PREVIOUS = {"nginx": "tuile_previous_cookie old;", "apache": "TuilePreviousCookie old"}


@pytest.mark.parametrize(("settings", "message"), [(POLICY, "a policy says itself"), (PREVIOUS, "without previous_store")])
def test_settings_that_contradict_each_other_are_refused(site: Site, kind: str, settings: dict[str, str], message: str) -> None:
    import configured

    status, said = getattr(configured, f"{kind}_test")(site, http=settings[kind])
    said += (site.folder / "error.log").read_text() if (site.folder / "error.log").exists() else ""
    assert status != 0 and message in said and f"{kind}.conf:" in said, said
