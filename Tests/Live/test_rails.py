"""Rails: the signed and encrypted jars of ActionDispatch, through its middleware."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote

import live
import pytest
from live import Helper, Refused
from tuile.errors import TuileError
from tuile.signing import SignatureExpired, Tokens

KINDS = ["signed", "encrypted"]
both = pytest.mark.parametrize("kind", KINDS)
every_digest = pytest.mark.parametrize("digest", ["SHA1", "SHA256"])
PAYLOADS: list[Any] = [
    *live.short(), live.BIG, [], {}, None, True, 12, 0.5, *(text for text in live.TEXTS if len(text) < 1000)
]  # fmt: skip


class Jar:
    """An app with these secrets, the newest first, and the same for us."""

    def __init__(
        self, rails: Helper, kind: str, digest: str, secrets: list[str], name: str = "name", iterations: int = 1000,
        app: dict[str, bool] | None = None,
    ) -> None:  # fmt: skip
        self.rails, self.kind, self.name = rails, kind, name
        self.app = {"kind": kind, "digest": digest, "iterations": iterations, "name": name, "app": app or {}}
        self.secrets = secrets

    def write(self, value: Any, secret: str | None = None, expires: int | None = None) -> str:
        secrets = [secret] if secret else self.secrets
        token: str = self.rails("write", secrets=secrets, value=value, expires=expires, **self.app)
        return token

    def read(self, token: str, *secrets: str) -> Any:
        return self.rails("read", secrets=list(secrets) or self.secrets, token=token, **self.app)

    def ours(self, *secrets: str, digest: str | None = "", lifetime: int | None = None) -> Tokens:
        first, *older = secrets or self.secrets
        return Tokens(
            f"rails-{self.kind}", key=first, fallback_keys=older, name=self.name, lifetime=lifetime,
            iterations=self.app["iterations"], digest=self.app["digest"].lower() if digest == "" else digest,
        )  # fmt: skip


@both
@every_digest
@pytest.mark.parametrize("payload", PAYLOADS, ids=[f"payload {number}" for number in range(len(PAYLOADS))])
def test_cookie(rails: Helper, payload: Any, kind: str, digest: str) -> None:
    new, old, other = live.keys("rails", payload, kind, digest)
    jar = Jar(rails, kind, digest, [new, old])
    tokens = jar.ours()
    token = jar.write(payload)
    assert (tokens.open_json(token).value, tokens.open_json(token).key) == (payload, 0)
    if kind == "signed":
        assert live.written(tokens, payload) == token
    assert live.loaded_text(tokens, token) == live.loaded_text(tokens, live.written(tokens, payload))
    older = jar.write(payload, old)
    assert (tokens.open_json(older).value, tokens.open_json(older).key) == (payload, 1)
    live.refuses(tokens, jar.write(payload, other))
    if payload is not None:  # which is what Rails gives for no cookie too
        assert jar.read(tokens.dumps(payload)) == payload
        assert jar.read(jar.ours(old).dumps(payload)) == payload
    with pytest.raises(Refused):
        jar.read(jar.ours(other).dumps(payload))
    if isinstance(payload, str):
        assert tokens.unsign(token) == payload
        assert jar.read(tokens.sign(payload)) == payload


@both
def test_four_kilobytes(rails: Helper, kind: str) -> None:
    """More than Rails writes, not more than it reads."""
    jar = Jar(rails, kind, "SHA256", live.keys("4 KB", kind))
    payload = {"long": "é<" * 1400}
    assert len(payload["long"].encode()) > 4096
    assert jar.read(jar.ours().dumps(payload)) == payload
    with pytest.raises(Refused, match="Overflow"):
        jar.write(payload)


@both
@every_digest
def test_both_digests_are_read_and_sha256_is_written(rails: Helper, kind: str, digest: str) -> None:
    jar = Jar(rails, kind, digest, live.keys("both", kind, digest))
    tokens = jar.ours(digest=None)
    opened = tokens.open_json(jar.write({"a": 1}))
    assert (opened.value, opened.key) == ({"a": 1}, 0)
    older = Jar(rails, kind, digest, jar.secrets[1:]).write({"a": 1})
    assert tokens.open_json(older).key == 1
    if digest == "SHA256":
        assert jar.read(tokens.dumps({"a": 1})) == {"a": 1}
    else:
        with pytest.raises(Refused):
            jar.read(tokens.dumps({"a": 1}))


@both
@pytest.mark.parametrize("name", ["_app_session", "__Host-s", "a&b", "é"])
@pytest.mark.parametrize("iterations", [1, 1000, 65536])
def test_name_and_iterations(rails: Helper, kind: str, name: str, iterations: int) -> None:
    jar = Jar(rails, kind, "SHA256", live.keys("name", name)[:1], name, iterations)
    try:
        token = jar.write("value")
    except Refused as problem:
        if name.isascii() or "invalid cookie key" not in str(problem):
            raise
        pytest.skip("Rack from 3.2 on sets no cookie of such a name")
    assert jar.ours().unsign(token) == "value"
    assert jar.read(jar.ours().sign("value")) == "value"
    other = Jar(rails, kind, "SHA256", jar.secrets, name + "x", iterations)
    live.refuses(other.ours(), token)
    with pytest.raises(Refused):
        other.read(jar.ours().sign("value"))


@both
@pytest.mark.parametrize("app", [{"html": False}, {"separators": False}, {"metadata": True}], ids=str)
@pytest.mark.parametrize("name", ["name", "a&b"])
def test_other_settings(rails: Helper, kind: str, app: dict[str, bool], name: str) -> None:
    """An app may escape less in JSON; what it says is the same."""
    jar = Jar(rails, kind, "SHA256", live.keys("settings", app)[:1], name, app=app)
    payload = {"<&>": live.TEXTS[4] + live.TEXTS[5]}
    assert jar.ours().loads(jar.write(payload)) == payload
    assert jar.read(jar.ours().dumps(payload)) == payload


@both
def test_other_kind(rails: Helper, kind: str) -> None:
    jar = Jar(rails, kind, "SHA256", live.keys("other kind"))
    other = Jar(rails, KINDS[1 - KINDS.index(kind)], "SHA256", jar.secrets)
    live.refuses(other.ours(), jar.write({"a": 1}))
    with pytest.raises(Refused):
        other.read(jar.ours().dumps({"a": 1}))


@both
def test_end(rails: Helper, kind: str) -> None:
    jar = Jar(rails, kind, "SHA256", live.keys("end", kind)[:1])
    now = int(time.time())
    token = jar.write({"a": 1}, expires=now + 100)
    tokens = jar.ours(lifetime=100)
    if kind == "signed":
        assert live.written(tokens, {"a": 1}, now) == token
    assert tokens.open_json(token, now=now + 99).value == {"a": 1}
    with pytest.raises(SignatureExpired):
        tokens.open_json(token, now=now + 100)
    assert jar.read(live.written(tokens, {"a": 1}, now)) == {"a": 1}
    for late in (live.written(tokens, {"a": 1}, now - 100), jar.write({"a": 1}, expires=now - 1)):
        with pytest.raises(Refused):
            jar.read(late)
        with pytest.raises(SignatureExpired):
            tokens.open_json(late)
    # Far ends, and those without.
    for years in (1, 500, 5000):
        far = jar.write([1], expires=now + years * 31_556_952)
        assert tokens.open_json(far).value == [1]
        assert jar.read(jar.ours(lifetime=years * 31_556_952).dumps([1])) == [1]


@both
def test_changed(rails: Helper, kind: str) -> None:
    jar = Jar(rails, kind, "SHA256", live.keys("changed", kind)[:1])
    token, random_ = jar.write({"a": 1}), live.random_for("changed", kind)
    for _ in range(60):
        bad = live.changed(token, random_)
        try:
            value = jar.read(bad)
        except Refused:
            live.refuses(jar.ours(), bad)
        else:
            # The case of an escape's digits says nothing; all else does.
            assert value == {"a": 1} == jar.ours().loads(bad)


# What an app sets, and what we are told of it.
SETTINGS: list[tuple[str, dict[str, str]]] = [
    *(("signed", {"mac_digest": digest}) for digest in ("SHA1", "SHA256", "SHA512")),
    *(("encrypted", {"cipher": cipher}) for cipher in ("aes-128-gcm", "aes-192-gcm", "aes-256-gcm", "aes-256-cbc")),
    ("signed", {"salt": "a salt", "mac_digest": "SHA256"}),
    ("encrypted", {"salt": "a salt"}),
    ("encrypted", {"salt": "a salt", "cipher": "aes-256-cbc"}),
    ("encrypted", {"mac_salt": "another", "cipher": "aes-256-cbc"}),
]


def told(given: dict[str, str]) -> dict[str, Any]:
    return {name: value.lower() if name == "mac_digest" else value for name, value in given.items()}


def named(secret: str, kind: str, digest: str | None, given: dict[str, str], **more: Any) -> Tokens:
    return Tokens(f"rails-{kind}", key=secret, name="name", digest=digest, **told(given), **more)


@every_digest
@pytest.mark.parametrize(("kind", "given"), SETTINGS, ids=str)
def test_settings(rails: Helper, kind: str, given: dict[str, str], digest: str) -> None:
    secret, other = live.keys("settings", str(given))[:2]
    jar = Jar(rails, kind, digest, [secret])
    jar.app.update(given)
    token = jar.write({"a": [1, "é"]})
    ours = named(secret, kind, digest.lower(), given)
    assert ours.loads(token) == {"a": [1, "é"]} == jar.read(ours.dumps({"a": [1, "é"]}))
    if kind == "signed":
        assert live.written(ours, {"a": [1, "é"]}) == token
    live.refuses(named(other, kind, digest.lower(), given), token)
    for other_settings in (one for of, one in SETTINGS if of == kind and told(one) != told(given)):
        defaults = {"mac_digest": "SHA1", "cipher": "aes-256-gcm"}
        if {**defaults, **other_settings} != {**defaults, **given}:
            live.refuses(named(secret, kind, digest.lower(), other_settings), token)
    random_ = live.random_for("settings", str(given))
    for _ in range(30):
        live.refuses(ours, live.changed(unquote(token), random_))


@pytest.mark.parametrize("kind", KINDS)
def test_a_rolling_upgrade_of_settings(rails: Helper, kind: str) -> None:
    """Servers that write in the old and in the new way, and read both: each reads what the other, and Rails, writes."""
    secret = live.keys("rolling", kind)[0]
    ways: list[dict[str, str]] = (
        [{"mac_digest": "SHA1"}, {"mac_digest": "SHA256"}] if kind == "signed"
        else [{"cipher": "aes-256-cbc"}, {"cipher": "aes-256-gcm"}]
    )  # fmt: skip
    all_ways = [(digest, way) for digest in ("SHA1", "SHA256") for way in ways]
    for digest, way in all_ways:
        ours = named(secret, kind, digest.lower(), way, legacy=True)
        strict = named(secret, kind, digest.lower(), way)
        assert strict.loads(ours.dumps({"a": 1})) == {"a": 1}
        for their_digest, their_way in all_ways:
            jar = Jar(rails, kind, their_digest, [secret])
            jar.app.update(their_way)
            assert ours.loads(jar.write({"a": 1})) == {"a": 1}
            if (their_digest, their_way) != (digest, way):
                live.refuses(strict, jar.write({"a": 1}))
    # From the default salts to others.
    before = named(secret, kind, "sha256", {})
    assert named(secret, kind, "sha256", {"salt": "new"}, legacy=True).loads(before.dumps({"a": 1})) == {"a": 1}
    live.refuses(named(secret, kind, "sha256", {"salt": "new"}), before.dumps({"a": 1}))


def test_what_a_kind_has_no_use_for_is_an_error() -> None:
    secret = live.keys("errors")[0]
    for kind, given in (
        ("signed", {"cipher": "aes-256-gcm"}), ("encrypted", {"mac_digest": "sha256"}), ("encrypted", {"mac_salt": "a"}),
        ("signed", {"mac_salt": "a"}),
    ):  # fmt: skip
        with pytest.raises(TuileError):
            named(secret, kind, None, given)
