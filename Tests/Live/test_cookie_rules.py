"""Which of several cookies counts, and what its quotes mean: each framework's own rule."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Optional

import live
import pytest
from django.http.cookie import parse_cookie
from live import Helper
from starlette.requests import cookie_parser
from tuile.cookies import read, several
from tuile.sessions import Manager
from werkzeug.http import parse_cookie as parse_flask_cookie

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./"
NAME = "sessionid"
VALUES = [
    "one", "two", '"one"', '"', '""', "", '"one', 'one"', 'a"b"c', '"a b"', "a b", "a,b", "x=y", "=", '"t\\"q"',
    '"o\\101\\054"', "a\\b", "(a)", "[a]", "'a'", '"a; sessionid=b; c"', '"\\"', '"a" b', "\\",
]  # fmt: skip
PIECES = ["other=1", "$Version=1", "$Path=/", "", "nameless", "sessionid2=no", "Sessionid=no", f"x{NAME}=no", "=no"]


def headers(count: int = 400) -> list[str]:
    random_ = random.Random(f"{live.SEED} cookie rules")
    made = [f'$Version=1; {NAME}="one"', f"{NAME}=one; {NAME}=two", f'{NAME}="one"; {NAME}=one', ""]
    for _ in range(count):
        pieces = [
            f"{NAME}={random_.choice(VALUES)}" if random_.random() < 0.6 else random_.choice(PIECES)
            for _ in range(random_.randrange(1, 6))
        ]
        made.append("; ".join(pieces))
    return made


def agree(rule: str, theirs: Callable[[str], Optional[str]]) -> None:
    for header in headers():
        assert read(header, NAME, rule) == theirs(header), header


def test_django() -> None:
    agree("django", lambda header: parse_cookie(header).get(NAME))


def test_starlette() -> None:
    agree("django", lambda header: cookie_parser(header).get(NAME))


def test_flask() -> None:
    agree("flask", lambda header: parse_flask_cookie(header).get(NAME))


def test_go(gorilla: Helper) -> None:
    agree("go", lambda header: gorilla("cookie", header=header, name=NAME))


def test_express(node: Helper) -> None:
    node.need("cookie")

    def parsed(header: str) -> Optional[str]:
        found: Optional[str] = node("cookie", header=header, name=NAME)
        value = read(header, NAME, "express")
        # Before 0.7 one quote in front was taken for two.
        return value if value is not None and value[:1] == '"' and found == value[1:-1] else found

    agree("express", parsed)


def test_rack(rails: Helper) -> None:
    agree("rack", lambda header: rails("cookie", header=header, name=NAME))


def token(dialect: str, n: int) -> str:
    with Manager(store=f"cookie:{dialect}", secret=SECRET) as manager, manager.begin("") as session:
        session["n"] = n
        return dict(session.commit(200))["Set-Cookie"].split(";")[0].partition("=")[2]


@pytest.mark.parametrize(
    ("dialect", "rule"),
    [("django", "django"), ("sealed", "django"), ("starlette", "django"), ("flask", "flask"), ("gorilla", "go"),
     ("iron-session", "express"), ("rails", "rack"), ("rack", "rack")],
)  # fmt: skip
def test_a_session_comes_from_the_cookie_that_its_framework_takes(dialect: str, rule: str) -> None:
    first, second = token(dialect, 1), token(dialect, 2)
    tossed, quoted = f"{NAME}={first}; {NAME}={second}", f'$Version=1; {NAME}="{first}"'
    with Manager(store=f"cookie:{dialect}", secret=SECRET) as manager:
        with manager.begin(tossed) as session:
            assert session["n"] == (2 if rule == "django" else 1) and session.has_several_cookies()
        with manager.begin(quoted) as session:
            assert session.get("n") == (None if rule == "rack" else 1) and not session.has_several_cookies()
    with Manager(store=f"cookie:{dialect}", secret=SECRET, cookie_rule="rack") as manager, manager.begin(tossed) as session:
        assert session["n"] == 1


def test_a_store_s_session() -> None:
    with Manager(store="memory:") as manager:
        keys = []
        for n in (1, 2):
            with manager.begin("") as session:
                session["n"] = n
                session.commit(200)
                keys.append(session.session_key)
        headers = f"{NAME}={keys[0]}; {NAME}={keys[1]}", f'$Version=1; {NAME}="{keys[0]}"'
        with manager.begin(headers[0]) as one, manager.begin(headers[1]) as two:
            assert (one["n"], two["n"]) == (2, 1)
    assert several(headers[0], NAME) and not several(headers[1], NAME)
