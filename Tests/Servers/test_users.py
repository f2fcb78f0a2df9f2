"""The gate lets in whom Django lets in: its users are asked, of whom sessions say nothing new."""

from __future__ import annotations

import http.client
import itertools
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import configured
import pytest
from application import SECRET
from configured import Site
from conftest import Start
from processes import copy_database
from visitor import Visitor

ON = {"nginx": "tuile_django_users on; tuile_django_users_kept KEPT;", "apache": "TuileDjangoUsers On\nTuileDjangoUsersKept KEPT"}
GUARDED = {
    "nginx": """
      location = /gate/members { tuile_require on; try_files /none =204; }
      location = /gate/staff { tuile_require @staff; try_files /none =204; }
      location = /gate/viewers { tuile_require @permission=auth.view_user; try_files /none =204; }
      location = /gate/editors { tuile_require all @group=editors @username=otto; try_files /none =204; }
      location = /gate/told { tuile_identity_header X-Name @username; tuile_identity_header X-Groups @groups; tuile_identity_header X-Staff @staff;
        tuile_identity_header X-Id @id; proxy_pass http://127.0.0.1:APPLICATION/headers; }
      location = /gate/count { tuile_count n; tuile_refresh 1s; try_files /none =204; }
    """,
    "apache": """
      AliasMatch ^/gate/(members|staff|viewers|editors|count) MEMBERS/page.html
      <Location /gate/members>
        Require tuile-session
      </Location>
      <Location /gate/staff>
        Require tuile-session @staff
      </Location>
      <Location /gate/viewers>
        Require tuile-session @permission=auth.view_user
      </Location>
      <Location /gate/editors>
        Require tuile-session all @group=editors @username=otto
      </Location>
      <Location /gate/told>
        TuileIdentityHeader X-Name @username
        TuileIdentityHeader X-Groups @groups
        TuileIdentityHeader X-Staff @staff
        TuileIdentityHeader X-Id @id
      </Location>
      <Location /gate/count>
        TuileCount n
      </Location>
    """,
}
PROXIED = {"nginx": "", "apache": "ProxyPass /gate/told http://127.0.0.1:APPLICATION/headers\nProxyPass /gate/ !\n"}


def run(start: Start, site: Site, kind: str, kept: str = "0") -> int:
    values = {"APPLICATION": str(site.application), "MEMBERS": str(site.members), "KEPT": kept}
    http, locations = PROXIED[kind] + ON[kind], GUARDED[kind]
    for name, value in values.items():
        http, locations = http.replace(name, value), locations.replace(name, value)
    return start(site, http=http, locations=locations).port


