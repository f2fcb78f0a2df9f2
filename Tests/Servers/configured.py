"""The configurations of docs/nginx.md and docs/apache.md, turned to the test's folder, and the servers that run them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote as quote

from processes import BUILD, ROOT, Apache, Front, free_port

APACHE_MODULE = BUILD / "apache/mod_tuile.so"
# Debian's, or another one with the module that was built for it.
NGINX = os.environ.get("TUILE_NGINX", "/usr/sbin/nginx")
NGINX_MODULE = Path(os.environ.get("TUILE_NGINX_MODULE", BUILD / "nginx/ngx_http_tuile_module.so"))


def block(document: str, language: str, number: int = 0) -> str:
    text = (ROOT / "docs" / document).read_text()
    return text.split(f"```{language}\n")[number + 1].split("```")[0]


def replaced(text: str, values: dict[str, object]) -> str:
    for old, new in values.items():
        assert old in text, f"the documented configuration has no {old}"
        text = text.replace(old, str(new))
    return text


class Site:
    """What a server in front is given: the application's port, database and secret."""

    def __init__(self, folder: Path, application: int, store: str, secret: str) -> None:
        self.folder, self.application, self.store = folder, application, store
        folder.mkdir(parents=True, exist_ok=True)
        self.secret_file = folder / "secret"
        self.secret_file.write_text(secret + "\n")
        self.secret_file.chmod(0o600)
        self.members = folder / "members"
        self.members.mkdir(exist_ok=True)
        (self.members / "page.html").write_text("for members\n")
        (self.members / "index.html").write_text("their index\n")


