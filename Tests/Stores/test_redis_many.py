"""The Redis store on a cluster of three and on a pair watched by Sentinels: redirections, slots that move,
nodes that go away, a failover."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redis")
from redis_server import Pair, Server, cluster, eventually, free_port, pair, running  # noqa: E402
from store import BUILD, FULL, LATER, Refused, Store, native, run, works_in_queues  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="the module is not built: no hiredis")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def url(nodes: list[Server]) -> str:
    for node in nodes:
        node.client().flushall()
    return f"redis://{','.join(node.host for node in nodes)}/"


def keys_of(node: Server) -> list[str]:
    return sorted(node.client().keys())


# ---- a cluster ----


def test_a_cluster_keeps_the_contract(url: str) -> None:
    answer = run("store_driver", url + "?prefix=session", "binary", "shared", "own-clock", "owners")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the store keeps the contract\n", "")


def test_a_cluster_counts_exactly_and_lets_no_session_come_back(url: str) -> None:
    answer = run("store_counter", url + "?wait=60000&timeout=30000", "4", "4", "20")
    assert (answer.returncode, answer.stdout) == (0, "counted 320 of 320\n"), answer.stderr
    answer = run("store_races", url, "2000")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_each_key_is_where_the_cluster_wants_it(nodes: list[Server], url: str) -> None:
    names = [f"session{i:03}" for i in range(60)]
    with Store(url) as store:
        assert all(store.create(name, key=name) for name in names)
    assert all(len(keys_of(node)) > 5 for node in nodes)
    assert sorted(sum((keys_of(node) for node in nodes), [])) == [f"tuile:{name}" for name in names]
    # One node of the URL is enough, the redirections tell the rest; braces in the prefix keep all on one.
    with Store(f"redis://{nodes[2].host}") as store:
        assert all(store.load(key=name) == (name.encode(), LATER) for name in names)
    with Store(f"{url}?prefix=%7Bweb%7D") as store:
        assert all(store.create("x", key=name) for name in names)
    assert sorted(len([key for key in keys_of(node) if key.startswith("{web}:")]) for node in nodes) == [0, 0, 60]


def test_a_walk_goes_to_all_masters(nodes: list[Server], url: str) -> None:
    names = [f"session{i:03}" for i in range(60)]
    with Store(url) as store:
        assert all(store.create("x", key=name) for name in names)
        store.own("ada", key=names[0])
        assert store.keys() == [(name, LATER) for name in names] and store.owners() == ["ada"]
    # Before anything told that the one node of the URL is a cluster's.
    with Store(f"redis://{nodes[1].host}") as store:
        assert store.keys() == [(name, LATER) for name in names]
    with Store(f"{nodes[1].unix}?open=lazy") as store, pytest.raises(Refused) as caught:
        store.keys()
    assert caught.value.status == native.E_STORE and "redis:// and its hosts" in caught.value.message


def test_a_walk_past_a_node_that_is_away_is_no_answer(nodes: list[Server], url: str) -> None:
    for node in nodes:
        node.client().config_set("cluster-require-full-coverage", "no")
    with Store(url) as store:
        assert all(store.create("x", key=f"session{i:03}") for i in range(30))
        nodes[2].kill()
        try:
            with pytest.raises(Refused) as caught:
                store.keys()
            assert caught.value.status == native.E_STORE
        finally:
            nodes[2].start()
            eventually(lambda: "cluster_state:ok" in str(nodes[2].client().execute_command("CLUSTER", "INFO")))


def test_a_slot_that_moves_takes_its_sessions_along(nodes: list[Server], url: str) -> None:
    key, name = "sessionmoves", "tuile:sessionmoves"
    slot = nodes[0].client().execute_command("CLUSTER", "KEYSLOT", name)
    holder = next(i for i in range(3) if 16384 * i // 3 <= slot < 16384 * (i + 1) // 3)
    source, target = nodes[holder], nodes[(holder + 1) % 3]
    ids = {node.port: node.client().execute_command("CLUSTER", "MYID") for node in nodes}

    def setslot(node: Server, *words: object) -> None:
        node.client().execute_command("CLUSTER", "SETSLOT", slot, *words)

    def move(source: Server, target: Server) -> None:
        setslot(target, "IMPORTING", ids[source.port])
        setslot(source, "MIGRATING", ids[target.port])
        # On its way: the old node says ASK, the new one wants an ASKING before each command.
        source.client().execute_command("MIGRATE", "127.0.0.1", target.port, name, 0, 5000)
        assert loaded(store, key)[0] == b"one"
        assert store.replace("one", "two", key=key) == native.OK and store.replace("two", "one", key=key) == native.OK
        for node in (target, source):
            setslot(node, "NODE", ids[target.port])
        assert loaded(store, key) == (b"one", LATER) and store.touch(LATER, key=key)
        assert keys_of(target) == [name] and keys_of(source) == []

    with Store(url) as store:
        assert store.create("one", key=key)
        move(source, target)
        move(target, source)
        assert store.replace("one", "two", key=key) == native.OK


def test_slots_move_under_calls_that_go_together(nodes: list[Server], url: str, tmp_path: Path) -> None:
    works_in_queues(url, tmp_path)
    source, target = nodes[0], nodes[1]
    ids = {node.port: node.client().execute_command("CLUSTER", "MYID") for node in nodes}

    def give(slot: int, owner: Server) -> None:
        for node in (target, source, nodes[2]):
            node.client().execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[owner.port])

    command = [str(BUILD / "Tests/Stores/store_queued"), url, "300", "6000", "line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin and program.stdout and program.stdout.readline() == "half\n"
        slots = sorted({source.client().execute_command("CLUSTER", "KEYSLOT", name) for name in keys_of(source)})[:40]
        assert len(slots) == 40
        for i, slot in enumerate(slots):
            target.client().execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
            source.client().execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
            for name in source.client().execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
                source.client().execute_command("MIGRATE", "127.0.0.1", target.port, name, 0, 5000)
            # Half of them are on their way as long as the program runs.
            if i % 2:
                give(slot, target)
        program.stdin.write("\n")
        program.stdin.flush()
        answer = program.stdout.read()
    assert program.returncode == 0 and " 0 failures, 0 wrong" in answer, answer
    for node in nodes:
        node.client().flushall()
    for slot in slots:
        give(slot, source)


def test_redirections_without_an_end_end(nodes: list[Server], url: str) -> None:
    key = "sessionloop"
    slot = nodes[0].client().execute_command("CLUSTER", "KEYSLOT", f"tuile:{key}")
    holder = next(node for i, node in enumerate(nodes) if 16384 * i // 3 <= slot < 16384 * (i + 1) // 3)
    # It says ASK to a node that imports nothing, which says MOVED back.
    other = next(node for node in nodes if node is not holder)
    holder.client().execute_command(
        "CLUSTER", "SETSLOT", slot, "MIGRATING", other.client().execute_command("CLUSTER", "MYID")
    )
    try:
        with Store(url) as store, pytest.raises(Refused) as caught:
            store.load(key=key)
        assert caught.value.status == native.E_STORE and "node to node" in caught.value.message
    finally:
        holder.client().execute_command("CLUSTER", "SETSLOT", slot, "STABLE")


def test_a_cluster_without_a_node_serves_the_rest_of_its_slots_and_recovers(nodes: list[Server], url: str) -> None:
    for node in nodes:
        node.client().config_set("cluster-require-full-coverage", "no")
    names = [f"session{i:03}" for i in range(30)]
    # A dead node as the first of the URL harms nobody.
    dead = f"redis://127.0.0.1:{free_port()},{url.removeprefix('redis://')}"
    with Store(dead) as store:
        assert all(store.create(name, key=name) for name in names)
        nodes[1].kill()
        answers = []
        for name in names:
            try:
                answers.append(store.load(key=name) == (name.encode(), LATER))
            except Refused as problem:
                assert problem.status == native.E_STORE
                answers.append(None)
        # Its sessions are not reachable, and that is no logout; all others are there.
        assert False not in answers and True in answers and None in answers
        nodes[1].start()
        eventually(lambda: "cluster_state:ok" in str(nodes[1].client().execute_command("CLUSTER", "INFO")))
        for name in names:
            assert eventually(lambda: loaded(store, name)) == (name.encode(), LATER)


def loaded(store: Store, key: str) -> Any:
    """None while the store can't be reached; an absent session is an error here."""
    try:
        found = store.load(key=key)
    except Refused as problem:
        assert problem.status == native.E_STORE
        return None
    assert found is not None, "a session is gone"
    return found


