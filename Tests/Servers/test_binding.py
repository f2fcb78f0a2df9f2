"""nginx and Apache bind the sessions of an unchanged Django to the browser's device, and show it no copy of the cookies."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator

import configured
import pytest
from configured import Site, apache_test, nginx_test
from conftest import Start
from processes import BUILD, ROOT, Front, free_port
from through import through

sys.path.insert(0, str(ROOT / "bindings/python/tests"))
from test_device_bound import Browser  # noqa: E402

DIRECTIVES = {
    "nginx": "tuile_device_bound on; tuile_cookie_secure on; tuile_device_path /device;",
    "apache": "TuileDeviceBound On\nTuileCookieSecure On\nTuileDevicePath /device",
}
LOGIN = "/accounts/login/?user=anna&password=secret"
OFFER = "Secure-Session-Registration"
BOUND = "__Host-sessionid-bound"
PAGE = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document", "sec_fetch_site": "same-origin"}
ELSEWHERE = {**PAGE, "sec_fetch_site": "cross-site"}


@pytest.fixture
def front(start: Start, site: Site, kind: str) -> Front:
    return start(site, http=DIRECTIVES[kind])


@pytest.fixture
def browser(front: Front) -> Browser:
    """Its user has logged in to Django, through the server in front."""
    return log_in(front)


def log_in(front: Front) -> Browser:
    browser = Browser(through(front.port))
    assert browser.ask(LOGIN)[2] == b"welcome"
    return browser


def bind(browser: Browser) -> None:
    browser.register(browser.ask("/", **PAGE)[1])


def copy(browser: Browser, *names: str) -> Browser:
    """A thief's, with those of the cookies."""
    thief = Browser(browser.application)
    thief.cookies = {name: browser.cookies[name] for name in names or ("sessionid",)}
    return thief


def who(browser: Browser, **headers: str) -> str:
    """Whom Django says it is: the user's number."""
    status, _, body = browser.ask("/", **headers)
    return body.decode().split()[0] if status == 200 else str(status)


