"""What can't be is refused by an error that names the argument and says what it may be."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any, Callable, Union

import pytest
from flask import Flask
from tuile import TuileError, arguments, asgi, choices, cookies, flask, signing, state, wsgi
from tuile import _native as native
from tuile.sessions import Manager
from tuile.signing import Keyring, Signer, TimestampSigner, Tokens

SECRET = "a secret that has its thirty-two bytes and more"
OTHER = "another secret that has its thirty-two bytes"


def manager(**given: Any) -> Manager:
    return Manager(**{"store": "cookie:", "secret": SECRET, **given})


def in_flask(fallbacks: Any) -> None:
    app = Flask("example")
    app.config.update(SECRET_KEY=SECRET, SECRET_KEY_FALLBACKS=fallbacks)
    flask.SessionInterface("cookie:").init_app(app)


def application(*_: Any) -> Any:
    return []


LISTS: dict[str, Callable[[Any], Any]] = {
    "Manager": lambda secrets: manager(fallbacks=secrets),
    "Manager.reload": lambda secrets: manager().reload(SECRET, secrets),
    "Signer": lambda secrets: Signer(key=SECRET, fallback_keys=secrets),
    "TimestampSigner": lambda secrets: TimestampSigner(key=SECRET, fallback_keys=secrets),
    "Tokens": lambda secrets: Tokens("flask", key=SECRET, fallback_keys=secrets),
    "loads": lambda secrets: signing.loads("x", key=SECRET, fallback_keys=secrets),
    "WSGI": lambda secrets: wsgi.SessionMiddleware(application, store="cookie:", secret=SECRET, fallbacks=secrets),
    "ASGI": lambda secrets: asgi.SessionMiddleware(application, store="cookie:", secret=SECRET, fallbacks=secrets),
    "Flask": lambda secrets: flask.SessionInterface("cookie:", fallbacks=secrets),
    "SECRET_KEY_FALLBACKS": in_flask,
}


@pytest.mark.parametrize("secrets", [OTHER, OTHER.encode(), bytearray(OTHER.encode()), memoryview(OTHER.encode()), Path(OTHER), 7])
@pytest.mark.parametrize("where", LISTS)
def test_a_lone_secret_is_no_list_of_secrets(where: str, secrets: Any) -> None:
    with pytest.raises(TypeError, match=r"is a list of secrets: write \[secret\]"):
        LISTS[where](secrets)


def test_a_list_that_can_be_read_once_is_read_once() -> None:
    app = Flask("example")
    app.secret_key = SECRET
    interface = flask.SessionInterface("cookie:flask", fallbacks=(secret for secret in [OTHER]))
    interface.init_app(app)
    with Manager(store="cookie:flask", secret=OTHER, cookie_name="session") as older, older.begin("") as session:
        session["a"] = 1
        cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
    for age in (60, 120):
        # Another setting, another manager.
        app.permanent_session_lifetime = age  # type: ignore[assignment]
        with interface.manager(app).begin(cookie) as session:
            assert session["a"] == 1


@pytest.mark.parametrize("item", [None, 7, [OTHER], Path(OTHER)])
@pytest.mark.parametrize("where", LISTS)
def test_each_of_a_list_of_secrets_is_one(where: str, item: Any) -> None:
    with pytest.raises(TypeError, match="each of "):
        LISTS[where]([item])


@pytest.mark.parametrize("secret", [[SECRET], (SECRET,), {SECRET}, None, 7, Path("secret")])
def test_a_list_is_no_secret(secret: Any) -> None:
    ways: list[Callable[[], Any]] = [
        lambda: manager(secret=secret), lambda: Signer(key=secret), lambda: Tokens("flask", key=secret), lambda: Keyring(secret),
        lambda: manager().reload(secret), lambda: signing.derive_key(secret, "x"), lambda: signing.dumps(1, key=secret),
        lambda: Tokens("gorilla", key=SECRET, block_key=secret),
    ]  # fmt: skip
    for way in ways:
        with pytest.raises(TypeError, match="secret|key") as caught:
            way()
        assert isinstance(caught.value, TuileError)


def test_a_keyring_takes_no_fallbacks_beside_it() -> None:
    for way in (lambda: manager(secret=Keyring(SECRET), fallbacks=[OTHER]), lambda: Signer(key=Keyring(SECRET), fallback_keys=[OTHER])):
        with pytest.raises(ValueError, match="Keyring"):
            way()


SAID: list[tuple[Callable[[], Any], str]] = [
    (lambda: Tokens("flaskk", key=SECRET), "dialect has to be one of 'django', .*: did you mean 'flask'"),  # type: ignore[arg-type]
    (lambda: Tokens("flask", key=SECRET, digest="sha3"), "digest has to be one of 'sha1', .*'sha512'.* or None"),  # type: ignore[arg-type]
    (lambda: Tokens("flask", key=SECRET, derivation="x"), "derivation has to be one of 'django-concat'"),  # type: ignore[arg-type]
    (lambda: Tokens("flask", key=SECRET, timed="no"), "timed has to be True or False"),  # type: ignore[arg-type]
    (lambda: Keyring(SECRET, format="hexx"), "format has to be one of 'text', 'hex', 'base64': did you mean 'hex'"),  # type: ignore[arg-type]
    (lambda: Keyring(allow_weak="no"), "allow_weak has to be True or False"),  # type: ignore[arg-type]
    (lambda: cookies.SetCookie("a", same_site="lax").header(), "same_site has to be one of 'Lax', .* did you mean 'Lax'"),  # type: ignore[arg-type]
    (lambda: cookies.SetCookie("a", priority=1).header(), "priority has to be one of 'Low'"),  # type: ignore[arg-type]
    (lambda: cookies.SetCookie("a", max_age="60").header(), "max_age has to be a whole number, not str"),  # type: ignore[arg-type]
    (lambda: cookies.SetCookie("a", secure="no").header(), "secure has to be True or False, not str"),  # type: ignore[arg-type]
    (lambda: cookies.SetCookie("a", path=None).header(), "path has to be str or bytes, not None"),  # type: ignore[arg-type]
    (lambda: cookies.parse("a=1", mode="djang"), "mode has to be one of 'browser', 'django', 'strict': did you mean 'django'"),  # type: ignore[arg-type]
    (lambda: cookies.parse(7), "iterable|Cookie header"),  # type: ignore[arg-type]
    (lambda: cookies.read("a=1", "a", "ruby"), "rule has to be one of "),  # type: ignore[arg-type]
    (lambda: cookies.encode("a", "percentt"), "encoding has to be one of .* did you mean 'percent'"),  # type: ignore[arg-type]
    (lambda: cookies.Jar(max_cookies=-1), "max_cookies is negative"),
    (lambda: cookies.Jar().header("https://a.test/", context="samesite"), "context has to be one of 'same-site'"),  # type: ignore[arg-type]
    (lambda: state.url_with("/", "a", "b", "pathh"), "place has to be one of 'path', 'query': did you mean 'path'"),  # type: ignore[arg-type]
    (lambda: TimestampSigner(key=SECRET).unsign("x", max_age="60"), "max_age has to be a whole number, not str"),  # type: ignore[arg-type]
    (lambda: TimestampSigner(key=SECRET).unsign("x", max_age=float("inf")), "max_age is not finite"),
    (lambda: manager(cookie_same_site="lacks"), "cookie_same_site has to be one of 'Lax', 'Strict', 'None' or None"),
    (lambda: manager(cookie_age="60"), "cookie_age has to be a whole number, not str"),
    (lambda: manager(cookie_age=True), "cookie_age has to be a whole number, not bool"),
    (lambda: manager(cookie_age=60.5), "cookie_age has to be a whole number, not float"),
    (lambda: manager(cookie_age=2**63), "cookie_age does not fit"),
    (lambda: manager(cookie_skip_rules=1 << 32), "cookie_skip_rules does not fit"),
    (lambda: manager(max_data=-1), "max_data is negative"),
    (lambda: manager(cookie_secure="no"), "cookie_secure has to be True or False, not str"),
    (lambda: manager(cookie_secure=2), "cookie_secure has to be True or False"),
    (lambda: manager(cookie_name=None), "cookie_name has to be str or bytes, not None"),
    (lambda: manager(cookie_rule="ruby"), "cookie_rule has to be one of"),
    (lambda: manager(log_level="warn"), "log_level has to be one of .*: did you mean 'warning'"),
    (lambda: manager(log_level=9), "log_level has to be one of"),
    (lambda: manager(policy="aal9"), "policy has to be one of 'aal2', 'aal3'"),
    (lambda: manager(log=7), "log has to be a function"),
    (lambda: manager(cookie_agee=5), "unknown setting: cookie_agee: did you mean cookie_age"),
    (lambda: manager(store=Path("/x")), "store is a URL, not a path: write \"sqlite:///"),
    (lambda: manager(store=7), "store has to be a URL such as"),
    (lambda: manager(revocations=Path("/x")), "revocations is a URL, not a path"),
    (lambda: manager(previous_store=Path("/x")), "previous_store is a URL, not a path"),
    (lambda: manager(store="memory:?max_byte=1"), "unknown option: max_byte; there are: max_bytes$"),
    (lambda: manager(store="memory:?max_bytes=x"), "no number, or one out of its range: max_bytes \\(65536 to "),
    (lambda: manager(store="sqlite:///tmp/x.db?buzy=1"), "unknown option: buzy; there are: busy, synchronous, mode$"),
    (lambda: manager(store="file:///tmp?busy=-1"), "out of its range: busy \\(0 to "),
    (lambda: manager(store="file:///tmp?fsync=never"), "wrong value; it may have: fsync \\(off, data, full\\)$"),
    (lambda: manager(store="cached+memory:#memory:?x=1"), "unknown option: x; there are: max_bytes"),
    (lambda: manager(revocations="memory:?x=1"), "unknown option: x; there are: max_bytes"),
    (lambda: manager().clear_expired("5"), "limit has to be a whole number"),  # type: ignore[arg-type]
    (lambda: manager().begin(7), "cookie_header has to be str or bytes"),  # type: ignore[arg-type]
    (lambda: manager().begin("").set_expiry("60"), "expiry"),
    (lambda: manager().begin("").set_lifetime("60"), "seconds has to be a whole number"),  # type: ignore[arg-type]
    (lambda: manager().begin("").add_int("n", "1"), "delta has to be a whole number"),  # type: ignore[arg-type]
    (lambda: manager().begin("").commit("200"), "status has to be a whole number"),  # type: ignore[arg-type]
    (lambda: flask.SessionInterface(Path("/x")), "store is a URL, not a path"),  # type: ignore[arg-type]
    (lambda: flask.SessionInterface("memory:", cycle_grase=1), "unknown setting: cycle_grase: did you mean cycle_grace"),  # type: ignore[call-arg]
    (lambda: flask.SessionInterface("memory:", cookie_age=1), "is Flask's PERMANENT_SESSION_LIFETIME"),  # type: ignore[call-arg]
    (lambda: wsgi.SessionMiddleware(application, store="memory:", cookie_agee=5), "unknown setting: cookie_agee"),  # type: ignore[call-arg]
    (lambda: wsgi.SessionMiddleware(application, manager(), cookie_age=5), "cookie_age: the manager that is given has its settings"),
    (lambda: asgi.SessionMiddleware(application, manager(), store="memory:"), "store: the manager that is given has its settings"),
    (lambda: wsgi.SessionMiddleware(application, "memory:"), "manager has to be a tuile.sessions.Manager, not str"),  # type: ignore[arg-type]
    (lambda: wsgi.SessionMiddleware(application), "store"),
    (lambda: asgi.SessionMiddleware(application, manager(), preload="no"), "preload has to be True or False"),  # type: ignore[arg-type]
    (lambda: asgi.SessionMiddleware(application, manager(), save_on_error="no"), "save_on_error has to be True or False"),  # type: ignore[arg-type]
    (lambda: flask.SessionInterface("memory:", login_keys="_user_id"), r"login_keys is a list: write \[name\]"),
    (lambda: state.csrf_refusal("POST", host="a.test", trusted_origins="https://b.test"), "trusted_origins is a list"),
    (lambda: state.csrf_refusal("POST", host="a.test", secure="no"), "secure has to be True or False"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SAID)))
def test_the_message_names_the_argument_and_what_it_may_be(number: int) -> None:
    way, said = SAID[number]
    with pytest.raises((ValueError, TypeError, OverflowError), match=said) as caught:
        way()
    assert not type(caught.value).__module__.startswith(("ctypes", "_ctypes"))


def test_no_message_repeats_what_may_be_a_secret_in_the_wrong_place() -> None:
    for way in (
        lambda: Tokens(SECRET, key=OTHER),  # type: ignore[arg-type]
        lambda: manager(policy=SECRET),
        lambda: manager(fallbacks=SECRET),
        lambda: manager(store=SECRET.encode()),
        lambda: Signer(key=SECRET + "\ud800"),
    ):
        with pytest.raises(TuileError) as caught:
            way()
        problem: Any = caught.value
        while problem is not None:
            assert "thirty" not in f"{problem} {problem.args!r}"
            problem = problem.__cause__ or problem.__context__


def test_what_a_path_may_be_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n{OTHER}\n")
    file.chmod(0o600)
    for path in (file, str(file), str(file).encode()):
        ring = Keyring()
        ring.add_file(path)
        assert len(ring) == 2


NAMES = {
    "SameSite": native.SAME_SITES, "Priority": native.PRIORITIES, "CookieMode": native.COOKIE_MODE, "CookieRule": native.COOKIE_RULE,
    "Encoding": native.ENCODING, "Dialect": native.DIALECT, "Digest": native.DIGESTS, "Derivation": native.DERIVATIONS, "Cipher": native.CIPHERS,
    "KeyFormat": native.SECRET, "Policy": native.POLICY, "Context": native.SITES, "Place": native.URL, "LogLevel": native.LOG,
    "DeviceBound": native.DEVICE_BINDING.keys() - {"off"},
}  # fmt: skip


def test_the_choices_are_the_librarys() -> None:
    assert {name for name in vars(choices) if isinstance(getattr(choices, name), type(choices.Place)) and name != "Literal"} == NAMES.keys()
    for name, known in NAMES.items():
        assert set(typing.get_args(getattr(choices, name))) == {key for key in known if key is not None}


def test_numbers_may_be_what_is_one() -> None:
    class Seconds:
        def __index__(self) -> int:
            return 60

    assert arguments.number(Seconds()) == 60
    given: dict[str, Union[Seconds, int]] = {"cookie_age": Seconds(), "cookie_secure": 1}
    with manager(**given) as made, made.begin("") as session:
        session["a"] = 1
        header = dict(session.commit())["Set-Cookie"]
    assert "Max-Age=60;" in header and "Secure" in header
