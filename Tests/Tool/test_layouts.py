"""Sessions that other frameworks keep on the server: shown, listed, changed, ended, explained and moved.

What the frameworks themselves wrote is in vectors; a Redis server of the test's own has it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import BUILD, ERROR, NO, ROOT, SECRET, USAGE, answers, says, tuile

sys.path.insert(0, str(ROOT / "Tests/Stores"))
import redis_server  # noqa: E402

EXPRESS, PHP, PYTHON, RUBY, LARAVEL = (
    json.loads((ROOT / f"Tests/vectors/layout_{name}.json").read_text())
    for name in ("express", "php", "python", "ruby", "laravel")
)
KEYBOARD = str(EXPRESS["secret"][0] if isinstance(EXPRESS["secret"], list) else EXPRESS["secret"])


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_server.Server]:
    server = redis_server.Server(tmp_path_factory.mktemp("redis") / "server").start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def url(redis: redis_server.Server) -> str:
    client(redis).flushall()
    return f"unix://{redis.socket}"


def client(redis: redis_server.Server) -> Any:
    import redis as package

    return package.Redis(unix_socket_path=str(redis.socket))


def case(vectors: dict[str, Any], layout: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in vectors[layout] if each["name"] == name)
    return found


def octets(found: dict[str, Any], vectors: dict[str, Any]) -> bytes:
    text = str(found["value"])
    return text.encode() if vectors is EXPRESS else base64.b64decode(text)


def put(redis: redis_server.Server, found: dict[str, Any], vectors: dict[str, Any], ttl: int = 3600) -> str:
    client(redis).set(found["key"], octets(found, vectors), ex=ttl)
    return sid(found)


def sid(found: dict[str, Any]) -> str:
    value = str(found["cookie"]).split("=", 1)[1]
    return value.removeprefix("s%3A").split(".")[0]


# Layout, its vectors, the part of them with values, who is logged in there.
LAYOUTS = [
    ("express", EXPRESS, "connect-redis"),
    ("php", PHP, "redis"),
    ("django-cache", PYTHON, "layout=django-cache"),
    ("django-redis", PYTHON, "layout=django-redis"),
    ("flask-session", PYTHON, "layout=flask-session"),
]


@pytest.mark.parametrize(("layout", "vectors", "part"), LAYOUTS, ids=[each[0] for each in LAYOUTS])
def test_a_session_is_shown_changed_and_ended_without_a_secret(
    redis: redis_server.Server, url: str, layout: str, vectors: dict[str, Any], part: str
) -> None:
    key = put(redis, case(vectors, part, "login"), vectors)
    other = put(redis, case(vectors, part, "one_int"), vectors)
    store = f"{url}?layout={layout}"
    shown = answers("session", "get", "--store", store, key, secret=None)["values"]
    assert shown and "cookie" not in shown
    listed = answers("session", "list", "--store", store, secret=None)
    assert len(listed["sessions"]) == 2 and not listed["more"]
    assert sorted(says("session", "list", "--store", store, "--keys", "-", secret=None).split()) == sorted([key, other])
    assert answers("session", "set", "--store", store, key, "hits", "41", secret=None) == {}
    assert answers("session", "get", "--store", store, key, "hits", secret=None) == {"value": 41}
    after = case(vectors, part, "login")["after"]
    stored = client(redis).get(case(vectors, part, "login")["key"])
    assert (stored.decode() if vectors is EXPRESS else base64.b64encode(stored).decode()).rstrip() == after or layout == "express"
    made = answers("session", "set", "--store", store, "new", "a", "[1]", secret=None)["key"]
    assert answers("session", "get", "--store", store, made, "a", secret=None) == {"value": [1]}
    assert answers("session", "end", "--store", store, "--where", "hits=41", secret=None) == {"ended": 1, "unreadable": 0}
    assert says("session", "get", "--store", store, key, secret=None, code=NO) == ""
    assert answers("session", "end", "--store", store, other, secret=None) == {"ended": 1}
    # An ID that the layout can't have is no session, and not a failure.
    assert says("session", "get", "--store", store, "../../etc/passwd", secret=None, code=NO) == ""
    assert answers("check", store)["writable"] is True


@pytest.mark.parametrize(("layout", "vectors", "part"), LAYOUTS, ids=[each[0] for each in LAYOUTS])
def test_inspect_explains_a_cookie_an_id_and_what_is_stored(
    redis: redis_server.Server, url: str, layout: str, vectors: dict[str, Any], part: str, tmp_path: Path
) -> None:
    found = case(vectors, part, "login")
    key, store = put(redis, found, vectors), f"{url}?layout={layout}"
    more = {"secret": KEYBOARD} if layout == "express" else {"secret": None}
    weak = ["--allow-weak"] if layout == "express" else []
    of_cookie = answers("inspect", "--store", store, *weak, found["cookie"], **more)
    of_id = answers("inspect", "--store", store, key, secret=None)
    assert of_cookie.pop("genuine", None) is (True if layout == "express" else None)
    assert of_cookie == of_id and of_id["id"] == key and of_id["is_stored"]
    assert of_id["values"] == {name: value for name, value in of_id["holds"].items() if name != "cookie"}
    # PHP has no convention, and in that session of Flask's Django's names stand.
    assert ("login" in of_id) is (layout not in ("php", "flask-session"))
    file = tmp_path / "value"
    file.write_bytes(octets(found, vectors))
    by_layout = answers("inspect", "--stored", "--store", store, str(file), secret=None)
    assert by_layout["holds"] == of_id["holds"]
    guessed = answers("inspect", "--stored", "-", text=octets(found, vectors), secret=None)
    assert guessed["holds"] == of_id["holds"] and guessed["looks_like"]


def test_inspect_shows_no_session_for_a_cookie_that_is_not_genuine(redis: redis_server.Server, url: str) -> None:
    found = case(EXPRESS, "connect-redis", "login")
    put(redis, found, EXPRESS)
    forged = found["cookie"][:-3] + ("AAA" if not found["cookie"].endswith("AAA") else "BBB")
    store = f"{url}?layout=express"
    said = answers("inspect", "--store", store, "--allow-weak", forged, secret=KEYBOARD, code=NO)
    assert said["genuine"] is False and "values" not in said and "stored" not in said
    said = answers("inspect", "--store", store, found["cookie"], secret=None, code=NO)
    assert "genuine" not in said and "values" not in said and "not checked" in said["note"]


def test_inspect_of_what_is_no_session(url: str) -> None:
    assert answers("inspect", "--stored", "-", text=b"\x00\xff\xfe", secret=None, code=NO)["error"]
    said = answers("inspect", "--stored", "--store", f"{url}?layout=django-cache", "-", text=b"cos\nsystem\n.", secret=None, code=NO)
    assert said["error"] == "TUILE_UNREADABLE"
    said = answers("inspect", "--stored", "--store", url, "-", text=b"{}", secret=None, code=ERROR)
    assert "layout" in said["message"]
    # Django's own form is signed text, which inspect knows as ever.
    signed = says("dumps", "--salt", "django.contrib.sessions.SessionStore", '{"a": 1}')
    assert answers("inspect", "--stored", "-", text=signed)["value"] == {"a": 1}


def test_who_is_logged_in_is_found_by_the_layout(redis: redis_server.Server, url: str) -> None:
    for layout, vectors, part in LAYOUTS:
        if layout == "php":
            continue
        client(redis).flushall()
        store = f"{url}?layout={layout}"
        key = put(redis, case(vectors, part, "login"), vectors)
        put(redis, case(vectors, part, "one_int"), vectors)
        if layout == "flask-session":
            says("session", "set", "--store", store, key, "_user_id", '"anna"', secret=None)
        who = answers("inspect", "--store", store, key, secret=None)["login"]
        assert len(answers("session", "list", "--store", store, who, secret=None)["sessions"]) == 1, layout
        assert answers("session", "end", "--store", store, "--user", who, secret=None)["ended"] == 1


def test_clear_errors(url: str) -> None:
    said = answers("session", "list", "--store", f"{url}?layout=nothing", secret=None, code=ERROR)
    assert "unknown layout" in said["message"] and "express" in said["message"]
    assert says("session", "get", "--store", url, "aaaaaaaa", secret=None, code=USAGE) == ""
    said = answers("migrate", f"{url}?layout=php", "cookie:", "--dry-run", code=ERROR)
    assert "cookie" in said["message"]


# ---- migrate ----


def fill(redis: redis_server.Server, part: str, vectors: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: put(redis, case(vectors, part, name), vectors) for name in names}


def test_alike_forms_keep_every_byte(redis: redis_server.Server, url: str) -> None:
    """Dates and objects, which JSON lacks, go from one pickle to the other as they are."""
    keys = fill(redis, "layout=django-redis", PYTHON, "dates", "containers", "shared_objects", "login")
    source, target = f"{url}?layout=django-redis", f"{url}?layout=django-cache&prefix=shop"
    done = answers("migrate", source, target)
    assert (done["copied"], done["checked"], done["missing"], done["lose_values"]) == (4, 4, 0, 0)
    for name, key in keys.items():
        stored = client(redis).get(f"shop:1:django.contrib.sessions.cache{key}")
        assert stored == octets(case(PYTHON, "layout=django-redis", name), PYTHON), name
        assert 3500 < client(redis).ttl(f"shop:1:django.contrib.sessions.cache{key}") <= 3600
    again = answers("migrate", source, target)
    assert (again["copied"], again["there_already"]) == (0, 4)


def test_what_would_be_lost_is_said_before_anything_is_done(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    keys = fill(redis, "layout=django-cache", PYTHON, "login", "dates", "one_int")
    client(redis).set(":1:django.contrib.sessions.cache" + "b" * 32, b"no session", ex=3600)
    source, target = f"{url}?layout=django-cache", f"sqlite://{tmp_path}/to.db"
    before = {key: client(redis).get(key) for key in client(redis).keys()}
    said = answers("migrate", source, target, "--dry-run", code=NO)
    assert (said["keys"], said["would_copy"], said["lose_values"], said["unreadable"]) == (4, 3, 1, 1)
    lost = [each["name"] for each in said["names"] if each["kind"] == "value"]
    assert lost and set(lost) <= set(answers("session", "get", "--store", source, keys["dates"])["values"])
    stopped = tuile("migrate", source, target, "--json")
    assert stopped.returncode == NO and b"--lossy" in stopped.stderr and json.loads(stopped.stdout) == said
    assert answers("session", "list", "--store", target, code=NO)["sessions"] == []
    done = answers("migrate", source, target, "--lossy")
    assert (done["copied"], done["missing"], done["unreadable"], done["lose_values"]) == (3, 0, 1, 1)
    whole = answers("session", "get", "--store", source, keys["login"])["values"]
    assert answers("session", "get", "--store", target, keys["login"])["values"] == whole
    dates = answers("session", "get", "--store", source, keys["dates"])["values"]
    kept = answers("session", "get", "--store", target, keys["dates"])["values"]
    assert kept == {name: value for name, value in dates.items() if name not in lost}
    # The old store is as it was.
    assert {key: client(redis).get(key) for key in client(redis).keys()} == before


def test_there_and_back_again(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    """Tuile's own form, Django's cache and PHP take the same IDs, and give the same values."""
    own = f"file://{tmp_path}/own"
    values = {"name": '"Zoë"', "list": "[1, 2.5, null, true]", "map": '{"a": {"b": "c"}}', "big": "9007199254740993"}
    key = answers("session", "set", "--store", own, "new", "n", "1")["key"]
    for name, value in values.items():
        says("session", "set", "--store", own, key, name, value)
    whole = answers("session", "get", "--store", own, key)["values"]
    stores = [own, f"{url}?layout=django-cache", f"{url}?layout=php", f"{url}?layout=django-redis&serializer=json&prefix=j",
              f"file://{tmp_path}/php?layout=php", f"{url}?layout=express", f"sqlite://{tmp_path}/back.db"]  # fmt: skip
    (tmp_path / "php").mkdir(mode=0o700)
    for source, target in zip(stores, stores[1:]):
        done = answers("migrate", source, target)
        assert (done["copied"], done["missing"]) == (1, 0), (source, target, done)
        secret = {} if "layout" not in target else {"secret": None}
        values = answers("session", "get", "--store", target, key, **secret)["values"]
        # Express' sessions say how long their cookies live: from there on it is said.
        if source.endswith("express"):
            assert values.pop("_session_expiry") == 1209600
        assert values == whole, target


def test_the_end_of_a_session_goes_with_it(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    text = '{"cookie":{"originalMaxAge":7200000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"path":"/"},"n":1}'
    key = "abcdefghijklmnopqrstuvwxyz012345"
    client(redis).set(f"sess:{key}", text, ex=5000)
    express, own, flask = f"{url}?layout=express", f"sqlite://{tmp_path}/own.db", f"{url}?layout=flask-session"
    done = answers("migrate", express, own)
    assert [each for each in done["names"] if each["kind"] != "metadata"] == []
    assert done["names"] == [{"name": "cookie", "kind": "metadata", "sessions": 1}]
    assert answers("session", "get", "--store", own, key)["values"] == {"n": 1, "_session_expiry": 7200}
    # And back, where express looks for it.
    answers("migrate", own, f"{url}?layout=express&prefix=back%3A")
    back = json.loads(client(redis).get(f"back:{key}"))
    assert back["cookie"]["originalMaxAge"] == 7200000 and back["n"] == 1 and "_session_expiry" not in back
    assert 4900 < client(redis).ttl(f"back:{key}") <= 5000
    # Flask does not know of it: Tuile keeps it, and says so before.
    said = answers("migrate", own, flask, "--dry-run", code=NO)
    assert said["lose_expiry"] == 1 and said["names"][0]["kind"] == "expiry"
    assert answers("migrate", own, flask, "--lossy")["copied"] == 1


def test_ids_and_names_that_the_target_refuses(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    fill(redis, "connect-redis", EXPRESS, "login", "one_int")
    source = f"{url}?layout=express"
    said = answers("migrate", source, f"{url}?layout=django-cache", "--dry-run", code=NO)
    assert (said["keys"], said["ids_refused"], said["would_copy"]) == (2, 2, 0)
    own = f"sqlite://{tmp_path}/own.db"
    key = answers("session", "set", "--store", own, "new", "a|b", "1")["key"]
    says("session", "set", "--store", own, key, "cookie", '"mine"')
    assert answers("migrate", own, f"{url}?layout=php", "--dry-run", code=NO)["lose_values"] == 1
    # Express keeps its own in `cookie`: the application's value would be lost.
    said = answers("migrate", own, f"{url}?layout=express", "--dry-run", code=NO)
    assert said["names"] == [{"name": "cookie", "kind": "value", "sessions": 1}]


def test_lists_of_owners(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    own = f"sqlite://{tmp_path}/own.db"
    key = answers("session", "set", "--owner", "ada", "--store", own, "new", "n", "1")["key"]
    done = answers("migrate", own, f"{url}?layout=django-cache")
    assert (done["copied"], done["lists_kept"], done["listed"]) == (1, True, 1)
    assert len(answers("session", "list", "--store", f"{url}?layout=django-cache", "ada")["sessions"]) == 1
    (tmp_path / "php").mkdir(mode=0o700)
    files = f"file://{tmp_path}/php?layout=php"
    assert answers("migrate", own, files, "--dry-run", code=NO)["lists_lost"] == 1
    assert answers("session", "list", "--store", files, secret=None, code=NO)["sessions"] == []
    done = answers("migrate", own, files, "--lossy")
    assert (done["copied"], done["lists_kept"], done["lists_lost"]) == (1, False, 1)
    assert answers("session", "get", "--store", files, key, "n", secret=None) == {"value": 1}


def test_the_old_sessions_go_when_that_is_asked(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    keys = fill(redis, "layout=django-cache", PYTHON, "login", "one_int", "unicode")
    source, own = f"{url}?layout=django-cache", f"sqlite://{tmp_path}/own.db"
    (tmp_path / "one").write_text(keys["login"] + "\n")
    done = answers("migrate", source, own, "--keys", str(tmp_path / "one"))
    assert done["copied"] == 1
    done = answers("migrate", source, own, "--delete-old")
    # What an earlier run copied may have been changed since: it stays.
    assert (done["copied"], done["there_already"], done["removed"], done["left"]) == (2, 1, 2, 1)
    assert says("session", "list", "--store", source, "--keys", "-", secret=None) == keys["login"]
    assert len(answers("session", "list", "--store", own)["sessions"]) == 3
    # Without layouts, too.
    done = answers("migrate", own, f"file://{tmp_path}/files", "--delete-old", secret=None)
    assert (done["copied"], done["removed"]) == (3, 3)
    assert answers("session", "list", "--store", own, code=NO)["sessions"] == []


def test_ids_that_the_store_has_hashed(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    """Of Rails' sessions a walk gives hashes of the IDs: they name the sessions, and no cookie can be made of them."""
    part = "layout=redis-session-store&prefix=app%3Amarshal%3A"
    source = f"{url}?{part}"
    for name in ("login", "symbols", "objects"):
        put(redis, case(RUBY, part, name), RUBY)
    login = case(RUBY, part, "login")
    sid = login["cookie"].split("=")[1]
    hashes = says("session", "list", "--store", source, "--keys", "-", secret=None).split()
    assert len(hashes) == 3 and all(each.startswith("2::") for each in hashes)
    hashed = login["key"].removeprefix("app:marshal:")
    of_id = answers("inspect", "--store", source, sid, secret=None)
    of_hash = answers("inspect", "--store", source, hashed, secret=None)
    assert (of_id.pop("id"), of_hash.pop("id")) == (sid, hashed) and of_id == of_hash and of_id["is_stored"]
    guessed = answers("inspect", "--stored", "-", text=octets(login, RUBY), secret=None)
    assert "Marshal" in guessed["looks_like"] and guessed["holds"] == of_id["holds"]
    assert answers("session", "set", "--store", source, hashed, "hits", "41", secret=None) == {}
    assert answers("session", "get", "--store", source, sid, "hits", secret=None) == {"value": 41}
    # To another store of hashed IDs all of it goes, symbols and objects too; to one that has none nothing can.
    target = f"{url}?layout=redis-actionpack&prefix=moved%3A"
    assert answers("migrate", source, target)["copied"] == 3
    assert client(redis).get(f"moved:{hashed}") == client(redis).get(login["key"])
    said = answers("migrate", source, f"sqlite://{tmp_path}/own.db", "--dry-run", code=NO)
    assert (said["ids_refused"], said["would_copy"]) == (3, 0)


