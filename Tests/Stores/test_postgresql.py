"""The module libtuile-postgresql.so on a real server: the contract, the counter and the races,
what a URL may say, and the table that it shares with Django."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psycopg")
from postgresql_django import SECRET  # noqa: E402
from postgresql_helpers import ENVIRONMENT, FULL, needed, opened, program, run, written  # noqa: E402
from postgresql_server import PASSWORD, Server, free_port, running  # noqa: E402
from revocations import keeps_revocations  # noqa: E402
from store import KEY, Store, works_in_queues  # noqa: E402
from tuile.errors import CorruptStoreError, StoreError, SyntaxProblem, TuileError  # noqa: E402
from tuile.sessions import Manager, SessionDeleted  # noqa: E402

pytestmark = needed


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.sql(f"CREATE ROLE ada LOGIN PASSWORD '{PASSWORD}'")
        yield server


@pytest.fixture
def database(server: Server) -> str:
    return server.new_database()


def refused(url: str, kind: type[TuileError]) -> str:
    """The message with which the store is not opened."""
    with pytest.raises(kind) as caught:
        opened(url).close()
    return str(caught.value)


def django(server: Server, database: str, command: str, argument: str = "") -> Any:
    words = [sys.executable, str(Path(__file__).with_name("postgresql_django.py")), str(server.folder), str(server.port)]
    answer = subprocess.run([*words, database, command, argument], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


# ---- the contract ----

SERIALIZABLE = "-c%20default_transaction_isolation%3Dserializable"


@pytest.mark.parametrize(
    "options",
    [{}, {"prepare": "off"}, {"pool": "2", "wait": "60000"}, {"options": SERIALIZABLE}],
    ids=["plain", "without prepared commands", "two connections", "serializable"],
)
def test_keeps_the_contract(server: Server, database: str, options: dict[str, str]) -> None:
    answer = run("store_driver", server.url(database, **options), "shared", "owners")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the store keeps the contract\n", "")


def test_keeps_revocations(server: Server, database: str) -> None:
    keeps_revocations(server.url(database))
    with Manager(store="cookie:", secret=SECRET, revocations=server.url(database), clock=lambda: time.time() + 10**8) as manager:
        assert manager.clear_expired() == 2


def test_no_descriptor_left(server: Server, database: str) -> None:
    # It forks for each try, and each child opens its own connection.
    answer = run("store_descriptors", server.url(database, retries="0"))
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_works_in_queues(server: Server, database: str, tmp_path: Path) -> None:
    works_in_queues(server.url(database), tmp_path)


def test_counts_exactly(server: Server, database: str) -> None:
    times = "1000" if FULL else "40"
    answer = run("store_counter", server.url(database, wait="60000", timeout="30000"), "8", "8", times)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout == f"counted {64 * int(times)} of {64 * int(times)}\n"


def test_no_session_comes_back(server: Server, database: str) -> None:
    races = "100000" if FULL else "4000"
    answer = run("store_races", server.url(database), races)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    words = answer.stdout.split()
    # Each side was first now and then: else nothing was tried.
    assert int(words[0]) > 0 and int(words[3]) > 0, answer.stdout


def test_the_counter_and_the_races_catch_a_store_that_does_not_compare(server: Server, database: str) -> None:
    assert run("store_counter", server.url(database), "4", "4", "50", "blind").returncode == 1
    assert run("store_races", server.url(database), "1000", "blind").returncode == 1


# ---- the table ----

COLUMNS = """SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
    FROM information_schema.columns WHERE table_name = 'django_session' ORDER BY ordinal_position"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'django_session' ORDER BY indexname"


def test_makes_the_table_that_django_makes(server: Server, database: str) -> None:
    django(server, database, "migrate")
    theirs = server.sql(COLUMNS, database), server.sql(INDEXES, database)
    assert len(theirs[0]) == 3 and len(theirs[1]) == 3
    other = server.new_database()
    opened(server.url(other)).close()
    assert (server.sql(COLUMNS, other), server.sql(INDEXES, other)) == theirs


def test_django_migrates_over_our_table(server: Server, database: str) -> None:
    with opened(server.url(database)) as manager:
        key = written(manager, a=1)
        django(server, database, "migrate", "fake")
        assert django(server, database, "read", key)["items"] == {"a": 1}


def test_many_make_the_table_at_once(server: Server) -> None:
    for _ in range(3):
        url = server.url(server.new_database())
        command = [program("store_counter"), url, "1", "1", "1"]
        together = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(6)]
        assert [process.wait(60) for process in together] == [0] * 6


