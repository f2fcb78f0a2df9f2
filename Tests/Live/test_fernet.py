"""Fernet: cryptography's class, and aiohttp-session's EncryptedCookieStorage, both ways."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import live
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp_session import Session
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from tuile.signing import BadSignature, SignatureExpired, Tokens

NEW, OLD, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@live.each_text
def test_text(text: str) -> None:
    tokens = Tokens("fernet", key=NEW, fallback_keys=[OLD])
    ring = MultiFernet([Fernet(NEW), Fernet(OLD)])
    assert ring.decrypt(live.signed(tokens, text)).decode() == text
    for number, key in enumerate((NEW, OLD)):
        opened = tokens.open(Fernet(key).encrypt_at_time(text.encode(), live.NOW), max_age=0, now=live.NOW)
        assert (opened.value, opened.timestamp, opened.key) == (text, live.NOW, number)
    with pytest.raises(InvalidToken):
        ring.decrypt(Tokens("fernet", key=OTHER).sign(text))
    with pytest.raises(BadSignature):
        tokens.open(Fernet(OTHER).encrypt(text.encode()))


@pytest.mark.parametrize("age", [0, 100, 101, -60, -61])
def test_age(age: int) -> None:
    """What is too old, and what comes from the future, for both or for none."""
    tokens, theirs = Tokens("fernet", key=NEW), Fernet(NEW)
    for token in (live.signed(tokens, "v"), theirs.encrypt_at_time(b"v", live.NOW).decode()):
        now = live.NOW + age
        try:
            taken = theirs.decrypt_at_time(token, 100, now)
        except InvalidToken:
            with pytest.raises(SignatureExpired if age > 0 else BadSignature):
                tokens.open(token, max_age=100, now=now)
        else:
            assert tokens.open(token, max_age=100, now=now).value.encode() == taken
        # Without an age no time is too far.
        assert tokens.open(token, now=now).value == theirs.decrypt(token).decode()


def in_application(key: str, payload: Any = None, cookie: str = "") -> tuple[Any, str]:
    """A request to aiohttp-session: the session that it loads, and the cookie that it saves `payload` as."""

    async def visit() -> tuple[Any, str]:
        storage = EncryptedCookieStorage(key, cookie_name="session", max_age=1000)
        headers = {"cookie": f"session={cookie}"} if cookie else {}
        session = await storage.load_session(make_mocked_request("GET", "/", headers=headers))
        seen = None if session.new else dict(session)
        saved, answer = Session(None, data=None, new=True, max_age=1000), web.Response()
        saved.update(payload or {})
        await storage.save_session(make_mocked_request("GET", "/"), answer, saved)
        return seen, answer.cookies["session"].value if payload else ""

    return asyncio.run(visit())


@pytest.mark.parametrize("payload", [one for one in live.short() if one])
def test_session_of_aiohttp(payload: dict[str, Any]) -> None:
    tokens = Tokens("fernet", key=NEW)
    _, cookie = in_application(NEW, payload)
    held = tokens.open_json(cookie, max_age=1000).value
    assert held["session"] == payload
    assert in_application(NEW, cookie=tokens.dumps(held))[0] == payload
    assert in_application(NEW, cookie=Tokens("fernet", key=OTHER).dumps(held))[0] is None
    # The same JSON to the byte.
    assert live.loaded_text(tokens, live.written(tokens, held)) == json.dumps(held)


def test_keys_in_the_wrong_form() -> None:
    assert Tokens("fernet", key=b"k" * 32).loads(Tokens("fernet", key="a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=").dumps(1)) == 1
    for key in (NEW[:-1], NEW + "=", NEW[:-2] + "+=", "s3cret", NEW[4:], "k" * 31, "k" * 33):
        with pytest.raises(Exception, match="no key of Fernet: .* URL-safe base64"):
            Tokens("fernet", key=key)
        with pytest.raises(Exception, match="no key of Fernet"):
            Tokens("fernet", key=NEW, fallback_keys=[key])
