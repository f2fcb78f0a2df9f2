"""Opening a Redis store or a manager asks the server at once, and says which server and what is wrong; `open=lazy`
leaves it to the first call."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("redis")
from redis_server import PASSWORD, Server, certificates, cluster, eventually, free_port, pair, running  # noqa: E402
from store import BUILD, KEY, LATER, Refused, Store, native  # noqa: E402
from tuile.errors import StoreError  # noqa: E402
from tuile.sessions import Manager  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")

SECRET = "a secret of more than thirty-two bytes"
WRONG = "thewrongpassword"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that wants a password."""
    users = ("user web on >web +get +set +pexpiretime ~web:* ~web.tuile:*", "user other on >web +@all ~other:*")
    server = Server(tmp_path_factory.mktemp("redis") / "opening", f'requirepass "{PASSWORD}"', *users)
    server.password = PASSWORD
    server.start()
    yield server
    server.stop()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server of another kind; b"" never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                if answer:
                    connection.sendall(answer)
                else:
                    ended.wait(60)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield "127.0.0.1:%d" % listener.getsockname()[1]
    ended.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(60)


def refusal(url: str) -> str:
    """What opening says, as a store and as a manager's; with `open=lazy` both open."""
    with pytest.raises(Refused) as caught:
        Store(url)
    assert caught.value.status == native.E_STORE, caught.value.message
    with pytest.raises(StoreError) as said:
        Manager(store=url, secret=SECRET)
    assert str(said.value) == caught.value.message
    lazy = f"{url}{'&' if '?' in url else '?'}open=lazy"
    Store(lazy).close()
    Manager(store=lazy, secret=SECRET).close()
    for secret in (PASSWORD, "pa%3Ass", WRONG):
        assert secret not in caught.value.message
    return caught.value.message


QUOTED = "pa%3Ass%2Fwo%40rd%25"


def test_what_is_there_opens(server: Server) -> None:
    for url in (f"redis://:{QUOTED}@{server.host}/3?open=now", f"redis://web:web@{server.host}?prefix=web"):
        Store(url).close()
        Manager(store=url, secret=SECRET).close()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    port = free_port()
    said = refusal(f"redis://:{WRONG}@127.0.0.1:{port}/0")
    assert f"127.0.0.1:{port}: the Redis server can't be reached: " in said and said.endswith("refused")
    assert f"localhost:{port}: " in refusal(f"redis://localhost:{port}")
    assert f"[::1]:{port}: " in refusal(f"redis://[::1]:{port}")
    assert "no.such.host.invalid:6379: " in refusal("redis://no.such.host.invalid")
    assert f"{tmp_path}/none: " in refusal(f"unix://{tmp_path}/none?password={WRONG}")
    # The control: lazily, it is the first call that says it, with the same words.
    with Store(f"redis://127.0.0.1:{port}?open=lazy") as store, pytest.raises(Refused) as caught:
        store.load()
    assert f"127.0.0.1:{port}: the Redis server can't be reached: " in caught.value.message


@pytest.mark.parametrize(
    "url, reason",
    [
        ("redis://{host}", "wants a password: NOAUTH"), ("{unix}", "wants a password: NOAUTH"),
        (f"redis://:{WRONG}@{{host}}", "knows no such user and password: WRONGPASS"),
        (f"redis://ada:{WRONG}@{{host}}", "knows no such user and password: WRONGPASS"),
        (f"redis://:{QUOTED}@{{host}}/99", "has no database of that number: ERR"),
        (f"{{unix}}?db=99&password={QUOTED}", "has no database of that number: ERR"),
        ("redis://other:web@{host}", "lets this user not do that: NOPERM"),
    ],
)  # fmt: skip
def test_a_server_that_refuses(server: Server, url: str, reason: str) -> None:
    where = str(server.socket) if url.startswith("{unix}") else server.host
    said = refusal(url.format(host=server.host, unix=server.unix))
    assert f"{where}: the Redis server {reason}" in said


def test_what_is_no_redis(tmp_path: Path) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as host:
        assert f"{host}: what answered is no Redis server" in refusal(f"redis://:{WRONG}@{host}?timeout=500")
    with answering(b"-LOADING Redis is loading the dataset in memory\r\n" * 9) as host:
        assert f"{host}: the Redis server is loading its data: LOADING" in refusal(f"redis://{host}?timeout=500")


def test_what_gives_no_answer_is_an_error_in_time() -> None:
    with answering(b"") as host:
        began = time.monotonic()
        with pytest.raises(Refused) as caught:
            Store(f"redis://{host}?connect=300&timeout=300&wait=300&retries=1")
        assert time.monotonic() - began < 60 and f"{host}: " in caught.value.message and "in time" in caught.value.message


