"""The module libtuile-redis.so on real servers: the contract, the counter and the races, the layout of keys,
what a URL may say, TLS, and what each of the server's errors becomes."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("redis")
from redis_server import PASSWORD, Server, certificates, running  # noqa: E402
from revocations import keeps_revocations  # noqa: E402
from store import BUILD, FULL, KEY, LATER, Refused, Store, native, run, works_in_queues  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")

CONTRACT = ("binary", "shared", "own-clock", "owners")
QUOTED = "pa%3Ass%2Fwo%40rd%25"
ADA = "user ada on >ada +@read +@write +@scripting +role -keys ~web:* ~web.tuile:*"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("redis") / "plain", ADA) as server:
        yield server


@pytest.fixture(autouse=True)
def empty(server: Server) -> None:
    server.client().flushall()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that wants a password."""
    server = Server(tmp_path_factory.mktemp("redis") / "locked", f'requirepass "{PASSWORD}"')
    server.password = PASSWORD
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, Path]]]:
    files = certificates(tmp_path_factory.mktemp("certificates") / "all")
    options = [f"tls-cert-file {files['server.pem']}", f"tls-key-file {files['server.key']}"]
    folder = tmp_path_factory.mktemp("redis") / "tls"
    with running(folder, *options, f"tls-ca-cert-file {files['ca.pem']}", tls=True) as server:
        yield server, files


def keeps_the_contract(url: str) -> None:
    answer = run("store_driver", url, *CONTRACT)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the store keeps the contract\n", "")


def test_keeps_revocations(server: Server) -> None:
    keeps_revocations(f"redis://127.0.0.1:{server.port}")


def test_no_descriptor_left(server: Server) -> None:
    # It forks for each try, and each child opens its own connection; a name needs some to be looked up.
    answer = run("store_descriptors", f"redis://localhost:{server.port}?prefix=few&retries=0")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def refused(url: str) -> Refused:
    """What the first call says, or already the opening."""
    with pytest.raises(Refused) as caught, Store(url) as store:
        store.load()
    assert PASSWORD not in caught.value.message and "wrong" not in caught.value.message
    return caught.value


# ---- the contract ----


@pytest.mark.parametrize("where", ["unix://{socket}", "redis://{host}", "redis://localhost:{port}/2?prefix=session",
                                   "redis://ada:ada@{host}?prefix=web", "unix://{socket}?db=3&pool=2&wait=60000"])  # fmt: skip
def test_keeps_the_contract(server: Server, where: str) -> None:
    keeps_the_contract(where.format(socket=server.socket, host=server.host, port=server.port))


def test_keeps_the_contract_with_a_password(locked: Server) -> None:
    keeps_the_contract(f"redis://:{QUOTED}@{locked.host}")


def test_keeps_the_contract_over_tls(tls: tuple[Server, dict[str, Path]]) -> None:
    server, files = tls
    keeps_the_contract(f"rediss://localhost:{server.port}?ca={files['ca.pem']}")


@pytest.mark.parametrize("options", ["", "?pool=1&wait=60000"])
def test_works_in_queues(server: Server, tmp_path: Path, options: str) -> None:
    works_in_queues(server.unix + options, tmp_path)


def test_counts_exactly(server: Server) -> None:
    times = "1000" if FULL else "25"
    answer = run("store_counter", f"{server.unix}?wait=60000&timeout=30000", "8", "8", times)
    assert (answer.returncode, answer.stdout) == (0, f"counted {64 * int(times)} of {64 * int(times)}\n"), answer.stderr


def test_no_session_comes_back(server: Server) -> None:
    answer = run("store_races", server.unix, "100000" if FULL else "6000")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    words = answer.stdout.split()
    # Each side was first now and then: else nothing was tried.
    assert int(words[0]) > 0 and int(words[3]) > 0, answer.stdout


def test_the_counter_and_the_races_catch_a_store_that_does_not_compare(server: Server) -> None:
    assert run("store_counter", server.unix, "4", "4", "50", "blind").returncode == 1
    assert run("store_races", server.unix, "1000", "blind").returncode == 1


# ---- the layout ----


