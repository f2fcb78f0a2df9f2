"""nginx, Apache and the gate let in who is logged in by the framework itself, whose sessions are on the server."""

from __future__ import annotations

import http.server
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from configured import APACHE_MODULE, APACHE_MODULES, GATE, NGINX, NGINX_MODULE
from conftest import open_folder
from frameworks import FRAMEWORKS as SERVED
from frameworks import Browser, Framework
from processes import BUILD, Apache, Front, free_port, wait_for_port
from scripted import FRAMEWORKS as SCRIPTED

FRAMEWORKS = {**SERVED, **SCRIPTED}

pytestmark = [
    pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="libtuile-redis.so is not built"),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server on the PATH"),
]


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    port = free_port()
    with open_folder() as name:
        log = Path(name) / "log"
        with log.open("w") as output:
            command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", name, "--save", ""]
            process = subprocess.Popen(command, stdout=output, stderr=output, text=True)
        try:
            wait_for_port(port, process, log)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def running_framework(which: str, redis: str) -> Iterator[Framework]:
    """In a folder of its own; skipped where it is not there."""
    if which == "php" and shutil.which("php") is None:
        pytest.skip("there is no php on the PATH")
    if which == "flask-session":
        pytest.importorskip("flask_session")
        pytest.importorskip("flask_login")
    with open_folder() as name, FRAMEWORKS[which](Path(name) / "application", redis).running() as running:
        yield running


@pytest.fixture(scope="module", params=list(FRAMEWORKS))
def framework(request: pytest.FixtureRequest, redis: str) -> Iterator[Framework]:
    with running_framework(request.param, redis) as running:
        yield running


class Echo(http.server.BaseHTTPRequestHandler):
    """The application behind the proxy: whom it is told of."""

    def do_GET(self) -> None:
        said = self.headers.get("X-Who", "nobody").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Settings:
    """What each server is told of a framework: the same words."""

    def __init__(self, folder: Path, framework: Framework) -> None:
        self.folder, self.framework = folder, framework
        secret = folder / "secret"
        if framework.secret:
            secret.write_text(framework.secret + "\n")
            secret.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(secret, "www-data")
        self.secret = secret

    def lines(self, style: str) -> str:
        words = {"store": f'"{self.framework.url}"', "cookie_name": self.framework.cookie_name}
        if self.framework.secret:
            words["secret_file"] = f"{self.secret} weak"
        if self.framework.login_key:
            words["login_key"] = self.framework.login_key
        if style == "apache":
            return "".join(f"Tuile{name.title().replace('_', '')} {value}\n" for name, value in words.items())
        return "".join(f"tuile_{name} {value};\n" for name, value in words.items())


def nginx(settings: Settings, echo: int) -> Front:
    port, folder = free_port(), settings.folder
    user = "user www-data;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; load_module {NGINX_MODULE}; pid {folder}/pid; {user}\nevents {{}}\nhttp {{ access_log off; {temporary}\n{settings.lines('nginx')}"
        f"server {{ listen 127.0.0.1:{port}; location = /members {{ tuile_require on; try_files /none =204; }}\n"
        f"location = /who {{ tuile_identity_header X-Who @login; proxy_pass http://127.0.0.1:{echo}; }} }} }}\n"
    )
    return Front(folder, port, [NGINX, "-p", folder, "-c", path, "-e", folder / "error.log"], graceful=signal.SIGQUIT)


def apache(settings: Settings, echo: int) -> Front:
    port, folder = free_port(), settings.folder
    load = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in ["mpm_event", *APACHE_MODULES.split()])
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    (folder / "page.html").write_text("for members\n")
    path = folder / "apache.conf"
    path.write_text(
        f"ServerRoot {folder}\nServerName 127.0.0.1\nPidFile pid\nErrorLog error.log\nDefaultRuntimeDir {folder}\nScriptSock cgi\nLogLevel info\n{load}{user}"
        f"LoadModule tuile_module {APACHE_MODULE}\nListen 127.0.0.1:{port}\n{settings.lines('apache')}Alias /members {folder}/page.html\n"
        f"ProxyPass /who http://127.0.0.1:{echo}/\n<Location /members>\nRequire tuile-session\n</Location>\n"
        "<Location /who>\nTuileIdentityHeader X-Who @login\n</Location>\n"
    )
    return Apache(folder, port, ["/usr/sbin/apache2", "-f", path, "-DFOREGROUND"])


def gate(settings: Settings, echo: int) -> Front:
    port, folder = free_port(), settings.folder
    path = folder / "gate.conf"
    path.write_text(
        f"listen 127.0.0.1:{port};\ntuile_proxy nginx;\n{settings.lines('gate')}location /members {{ tuile_require on; }}\n"
        "location /who { tuile_identity_header X-Who @login; }\n"
    )
    user = ("setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups") if os.geteuid() == 0 else ()
    return Front(folder, port, [*user, GATE, "-c", path], graceful=signal.SIGTERM)


SERVERS = {"nginx": nginx, "apache": apache, "gate": gate}


@pytest.fixture(params=list(SERVERS))
def server(request: pytest.FixtureRequest, framework: Framework, echo: int) -> Iterator[Front]:
    with open_folder() as name:
        if os.geteuid() == 0:
            shutil.chown(name, "www-data")
        front = SERVERS[request.param](Settings(Path(name), framework), echo)
        yield front
        front.stop()


def who(server: Front, browser: Browser) -> str:
    status, body, headers = browser.ask(server.port, "/who")
    assert status == 200
    return headers.get("X-Who") or body or "nobody"


def test_who_is_logged_in_passes_and_nobody_else(framework: Framework, server: Front) -> None:
    stranger, visitor, anna = Browser(), Browser(), Browser()
    assert stranger.ask(server.port, "/members")[0] == 401 and who(server, stranger) == "nobody"
    framework.visit(visitor)
    assert visitor.ask(server.port, "/members")[0] == 401 and who(server, visitor) == "nobody"
    name = framework.log_in(anna)
    assert anna.ask(server.port, "/members")[0] in (200, 204)
    assert who(server, anna) == name
    # Nobody has a part of it: a cookie that is another's, or none's.
    for value in ("x" * 32, anna.cookies[framework.cookie_name][:-1], "../" + anna.cookies[framework.cookie_name], ""):
        stranger.cookies = {framework.cookie_name: value}
        assert stranger.ask(server.port, "/members")[0] == 401, value
    if framework.secret:
        signed = anna.cookies[framework.cookie_name]
        for forged in (*framework.forged(signed), signed[:-4] + "AAAA"):
            stranger.cookies = {framework.cookie_name: forged}
            assert stranger.ask(server.port, "/members")[0] == 401, forged
    kept = dict(anna.cookies)
    framework.log_out(anna)
    anna.cookies = kept
    assert anna.ask(server.port, "/members")[0] == 401 and who(server, anna) == "nobody"
