"""gunicorn with two pages of Django's under wrk, for each store: requests a second, and how long half and 99 of 100 took.

    servers.py [SECONDS]

One worker of four threads for all, since what is in memory is in one process. Each pair is measured in turn, three times
with a new server, of which the best counts: two that are started alike differ by a tenth.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import others

HERE = Path(__file__).resolve().parent
VISITORS, CONNECTIONS = 32, 16
SCRIPT = 'local c = {%s}\nrequest = function() return wrk.format("GET", nil, {["Cookie"] = c[math.random(#c)]}) end\n'


def settings(folder: Path, engine: str, store: str | None, alias: str = "default") -> dict[str, Any]:
    redis = f"unix://{folder}/redis.sock"
    return {
        "SECRET_KEY": "a secret of thirty-two bytes, for the benchmark",
        "USE_TZ": True,
        "ALLOWED_HOSTS": ["*"],
        "INSTALLED_APPS": ["django.contrib.sessions"],
        "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/django.db", "OPTIONS": {"timeout": 30}}},
        "CACHES": {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis},
            "django-redis": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis},
        },
        "SESSION_ENGINE": engine,
        "SESSION_CACHE_ALIAS": alias,
        **({} if store is None else {"TUILE_STORE": store}),
    }


@contextmanager
def served(given: dict[str, Any]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        number, url = listening.fileno(), f"http://127.0.0.1:{listening.getsockname()[1]}/"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{number}", "-w", "1", "--threads", "4", "--log-level", "warning"]
        server = subprocess.Popen(
            [*command, "counted:application"], cwd=HERE, pass_fds=[number], env={**os.environ, "BENCH_SETTINGS": json.dumps(given)}
        )
        try:
            for _ in range(600):
                try:
                    urlopen(url, timeout=5).close()
                    break
                except URLError:
                    if server.poll() is not None:
                        sys.exit("gunicorn does not start")
                    time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait(60)


def measured(url: str, seconds: int, script: Path) -> tuple[float, float, float]:
    """Requests a second, the median and the 99th of a hundred in milliseconds; ends the program on an error."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "30s", "-s", str(script), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    times = {at: float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit] for at, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", output)}
    assert rate, output
    return float(rate[1]), times["50"], times["99"]


def run(given: dict[str, Any], folder: Path, seconds: int) -> list[tuple[float, float, float]]:
    script = folder / "visitors.lua"
    with served(given) as url:
        cookies = []
        for _ in range(VISITORS):
            with urlopen(url) as answer:
                cookies.append(answer.headers["Set-Cookie"].partition(";")[0])
        script.write_text(SCRIPT % ", ".join(json.dumps(cookie) for cookie in cookies))
        measured(url, 1, script)
        return [measured(url + page, seconds, script) for page in ("", "look")]


def main() -> None:
    seconds, backends = int((sys.argv[1:] or ["5"])[0]), "django.contrib.sessions.backends"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = settings(folder, f"{backends}.db", None)
        code = "import counted; from django.core.management import call_command; from django.db import connection; call_command('migrate', verbosity=0); connection.cursor().execute('PRAGMA journal_mode=WAL')"
        subprocess.run([sys.executable, "-c", code], cwd=HERE, check=True, env={**os.environ, "BENCH_SETTINGS": json.dumps(database)})
        kinds = (
            ("memory", "memory:", ("cache", "default")),
            ("a cookie", "cookie:", ("signed_cookies", "default")),
            ("SQLite", "django:default", ("db", "default")),
            ("Redis", f"unix://{folder}/redis.sock", ("cache", "redis")),
            ("Redis", f"unix://{folder}/redis.sock", ("cache", "django-redis")),
        )
        print("| page, where | tuile, a second | p50, ms | p99, ms | Django's own | a second | p50, ms | p99, ms |")
        print("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |")
        with others.redis(f"{folder}/redis.sock"):
            for where, store, (backend, alias) in kinds:
                pair = settings(folder, "tuile.django", store), settings(folder, f"{backends}.{backend}", None, alias)
                rounds = [[run(given, folder, seconds) for given in pair] for _ in range(3)]
                ours, theirs = ([max(of_page) for of_page in zip(*of_one)] for of_one in zip(*rounds))
                own = backend if alias == "default" else f"{backend}, {alias}"
                for page, a, b in zip(("add 1", "read"), ours, theirs):
                    print(f"| {page}, {where} | {a[0]:.0f} | {a[1]:.2f} | {a[2]:.2f} | {own} | {b[0]:.0f} | {b[1]:.2f} | {b[2]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
