"""JWT: PyJWT and jwcrypto read what is written here and the other way round; what is no token of a key, in every way known."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any, Callable
from unittest import mock

import jwt
import live
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwcrypto import jwk, jws
from tuile.signing import BadSignature, Keyring, SignatureExpired, Tokens

DIGESTS = {"HS256": None, "HS384": "sha384", "HS512": "sha512"}


def pems(key: Any) -> tuple[str, str]:
    """The private and the public one."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


RSA, RSA_OTHER = (pems(rsa.generate_private_key(65537, 2048)) for _ in range(2))
P256, P256_OTHER = (pems(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))
ED = pems(ed25519.Ed25519PrivateKey.generate())
PAIRS = {"RS256": RSA, "ES256": P256, "EdDSA": ED}


def decoded(token: str, key: str, algorithm: str, **options: Any) -> Any:
    with mock.patch("jwt.api_jwt.datetime") as clock:
        clock.now.return_value = datetime.datetime.fromtimestamp(options.pop("now", live.NOW), datetime.timezone.utc)
        return jwt.decode(token, key, [algorithm], **options)


@pytest.mark.parametrize("algorithm", DIGESTS)
@pytest.mark.parametrize("payload", live.OBJECTS)
def test_hmac(payload: dict[str, Any], algorithm: str) -> None:
    new, old, other = live.keys(algorithm, payload, size=64)
    options: Any = {"digest": DIGESTS[algorithm]}
    tokens = Tokens("jwt", key=new, fallback_keys=[old], timed=False, **options)
    theirs = jwt.encode(payload, new, algorithm)
    assert live.written(tokens, payload) == theirs
    assert (opened := tokens.open_json(theirs)).value == payload and (opened.key, opened.timestamp) == (0, None)
    assert tokens.open_json(jwt.encode(payload, old, algorithm)).key == 1
    assert decoded(live.written(tokens, payload), new, algorithm, options={"verify_aud": False}) == payload
    live.refuses(tokens, jwt.encode(payload, other, algorithm))
    live.refuses(tokens, live.changed(theirs, live.random_for(theirs)))
    for another in DIGESTS.keys() - {algorithm}:
        live.refuses(tokens, jwt.encode(payload, new, another))
        live.refuses(Tokens("jwt", key=new, digest=DIGESTS[another]), theirs)


@pytest.mark.parametrize("algorithm", PAIRS)
def test_public_keys(algorithm: str) -> None:
    private, public = PAIRS[algorithm]
    theirs = jwt.encode({"a": 1}, private, algorithm)
    for key in (private, public, "junk before\n" + public, public.replace("\n", "\r\n")):
        assert Tokens("jwt", key=key).loads(theirs) == {"a": 1}
        live.refuses(Tokens("jwt", key=key), live.changed(theirs, live.random_for(theirs)))
    # Keys of all kinds in one ring: a move from one to the next.
    ring = Tokens("jwt", key="s" * 32, fallback_keys=[RSA[1], P256[1], ED[1]])
    assert ring.open_json(theirs).key == 1 + list(PAIRS).index(algorithm)
    assert ring.open_json(jwt.encode({"a": 1}, "s" * 32)).key == 0
    foreign = jws.JWS(b'{"a":1}')
    foreign.add_signature(jwk.JWK.from_pem(private.encode()), protected=json.dumps({"alg": algorithm}))
    assert Tokens("jwt", key=public).loads(foreign.serialize(compact=True)) == {"a": 1}


def test_es256_is_written() -> None:
    private, public = P256
    tokens = Tokens("jwt", key=private)
    for payload in live.OBJECTS:
        token = live.written(tokens, payload)
        assert decoded(token, public, "ES256", options={"verify_aud": False}) == {**payload, "iat": live.NOW}
        read = jws.JWS()
        read.deserialize(token, jwk.JWK.from_pem(public.encode()))
        assert json.loads(read.payload) == tokens.loads(token) == {**payload, "iat": live.NOW}
    assert token != live.written(tokens, payload)
    live.refuses(Tokens("jwt", key=P256_OTHER[1]), token)
    for key in (public, RSA[0], ED[0]):
        with pytest.raises(Exception, match="can't sign"):
            Tokens("jwt", key=key).dumps({})


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def made(header: Any, payload: Any, sign: Callable[[bytes], bytes] = lambda text: b"") -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    text = ".".join(base64url(part) for part in parts)
    return f"{text}.{base64url(sign(text.encode()))}"


def mac(key: str, name: str = "sha256") -> Callable[[bytes], bytes]:
    import hmac

    return lambda text: hmac.digest(key.encode(), text, name)


