"""The FastCGI program, started by spawn-fcgi, behind nginx."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ports import free_port  # noqa: E402
from program import COMMAND, SECRET, Visitor, check, environment, folder  # noqa: E402

CONFIG = """
daemon off; master_process off; pid pid; error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  server {
    listen 127.0.0.1:PORT;
    location / { fastcgi_pass unix:SOCKET; fastcgi_param HTTP_COOKIE $http_cookie; fastcgi_param REQUEST_METHOD GET; }
  }
}
"""


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(visitor: Visitor) -> None:
    deadline = time.monotonic() + 120
    while (answer := visitor.get("/")).status == 502:  # it has not started yet
        check(time.monotonic() < deadline)
        time.sleep(0.1)
    check((answer.status, answer.body) == (200, "1\n"), answer)
    check(answer.headers["Vary"] == "Cookie" and visitor.get("/").body == "2\n")
    with ThreadPoolExecutor(8) as threads:  # one visitor's requests at once: none is lost
        seen = sorted(int(answer.body) for answer in threads.map(lambda _: visitor.get("/"), range(40)))
    check(seen == list(range(3, 43)), seen)
    check(Visitor(visitor.url).get("/").body == "1\n")


def main(here: Path) -> None:
    port, path = free_port(), here / "socket"
    (here / "t").mkdir()
    (here / "nginx.conf").write_text(CONFIG.replace("PORT", str(port)).replace("SOCKET", str(path)))
    settings = environment(TUILE_STORE=f"sqlite://{here}/db", TUILE_SECRET=SECRET)
    program = subprocess.Popen(["spawn-fcgi", "-n", "-s", path, "--", *COMMAND], env=settings)
    nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", here, "-c", here / "nginx.conf", "-e", here / "error.log"])
    try:
        deadline = time.monotonic() + 60
        while not reachable(port) and time.monotonic() < deadline:
            time.sleep(0.05)
        run(Visitor(f"http://127.0.0.1:{port}"))
    finally:
        nginx.send_signal(signal.SIGQUIT)
        nginx.wait(60)
        program.terminate()
        code = program.wait(120)
    check(code == 0, f"it ended with {code}")


if not shutil.which("spawn-fcgi") or not shutil.which("/usr/sbin/nginx"):
    sys.exit("spawn-fcgi and nginx are needed: scripts/install-packages")
with folder() as here:
    main(here)
