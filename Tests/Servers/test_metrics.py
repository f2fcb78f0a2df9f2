"""What was answered, by location: counted by all workers, and shown to Prometheus."""

from __future__ import annotations

import re
import signal
import time

import pytest
from configured import Site
from conftest import Start
from processes import Front
from visitor import Visitor

LOCATIONS = {
    "nginx": """
      location = /metrics { tuile_session off; tuile_metrics; }
      location /gate/members { tuile_require on; tuile_login_url /accounts/login/; try_files /none =204; }
      location /gate/staff { tuile_require is_staff; try_files /none =204; }
      location /gate/open { tuile_identity_header X-User _auth_user_id; try_files /none =204; }
    """,
    "apache": """
      AliasMatch ^/gate/(members|staff|open) MEMBERS/page.html
      <Location /metrics>
        SetHandler tuile-metrics
      </Location>
      <Location /gate/members>
        Require tuile-session
        TuileLoginURL /accounts/login/
      </Location>
      <Location /gate/staff>
        Require tuile-session is_staff
      </Location>
      <Location /gate/open>
        Require all granted
        TuileIdentityHeader X-User _auth_user_id
      </Location>
    """,
}


def counters(front: Front) -> dict[tuple[str, str], int]:
    """By location, and answer or status; only what was counted."""
    response = Visitor(front.port).get("/metrics")
    assert response.status == 200 and response.header("Content-Type") == "text/plain; version=0.0.4"
    rows = re.findall(r'^tuile_gate_(?:answers|sessions)_total\{(?:server="[^"]*",)?location="([^"]*)",(?:answer|status)="(\w+)"\} (\d+)$',
                      response.body, re.M)  # fmt: skip
    assert len(rows) >= 48
    return {(location, word): int(number) for location, word, number in rows if number != "0" and location.startswith("/gate/")}


@pytest.fixture
def front(start: Start, site: Site, kind: str) -> Front:
    proxied = "ProxyPass /metrics !\nProxyPass /gate/ !" if kind == "apache" else ""
    return start(site, http=proxied, locations=LOCATIONS[kind].replace("MEMBERS", str(site.members)))


def test_answers_are_counted(front: Front) -> None:
    assert counters(front) == {}
    visitor, page = Visitor(front.port), {"Accept": "text/html"}
    assert visitor.get("/gate/members", headers=page).status == 302
    assert visitor.get("/gate/staff", headers=page).status == 401
    visitor.get("/gate/open")
    visitor.log_in()
    for _ in range(20):
        assert visitor.get("/gate/members").status in (200, 204)
    assert visitor.get("/gate/staff").status == 403
    expected = {
        ("/gate/members", "login"): 1, ("/gate/members", "pass"): 20, ("/gate/members", "found"): 20,
        ("/gate/staff", "unauthorized"): 1, ("/gate/staff", "forbidden"): 1, ("/gate/staff", "found"): 1,
        ("/gate/open", "pass"): 1,
    }  # fmt: skip
    found = counters(front)
    # Nobody's request has no session, whether or not the store was asked.
    nobody = {key: found.pop(key) for key in list(found) if key[1] in ("unread", "none", "absent")}
    assert found == expected and sum(nobody.values()) == 3
    assert Visitor(front.port).get("/metrics", method="POST").status == 405


def test_nginx_counts_on_over_a_reload(front: Front, kind: str, site: Site) -> None:
    if kind != "nginx":
        pytest.skip("Apache begins anew, as its own counters do")
    visitor = Visitor(front.port)
    assert visitor.get("/gate/staff").status == 401
    front.reload(signal.SIGHUP)
    # The old workers are gone.
    for _ in range(1200):
        if front.messages().count("exited with code 0") >= 2:
            break
        time.sleep(0.05)
    assert visitor.get("/gate/staff").status == 401
    assert counters(front)["/gate/staff", "unauthorized"] == 2


def test_nobody_asks(start: Start, site: Site) -> None:
    visitor = Visitor(start(site).port)
    assert visitor.get("/metrics").status != 200
    assert visitor.get("/members/page.html").status in (302, 401)
