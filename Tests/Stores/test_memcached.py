"""The module libtuile-memcached.so on real servers: the contract, the counter and the races, what an item looks like,
what a URL may say, logins, TLS, and which of several servers has a key."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pymemcache")
if shutil.which("memcached") is None:
    pytest.skip("there is no memcached", allow_module_level=True)
from memcached_server import PASSWORD, Server, running  # noqa: E402
from redis_server import certificates  # noqa: E402
from store import BUILD, FULL, KEY, LATER, Refused, Store, native, run  # noqa: E402
from tuile.sessions import Manager  # noqa: E402

pytestmark = pytest.mark.skipif(
    not (BUILD / "libtuile-memcached.so").exists(), reason="the module is not built: no libmemcached"
)

CONTRACT = ("binary", "shared", "own-clock", "no-keys")
# Data of a mebibyte is in the contract.
LARGE = ("-I", "4m")
QUOTED = "pa%3Ass%2Fwo%40rd%25"
SECRET = "a secret of more than thirty-two bytes"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("memcached")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running(*LARGE, where=folder / "socket") as server:
        yield server


@pytest.fixture(autouse=True)
def empty(server: Server) -> None:
    # flush_all leaves what came within its second.
    for prefix in ("tuile:", "web:", "session:", ""):
        server.client().delete(prefix + KEY)


@pytest.fixture(scope="module")
def several() -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running(*LARGE)) for _ in range(4)]


def hosts(servers: list[Server]) -> str:
    return ",".join(server.host for server in servers)


@pytest.fixture(scope="module")
def locked(folder: Path) -> Iterator[Server]:
    """One with SASL: ada, whose password it is."""
    if shutil.which("saslpasswd2") is None:
        pytest.skip("there is no saslpasswd2 (Debian's sasl2-bin)")
    place = folder / "sasl"
    place.mkdir()
    database = place / "users"
    (place / "memcached.conf").write_text(f"mech_list: plain\nsasldb_path: {database}\npwcheck_method: auxprop\n")
    words = ["saslpasswd2", "-p", "-c", "-a", "memcached", "-u", socket.gethostname(), "-f", str(database), "ada"]
    subprocess.run(words, input=PASSWORD.encode(), check=True, capture_output=True)
    with running("-S", *LARGE, environment={"SASL_CONF_PATH": str(place)}) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Server]:
    """One with an auth file, which is of the text protocol."""
    users = folder / "users"
    users.write_text("ada:" + PASSWORD.replace(":", "") + "\n")
    with running("-Y", str(users), *LARGE) as server:
        yield server


@pytest.fixture(scope="module")
def tls(folder: Path) -> Iterator[tuple[Server, dict[str, Path]]]:
    files = certificates(folder / "certificates")
    if "--enable-ssl" not in subprocess.run(["memcached", "-h"], capture_output=True, text=True).stdout:
        pytest.skip("this memcached has no TLS")
    options = ["-Z", "-o", f"ssl_chain_cert={files['server.pem']},ssl_key={files['server.key']}", *LARGE]
    with running(*options) as server:
        yield server, files


def keeps_the_contract(url: str) -> None:
    answer = run("store_driver", url, *CONTRACT)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the store keeps the contract\n", "")


def refused(url: str) -> Refused:
    with pytest.raises(Refused) as caught, Store(url) as store:
        store.load()
    assert PASSWORD not in caught.value.message and "wrong" not in caught.value.message
    return caught.value


# ---- the contract ----


@pytest.mark.parametrize("options", ["", "?prefix=session", "?prefix=&pool=2&wait=60000"])
def test_keeps_the_contract(server: Server, options: str) -> None:
    keeps_the_contract(server.url + options)


@pytest.mark.parametrize("options", ["", "?distribution=ketama_weighted", "?distribution=dalli"])
def test_keeps_the_contract_on_several_servers(several: list[Server], options: str) -> None:
    keeps_the_contract(f"memcached://{hosts(several)}/{options}")


def test_keeps_the_contract_with_sasl(locked: Server) -> None:
    keeps_the_contract(f"memcached://ada:{QUOTED}@{locked.host}")


def test_keeps_the_contract_with_an_auth_file(guarded: Server) -> None:
    keeps_the_contract(f"memcached://ada:{QUOTED.replace('%3A', '')}@{guarded.host}?auth=text")


def test_keeps_the_contract_over_tls(tls: tuple[Server, dict[str, Path]]) -> None:
    server, files = tls
    keeps_the_contract(f"memcacheds://localhost:{server.port}?ca={files['ca.pem']}")


def test_counts_exactly(server: Server) -> None:
    times = "1000" if FULL else "25"
    answer = run("store_counter", f"{server.url}?wait=60000&timeout=30000", "8", "8", times)
    assert (answer.returncode, answer.stdout) == (0, f"counted {64 * int(times)} of {64 * int(times)}\n"), answer.stderr


def test_no_session_comes_back(server: Server) -> None:
    answer = run("store_races", server.url, "100000" if FULL else "6000")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    words = answer.stdout.split()
    # Each side was first now and then: else nothing was tried.
    assert int(words[0]) > 0 and int(words[3]) > 0, answer.stdout


def test_the_counter_and_the_races_catch_a_store_that_does_not_compare(server: Server) -> None:
    assert run("store_counter", server.url, "4", "4", "50", "blind").returncode == 1
    assert run("store_races", server.url, "1000", "blind").returncode == 1


def test_no_descriptor_left(several: list[Server]) -> None:
    answer = run("store_descriptors", f"memcached://localhost:{several[0].port}?prefix=few&retries=0", "plain")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_it_keeps_no_lists_and_says_so(server: Server) -> None:
    with Store(server.url) as store:
        assert store.create("x")
        for call in (store.keys, store.owners, lambda: store.own("ada")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_ARGUMENT and "this store" in caught.value.message


# ---- items ----


@pytest.mark.parametrize("options, key", [("", f"tuile:{KEY}"), ("?prefix=", KEY), ("?prefix=web", f"web:{KEY}")])
def test_a_session_is_one_item_that_begins_with_its_expiry(server: Server, options: str, key: str) -> None:
    soon = (int(time.time()) + 1000) * 1_000_000 + 123_456
    with Store(server.url + options) as store:
        assert store.create("data", soon) and not store.create("other")
        assert server.client().get(key) == soon.to_bytes(8, "big") + b"data"
        assert 999 <= server.left(key) <= 1002 and store.load() == (b"data", soon)
        assert store.touch(soon + 1_000_000_000) and 1999 <= server.left(key) <= 2002
        assert store.load() == (b"data", soon + 1_000_000_000)
        assert store.replace("data", "next", soon) == native.OK and 999 <= server.left(key) <= 1002
        assert store.replace("data", "other", soon) == native.CONFLICT


@pytest.mark.parametrize("days", [29, 30, 31, 400])
def test_an_expiry_over_30_days_is_a_time(server: Server, days: int) -> None:
    expires = (int(time.time()) + days * 86400) * 1_000_000
    with Store(server.url) as store:
        assert store.create("x", expires)
        assert abs(server.left(f"tuile:{KEY}") - days * 86400) <= 2


def test_a_record_is_where_no_id_leads(server: Server) -> None:
    record = "~0123456789abcdef0123456789abcdef0123456"
    with Store(f"{server.url}?prefix=web") as store:
        assert store.create("1", key=record) and store.load(key=record) == (b"1", LATER)
    assert server.client().get(f"web.tuile:record:{record}") is not None


def test_another_programs_item_is_no_session(server: Server) -> None:
    server.client().set(f"tuile:{KEY}", b"something of somebody's")
    with Store(server.url) as store:
        for call in (store.load, lambda: store.replace("x", "y"), lambda: store.touch(LATER)):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_CORRUPT
        assert not store.create("x")
    assert server.client().get(f"tuile:{KEY}") == b"something of somebody's"


def test_too_much_data_is_refused_and_the_old_stays() -> None:
    """The server itself would drop what it has under the key."""
    with running("-I", "512k") as server, Store(server.url) as store:
        assert store.create("old")
        for call in (lambda: store.replace("old", bytes(524288)), lambda: store.create(bytes(524288), key="otherkey")):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_LIMIT
        assert store.load() == (b"old", LATER) and store.replace("old", bytes(500000)) == native.OK


def test_a_session_that_memcached_dropped_is_absent(server: Server) -> None:
    with Store(server.url) as store:
        assert store.create("x")
        server.client().delete(f"tuile:{KEY}")
        assert store.load() is None and store.replace("x", "y") == native.ABSENT and not store.touch(LATER)


def test_a_manager_keeps_sessions_there(several: list[Server]) -> None:
    with Manager(store=f"memcached://{hosts(several)}/?distribution=ketama", secret=SECRET) as manager:
        with manager.begin("") as session:
            session["hits"] = 1
            cookie = dict(session.commit(200))["Set-Cookie"].split(";")[0]
        with manager.begin(cookie) as session:
            assert session["hits"] == 1
            session.flush()
            session.commit(200)
        with manager.begin(cookie) as session:
            assert "hits" not in session


# ---- URLs ----


@pytest.mark.parametrize(
    "url, offset",
    [("memcached://host:0", 12), ("memcached://host:65536", 12), ("memcached://a,b:x", 14), ("memcached://[::1", 12),
     ("memcached://host/x", 16), ("memcached://host?color=blue", 17), ("memcached://host?timeout=0", 17),
     ("memcached://host?distribution=x", 17), ("memcached://host?prefix=a%20b", 17), ("memcached://host:1:0", 12)],
)  # fmt: skip
def test_a_url_that_cannot_be_says_where(url: str, offset: int) -> None:
    with pytest.raises(Refused) as caught:
        Store(url)
    assert (caught.value.status, caught.value.args[2]) == (native.E_SYNTAX, offset)


@pytest.mark.parametrize(
    "url",
    ["memcached://ada@host", "memcached://host?ca=/x", "memcached://host?verify=none", "memcached://h%00st",
     "memcached://host?auth=text", "memcached://host?busy=5", "memcached://a,b?hash=rot13",
     "memcached://a,b?distribution=dalli&hash=md5", "memcached://host?password=x"],
)  # fmt: skip
def test_options_that_make_no_sense_together_are_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        Store(url)
    assert caught.value.status == native.E_SYNTAX


def test_nothing_is_written_with_mode_ro(server: Server) -> None:
    with Store(server.url) as store:
        assert store.create("x")
    with Store(f"{server.url}?mode=ro") as store:
        assert store.load() == (b"x", LATER)
        for call in (lambda: store.create("y"), lambda: store.replace("x", "y"), lambda: store.touch(LATER), store.remove):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.status == native.E_STORE
    assert server.client().get(f"tuile:{KEY}") is not None


# ---- opening ----


def test_no_server_is_a_status_at_once_or_later(server: Server, folder: Path) -> None:
    assert "No such file" in refused(f"memcached://{folder}/none").message
    assert "refused" in refused("memcached://127.0.0.1:1").message
    assert refused("memcached://no-such-host.invalid").status == native.E_STORE
    with Store("memcached://127.0.0.1:1?open=lazy&retries=0") as store:
        with pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_STORE and "127.0.0.1:1" in caught.value.message


def test_one_of_several_is_enough_to_open(several: list[Server]) -> None:
    with Store(f"memcached://127.0.0.1:1,{several[0].host}?retries=0") as store:
        answers = []
        for i in range(20):
            try:
                answers.append(store.create("x", key=f"somekey{i:03}"))
            except Refused as problem:
                assert problem.status == native.E_STORE
                answers.append(False)
        assert True in answers and False in answers


def test_a_wrong_password_is_a_status(locked: Server, guarded: Server) -> None:
    assert "knows no such user" in refused(f"memcached://ada:wrong@{locked.host}").message
    assert "knows no such user" in refused(f"memcached://ada:wrong@{guarded.host}?auth=text").message
    assert "wants a password" in refused(f"memcached://{guarded.host}").message
    assert refused(f"memcached://{locked.host}").status == native.E_STORE
    # A user for a server without users: not dropped in silence.
    with running() as plain:
        assert refused(f"memcached://ada:x@{plain.host}").status == native.E_STORE


def test_a_layout_needs_to_know_what_is_left(locked: Server) -> None:
    with pytest.raises(Refused) as caught:
        Store(f"memcached://ada:{QUOTED}@{locked.host}?key_prefix=x")
    assert caught.value.status == native.E_SYNTAX and "SASL" in caught.value.message


@pytest.mark.parametrize("host, ca, reason", [("localhost", "other.pem", "TLS: "), ("localhost", None, "TLS: "),
                                              ("127.0.0.1", "ca.pem", None)])  # fmt: skip
def test_a_certificate_is_checked(
    tls: tuple[Server, dict[str, Path]], host: str, ca: str | None, reason: str | None
) -> None:
    server, files = tls
    url = f"memcacheds://{host}:{server.port}?" + (f"ca={files[ca]}" if ca else "")
    if reason:
        assert reason in refused(url).message
    with Store(f"memcacheds://{host}:{server.port}?verify=none" if reason else url) as store:
        assert store.load() is None


# ---- what answers badly ----


@contextmanager
def answering(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """Something that answers each line as told; None: never."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            while part := connection.recv(1 << 16):
                reply = answer(part)
                if reply is None:
                    ended.wait(60)
                    return
                connection.sendall(reply)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield "127.0.0.1:%d" % listener.getsockname()[1]
    ended.set()
    listener.close()


