"""What the server meant to set is what curl keeps in its jar and sends back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from clients import SITE, Curl, lives
from served import Parameter, Rule, octets

Parameters = dict[str, Parameter]
DAY = 86400


def test_set_and_send_back(curl: Curl) -> None:
    curl.must_set(name="n", value="v")
    assert curl.lines() == [["a.test", "FALSE", "/", "FALSE", "0", "n", "v"]]
    assert curl.sent() == [("n", "v")]
    curl.must_set(name="m", value="w")
    assert sorted(curl.sent()) == [("m", "w"), ("n", "v")]


def test_every_attribute(curl: Curl) -> None:
    began = time.time()
    curl.must_set(
        name="n", value="v", domain="a.test", path="/echo", secure=True, http_only=True, max_age=1000,
        same_site="none", partitioned=True, priority="high",
    )  # fmt: skip
    ((domain, subdomains, path, secure, expires, name, value),) = curl.lines()
    assert (domain, subdomains, path, secure) == ("#HttpOnly_.a.test", "TRUE", "/echo", "TRUE")
    assert lives(int(expires), 1000, began)
    assert (name, value) == ("n", "v")
    assert curl.sent() == [("n", "v")]


def test_expires(curl: Curl) -> None:
    now = int(time.time())
    curl.must_set(name="n", value="v", expires=now + 5000)
    assert curl.lines()[0][4] == str(now + 5000)
    curl.must_set(name="n", value="v", expires=now + 5000, max_age=70)  # Max-Age counts
    assert lives(int(curl.lines()[0][4]), 70, now)


def test_a_cookie_lives_as_long_as_it_says(curl: Curl) -> None:
    curl.must_set(name="longer", value="v", max_age=6000)
    began = time.time()
    curl.must_set(name="n", value="v", max_age=2)
    while len(curl.sent()) == 2:
        time.sleep(0.05)
    # curl counts whole seconds.
    assert time.time() - began >= 1 and curl.sent() == [("longer", "v")]


@pytest.mark.parametrize(
    ("origin", "kept"),
    # curl trusts the loopback address as it does HTTPS.
    [(SITE, True), ("http://a.test", False), ("http://localhost", True), ("http://127.0.0.1", True)],
)
def test_secure(curl: Curl, origin: str, kept: bool) -> None:
    curl.must_set(origin, name="n", value="v", secure=True)
    assert [line[3] for line in curl.lines()] == (["TRUE"] if kept else [])
    assert curl.sent(origin) == ([("n", "v")] if kept else [])
    assert curl.sent("http://a.test") == []


def test_secure_cookies_are_left_alone_by_http(curl: Curl) -> None:
    curl.must_set(SITE, name="n", value="v", secure=True)
    curl.must_set("http://a.test", name="n", value="other")
    assert curl.sent(SITE) == [("n", "v")]


def test_path(curl: Curl) -> None:
    curl.must_set(name="n", value="v", path="/echo/deep")
    arrives = {"/echo/deep", "/echo/deep/er"}
    for path in [*arrives, "/echo", "/echo/deeper", "/echo/Deep"]:
        assert bool(curl.sent(SITE, path)) == (path in arrives), path


@pytest.mark.parametrize(
    ("domain", "arrives"),
    [("", {SITE}), ("a.test", {SITE, "https://sub.a.test"}), ("b.test", set()), ("test", set())],
)
def test_domain(curl: Curl, domain: str, arrives: set[str]) -> None:
    curl.must_set(SITE, name="n", value="v", domain=domain)
    for origin in (SITE, "https://sub.a.test", "https://b.test"):
        assert bool(curl.sent(origin)) == (origin in arrives), origin


def test_longer_paths_come_first(curl: Curl) -> None:
    for path in ("/echo", "/", "/echo/deep"):
        curl.must_set(name="n", value=path, path=path)
    cookies = curl.echo(SITE, "/echo/deep")["cookies"]
    assert [cookie["value"] for cookie in cookies] == ["/echo/deep", "/echo", "/"]
    assert {(cookie["first"], cookie["last"]) for cookie in cookies} == {("/echo/deep", "/")}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"max_age": 1000}, {}),
        ({"path": "/echo", "domain": "a.test"}, {"path": "/echo", "domain": "a.test"}),
        ({"same_site": "none", "secure": True}, {"same_site": "none"}),
        ({"name": "__Host-n", "secure": True}, {"name": "__Host-n"}),
        ({"name": "__Secure-n", "secure": True}, {"name": "__Secure-n"}),
        ({"django": True, "max_age": 1000}, {"django": True}),
    ],
)
def test_deletion(curl: Curl, given: Parameters, told: Parameters) -> None:
    pair: Parameters = {"name": "n", "value": "v"}
    curl.must_set(**pair | given)
    assert len(curl.lines()) == 1
    curl.must_set(**pair | {"delete": True} | told)
    assert curl.lines() == []


def test_deletion_of_another_cookie(curl: Curl) -> None:
    curl.must_set(name="n", value="v")
    curl.must_set(name="n", path="/echo", delete=True)
    curl.must_set(name="n", domain="a.test", delete=True)
    assert curl.sent() == [("n", "v")]


def test_session_cookies(curl: Curl) -> None:
    """With -j a new session begins: what has no age is forgotten."""
    curl.must_set(name="session", value="v")
    curl.must_set(name="persistent", value="v", max_age=1000)
    assert len(curl.sent()) == 2
    assert curl.sent(SITE, "/echo", "--junk-session-cookies") == [("persistent", "v")]


BREAKS: list[tuple[Rule, str, Parameters]] = [
    (Rule.SIZE, "TUILE_E_LIMIT", {"value": "v" * 4096}),
    (Rule.PREFIX, "TUILE_E_RULE", {"name": "__Host-n"}),
    (Rule.PREFIX, "TUILE_E_RULE", {"name": "__Host-n", "secure": True, "domain": "a.test"}),
    (Rule.PREFIX, "TUILE_E_RULE", {"name": "__Host-n", "secure": True, "path": "/echo"}),
    (Rule.PREFIX, "TUILE_E_RULE", {"name": "__Secure-n"}),
]


@pytest.mark.parametrize(("rule", "status", "broken"), BREAKS, ids=lambda part: str(part)[:40])
def test_rules(curl: Curl, rule: Rule, status: str, broken: Parameters) -> None:
    """What the library refuses, curl drops once the rule is skipped."""
    parameters: Parameters = {"name": "n", "value": "v"} | broken
    assert curl.set(**parameters)["status"] == status
    assert curl.set(skip_rules=rule, **parameters)["status"] == "TUILE_OK"
    assert curl.lines() == []


VALUES = [
    ("raw", "v=w"),
    ("percent", 'é ☕;,"\\'),
    ("base64url", "\x00\r\n☕"),
    ("quoted", 'é "x"; \\'),
    ("quoted_utf8", "☕ ;"),
]


@pytest.mark.parametrize(("encoding", "text"), VALUES, ids=lambda part: ascii(part)[:20])
def test_values(curl: Curl, encoding: str, text: str) -> None:
    # Python's quoting writes spaces and backslashes, which are no cookie-octets.
    skipped = Rule.VALUE if encoding.startswith("quoted") else 0
    curl.must_set(name="n", value=text, encoding=encoding, skip_rules=skipped)
    (cookie,) = curl.echo(encoding=encoding)["cookies"]
    assert cookie["value"] == curl.lines()[0][6]
    assert octets(cookie["decoded"]) == text.encode()


@pytest.mark.parametrize(("name", "octets_of_value", "kept"), [("nn", 4094, True), ("n", 4095, False)])
def test_the_largest_pair(curl: Curl, name: str, octets_of_value: int, kept: bool) -> None:
    """4096 octets, as in the draft; but curl 7.88 drops a name or a value that alone has 4095, and 8.23 does not."""
    curl.must_set(name=name, value="v" * octets_of_value)
    assert curl.sent() in ([[(name, "v" * octets_of_value)]] if kept else [[], [(name, "v" * octets_of_value)]])


@pytest.mark.parametrize("text", ["a b", 'é"\\;,', '{"user": 7}', "", "ÿ" * 900], ids=lambda text: ascii(text)[:20])
def test_django_values(curl: Curl, text: str) -> None:
    curl.must_set(name="n", value=text, django=True, max_age=60, samesite="Lax", http_only=True)
    (cookie,) = curl.echo(mode="django")["cookies"]
    assert octets(cookie["read"]) == text.encode()


# ---- Cookie headers as a client likes to write them ----


def echo_of(curl: Curl, *headers: str, **parameters: Parameter) -> tuple[str, list[tuple[str, str]]]:
    options = [option for header in headers for option in ("--header", f"Cookie: {header}")]
    answer = curl.run(curl.server.url(SITE, "/echo", **parameters), *options, jar=False)
    assert answer["headers"] == list(headers)
    return answer["status"], [(cookie["name"], cookie["value"]) for cookie in answer["cookies"]]


@pytest.mark.parametrize("mode", ["browser", "django", "strict"])
def test_two_headers_are_read_as_one(curl: Curl, mode: str) -> None:
    assert echo_of(curl, "a=1", "b=2; c=3", mode=mode) == ("TUILE_OK", [("a", "1"), ("b", "2"), ("c", "3")])


def test_first_and_last_across_headers(curl: Curl) -> None:
    url = curl.server.url(SITE, "/echo")
    answer = curl.run(url, "--header", "Cookie: a=1; a=2", "--header", "Cookie: a=3", jar=False)
    assert {(cookie["first"], cookie["last"], cookie["read"]) for cookie in answer["cookies"]} == {("1", "3", "1")}


def test_modes(curl: Curl) -> None:
    assert echo_of(curl, "a=1;;b = x ;flag") == ("TUILE_OK", [("a", "1"), ("b", "x"), ("", "flag")])
    assert echo_of(curl, "a=1;;b = x ;flag", mode="strict") == ("TUILE_E_SYNTAX", [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["a=" + "v" * 4096], "TUILE_OK"),
        (["a=" + "v" * 4097], "TUILE_E_LIMIT"),
        (["n" * 4096 + "=v"], "TUILE_OK"),
        (["n" * 4097 + "=v"], "TUILE_E_LIMIT"),
        (["; ".join(["a=1"] * 3000)], "TUILE_OK"),
        (["; ".join(["a=1"] * 3001)], "TUILE_E_LIMIT"),
        (["; ".join(["a=1"] * 1500), "; ".join(["a=1"] * 1501)], "TUILE_E_LIMIT"),
        (["a=" + "v" * 4094] * 16, "TUILE_OK"),
        (["a=" + "v" * 4094] * 16 + ["a"], "TUILE_E_LIMIT"),
    ],
    ids=lambda part: f"{len(part)}x{len(part[0])}" if isinstance(part, list) else part,
)
def test_limits(curl: Curl, headers: list[str], status: str) -> None:
    answered, cookies = echo_of(curl, *headers)
    assert answered == status
    assert len(cookies) == (sum(header.count("=") for header in headers) if status == "TUILE_OK" else 0)


def test_the_jar_is_a_file_of_its_own(curl: Curl, tmp_path: Path) -> None:
    """Without its jar curl has no cookie: the fixtures share none."""
    curl.must_set(name="n", value="v")
    assert Curl(tmp_path / "other", curl.server).sent() == []
