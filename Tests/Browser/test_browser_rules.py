"""What the library refuses by default, Chromium drops or changes once the rule is skipped.

Each row says what Chromium does, as observed with Chromium 156. Where it keeps what
RFC 6265bis, section 4.1.1, forbids a server to send, the row says so: the browser's
part of the draft (5.6) is more lenient than the server's.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from clients import SITE, Visitor, lives
from served import Parameter, Rule

Parameters = dict[str, Parameter]
DAY = 86400
GOOD: Parameters = {"name": "n", "value": "v"}
DROPPED = None

SYNTAX, LIMIT, RULE = "TUILE_E_SYNTAX", "TUILE_E_LIMIT", "TUILE_E_RULE"
HOST: Parameters = {"name": "__Host-n", "secure": True}
HTTP: Parameters = {"name": "__Http-n", "secure": True, "http_only": True}
HOST_HTTP: Parameters = {"name": "__Host-Http-n", "secure": True, "http_only": True}

# The rule, what breaks it, the library's answer, and what Chromium keeps.
Row = tuple[Rule, Parameters, str, dict[str, Any] | None]

CHANGED: list[Row] = [
    (Rule.SIZE, {"value": "v" * 4096}, LIMIT, DROPPED),
    (Rule.SIZE, {"name": "n" * 4097}, LIMIT, DROPPED),
    (Rule.SIZE, {"name": "n" * 2048, "value": "v" * 2049}, LIMIT, DROPPED),
    (Rule.NAME, {"name": " n"}, SYNTAX, {"name": "n"}),
    (Rule.VALUE, {"value": " v "}, SYNTAX, {"value": "v"}),
    (Rule.DOMAIN, {"domain": "a.test."}, SYNTAX, DROPPED),
    (Rule.DOMAIN, {"domain": ".."}, SYNTAX, DROPPED),
    (Rule.DOMAIN, {"domain": "a .test"}, SYNTAX, DROPPED),
    (Rule.DOMAIN, {"domain": "."}, SYNTAX, DROPPED),
    (Rule.PATH, {"path": "echo"}, SYNTAX, {"path": "/"}),
    (Rule.ATTRIBUTE_SIZE, {"path": "/" + "p" * 1024}, LIMIT, {"path": "/"}),
    # No host is as long as that, which is the domain's own rule.
    (Rule.ATTRIBUTE_SIZE | Rule.DOMAIN, {"domain": "x." * 510 + "a.test"}, LIMIT, {"domain": "a.test"}),
    (Rule.LIFETIME, {"max_age": 400 * DAY + 60}, RULE, {"lives": 400 * DAY}),
    (Rule.LIFETIME, {"max_age": 2**63 - 1}, RULE, {"lives": 400 * DAY}),
    (Rule.LIFETIME, {"expires": int(time.time()) + 401 * DAY}, RULE, {"lives": 400 * DAY}),
    (Rule.SAME_SITE, {"same_site": "none"}, RULE, DROPPED),
    (Rule.PARTITIONED, {"partitioned": True}, RULE, DROPPED),
    (Rule.PREFIX, HOST | {"secure": False}, RULE, DROPPED),
    (Rule.PREFIX, HOST | {"domain": "a.test"}, RULE, DROPPED),
    (Rule.PREFIX, HOST | {"path": "/echo"}, RULE, DROPPED),
    (Rule.PREFIX, HOST | {"path": ""}, RULE, DROPPED),
    (Rule.PREFIX, {"name": "__hOsT-n"}, RULE, DROPPED),
    (Rule.PREFIX, {"name": "__Secure-n"}, RULE, DROPPED),
    (Rule.PREFIX, {"name": "__sEcUrE-n"}, RULE, DROPPED),
    (Rule.PREFIX, HTTP | {"secure": False}, RULE, DROPPED),
    (Rule.PREFIX, HTTP | {"http_only": False}, RULE, DROPPED),
    (Rule.PREFIX, HTTP | {"name": "__hTTP-n", "http_only": False}, RULE, DROPPED),
    (Rule.PREFIX, HOST_HTTP | {"secure": False}, RULE, DROPPED),
    (Rule.PREFIX, HOST_HTTP | {"http_only": False}, RULE, DROPPED),
    (Rule.PREFIX, HOST_HTTP | {"domain": "a.test"}, RULE, DROPPED),
    (Rule.PREFIX, HOST_HTTP | {"path": "/echo"}, RULE, DROPPED),
    (Rule.NAME | Rule.PREFIX, {"name": "", "value": "__Host-n"}, SYNTAX, DROPPED),
    (Rule.NAME | Rule.PREFIX, {"name": "", "value": "__Secure-n=v"}, SYNTAX, DROPPED),
]

# What a server must not send, but a browser keeps as it is.
KEPT: list[Row] = [
    (Rule.NAME, {"name": ""}, SYNTAX, {}),
    (Rule.NAME, {"name": "a b"}, SYNTAX, {}),
    (Rule.NAME, {"name": 'a"b'}, SYNTAX, {}),
    (Rule.NAME, {"name": "a,b"}, SYNTAX, {}),
    (Rule.NAME, {"name": "é"}, SYNTAX, {}),
    (Rule.VALUE, {"value": "a b"}, SYNTAX, {}),
    (Rule.VALUE, {"value": "a,b"}, SYNTAX, {}),
    (Rule.VALUE, {"value": "a\\b"}, SYNTAX, {}),
    (Rule.VALUE, {"value": '"a'}, SYNTAX, {}),
    (Rule.VALUE, {"value": 'a"b'}, SYNTAX, {}),
    (Rule.VALUE, {"value": "é☕"}, SYNTAX, {}),
    (Rule.PATH, {"path": "/é"}, SYNTAX, {}),
]


def row_name(part: object) -> str | None:
    if isinstance(part, dict):
        return "&".join(f"{key}={str(value)[:12]!a}" for key, value in part.items())
    return str(part.name) if isinstance(part, Rule) else None


@pytest.mark.parametrize(("rule", "broken", "status", "kept"), CHANGED + KEPT, ids=row_name)
def test_rules(visitor: Visitor, rule: Rule, broken: Parameters, status: str, kept: dict[str, Any] | None) -> None:
    parameters = GOOD | broken
    for skipped in (Rule(0), Rule.ALL & ~rule):
        answer = visitor.server.ask("/set", skip_rules=skipped, **parameters)
        assert (answer["status"], answer["header"]) == (status, "")
        assert answer["message"]

    began = time.time()
    answer = visitor.set(SITE, skip_rules=rule, **parameters)
    assert answer["status"] == "TUILE_OK", answer
    cookies = visitor.stored()
    if kept is None:
        assert cookies == []
        return
    (cookie,) = cookies
    expected = {key: value for key, value in parameters.items() if key in ("name", "value", "path")} | kept
    if seconds := expected.pop("lives", None):
        assert lives(cookie["expires"], seconds, began)
    assert {key: cookie[key] for key in expected} == expected


@pytest.mark.parametrize(
    "good",
    [
        {"value": "v" * 4095},
        {"path": "/" + "p" * 1023},
        {"max_age": 400 * DAY},
        {"same_site": "none", "secure": True},
        {"partitioned": True, "secure": True},
        HOST,
        HOST | {"name": "__HOST-n"},
        {"name": "__Secure-n", "secure": True, "domain": "a.test", "path": "/echo"},
        HTTP,
        HTTP | {"domain": "a.test", "path": "/echo"},
        HOST_HTTP,
        {"name": "__Hostn"},
        {"name": "_Host-n"},
        {"name": "n__Host-"},
    ],
    ids=row_name,
)
def test_what_keeps_the_rules_is_stored(visitor: Visitor, good: Parameters) -> None:
    parameters = GOOD | good
    visitor.must_set(SITE, **parameters)
    (cookie,) = visitor.stored()
    assert (cookie["name"], cookie["value"]) == (parameters["name"], parameters["value"])
    assert cookie["path"] == parameters.get("path", "/")


@pytest.mark.parametrize("name", ["__Host-n", "__Secure-n", "__Http-n", "__Host-Http-n"])
@pytest.mark.parametrize(("origin", "kept"), [("http://a.test", False), ("http://localhost", True)])
def test_prefixes_over_http(visitor: Visitor, name: str, origin: str, kept: bool) -> None:
    """The library can't know the scheme. Chromium trusts localhost as it does HTTPS."""
    visitor.must_set(origin, name=name, value="v", secure=True, http_only=True)
    assert [cookie["name"] for cookie in visitor.stored()] == ([name] if kept else [])


