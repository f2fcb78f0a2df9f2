"""Node: cookie-signature, Express with cookie-parser, keygrip, cookies and cookie-session."""

from __future__ import annotations

from typing import Any

import live
import pytest
from live import Helper, Refused
from tuile.signing import BadSignature, Tokens


@live.each_text
def test_cookie_signature(node: Helper, text: str) -> None:
    node.need("cookie-signature")
    new, old, other = live.keys("signature", text)
    tokens = Tokens("cookie-signature", key=new, fallback_keys=[old])
    token = node("signature-sign", value=text, secret=new)
    assert live.signed(tokens, text) == token
    assert (tokens.open(token).value, tokens.open(token).key, tokens.open(token).timestamp) == (text, 0, None)
    assert tokens.open(node("signature-sign", value=text, secret=old)).key == 1
    assert node("signature-unsign", token=tokens.sign(text), secret=new) == text
    with pytest.raises(BadSignature):
        tokens.open(node("signature-sign", value=text, secret=other))
    with pytest.raises(Refused):
        node("signature-unsign", token=tokens.sign(text), secret=other)


@live.each_text
def test_express_text(node: Helper, text: str) -> None:
    for name in ("express", "cookie-parser"):
        node.need(name)
    new, old, other = live.keys("express", text)
    tokens = Tokens("express", key=new, fallback_keys=[old])
    token = node("express-write", secrets=[new, old], name="c", value=text)
    assert live.signed(tokens, text) == token
    assert (tokens.open(token).value, tokens.open(token).key) == (text, 0)
    assert tokens.open(node("express-write", secrets=[old], name="c", value=text)).key == 1
    for secrets, writer in (([new, old], new), ([new, old], old), ([other], other)):
        assert node("express-read", secrets=secrets, name="c", token=Tokens("express", key=writer).sign(text)) == text
    with pytest.raises(Refused):
        node("express-read", secrets=[other], name="c", token=tokens.sign(text))
    with pytest.raises(BadSignature):
        tokens.open(node("express-write", secrets=[other], name="c", value=text))
    # The name is not in the signature: theirs to say so, ours to do the same.
    assert node("express-read", secrets=[new], name="another", token=token) == text


@pytest.mark.parametrize("payload", [*live.OBJECTS, [], [1, [2]], live.HALF])
def test_express_json(node: Helper, payload: Any) -> None:
    for name in ("express", "cookie-parser"):
        node.need(name)
    new, old, other = live.keys("express json", payload)
    tokens = Tokens("express", key=new, fallback_keys=[old])
    token = node("express-write", secrets=[new], name="c", value=payload)
    assert live.written(tokens, payload) == token
    assert tokens.open_json(token).value == payload
    assert node("express-read", secrets=[new], name="c", token=tokens.dumps(payload)) == payload
    live.refuses(tokens, node("express-write", secrets=[other], name="c", value=payload))
    with pytest.raises(Refused):
        node("express-read", secrets=[other], name="c", token=tokens.dumps(payload))


@live.each_text
def test_keygrip(node: Helper, text: str) -> None:
    node.need("keygrip")
    new, old, other = live.keys("keygrip", text)
    tokens = Tokens("keygrip", key=new, fallback_keys=[old], name="náme")
    token = f"{text}." + node("keygrip-sign", keys=[new, old], data=f"náme={text}")
    assert live.signed(tokens, text) == token
    assert (tokens.open(token).value, tokens.open(token).key) == (text, 0)
    assert tokens.open(f"{text}." + node("keygrip-sign", keys=[old], data=f"náme={text}")).key == 1
    for writer, index in ((new, 0), (old, 1), (other, -1)):
        sig = Tokens("keygrip", key=writer, name="náme").sign(text).rpartition(".")[2]
        assert node("keygrip-index", keys=[new, old], data=f"náme={text}", sig=sig) == index
    for data in (f"name={text}", f"náme={text}x"):
        with pytest.raises(BadSignature):
            tokens.open(f"{text}." + node("keygrip-sign", keys=[new, old], data=data))


@pytest.mark.parametrize("by", ["cookies", "cookie-session"])
@pytest.mark.parametrize("payload", [one for one in [*live.OBJECTS, live.HALF] if one])
def test_session(node: Helper, payload: Any, by: str) -> None:
    """The session in `name`, as base64 of JSON, its signature in `name.sig`."""
    node.need(by)
    new, old, other = live.keys("session", payload)
    tokens = Tokens("keygrip", key=new, fallback_keys=[old], name="session")

    def made(keys: list[str]) -> str:
        return ".".join(node("session-write", by=by, keys=keys, name="session", value=payload))

    token = made([new, old])
    assert live.written(tokens, payload) == token
    assert (tokens.open_json(token).value, tokens.open_json(token).key) == (payload, 0)
    assert tokens.open_json(made([old])).key == 1
    live.refuses(tokens, made([other]))
    for writer, fine in ((new, True), (old, True), (other, False)):
        value, sig = Tokens("keygrip", key=writer, name="session").dumps(payload).rsplit(".", 1)
        read = {"by": by, "keys": [new, old], "token": value, "sig": sig}
        if fine:
            assert node("session-read", name="session", **read) == payload
        else:
            with pytest.raises(Refused):
                node("session-read", name="session", **read)
        with pytest.raises(Refused):
            node("session-read", name="another", **read)


def test_big_integers(node: Helper) -> None:
    """Ours keeps them; JavaScript reads the double that is nearest."""
    node.need("express")
    secret, *_ = live.keys("big")
    tokens = Tokens("express", key=secret)
    assert tokens.loads(tokens.dumps(live.BIG)) == live.BIG
    seen = node("express-read", secrets=[secret], name="c", token=tokens.dumps(live.BIG))
    assert {name: float(number) for name, number in seen.items()} == {
        name: float(number) for name, number in live.BIG.items()
    }
