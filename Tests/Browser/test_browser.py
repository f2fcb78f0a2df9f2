"""What the server meant to set is what Chromium stores and sends back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from clients import SITE, Visitor, lives
from served import Parameter, Rule, octets

Parameters = dict[str, Parameter]
DAY = 86400

# What Chromium keeps of "n=v" without an attribute; expires and sourcePort are looked at apart.
PLAIN: dict[str, Any] = {
    "name": "n",
    "value": "v",
    "domain": "a.test",
    "path": "/",
    "size": 2,
    "httpOnly": False,
    "secure": False,
    "session": True,
    "priority": "Medium",
    "sourceScheme": "Secure",
}
PARTITION = {"topLevelSite": SITE, "hasCrossSiteAncestor": False}

# Parameters of /set, what is stored otherwise than PLAIN, and how many seconds it lives.
Row = tuple[Parameters, dict[str, Any], int | None]
EVERYTHING: Row = (
    {
        "max_age": 60, "domain": "a.test", "path": "/echo", "same_site": "none", "secure": True, "http_only": True,
        "partitioned": True, "priority": "high",
    },
    {
        "session": False, "domain": ".a.test", "path": "/echo", "sameSite": "None", "secure": True, "httpOnly": True,
        "partitionKey": PARTITION, "priority": "High",
    },
    60,
)  # fmt: skip
ATTRIBUTES: list[Row] = [
    ({}, {}, None),
    ({"max_age": 1000}, {"session": False}, 1000),
    ({"max_age": 400 * DAY}, {"session": False}, 400 * DAY),
    ({"domain": "a.test"}, {"domain": ".a.test"}, None),
    ({"domain": ".A.Test"}, {"domain": ".a.test"}, None),
    ({"path": "/echo"}, {"path": "/echo"}, None),
    ({"path": ""}, {}, None),  # the path of /set itself is "/"
    ({"path": "/echo/" + "p" * 1018}, {"path": "/echo/" + "p" * 1018}, None),
    ({"same_site": "lax"}, {"sameSite": "Lax"}, None),
    ({"same_site": "strict"}, {"sameSite": "Strict"}, None),
    ({"same_site": "none", "secure": True}, {"sameSite": "None", "secure": True}, None),
    ({"secure": True}, {"secure": True}, None),
    ({"http_only": True}, {"httpOnly": True}, None),
    ({"partitioned": True, "secure": True}, {"secure": True, "partitionKey": PARTITION}, None),
    ({"priority": "low"}, {"priority": "Low"}, None),
    ({"priority": "medium"}, {}, None),
    ({"priority": "high"}, {"priority": "High"}, None),
    EVERYTHING,
]


def only(cookies: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(cookies) == 1, cookies
    return cookies[0]


def assert_lives(cookie: dict[str, Any], seconds: int | None, began: float) -> None:
    if seconds is None:
        assert cookie["session"] and cookie["expires"] == -1
    else:
        assert not cookie["session"] and lives(cookie["expires"], seconds, began)


@pytest.mark.parametrize(
    ("parameters", "changes", "seconds"), ATTRIBUTES, ids=[ascii(row[0])[1:50] for row in ATTRIBUTES]
)
def test_attributes(visitor: Visitor, parameters: Parameters, changes: dict[str, Any], seconds: int | None) -> None:
    began = time.time()
    visitor.must_set(name="n", value="v", **parameters)
    cookie = only(visitor.stored())
    assert_lives(cookie, seconds, began)
    assert cookie.pop("sourcePort") == visitor.server.ports["https"]
    del cookie["expires"]
    assert cookie == PLAIN | changes
    path = cookie["path"] if cookie["path"] != "/" else "/echo"
    assert visitor.sent(SITE, path) == [("n", "v")]


def test_expires(visitor: Visitor) -> None:
    now = int(time.time())
    visitor.must_set(name="n", value="v", expires=now + 5000)
    assert_lives(only(visitor.stored()), 5000, now)
    visitor.must_set(name="n", value="v", expires=now + 5000, max_age=70)  # Max-Age counts
    assert_lives(only(visitor.stored()), 70, now)
    visitor.must_set(name="n", value="v", expires=now + 400 * DAY)
    assert_lives(only(visitor.stored()), 400 * DAY, now)


@pytest.mark.parametrize("ages", [{"max_age": 0}, {"max_age": -1}, {"expires": 0}, {"expires": 1_000_000_000}], ids=str)
def test_what_has_expired_deletes(visitor: Visitor, ages: Parameters) -> None:
    visitor.must_set(name="n", value="v")
    assert visitor.stored()
    visitor.must_set(name="n", value="v", **ages)
    assert visitor.stored() == []


def test_a_cookie_lives_as_long_as_it_says(visitor: Visitor) -> None:
    began = time.time()
    visitor.must_set(name="n", value="v", max_age=2)
    while visitor.sent() == [("n", "v")]:
        time.sleep(0.05)
    assert time.time() - began >= 2 and visitor.sent() == []


@pytest.mark.parametrize(
    ("domain", "arrives"),
    [("", {SITE}), ("a.test", {SITE, "https://sub.a.test"})],
    ids=["host", "domain"],
)
def test_domain(visitor: Visitor, domain: str, arrives: set[str]) -> None:
    visitor.must_set(SITE, name="n", value="v", domain=domain)
    for origin in (SITE, "https://sub.a.test", "https://b.test"):
        assert bool(visitor.sent(origin)) == (origin in arrives), origin


def test_a_subdomain_sets_for_its_site(visitor: Visitor) -> None:
    visitor.must_set("https://sub.a.test", name="n", value="v", domain="a.test")
    assert visitor.sent(SITE) == [("n", "v")]


@pytest.mark.parametrize("domain", ["b.test", "sub.a.test", "test", "est"])
def test_a_domain_that_does_not_cover_the_host(visitor: Visitor, domain: str) -> None:
    """The library does not know which host it answers for; the browser does."""
    visitor.must_set(SITE, name="n", value="v", domain=domain)
    assert visitor.stored() == []


def test_path(visitor: Visitor) -> None:
    visitor.must_set(name="n", value="v", path="/echo/deep")
    arrives = {"/echo/deep", "/echo/deep/er"}
    for path in [*arrives, "/echo", "/echo/deeper", "/echo/Deep"]:
        assert bool(visitor.sent(SITE, path)) == (path in arrives), path


@pytest.mark.parametrize("origin", ["http://a.test", "http://localhost", "http://127.0.0.1", SITE])
def test_secure(visitor: Visitor, origin: str) -> None:
    """Chromium trusts the loopback address with Secure cookies, also over plain HTTP; the draft leaves that open."""
    trusted = origin != "http://a.test"
    visitor.must_set(origin, name="n", value="v", secure=True)
    assert bool(visitor.stored()) == trusted
    assert bool(visitor.sent(origin)) == trusted


def test_secure_stays_off_http(visitor: Visitor) -> None:
    visitor.must_set(SITE, name="n", value="v", secure=True)
    assert visitor.sent("http://a.test") == []
    visitor.must_set("http://a.test", name="n", value="other")  # "leave Secure cookies alone"
    assert visitor.sent(SITE) == [("n", "v")]


def test_http_only(visitor: Visitor) -> None:
    visitor.must_set(name="hidden", value="1", http_only=True)
    visitor.must_set(name="shown", value="2")
    assert dict(visitor.sent()) == {"hidden": "1", "shown": "2"}
    assert visitor.page.evaluate("document.cookie") == "shown=2"
    visitor.write("hidden=3")
    assert dict(visitor.sent()) == {"hidden": "1", "shown": "2"}


def test_a_redirect_sets(visitor: Visitor) -> None:
    answer = visitor.set(name="n", value="v", to="/echo")
    assert [(cookie["name"], cookie["value"]) for cookie in answer["cookies"]] == [("n", "v")]


# ---- values ----

TEXTS = ["plain", "a b", 'é, "quoted"; \\', "", "=;,", '{"user": 7}', "\r\nSet-Cookie: x=y", "\x7f\x01"]
COOKIE_OCTETS = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '",;\\')
VALUES = [
    *(("raw", text) for text in ("", "plain", COOKIE_OCTETS, '""', f'"{COOKIE_OCTETS}"', "a=b==", "p" * 4095)),
    *(("percent", text) for text in [*TEXTS, "☕ 日本", "p" * 4095]),
    *(("base64url", text) for text in [*TEXTS, "☕ 日本", "p" * 3071]),
    *(("quoted", text) for text in [*TEXTS, "ÿ", "é" * 1023]),
    *(("quoted_utf8", text) for text in [*TEXTS, "☕ 日本", "☕" * 341]),
]


@pytest.mark.parametrize(("encoding", "text"), VALUES, ids=lambda part: ascii(part)[:30])
def test_values(visitor: Visitor, encoding: str, text: str) -> None:
    # Python's quoting writes spaces and backslashes, which are no cookie-octets.
    skipped = Rule.VALUE if encoding.startswith("quoted") else 0
    answer = visitor.set(name="n", value=text, encoding=encoding, skip_rules=skipped)
    assert answer["status"] == "TUILE_OK", answer
    written = answer["header"].removeprefix("n=").removesuffix("; Path=/")
    assert only(visitor.stored())["value"] == written
    sent = only(visitor.echo(encoding=encoding)["cookies"])
    assert sent["value"] == written
    # A raw value keeps its quotes: nothing was encoded.
    assert octets(sent["decoded"]) == text.encode()


@pytest.mark.parametrize("name", ["n", "!#$%&'*+-.^_`|~09AZaz", "N" * 4096], ids=["short", "token", "long"])
def test_names(visitor: Visitor, name: str) -> None:
    visitor.must_set(name=name, value="v" if len(name) < 4096 else "")
    assert only(visitor.stored())["name"] == name
    assert [sent for sent, _ in visitor.sent()] == [name]


DJANGO_VALUES = [*TEXTS, "x,y z", "ÿ" * 10, "'", "=:()<>@[]?/{}", "\t", "é" * 1000]


@pytest.mark.parametrize("text", DJANGO_VALUES, ids=lambda text: ascii(text)[:30])
def test_django_values(visitor: Visitor, text: str) -> None:
    visitor.must_set(name="n", value=text, django=True)
    cookie = only(visitor.echo(mode="django")["cookies"])
    assert octets(cookie["read"]) == text.encode()


def test_django_attributes(visitor: Visitor) -> None:
    now = int(time.time())
    visitor.must_set(
        name="sessionid", value="k", django=True, max_age=1209600, samesite="Lax", secure=True, http_only=True
    )
    cookie = only(visitor.stored())
    assert_lives(cookie, 1209600, now)
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"], cookie["path"]) == ("Lax", True, True, "/")
    visitor.must_set(name="sessionid", value="k", django=True, expires=now + 500)
    assert_lives(only(visitor.stored()), 500, now)
