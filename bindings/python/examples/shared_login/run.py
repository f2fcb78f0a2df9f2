"""Starts a Django project and a C server that share one login, behind one nginx.

    python run.py [--port 8000] [--folder FOLDER]

Log in at /admin/ as "ada" with the password that is printed: /hello/ is the C server. Log out in one, and
you are out in the other. Needs: pip install tuile django gunicorn; nginx, a C compiler, libmicrohttpd-dev.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_set_header Host $http_host;
  server {{
    listen 127.0.0.1:{port};
    location /hello/ {{ proxy_pass http://127.0.0.1:{greeter}; }}
    location / {{ proxy_pass http://127.0.0.1:{django}; }}
  }}
}}
"""


def build_greeter(folder: Path) -> Path:
    program = folder / "greeter"
    flags = os.environ.get("TUILE_CFLAGS") or subprocess.check_output(["pkg-config", "--cflags", "--libs", "tuile"], text=True)
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-o", program, HERE / "greeter.c", *flags.split(), "-lmicrohttpd"]
    subprocess.run(command, check=True)
    return program


def make_site(folder: Path) -> str:
    """The database with one user; gives the password, or "" if the user is there already."""
    secret = folder / "secret"
    if secret.exists():
        return ""
    secret.touch(0o600)
    secret.write_text(secrets.token_urlsafe(32) + "\n")
    password = secrets.token_urlsafe(9)
    program = (
        "import os, project; from django.core.management import call_command; call_command('migrate', verbosity=0); "
        "from django.contrib.auth.models import User; "
        "User.objects.create_superuser('ada', password=os.environ['PASSWORD'], first_name='Ada', last_name='Lovelace')"
    )
    environment = {**os.environ, "SITE_FOLDER": str(folder), "PASSWORD": password}
    subprocess.run([sys.executable, "-c", program], cwd=HERE, env=environment, check=True)
    return password


def start(stack: ExitStack, command: list[object], **options: object) -> subprocess.Popen[str]:
    process = subprocess.Popen([str(word) for word in command], text=True, **options)  # type: ignore[call-overload]

    def stop() -> None:
        process.terminate()
        process.wait(20)

    stack.callback(stop)
    return process  # type: ignore[no-any-return]


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    parser.add_argument("--folder", type=Path, help="where the site is kept; a new one that goes at the end, if not given")
    options = parser.parse_args()
    # A signal ends this as Ctrl-C does, and what it started with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        password = make_site(folder.resolve())
        greeter = start(
            stack, [build_greeter(folder), f"sqlite://{folder.resolve()}/site.db", folder / "secret"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert greeter.stdout is not None
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        start(
            stack,
            [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}", "--workers", 2, "--threads", 4]
            + ["--log-level", "warning", "project:application"],
            cwd=HERE, env={**os.environ, "SITE_FOLDER": str(folder.resolve())}, pass_fds=[listening.fileno()],
        )  # fmt: skip
        port = options.port or free_port()
        places = {"greeter": greeter.stdout.readline().strip(), "django": listening.getsockname()[1]}
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder.resolve(), port=port, **places))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        start(stack, [nginx, "-p", folder, "-c", configuration.resolve(), "-e", folder.resolve() / "nginx.log"])
        wait_for(f"http://127.0.0.1:{port}/")
        print(f"http://127.0.0.1:{port}/ {'ada ' + password if password else ''}".strip(), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
