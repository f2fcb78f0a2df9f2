"""What is nginx's own: variables, its configuration's test, reloads, internal redirects."""

from __future__ import annotations

import http.client
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from configured import Site, nginx_test
from conftest import Start
from processes import Front, free_port
from visitor import Visitor


@pytest.fixture
def kind() -> str:
    return "nginx"


VARIABLES = """
  location = /show {
    set $early "$tuile_session__auth_user_id";
    if ($tuile_session_name) { set $early "$early+"; }
    return 200 "$early|$tuile_session_name|$tuile_session_evil|$camel|$tuile_session_camelcase|$tuile_session__session_expiry";
  }
"""


def test_variables(start: Start, site: Site) -> None:
    visitor = Visitor(start(site, locations=VARIABLES, http="tuile_variable $camel camelCase;").port)
    assert visitor.get("/show").body == "|||||"
    visitor.log_in()
    assert visitor.get("/show").body == '1+|Änna "A"||{"a":[1,null]}||'


def test_internal_redirects_keep_the_visit_and_count_once(start: Start, site: Site) -> None:
    locations = """
      location /one { tuile_count first; try_files /none /two; }
      location /two { tuile_count first; error_page 404 = /three; return 404; }
      location /three { tuile_count second; return 200 "$tuile_session_first $tuile_session_second"; }
      location /rewritten { tuile_count first; rewrite ^ /three last; }
    """
    visitor = Visitor(start(site, locations=locations).port)
    response = visitor.get("/one")
    assert response.body == "1 1" and len(response.all("Set-Cookie")) == 1
    assert visitor.get("/rewritten").body == "2 2"


def test_several_cookie_headers_are_read_as_one(start: Start, site: Site) -> None:
    visitor = Visitor(start(site).port)
    visitor.log_in()
    connection = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=30)
    connection.putrequest("GET", "/files/page.html")
    for value in ("a=1", f"sessionid={visitor.cookie}", "b=2"):
        connection.putheader("Cookie", value)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()