@pytest.mark.parametrize(
    "columns",
    [
        "session_key varchar(40) PRIMARY KEY, session_data text",
        "session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamp",
        "session_key varchar(40) PRIMARY KEY, session_data bytea, expire_date timestamptz",
        "session_key varchar(32) PRIMARY KEY, session_data text, expire_date timestamptz",
        "session_key integer PRIMARY KEY, session_data text, expire_date timestamptz",
        "session_key varchar(40), session_data text, expire_date timestamptz",
    ],
    ids=["a column less", "no time zone", "bytes", "short keys", "numbers", "keys that are not unique"],
)
def test_another_table_is_refused(server: Server, database: str, columns: str) -> None:
    server.sql(f"CREATE TABLE django_session ({columns})", database)
    refused(server.url(database), CorruptStoreError)


def test_a_table_that_goes_away_is_a_status(server: Server, database: str) -> None:
    with opened(server.url(database)) as manager:
        key = written(manager, a=1)
        server.sql("DROP TABLE django_session", database)
        with manager.begin(f"sessionid={key}") as session, pytest.raises(CorruptStoreError):
            session["a"]


def test_the_table_may_be_in_another_schema(server: Server, database: str) -> None:
    server.sql("CREATE SCHEMA web; CREATE TABLE public.tuile_session_owner (another_application integer)", database)
    with opened(server.url(database, options="-csearch_path%3Dweb")) as manager:
        written(manager, a=1)
        assert manager.clear_expired() == 0
    assert server.sql("SELECT count(*) FROM web.django_session", database) == [(1,)]


# ---- Django beside it ----


def test_sessions_go_both_ways(server: Server, database: str) -> None:
    django(server, database, "migrate")
    with opened(server.url(database)) as manager:
        key = django(server, database, "write", '{"name": "Ada", "list": [1, 2.5, null]}')
        with manager.begin(f"sessionid={key}") as session:
            assert dict(session) == {"name": "Ada", "list": [1, 2.5, None]}
            session["name"] = "Grace"
            session.set_expiry(300)
            session.commit(200)
        answer = django(server, database, "read", key)
        assert answer["items"] == {"name": "Grace", "list": [1, 2.5, None], "_session_expiry": 300}
        assert django(server, database, "read", written(manager, b=2))["items"] == {"b": 2}


def test_a_login_and_a_logout_count_for_both(server: Server, database: str) -> None:
    django(server, database, "migrate")
    key = django(server, database, "login", "ada")
    with opened(server.url(database)) as manager, manager.begin(f"sessionid={key}") as session:
        assert session["_auth_user_id"] == "1" and session.add_int("count") == 1
        session.commit(200)
        assert django(server, database, "visit", key) == "ada 2"
        with manager.begin(f"sessionid={key}") as other:
            other.flush()
            other.commit(200)
        assert django(server, database, "visit", key) == "AnonymousUser 1"
        session["late"] = True
        with pytest.raises(SessionDeleted):
            session.commit(200)


def test_each_sweeps_what_the_other_calls_expired(server: Server, database: str) -> None:
    def add_rows() -> None:
        for number, seconds in enumerate([-86400, -1, 60, 86400]):
            values = f"'sweep{number:03}', '', now() + interval '{seconds} seconds'"
            server.sql(f"INSERT INTO django_session VALUES ({values})", database)

    def keys() -> list[Any]:
        return server.sql("SELECT session_key FROM django_session ORDER BY session_key", database)

    django(server, database, "migrate")
    add_rows()
    django(server, database, "clear")
    left_by_django = keys()
    server.sql("DELETE FROM django_session", database)
    add_rows()
    with opened(server.url(database)) as manager:
        assert manager.clear_expired() == 2
    assert keys() == left_by_django == [("sweep002",), ("sweep003",)]


def test_owners_go_when_their_sessions_are_gone(server: Server, database: str) -> None:
    with opened(server.url(database)) as manager:
        key = written(manager, a=1)
        server.sql(
            "CREATE TABLE tuile_session_owner (session_key varchar(40) PRIMARY KEY, owner varchar(255), record text);"
            "INSERT INTO tuile_session_owner SELECT 'orphan' || n, 'ada', '' FROM generate_series(1, 1200) n;"
            f"INSERT INTO tuile_session_owner VALUES ('{key}', 'ada', '')",
            database,
        )
        for _ in range(4):  # in steps of 500
            manager.clear_expired()
    assert server.sql("SELECT session_key FROM tuile_session_owner", database) == [(key,)]