class Users:
    """Otto, as an administrator changes him."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.row = self.ask("select * from auth_user where username = 'otto'")[0]

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    @property
    def id(self) -> object:
        return self.row[0]

    def set(self, column: str, value: object) -> None:
        self.ask(f"update auth_user set {column} = ? where id = ?", value, self.id)

    def restore(self) -> None:
        for table in ("auth_user_groups", "auth_user_user_permissions", "auth_group_permissions", "auth_group"):
            self.ask(f"delete from {table}")
        self.ask("delete from auth_user where id = ?", self.id)
        self.ask(f"insert into auth_user values ({','.join('?' * len(self.row))})", *self.row)

    def permission(self) -> object:
        sql = "select p.id from auth_permission p join django_content_type c on c.id = content_type_id where app_label = 'auth' and codename = 'view_user'"
        return self.ask(sql)[0][0]

    def group(self, name: str) -> object:
        self.ask("insert into auth_group (name) values (?)", name)
        group = self.ask("select id from auth_group where name = ?", name)[0][0]
        self.ask("insert into auth_user_groups (user_id, group_id) values (?, ?)", self.id, group)
        return group


@pytest.fixture
def users(database: Path) -> Iterator[Users]:
    users = Users(database)
    yield users
    users.restore()


def log_in(port: int) -> Visitor:
    visitor = Visitor(port)
    assert visitor.get("/accounts/login/?user=otto&password=secret").body == "welcome"
    return visitor


def passes(visitor: Visitor, path: str) -> bool:
    status = visitor.get(path).status
    assert status in (200, 204, 302, 401, 403), (path, status)
    return status in (200, 204)


STATES: dict[str, Callable[[Users], None]] = {
    "as at the login": lambda users: None,
    "not active": lambda users: users.set("is_active", 0),
    "another password": lambda users: users.set("password", "md5$x$0123"),
    "no usable password": lambda users: users.set("password", "!" + "x" * 40),
    "deleted": lambda users: [users.ask("delete from auth_user where id = ?", users.id), None][1],
}
RIGHTS: dict[str, Callable[[Users], None]] = {
    "none": lambda users: None,
    "staff": lambda users: users.set("is_staff", 1),
    "superuser": lambda users: users.set("is_superuser", 1),
    "the permission": lambda users: [
        users.ask("insert into auth_user_user_permissions (user_id, permission_id) values (?, ?)", users.id, users.permission()),
        None,
    ][1],
    "a group with it": lambda users: [
        users.ask("insert into auth_group_permissions (group_id, permission_id) values (?, ?)", users.group("viewers"), users.permission()),
        None,
    ][1],
    "a group without it": lambda users: [users.group("others"), None][1],
}


def test_the_answer_is_django_s(start: Start, site: Site, kind: str, users: Users) -> None:
    port = run(start, site, kind)
    answers = set()
    for state, rights in itertools.product(STATES, RIGHTS):
        users.restore()
        visitor, control = log_in(port), log_in(site.application)
        RIGHTS[rights](users)
        STATES[state](users)
        for what in ("members", "staff", "viewers"):
            # Django ends a session whose password was changed, so the gate is asked first.
            gate, django = passes(visitor, f"/gate/{what}"), passes(control, f"/django/{what}")
            assert gate == django, (state, rights, what)
            answers.add((what, gate))
    assert len(answers) == 6  # each was let in and refused


REFUSED = {state: reason for state, reason in zip(list(STATES)[1:], ("inactive", "changed", "changed", "gone"))}


@pytest.mark.parametrize("state", REFUSED)
def test_who_is_refused_is_nobody(start: Start, site: Site, kind: str, users: Users, database: Path, state: str) -> None:
    port = run(start, site, kind)
    visitor = log_in(port)
    told = json.loads(visitor.get("/gate/told").body)
    assert told["HTTP_X_NAME"] == "otto" and told["HTTP_X_ID"] == str(users.id) and told["HTTP_X_STAFF"] == "false"
    assert visitor.get("/gate/count").status in (200, 204)
    STATES[state](users)
    before = users.ask("select * from django_session where session_key = ?", visitor.cookie)
    assert not [name for name in json.loads(visitor.get("/gate/told").body) if name in ("HTTP_X_NAME", "HTTP_X_ID", "HTTP_X_USER")]
    time.sleep(1.1 if kind == "nginx" else 0)
    assert visitor.get("/gate/count").all("Set-Cookie") == []
    assert visitor.get("/gate/staff").status == 401  # not 403: nobody is logged in
    assert users.ask("select * from django_session where session_key = ?", visitor.cookie) == before
    # An administrator sees why.
    front = (site.folder / "error.log").read_text()
    assert {"inactive": "is not active", "changed": "password of the session's user was changed", "gone": "is no more"}[REFUSED[state]] in front


def test_groups_and_names(start: Start, site: Site, kind: str, users: Users) -> None:
    visitor = log_in(run(start, site, kind))
    assert visitor.get("/gate/editors").status == 403
    users.group("editors")
    users.group("Männer")
    assert passes(visitor, "/gate/editors")
    told = json.loads(visitor.get("/gate/told").body)
    assert told["HTTP_X_GROUPS"].encode("latin-1").decode() in ("editors,Männer", "Männer,editors")
    anna = Visitor(visitor.port)
    anna.log_in()
    assert anna.get("/gate/editors").status == 403


def test_an_answer_counts_for_some_seconds(start: Start, site: Site, kind: str, users: Users) -> None:
    first = time.monotonic()
    visitor = log_in(run(start, site, kind, kept="3"))
    # Each process of the server has its answers for itself, and serves a connection alone.
    connection = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=30)

    def asked() -> bool:
        connection.request("GET", "/gate/members", headers={"Cookie": f"sessionid={visitor.cookie}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status in (200, 204)

    def wait_for(expected: bool) -> float:
        """When that was asked which was answered so."""
        end = time.monotonic() + 60
        while True:
            began = time.monotonic()
            if asked() == expected:
                return began
            assert began < end
            time.sleep(0.05)

    assert asked()
    users.set("is_active", 0)
    second = wait_for(False)
    users.set("is_active", 1)
    # Servers count whole seconds.
    assert second - first > 1.9 and wait_for(True) - second > 1.9
    connection.close()


def test_a_new_secret_and_its_fallback(start: Start, site: Site, kind: str, users: Users) -> None:
    newest = "a newer secret of more than 32 bytes, 0123456789"
    site.secret_file.write_text(f"{newest}\n{SECRET}\n")
    visitor = log_in(run(start, site, kind))
    assert passes(visitor, "/gate/members")


def test_a_login_without_a_hash_or_a_backend_is_none(start: Start, site: Site, kind: str, users: Users) -> None:
    port = run(start, site, kind)
    for name, values in {
        "_auth_user_hash": (None, "", "0" * 64, "A" * 64, "x", [], 1),
        "_auth_user_backend": (None, "", []),
        "_auth_user_id": (" ", "x", "1 or 1=1", "9" * 300, [1], {"a": 1}, "-1", 10**30),
    }.items():
        for value in values:
            visitor = log_in(port)
            assert passes(visitor, "/gate/members")
            visitor.put(**{name: value})
            assert not passes(visitor, "/gate/members"), (name, value)


def rename(database: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"alter table {old} rename to {new}")


def test_without_the_users_nobody_passes(start: Start, site: Site, kind: str, users: Users) -> None:
    copy = copy_database(users.database, site.folder / "users")
    on = ON[kind]
    ON[kind] = on.replace("users on", f"users sqlite://{copy}").replace("Users On", f"Users sqlite://{copy}")
    try:
        visitor = log_in(run(start, site, kind))
    finally:
        ON[kind] = on
    assert passes(visitor, "/gate/members")
    rename(copy, "auth_user", "away")
    assert visitor.get("/gate/members").status == 503 and visitor.get("/gate/count").status == 503
    rename(copy, "away", "auth_user")
    visitor.wait_until_served("/files/page.html")


MISTAKES = {
    "nginx": [
        ("tuile_django_users redis://127.0.0.1;", "users need the URL"),
        ("tuile_django_users sqlite:///no/such/db;", "tuile_django_users"),
        ("tuile_django_users on; tuile_django_user_table nobody;", "no such table"),
        ("tuile_django_users on; tuile_django_user_column active is_alive;", "is_alive"),
        ("tuile_django_users on; tuile_django_user_column alive is_active;", "takes id, username"),
        ("tuile_django_users on; tuile_login_key user;", "login key"),
        ("tuile_require @staff;", "needs tuile_django_users"),
        ("tuile_django_users on; tuile_require @boss;", "takes of a user"),
        ("tuile_django_users on; tuile_require @group;", "with a value"),
        ("tuile_identity_header X-Name @username;", "needs tuile_django_users"),
    ],
    "apache": [
        ("TuileDjangoUsers redis://127.0.0.1", "users need the URL"),
        ("TuileDjangoUsers sqlite:///no/such/db", "TuileDjangoUsers"),
        ("TuileDjangoUsers On\nTuileDjangoUserTable nobody", "no such table"),
        ("TuileDjangoUsers On\nTuileDjangoUserColumn active is_alive", "is_alive"),
        ("TuileDjangoUsers On\nTuileDjangoUserColumn alive is_active", "takes id, username"),
        ("<Location /x>\nRequire tuile-session @staff\n</Location>", "needs TuileDjangoUsers"),
        ("TuileDjangoUsers On\n<Location /x>\nRequire tuile-session @boss\n</Location>", "takes of a user"),
    ],
}


def test_mistakes_show_in_the_configurations_test(site: Site, kind: str) -> None:
    for extra, message in MISTAKES[kind]:
        where = f"location /x {{ {extra} }}" if kind == "nginx" else extra
        status, said = getattr(configured, f"{kind}_test")(site, locations=where)
        log = site.folder / "error.log"
        said += log.read_text() if log.exists() else ""
        assert status != 0 and message in said, (extra, said)