def settings(part: bytes) -> bytes | None:
    if part == b"mn\r\n":
        return b"MN\r\n"
    return b"STAT item_size_max 1048576\r\nEND\r\n" if part.startswith(b"stats") else None


@pytest.mark.parametrize(
    "reply",
    [b"VA 99999999999 f0 c1 t1 O1\r\n", b"VA 5 f0 c1 t1 O77\r\nhello\r\n", b"VA 5 f0 c1 t1 O1\r\nhello--", b"HD O1\r\n",
     b"VA -1 f0 c1 t1 O1\r\n\r\n", b"VA 5 f99999999999 c1 t1 O1\r\nhello\r\n", b"EN", b"\r\n", b"\n", b"x" * 5000, b"EN O2\r\n",
     b"VALUE k 0 5\r\nhello\r\nEND\r\n", b"VA 1 O1 q5\r\n1\r\n", b"SERVER_ERROR out of order\r\n"],
)  # fmt: skip
def test_hostile_answers_are_a_status(reply: bytes) -> None:
    with answering(lambda part: settings(part) or reply) as host:
        with Store(f"memcached://{host}?retries=0&timeout=300") as store:
            with pytest.raises(Refused) as caught:
                store.load()
            assert caught.value.status in (native.E_STORE, native.E_LIMIT)


