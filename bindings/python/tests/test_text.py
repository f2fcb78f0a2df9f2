"""Octets come out of text as they went in, by one rule: UTF-8, and surrogateescape for what is none."""

from __future__ import annotations

import http.cookies
from typing import Any, Callable

import pytest
from tuile import SyntaxProblem, TuileError, cookies, signing, state
from tuile.sessions import Manager
from tuile.wsgi import from_wsgi, to_wsgi

SECRET = "a secret that has its thirty-two bytes and more"
OCTETS = b"a\x80\xff\xc3\xbc\xed\xa0\x80z"
TEXT = OCTETS.decode("utf-8", "surrogateescape")
# Halves that stand for no octet; and such a one among those that do.
HALVES = ["\ud800", "a\udbff", "\udc00", "\udc7f", "\udd00", "\udfff", "\udc80\ud800"]


def test_a_jars_header_is_parsed_to_what_was_received() -> None:
    with cookies.Jar(public_suffix=lambda _: False) as jar:
        jar.receive("https://a.test/", b"n=" + OCTETS)
        jar.receive("https://a.test/", f"m={TEXT}")
        header = jar.header("https://a.test/")
        assert header is not None and cookies.parse(header) == {"n": TEXT, "m": TEXT}
        assert cookies.parse(header.encode("utf-8", "surrogateescape")) == {"n": TEXT, "m": TEXT}
        assert cookies.read(header, "n") == TEXT and cookies.pairs(header, "django")
        jar.receive("https://b.test/", header)
        assert jar.header("https://b.test/") == header.partition(";")[0]


@pytest.mark.parametrize("octet", range(0x80, 0x100))
def test_each_octet_comes_back(octet: int) -> None:
    text = bytes([0x41, octet, 0x42]).decode("utf-8", "surrogateescape")
    assert cookies.parse(f"n={text}") == {"n": text} == cookies.parse(f"n={text}".encode("utf-8", "surrogateescape"))
    assert cookies.decode(cookies.encode(text, "percent"), "percent") == text
    assert cookies.decode(cookies.encode(text, "base64url"), "base64url") == text
    made = cookies.SetCookie("n", text, skip_rules=cookies.Rule.VALUE)
    assert cookies.SetCookie.parse(made.header()).value == text
    assert state.url_parameter(f"/?n={text}", "n") == text
    for signer in (signing.Signer(key=SECRET), signing.TimestampSigner(key=SECRET), signing.Tokens("itsdangerous", key=SECRET)):
        assert signer.unsign(signer.sign(text)) == text
    assert signing.Signer(key=SECRET + text).sign("x") == signing.Signer(key=(SECRET + text).encode("utf-8", "surrogateescape")).sign("x")


REFUSED: dict[str, Callable[[str], Any]] = {
    "parse": lambda half: cookies.parse(f"n={half}"),
    "read": lambda half: cookies.read("n=1", half),
    "encode": lambda half: cookies.encode(half, "percent"),
    "SetCookie": lambda half: cookies.SetCookie("n", half).header(),
    "SetCookie.parse": lambda half: cookies.SetCookie.parse(f"n={half}"),
    "Jar": lambda half: cookies.Jar(public_suffix=lambda _: False).receive("https://a.test/", f"n={half}"),
    "url_with": lambda half: state.url_with("/", "n", half),
    "sign": lambda half: signing.Signer(key=SECRET).sign(half),
    "key": lambda half: signing.Signer(key=SECRET + half),
    "Manager": lambda half: Manager(store="memory:", secret=SECRET + half),
    "fallbacks": lambda half: Manager(store="memory:", secret=SECRET, fallbacks=[SECRET + half]),
    "owner": lambda half: Manager(store="memory:").sessions(half),
}


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("name", REFUSED)
def test_a_half_that_stands_for_no_octet_is_an_error(name: str, half: str) -> None:
    with pytest.raises(SyntaxProblem, match="half a surrogate pair at"):
        REFUSED[name](half)


@pytest.mark.parametrize("half", HALVES)
def test_in_what_a_client_sent_it_is_as_any_other_mistake(half: str) -> None:
    signer = signing.TimestampSigner(key=SECRET)
    for token in (half, signer.sign("x") + half, half + signer.sign("x")):
        for check in (signer.unsign, signer.loads, signing.Tokens("flask", key=SECRET).open, signing.Tokens("sealed", key=SECRET, salt="a").open):
            with pytest.raises(signing.BadSignature):
                check(token)
    secret = state.csrf_secret()
    assert state.csrf_refusal("POST", host="a.test", cookie=secret, token=half) is not None
    assert state.csrf_refusal("POST", host="a.test", cookie=half, token=state.csrf_token(secret)) is not None
    with Manager(store="memory:") as manager, manager.begin(f"sessionid={half}") as session:
        assert not session.load()
    with pytest.raises(TuileError):
        state.read_hidden_field(signing.Signer(key=SECRET), "f", f"f={half}", form="x")


@pytest.mark.parametrize("half", [*HALVES, TEXT])
def test_values_of_json_hold_halves_as_pythons_do(half: str) -> None:
    with Manager(store="memory:") as manager:
        with manager.begin("") as session:
            session.update({"a": {half: [half]}})
            session["b"] = half
            session.append("c", half)
            for change in (lambda: session.update({half: 1}), lambda: session.add_int(half), lambda: session.append(half, 1)):
                with pytest.raises(SyntaxProblem, match="name"):
                    change()
            cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
        with manager.begin(cookie) as session:
            assert dict(session) == {"a": {half: [half]}, "b": half, "c": [half]}
            assert half not in session and session.get(half) is None
    signer = signing.TimestampSigner(key=SECRET)
    assert signer.loads(signer.dumps({half: half})) == {half: half}


def test_what_a_wsgi_server_gives_has_a_call() -> None:
    # Three bytes of a browser, one UTF-8 character and one octet that is none.
    environ = {"HTTP_COOKIE": b"n=\xc3\xbc; o=\xff".decode("latin-1")}
    assert cookies.parse(from_wsgi(environ["HTTP_COOKIE"])) == {"n": "ü", "o": "\udcff"}
    assert to_wsgi("n=ü; o=\udcff") == environ["HTTP_COOKIE"] == to_wsgi(from_wsgi(environ["HTTP_COOKIE"]))
    assert to_wsgi(cookies.SetCookie("n", "é", skip_rules=cookies.Rule.VALUE).header()).startswith("n=Ã©")
    assert all(from_wsgi(to_wsgi(bytes([octet]))) == bytes([octet]) for octet in range(256))
    with pytest.raises(SyntaxProblem, match="at 2"):
        from_wsgi("n=\u0100")
    with pytest.raises(SyntaxProblem):
        to_wsgi("\ud800")
    assert http.cookies.SimpleCookie(to_wsgi("n=a"))["n"].value == "a"