def nginx_config(site: Site, port: int, locations: str = "", http: str = "", main: str = "") -> Path:
    """A slow machine is no store that stands still: there is no deadline but where a test sets one."""
    if "tuile_deadline" not in http:
        http = f"tuile_deadline 600s;\n{http}"
    text = replaced(
        block("nginx.md", "nginx"),
        {
            "modules/ngx_http_tuile_module.so": NGINX_MODULE,
            "sqlite:///srv/app/db.sqlite3": site.store,
            "/etc/nginx/tuile.key": site.secret_file,
            "http://127.0.0.1:8000": f"http://127.0.0.1:{site.application}",
            "/srv/app/members/": f"{site.members}/",
            "listen 8080;": f"listen 127.0.0.1:{port};\n{locations}",
            "worker_processes 2;": "" if "worker_processes" in main else "worker_processes 2;",
            "http {": f"http {{\n{http}\n"
            + "".join(f"{name}_temp_path {site.folder};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + "log_format test '$status $uri $tuile_session_pages';\n"
            + f"access_log {site.folder}/access.log test;\n",
        },
    )
    user = "user www-data;\n" if os.geteuid() == 0 else ""
    path = site.folder / "nginx.conf"
    path.write_text(f"daemon off;\npid {site.folder}/pid;\nerror_log {site.folder}/error.log info;\nenv TUILE_MODULE_PATH;\n{user}{main}\n{text}")
    return path


def nginx(site: Site, prefix: tuple[str, ...] = (), **extra: str) -> Front:
    port = free_port()
    config = nginx_config(site, port, **extra)
    command = [*prefix, NGINX, "-p", site.folder, "-c", config, "-e", site.folder / "error.log"]
    return Front(site.folder, port, command, graceful=signal.SIGQUIT)


def nginx_test(site: Site, **extra: str) -> tuple[int, str]:
    """nginx -t: its exit status and what it says."""
    config = nginx_config(site, free_port(), **extra)
    command = [NGINX, "-t", "-p", site.folder, "-c", config, "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


APACHE_MODULES = "authn_core authn_file auth_basic authz_core authz_user authz_host alias cgid headers proxy proxy_http dir env rewrite"


def apache_config(site: Site, port: int, locations: str = "", http: str = "", main: str = "", mpm: str = "event") -> Path:
    """`http` stands before the documented configuration, `locations` after it."""
    program = site.folder / "count"
    program.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' \"$TUILE_SESSION_PAGES\"\n")
    program.chmod(0o755)
    text = replaced(
        block("apache.md", "apache"),
        {
            "modules/mod_tuile.so": APACHE_MODULE,
            "sqlite:///srv/app/db.sqlite3": site.store,
            "/etc/apache2/tuile.key": site.secret_file,
            "http://127.0.0.1:8000/": f"http://127.0.0.1:{site.application}/",
            "/srv/app/members/": f"{site.members}/",
            "Listen 8080": f"Listen 127.0.0.1:{port}\nProxyPass /test/ !\nScriptAlias /count {program}",
        },
    )
    load = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in [f"mpm_{mpm}", *APACHE_MODULES.split()])
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    path = site.folder / "apache.conf"
    path.write_text(
        f"ServerRoot {site.folder}\nServerName 127.0.0.1\nPidFile pid\nErrorLog error.log\nScriptSock cgi\n"
        f"DefaultRuntimeDir {site.folder}\nLogLevel info\nDirectoryIndex index.html\nStartServers 2\n"
        f"{load}{user}{main}\n"
        'LogFormat "%>s %U %{TUILE_SESSION_PAGES}e" test\nCustomLog access.log test\n'
        f"{http}\n{text}\n{locations}\n"
    )
    return path


def apache(
    site: Site, prefix: tuple[str, ...] = (), options: tuple[str, ...] = ("-DFOREGROUND",), **extra: str
) -> Front:
    port = free_port()
    config = apache_config(site, port, **extra)
    command = [*prefix, "/usr/sbin/apache2", "-f", config, *options]
    return Apache(site.folder, port, command)


def apache_test(site: Site, **extra: str) -> tuple[int, str]:
    """apachectl configtest: its exit status and what it says."""
    config = apache_config(site, free_port(), **extra)
    command = ["/usr/sbin/apache2", "-f", config, "-t"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


# ---- the gate as a daemon, and the proxies that ask it ----

GATE = BUILD / "tuile-gate"


def gate_config(site: Site, port: int, proxy: str, locations: str = "", top: str = "") -> Path:
    text = replaced(
        block("gate.md", "nginx"),
        {
            "127.0.0.1:4180": f"127.0.0.1:{port}",
            "nginx;": f"{proxy};",
            "sqlite:///srv/app/db.sqlite3": site.store,
            "/etc/tuile/gate.key": site.secret_file,
        },
    )
    folder = site.folder / "gate"
    folder.mkdir(exist_ok=True)
    path = folder / "gate.conf"
    path.write_text(f"{top}\n{text}\n{locations}\n")
    return path


def gate(site: Site, proxy: str, prefix: tuple[str, ...] = (), **extra: str) -> Front:
    port = free_port()
    config = gate_config(site, port, proxy, **extra)
    user = ("setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups") if os.geteuid() == 0 else ()
    if user:
        for path in (site.secret_file, config.parent):
            shutil.chown(path, "www-data")
    return Front(config.parent, port, [*prefix, *user, GATE, "-c", config], graceful=signal.SIGTERM)


def gate_test(config: Path, *options: str) -> tuple[int, str]:
    """tuile-gate -t: its exit status and what it says."""
    done = subprocess.run([GATE, "-t", "-c", config, *options], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def proxy_nginx(site: Site, asked: int) -> Front:
    port, folder = free_port(), site.folder / "proxy"
    folder.mkdir()
    text = replaced(
        block("gate.md", "text", 0),
        {
            "127.0.0.1:4180": f"127.0.0.1:{asked}",
            "listen 8080": f"listen 127.0.0.1:{port}",
            "http://127.0.0.1:8000": f"http://127.0.0.1:{site.application}",
        },
    )
    temporary = "".join(f"{name}_temp_path {folder};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log info;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{text}\n}}\n"
    )
    return Front(folder, port, ["/usr/sbin/nginx", "-p", folder, "-c", path, "-e", folder / "error.log"], graceful=signal.SIGQUIT)


def proxy_caddy(site: Site, asked: int, number: int = 1) -> Front:
    port, folder = free_port(), site.folder / "proxy"
    folder.mkdir()
    text = replaced(
        block("gate.md", "text", number),
        {
            "127.0.0.1:4180": f"127.0.0.1:{asked}",
            ":8080 {": f"http://:{port} {{\n\tbind 127.0.0.1",
            "reverse_proxy 127.0.0.1:8000": f"reverse_proxy 127.0.0.1:{site.application}",
        },
    )
    path = folder / "Caddyfile"
    path.write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    home = ["env", f"XDG_DATA_HOME={folder}", f"XDG_CONFIG_HOME={folder}"]
    return Front(folder, port, [*home, "/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", path], graceful=signal.SIGTERM)


def proxy_haproxy(site: Site, asked: int) -> Front:
    port, folder = free_port(), site.folder / "proxy"
    folder.mkdir()
    text = replaced(
        block("gate.md", "text", 3),
        {
            "/usr/share/tuile-gate/haproxy.lua": ROOT / "bindings/c/daemon/haproxy.lua",
            "127.0.0.1:4180": f"127.0.0.1:{asked}",
            "bind :8080": f"bind 127.0.0.1:{port}",
            "127.0.0.1:8000": f"127.0.0.1:{site.application}",
        },
    )
    path = folder / "haproxy.cfg"
    path.write_text(text)
    return Front(folder, port, ["/usr/sbin/haproxy", "-db", "-f", path], graceful=signal.SIGUSR1)