def test_an_older_server_is_named(server: Server) -> None:
    with answering(lambda part: settings(part) if part.startswith(b"stats") else b"ERROR\r\n") as host:
        assert "1.6" in refused(f"memcached://{host}?retries=0").message


def test_a_write_without_an_answer_is_unknown_and_not_sent_again() -> None:
    seen: list[bytes] = []

    def answer(part: bytes) -> bytes | None:
        seen.append(part)
        return settings(part)

    with answering(answer) as host, Store(f"memcached://{host}?timeout=200") as store:
        with pytest.raises(Refused) as caught:
            store.create("x")
        assert caught.value.status == native.E_UNKNOWN
        assert sum(part.startswith(b"ms ") for part in seen) == 1


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with answering(settings) as host, Store(f"memcached://{host}?timeout=200&retries=0") as store:
        began = time.monotonic()
        with pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_STORE and "in time" in caught.value.message
        assert time.monotonic() - began < 10


def test_connections_that_the_server_closed_are_noticed() -> None:
    with running() as server, Store(server.url) as store:
        assert store.create("x")
        server.stop()
        again = Server(where=None)
        again.port = server.port
        again.start()
        try:
            assert store.load() is None and store.create("y")
        finally:
            again.stop()


# ---- which server has a key ----


def where(several: list[Server], key: str) -> list[int]:
    return [i for i, server in enumerate(several) if server.client().get(key) is not None]


