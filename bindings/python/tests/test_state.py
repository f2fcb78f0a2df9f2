"""Keys, URLs, hidden fields, CSRF tokens, sessions in URLs."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tuile import errors, state
from tuile.sessions import Manager
from tuile.signing import BadSignature, Keyring, SignatureExpired, Tokens, generate_key

STRONG = "0123456789abcdef0123456789ABCDEF"


# -- keys


def test_keys_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Keyring(STRONG)
    ring.add("00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF", "hex")
    ring.add("ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=", "base64")
    ring.add("ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8", "base64")
    file = tmp_path / "keys"
    file.write_text(f"{generate_key()}\r\n\n{generate_key()}")
    with pytest.raises(errors.FileError, match="others than its owner"):
        ring.add_file(str(file))
    # A group's file, or one mounted into a container, is taken by saying so; one that others may write is not.
    for mode, taken in ((0o640, True), (0o444, True), (0o660, False), (0o602, False)):
        file.chmod(mode)
        if taken:
            Keyring().add_file(file, shared=True)
        else:
            with pytest.raises(errors.FileError, match="others than its owner may write"):
                Keyring().add_file(file, shared=True)
    file.chmod(0o600)
    ring.add_file(str(file), "base64")
    monkeypatch.setenv("TUILE_TEST_KEYS", f"{generate_key()}\n{generate_key()}\n")
    os.environ["TUILE_TEST_KEYS"]
    ring.add_environment("TUILE_TEST_KEYS")
    assert len(ring) == 8 and repr(ring) == "<Keyring of 8 keys>"
    with pytest.raises(KeyError):
        ring.add_environment("TUILE_TEST_NO_KEYS")
    with pytest.raises(errors.FileError):
        ring.add_file(str(tmp_path / "none"))
    # Hex and base64 were the same bytes.
    hexed, based = (Tokens("sealed", key=Keyring(text, format=form)) for text, form in (
        ("00112233445566778899aabbccddeeff" * 2, "hex"), ("ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=", "base64"),
    ))  # fmt: skip
    assert hexed.unsign(based.sign("v")) == "v"


@pytest.mark.parametrize("key", ["", "short", "a" * 64, "ab" * 32, "x" * 4097])
def test_a_weak_key_is_refused(key: str) -> None:
    with pytest.raises((errors.ArgumentError, errors.LimitError)):
        Keyring(key)
    if 0 < len(key) <= 4096:
        assert len(Keyring(key, allow_weak=True)) == 1


def test_the_first_key_writes_and_all_read() -> None:
    old, new = generate_key(), generate_key()
    before = Tokens("django", key=Keyring(old)).sign("v")
    ring = Keyring(new, old)
    rotated = Tokens("django", key=ring)
    assert rotated.open(before).key == 1 and rotated.open(rotated.sign("v")).key == 0
    with pytest.raises(BadSignature):
        Tokens("django", key=Keyring(new)).open(before)
    with Manager(store="memory:", secret=ring) as manager, manager.begin("") as session:
        session["a"] = 1
    with pytest.raises(errors.ArgumentError):
        Tokens("django", key=Keyring())
    with pytest.raises(errors.LimitError):
        Keyring(*[STRONG] * 66)


# -- URLs


@pytest.mark.parametrize(
    ("url", "place", "expected", "without"),
    [
        ("/a", "path", "/a;sid=K", "/a"),
        ("/a?b=c#d", "path", "/a;sid=K?b=c#d", "/a?b=c#d"),
        ("/a;sid=old/b;x=y?sid=z", "path", "/a;sid=K/b;x=y?sid=z", "/a/b;x=y?sid=z"),
        ("/a;xsid=1;sid=;q", "path", "/a;xsid=1;sid=K;q", "/a;xsid=1;q"),
        ("/a;sid", "path", "/a;sid;sid=K", "/a;sid"),
        ("http://h/?;sid=1#;sid=2", "path", "http://h/;sid=K?;sid=1#;sid=2", "http://h/?;sid=1#;sid=2"),
        ("", "query", "?sid=K", ""),
        ("/a?", "query", "/a?sid=K", "/a?"),
        ("/a?b&", "query", "/a?b&sid=K", "/a?b&"),
        ("/a?sid=1&c=%26", "query", "/a?sid=K&c=%26", "/a?c=%26"),
        ("/a?b=1&sid=2#sid=3", "query", "/a?b=1&sid=K#sid=3", "/a?b=1#sid=3"),
        ("/a?b=1&sid=2&sid=3", "query", "/a?b=1&sid=K&sid=3", "/a?b=1&sid=3"),
        ("/;sid=1#?sid=2", "query", "/;sid=1?sid=K#?sid=2", "/;sid=1#?sid=2"),
        ("/\udcff?é=ü", "query", "/\udcff?é=ü&sid=K", "/\udcff?é=ü"),
    ],
)
def test_a_url_keeps_the_rest(url: str, place: str, expected: str, without: str) -> None:
    raw = url.encode("utf-8", "surrogateescape")
    assert state.url_with(raw, "sid", "K", place) == expected  # type: ignore[arg-type]
    assert state.url_parameter(expected.encode("utf-8", "surrogateescape"), "sid", place) == "K"  # type: ignore[arg-type]
    assert state.url_with(raw, "sid", "", place) == without  # type: ignore[arg-type]


def test_no_value_changes_what_a_url_means() -> None:
    for octet in range(256):
        text = bytes([octet])
        plain = text.isalnum() and octet < 128 or text in b"-._~:%"
        try:
            url = state.url_with("/a?b=1", "sid", text)  # type: ignore[arg-type]
            assert plain and dict(parse_qsl(urlsplit(url).query)).get("b") == "1"
        except errors.SyntaxProblem:
            assert not plain
    for name in ("", "a=b", "a&b", ";"):
        with pytest.raises(errors.SyntaxProblem):
            state.url_with("/", name, "1")
    assert state.url_parameter("/?a=b", "sid") is None
    with pytest.raises(errors.ArgumentError):
        state.url_with("/", "a", "b", "fragment")


def test_a_session_begins_from_a_url_only_where_that_is_on() -> None:
    for on in (False, True):
        with Manager(store="memory:", url_sessions=on) as manager:
            with manager.begin("") as session:
                session["n"] = 1
                session.commit(200)
                key = session.session_key
            for url in (f"/x;sid={key}?a=b", f"/x?a=b&sid={key}#c"):
                with manager.begin("", url) as session:
                    assert session.get("n") == (1 if on else None)
            # A cookie counts first, and a key that has no session is never adopted.
            with manager.begin("sessionid=00000000000000000000000000000000", f"/?sid={key}") as session:
                assert session.get("n") is None
            with manager.begin("", "/?sid=chosenchosenchosenchosenchosen12") as session:
                session["m"] = 1
                session.commit(200)
                assert session.session_key != "chosenchosenchosenchosenchosen12"


# -- hidden fields


@pytest.mark.parametrize("dialect", ["django", "itsdangerous", "sealed", "signed", "iron-session", "rack", "flask"])
def test_a_hidden_field_is_for_one_form_and_session(dialect: str) -> None:
    signer = Tokens(dialect, key=STRONG, salt="forms")
    value = "<script>&\"'é☕\n"
    markup = state.hidden_field(signer, "st<a>te", value, form="checkout", session_key="key of session 1", now=1000)
    name, token = re.fullmatch(r'<input type="hidden" name="([^"<>]*)" value="([^"<>]*)">', markup).groups()  # type: ignore[union-attr]
    name, token = html.unescape(name), html.unescape(token)
    assert name == "st<a>te" and "key of" not in token
    body = "x=1&" + urlencode({name: token}) + f"&{name}=second"
    given = {"form": "checkout", "session_key": "key of session 1", "now": 1010}
    assert state.read_hidden_field(signer, name, body, **given) == value  # type: ignore[arg-type]
    if dialect not in ("rack", "iron-session"):  # these have no time of their own
        assert state.read_hidden_field(signer, name, body, max_age=10, **given) == value  # type: ignore[arg-type]
        with pytest.raises(SignatureExpired):
            state.read_hidden_field(signer, name, body, max_age=9, **given)  # type: ignore[arg-type]
    for other in ({"form": "checkin"}, {"session_key": "k2"}, {"session_key": ""}):
        with pytest.raises(BadSignature):
            state.read_hidden_field(signer, name, body, **{**given, **other})  # type: ignore[arg-type]
    with pytest.raises(BadSignature):
        state.read_hidden_field(signer, name, body.replace("=" + body.split("=")[2][:4], "=AAAA"), **given)  # type: ignore[arg-type]
    assert state.read_hidden_field(signer, "other", body, **given) is None  # type: ignore[arg-type]
    # No token of another kind is one.
    with pytest.raises((BadSignature, errors.TypeError if hasattr(errors, "TypeError") else BadSignature)):
        state.read_hidden_field(signer, name, urlencode({name: signer.dumps(["checkout", "x", value])}), **given)  # type: ignore[arg-type]


# -- CSRF


def test_tokens_are_masked_and_match() -> None:
    secret = state.csrf_secret()
    tokens = {state.csrf_token(secret) for _ in range(100)}
    assert len(tokens) == 100 and all(re.fullmatch("[a-zA-Z0-9]{64}", token) for token in tokens)
    for token in [*tokens, secret]:
        assert state.csrf_refusal("POST", host="h", cookie=secret, token=token) is None
        wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
        assert "not the cookie's" in str(state.csrf_refusal("POST", host="h", cookie=secret, token=wrong))
    with pytest.raises(errors.SyntaxProblem):
        state.csrf_token("short")
    with pytest.raises(errors.SyntaxProblem):
        state.csrf_token("-" * 32)
