"""Deletion, the order of cookies of one name, and what outlives the browser."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from clients import SITE, Visitor
from devtools import Chromium
from served import Parameter, Server

Parameters = dict[str, Parameter]

# How a cookie was set, and what tuile_set_cookie_delete is told of it: Secure is left to it.
DELETIONS: list[tuple[Parameters, Parameters]] = [
    ({}, {}),
    ({"max_age": 1000}, {"max_age": 1000}),
    ({"path": "/echo"}, {"path": "/echo"}),
    ({"path": ""}, {"path": ""}),
    ({"domain": "a.test"}, {"domain": "a.test"}),
    ({"domain": ".a.test", "path": "/echo"}, {"domain": "a.test", "path": "/echo"}),
    ({"secure": True}, {"secure": True}),
    ({"http_only": True}, {}),
    ({"same_site": "strict"}, {"same_site": "strict"}),
    ({"same_site": "none", "secure": True}, {"same_site": "none"}),
    ({"partitioned": True, "secure": True}, {"partitioned": True}),
    ({"name": "__Secure-n", "secure": True}, {"name": "__Secure-n"}),
    ({"name": "__Host-n", "secure": True}, {"name": "__Host-n"}),
    ({"name": "__Http-n", "secure": True, "http_only": True}, {"name": "__Http-n", "http_only": True}),
    ({"name": "__Host-Http-n", "secure": True, "http_only": True}, {"name": "__Host-Http-n", "http_only": True}),
    (
        {"name": "__Host-n", "secure": True, "partitioned": True, "same_site": "none", "http_only": True},
        {"name": "__Host-n", "partitioned": True, "same_site": "none", "http_only": True},
    ),
]


def row_name(part: object) -> str | None:
    return "&".join(f"{key}={value}" for key, value in part.items()) if isinstance(part, dict) else None


PAIR: Parameters = {"name": "n", "value": "v"}


@pytest.mark.parametrize(("given", "told"), DELETIONS, ids=row_name)
def test_deletion(visitor: Visitor, given: Parameters, told: Parameters) -> None:
    visitor.must_set(**PAIR | given)
    assert len(visitor.stored()) == 1
    visitor.must_set(**PAIR | {"delete": True} | told)
    assert visitor.stored() == []
    assert visitor.sent(SITE, "/echo") == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {"path": "/echo"}),
        ({}, {"domain": "a.test"}),
        ({"domain": "a.test"}, {}),
        ({}, {"name": "N"}),
        ({"partitioned": True, "secure": True}, {}),
        ({}, {"partitioned": True}),
    ],
    ids=row_name,
)
def test_deletion_of_another_cookie(visitor: Visitor, given: Parameters, told: Parameters) -> None:
    """Name, domain, path and partition make the cookie: the deletion is no blunter than that."""
    visitor.must_set(**PAIR | given)
    visitor.must_set(**PAIR | {"delete": True} | told)
    assert visitor.sent() == [("n", "v")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"path": "/echo", "domain": "a.test"}, {"path": "/echo", "domain": "a.test"}),
        ({"samesite": "None", "secure": True}, {"samesite": "None"}),
        ({"name": "__Host-n", "secure": True}, {"name": "__Host-n"}),
        ({"name": "__Secure-n", "secure": True}, {"name": "__Secure-n"}),
    ],
    ids=row_name,
)
def test_django_deletion(visitor: Visitor, given: Parameters, told: Parameters) -> None:
    visitor.must_set(**PAIR | {"django": True} | given)
    assert len(visitor.stored()) == 1
    visitor.must_set(**PAIR | {"django": True, "delete": True} | told)
    assert visitor.stored() == []


PATHS = ["/", "/echo", "/echo/deep"]


@pytest.mark.parametrize("order", list(itertools.permutations(PATHS)), ids="<".join)
def test_longer_paths_come_first(visitor: Visitor, order: tuple[str, ...]) -> None:
    for path in order:
        visitor.must_set(name="n", value=path, path=path)
    cookies = visitor.echo(SITE, "/echo/deep/er")["cookies"]
    assert [cookie["value"] for cookie in cookies] == PATHS[::-1]
    # TUILE_MATCH_FIRST is the most specific one; Django keeps the last.
    assert {(cookie["first"], cookie["last"]) for cookie in cookies} == {("/echo/deep", "/")}
    assert {cookie["read"] for cookie in cookies} == {"/echo/deep"}
    django = visitor.echo(SITE, "/echo/deep/er", mode="django")["cookies"]
    assert {cookie["read"] for cookie in django} == {"/"}


@pytest.mark.parametrize("order", [("", "a.test"), ("a.test", "")], ids=["host first", "domain first"])
def test_of_one_path_the_older_comes_first(visitor: Visitor, order: tuple[str, str]) -> None:
    """Neither the host-only cookie nor that of the domain is more specific (RFC 6265bis, 5.8.3)."""
    older, younger = order
    visitor.must_set(name="n", value=f"of-{older}", domain=older)
    visitor.must_set(name="n", value=f"of-{younger}", domain=younger)
    assert [value for _, value in visitor.sent()] == [f"of-{older}", f"of-{younger}"]
    # Set again as it was, a cookie keeps its age, as in the draft (5.7).
    visitor.must_set(name="n", value=f"of-{older}", domain=older, max_age=60)
    assert [value for _, value in visitor.sent()] == [f"of-{older}", f"of-{younger}"]
    # Observed with Chromium 156, unlike the draft: a new value makes it the youngest.
    visitor.must_set(name="n", value="new", domain=older)
    assert [value for _, value in visitor.sent()] == [f"of-{younger}", "new"]


def test_what_outlives_the_browser(chromium_installed: None, server: Server, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    lasting: list[Parameters] = [
        {"name": "plain", "max_age": 1000},
        {"name": "__Host-all", "max_age": 1000, "secure": True, "http_only": True, "same_site": "strict"},
        {"name": "important", "max_age": 1000, "priority": "high"},
        {"name": "partitioned", "max_age": 1000, "secure": True, "partitioned": True, "same_site": "none"},
        {"name": "domain", "max_age": 1000, "domain": "a.test", "path": "/echo"},
    ]
    with Chromium(profile) as browser:
        visitor = Visitor(browser, server)
        for cookie in lasting:
            visitor.must_set(SITE, value="v", **cookie)
        visitor.must_set(SITE, name="session", value="v")
        visitor.must_set(SITE, name="django", value="v", django=True, samesite="Lax")
        before = {cookie["name"]: cookie for cookie in visitor.stored()}
        assert len(visitor.sent()) == len(before) == len(lasting) + 2
    with Chromium(profile) as browser:
        visitor = Visitor(browser, server)
        after = {cookie["name"]: cookie for cookie in visitor.stored()}
        assert after == {name: cookie for name, cookie in before.items() if not cookie["session"]}
        assert {name for name, _ in visitor.sent()} == {str(cookie["name"]) for cookie in lasting}
