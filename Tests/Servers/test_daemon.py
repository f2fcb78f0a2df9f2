"""The daemon by itself: its configuration, its life, and what Traefik's and Envoy's manuals say that they send."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import configured
import pytest
from configured import GATE, Site
from processes import Front, copy_database, free_port
from visitor import Response, Visitor

Run = Callable[..., Front]


@pytest.fixture
def run(site: Site) -> Iterator[Run]:
    started: list[Front] = []

    def run(proxy: str = "traefik", **extra: str) -> Front:
        started.append(configured.gate(site, proxy, **extra))
        return started[-1]

    yield run
    for front in started:
        if front.process.poll() is None:
            front.stop()


@pytest.fixture
def cookie(site: Site) -> str:
    """Of anna, who has logged in."""
    visitor = Visitor(site.application)
    visitor.log_in()
    assert visitor.cookie
    return visitor.cookie


TRAEFIK = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example", "X-Forwarded-Uri": "/members/?a=b", "X-Forwarded-For": "192.0.2.1"}


def test_traefik_s_documented_request(run: Run, cookie: str) -> None:
    visitor = Visitor(run("traefik").port)
    response = visitor.get("/members", headers=TRAEFIK)
    assert response.status == 302 and response.header("Location") == "https://app.example/accounts/login/?next=%2Fmembers%2F%3Fa%3Db"
    assert response.header("Cache-Control") == "no-store" and response.body == ""
    visitor.cookie = cookie
    response = visitor.get("/members", headers=TRAEFIK)
    assert response.status == 200 and response.header("X-User") == "1" and response.header("X-Tuile-Status") == "found"
    open_to_all = Visitor(visitor.port).get("/open", headers=TRAEFIK)
    assert open_to_all.status == 200 and open_to_all.header("X-User") == ""


def test_envoy_s_documented_request(run: Run, cookie: str) -> None:
    visitor = Visitor(run("envoy").port)
    sent = {"Host": "app.example", "X-Forwarded-Proto": "https", "Content-Length": "0"}
    for method in ("GET", "POST", "DELETE"):
        response = visitor.get("/members/page?a=b", method=method, headers=sent)
        assert response.status == 302 and response.header("Location") == "/accounts/login/?next=%2Fpage%3Fa%3Db"
    visitor.cookie = cookie
    assert visitor.get("/members/page?a=b", headers=sent).header("X-User") == "1"
    for path in ("/member", "/membersx", "/", "/healthz/", "//members", "/other/members", "/%6Dembers", "/members?x"):
        assert visitor.get(path, headers=sent).status == 404, path


def test_a_login_elsewhere(run: Run) -> None:
    visitor = Visitor(run("caddy", locations="location /far { tuile_require on; tuile_login_url https://login.example/?x=1; }").port)
    said = visitor.get("/far", headers=TRAEFIK).header("Location")
    assert said == "https://login.example/?x=1&next=https%3A%2F%2Fapp.example%2Fmembers%2F%3Fa%3Db"
    for wrong in ({"X-Forwarded-Host": "a b"}, {"X-Forwarded-Host": "evil.test/x"}, {"X-Forwarded-Proto": "javascript"}, {"X-Forwarded-Uri": "//evil.test"}, {"X-Forwarded-Uri": "/\\evil.test"}):
        said = visitor.get("/far", headers={**TRAEFIK, **wrong}).header("Location")
        assert said == "https://login.example/?x=1", (wrong, said)


def test_the_login_is_reached_inside_what_it_protects(run: Run) -> None:
    visitor = Visitor(run("caddy").port)
    assert visitor.get("/members", headers={**TRAEFIK, "X-Forwarded-Uri": "/accounts/login/?next=%2F"}).status == 200
    for other in ("/accounts/login/../../members/", "/accounts/login/x", "/accounts/login%2F", "//accounts/login/"):
        assert visitor.get("/members", headers={**TRAEFIK, "X-Forwarded-Uri": other}).status == 302, other


def test_methods_that_are_exempt(run: Run) -> None:
    exempt = "location /api { tuile_require on; tuile_exempt_methods OPTIONS; }"
    visitor = Visitor(run("caddy", locations=exempt).port)
    assert visitor.get("/api", headers={**TRAEFIK, "X-Forwarded-Method": "OPTIONS"}).status == 200
    for headers in (TRAEFIK, {**TRAEFIK, "X-Forwarded-Method": "options"}, {**TRAEFIK, "X-Original-Method": "OPTIONS"}):
        assert visitor.get("/api", method="OPTIONS", headers=headers).status == 401


def test_403_and_401(run: Run, cookie: str) -> None:
    visitor = Visitor(run("caddy", locations="location /admin { tuile_require admin; }").port)
    assert visitor.get("/admin", headers=TRAEFIK).status == 401
    assert visitor.get("/admin", headers=TRAEFIK).header("WWW-Authenticate") == 'Cookie realm="session"'
    visitor.cookie = cookie
    assert visitor.get("/admin", headers=TRAEFIK).status == 403
    assert visitor.get("/members", method="POST", headers=TRAEFIK).status == 200


def test_nginx_gets_the_login_with_a_401(run: Run) -> None:
    visitor = Visitor(run("nginx").port)
    response = visitor.get("/members", headers={"X-Original-URL": "https://app.example/members/", "X-Original-Method": "GET"})
    assert response.status == 401 and response.header("X-Login-URL") == "/accounts/login/?next=%2Fmembers%2F"


def test_several_cookie_headers_are_one(run: Run, cookie: str) -> None:
    port = run("caddy").port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", "/members")
    for value in ("a=1", f"sessionid={cookie}", "b=2"):
        connection.putheader("Cookie", value)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()


# ---- the configuration ----

MISTAKES = [
    ("tuile_storm x;", 'unknown directive "tuile_storm"'),
    ("tuile_cookie_secure perhaps;", "takes one of off, on"),
    ("tuile_refresh soon;", "takes seconds"),
    ("tuile_refresh 1h; tuile_refresh 2h;", "is duplicate"),
    ("tuile_max_data 1x;", "takes bytes"),
    ("tuile_require;", "takes off, or"),
    ("tuile_require any;", "takes a key"),
    ("tuile_require @staff;", "needs tuile_django_users"),
    ("tuile_secret_file /no/such/file;", "/no/such/file"),
    ("tuile_login_url javascript:alert;", "takes a path"),
    ("tuile_login_url /$uri;", "no variables"),
    ("tuile_identity_header Cookie x;", "can't set this header"),
    ("tuile_identity_header X_User x;", "letters, digits"),
    ("tuile_proxy squid;", "nginx, caddy, traefik, haproxy, envoy"),
    ("tuile_unavailable 200;", "from 400 to 599"),
    ("tuile_store sqlite:///no/such/folder/db;", "not there"),
    ("tuile_store sqlite:///no/such/folder/db?mode=ro;", "not there"),
    ("tuile_store nothing:///x;", "nothing"),
    ("tuile_count n; tuile_store STORE?mode=ro;", "mode=ro"),
    ("tuile_django_users redis://x;", "need the URL"),
    ("listen 127.0.0.1:1;", "outside of locations"),
    ("include /no/such/file;", "/no/such/file"),
    ('tuile_login_key "a;', "does not end"),
    ("tuile_login_key a", "does not end with ';'"),
    ("location /inner { }", "block in a location"),
    ("tuile_secret_file /nowhere rot13;", "takes hex, base64, weak and shared"),
]


@pytest.mark.parametrize("text,message", MISTAKES)
def test_a_mistake_names_its_file_and_line(site: Site, text: str, message: str) -> None:
    config = configured.gate_config(site, free_port(), "caddy", locations=f"location /wrong {{\n  {text.replace('STORE', site.store)}\n}}")
    status, said = configured.gate_test(config)
    assert status == 3 and message in said and re.search(r"gate\.conf:\d+", said), said
    lines = config.read_text().splitlines()
    number = int(re.findall(r"gate\.conf:(\d+)", said)[-1])
    assert number in range(lines.index("location /wrong {") + 1, len(lines) + 2)
    assert subprocess.run([GATE, "-c", config], capture_output=True, timeout=60).returncode == 3  # it does not start


def test_the_test_of_a_right_one_leaves_everything_as_it_is(site: Site, database: Path) -> None:
    before = {path: path.read_bytes() for path in database.parent.iterdir()}
    config = configured.gate_config(site, free_port(), "caddy")
    assert configured.gate_test(config) == (0, "")
    if os.geteuid() == 0:
        assert configured.gate_test(config, "-u", "www-data") == (0, "")
    assert {path: path.read_bytes() for path in database.parent.iterdir()} == before
    config.write_text(config.read_text().replace("tuile_proxy           caddy;", ""))
    status, said = configured.gate_test(config)
    assert status == 3 and "tuile_proxy has to say" in said


def test_a_secret_that_others_may_read(site: Site) -> None:
    config = configured.gate_config(site, free_port(), "caddy")
    site.secret_file.chmod(0o640)
    status, said = configured.gate_test(config)
    assert status == 3 and "others than its owner may open" in said
    config.write_text(config.read_text().replace(f"{site.secret_file};", f"{site.secret_file} shared;"))
    assert configured.gate_test(config) == (0, "")
    site.secret_file.chmod(0o660)
    status, said = configured.gate_test(config)
    assert status == 3 and "others than its owner may write" in said


def test_nginx_and_the_gate_share_a_file(site: Site, run: Run, cookie: str) -> None:
    shared = site.folder / "shared.conf"
    shared.write_text("tuile_cookie_name shared;\n")
    visitor = Visitor(run("caddy", top=f"include {shared};").port)
    visitor.cookie = cookie
    assert visitor.get("/members", headers=TRAEFIK).status == 302
    visitor.cookie_name = "shared"
    assert visitor.get("/members", headers=TRAEFIK).status == 200


# ---- its life ----


def wait_for(front: Front, text: str) -> None:
    deadline = time.monotonic() + 60
    while text not in front.output():
        assert time.monotonic() < deadline, front.output()
        time.sleep(0.05)


def test_a_reload_takes_the_new_configuration_or_keeps_the_old(site: Site, run: Run, cookie: str) -> None:
    front = run("caddy")
    visitor = Visitor(front.port)
    visitor.cookie = cookie
    config = front.folder / "gate.conf"
    right = config.read_text()
    assert visitor.get("/members", headers=TRAEFIK).status == 200
    for wrong, said in ((right + "tuile_storm x;", 'unknown directive "tuile_storm"'), (right.replace("listen ", "listen 127.0.0.1:1; listen "), "takes a restart")):
        config.write_text(wrong)
        front.reload(signal.SIGHUP)
        wait_for(front, said)
        wait_for(front, "the one before goes on")
        assert visitor.get("/members", headers=TRAEFIK).status == 200
    config.write_text(right.replace("tuile_require   on;", "tuile_require admin;"))
    front.reload(signal.SIGHUP)
    wait_for(front, "was reloaded")
    assert visitor.get("/members", headers=TRAEFIK).status == 403
    metrics = visitor.get("/metrics").body
    assert 'tuile_gate_reloads_total{result="failed"} 2' in metrics and 'tuile_gate_reloads_total{result="done"} 1' in metrics
    assert 'tuile_gate_answers_total{location="/members",answer="forbidden"} 1' in metrics
    assert re.search(r'tuile_gate_answer_seconds_count\{location="/members"\} 4\n', metrics)


def test_health(run: Run) -> None:
    response = Visitor(run("caddy").port).get("/healthz")
    assert (response.status, response.body) == (200, "ok\n")


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_its_end_answers_who_is_being_answered(site: Site, run: Run) -> None:
    front = run("caddy")
    slow = socket.create_connection(("127.0.0.1", front.port))
    slow.sendall(b"POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
    # Another connection was answered: the one before it was accepted.
    assert Visitor(front.port).get("/healthz").status == 200
    front.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 60
    while accepts(front.port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert front.process.poll() is None
    slow.sendall(b"cd")
    answer = slow.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200") and b"connection: close" in answer.lower()
    slow.close()
    assert front.process.wait(60) == 0


def ask_by_path(path: Path, target: str) -> Response:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(str(path))
    connection.request("GET", target)
    answer = connection.getresponse()
    response = Response(answer.status, answer.getheaders(), answer.read().decode())
    connection.close()
    return response


def test_a_unix_socket(site: Site, run: Run) -> None:
    path = site.folder / "gate.sock"
    config = configured.gate_config(site, free_port(), "caddy", top=f"listen unix:{path} mode=0660;")
    for _ in range(2):  # the second one finds the path that a crash has left
        process = subprocess.Popen([GATE, "-c", config], stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    response = ask_by_path(path, "/healthz")
                    break
                except OSError:
                    assert time.monotonic() < deadline and process.poll() is None
                    time.sleep(0.05)
            assert response.body == "ok\n" and path.stat().st_mode & 0o777 == 0o660
            other = subprocess.run([GATE, "-c", config], capture_output=True, text=True, timeout=60)
            assert other.returncode == 3 and "in use" in other.stderr
            assert ask_by_path(path, "/open").status == 200  # it took nothing away
        finally:
            process.kill()
            process.wait(60)
        assert path.exists()


ACTIVATE = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[2], sys.argv[2:])"


def test_systemd_s_socket(site: Site) -> None:
    path = configured.gate_config(site, free_port(), "caddy")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        command = ["python3", "-c", ACTIVATE, str(listener.fileno()), str(GATE), "-c", str(path)]
        both = subprocess.run(command, pass_fds=[listener.fileno()], capture_output=True, text=True, timeout=60)
        assert both.returncode == 3 and "sockets are systemd's" in both.stderr
        path.write_text(re.sub(r"^listen.*$", "", path.read_text(), flags=re.M))
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
        try:
            assert Visitor(port).get("/healthz").body == "ok\n"
        finally:
            process.terminate()
            assert process.wait(60) == 0
    alone = subprocess.run([GATE, "-c", path], capture_output=True, text=True, timeout=60)
    assert alone.returncode == 3 and "nothing to listen on" in alone.stderr


def test_the_command_starts_it(site: Site) -> None:
    config = configured.gate_config(site, free_port(), "caddy")
    done = subprocess.run([GATE.parent / "tuile", "gate", "-t", "-c", config], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_outage_is_503_and_ends_by_itself(site: Site, run: Run, cookie: str, tmp_path: Path) -> None:
    copy = copy_database(Path(site.store.removeprefix("sqlite://")), site.folder / "data")
    site.store = f"sqlite://{copy}"
    front = run("caddy", locations="location /lax { tuile_unavailable pass; }")
    visitor = Visitor(front.port)
    visitor.cookie = cookie
    assert visitor.get("/members", headers=TRAEFIK).status == 200
    away = copy.with_name("away")
    copy.rename(away)
    assert [visitor.get(path, headers=TRAEFIK).status for path in ("/members", "/open", "/lax")] == [503, 503, 200]
    assert visitor.get("/healthz").status == 200
    away.rename(copy)
    deadline = time.monotonic() + 30
    while visitor.get("/members", headers=TRAEFIK).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_many_at_once(run: Run, cookie: str) -> None:
    port = run("caddy").port

    def ask(number: int) -> int:
        visitor = Visitor(port).with_cookie(cookie if number % 2 else "a" * 32)
        return sum(visitor.get("/members", headers=TRAEFIK).status == (200 if number % 2 else 302) for _ in range(20))

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {20}
