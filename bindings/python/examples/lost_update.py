"""Counts how many of many concurrent additions to one session are lost.

    python lost_update.py [--processes 4] [--threads 2] [--additions 50]

Each process and thread adds 1 to one counter, so that the right end is their
product. Django's own database backend and Tuile do the same work, each on an
SQLite file of its own that Django's migration made.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

SECRET = "an example of 32 bytes, not a secret"


def set_up_django(database: str) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY=SECRET,
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.sessions"],
        # Wait for other writers as Tuile does, so that neither fails on a lock.
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": {"timeout": 30}}},
    )
    django.setup()


def make_table(database: str) -> None:
    set_up_django(database)
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    # What Tuile uses; it stays in the file, so that both run under the same.
    connection.cursor().execute("PRAGMA journal_mode=WAL")


def in_threads(threads: int, barrier: Barrier, work: Callable[[], None]) -> None:
    """Runs `work` in so many threads; raises what any of them raised.

    An addition that failed loudly would else be counted as one that was lost.
    """

    def started() -> None:
        barrier.wait(60)
        work()

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(started) for _ in range(threads)]:
            future.result()


def add_by_django(database: str, key: str, threads: int, additions: int, barrier: Barrier) -> None:
    set_up_django(database)
    from django.contrib.sessions.backends.db import SessionStore

    def work() -> None:
        for _ in range(additions):
            session = SessionStore(key)
            session["count"] = session.get("count", 0) + 1
            session.save()

    in_threads(threads, barrier, work)


def add_by_tuile(database: str, key: str, threads: int, additions: int, barrier: Barrier) -> None:
    from tuile.sessions import Manager

    with Manager(store=f"sqlite://{database}?busy=30000", secret=SECRET) as manager:

        def work() -> None:
            for _ in range(additions):
                with manager.begin(f"sessionid={key}") as session:
                    session.add_int("count")
                    session.commit(200)

        in_threads(threads, barrier, work)


def new_session(database: str) -> str:
    from tuile.sessions import Manager

    with Manager(store=f"sqlite://{database}", secret=SECRET) as manager, manager.begin("") as session:
        session["count"] = 0
        session.commit(200)
        assert session.session_key is not None
        return session.session_key


def final_count(database: str, key: str) -> int:
    from tuile.sessions import Manager

    with Manager(store=f"sqlite://{database}", secret=SECRET) as manager:
        with manager.begin(f"sessionid={key}") as session:
            return int(session["count"])


def run(add: Callable[..., None], database: str, processes: int, threads: int, additions: int) -> int:
    """The counter after all have added; raises if a process failed."""
    # A fresh interpreter for each, as separate servers are.
    context = get_context("spawn")
    maker = context.Process(target=make_table, args=(database,))
    maker.start()
    maker.join()
    key = new_session(database)
    barrier = context.Barrier(processes * threads)
    workers = [context.Process(target=add, args=(database, key, threads, additions, barrier)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in [maker, *workers]):
        raise RuntimeError("a process failed")
    return final_count(database, key)


def main() -> None:
    parser = argparse.ArgumentParser(description="How many concurrent additions to a session are lost")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--additions", type=int, default=50)
    options = parser.parse_args()
    expected = options.processes * options.threads * options.additions
    for name, add in (("Django", add_by_django), ("Tuile", add_by_tuile)):
        with tempfile.TemporaryDirectory() as folder:
            database = str(Path(folder) / "sessions.db")
            count = run(add, database, options.processes, options.threads, options.additions)
        print(f"{name}: {count} of {expected} counted, {expected - count} lost ({(expected - count) / expected:.1%})")


if __name__ == "__main__":
    main()