def test_a_walk_passes_over_what_is_no_key(server: Server, database: str) -> None:
    with Store(server.url(database)) as store:
        assert store.create("x") and store.owners() == []
        server.sql(
            "INSERT INTO django_session SELECT CASE n % 3 WHEN 0 THEN 'UPPER' || n WHEN 1 THEN 'é' || n ELSE 'expired' || n END,"
            "'x', CASE n % 3 WHEN 2 THEN now() - interval '1 hour' ELSE now() END FROM generate_series(1, 1600) n;"
            "INSERT INTO django_session VALUES ('', 'x', 'infinity'), ('untilinfinity', 'x', 'infinity'), ('neverbegan', 'x', '-infinity')",
            database,
        )
        present = time.time_ns() // 1000
        assert [key for key, _ in store.keys(present)] == [KEY, "untilinfinity"]
        store.own("ada")
        store.own("'; --", key="bcdefghi")
        assert store.owners() == sorted(["ada", "'; --"])


@pytest.mark.skipif(not FULL, reason="what Django loses is measured by TUILE_FULL=1 alone")
def test_django_itself_loses_updates(server: Server, database: str) -> None:
    """The control for the counter, and the figure in docs/concurrency.md."""
    django(server, database, "migrate")
    key = django(server, database, "write", '{"count": 0}')
    with ThreadPoolExecutor(8) as processes:
        list(processes.map(lambda _: django(server, database, "count", f"{key} 8 50"), range(8)))
    counted = django(server, database, "read", key)["items"]["count"]
    print(f"Django counted {counted} of {8 * 8 * 50}")
    assert counted < 8 * 8 * 50


def test_a_session_that_is_moved_on_survives_the_sweep(server: Server, database: str) -> None:
    with opened(server.url(database, timeout="20000")) as manager:
        key = written(manager, a=1)
        server.sql("UPDATE django_session SET expire_date = now() - interval '1 hour'", database)
        with server.connect(database) as other:
            other.autocommit = False
            other.execute("UPDATE django_session SET expire_date = now() + interval '1 hour'")
            waiting = subprocess.Popen(
                [sys.executable, "-c", f"from tuile.sessions import Manager\nm = Manager(store={server.url(database, timeout='20000')!r}, "
                 f"secret={SECRET!r})\nprint(m.clear_expired())"], stdout=subprocess.PIPE, text=True,
                env=ENVIRONMENT)  # fmt: skip
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            for _ in range(400):
                if server.sql(blocked, database) == [(1,)]:
                    break
                time.sleep(0.05)
            assert server.sql(blocked, database) == [(1,)]
            other.commit()
        assert waiting.communicate(timeout=60)[0] == "0\n"
        with manager.begin(f"sessionid={key}") as session:
            assert session["a"] == 1


# ---- URLs ----


def test_a_password_over_tls(server: Server, database: str, tmp_path: Path) -> None:
    key, certificate = server.data / "server.key", server.data / "server.crt"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    for file in (key, certificate):
        os.chown(file, server.data.stat().st_uid, server.data.stat().st_gid)
        file.chmod(0o600)
    copy = tmp_path / "ca.crt"
    copy.write_bytes(certificate.read_bytes())
    server.sql("ALTER SYSTEM SET ssl = on; ".strip())
    server.sql("SELECT pg_reload_conf()")
    server.sql(f"GRANT ALL ON SCHEMA public TO ada; ALTER DATABASE {database} OWNER TO ada", database)
    at = f"127.0.0.1:{server.port}/{database}"
    good = f"postgres://ada:correct%20horse@{at}?sslmode=verify-full&sslrootcert={copy}"
    for _ in range(100):  # the server reads its settings when it gets round to it
        if "on" in server.sql("SHOW ssl")[0]:
            break
        time.sleep(0.05)
    answer = run("store_driver", good, "shared", "owners")
    assert answer.returncode == 0, answer.stderr
    assert server.sql("SELECT count(*) FROM django_session", database) == [(0,)]
    message = refused(good.replace("horse", "cow"), StoreError)
    assert "authentication failed" in message and "cow" not in message and "correct" not in message
    # Another authority, and a name that is not the certificate's.
    other = tmp_path / "other.crt"
    subprocess.run([*words[:-4], "-keyout", str(tmp_path / "k"), "-out", str(other)], check=True, capture_output=True)
    assert "certificate" in refused(good.replace(str(copy), str(other)), StoreError)