@pytest.mark.parametrize(
    "options, key",
    [("", f"tuile:{KEY}"), ("prefix=", KEY), ("prefix=session", f"session:{KEY}"), ("prefix=a%3Ab%20c", f"a:b c:{KEY}")],
)
def test_a_session_is_one_key_with_the_servers_expiry(server: Server, options: str, key: str) -> None:
    with Store(f"{server.unix}?{options}") as store:
        assert store.create("data") and not store.create("other")
        assert server.client().keys() == [key]
        assert (server.client().get(key), server.client().pexpiretime(key)) == ("data", LATER // 1000)
        assert store.touch(LATER + 5000) and server.client().pexpiretime(key) == LATER // 1000 + 5
        assert store.replace("data", "next") == native.OK and server.client().pexpiretime(key) == LATER // 1000
        server.client().persist(key)
        found = store.load()
        assert found is not None and found[0] == b"next" and found[1] > LATER * 100
        server.client().set(key, "expires", px=50)
        time.sleep(0.1)
        assert store.load() is None


@pytest.mark.parametrize("prefix", ["", "a*?[b-c]\\d", "{tag}"])
def test_keys_are_ours_alone(server: Server, prefix: str) -> None:
    client, quoted = server.client(), urllib.parse.quote(prefix, safe="")
    with Store(f"{server.unix}?prefix={quoted}") as store:
        assert store.create("x") and store.keys() == [(KEY, LATER)] and store.keys(LATER) == []
        before = f"{prefix}:" if prefix else ""
        # What others have beside it: of another type, of another prefix, of names that no session has.
        client.hset(f"{before}ahashofsomebody", "a", "b")
        for other in ("Bxbcd:otherprefix", "axxb\\d:otherprefix", f"{before}short", f"{before}UPPERCASE", f"{before}abcdefgh:x"):
            client.set(other, "x")
        store.own("ada")
        store.own("tuile:owner:*", key="bcdefghi")
        client.set(f"{before}persistent", "x")
        keys = store.keys()
        assert [key for key, _ in keys] == [KEY, "persistent"] and keys[0][1] == LATER < keys[1][1]
        assert store.owners() == ["ada", "tuile:owner:*"]


def test_what_is_no_session_is_beside_what_an_id_can_spell(server: Server) -> None:
    """Django takes any text behind the prefix for an ID, and could be made to read, write or remove it."""
    record = "~0123456789abcdef0123456789abcdef0123456"
    for prefix in ("tuile", "web", ""):
        server.client().flushall()
        with Store(f"{server.unix}?prefix={prefix}") as store:
            assert store.create("x") and store.create("1", key=record) and store.load(key=record) == (b"1", LATER)
            store.own("ada")
            assert store.keys() == [(KEY, LATER)] and store.owners() == ["ada"]
        before = f"{prefix}:" if prefix else ""
        names = [f"{before}{KEY}", f"{prefix}.tuile:record:{record}", f"{prefix}.tuile:owner:ada"]
        assert sorted(server.client().keys()) == sorted(names)
        assert [name for name in names if prefix and name.startswith(before)] == names[: len(prefix) > 0]


def test_another_programs_key_is_no_session_by_default(server: Server) -> None:
    server.client().set("maintenance", "on")
    with Store(server.unix) as store:
        assert store.load(key="maintenance") is None and store.create("x", key="maintenance")
        assert store.touch(LATER, key="maintenance")
        store.remove("maintenance")
    assert server.client().get("maintenance") == "on" and server.client().ttl("maintenance") == -1


def test_databases_are_apart(server: Server) -> None:
    with Store(f"redis://{server.host}/1") as one, Store(f"{server.unix}?db=1") as same, Store(server.unix) as other:
        assert one.create("x") and same.load() == (b"x", LATER) and other.load() is None


def test_an_older_server_counts_what_is_left(tmp_path: Path) -> None:
    # As before Redis 7: it knows PTTL alone.
    with running(tmp_path / "old", 'rename-command PEXPIRETIME ""') as server, Store(server.unix) as store:
        assert store.create("x") and store.replace("x", "y") == native.OK
        ((key, expires),) = store.keys()
        assert key == KEY and abs(expires - LATER) < 1_000_000
        found = store.load()
        assert found is not None and found[0] == b"y" and abs(found[1] - LATER) < 60_000_000
        assert store.touch(1) and store.load() is None and store.create("z", 1)
        time.sleep(0.1)
        assert store.load() is None


def test_the_script_is_sent_again_to_a_server_that_forgot_it(server: Server) -> None:
    with Store(server.unix) as store:
        store.create("x")
        assert store.replace("x", "y") == native.OK
        server.client().script_flush()
        assert store.replace("x", "z") == native.CONFLICT and store.replace("y", "z") == native.OK


# ---- URLs ----


@pytest.mark.parametrize(
    "url, offset",
    [("redis://host:0/0", 8), ("redis://host:65536", 8), ("redis://a,b:x", 10), ("redis://[::1", 8),
     ("redis://host/x", 12), ("redis://host?prefix=a&color=blue", 22), ("redis://host?timeout=0", 13),
     ("redis://host?verify=maybe", 13), ("unix://", 7), ("unix://host/path", 7)],
)  # fmt: skip
def test_a_url_that_cannot_be_says_where(url: str, offset: int) -> None:
    with pytest.raises(Refused) as caught:
        Store(url)
    assert (caught.value.status, caught.value.args[2]) == (native.E_SYNTAX, offset)


@pytest.mark.parametrize("url", ["redis://ada@host", "redis://host?ca=/x", "redis://h%00st"])
def test_options_that_make_no_sense_together_are_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        Store(url)
    assert caught.value.status == native.E_SYNTAX


def test_a_password_comes_from_a_file_of_its_owner(locked: Server, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    with Store(f"redis://{locked.host}?password_file={file}") as store:
        assert store.load("filefile") is None
    file.chmod(0o644)
    assert refused(f"redis://{locked.host}?password_file={file}").status == native.E_STORE
    for options in (f"password_file={file}&shared_files=1", f"shared_files=1&password_file={file}"):
        with Store(f"redis://{locked.host}?{options}") as store:
            assert store.load("filefile") is None
    file.chmod(0o666)
    assert refused(f"redis://{locked.host}?password_file={file}&shared_files=1").status == native.E_STORE
    assert refused(f"redis://{locked.host}?password_file=/none").status == native.E_STORE


# ---- errors ----


@pytest.mark.parametrize("user, word", [("", "NOAUTH"), (":wrong@", "WRONGPASS"), ("ada:wrong@", "WRONGPASS")])
def test_a_wrong_password_is_a_status(locked: Server, user: str, word: str) -> None:
    problem = refused(f"redis://{user}{locked.host}")
    assert problem.status == native.E_STORE and problem.message.endswith(word)


def test_what_the_user_may_not_do_is_a_status(server: Server) -> None:
    problem = refused(f"redis://ada:ada@{server.host}?prefix=elsewhere")
    assert problem.status == native.E_STORE and problem.message.endswith("NOPERM") and KEY not in problem.message


def test_a_key_of_another_type_is_corrupt(server: Server) -> None:
    server.client().lpush(f"tuile:{KEY}", "x")
    with Store(server.unix) as store:
        for call in (store.load, lambda: store.replace("x", "y")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_CORRUPT


def test_a_replica_is_not_written_to(server: Server, tmp_path: Path) -> None:
    options = [f"replicaof 127.0.0.1 {server.port}", "repl-diskless-sync-delay 0"]
    with running(tmp_path / "replica", *options) as replica, Store(f"{replica.unix}?retries=0") as store:
        with pytest.raises(Refused) as caught:
            store.create("x")
        assert caught.value.status == native.E_STORE and "replica" in caught.value.message


def test_full_memory_is_a_status_and_the_old_data_stays(tmp_path: Path) -> None:
    with running(tmp_path / "full", "maxmemory-policy noeviction") as server, Store(server.unix) as store:
        store.create("old")
        server.client().config_set("maxmemory", "1")
        for call in (lambda: store.create("x", key="otherkey"), lambda: store.replace("old", "new")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_STORE and caught.value.message.endswith("OOM")
        assert store.load() == (b"old", LATER)
        server.client().config_set("maxmemory", "0")
        assert store.replace("old", "new") == native.OK


def test_no_server_is_a_status(server: Server, tmp_path: Path) -> None:
    assert "No such file" in refused(f"unix://{tmp_path}/none").message
    assert "refused" in refused("redis://127.0.0.1:1").message
    assert refused("redis://no-such-host.invalid").status == native.E_STORE
    # A child of fork() that closes the store leaves its parent's connections alone: see the contract.
    with Store(server.unix) as store:
        assert store.create("x")


def test_too_much_data_is_refused(server: Server) -> None:
    with Store(f"{server.unix}?timeout=30000") as store:
        with pytest.raises(Refused) as caught:
            store.create(bytes(64 << 20))
        assert caught.value.status == native.E_LIMIT
        server.client().execute_command("SETRANGE", f"tuile:{KEY}", 65 << 20, "x")
        with pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_LIMIT


# ---- TLS ----


@pytest.mark.parametrize("host, ca, reason", [("localhost", "other.pem", "TLS: "), ("localhost", None, "TLS: "),
                                              ("127.0.0.2", "ca.pem", "IP address mismatch")])  # fmt: skip
def test_a_certificate_is_checked(tls: tuple[Server, dict[str, Path]], host: str, ca: str | None, reason: str) -> None:
    server, files = tls
    server.client().config_set("bind", "127.0.0.1 127.0.0.2")
    options = f"ca={files[ca]}" if ca else ""
    assert reason in refused(f"rediss://{host}:{server.port}?{options}").message
    # The control: the same without the check.
    with Store(f"rediss://{host}:{server.port}?verify=none") as store:
        assert store.load() is None


def test_a_certificate_may_be_for_a_name_that_the_url_gives(tls: tuple[Server, dict[str, Path]]) -> None:
    server, files = tls
    url = f"rediss://127.0.0.1:{server.port}?ca={files['ca.pem']}"
    with Store(url) as store, Store(f"{url}&server_name=localhost") as other:
        assert store.load() is None and other.load() is None
    assert "ostname mismatch" in refused(f"{url}&server_name=example.com").message


def test_tls_to_a_server_without_it_fails_and_the_other_way_round(server: Server, tls: tuple[Server, dict[str, Path]]) -> None:
    assert refused(f"rediss://{server.host}?verify=none&connect=2000").status == native.E_STORE
    assert refused(f"redis://{tls[0].host}").status == native.E_STORE