def agrees(several: list[Server], options: str, store: Callable[[list[str]], None], prefix: str = "") -> None:
    """Keys that the other client stores are on the servers where this one has its own."""
    keys = [f"{prefix}somekey{i:03}x" for i in range(60)]

    def forget() -> None:
        for server in several:
            server.client().delete_many(keys)

    forget()
    with Store(f"memcached://{options}") as ours:
        assert all([ours.create("x", key=key.removeprefix(prefix)) for key in keys])
    mine = [where(several, key) for key in keys]
    forget()
    assert all(len(found) == 1 for found in mine) and len({found[0] for found in mine}) > 1
    store(keys)
    assert [where(several, key) for key in keys] == mine


def each(store: Callable[[str], Any]) -> Callable[[list[str]], None]:
    return lambda keys: [store(key) for key in keys].clear()


PYLIBMC = [
    ("", {}),
    ("distribution=modula&hash=md5", {"hash": "md5"}),
    ("hash=fnv1a_32", {"hash": "fnv1a_32"}),
    ("hash=crc", {"hash": "crc"}),
    ("hash=murmur", {"hash": "murmur"}),
    ("distribution=consistent", {"distribution": "consistent"}),
    ("distribution=ketama", {"ketama": True}),
    ("distribution=ketama&hash=md5", {"ketama": True, "hash": "md5"}),
    ("distribution=ketama_weighted", {"ketama_weighted": True}),
    # It sets the hash first, which the distribution then overwrites.
    ("distribution=ketama_weighted", {"ketama_weighted": True, "hash": "fnv1_32"}),
]