def test_several_hosts_that_are_no_cluster_are_refused(tmp_path: Path) -> None:
    with running(tmp_path / "a") as one, running(tmp_path / "b") as two:
        url = f"redis://{one.host},{two.host}"
        with pytest.raises(Refused) as caught:
            Store(url)
        assert caught.value.status == native.E_STORE and "no cluster" in caught.value.message
        with Store(f"{url}?open=lazy") as store, pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_STORE and "no cluster" in caught.value.message


def test_a_unix_socket_of_a_cluster_is_refused_where_it_redirects(nodes: list[Server], url: str) -> None:
    with pytest.raises(Refused) as caught:
        Store(nodes[0].unix)
    assert caught.value.status == native.E_STORE and "redis:// and its hosts" in caught.value.message
    with Store(f"{nodes[0].unix}?open=lazy") as store, pytest.raises(Refused) as caught:
        for i in range(30):
            store.load(key=f"session{i:03}")
    assert caught.value.status == native.E_STORE and "cluster" in caught.value.message


# ---- a pair and its Sentinels ----


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("sentinel")) as watched:
        yield watched


def test_the_sentinels_master_keeps_the_contract(watched: Pair) -> None:
    dead = watched.url.replace("redis://", f"redis://127.0.0.1:{free_port()},")
    answer = run("store_driver", dead, "binary", "shared", "own-clock", "owners")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the store keeps the contract\n", "")