def test_a_login_s_next_page_offers_and_nothing_else_does(browser: Browser) -> None:
    assert len(browser.cookies["sessionid"]) == 32, "Django's own"
    headers = browser.ask("/", **PAGE)[1]
    assert [name for name, _ in headers].count(OFFER) == 1 and ("Cache-Control", "private") in headers
    assert 'path="/device"' in dict(headers)[OFFER]
    for fetch in ({}, {"sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}, {**PAGE, "sec_fetch_dest": "iframe"}, {**PAGE, "sec_fetch_dest": "image"}):
        assert OFFER not in dict(browser.ask("/", **fetch)[1]), fetch
    nobody = Browser(browser.application)
    assert OFFER not in dict(nobody.ask("/", **PAGE)[1])
    nobody.ask('/put?data={"cart":1}')
    assert nobody.cookies and OFFER not in dict(nobody.ask("/", **PAGE)[1]), "a session of nobody's"


def test_a_bound_session_is_django_s_as_before(browser: Browser) -> None:
    before, number = browser.cookies["sessionid"], who(browser)
    assert number.isdecimal() and browser.ask("/control")[2] == b"1"
    bind(browser)
    assert set(browser.cookies) == {"sessionid", BOUND} and browser.cookies["sessionid"] != before
    headers = browser.ask("/", **PAGE)[1]
    assert OFFER not in dict(headers), "it is bound"
    assert who(browser) == number and browser.ask("/control")[2] == b"2" and browser.ask("/django/members")[2] == b"members"
    assert browser.ask("/files/page.html")[2] == b"for members\n"
    assert browser.refresh() == 200 and who(browser) == number
    # A refresh finds its session by what the browser says alone: cookies may be gone after a restart.
    browser.ask("/accounts/logout/")
    assert "sessionid" not in browser.cookies


def test_a_copy_without_the_bound_cookie_reaches_no_page(browser: Browser) -> None:
    assert browser.ask("/control")[2] == b"1"
    bind(browser)
    paths = (("/", "GET"), ("/control", "GET"), ("/control", "POST"), ("/files/page.html", "GET"), ("/accounts/logout/", "GET"), ("/nowhere", "GET"))
    for path, method in paths:
        for fetch in ({}, PAGE, ELSEWHERE, {"sec_fetch_mode": "cors", "sec_fetch_site": "same-origin"}):
            thief = copy(browser)
            status, headers, body = thief.ask(path, method, form={"a": "b"} if method == "POST" else None, **fetch)
            assert status == 401 and b"for members" not in body, (path, method, fetch, status, body)
            assert dict(headers)["Cache-Control"] == "no-store"
            # What the browser may ask for again by itself, and one that lost its key gets rid of both cookies.
            assert dict(headers).get("Refresh") == ("0" if fetch == ELSEWHERE and method == "GET" else None)
            assert ("sessionid" in thief.cookies) == (fetch != PAGE or method != "GET"), (path, method, fetch, headers)
    for value in ("x", "", browser.cookies[BOUND][:-2] + "AA"):
        thief = copy(browser)
        thief.cookies[BOUND] = value
        assert thief.ask("/control")[0] == 401
    assert browser.ask("/control")[2] == b"2", "nobody else has counted, or ended it"


def test_a_copy_from_before_is_over_after_the_grace(browser: Browser) -> None:
    thief, number = copy(browser), who(browser)
    bind(browser)
    end = time.monotonic() + 60
    while who(thief) == number:
        assert time.monotonic() < end, "a copy from before the registration is served for ever"
        time.sleep(0.2)
    assert who(browser) == number and who(thief) == "None"


def test_the_endpoint_is_open_where_a_login_is_required(start: Start, site: Site, kind: str) -> None:
    required = {
        "nginx": "location /device { tuile_require on; tuile_login_url /accounts/login/; proxy_pass http://127.0.0.1:1; }",
        "apache": '<Location "/device">\nRequire tuile-session\nTuileLoginURL /accounts/login/\n</Location>',
    }
    front = start(site, http=DIRECTIVES[kind], locations=required[kind])
    browser = log_in(front)
    bind(browser)
    assert browser.refresh() == 200
    nobody = Browser(browser.application)
    status, headers, _ = nobody.ask("/device")
    assert status == 405 and dict(headers)["Allow"] == "POST"
    assert nobody.ask("/device", "POST", secure_session_response="x")[0] == 404
    # Without a session cookie the browser is told to forget its key.
    nobody.identifier = browser.identifier
    status, _, body = nobody.ask("/device", "POST", sec_secure_session_id=browser.identifier)
    assert status == 200 and b'"continue":false' in body


def test_a_browser_that_refreshes_goes_on_and_its_copy_does_not(start: Start, site: Site, kind: str) -> None:
    seconds = {"nginx": "tuile_device_seconds 2;", "apache": "\nTuileDeviceSeconds 2"}
    browser = log_in(start(site, http=DIRECTIVES[kind] + seconds[kind]))
    number = who(browser)
    bind(browser)
    thief = copy(browser, "sessionid", BOUND)
    end = time.monotonic() + 60
    while (seen := who(thief)) == number:
        assert time.monotonic() < end, "the copy is served for ever"
        time.sleep(0.2)
    assert seen == "401"
    assert browser.refresh() == 200 and who(browser) == number and who(thief) == "401"


def test_no_other_spelling_of_the_cookie_reaches_django(browser: Browser) -> None:
    number = who(browser)
    bind(browser)
    bound = browser.cookies["sessionid"]
    escaped = "".join(f"\\{ord(letter):03o}" for letter in bound)
    thief = Browser(browser.application)
    spelled = [
        f"sessionid={bound}",
        f"sessionid = {bound}",
        f"\tsessionid={bound}\t",
        f'sessionid="{bound}"',
        f'sessionid="{escaped}"',
        f"sessionid=x; sessionid={bound}",
        f"sessionid={bound}; sessionid=x",
        f"sessionid={bound}; sessionid={'a' * 32}",
        f"sessionid={'a' * 40}; sessionid={bound}",
        f"\xc2\xa0sessionid={bound}",
        f"\xc2\x85sessionid\xc2\x85={bound}",
        f"sessionid={'a' * 32}; \xc2\xa0sessionid={bound}",
        f"a=b,sessionid={bound}",
        f"sessionid={bound},",
        f";;sessionid={bound};",
        f"a; sessionid={bound}",
        f"=sessionid={bound}",
        f"$Version=1; sessionid={bound}",
        f"sessionid=%{ord(bound[0]):02x}{bound[1:]}",
        f"%73essionid={bound}",
        f"SESSIONID={bound}",
        f"__Host-sessionid={bound}",
        f"sessionid={bound}; {BOUND}=x; {BOUND}=",
    ]
    for header in spelled:
        status, _, body = thief.ask("/", cookie=header)
        assert status in (400, 401) or body.split()[0] == b"None", (header, status, body)
    assert who(browser) == number


def test_who_has_no_such_browser_is_served_as_ever(browser: Browser, site: Site) -> None:
    direct = Browser(through(site.application))
    direct.ask(LOGIN)
    for path in ("/control", "/django/members", "/accounts/login/", "/nowhere", "/accounts/logout/"):
        ours, theirs = browser.ask(path), direct.ask(path)
        assert (ours[0], ours[2]) == (theirs[0], theirs[2])
        other = {"server", "date", "connection", "transfer-encoding", "keep-alive", "content-length", "vary"}
        named = [sorted((name, value.partition("=")[0]) for name, value in headers if name.lower() not in other) for headers in (ours[1], theirs[1])]
        assert named[0] == named[1], path


@pytest.mark.parametrize(
    ("directives", "message"),
    [
        ("tuile_device_path /device;", "needs device_bound"),
        ("tuile_device_bound on; tuile_cookie_secure on; tuile_device_seconds 60;", "no use without device_path"),
        (DIRECTIVES["nginx"] + "tuile_several_cookies on;", "can't be with several_cookies"),
        (DIRECTIVES["nginx"] + "tuile_unavailable pass;", "copies of bound sessions would pass"),
        (DIRECTIVES["nginx"].replace("/device", "device"), "device_path"),
        (DIRECTIVES["nginx"] + "tuile_cookie_path /app/;", "device_path"),
    ],
)
def test_what_cannot_be_is_an_error_at_the_start(site: Site, directives: str, message: str) -> None:
    status, said = nginx_test(site, http=directives)
    assert status != 0 and message in said


def test_apache_says_so_too(site: Site) -> None:
    status, said = apache_test(site, http="TuileDevicePath /device")
    assert status != 0 and "needs device_bound" in said


# ---- tuile-gate, asked by an nginx that has no module ----


@pytest.fixture
def asking(site: Site) -> Iterator[Front]:
    """As docs/device-bound.md has it."""
    gate = configured.gate(site, "nginx", top="tuile_device_bound on;\ntuile_cookie_secure on;\ntuile_device_path /device;")
    port, folder = free_port(), site.folder / "proxy"
    folder.mkdir()
    text = configured.replaced(
        configured.block("device-bound.md", "nginx"),
        {"127.0.0.1:4180": f"127.0.0.1:{gate.port}", "/device-bound-session": "/device", "listen 443 ssl": f"listen 127.0.0.1:{port}", "http://127.0.0.1:8000": f"http://127.0.0.1:{site.application}"},
    )
    temporary = "".join(f"{name}_temp_path {folder};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = folder / "nginx.conf"
    path.write_text(f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log info;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{text}\n}}\n")
    front = Front(folder, port, [configured.NGINX, "-p", folder, "-c", path, "-e", folder / "error.log"], graceful=signal.SIGQUIT)
    yield front
    front.stop()
    gate.stop()


def test_the_gate_binds_too_for_nginx(asking: Front) -> None:
    browser = log_in(asking)
    number = who(browser)
    assert OFFER not in dict(browser.ask("/")[1])
    bind(browser)
    assert who(browser) == number and browser.refresh() == 200 and who(browser) == number
    assert OFFER not in dict(browser.ask("/", **PAGE)[1])
    for fetch in ({}, PAGE, ELSEWHERE):
        thief = copy(browser)
        status, headers, _ = thief.ask("/control", **fetch)
        assert status == 401 and dict(headers).get("Refresh") == ("0" if fetch == ELSEWHERE else None)
        assert ("sessionid" in thief.cookies) == (fetch != PAGE)
    bound = browser.cookies["sessionid"]
    for header in (f'sessionid="{bound}"', f"sessionid=x; sessionid={bound}", f"\xc2\xa0sessionid={bound}"):
        assert Browser(browser.application).ask("/control", cookie=header)[0] in (401, 403)
    assert browser.ask("/control")[2] == b"1"


# ---- a store that gives no answer ----


@pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="libtuile-redis.so is not built")
@pytest.mark.parametrize("kind, more", [("nginx", ""), ("apache", ""), ("apache", "\n<Location />\nTuileUnavailable pass\n</Location>")])
def test_nobody_with_a_cookie_passes_while_the_store_is_away(start: Start, site: Site, kind: str, more: str) -> None:
    """Nothing listens there. Not even with `pass`, which nginx refuses at its start."""
    site.store = f"redis://127.0.0.1:{free_port()}/0?timeout=1000"
    front = start(site, http=DIRECTIVES[kind] + more)
    browser = Browser(through(front.port))
    assert browser.ask("/nowhere")[0] == 404, "Django answers who has no cookie"
    browser.cookies = {"sessionid": "a" * 32}
    assert browser.ask("/nowhere")[0] == 503
    assert browser.ask("/device", "POST", sec_secure_session_id="x")[0] in (404, 503)
    browser.cookies = {"sessionid": "a" * 32}
    assert browser.ask("/device", "POST", secure_session_response="x")[0] in (400, 503)