@pytest.mark.parametrize(
    "tail",
    [
        "?pool=0", "?pool=-1", "?pool=2000", "?timeout=0", "?timeout=9999999999999999999999", "?connect=x", "?retries=11",
        "?prepare=maybe", "?nonsense=1", "?pool", "?=", "?sslmode", "?host=%zz", "?host=%00", "?port=1&&", "?a=b=c",
        ":pass@word@host/db", ":pa/ss@host/db", ":%@host/db", ":x]@[::1/db", "[::1", ":x@h:1:2/db", ":pass:word",
    ],
)  # fmt: skip
def test_a_url_that_says_nothing_is_refused(tail: str) -> None:
    user = "" if tail.startswith(("?", "[")) else "ada"
    message = refused(f"postgresql://{user}{tail}", SyntaxProblem)
    assert "ss@" not in message and "pass" not in message.replace("the password", "")


def test_the_longest_url_is_a_status() -> None:
    for length in (1000, 4000):
        with pytest.raises(TuileError):
            opened("postgresql://127.0.0.1:1/" + "x" * length + "?retries=0")
        with pytest.raises(TuileError):
            opened("postgresql://" + "127.0.0.1," * (length // 10) + "127.0.0.1:1/?retries=0&connect=100")


def test_a_server_that_is_not_there(server: Server) -> None:
    message = refused(f"postgresql://ada:pass%40word@127.0.0.1:{free_port()}/db?retries=1", StoreError)
    assert "127.0.0.1" in message and "word" not in message and "%40" not in message


def test_the_next_server_is_tried(server: Server, database: str) -> None:
    with opened(server.url(database).replace("host=", f"host={server.folder / 'nobody'},")) as manager:
        written(manager, a=1)


def test_a_server_that_reads_and_does_not_answer_is_left_for_the_next(server: Server, database: str) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = server.url(database, connect="300").replace("host=", "host=127.0.0.1,")
        url = url.replace(f"port={server.port}", f"port={silent.getsockname()[1]},{server.port}")
        with opened(url) as manager:
            written(manager, a=1)
        alone = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/db?connect=300"
        assert "in time" in refused(alone, StoreError)


def test_a_user_without_rights(server: Server, database: str) -> None:
    opened(server.url(database)).close()
    url = server.url(database).replace("user=postgres", "user=ada")
    assert "right" in refused(url, StoreError)
    empty = server.new_database()
    assert "right" in refused(server.url(empty).replace("user=postgres", "user=ada"), StoreError)


def test_a_server_that_only_reads(server: Server, database: str) -> None:
    with opened(server.url(database)) as manager:
        key = written(manager, a=1)
    with opened(server.url(database, options="-cdefault_transaction_read_only%3Don")) as manager:
        with manager.begin(f"sessionid={key}") as session:
            assert session["a"] == 1
            session["a"] = 2
            with pytest.raises(StoreError) as caught:
                session.commit(200)
            assert "25006" in str(caught.value)


def test_nothing_is_printed(server: Server, database: str, tmp_path: Path) -> None:
    """libpq itself warns of a password file that others may read, and of notices."""
    passwords = tmp_path / "passwords"
    passwords.write_text("*:*:*:*:secret\n")
    passwords.chmod(0o644)
    url = server.url(database, options="-cclient_min_messages%3Ddebug5")
    environment = {**os.environ, "PGPASSFILE": str(passwords)}
    command = [program("store_counter"), url, "2", "2", "5"]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "counted 20 of 20\n", "")
    # The control: psql says what we keep to ourselves.
    tcp = f"host=127.0.0.1 port={server.port} user=ada dbname={database}"
    psql = subprocess.run(["psql", "-w", tcp], capture_output=True, text=True, env=environment, input="", check=False)
    assert "password file" in psql.stderr


# ---- fork ----

FORKING = """
import os, sys
import psycopg
from tuile.sessions import Manager

url, look = sys.argv[1:]
manager = Manager(store=url, secret="secret" * 8)

def visit(key):
    with manager.begin(f"sessionid={key}" if key else "") as session:
        session.add_int("count")
        session.commit(200)
        return session.session_key

def connections():
    with psycopg.connect(look) as other:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tuile' AND datname = current_database()"
        return sorted(pid for pid, in other.execute(query))

key = visit(None)
before = connections()
assert len(before) == 1, before
for number in range(4):
    child = os.fork()
    if child == 0:
        if number % 2:  # half of them use the store before they close it
            visit(key)
        manager.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    visit(key)
assert before[0] in connections(), "a child closed its parent's connection"
with manager.begin(f"sessionid={key}") as session:
    print(session["count"])
"""


def test_a_child_leaves_its_parents_connection_alone(server: Server, database: str) -> None:
    look = f"host={server.folder} port={server.port} user=postgres dbname={database}"
    command = [sys.executable, "-c", FORKING, server.url(database, pool="1"), look]
    answer = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "7\n", "")
