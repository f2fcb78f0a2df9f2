"""gunicorn or uWSGI with 4 workers of 4 threads, wrk, many visitors: each request counts, none fails, no memory is lost.

    python load.py SECONDS [gunicorn|uwsgi]
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

from tuile.sessions import Manager

HERE = Path(__file__).resolve().parent
VISITORS, CONNECTIONS = 32, 16
# Pages of memory that a worker may grow by once it is warm: caches of the interpreter, threads that start late.
GROWTH = 4 << 20
SCRIPT = """
local cookies = {%s}
request = function() return wrk.format("GET", "/", {["Cookie"] = cookies[math.random(#cookies)]}) end
"""


def resident(process: int) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[0]) * 1024


def workers(master: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def new_cookies(store: str) -> list[str]:
    with Manager(store=store, secret="a secret of the load test, of thirty-two bytes and more") as manager:
        found = []
        for _ in range(VISITORS):
            with manager.begin("") as session:
                session["count"] = 0
                found.append(dict(session.commit())["Set-Cookie"].partition(";")[0])
        return found


def counted(store: str, cookies: list[str]) -> int:
    with Manager(store=store, secret="a secret of the load test, of thirty-two bytes and more") as manager:
        total = 0
        for cookie in cookies:
            with manager.begin(cookie) as session:
                total += session["count"]
        return total


def command(server: str, descriptor: int) -> list[str]:
    """gunicorn loads the application in each worker, uWSGI before it forks them."""
    if server == "gunicorn":
        options = ["--bind", f"fd://{descriptor}", "-w", "4", "--threads", "4", "--timeout", "120", "--log-level", "warning"]
        return [sys.executable, "-m", "gunicorn", *options, "application:application"]
    options = ["--http11-socket", f"fd://{descriptor}", "-p", "4", "--threads", "4", "--die-on-term", "--disable-logging", "--logto", "/dev/null"]
    return [str(Path(sys.executable).with_name("uwsgi")), "--master", *options, "--module", "application:application"]


def wait_until_served(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            # No session of a visitor's: its count is not looked at.
            urlopen(Request(url), timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the server does not answer")


def wrk(url: str, seconds: int, script: Path) -> tuple[int, float]:
    """How many answers it got, and how many a second; ends the program on an error."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s", "-s", script, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(output)
    answers, rate = re.search(r"(\d+) requests in", output), re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert answers and rate, output
    return int(answers[1]), float(rate[1])


def answered(folder: Path) -> int:
    return sum(int.from_bytes(path.read_bytes(), "little") for path in folder.glob("answered.*"))


def settle(folder: Path) -> None:
    """Waits for requests that wrk did not wait for: uWSGI ends its workers in the middle of them."""
    before = -1
    while (now := answered(folder)) != before:
        before = now
        time.sleep(1)


def main() -> None:
    seconds, kind = int(sys.argv[1]), (sys.argv[2:] or ["gunicorn"])[0]
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        folder, url = Path(name), f"http://127.0.0.1:{listening.getsockname()[1]}/"
        store = f"sqlite://{folder}/sessions.db?busy=30000"
        cookies = new_cookies(store)
        script = folder / "visitors.lua"
        script.write_text(SCRIPT % ", ".join(f'"{cookie}"' for cookie in cookies))
        server = subprocess.Popen(
            command(kind, listening.fileno()), cwd=HERE, env={**os.environ, "LOAD_FOLDER": name}, pass_fds=[listening.fileno()]
        )
        try:
            wait_until_served(url)
            warm_answers, _ = wrk(url, max(2, seconds // 4), script)
            warm = {pid: resident(pid) for pid in workers(server.pid)}
            answers, rate = wrk(url, seconds, script)
            grown = {pid: resident(pid) - before for pid, before in warm.items()}
            settle(folder)
        finally:
            server.terminate()
            server.wait(60)
        # Those that never had a cookie counted in sessions of their own.
        without = 1
        committed = answered(folder) - without
        total = counted(store, cookies)
    print(f"{kind}: {answers} answers in {seconds} s ({rate:.0f} a second), {total} of {committed} counted")
    print("workers grew by " + ", ".join(f"{size >> 10} KiB" for size in grown.values()))
    if total != committed or not 0 <= total - warm_answers - answers <= 2 * CONNECTIONS:
        sys.exit("the counter is not exact")
    if any(size > GROWTH for size in grown.values()) or len(grown) != 4:
        sys.exit("memory grew, or a worker ended")


if __name__ == "__main__":
    main()