def test_cookies_that_http_2_splits(start: Start, site: Site) -> None:
    port = free_port()
    location = "location / { tuile_count pages; return 200 '$tuile_session__auth_user_id $tuile_session_pages'; }"
    server = f"server {{ listen 127.0.0.1:{port} http2; {location} }}"
    visitor = Visitor(start(site, http=server).port)
    visitor.log_in()
    crumbs = [text for value in ("a=1", f"sessionid={visitor.cookie}", "b=2") for text in ("-H", f"Cookie: {value}")]
    command = ["curl", "-sS", "--http2-prior-knowledge", "-w", " %{http_version}", *crumbs, f"http://127.0.0.1:{port}/"]
    for count in (1, 2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == f"1 {count} 2"


def test_satisfy_any_lets_another_rule_decide(start: Start, site: Site) -> None:
    locations = """
      location /any { tuile_require on; tuile_login_url /in; satisfy any; allow 127.0.0.1; deny all; root /; try_files /none =204; }
      location /none { tuile_require on; tuile_login_url /in; satisfy any; deny all; }
    """
    visitor = Visitor(start(site, locations=locations).port)
    assert visitor.get("/any").status == 204
    assert visitor.get("/none").status == 401


SUBREQUESTS = """
  location /answered { auth_request /auth/answered; root /; try_files /none =204; }
  location /filed { auth_request /auth/filed; root /; try_files /none =204; }
  location /inherited { auth_request /auth/sub/inherited; root /; try_files /none =204; }
  location /included { ssi on; ssi_types *; alias INCLUDING; }
  location /auth/ { internal; tuile_require on; tuile_login_url /accounts/login/;
    location /auth/answered { return 204; }
    location /auth/filed { alias FILE; }
    location /auth/sub/ { tuile_require on; location /auth/sub/inherited { return 200; } }
  }
"""


def test_a_requirement_holds_in_subrequests_too(start: Start, site: Site) -> None:
    including = site.folder / "including"
    including.write_text('<!--# include virtual="/files/page.html" --><!--# include virtual="/members/page.html" -->')
    locations = SUBREQUESTS.replace("INCLUDING", str(including)).replace("FILE", f"{site.members}/page.html")
    visitor = Visitor(start(site, locations=locations).port)
    for path in ("/answered", "/filed", "/inherited"):
        assert visitor.get(path).status == 401, path
    assert "for members" not in visitor.get("/included").body
    visitor.log_in()
    for path in ("/answered", "/filed", "/inherited"):
        assert visitor.get(path).status == 204, path
    assert visitor.get("/included").body == "for members\nfor members\n"
    visitor.put(_auth_user_id="")
    assert visitor.get("/answered").status == 401


def test_limit_except(start: Start, site: Site) -> None:
    locations = f"""
      location = /preflight {{ alias {site.members}/page.html; limit_except OPTIONS {{ tuile_require on; }} }}
      location = /read {{ alias {site.members}/page.html; limit_except GET {{ tuile_require on; }} }}
    """
    visitor = Visitor(start(site, locations=locations).port)
    passed = 405  # by the access rules; a file takes GET and HEAD alone
    assert visitor.get("/preflight", method="OPTIONS").status == passed
    assert visitor.get("/preflight").status == 401
    assert visitor.get("/read").status == 200
    assert visitor.get("/read", method="DELETE").status == 401
    visitor.log_in()
    assert visitor.get("/preflight").status == 200
    assert visitor.get("/read", method="DELETE").status == passed


def test_rules_before_the_access_phase_may_ask_for_the_session(start: Start, site: Site) -> None:
    locations = """
      location /user { if ($tuile_session__auth_user_id = 1) { return 200 anna; } return 200 stranger; }
      location /mapped { tuile_early on; if ($mapped) { return 200 $mapped; } return 204; }
      location /each { tuile_early on; limit_req zone=user; try_files /none =204; }
    """
    http = """
      map $tuile_session__auth_user_id $mapped { 1 anna; }
      limit_req_zone $tuile_session__auth_user_id zone=user:1m rate=1r/m;
    """
    visitor = Visitor(start(site, locations=locations, http=http).port)
    assert visitor.get("/user").body == "stranger" and visitor.get("/mapped").status == 204
    assert [visitor.get("/each").status for _ in range(3)] == [204] * 3  # no user, no limit
    visitor.log_in()
    assert visitor.get("/user").body == "anna" and visitor.get("/mapped").body == "anna"
    assert [visitor.get("/each").status for _ in range(3)] == [204, 503, 503]


COOKIE_SITE = """
  location /cookie/ { tuile_store cookie:; tuile_cookie_name inside; tuile_count n; tuile_cookie_path /cookie/; tuile_cookie_age 1h;
    tuile_cookie_samesite strict; return 200 $tuile_session_n; }
  location /cookie/members { tuile_store cookie:; tuile_cookie_name inside; tuile_require n; try_files /none =204; }
"""


def test_a_session_in_its_cookie(start: Start, site: Site) -> None:
    visitor = Visitor(start(site, locations=COOKIE_SITE).port, cookie_name="inside")
    response = visitor.get("/cookie/")
    assert response.body == "1"
    header = response.header("Set-Cookie")
    assert header is not None and "Max-Age=3600" in header and "Path=/cookie/" in header and "SameSite=Strict" in header
    assert visitor.get("/cookie/").body == "2"
    assert visitor.get("/cookie/members").status == 204
    assert visitor.cookie is not None
    visitor.cookie = ("A" if visitor.cookie[0] != "A" else "B") + visitor.cookie[1:]
    assert visitor.get("/cookie/members").status == 401


def test_refresh_moves_the_expiry(start: Start, site: Site, database: Path) -> None:
    def expiry() -> str:
        with sqlite3.connect(database, timeout=20) as connection:
            rows = connection.execute("select expire_date from django_session where session_key = ?", (visitor.cookie,))
            row: tuple[str] = rows.fetchone()
        return row[0]

    visitor = Visitor(start(site, locations="location /kept { tuile_refresh 1s; try_files /none =204; }").port)
    visitor.log_in()
    before = expiry()
    assert visitor.get("/files/page.html").status == 200 and expiry() == before
    time.sleep(1.2)
    response = visitor.get("/kept")
    assert len(response.all("Set-Cookie")) == 1 and expiry() > before
    visitor.cookie = "a" * 32
    assert visitor.get("/kept").all("Set-Cookie") == []  # a key of no session: nothing to keep, nothing deleted


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("tuile_store sqlite://relative;", "URL is absolute"),
        ("tuile_store nothing;", "URL is none of"),
        ("tuile_store sqlite:///no/such/folder/db;", "unable to open database file"),
        ("tuile_store cookie:nothing;", "is followed by none of"),
        ("tuile_secret_file /no/such/file;", "tuile_secret_file"),
        ("tuile_secret_file secret rot13;", "takes hex, base64, weak and shared"),
        ("tuile_cookie_name 'a b';", "cookie"),
        ("tuile_cookie_samesite none;", "Secure"),
        ("tuile_cookie_samesite loose;", "invalid value"),
        ("tuile_unavailable 200;", "takes pass, or a status"),
        ("tuile_require on; tuile_session off;", "need a tuile_store"),
        ("tuile_thread_pool nowhere;", "unknown thread pool"),
        ("tuile_deadline 0;", "value must be between 1 and 3600000"),
        ("tuile_deadline 2h;", "value must be between 1 and 3600000"),
    ],
)
def test_the_configurations_test_finds(site: Site, extra: str, message: str) -> None:
    status, said = nginx_test(site, locations=f"location /x {{ {extra} }}")
    assert status != 0 and message in said and "[emerg]" in said, said
    assert re.search(r"nginx\.conf:\d+", said), said


