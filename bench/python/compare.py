"""The Python package beside what Python programs use without it, in one run: a table in Markdown."""

from __future__ import annotations

import json
import sys
import tempfile
import timeit
from collections.abc import Callable
from ctypes import byref
from functools import partial
from http.cookies import SimpleCookie
from typing import Any

import django
from django.conf import settings

import others

FOLDER = tempfile.TemporaryDirectory()
SOCKET = f"{FOLDER.name}/redis.sock"
settings.configure(
    SECRET_KEY="a secret of thirty-two bytes, for the benchmark",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER.name}/django.db"}},
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"unix://{SOCKET}"},
        "django-redis": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"unix://{SOCKET}"},
    },
    TUILE_OPTIONS={"cycle_grace": 0},
)
django.setup()

from django.contrib.sessions.middleware import SessionMiddleware  # noqa: E402  settings come first
from django.core import signing as django_signing  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse, parse_cookie  # noqa: E402
from django.test import override_settings  # noqa: E402
from itsdangerous import TimestampSigner, URLSafeTimedSerializer  # noqa: E402
from tuile import _native as native  # noqa: E402
from tuile import cookies, signing  # noqa: E402
from tuile.sessions import Manager  # noqa: E402
from werkzeug.http import dump_cookie  # noqa: E402
from werkzeug.http import parse_cookie as werkzeug_parse  # noqa: E402

