"""The PostgreSQL store's connections: few at a time, tried again, counted when they were given up; a table that
changes meanwhile; users who may only read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("psycopg")
from postgresql_helpers import needed  # noqa: E402
from postgresql_server import Server, running  # noqa: E402
from proxy import Pair, Proxy, until  # noqa: E402
from store import KEY, LATER, Refused, Store, native  # noqa: E402

pytestmark = needed
RECORD = "~0123456789abcdef0123456789abcdef0123456"
UNKNOWN = native.E_UNKNOWN


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.sql("CREATE ROLE reader LOGIN")
        yield server


@pytest.fixture
def database(server: Server) -> str:
    return server.new_database()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(str(server.folder / f".s.PGSQL.{server.port}")) as proxy:
        yield proxy


def through(proxy: Proxy, database: str, **options: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"sslmode": "disable", **options}.items())
    return f"postgresql://postgres@{proxy.host}/{database}?{query}"


def backends(server: Server, database: str) -> int:
    query = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tuile' AND datname = '{database}'"
    return int(server.sql(query)[0][0])


# ---- connecting ----


def test_connecting_that_takes_too_long_is_tried_again(proxy: Proxy, database: str) -> None:
    proxy.lost = 1
    with Store(through(proxy, database, connect="500", retries="10")) as store:
        assert store.create("x")
    proxy.lost = 2
    with pytest.raises(Refused) as caught:
        Store(through(proxy, database, connect="300", retries="1"))
    assert caught.value.status == native.E_STORE and "connecting" in caught.value.message


def test_few_connections_are_opened_at_a_time(server: Server, proxy: Proxy, database: str) -> None:
    with Store(through(proxy, database, connect="60000", wait="60000", timeout="60000", idle="86400000")) as store:
        server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        until(lambda: proxy.open() == 0)
        proxy.go.clear()
        before = len(proxy.pairs)
        with ThreadPoolExecutor(16) as threads:
            done = [threads.submit(store.load) for _ in range(16)]
            until(lambda: len(proxy.pairs) == before + 4)
            time.sleep(0.2)
            assert len(proxy.pairs) == before + 4
            proxy.go.set()
            assert [each.result() for each in done] == [None] * 16


def test_connections_that_were_forgotten_on_the_way_cost_one_retry(proxy: Proxy, database: str) -> None:
    with Store(through(proxy, database, timeout="4000", connect="60000")) as store:
        assert store.create("x")
        proxy.silence()
        assert store.load() == (b"x", LATER)
        assert store.replace("x", "y") == native.OK
    with Store(through(proxy, database, timeout="4000", connect="60000", idle="0", retries="0")) as store:
        assert store.load() == (b"y", LATER)
        proxy.silence()
        # What is written is never sent twice: it goes where somebody answers.
        assert store.replace("y", "z") == native.OK


# ---- what was given up ----


def test_a_standby_that_is_away_does_not_fill_the_server_with_connections(database: str) -> None:
    with running(synchronous_standby_names="nobody") as server:
        # What waits for the standby is neither ended by statement_timeout nor by a client that goes.
        url = server.url(timeout="5000", pool="3", wait="600000", retries="0", options="-csynchronous_commit%3Dlocal")
        Store(url).close()
        url = server.url(timeout="300", connect="60000", pool="3", wait="600000", retries="0")
        most = 0
        with Store(url) as store:

            def write(i: int) -> int:
                try:
                    store.put("x", key=f"session{i}")
                except Refused as problem:
                    return problem.status
                return 0

            with ThreadPoolExecutor(8) as threads:
                done = [threads.submit(write, i) for i in range(24)]
                while not all(each.done() for each in done):
                    most = max(most, backends(server, "postgres"))
            assert {each.result() for each in done} == {UNKNOWN}
            assert 0 < most <= 6  # three, and those that are just ending
        until(lambda: backends(server, "postgres") == 0)
        # Unknown, and here: saved.
        assert server.sql("SELECT count(*) FROM django_session") == [(24,)]


def test_what_the_server_has_not_ended_counts(proxy: Proxy, database: str) -> None:
    with Store(through(proxy, database, timeout="4000", pool="1", wait="200", retries="0")) as store:
        assert store.create("x")
        # The server is at work, as far as anybody can tell, and the request to end it gets nowhere.
        proxy.silence()
        proxy.lost = 1
        for expected in (UNKNOWN, native.E_BUSY, native.E_BUSY):
            with pytest.raises(Refused) as caught:
                store.put("y")
            assert caught.value.status == expected
        # Once that connection ends there is room again.
        until(lambda: proxy.lost == 0)
        for pair in list(proxy.pairs):
            pair.close()
        assert store.load() is not None


# ---- what was sent and got no answer ----

WRITES: list[tuple[bytes, Callable[[Store], object]]] = [
    (b"create", lambda store: store.create("x", key="anotherkey")),
    (b"put", lambda store: store.put("y")),
    (b"put a record", lambda store: store.put("y", key=RECORD)),
    (b"replace", lambda store: store.replace("x", "y")),
    (b"touch", lambda store: store.touch(LATER)),
    (b"remove", lambda store: store.remove()),
    (b"own", lambda store: store.own("ada")),
    (b"disown", lambda store: store.disown("ada")),
]


@pytest.mark.parametrize("name, call", WRITES)
def test_a_write_without_an_answer_is_unknown_and_sent_once(
    server: Server, proxy: Proxy, database: str, name: bytes, call: Callable[[Store], object]
) -> None:
    with Store(through(proxy, database, timeout="2000", retries="5", prepare="off")) as store:
        store.create("x")
        store.own("ada")
        store.put("1", key=RECORD)
        sent = []

        def cut(pair: Pair, data: bytes) -> bytes:
            sent.append(data)
            return b""

        before = len(proxy.pairs)
        proxy.answer = cut
        with pytest.raises(Refused) as caught:
            call(store)
        assert caught.value.status == UNKNOWN and "unknown" in caught.value.message
        assert len(sent) == 1 and len(proxy.pairs) == before


def test_a_read_without_an_answer_is_tried_again(proxy: Proxy, database: str) -> None:
    with Store(through(proxy, database, timeout="2000", retries="1", prepare="off")) as store:
        store.create("x")
        cuts = [1]
        proxy.answer = lambda pair, data: b"" if cuts and cuts.pop() else data
        assert store.load() == (b"x", LATER)
        proxy.answer = lambda pair, data: b""
        with pytest.raises(Refused) as caught:
            store.load()
        assert caught.value.status == native.E_STORE


# ---- the table ----


def test_a_column_that_is_altered_meanwhile_is_prepared_for_again(server: Server, database: str) -> None:
    with Store(server.url(database, pool="1", retries="0")) as store:
        assert store.create("x") and store.load() == (b"x", LATER) and store.replace("x", "y") == native.OK
        for kind in ("varchar(100000)", "text"):
            server.sql(f"ALTER TABLE django_session ALTER COLUMN session_data TYPE {kind}", database)
            assert store.load() == (b"y", LATER) and store.replace("y", "y") == native.OK
            assert store.keys() == [(KEY, LATER)]
        server.sql("ALTER TABLE django_session ALTER COLUMN session_key TYPE varchar(50)", database)
        assert store.load() == (b"y", LATER) and store.keys() == [(KEY, LATER)]


def test_what_is_no_session_is_in_tables_of_its_own(server: Server, database: str) -> None:
    with Store(server.url(database)) as store:
        assert store.load(key=RECORD) is None and store.create("1", key=RECORD) and store.create("x")
        store.own("ada")
        assert server.sql("SELECT session_key FROM django_session", database) == [(KEY,)]
        assert server.sql("SELECT session_key FROM tuile_session_record", database) == [(RECORD,)]
        assert store.keys() == [(KEY, LATER)]
        assert store.touch(1, key=RECORD) and store.sweep(2) == 1
        assert server.sql("SELECT count(*) FROM tuile_session_record", database) == [(0,)]


# ---- modes ----


def test_who_may_only_select_reads(server: Server, database: str) -> None:
    with Store(server.url(database)) as store:
        assert store.create("x")
        store.own("ada")
        store.put("1", key=RECORD)
    server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database)
    url = server.url(database, mode="ro").replace("user=postgres", "user=reader")
    for more in ("", "&options=-cdefault_transaction_read_only%3Don"):
        with Store(url + more) as store:
            assert store.load() == (b"x", LATER) and store.load(key=RECORD) == (b"1", LATER)
            assert store.keys() == [(KEY, LATER)] and store.owners() == ["ada"]
            for call in (lambda: store.put("y"), store.remove, lambda: store.own("ada"), lambda: store.sweep(1)):
                with pytest.raises(Refused) as caught:
                    call()
                assert caught.value.status == native.E_STORE and "mode=ro" in caught.value.message
    # The control: a standby, and this user, are no place to write.
    with pytest.raises(Refused):
        Store(url.replace("mode=ro", "mode=rw"))


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_opening_makes_nothing_unless_it_may(server: Server, database: str, mode: str) -> None:
    with pytest.raises(Refused) as caught:
        Store(server.url(database, mode=mode))
    assert caught.value.status == native.E_STORE and "mode=rwc" in caught.value.message
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert server.sql(tables, database) == [(0,)]
    Store(server.url(database)).close()
    with Store(server.url(database, mode=mode)) as store:
        assert store.load() is None and store.load(key=RECORD) is None and store.owners() == []
    assert server.sql(tables, database) == [(1,)]