def test_a_master_that_no_sentinel_knows_is_a_status(watched: Pair) -> None:
    url = watched.url.replace("mymaster", "yours")
    with pytest.raises(Refused) as caught:
        Store(url)
    assert caught.value.status == native.E_STORE and "no master" in caught.value.message
    assert any(sentinel.host in caught.value.message for sentinel in watched.sentinels)
    with Store(f"{url}&open=lazy") as store, pytest.raises(Refused) as caught:
        store.load()
    assert caught.value.status == native.E_STORE and "no master" in caught.value.message


def test_a_failover_loses_no_session_and_leaves_no_connection_to_the_old_master(watched: Pair) -> None:
    names = [f"session{i:03}" for i in range(20)]
    old = watched.master()
    with Store(watched.url) as store:
        assert all(store.create(name, key=name) for name in names)
        assert old.client().wait(1, 10000) == 1
        old.kill()
        # Sentinels that split their votes try again after twice the failover-timeout.
        new = eventually(lambda: watched.master() is not old and watched.master())
        assert all(eventually(lambda: loaded(store, name)) == (name.encode(), LATER) for name in names)
        assert eventually(lambda: replaced(store, names[0]))
        assert new.client().get(f"tuile:{names[0]}") == "next"
        old.start()
        eventually(lambda: old.client().info("replication")["role"] == "slave")
        eventually(lambda: old.client().info("replication")["master_link_status"] == "up")
        if not FULL:
            return
        # And back, on request: the connections of the pool lead to what becomes a replica.
        # What is written at that moment is Redis' own affair; what was replicated stays.
        assert new.client().wait(1, 10000) == 1
        eventually(lambda: watched.sentinels[0].client().execute_command("SENTINEL", "FAILOVER", "mymaster"))
        while watched.master() is not old or new.client().info("replication")["role"] != "slave":
            loaded(store, names[1])
        assert eventually(lambda: replaced(store, names[2]))
        assert old.client().get(f"tuile:{names[2]}") == "next"
        assert eventually(lambda: loaded(store, names[1])) == (names[1].encode(), LATER)


def replaced(store: Store, key: str) -> bool:
    try:
        return store.replace(key, "next", key=key) != native.ABSENT
    except Refused:
        return False
