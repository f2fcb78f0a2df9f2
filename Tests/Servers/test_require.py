"""Requirements that say what is meant, and the answer for each who does not pass."""

from __future__ import annotations

from urllib.parse import quote, unquote

import configured
import pytest
from configured import Site
from conftest import Start
from processes import free_port
from visitor import Visitor

TERMS = {
    "role": "role=admin",
    "zero": "level=0",
    "empty": "note=",
    "both": "all on role=admin",
    "either": "any role=admin role=editor staff",
    "typed": "all level=3 ok=true",
    "unicode": "name=Zoë=\U0001f600",
    "nobody": "all",
}


def locations(kind: str, site: Site, login: str = "") -> str:
    said = ""
    for name, term in TERMS.items():
        if name == "nobody":
            continue
        if kind == "nginx":
            words = " ".join(f'"{word}"' for word in term.split())
            said += f"location /{name} {{ tuile_require {words}; {login} try_files /none =204; }}\n"
        else:
            words = " ".join(f'"{word}"' for word in term.split())
            said += f"Alias /test/{name} {site.members}/page.html\n<Location /test/{name}>\nRequire tuile-session {words}\n{login}\n</Location>\n"
    return said


class Asker:
    def __init__(self, port: int, kind: str) -> None:
        self.visitor, self.start = Visitor(port), "/" if kind == "nginx" else "/test/"

    def status(self, name: str) -> int:
        status = self.visitor.get(self.start + name).status
        return 200 if status == 204 else status


@pytest.fixture
def asker(start: Start, site: Site, kind: str) -> Asker:
    return Asker(start(site, locations=locations(kind, site)).port, kind)


def test_values_and_several_keys(asker: Asker) -> None:
    asker.visitor.log_in()
    cases: list[tuple[dict[str, object], set[str]]] = [
        ({}, set()),
        ({"role": "admin"}, {"role", "both", "either"}),
        ({"role": "administrator"}, set()),
        ({"role": "Admin"}, set()),
        ({"role": "admin "}, set()),
        ({"role": ["editor", "admin"]}, {"role", "both", "either"}),
        ({"role": ["editor"]}, {"either"}),
        ({"role": ["adm\u0069n\n", [], {"a": "admin"}, ["admin"], 'x","admin']}, set()),
        ({"role": [1, None, "a]b,\\", "admin"]}, {"role", "both", "either"}),
        ({"role": {"admin": 1}}, set()),
        ({"role": None, "staff": True}, {"either"}),
        ({"staff": 0}, set()),
        ({"level": 0}, {"zero"}),
        ({"level": "0"}, {"zero"}),
        ({"level": [0]}, {"zero"}),
        ({"level": 0.0}, set()),
        ({"level": 3}, set()),
        ({"level": 3, "ok": True}, {"typed"}),
        ({"level": "3", "ok": "true"}, {"typed"}),
        ({"level": 30, "ok": True}, set()),
        ({"note": ""}, {"empty"}),
        ({"note": []}, set()),
        ({"note": [""]}, {"empty"}),
        ({"name": "Zoë=\U0001f600"}, {"unicode"}),
        ({"name": ["Zo\u00eb=\U0001f600"]}, {"unicode"}),
        ({"name": ["Zoë=\U0001f601"]}, set()),
    ]
    names = {"role": None, "level": None, "note": None, "staff": None, "ok": None, "name": None}
    for values, passing in cases:
        asker.visitor.put(**{**names, **values})
        for name in TERMS:
            if name != "nobody":
                # Who is logged in and lacks it is forbidden: a login would change nothing.
                assert asker.status(name) == (200 if name in passing else 403), (values, name)


def test_who_is_not_logged_in_is_asked_to_log_in(asker: Asker) -> None:
    assert asker.status("role") == 401
    asker.visitor.put(role="editor")  # a session, and nobody logged in
    assert asker.status("role") == 401 and asker.status("both") == 401
    asker.visitor.put(role="admin")
    assert asker.status("role") == 200 and asker.status("both") == 401
    asker.visitor.put(_auth_user_id="")
    assert asker.status("both") == 401


LOGIN_KEY = {"nginx": "tuile_login_key user;", "apache": "TuileLoginKey user"}


def test_another_framework_s_login(start: Start, site: Site, kind: str) -> None:
    asker = Asker(start(site, http=LOGIN_KEY[kind], locations=locations(kind, site)).port, kind)
    asker.visitor.put(user=7)
    assert asker.status("role") == 403
    asker.visitor.put(role="admin")
    assert asker.status("both") == 200
    assert asker.visitor.get("/files/page.html").status == 200