def test_the_algorithm_is_the_keys() -> None:
    """A header chooses nothing: none, a public key as a secret of HMAC, another hash, another kind of key."""
    secret = "s" * 64
    rings = [Tokens("jwt", key=key) for key in (secret, *(pair[1] for pair in PAIRS.values()))]
    rings += [Tokens("jwt", key=secret, fallback_keys=[RSA[1], P256[1], ED[1]])]
    for name in ("none", "None", "NONE", "nOnE", "", "HS256\0", "hs256", None, 0, ["HS256"], {"HS256": 1}):
        for sign in (mac(secret), lambda text: b"", lambda text: b"\0" * 64):
            for tokens in rings:
                live.refuses(tokens, made({"alg": name, "typ": "JWT"}, {"a": 1}, sign))
    for private, public in PAIRS.values():
        for key in (public, public.strip(), private, public.encode().decode() + "\n"):
            for alg in ("HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"):
                token = made({"alg": alg}, {"a": 1}, mac(key))
                for tokens in rings:
                    live.refuses(tokens, token)
    for tokens in rings:
        live.refuses(tokens, made({"typ": "JWT"}, {"a": 1}, mac(secret)))
    # A curve, a padding or a hash that the key's algorithm is not.
    other = pems(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(Exception, match="none of RSA, P-256 and Ed25519"):
        Tokens("jwt", key=other[1])
    for alg in ("PS256", "RS384", "RS512"):
        live.refuses(Tokens("jwt", key=RSA[1]), jwt.encode({"a": 1}, RSA[0], alg))
    # ES256 of nothing: r and s are 0, or 1.
    for half in (0, 1):
        live.refuses(Tokens("jwt", key=P256[1]), made({"alg": "ES256"}, {"a": 1}, lambda text: half.to_bytes(32, "big") * 2))
    # A DER signature is none of JOSE.
    key = serialization.load_pem_private_key(P256[0].encode(), None)
    from cryptography.hazmat.primitives import hashes

    der = made({"alg": "ES256"}, {"a": 1}, lambda text: key.sign(text, ec.ECDSA(hashes.SHA256())))  # type: ignore[union-attr,call-arg,arg-type]
    live.refuses(Tokens("jwt", key=P256[1]), der)


def test_headers_that_are_not_understood() -> None:
    secret = "s" * 32
    tokens, good = Tokens("jwt", key=secret), {"alg": "HS256"}
    assert tokens.loads(made({**good, "kid": "any", "jwk": {"kty": "oct", "k": "AA"}, "jku": "http://x"}, {"a": 1}, mac(secret))) == {"a": 1}
    assert tokens.loads(made(b'{"\\u0061lg":"HS256"}', {"a": 1}, mac(secret))) == {"a": 1}
    for header in (
        {**good, "crit": ["exp"], "exp": 1}, {**good, "crit": []}, {**good, "b64": False}, {**good, "b64": True},
        [], "HS256", None, 1, b"", b"{", b'{"alg":"HS256"', b'{"alg":"HS256"}x', b' {"alg":"HS256"}', b"\xff", b'{"alg":"HS256",}',
        b'{"alg":"HS256","alg":"HS256"}', b'{"alg":"none","alg":"HS256"}', b'{"alg":"HS256","\\u0061lg":"none"}',
        b'{"alg":"HS256","\\u0063rit":["x"]}', {**good, "long": "x" * 4000}, b'{"alg":' + b"[" * 2000,
    ):  # fmt: skip
        live.refuses(tokens, made(header, {"a": 1}, mac(secret)))
    token = made(good, {"a": 1}, mac(secret))
    head, body, signature = token.split(".")
    for other in (
        f"{head}.{body}", f"{head}.{body}.", f"{token}.", f"{token}.x", f".{body}.{signature}", f"{head}..{signature}", "..", "...", ".",
        f"{head}=.{body}.{signature}", f"{token}=", f" {token}", f"{token}\n", f"{head}.{body}.{signature}A", "a" * 5000 + f".{body}.{signature}",
    ):  # fmt: skip
        live.refuses(tokens, other)


HERE = live.NOW


@pytest.mark.parametrize("leeway", [0, 10])
@pytest.mark.parametrize("off", [-11, -10, -9, -1, 0, 1, 9, 10, 11])
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_times(claim: str, off: int, leeway: int) -> None:
    """As PyJWT, to the second."""
    secret = "s" * 32
    tokens = Tokens("jwt", key=secret, leeway=leeway)
    token = jwt.encode({claim: HERE + off}, secret)
    try:
        payload = decoded(token, secret, "HS256", leeway=leeway)
    except jwt.ExpiredSignatureError:
        with pytest.raises(SignatureExpired):
            tokens.open_json(token, now=HERE)
    except jwt.InvalidTokenError:
        with pytest.raises(BadSignature) as caught:
            tokens.open_json(token, now=HERE)
        assert not isinstance(caught.value, SignatureExpired)
    else:
        assert tokens.open_json(token, now=HERE).value == payload


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["soon", None, True, [], {}, 1e400, float("nan"), 2**70, "1"])
def test_times_that_are_none(claim: str, value: Any) -> None:
    live.refuses(Tokens("jwt", key="s" * 32), jwt.encode({claim: value}, "s" * 32), now=HERE) if not isinstance(
        value, bool
    ) else live.refuses(Tokens("jwt", key="s" * 32), made({"alg": "HS256"}, {claim: value}, mac("s" * 32)), now=HERE)