def test_a_secret_that_others_may_read(site: Site) -> None:
    file = site.folder / "mounted"
    file.write_bytes((site.folder / "secret").read_bytes())
    for mode, words, fine in ((0o640, "", False), (0o640, "shared", True), (0o444, "weak shared", True), (0o666, "shared", False)):
        file.chmod(mode)
        status, said = nginx_test(site, locations=f"location /x {{ tuile_secret_file {file} {words}; }}")
        assert (status == 0) == fine and ("others than its owner may" in said) == (not fine), (mode, words, said)


def test_the_configurations_test_passes_what_is_right(site: Site) -> None:
    status, said = nginx_test(site)
    assert status == 0 and "[emerg]" not in said and "[warn]" not in said, said


def test_a_secret_that_others_may_read_is_refused(site: Site) -> None:
    site.secret_file.chmod(0o644)
    status, said = nginx_test(site)
    assert status != 0 and "secret" in said, said


def test_reloads_keep_going(front: Front, site: Site) -> None:
    visitor = Visitor(front.port)
    counts = []
    for _ in range(5):
        front.reload(signal.SIGHUP)
        for _ in range(20):
            response = visitor.get("/count")
            assert response.status == 200
            counts.append(int(response.body))
            time.sleep(0.005)
    assert counts == list(range(1, 101))
    assert front.messages().count(", reconfiguring") == 5


def test_a_reload_reads_the_keys_again(front: Front, site: Site) -> None:
    visitor = Visitor(front.port)
    visitor.log_in()
    keys = site.secret_file.read_text()
    site.secret_file.write_text("another secret of more than 32 bytes, 0123456789\n" + keys)
    front.reload(signal.SIGHUP)
    time.sleep(1)
    assert visitor.get("/files/page.html").status == 200  # the old key still reads
    site.secret_file.write_text("another secret of more than 32 bytes, 0123456789\n")
    front.reload(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while visitor.get("/files/page.html").status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_reload_with_a_mistake_changes_nothing(front: Front, site: Site) -> None:
    visitor = Visitor(front.port)
    visitor.log_in()
    site.secret_file.chmod(0o644)
    front.reload(signal.SIGHUP)
    time.sleep(1)
    assert visitor.get("/files/page.html").status == 200
    assert "[emerg]" in front.messages()
