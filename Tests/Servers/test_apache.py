"""What is Apache's own: rules beside others, the environment, its configuration's test, restarts."""

from __future__ import annotations

import signal
import time

import pytest
from configured import Site, apache_test
from conftest import Start
from visitor import Visitor

PROGRAM = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env | grep -E '^(TUILE_SESSION|REMOTE_USER)' | sort
"""


@pytest.fixture
def kind() -> str:
    return "apache"


def program(site: Site) -> str:
    path = site.folder / "show"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return f"ScriptAlias /test/show {path}\nAlias /test/page {site.members}/page.html\n"


def test_the_environment(start: Start, site: Site) -> None:
    locations = program(site) + """
      <Location /test/show>
        Require tuile-session name
        TuileEnv _auth_user_id name evil camelCase none
      </Location>
    """
    visitor = Visitor(start(site, locations=locations).port)
    visitor.log_in()
    assert visitor.get("/test/show").body.splitlines() == [
        'REMOTE_USER=Änna "A"',
        'TUILE_SESSION_CAMELCASE={"a":[1,null]}',
        'TUILE_SESSION_NAME=Änna "A"',
        "TUILE_SESSION__AUTH_USER_ID=1",
    ]


def test_any_other_rule_may_let_the_visitor_in(start: Start, site: Site) -> None:
    locations = program(site) + """
      <Location /test/page>
        TuileLoginURL /in?a=b
        <RequireAny>
          Require ip 192.0.2.1
          Require tuile-session
        </RequireAny>
      </Location>
      <Location /test/show>
        TuileLoginURL /in
        <RequireAny>
          Require ip 127.0.0.1
          Require tuile-session
        </RequireAny>
      </Location>
    """
    visitor = Visitor(start(site, locations=locations).port)
    assert visitor.get("/test/show").status == 200
    response = visitor.get("/test/page")
    assert (response.status, response.header("Location")) == (302, "/in?a=b&next=%2Ftest%2Fpage")
    visitor.log_in()
    assert visitor.get("/test/page").status == 200


def test_an_error_document_counts_no_second_time(start: Start, site: Site) -> None:
    locations = program(site) + """
      <Location /test/>
        TuileCount n
        TuileEnv n
        ErrorDocument 404 /test/show
      </Location>
    """
    visitor = Visitor(start(site, locations=locations).port)
    response = visitor.get("/test/none")
    assert response.status == 404 and response.body == "TUILE_SESSION_N=1\n" and visitor.cookie
    assert visitor.get("/test/show").body == "TUILE_SESSION_N=2\n"


def test_refresh_sends_the_cookie_again(start: Start, site: Site) -> None:
    visitor = Visitor(start(site, http="TuileRefresh 1").port)
    visitor.log_in()
    time.sleep(1.2)
    header = visitor.get("/files/page.html").header("Set-Cookie")
    assert header is not None and "Max-Age=1209600" in header
    visitor.cookie = "a" * 32
    assert visitor.get("/files/page.html").all("Set-Cookie") == []


def test_sessions_may_be_left_alone(start: Start, site: Site) -> None:
    locations = program(site) + """
      <Location /test/show>
        TuileSession Off
      </Location>
    """
    visitor = Visitor(start(site, locations=locations).port)
    visitor.log_in()
    assert visitor.get("/test/show").body == ""


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("TuileStore sqlite://relative", "URL is absolute"),
        ("TuileStore sqlite:///no/such/folder/db", "unable to open database file"),
        ("TuileSecretFile /no/such/file", "TuileSecretFile"),
        ("TuileSecretFile secret rot13", "takes hex, base64, weak and shared"),
        ("TuileCookieSameSite None", "Secure"),
        ("TuileCookieSameSite Loose", "takes Lax, Strict"),
        ("TuileCookieAge soon", "takes seconds"),
        ("<Location /x>\nTuileUnavailable 200\n</Location>", "takes pass, or a status"),
        ("<Location /x>\nRequire tuile-session a b\n</Location>", "takes one key"),
    ],
)
def test_the_configurations_test_finds(site: Site, extra: str, message: str) -> None:
    status, said = apache_test(site, locations=extra)
    said += (site.folder / "error.log").read_text() if (site.folder / "error.log").exists() else ""
    assert status != 0 and message in said and "apache.conf" in said, said


def test_the_configurations_test_passes_what_is_right(site: Site) -> None:
    status, said = apache_test(site)
    assert status == 0 and "Syntax OK" in said, said


def test_restarts_keep_going(start: Start, site: Site) -> None:
    # A file, as the daemon that starts CGI programs is itself away for a moment.
    locations = program(site) + """
      <Location /test/page>
        TuileCount pages
        TuileEnv pages
        Header set X-Pages %{TUILE_SESSION_PAGES}e
      </Location>
    """
    front = start(site, locations=locations)
    visitor = Visitor(front.port)
    counts: list[int] = []

    def count() -> None:
        answer = visitor.get("/test/page")
        assert answer.status == 200, front.messages()
        counts.append(int(answer.header("X-Pages") or -1))

    deadline = time.monotonic() + 120
    # A signal before it listens to signals ends it: each waits until the restart before is done.
    for restart in range(4):
        while front.messages().count("resuming normal operations") < restart + 1:
            assert time.monotonic() < deadline, front.messages()
            count()
        for _ in range(20):
            count()
        if restart < 3:
            front.reload(signal.SIGUSR1)
    assert counts == list(range(1, len(counts) + 1))
    assert front.messages().count("Doing graceful restart") == 3
