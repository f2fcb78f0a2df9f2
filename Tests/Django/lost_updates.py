"""Counts how many of many concurrent additions to one session each of Django's backends loses,
and Tuile's stores beside them.

    python lost_updates.py [--processes 8] [--threads 8] [--additions 100] [NAME...]

Every process and thread adds 1 to the counter of one session. For signed_cookies the session is
the cookie: what a browser holds is a file here, and the last answer stays in it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bindings/python"), str(ROOT / "bindings/python/examples")]

from lost_update import SECRET, in_threads  # noqa: E402

BACKENDS = ("db", "file", "cache", "cached_db", "signed_cookies")
STORES = {"sqlite:": "sqlite://{}/sessions.db?busy=30000", "file:": "file://{}/sessions?busy=30000&fsync=off"}


def set_up_django(folder: str, backend: str) -> None:
    import django
    from django.conf import settings

    Path(folder, "files").mkdir(exist_ok=True)
    settings.configure(
        SECRET_KEY=SECRET,
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.sessions"],
        SESSION_ENGINE=f"django.contrib.sessions.backends.{backend}",
        SESSION_FILE_PATH=f"{folder}/files",
        # Wait for other writers, so that none fails on a lock.
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/django.db", "OPTIONS": {"timeout": 60}}
        },
        # The one of Django's own that processes share without a server.
        CACHES={
            "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{folder}/cache"}
        },
    )
    django.setup()


def begin_django(folder: str, backend: str) -> None:
    set_up_django(folder, backend)
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    connection.cursor().execute("PRAGMA journal_mode=WAL")
    session = import_module(f"django.contrib.sessions.backends.{backend}").SessionStore()
    session["count"] = 0
    session.save()
    Path(folder, "cookie").write_text(session.session_key)


def add_by_django(folder: str, backend: str, threads: int, additions: int, barrier: Barrier) -> None:
    set_up_django(folder, backend)
    from django.db import connection

    store = import_module(f"django.contrib.sessions.backends.{backend}").SessionStore
    cookie = Path(folder, "cookie")

    def work() -> None:
        for _ in range(additions):
            # What the browser has is never half a cookie.
            session = store(cookie.read_text())
            session["count"] = session.get("count", 0) + 1
            session.save()
            if backend == "signed_cookies":
                answer = Path(folder, f"answer-{time.monotonic_ns()}-{id(session)}")
                answer.write_text(session.session_key)
                answer.replace(cookie)
        connection.close()

    in_threads(threads, barrier, work)


def count_of_django(folder: str, backend: str) -> None:
    set_up_django(folder, backend)
    store = import_module(f"django.contrib.sessions.backends.{backend}").SessionStore
    Path(folder, "count").write_text(str(store(Path(folder, "cookie").read_text()).get("count")))


def begin_tuile(folder: str, name: str) -> None:
    from tuile.sessions import Manager

    with Manager(store=STORES[name].format(folder), secret=SECRET) as manager, manager.begin("") as session:
        session["count"] = 0
        session.commit(200)
        Path(folder, "cookie").write_text(f"sessionid={session.session_key}")


def add_by_tuile(folder: str, name: str, threads: int, additions: int, barrier: Barrier) -> None:
    from tuile.sessions import Manager

    cookie = Path(folder, "cookie").read_text()
    with Manager(store=STORES[name].format(folder), secret=SECRET) as manager:

        def work() -> None:
            for _ in range(additions):
                with manager.begin(cookie) as session:
                    session.add_int("count")
                    session.commit(200)

        in_threads(threads, barrier, work)


def count_of_tuile(folder: str, name: str) -> None:
    from tuile.sessions import Manager

    with Manager(store=STORES[name].format(folder), secret=SECRET) as manager:
        with manager.begin(Path(folder, "cookie").read_text()) as session:
            Path(folder, "count").write_text(str(session["count"]))


def run(name: str, processes: int, threads: int, additions: int) -> tuple[int, int, float]:
    """The count that is left, how many processes failed, and the seconds it took."""
    # Fresh interpreters, as separate servers are.
    context = get_context("spawn")
    ours = name in STORES
    begin: Callable[..., None] = begin_tuile if ours else begin_django
    add: Callable[..., None] = add_by_tuile if ours else add_by_django
    end: Callable[..., None] = count_of_tuile if ours else count_of_django

    def alone(target: Callable[..., None], folder: str) -> None:
        process = context.Process(target=target, args=(folder, name))
        process.start()
        process.join()
        if process.exitcode:
            raise RuntimeError(f"{name}: {target.__name__} failed")

    with tempfile.TemporaryDirectory() as folder:
        alone(begin, folder)
        barrier = context.Barrier(processes * threads)
        workers = [context.Process(target=add, args=(folder, name, threads, additions, barrier)) for _ in range(processes)]
        began = time.monotonic()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.monotonic() - began
        alone(end, folder)
        count = Path(folder, "count").read_text()
    return int(count) if count.isdigit() else 0, sum(worker.exitcode != 0 for worker in workers), took


def main() -> None:
    parser = argparse.ArgumentParser(description="How many concurrent additions to a session each backend loses")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--additions", type=int, default=100)
    parser.add_argument("names", nargs="*", default=[*BACKENDS, *STORES])
    options = parser.parse_args()
    expected = options.processes * options.threads * options.additions
    print("| store | counted | lost | | failed processes | seconds |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in options.names:
        count, failed, took = run(name, options.processes, options.threads, options.additions)
        lost = expected - count
        print(f"| {name} | {count} of {expected} | {lost} | {lost / expected:.1%} | {failed} | {took:.0f} |", flush=True)


if __name__ == "__main__":
    main()
