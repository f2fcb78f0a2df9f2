"""Sessions and users in PostgreSQL: Django's own tables there, the server stopped and started again."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from application import SECRET
from configured import Site
from conftest import Start, open_folder
from processes import BUILD, ROOT, django
from test_users import log_in, passes, run

sys.path.append(str(ROOT / "Tests/Stores"))
import postgresql_server  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not (BUILD / "libtuile-postgresql.so").exists(), reason="libtuile-postgresql.so is not built"),
    pytest.mark.skipif(postgresql_server.binaries() is None, reason="there is no PostgreSQL server"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql_server.Server]:
    with postgresql_server.running() as server:
        yield server


@pytest.fixture
def name(server: postgresql_server.Server) -> str:
    return server.new_database()


@pytest.fixture
def site(server: postgresql_server.Server, name: str) -> Iterator[Site]:
    # Short limits, since a server that says nothing is one of the tests.
    url = server.url(name, connect="1000", timeout="2000", wait="3000")
    with open_folder() as folder, django(url) as port:
        from pathlib import Path

        yield Site(Path(folder), port, url + "&pool=4", SECRET)


def test_users_in_postgresql(start: Start, site: Site, kind: str, server: postgresql_server.Server, name: str) -> None:
    port = run(start, site, kind)
    visitor = log_in(port)

    def sql(command: str) -> None:
        server.sql(command, name)

    assert passes(visitor, "/gate/members") and not passes(visitor, "/gate/staff")
    sql("UPDATE auth_user SET is_staff = true WHERE username = 'otto'")
    assert passes(visitor, "/gate/staff") and not passes(visitor, "/gate/viewers")
    sql(
        "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT u.id, p.id FROM auth_user u, auth_permission p"
        " WHERE username = 'otto' AND codename = 'view_user'"
    )
    assert passes(visitor, "/gate/viewers")
    sql("INSERT INTO auth_group (name) VALUES ('editors')")
    sql("INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id FROM auth_user u, auth_group g WHERE username = 'otto'")
    assert passes(visitor, "/gate/editors")
    for column, value in (("is_active", "false"), ("password", "'another'")):
        sql(f"CREATE TABLE kept AS SELECT * FROM auth_user WHERE username = 'otto'")
        sql(f"UPDATE auth_user SET {column} = {value} WHERE username = 'otto'")
        assert not passes(visitor, "/gate/members"), column
        sql(f"UPDATE auth_user SET {column} = (SELECT {column} FROM kept) WHERE username = 'otto'")
        sql("DROP TABLE kept")
        assert passes(visitor, "/gate/members"), column
    for wrong in ("x", "1 or 1=1", "9" * 40, ""):
        other = log_in(port)
        other.put(_auth_user_id=wrong)
        assert not passes(other, "/gate/members"), wrong
    assert passes(visitor, "/gate/members")


def test_the_server_is_started_again(start: Start, site: Site, kind: str, server: postgresql_server.Server) -> None:
    visitor = log_in(run(start, site, kind))
    assert passes(visitor, "/gate/members")
    server.stop()
    assert visitor.get("/gate/members").status == 503
    server.start()
    visitor.wait_until_served("/files/page.html")
    assert passes(visitor, "/gate/members")
    server.pause()  # it is there, and says nothing
    try:
        assert visitor.get("/gate/members").status == 503
    finally:
        server.resume()
    visitor.wait_until_served("/files/page.html")


def test_its_configuration_s_test(site: Site, kind: str, server: postgresql_server.Server) -> None:
    import configured

    for url in (site.store, site.store.replace("user=postgres", "user=nobody")):
        on = f"tuile_django_users {url};" if kind == "nginx" else f"TuileDjangoUsers {url}"
        status, said = getattr(configured, f"{kind}_test")(site, http=on)
        assert status == 0 and ("nobody" in said) == (url != site.store), said


def test_the_configuration_s_test_makes_no_table(site: Site, kind: str, server: postgresql_server.Server) -> None:
    import configured

    empty = server.new_database()
    directive = {"nginx": "tuile_store", "apache": "TuileStore"}[kind]
    for mode in ("", "mode=rw", "mode=rwc"):
        site.store = server.url(empty) + (("&" if "?" in server.url(empty) else "?") + mode if mode else "")
        _, said = getattr(configured, f"{kind}_test")(site)
        log = site.folder / "error.log"
        said += log.read_text() if log.exists() else ""
        if log.exists():
            log.unlink()
        assert server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty) == [(0,)], mode
        assert (f"{directive}: " in said) == (mode != "mode=rwc"), (mode, said)
