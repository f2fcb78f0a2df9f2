"""Starts five applications, each with sessions of its own framework's, that share one login, behind one nginx.

    python run.py [--port 8000] [--folder FOLDER]

Log in as "ada" with the password that is printed: Django, an Express-like page, PHP, Flask and the page counter in C know
you, and /who is nginx itself. Log out, and all have forgotten you. docs/layouts.md says how.

Needs: pip install tuile django redis flask flask-session flask-login gunicorn; redis-server, php-cli, nginx with Tuile's module,
and the command tuile.
"""

from __future__ import annotations

import argparse
import json
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
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user}
load_module {module};
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_set_header Host $http_host;

  tuile_store "{redis}?layout=django-cache";      # Django's sessions, where Django has them
  tuile_secret_file {folder}/secret;              # for the users' password hashes alone
  tuile_django_users sqlite://{folder}/site.db;   # whoever was deactivated is out
  tuile_variable $who @username;

  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{django}; }}
    location = /who {{ default_type text/html; return 200 "<h1 id=hello>nginx knows $who</h1>"; }}

    # Nobody gets to the others without Django's login, whatever their own sessions say.
    location /express/ {{ tuile_require on; tuile_login_url /accounts/login/; proxy_pass http://127.0.0.1:{express}; }}
    location /php/     {{ tuile_require on; tuile_login_url /accounts/login/; proxy_pass http://127.0.0.1:{php}; }}
    location /flask/   {{ tuile_require on; tuile_login_url /accounts/login/; proxy_pass http://127.0.0.1:{flask}; }}
    location /counter/ {{ tuile_require on; tuile_login_url /accounts/login/; proxy_pass http://127.0.0.1:{counter}/; }}
  }}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def nginx_module() -> Path:
    places = [os.environ.get("TUILE_NGINX_MODULE", ""), "/usr/lib/nginx/modules/ngx_http_tuile_module.so"]
    for place in places:
        if place and Path(place).exists():
            return Path(place)
    sys.exit("nginx' module of Tuile is not installed: TUILE_NGINX_MODULE may name ngx_http_tuile_module.so")


def needed(program: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    return found or sys.exit(f"{program} is not installed")


def start(stack: ExitStack, command: list[object], **options: object) -> None:
    process = subprocess.Popen([str(word) for word in command], text=True, **options)  # type: ignore[call-overload]

    def stop() -> None:
        process.terminate()
        process.wait(20)

    stack.callback(stop)


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


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {port}")


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
        "from django.contrib.auth.models import User; User.objects.create_user('ada', password=os.environ['PASSWORD'])"
    )
    environment = {**os.environ, "SITE_FOLDER": str(folder), "PASSWORD": password}
    subprocess.run([sys.executable, "-c", program], cwd=HERE, env=environment, check=True)
    return password


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    parser.add_argument("--folder", type=Path, help="where the site is kept; a new one that goes at the end, if not given")
    options = parser.parse_args()
    # A signal ends this as Ctrl-C does, and what it started with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        folder = (options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        sessions = folder / "php"
        folder.mkdir(exist_ok=True)
        sessions.mkdir(mode=0o700, exist_ok=True)
        ports = {name: free_port() for name in ("redis", "php", "counter")}
        redis = f"redis://127.0.0.1:{ports['redis']}/0"
        places = {"redis": redis, "express": f"{redis}?layout=express", "flask": f"{redis}?layout=flask-session",
                  "php": f"file://{sessions}?layout=php", "express_secret": secrets.token_urlsafe(32),
                  "flask_secret": secrets.token_urlsafe(32)}  # fmt: skip
        (folder / "places.json").touch(0o600)
        (folder / "places.json").write_text(json.dumps(places))
        start(stack, [needed("redis-server"), "--port", ports["redis"], "--bind", "127.0.0.1", "--dir", folder, "--logfile", folder / "redis.log"])
        wait_for_port(ports["redis"])
        password = make_site(folder)
        settings = ["-d", f"session.save_path={sessions}", "-d", "session.use_strict_mode=1", "-d", "session.cookie_httponly=1"]
        log = stack.enter_context((folder / "php.log").open("a"))
        start(stack, [needed("php"), *settings, "-S", f"127.0.0.1:{ports['php']}", HERE / "index.php"], stdout=log, stderr=log)
        # The page counter in C, in Django's own session.
        log = stack.enter_context((folder / "counter.log").open("a"))
        secret = ["--secret-file", folder / "secret"]
        start(stack, [os.environ.get("TUILE_TOOL") or needed("tuile"), "serve", *secret, "--port", ports["counter"], f"{redis}?layout=django-cache"], stdout=log)
        for name, module in (("django", "project"), ("express", "express_page"), ("flask", "flask_page")):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            ports[name] = listening.getsockname()[1]
            start(
                stack,
                [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}", "--threads", 4]
                + ["--log-level", "warning", f"{module}:application"],
                cwd=HERE, env={**os.environ, "SITE_FOLDER": str(folder)}, pass_fds=[listening.fileno()],
            )  # fmt: skip
        port = options.port or free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        del ports["redis"]
        text = NGINX.format(folder=folder, port=port, redis=redis, module=nginx_module(), user=user, **ports)
        (folder / "nginx.conf").write_text(text)
        start(stack, [needed("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "nginx.log"])
        for name in ("php", "counter"):
            wait_for_port(ports[name])
        wait_for(f"http://127.0.0.1:{port}/")
        print(f"http://127.0.0.1:{port}/ {'ada ' + password if password else ''}".strip(), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