def test_written_times() -> None:
    secret = "s" * 32
    tokens = Tokens("jwt", key=secret, lifetime=60)
    token = live.written(tokens, {"exp": 1, "a": 1, "iat": 2})
    assert decoded(token, secret, "HS256") == {"a": 1, "iat": HERE, "exp": HERE + 60}
    assert tokens.open_json(token, max_age=59, now=HERE + 59).timestamp == HERE
    for now, age in ((HERE + 60, None), (HERE + 59, 58)):
        with pytest.raises(SignatureExpired):
            tokens.open_json(token, max_age=age, now=now)
    # A fraction of a second is one, of a token that says no time no age can be told.
    assert tokens.open_json(made({"alg": "HS256"}, {"exp": HERE + 1.5}, mac(secret)), now=HERE).value == {"exp": HERE + 1.5}
    live.refuses(tokens, made({"alg": "HS256"}, {"a": 1}, mac(secret)), max_age=60)
    live.refuses(tokens, made({"alg": "HS256"}, b'{"exp":99999999999,"exp":1}', mac(secret)))
    for value in (1, "text", [1], None):
        with pytest.raises(Exception, match="no JSON object"):
            tokens.dumps(value)
    with pytest.raises(Exception):
        tokens.sign("text")


def test_audience() -> None:
    """A token for somebody is for nobody else, and for nobody in particular it is none."""
    secret = "s" * 32
    ours, plain = Tokens("jwt", key=secret, salt="shop"), Tokens("jwt", key=secret)
    assert decoded(live.written(ours, {"a": 1, "aud": "bank"}), secret, "HS256", audience="shop") == {"a": 1, "iat": HERE, "aud": "shop"}
    for aud in ("shop", ["shop"], ["bank", "shop"]):
        token = jwt.encode({"aud": aud}, secret)
        assert ours.loads(token) == {"aud": aud}
        live.refuses(plain, token)
    for aud in ("bank", ["bank"], [], "", "sho", "shopp", ["s", "hop"], [["shop"]], {"shop": 1}, None, 1):
        live.refuses(ours, made({"alg": "HS256"}, {"aud": aud}, mac(secret)))
    live.refuses(ours, jwt.encode({"a": 1}, secret))
    live.refuses(ours, made({"alg": "HS256"}, b'{"aud":"shop","\\u0061ud":"bank"}', mac(secret)))


def test_keys_in_the_wrong_form() -> None:
    encrypted = serialization.load_pem_private_key(P256[0].encode(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    small = pems(rsa.generate_private_key(65537, 1024))[1]
    jwk_text = jwk.JWK.from_pem(RSA[1].encode()).export_public()
    for key, why in (
        ("short", "shorter than its hash"), (encrypted, "without a passphrase"), (small, "less than 2048 bits"),
        (RSA[1][:-60], "PEM"), ("-----BEGIN PUBLIC KEY-----", "PEM"), (jwk_text, "JWK"), ("ssh-ed25519 " + "A" * 60, "SSH"),
    ):  # fmt: skip
        with pytest.raises(Exception, match=why):
            Tokens("jwt", key=key)
    for key in (RSA[1], P256[1], ED[1]):
        with pytest.raises(Exception, match="digest is for HMAC"):
            Tokens("jwt", key=key, digest="sha512")
    with pytest.raises(Exception, match="sha256, sha384, sha512"):
        Tokens("jwt", key="s" * 64, digest="sha1")
    assert Tokens("jwt", key="short", legacy=True).loads(made({"alg": "HS256"}, {"a": 1}, mac("short"))) == {"a": 1}


def test_keys_of_a_file(tmp_path: Any) -> None:
    """A block of PEM is one key among those that have a line each."""
    path = tmp_path / "keys"
    path.touch(0o600)
    for text, count in ((f"{'abcdefgh' * 8}\n{RSA[1]}\n{P256[1]}{ED[1]}", 4), (P256[1].replace("\n", "\r\n"), 1), (P256[1].strip(), 1)):
        path.write_text(text, newline="")
        ring = Keyring()
        ring.add_file(str(path))
        assert len(ring) == count
        assert Tokens("jwt", key=ring).loads(jwt.encode({"a": 1}, P256[0], "ES256")) == {"a": 1}
    path.write_text(P256[1].split("-----END")[0])
    ring = Keyring()
    with pytest.raises(Exception):  # a block without its end is lines, and those no keys
        ring.add_file(str(path))
        Tokens("jwt", key=ring)