SECRET = settings.SECRET_KEY
HEADER = "; ".join(f"name{i}=" + "v" * 76 for i in range(12))
TEXT = "t" * 100
VALUE = {"_auth_user_id": "42", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend", "list": [*range(40)]}


def nanoseconds(call: Callable[[], Any]) -> float:
    """The fastest of many short runs: of one that is long a part is always somebody else's."""
    timer = timeit.Timer(call)
    number, taken = timer.autorange()
    number = max(1, int(number * 0.002 / taken))
    return min(timer.repeat(40, number)) / number * 1e9


def in_turn(measures: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The least of three times each, taken in turn: what else the machine does meets all of them."""
    rounds = [{who: measure() for who, measure in measures.items()} for _ in range(3)]
    return {who: min(times[who] for times in rounds) for who in measures}


def small() -> dict[str, dict[str, Callable[[], Any]]]:
    signer, theirs = signing.TimestampSigner(key=SECRET, salt="s"), django_signing.TimestampSigner(salt="s")
    dangerous, serializer = TimestampSigner(SECRET), URLSafeTimedSerializer(SECRET)
    flask = signing.Tokens("itsdangerous", key=SECRET, salt="itsdangerous")
    token, other = signer.sign(TEXT), dangerous.sign(TEXT)
    dumped, others = signer.dumps(VALUE), serializer.dumps(VALUE)
    return {
        "a call that does nothing": {"tuile": native.lib.tuile_version, "a function of Python": lambda: None},
        "parse 12 cookies of 1 KB": {
            "tuile": lambda: cookies.parse(HEADER),
            "django": lambda: parse_cookie(HEADER),
            "werkzeug": lambda: werkzeug_parse(HEADER),
            "http.cookies": lambda: SimpleCookie(HEADER),
        },
        "parse 1 cookie": {
            "tuile": lambda: cookies.parse("a=b"),
            "django": lambda: parse_cookie("a=b"),
            "werkzeug": lambda: werkzeug_parse("a=b"),
            "http.cookies": lambda: SimpleCookie("a=b"),
        },
        "write a Set-Cookie": {
            "tuile": lambda: cookies.SetCookie("a", "b", max_age=60, secure=True, same_site="Lax").header(),
            "django": lambda: django_cookie(),
            "werkzeug": lambda: dump_cookie("a", "b", max_age=60, secure=True, samesite="Lax"),
        },
        "sign 100 bytes": {
            "tuile": lambda: signer.sign(TEXT),
            "django": lambda: theirs.sign(TEXT),
            "itsdangerous": lambda: dangerous.sign(TEXT),
        },
        "verify 100 bytes": {
            "tuile": lambda: signer.unsign(token, max_age=60),
            "django": lambda: theirs.unsign(token, max_age=60),
            "itsdangerous": lambda: dangerous.unsign(other, max_age=60),
        },
        "dumps 250 bytes": {
            "tuile": lambda: signer.dumps(VALUE),
            "django": lambda: django_signing.dumps(VALUE, salt="s"),
            "itsdangerous": lambda: serializer.dumps(VALUE),
        },
        "loads 250 bytes": {
            "tuile": lambda: signer.loads(dumped),
            "django": lambda: django_signing.loads(dumped, salt="s"),
            "itsdangerous": lambda: serializer.loads(others),
            "tuile, itsdangerous' dialect": lambda: flask.loads(others),
        },
    }


def django_cookie() -> str:
    response = HttpResponse()
    response.set_cookie("a", "b", max_age=60, secure=True, samesite="Lax")
    return response.cookies["a"].OutputString()


def page(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse()


def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.session["list"][7]))


def django_cycle(engine: str, store: str | None, view: Any, alias: str = "default") -> float:
    with override_settings(SESSION_ENGINE=engine, TUILE_STORE=store, SESSION_CACHE_ALIAS=alias):
        middleware = SessionMiddleware(view)
        session = middleware.SessionStore()
        session.update(VALUE)
        session["count"] = 0
        session.save()
        request = HttpRequest()
        request.COOKIES["sessionid"] = session.session_key

        return nanoseconds(lambda: middleware(request))


def own_cycle(store: str) -> float:
    with Manager(store=store, secret=SECRET) as manager:
        with manager.begin("") as session:
            session.update(VALUE)
            cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]

        def cycle() -> None:
            with manager.begin(cookie) as session:
                session.add_int("count")
                session.commit()

        return nanoseconds(cycle)


def one_by_one(store: str) -> tuple[float, float]:
    """A whole session read name by name, each a call of the library, and read in one."""
    with Manager(store=store, secret=SECRET) as manager:
        with manager.begin("") as session:
            session.update({f"name{i}": f"value {i}" for i in range(20)})
            cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]

        def each() -> None:
            with manager.begin(cookie) as session:
                for i in range(20):
                    value = native.Bytes()
                    session._call("get_json", native.view(f"name{i}"), byref(value))
                    json.loads(native.copy(value))

        def whole() -> None:
            with manager.begin(cookie) as session:
                for i in range(20):
                    session[f"name{i}"]

        return nanoseconds(each), nanoseconds(whole)


# Where it is, the store of Tuile's, and the backends of Django's beside it: their name here, that in Django, its cache.
WHERE = (
    ("SQLite, Django's connection", None, (("db", "db", "default"),)),
    ("SQLite, a connection of the library's", "django:default", (("db", "db", "default"),)),
    ("memory", "memory:", (("cache", "cache", "default"),)),
    ("a cookie", "cookie:", (("signed_cookies", "signed_cookies", "default"),)),
    ("Redis", f"unix://{SOCKET}", (("cache", "cache", "redis"), ("django-redis", "cache", "django-redis"))),
)


def row(what: str, calls: dict[str, Callable[[], float]]) -> None:
    times = in_turn(calls)
    ours = times.pop("tuile")
    print(f"| {what} | {ours:.0f} | " + ", ".join(f"{w} {t:.0f} ({t / ours:.1f} ×)" for w, t in times.items()) + " |", flush=True)


def main() -> None:
    call_command("migrate", verbosity=0)
    connection.cursor().execute("PRAGMA journal_mode=WAL")
    print("| what | tuile, ns | others, ns (times Tuile's) |\n| --- | ---: | --- |")
    for what, calls in small().items():
        row(what, {who: partial(nanoseconds, call) for who, call in calls.items()})
    each, whole = one_by_one("memory:")
    print(f"| 20 values of a session | {whole:.0f} | a call for each {each:.0f} ({each / whole:.1f} ×) |")
    backends = "django.contrib.sessions.backends"
    with others.redis(SOCKET):
        for name, view in (("add 1 and save", page), ("read alone", look)):
            for where, ours, beside in WHERE:
                cycles = {"tuile": partial(django_cycle, "tuile.django", ours, view)}
                for who, backend, alias in beside:
                    cycles[who] = partial(django_cycle, f"{backends}.{backend}", None, view, alias)
                row(f"Django's middleware, {where}, {name}", cycles)
    for changes, name in ((True, "add 1 and save"), (False, "read alone")):
        for what, calls in others.frameworks(SECRET, VALUE, changes).items():
            row(f"{what}, {name}", {who: partial(nanoseconds, call) for who, call in calls.items()})
    for where, store in (("memory", "memory:"), ("SQLite", f"sqlite://{FOLDER.name}/own.db")):
        print(f"| tuile.sessions, {where}, add 1 and save | {own_cycle(store):.0f} | |")


if __name__ == "__main__":
    sys.exit(main())
