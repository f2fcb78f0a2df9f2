"""Cookies as Django reads and writes them, their encodings, rules and the jar."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from tuile import cookies, errors
from tuile.cookies import Jar, Rule, SetCookie

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "Tests/vectors/django_cookies.json").read_text())["cases"]


def cases(kind: str) -> list[dict[str, Any]]:
    found = [case for case in VECTORS if case["kind"] == kind]
    assert found
    return found


@pytest.mark.parametrize("case", cases("set_cookie"))
def test_django_set_cookie(case: dict[str, Any]) -> None:
    given: dict[str, Any] = {key: None if text == "None" else text for key, text in case["args"].items()}
    # SameSite=None is a text, all other Nones are none.
    if "samesite" in case["args"]:
        given["samesite"] = case["args"]["samesite"]
    for flag in ("secure", "httponly"):
        if flag in given:
            given[flag] = given[flag] == "True"
    if given.get("max_age") is not None:
        given["max_age"] = 1209600 if given["max_age"].startswith("14 days") else float(given["max_age"])
    if given.get("expires", "").startswith("2030-"):
        # A datetime became this Max-Age by the clock of the day on which it was made.
        del given["expires"]
        given["max_age"] = 98323021
    assert cookies.django_set_cookie(case["name"], case["value"], **given, now=case["time"]) == case["header"]


@pytest.mark.parametrize("case", cases("delete_cookie"))
def test_django_delete_cookie(case: dict[str, Any]) -> None:
    assert cookies.django_delete_cookie(case["name"], **case["args"]) == case["header"]


@pytest.mark.parametrize("case", cases("parse_cookie"))
def test_django_parse_cookie(case: dict[str, Any]) -> None:
    parsed = cookies.parse(case["header"], mode="django")
    assert parsed == case["cookies"] and list(parsed) == list(case["cookies"])


def test_several_headers_are_one() -> None:
    assert list(cookies.pairs(["a=1; b=2", b"c=3", ""])) == [("a", "1"), ("b", "2"), ("c", "3")]
    assert len(cookies.parse("; ".join(f"c{i}=1" for i in range(2999)))) == 2999
    with pytest.raises(errors.LimitError):
        cookies.parse("; ".join(f"c{i}=1" for i in range(3001)))
    with pytest.raises(errors.LimitError):
        cookies.parse(["x" * 4000] * 17)


@pytest.mark.parametrize(
    ("header", "offset"),
    [("a", 1), ("=b", 0), ("a=b;c=d", 4), ("a=b; ", 4), ("a=b c", 3), ('a="b', 4), ("a=b; é=1", 5), ("a b=1", 1), (";", 0)],
)
def test_strict_says_where_it_breaks(header: str, offset: int) -> None:
    with pytest.raises(errors.SyntaxProblem) as raised:
        cookies.parse(header, mode="strict")
    assert raised.value.offset == offset


def test_strict_takes_what_the_grammar_has() -> None:
    assert cookies.parse('\ta=b; c="d"; e=\t ', mode="strict") == {"a": "b", "c": '"d"', "e": ""}
    with pytest.raises(errors.ArgumentError):
        cookies.parse("a=b", mode="lax")


@pytest.mark.parametrize("encoding", ["percent", "quoted", "quoted-utf8", "base64url"])
def test_every_text_comes_back(encoding: str) -> None:
    for text in ("", "plain", 'a;b,c"d\\e', "".join(map(chr, range(256))), '"', "\\012", "\n" * 700):
        encoded = cookies.encode(text, encoding)
        assert cookies.decode(encoded, encoding) == text
        SetCookie("a", encoded, skip_rules=Rule.VALUE).header()
    assert cookies.decode(cookies.encode(b"\xff\0", "base64url"), "base64url").encode("utf-8", "surrogateescape") == b"\xff\0"


def test_what_an_encoding_cannot_hold_is_refused() -> None:
    for text, encoding in (("a b", "raw"), ("€", "quoted"), (b"\xff", "quoted")):
        with pytest.raises(errors.SyntaxProblem):
            cookies.encode(text, encoding)
    for text, encoding in (("%", "percent"), ("%4", "percent"), ("%gg", "percent"), ("a", "base64url"), ("aa==", "base64url")):
        with pytest.raises(errors.SyntaxProblem):
            cookies.decode(text, encoding)
    with pytest.raises(errors.ArgumentError):
        cookies.encode("a", "rot13")


def test_every_field_is_written_and_read() -> None:
    full = SetCookie(
        "id", "v", max_age=5, expires=784111777, domain="example.com", path="/p", secure=True, http_only=True,
        same_site="None", partitioned=True, priority="High",
    )  # fmt: skip
    assert SetCookie.parse(full.header()) == full
    assert full.header().endswith("; Path=/p; Priority=High; SameSite=None; Secure")
    assert SetCookie.parse("a=b") == SetCookie("a", "b", path="")


def test_a_rule_is_skipped_by_name() -> None:
    cookie = SetCookie("a", "b", max_age=10**9)
    with pytest.raises(errors.CookieRuleError, match="400 days"):
        cookie.header()
    cookie.skip_rules = Rule.LIFETIME
    assert "Max-Age=1000000000" in cookie.header()
    cookie.value, cookie.skip_rules = "b\r\nX: y", ~Rule(0)
    with pytest.raises(errors.SyntaxProblem):
        cookie.header()


def test_a_jar_from_many_threads_and_through_a_file(tmp_path: Path) -> None:
    with Jar() as jar:
        def visit(host: int) -> None:
            for number in range(200):
                jar.receive(f"https://h{host}.example/", f"n={number}; Max-Age=60")
                assert jar.header(f"https://h{host}.example/") == f"n={number}"

        threads = [threading.Thread(target=visit, args=(host,)) for host in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(jar) == 8 and repr(jar) == "<Jar of 8 cookies>"
        jar.save(tmp_path / "jar.txt")
    with pytest.raises(ValueError, match="closed"):
        len(jar)
    with Jar() as again:
        again.load(tmp_path / "jar.txt")
        assert again.header("https://h7.example/") == "n=199"
        with pytest.raises(FileNotFoundError):
            again.load(tmp_path / "none.txt")
        with pytest.raises(errors.FileError):
            again.save(tmp_path)


def test_what_a_browser_ignores_has_a_reason() -> None:
    with Jar(public_suffix=lambda domain: domain == "test") as jar:
        for header, reason in (("a=1; Domain=test", "public suffix"), ("a=1; Domain=b.test", "above"), ("a\0", "control")):
            with pytest.raises(errors.TuileError, match=reason):
                jar.receive("https://a.test/", header)
        with pytest.raises(errors.SyntaxProblem):
            jar.header("a.test")


def test_an_exception_of_a_callback_is_raised() -> None:
    def broken(domain: str) -> bool:
        raise RuntimeError(domain)

    with Jar(public_suffix=broken) as jar:
        with pytest.raises(RuntimeError, match="test"):
            jar.receive("https://x.a.test/", "a=1; Domain=a.test")
        assert len(jar) == 0