KINDS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, True),
    ({"Accept": "application/xml, TEXT/HTML ; q=0.5"}, True),
    ({"Accept": "*/*"}, True),
    ({"Accept": "application/json"}, False),
    ({"Accept": "application/json, text/plain, */*"}, False),
    ({"Accept": "image/avif,image/webp,*/*;q=0.8"}, False),
    ({"Accept": "text/html;q=0, application/json"}, False),
    ({"Accept": "text/htmlx"}, False),
    ({"X-Requested-With": "XMLHttpRequest"}, False),
    ({"X-Requested-With": "XMLHttpRequest", "Accept": "text/html"}, False),
    ({"Sec-Fetch-Mode": "navigate", "Accept": "application/json"}, True),
    ({"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, False),
    ({"Sec-Fetch-Mode": "no-cors"}, False),
    ({"Sec-Fetch-Mode": "same-origin"}, False),
    ({"Sec-Fetch-Mode": "websocket"}, False),
]


def test_only_who_waits_for_a_page_is_led_to_the_login(visitor: Visitor) -> None:
    for headers, is_page in KINDS:
        response = visitor.get("/members/page.html", headers=headers)
        assert response.status == (302 if is_page else 401), headers
        assert response.header("WWW-Authenticate") == (None if is_page else 'Cookie realm="session"'), headers


WHOLE = {
    "nginx": "server {{ listen 127.0.0.1:{port}; tuile_require on; tuile_login_url {login}; location / {{ proxy_pass http://127.0.0.1:{application}; }} location /control {{ tuile_require off; proxy_pass http://127.0.0.1:{application}; }} }}",
    "apache": """
      Listen 127.0.0.1:{port}
      <VirtualHost 127.0.0.1:{port}>
        ProxyPass / http://127.0.0.1:{application}/
        <Location />
          Require tuile-session
          TuileLoginURL {login}
        </Location>
        <Location /control>
          Require all granted
        </Location>
      </VirtualHost>
    """,
}


def whole(start: Start, site: Site, kind: str, login: str) -> int:
    port = free_port()
    server = WHOLE[kind].format(port=port, application=site.application, login=login.replace("PORT", str(port)))
    start(site, **{"http" if kind == "nginx" else "locations": server})
    return port


def test_the_login_of_a_protected_server_can_be_reached(start: Start, site: Site, kind: str) -> None:
    visitor = Visitor(whole(start, site, kind, "/accounts/login/?from=gate"))
    location = visitor.get("/who?x=1").header("Location")
    assert location is not None and location.endswith("/accounts/login/?from=gate&next=%2Fwho%3Fx%3D1")
    assert visitor.get(location[location.index("/accounts") :]).body == "the login page"
    for path in ("/accounts/login", "/accounts/login/x", "/accounts/login//", "/accounts/login/.", "/x/../accounts/login/", "/%61ccounts/login/", "/accounts/"):
        assert visitor.get(path).status == 302, path
    assert visitor.get("/control").body == "1"
    visitor.log_in()
    assert visitor.get("/").body.startswith("1 ")


def test_a_login_named_by_its_whole_url_does_not_loop(start: Start, site: Site, kind: str) -> None:
    visitor = Visitor(whole(start, site, kind, "http://127.0.0.1:PORT/accounts/login/"))
    assert visitor.get("/").status == 302
    assert visitor.get("/accounts/login/").status == 401


WAYS = {
    "nginx": ("tuile_login_url {0};", "tuile_login_parameter '{0}';", "tuile_login_next https://$host$request_uri;"),
    "apache": ("TuileLoginURL {0}", 'TuileLoginParameter "{0}"', 'TuileLoginNext "https://%{HTTP_HOST}%{REQUEST_URI}"'),
}


@pytest.mark.parametrize(
    ("login", "parameter", "next_is_said", "expected"),
    [
        ("https://sso.test/in", None, False, "https://sso.test/in?next=http://127.0.0.1:PORT/PATH"),
        ("https://sso.test/in?a=1#top", "rd", False, "https://sso.test/in?a=1&rd=http://127.0.0.1:PORT/PATH#top"),
        ("https://sso.test", "back", True, "https://sso.test?back=https://127.0.0.1/PATH"),
        ("//sso.test/in?", None, False, "http://sso.test/in?next=http://127.0.0.1:PORT/PATH"),
        ("/in#top", "to", False, "/in?to=/PATH#top"),
        ("/in?x=/a//b", None, False, "/in?x=/a//b&next=/PATH"),
        ("/in", "", False, "/in"),
    ],
)
def test_a_login_elsewhere(
    start: Start, site: Site, kind: str, login: str, parameter: str | None, next_is_said: bool, expected: str
) -> None:
    url, name, page = WAYS[kind]
    said = url.format(f'"{login}"') + "\n" + (name.format(parameter) if parameter is not None else "") + "\n" + (page if next_is_said else "")
    front = start(site, locations=locations(kind, site, said))
    path = "/role" if kind == "nginx" else "/test/role"
    response = Visitor(front.port).get(path + "?q=ä%20&b".replace("ä", "%C3%A4"))
    assert response.status == 302
    location = response.header("Location") or ""
    asked = path[1:] + "?q=%C3%A4%20&b"
    if next_is_said and kind == "apache":
        expected, asked = expected.replace("127.0.0.1/", f"127.0.0.1:{front.port}/"), path[1:]
    head, _, tail = expected.replace("PORT", str(front.port)).partition("/PATH")
    start_at = head.index("=", head.rfind("?")) + 1 if "/PATH" in expected else len(head)
    before, value = head[:start_at], head[start_at:]
    for each in ("a=1&rd=", "x=/a//b&next="):
        if each in head:
            before, _, value = head.partition(each)
            before += each
    wanted = before + (quote(f"{value}/{asked}", safe="") if "/PATH" in expected else "") + tail
    prefix = f"http://127.0.0.1:{front.port}"
    assert location.removeprefix(prefix if login.startswith("/") and not login.startswith("//") else "") == wanted
    assert unquote(unquote(location)).count("ä") == (1 if asked != path[1:] and "/PATH" in expected else 0)


MISTAKES = ["a b", "any", "all", "all a any", "all a off", "=x", "off b"]


def test_mistakes_show_in_the_configurations_test(site: Site, kind: str) -> None:
    for words in MISTAKES:
        where = f"location /x {{ tuile_require {words}; }}" if kind == "nginx" else f"<Location /x>\nRequire tuile-session {words}\n</Location>"
        status, said = getattr(configured, f"{kind}_test")(site, locations=where)
        assert status != 0 and ("takes" in said or "without a key" in said), (words, said)