@pytest.mark.parametrize(("name", "kept"), [("__Host-n", True), ("__Http-n", False), ("__Host-Http-n", False)])
def test_prefixes_from_a_script(visitor: Visitor, name: str, kept: bool) -> None:
    """Only the last two say that the cookie came from the server."""
    visitor.echo()
    visitor.write(f"{name}=v; Secure; Path=/")
    assert [cookie["name"] for cookie in visitor.stored()] == ([name] if kept else [])


CONTROLS = [chr(c) for c in [*range(0x20), 0x7F]]


@pytest.mark.parametrize("field", ["name", "value", "domain", "path"])
def test_control_characters_are_never_written(visitor: Visitor, field: str) -> None:
    around = {"name": "n{}n", "value": "v{}v", "domain": "a.{}test", "path": "/{}"}[field]
    for control in [*CONTROLS, ";"]:
        parameters = GOOD | {field: around.format(control)}
        answer = visitor.server.ask("/set", skip_rules=Rule.ALL, **parameters)
        assert (answer["status"], answer["header"]) == (SYNTAX, ""), ascii(control)


@pytest.mark.parametrize("header", ["n=v\x01v", "n\x01n=v", "n=v; Path=/\x01", "n=v\x7f"], ids=ascii)
def test_chromium_drops_control_characters(visitor: Visitor, header: str) -> None:
    """A header that the library would not write, sent as it is."""
    visitor.set(SITE, raw=header)
    assert visitor.stored() == []
    visitor.set(SITE, raw=header.replace("\x01", "x").replace("\x7f", "x"))
    assert len(visitor.stored()) == 1
