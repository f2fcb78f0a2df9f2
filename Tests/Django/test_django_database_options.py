"""What DATABASES asks of a connection to PostgreSQL is asked of Tuile's, too: where Django refuses a server,
so does Tuile, and neither tells it the password."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.utils import DatabaseError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Stores"))
postgresql_server = pytest.importorskip("postgresql_server")

from tuile.django.url import database_url  # noqa: E402
from tuile.errors import StoreError  # noqa: E402
from tuile.sessions import Manager  # noqa: E402

MODULE = Path(os.environ.get("TUILE_BUILD", ROOT / "build")) / "libtuile-postgresql.so"
pytestmark = [
    pytest.mark.skipif(postgresql_server.binaries() is None, reason="no PostgreSQL server"),
    pytest.mark.skipif(not MODULE.exists(), reason="the module is not built: no libpq"),
]
SECRET = "django_tests_secret_key_of_32_bytes_and_more"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, file = folder / f"{name}.key", folder / f"{name}.crt"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run(words, check=True, capture_output=True)
    return key, file


@pytest.fixture(scope="module")
def plain() -> Iterator[Any]:
    with postgresql_server.running() as server:
        prepare(server)
        yield server


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path, Path]]:
    """A server with TLS, the certificate that it has, and one that it has not."""
    folder = tmp_path_factory.mktemp("tls")
    key, file = certificate(folder, "server")
    _, other = certificate(folder, "other")
    with postgresql_server.running() as server:
        server.stop()
        for source, target in ((key, "server.key"), (file, "server.crt")):
            (server.data / target).write_bytes(source.read_bytes())
            os.chown(server.data / target, server.data.stat().st_uid, server.data.stat().st_gid)
            (server.data / target).chmod(0o600)
        server.settings = {"ssl": "on", "log_connections": "on"}
        server.start()
        prepare(server)
        yield server, file, other


def prepare(server: Any) -> None:
    server.sql("CREATE ROLE ada LOGIN PASSWORD 'correct horse'; CREATE ROLE web; GRANT web TO ada")
    server.sql("CREATE SCHEMA shop AUTHORIZATION web; GRANT ALL ON SCHEMA public, shop TO ada, web")


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Connects Django and Tuile to a server as one DATABASES says; what each of them met."""
    made = []

    def connect(server: Any, **settings: Any) -> tuple[str, str]:
        at = {"NAME": "postgres", "USER": "ada", "PASSWORD": "correct horse", "HOST": "127.0.0.1", "PORT": server.port, **settings}
        databases = connections.configure_settings({"default": {"ENGINE": "django.db.backends.postgresql", **at}})
        monkeypatch.setattr(connections, "settings", databases)
        connection = connections.create_connection("default")
        made.append(connection)
        monkeypatch.setattr("tuile.django.url.connections", {"default": connection})
        theirs = ours = "connected"
        try:
            connection.ensure_connection()
        except DatabaseError as problem:
            theirs = str(problem)
        try:
            with Manager(store=database_url() + "&retries=0", secret=SECRET) as manager, manager.begin("") as session:
                session["a"] = 1
                session.commit()
        except StoreError as problem:
            ours = str(problem)
        return theirs, ours

    yield connect
    for connection in made:
        connection.close()


def test_no_password_goes_to_a_server_without_tls(both: Any, plain: Any, tmp_path: Path) -> None:
    _, file = certificate(tmp_path, "ca")
    for mode in ("require", "verify-ca", "verify-full"):
        theirs, ours = both(plain, OPTIONS={"sslmode": mode, "sslrootcert": str(file)})
        assert "does not support SSL" in theirs and "does not support SSL" in ours
    assert both(plain) == ("connected", "connected")


def test_a_wrong_certificate_is_refused(both: Any, encrypted: tuple[Any, Path, Path]) -> None:
    server, file, other = encrypted
    good = {"sslmode": "verify-full", "sslrootcert": str(file)}
    assert both(server, OPTIONS=good) == ("connected", "connected")
    used = server.sql("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'ada'")
    assert used == [(True,)]
    for options in ({**good, "sslrootcert": str(other)}, {**good, "sslrootcert": "/nowhere/ca.pem"}):
        theirs, ours = both(server, OPTIONS=options)
        assert "certificate" in theirs and "certificate" in ours
    # A name that is not the certificate's.
    theirs, ours = both(server, HOST="ip6-localhost", OPTIONS={**good, "hostaddr": "127.0.0.1"})
    assert "does not match host name" in theirs and "does not match host name" in ours


def test_services_and_password_files_count(both: Any, plain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services, passwords = tmp_path / "services", tmp_path / "passwords"
    services.write_text(f"[shop]\nhost=127.0.0.1\nport={plain.port}\ndbname=postgres\nuser=ada\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    passwords.write_text("127.0.0.1:*:*:*:correct horse\n")
    passwords.chmod(0o600)
    by_service = {"NAME": "", "USER": "", "PASSWORD": "", "HOST": "", "PORT": ""}
    assert both(plain, **by_service, OPTIONS={"service": "shop", "passfile": str(passwords)}) == ("connected", "connected")
    theirs, ours = both(plain, **by_service, OPTIONS={"service": "shop", "passfile": "/nowhere"})
    assert "password" in theirs and "password" in ours
    theirs, ours = both(plain, **by_service, OPTIONS={"service": "market", "passfile": str(passwords)})
    assert "market" in theirs and "market" in ours


def test_schema_role_and_isolation_are_the_ones_of_the_options(both: Any, plain: Any) -> None:
    options = {"options": "-c search_path=shop", "assume_role": "web", "isolation_level": 4, "application_name": "shop ada"}
    assert both(plain, OPTIONS=options) == ("connected", "connected")
    assert plain.sql("SELECT tableowner FROM pg_tables WHERE schemaname = 'shop' AND tablename = 'django_session'") == [("web",)]
    theirs, ours = both(plain, OPTIONS={"assume_role": "nobody"})
    assert "connected" not in (theirs, ours) and '"nobody"' in theirs and "nobody" in ours
