"""Sessions in cookies: a copy from before a logout neither passes nor lives on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import configured
import pytest
from application import SECRET
from configured import Site
from conftest import Start
from visitor import Response, Visitor

COPIES = {
    "nginx": """
      location /cookie/ { tuile_store cookie:; tuile_cookie_name inside; REVOCATIONS
        location /cookie/members { tuile_require on; try_files /none =204; }
        location /cookie/count { tuile_count n; try_files /none =204; }
        REFRESHED
      }
    """,
    "apache": """
      TuileStore cookie:
      TuileCookieName inside
      REVOCATIONS
      AliasMatch ^/cookie/ {members}/page.html
      <Location /cookie/members>
        Require tuile-session
      </Location>
      <Location /cookie/count>
        TuileCount n
      </Location>
    """,
}
REFRESHED = {"nginx": "location /cookie/kept { tuile_refresh 1; try_files /none =204; }", "apache": "TuileRefresh 1"}
Ask = Callable[[int, str, Optional[str]], Response]
SAID = {"nginx": "tuile_revocations {store};", "apache": "TuileRevocations {store}"}


class Application:
    """What any application with the library makes: a login in a cookie, and its logout."""

    def __init__(self, revocations: str) -> None:
        from tuile.sessions import Manager

        self.manager = Manager(store="cookie:", secret=SECRET, cookie_name="inside", revocations=revocations)

    def commit(self, header: str, change: str) -> str:
        with self.manager.begin(header) as session:
            if change == "login":
                session["_auth_user_id"] = "1"
            else:
                session.flush()
            sent = session.commit()
        return next(value for name, value in sent if name == "Set-Cookie").split(";")[0].partition("=")[2]

    def log_in(self) -> str:
        return self.commit("", "login")

    def log_out(self, cookie: str) -> None:
        self.commit(f"inside={cookie}", "logout")


def site_of(site: Site, kind: str, revocations: str | None, refresh: bool) -> str:
    said = SAID[kind].format(store=revocations) if revocations else ""
    text = COPIES[kind].replace("{members}", str(site.members)).replace("REVOCATIONS", said)
    refreshed = REFRESHED[kind] if refresh else ""
    return text.replace("REFRESHED", refreshed) if kind == "nginx" else (refreshed + text).replace("/cookie/", "/test/cookie/")


@pytest.fixture
def revocations(site: Site) -> str:
    path = site.folder / "revocations"
    path.mkdir()
    path.chmod(0o777)
    (path / "db").touch()
    (path / "db").chmod(0o666)
    return f"sqlite://{path}/db?mode=rwc"  # which nobody else has made


@pytest.fixture
def ask(kind: str) -> Ask:
    def ask(port: int, path: str, cookie: str | None) -> Response:
        visitor = Visitor(port, cookie_name="inside").with_cookie(cookie)
        return visitor.get(path if kind == "nginx" else f"/test{path}")

    return ask


def test_a_copy_from_before_the_logout_neither_passes_nor_lives_on(start: Start, site: Site, kind: str, ask: Ask, revocations: str) -> None:
    front = start(site, locations=site_of(site, kind, revocations, refresh=True))
    application = Application(revocations)
    copy = application.log_in()
    for path in ("/cookie/members", "/cookie/count"):
        assert ask(front.port, path, copy).status in (200, 204), path
    counted = ask(front.port, "/cookie/count", copy)
    assert len(counted.all("Set-Cookie")) == 1  # the control: a login is counted
    application.log_out(copy)
    assert ask(front.port, "/cookie/members", copy).status == 401
    for path in ("/cookie/count", "/cookie/kept", "/cookie/other"):
        response = ask(front.port, path, copy)
        for header in response.all("Set-Cookie"):  # a new visitor's count at most
            fresh = header.split(";")[0].partition("=")[2]
            assert ask(front.port, "/cookie/members", fresh).status == 401, path


def test_what_cannot_be_checked_neither_passes_nor_counts(start: Start, site: Site, kind: str, ask: Ask, revocations: str) -> None:
    front = start(site, locations=site_of(site, kind, None, refresh=False))
    application = Application(revocations)
    copy = application.log_in()
    application.log_out(copy)
    assert ask(front.port, "/cookie/members", copy).status == 401
    assert ask(front.port, "/cookie/count", copy).all("Set-Cookie") == []
    assert "revocations" in front.messages()


def test_a_login_that_nobody_can_end_is_not_signed_anew(start: Start, site: Site, kind: str, ask: Ask) -> None:
    front = start(site, locations=site_of(site, kind, None, refresh=False))
    cookie = Application("").log_in()
    assert ask(front.port, "/cookie/members", cookie).status in (200, 204)
    assert ask(front.port, "/cookie/count", cookie).all("Set-Cookie") == []
    assert "may be a copy" in front.messages()
    assert len(ask(front.port, "/cookie/count", None).all("Set-Cookie")) == 1  # a stranger


def test_refresh_without_revocations_is_refused(site: Site, kind: str) -> None:
    status, said = getattr(configured, f"{kind}_test")(site, locations=site_of(site, kind, None, refresh=True))
    assert status != 0 and "needs revocations" in said, said
