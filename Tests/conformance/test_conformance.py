"""The cookie cases of other projects' tests, as data: what goes in, what must come out.

Each file names its source and says what a case means by its keys (README.md). Where a source
and RFC 6265bis draft 22 disagree, a case has ``decided``, which is what Tuile does, and ``why``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tuile import SyntaxProblem, TuileError
from tuile.cookies import Jar, SetCookie, pairs, parse_date

FILES = sorted(Path(__file__).parent.glob("*.json"))


def raw(case: dict[str, Any], key: str) -> bytes:
    """A text of a case: a string, parts to be joined, or hex digits."""
    if f"{key}_hex" in case:
        return bytes.fromhex(case[f"{key}_hex"])
    return joined(case[key])


def joined(text: Any) -> bytes:
    parts = [text] if isinstance(text, (str, dict)) else text
    done = (part["repeat"][0] * part["repeat"][1] if isinstance(part, dict) else part for part in parts)
    return "".join(done).encode()


def load(kind: str) -> list[Any]:
    found = []
    for path in FILES:
        for case in json.loads(path.read_text())["cases"]:
            if any(key.startswith(kind) for key in case):
                found.append(pytest.param({**case, **case.get("decided", {})}, id=f"{path.stem}: {case['id']}"))
    assert found
    return found


@pytest.mark.parametrize("case", load("steps"))
def test_jar(case: dict[str, Any]) -> None:
    now = case.get("now", 1_700_000_000)
    with Jar(clock=lambda: now) as jar:
        for number, step in enumerate(case["steps"]):
            where = {key: step[key] for key in ("context", "script") if key in step}
            if any(key.startswith("receive") for key in step):
                before = len(jar)
                try:
                    jar.receive(step["url"], raw(step, "receive"), **where)
                    stored = True
                except TuileError:
                    stored = False
                    assert len(jar) == before
                assert stored == step.get("stored", stored), (number, step)
            elif any(key.startswith("header") for key in step):
                try:
                    sent = (jar.header(step["url"], **where) or "").encode("utf-8", "surrogateescape")
                except SyntaxProblem:  # a URL that nobody can request
                    sent = b""
                assert sent == raw(step, "header"), (number, step)
            elif "advance" in step:
                now += step["advance"]
            elif "end_session" in step:
                jar.end_session()
            else:
                assert len(jar) == step["count"], (number, step)


@pytest.mark.parametrize("case", load("date"))
def test_date(case: dict[str, Any]) -> None:
    assert parse_date(raw(case, "date")) == case["seconds"]


@pytest.mark.parametrize("case", load("cookie"))
def test_cookie_header(case: dict[str, Any]) -> None:
    headers = [joined(part) for part in case["cookie"]]
    assert [list(pair) for pair in pairs(headers)] == case["pairs"]


@pytest.mark.parametrize("case", load("set_cookie"))
def test_set_cookie(case: dict[str, Any]) -> None:
    text = raw(case, "set_cookie")
    if case["parsed"] is None:
        with pytest.raises(TuileError):
            SetCookie.parse(text)
        return
    parsed = SetCookie.parse(text)
    nothing = {"name": "", "value": "", "domain": "", "path": ""}
    for key, value in {**nothing, **case["parsed"]}.items():
        found = getattr(parsed, key)
        # The domain is a view of the header, letters as they are there.
        assert (found.lower() if key == "domain" else found) == value, key
    for key in ("max_age", "expires", "same_site", "secure", "http_only", "partitioned"):
        assert case["parsed"].get(key) or not getattr(parsed, key), key
