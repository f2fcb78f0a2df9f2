"""Django, itsdangerous, Flask, Starlette, cryptography's Fernet, Tornado and PyJWT; a missing one is skipped."""

import base64
import importlib.metadata
import json
import time

KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
TEXT = "v" * 100
PAYLOAD = {
    "_auth_user_id": "42",
    "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": f"{7:064d}",
    "cart": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "language": "de",
    "messages": f"{8:060d}",
}
AGE = 3600


def run(call, at_least):
    times, start = 0, time.perf_counter()
    while True:
        for _ in range(8):
            call()
        times += 8
        took = time.perf_counter() - start
        if took >= at_least:
            return took * 1e9 / times


def measure(peer, op, call):
    """Warms up, then takes the best of five runs."""
    run(call, 0.1)
    print(f"{peer}\t{op}\t{min(run(call, 0.2) for _ in range(5)):.1f}", flush=True)


def measure_pair(peer, dialect, names, value, write, read):
    """`read` has to give back what `write` was given."""
    token = write(value)
    back = read(token)
    assert (back.decode() if isinstance(back, bytes) else back) == value
    measure(peer, f"{dialect} {names[0]}", lambda: write(value))
    measure(peer, f"{dialect} {names[1]}", lambda: read(token))


def measure_text(peer, dialect, write, read):
    measure_pair(peer, dialect, ("sign", "verify"), TEXT, write, read)


def measure_json(peer, dialect, write, read):
    measure_pair(peer, dialect, ("dumps", "loads"), PAYLOAD, write, read)


def say(*names):
    print("# " + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))


def django():
    from django.conf import settings
    from django.core import signing

    settings.configure(SECRET_KEY=KEY)
    say("django")
    signer = signing.TimestampSigner(key=KEY, salt="salt")
    measure_text("django", "django", signer.sign, lambda token: signer.unsign(token, max_age=AGE))
    measure_json(
        "django",
        "django",
        lambda value: signer.sign_object(value, compress=True),
        lambda token: signer.unsign_object(token, max_age=AGE),
    )
    # A new signer for each cookie, as set_signed_cookie and get_signed_cookie make one.
    salt = signing._cookie_signer_salt("session", "salt")
    measure_text(
        "django",
        "django-cookie",
        lambda text: signing.get_cookie_signer(salt=salt).sign(text),
        lambda token: signing.get_cookie_signer(salt=salt).unsign(token, max_age=AGE),
    )


def itsdangerous():
    from itsdangerous import TimestampSigner, URLSafeTimedSerializer

    say("itsdangerous")
    signer, serializer = TimestampSigner(KEY, salt="salt"), URLSafeTimedSerializer(KEY, salt="salt")
    name = "itsdangerous"
    measure_text(name, name, signer.sign, lambda token: signer.unsign(token, max_age=AGE))
    measure_json(name, name, serializer.dumps, lambda token: serializer.loads(token, max_age=AGE))


def flask():
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface

    say("flask")
    app = Flask("bench")
    app.secret_key = KEY
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    signer = serializer.make_signer(serializer.salt)
    measure_text("flask", "flask", signer.sign, lambda token: signer.unsign(token, max_age=AGE))
    measure_json("flask", "flask", serializer.dumps, lambda token: serializer.loads(token, max_age=AGE))


def starlette():
    from starlette.middleware.sessions import SessionMiddleware

    say("starlette")
    signer = SessionMiddleware(None, secret_key=KEY).signer
    measure_text("starlette", "starlette", signer.sign, lambda token: signer.unsign(token, max_age=AGE))
    # The steps of SessionMiddleware.__call__, which can't be had without a request.
    measure_json(
        "starlette",
        "starlette",
        lambda value: signer.sign(base64.b64encode(json.dumps(value).encode())),
        lambda token: json.loads(base64.b64decode(signer.unsign(token, max_age=AGE))),
    )


def cryptography():
    from cryptography.fernet import Fernet

    say("cryptography")
    fernet = Fernet("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=")
    measure_text("cryptography", "fernet", lambda text: fernet.encrypt(text.encode()), lambda token: fernet.decrypt(token, ttl=AGE))
    # As aiohttp-session keeps its data.
    measure_json(
        "cryptography",
        "fernet",
        lambda value: fernet.encrypt(json.dumps(value).encode()),
        lambda token: json.loads(fernet.decrypt(token, ttl=AGE)),
    )


def tornado():
    from tornado.web import create_signed_value, decode_signed_value

    say("tornado")
    days = AGE / 86400
    read = lambda token: decode_signed_value(KEY, "session", token, max_age_days=days)  # noqa: E731
    measure_text("tornado", "tornado", lambda text: create_signed_value(KEY, "session", text), read)
    measure_json(
        "tornado",
        "tornado",
        lambda value: create_signed_value(KEY, "session", json.dumps(value)),
        lambda token: json.loads(read(token)),
    )


def jwt():
    from jwt import decode, encode

    say("PyJWT")
    measure_json(
        "PyJWT",
        "jwt",
        lambda value: encode({**value, "iat": int(time.time())}, KEY),
        lambda token: {name: value for name, value in decode(token, KEY, ["HS256"]).items() if name != "iat"},
    )


for peer in (django, itsdangerous, flask, starlette, cryptography, tornado, jwt):
    try:
        peer()
    except ModuleNotFoundError:
        print(f"# {peer.__name__}: not installed")