def test_tls_is_part_of_it(tmp_path: Path, server: Server) -> None:
    files = certificates(tmp_path / "certificates")
    options = [f"tls-cert-file {files['server.pem']}", f"tls-key-file {files['server.key']}", f"tls-ca-cert-file {files['ca.pem']}"]
    with running(tmp_path / "tls", *options, tls=True) as secured:
        Store(f"rediss://localhost:{secured.port}?ca={files['ca.pem']}").close()
        assert f"localhost:{secured.port}: " in refusal(f"rediss://localhost:{secured.port}?ca={files['other.pem']}")
        assert f"{secured.host}: " in refusal(f"redis://{secured.host}")
    assert f"{server.host}: " in refusal(f"rediss://:{QUOTED}@{server.host}?verify=none")


def test_a_cluster(tmp_path: Path) -> None:
    with cluster(tmp_path / "cluster") as nodes:
        hosts = ",".join(node.host for node in nodes)
        for node in nodes:
            node.client().config_set("cluster-require-full-coverage", "no")
        for url in (f"redis://{hosts}", f"redis://{nodes[0].host}", f"redis://127.0.0.1:{free_port()},{hosts}"):
            Store(url).close()
        assert "no database of that number" in refusal(f"redis://{hosts}/1")
        assert f"{nodes[0].socket}: " in refusal(nodes[0].unix)
        # It serves the rest of its slots without one of its nodes, whichever that is.
        for i in range(3):
            nodes[i].kill()
            Store(f"redis://{hosts}").close()
            Store(f"redis://{nodes[i - 1].host}").close()
            nodes[i].start()
            for node in nodes:
                eventually(lambda: "cluster_state:ok" in str(node.client().execute_command("CLUSTER", "INFO")))
    said = refusal(f"redis://{hosts}?retries=0")
    assert any(f"{node.host}: the Redis server can't be reached: " in said for node in nodes)


def test_a_master_and_its_sentinels(tmp_path: Path) -> None:
    with pair(tmp_path / "pair") as watched:
        Store(watched.url).close()
        assert f"{watched.master().host}: the Redis server has no database" in refusal(watched.url.replace("/0?", "/99?"))
        assert "the Sentinel knows no master of that name" in refusal(watched.url.replace("mymaster", "yours"))
    said = refusal(f"{watched.url}&retries=0")
    assert any(f"{sentinel.host}: the Redis server can't be reached: " in said for sentinel in watched.sentinels)


def test_each_store_of_a_configuration_is_asked(server: Server, tmp_path: Path) -> None:
    port, sqlite = free_port(), f"sqlite://{tmp_path}/db?mode=rwc"
    away, redis = f"redis://127.0.0.1:{port}", f"redis://:{QUOTED}@{server.host}"
    tries: list[Callable[[str], Manager]] = [
        lambda url: Manager(store=redis, previous_store=url, secret=SECRET),
        lambda url: Manager(store="cookie:", revocations=url, secret=SECRET),
        lambda url: Manager(store=f"cached+{sqlite}#{url}", secret=SECRET),
        lambda url: Manager(store=f"cached+{url}", secret=SECRET),
        lambda url: Manager(store=f"cached+{url}#{redis}", secret=SECRET),
    ]
    for opened in tries:
        with pytest.raises(StoreError) as caught:
            opened(away)
        assert f"127.0.0.1:{port}: the Redis server can't be reached: " in str(caught.value)
        opened(f"{away}?open=lazy").close()
        opened(redis).close()


@pytest.mark.parametrize(
    "options, said",
    [("open=", "a wrong value; it may have: open (now, lazy)"), ("open=later", "a wrong value; it may have: open (now, lazy)"),
     ("open", "a wrong value; it may have: open (now, lazy)"), ("Open=lazy", "an unknown option: Open; there are: db, user, ")],
)  # fmt: skip
def test_another_word_is_refused(options: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        Store(f"redis://127.0.0.1:1?{options}")
    assert caught.value.status == native.E_SYNTAX and said in caught.value.message
    assert caught.value.args[2] == len("redis://127.0.0.1:1?")


@pytest.mark.parametrize("url", ["memory:?open=lazy", "sqlite://{}/db?open=lazy", "file://{}/sessions?open=lazy", "postgresql://127.0.0.1:1/db?open=lazy"])
def test_no_other_store_opens_lazily(tmp_path: Path, url: str) -> None:
    if url.startswith("postgresql") and not (BUILD / "libtuile-postgresql.so").exists():
        pytest.skip("the module is not built")
    with pytest.raises(Refused) as caught:
        Store(url.format(tmp_path))
    assert caught.value.status == native.E_SYNTAX


def test_the_connection_that_opening_made_is_no_childs(server: Server) -> None:
    def received() -> int:
        return int(watching.info("stats")["total_connections_received"])

    watching = server.client()
    with Store(f"redis://:{QUOTED}@{server.host}?pool=1") as store:
        before = received()
        child = os.fork()
        if child == 0:
            fine = store.create("x") and store.load() == (b"x", LATER)
            store.close()
            os._exit(0 if fine else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert received() == before + 1, "the child made one of its own"
        assert store.load() == (b"x", LATER)
        assert received() == before + 1, "the parent used the one of its opening"
        store.remove(KEY)