def test_laravel_whose_cookies_are_encrypted(redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    part = LARAVEL["redis"]
    login = next(each for each in part["cases"] if each["name"] == "login")
    client(redis).set(part["prefix"] + login["sid"], base64.b64decode(login["value"]), ex=3600)
    store, sid = f"{url}?layout=laravel", login["sid"]
    of_id = answers("inspect", "--store", store, sid, secret=None)
    of_cookie = answers("inspect", "--store", store, login["cookie"], secret=part["key"])
    assert of_cookie.pop("genuine") is True and of_cookie == of_id and of_id["login"]
    assert answers("session", "end", "--store", store, "--user", of_id["login"], secret=None)["ended"] == 1
    # Where the sessions are encrypted, too, the application's key opens them, and no other.
    sealed = next(each for each in LARAVEL["file encrypted"]["cases"] if each["name"] == "login")
    folder = tmp_path / "sessions"
    folder.mkdir(mode=0o700)
    (folder / sealed["sid"]).write_bytes(base64.b64decode(sealed["value"]))
    files = f"file://{folder}?layout=laravel&encrypt=true&ttl=1000000000"
    assert answers("inspect", "--store", files, sealed["sid"], secret=None, code=NO)["readable"] is False
    assert answers("migrate", files, store, "--dry-run", secret=None, code=NO)["unreadable"] == 1
    assert answers("migrate", files, store, secret=LARAVEL["file encrypted"]["key"])["copied"] == 1
    assert "login" in answers("inspect", "--store", store, sealed["sid"], secret=None)


# ---- memcached, which tells nobody what it has ----


@pytest.fixture(scope="module")
def memcached() -> Iterator[Any]:
    servers = pytest.importorskip("memcached_server")
    if shutil.which("memcached") is None or not (BUILD / "libtuile-memcached.so").exists():
        pytest.skip("no memcached, or no module for it, here")
    with servers.running() as server:
        yield server


def test_sessions_move_to_and_from_memcached(memcached: Any, redis: redis_server.Server, url: str, tmp_path: Path) -> None:
    keys = fill(redis, "layout=django-cache", PYTHON, "login", "dates", "one_int")
    source, target = f"{url}?layout=django-cache", f"{memcached.url}?layout=django-cache"
    assert answers("migrate", source, target, "--dry-run")["would_copy"] == 3
    assert memcached.client().get(f":1:django.contrib.sessions.cache{keys['dates']}") is None
    done = answers("migrate", source, target)
    # It can be asked for each key, but has no lists of owners.
    assert (done["copied"], done["checked"], done["missing"], done["lose_values"]) == (3, 3, 0, 0)
    for name, key in keys.items():
        stored = f":1:django.contrib.sessions.cache{key}"
        assert memcached.client().get(stored) == octets(case(PYTHON, "layout=django-cache", name), PYTHON), name
        assert memcached.flags(stored) == 1 and 3500 < memcached.left(stored) <= 3601
    assert answers("migrate", source, target)["there_already"] == 3
    # From there only those that are named.
    own = f"sqlite://{tmp_path}/own.db"
    said = answers("migrate", target, own, code=ERROR)
    assert "keys" in said["message"] or "list" in said["message"]
    (tmp_path / "keys").write_text("\n".join([keys["login"], keys["one_int"], "z" * 32]) + "\n")
    done = answers("migrate", target, own, "--keys", str(tmp_path / "keys"))
    assert (done["copied"], done["absent"], done["missing"]) == (2, 1, 0)
    whole = answers("session", "get", "--store", target, keys["login"])["values"]
    assert answers("session", "get", "--store", own, keys["login"])["values"] == whole
    # And from one framework's form into another's, which has no ends of a session's own.
    php = f"{memcached.url}?layout=php&prefix=p."
    assert answers("migrate", own, php, "--dry-run", code=NO)["lose_expiry"] == 1
    done = answers("migrate", own, php, "--lossy")
    assert (done["copied"], done["missing"]) == (2, 0)
    assert answers("session", "get", "--store", php, keys["login"], secret=None)["values"] == whole


# ---- libraries that are not installed ----


@pytest.mark.parametrize(("compressor", "library", "package"), [("lzma", "liblzma.so.5", "liblzma5"), ("lz4", "liblz4.so.1", "liblz4-1"), ("zstd", "libzstd.so.1", "libzstd1")])
def test_a_compressor_s_library_that_is_not_there_is_named(redis: redis_server.Server, url: str, tmp_path: Path, compressor: str, library: str, package: str) -> None:
    if library in subprocess.run(["ldd", os.environ.get("TUILE_TOOL", str(BUILD / "tuile"))], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this libcrypto is linked with it, so that it is always there")
    (key,) = fill(redis, "layout=django-redis", PYTHON, "login").values()
    store = f"{url}?layout=django-redis&compressor={compressor}"
    # What does not decompress is taken as it is, as django-redis does.
    assert answers("session", "get", "--store", store, key)["values"]
    # The loader finds this first, and it is no library.
    (tmp_path / library).write_bytes(b"")
    before = client(redis).get(f":1:django.contrib.sessions.cache{key}")
    for words in (("session", "get", "--store", store, key), ("session", "set", "--store", store, key, "n", "1"), ("session", "list", "--store", store)):
        said = answers(*words, code=ERROR, LD_LIBRARY_PATH=str(tmp_path))
        assert package in said["message"] and "install" in said["message"]
    assert client(redis).get(f":1:django.contrib.sessions.cache{key}") == before
    # Without that compressor it is not missed.
    assert answers("session", "get", "--store", f"{url}?layout=django-redis&compressor=zlib", key, LD_LIBRARY_PATH=str(tmp_path))["values"]


# ---- check, whose session is as the framework makes one ----

IN_REDIS = "django-cache django-redis flask-session express php symfony laravel laravel&encrypt=true starsessions aiohttp-session rails-cache redis-session-store redis-actionpack redis-rack".split()
IN_FILES = "php symfony laravel express django-cache flask-session".split()


@pytest.mark.parametrize("layout", [*IN_REDIS, *(f"file {name}" for name in IN_FILES), "memcached rack-dalli", "memcached laravel", "memcached php"])
def test_a_store_of_any_layout_is_checked(request: pytest.FixtureRequest, url: str, redis: redis_server.Server, tmp_path: Path, layout: str) -> None:
    where, _, name = layout.rpartition(" ")
    files = tmp_path / "sessions"
    files.mkdir(mode=0o700)
    place = {"": url, "file": f"file://{files}", "memcached": ""}[where] or request.getfixturevalue("memcached").url
    store = f"{place}?layout={name}"
    said = answers("check", store, secret=None)
    assert said["readable"] is True and said["writable"] is True and said["write_microseconds"] > 0
    # Nothing of it stays.
    assert client(redis).keys() == [] and [path for path in files.rglob("*") if path.is_file() and ".tuile" not in path.parts] == []
    if not where:
        # Not of a store that only reads.
        assert "not written" in answers("check", f"{store}&mode=ro", secret=None, code=ERROR)["message"]