@pytest.mark.parametrize("options, behaviors", PYLIBMC)
def test_keys_are_where_pylibmc_has_them(several: list[Server], options: str, behaviors: dict[str, Any]) -> None:
    pylibmc = pytest.importorskip("pylibmc")
    client = pylibmc.Client([server.host for server in several], behaviors=behaviors)
    agrees(several, f"{hosts(several)}/?prefix=&{options}", each(lambda key: client.set(key, "y")))


def test_weights_are_pylibmcs(several: list[Server]) -> None:
    pylibmc = pytest.importorskip("pylibmc")
    weighted = [f"{server.host}:{weight}" for server, weight in zip(several, (1, 5, 1, 3), strict=True)]
    client = pylibmc.Client(weighted, behaviors={"ketama_weighted": True})
    agrees(several, f"{','.join(weighted)}/?prefix=&distribution=ketama_weighted", each(lambda key: client.set(key, "y")))


def test_keys_are_where_pymemcache_has_them(several: list[Server]) -> None:
    from pymemcache.client.hash import HashClient

    client = HashClient([("127.0.0.1", server.port) for server in several])
    options = "distribution=rendezvous&prefix=a%3Ab"
    agrees(several, f"{hosts(several)}/?{options}", each(lambda key: client.set(key, b"y")), prefix="a:b:")


def outside(program: list[str], lines: list[str]) -> None:
    answer = subprocess.run(program, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stdout + answer.stderr


PHP = """<?php
$setting = json_decode($argv[2], true);
$client = new Memcached();
foreach ($setting["options"] as $name => $value) $client->setOption(constant("Memcached::$name"), $value);
$client->addServers(json_decode($argv[1]));
while (($key = fgets(STDIN)) !== false) if (!$client->set(trim($key), "y")) { echo $client->getResultMessage(); exit(1); }
"""


@pytest.mark.parametrize(
    "options, theirs",
    [("", {}), ("distribution=ketama_weighted", {"OPT_LIBKETAMA_COMPATIBLE": True}),
     ("distribution=ketama_weighted&hash=fnv1_32", {"OPT_LIBKETAMA_COMPATIBLE": True, "OPT_HASH": 5}),
     ("distribution=consistent", {"OPT_DISTRIBUTION": 1}), ("hash_prefix=0", {"OPT_PREFIX_KEY": "p:"})],
)  # fmt: skip
def test_keys_are_where_php_has_them(several: list[Server], folder: Path, options: str, theirs: dict[str, Any]) -> None:
    if shutil.which("php") is None or "memcached" not in subprocess.run(["php", "-m"], capture_output=True, text=True).stdout:
        pytest.skip("there is no PHP with memcached")
    script = folder / "keys.php"
    script.write_text(PHP)
    servers = json.dumps([["127.0.0.1", server.port, 1] for server in several])
    prefix = "p:" if "OPT_PREFIX_KEY" in theirs else ""
    theirs = {"OPT_SERIALIZER": 1, **theirs}

    def store(keys: list[str]) -> None:
        outside(["php", str(script), servers, json.dumps({"options": theirs})], [key.removeprefix(prefix) for key in keys])

    agrees(several, f"{hosts(several)}/?prefix={prefix.rstrip(':')}&{options}", store, prefix=prefix)


RUBY = """require "dalli"
client = Dalli::Client.new(ARGV)
STDIN.each_line { |key| client.set(key.strip, "y", 100, raw: true) or exit(1) }
"""


def test_keys_are_where_dalli_has_them(several: list[Server], folder: Path) -> None:
    if shutil.which("ruby") is None or subprocess.run(["ruby", "-rdalli", "-e", ""], capture_output=True).returncode:
        pytest.skip("there is no Ruby with dalli (Debian's ruby-dalli)")
    script = folder / "keys.rb"
    script.write_text(RUBY)
    servers = [f"{server.host}:{weight}" for server, weight in zip(several, (1, 2, 1, 1), strict=True)]
    agrees(
        several, f"{','.join(servers)}/?prefix=&distribution=dalli", lambda keys: outside(["ruby", str(script), *servers], keys)
    )
