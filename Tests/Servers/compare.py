"""compare.py COUNT: asks Django, nginx, Apache and the daemon in as many situations, and tells where they differ."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import application
import configured
from configured import Site
from processes import Front
from situations import COOKIES, DIFFERENCES, FILES, KINDS, LEFT, LETS_IN, OLD, SECRETS, Situation, difference, generate
from visitor import Response, Visitor

PERMISSION = {"members": "on", "viewers": "@permission=auth.view_user"}


def secret_file(folder: Path, name: str) -> Path:
    path = folder / f"keys-{name}"
    path.write_text("\n".join(FILES[name]) + "\n")
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, "www-data")  # as whom the daemon serves
    return path


class Gates:
    """The three of them, each with a rule for each file of secrets."""

    def __init__(self, site: Site, stack: ExitStack) -> None:
        self.fronts: dict[str, Front] = {}
        for name in ("nginx", "apache", "daemon"):
            front: Front = getattr(self, name)(Site(site.folder / name, site.application, site.store, OLD))
            stack.callback(front.stop)
            self.fronts[name] = front

    def nginx(self, site: Site) -> Front:
        text = ""
        for name in FILES:
            common = f"tuile_secret_file {secret_file(site.folder, name)}; tuile_django_users on; tuile_django_users_kept 0; try_files /none =204;"
            for rule, term in PERMISSION.items():
                text += f"location = /{name}/{rule} {{ {common} tuile_require {term}; tuile_login_url /accounts/login/; }}\n"
            text += f"location = /{name}/count {{ {common} tuile_count n; }}\n"
        return configured.nginx(site, locations=text)

    def apache(self, site: Site) -> Front:
        text = ""
        for name in FILES:
            rules = "".join(
                f"<Location /{name}/{rule}>\nRequire tuile-session {'' if term == 'on' else term}\nTuileLoginURL /accounts/login/\n</Location>\n"
                for rule, term in PERMISSION.items()
            )
            text += (
                f"<VirtualHost *:*>\nServerName {name}.test\nTuileSecretFile {secret_file(site.folder, name)}\nTuileDjangoUsers On\n"
                f"TuileDjangoUsersKept 0\nAliasMatch ^/{name}/(members|viewers|count) {site.members}/page.html\n"
                f"<Directory {site.members}>\nRequire all granted\n</Directory>\n{rules}"
                f"<Location /{name}/count>\nRequire all granted\nTuileCount n\n</Location>\n</VirtualHost>\n"
            )
        return configured.apache(site, locations=text, http="".join(f"ProxyPass /{name}/ !\n" for name in FILES))

    def daemon(self, site: Site) -> Front:
        text = ""
        for name in FILES:
            common = f"tuile_secret_file {secret_file(site.folder, name)}; tuile_django_users on; tuile_django_users_kept 0;"
            for rule, term in PERMISSION.items():
                text += f"location /{name}-{rule} {{ {common} tuile_require {term}; tuile_login_url /accounts/login/; }}\n"
            text += f"location /{name}-count {{ {common} tuile_count n; }}\n"
        return configured.gate(site, "caddy", locations=text)

    def ask(self, name: str, file: str, what: str, method: str, headers: dict[str, str]) -> Response:
        visitor = Visitor(self.fronts[name].port)
        path = f"/{file}/{what}?a=b&c=%2F"
        if name == "daemon":
            said = {"X-Forwarded-Method": method, "X-Forwarded-Proto": "http", "X-Forwarded-Host": "app.test", "X-Forwarded-Uri": path}
            return visitor.get(f"/{file}-{what}", headers={**headers, **said})
        return visitor.get(path, method=method, headers={**headers, "Host": f"{file}.test"})


    def wait(self, file: str, rule: str) -> None:
        """Until each process that found the store away has tried again, which it does after a second."""
        for name in self.fronts:
            in_a_row, deadline = 0, time.monotonic() + 60
            while in_a_row < 20:
                status = self.ask(name, file, rule, "GET", {"Cookie": f"sessionid={'a' * 32}"}).status
                in_a_row = in_a_row + 1 if status == 302 else 0
                assert time.monotonic() < deadline, (name, status)
                time.sleep(0 if status == 302 else 0.1)


class Project:
    """The Django project, in this process."""

    def __init__(self, database: Path) -> None:
        from django.test import Client

        self.database, self.client, self.number = database, Client(raise_request_exception=False), 0

    def sql(self, text: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(text, values).fetchall()

    def row(self, key: str) -> list[tuple[object, ...]]:
        return self.sql("select * from django_session where session_key = ?", key)

    def make_user(self, rights: str) -> object:
        from django.contrib.auth.models import Group, Permission, User

        self.number += 1
        user = User.objects.create_user(f"user{self.number}", password="secret", is_staff=rights == "staff", is_superuser=rights == "superuser")
        permission = Permission.objects.get(content_type__app_label="auth", codename="view_user")
        if rights == "the permission":
            user.user_permissions.add(permission)
        if rights.startswith("a group"):
            group = Group.objects.create(name=f"group{self.number}")
            user.groups.add(group)
            if rights == "a group with it":
                group.permissions.add(permission)
        return user

    def data_of(self, what: str, user) -> dict[str, object]:  # type: ignore[no-untyped-def]
        data: dict[str, object] = {
            "_auth_user_id": str(user.pk),
            "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            "_auth_user_hash": user.get_session_auth_hash(),
        }
        match what:
            case "a login and more":
                data |= {"cart": [1, {"ä": None}], "n": 3, "_session_expiry": 3600}
            case "nobody":
                data = {"cart": [1]}
            case "no hash":
                del data["_auth_user_hash"]
            case "another hash":
                data["_auth_user_hash"] = "0" * 64
            case "no backend":
                del data["_auth_user_backend"]
            case "an unknown backend":
                data["_auth_user_backend"] = "gone.Backend"
            case "an unknown user":
                data["_auth_user_id"] = "999999999"
            case "no user's ID":
                data["_auth_user_id"] = "x"
        return data

    def keep(self, data: dict[str, object], store: str) -> str:
        from django.contrib.sessions.backends.db import SessionStore
        from django.contrib.sessions.models import Session
        from django.utils import timezone

        session = SessionStore()
        session.update(data)
        session.create()
        key: str = session.session_key
        session.save()
        if store in LEFT:
            Session.objects.filter(pk=key).update(expire_date=timezone.now() + LEFT[store])
        if store == "gone":
            Session.objects.filter(pk=key).delete()
        if store == "damaged":
            self.sql("update django_session set session_data = replace(session_data, ':', '.:') where session_key = ?", key)
        if store == "no session's text":
            self.sql("update django_session set session_data = 'another program''s' where session_key = ?", key)
        return key

    def change(self, user, state: str) -> None:  # type: ignore[no-untyped-def]
        match state:
            case "not active":
                user.is_active = False
            case "another password":
                user.set_password("another")
            case "no usable password":
                user.set_unusable_password()
            case "another name":
                user.username += "-renamed"
            case "deleted":
                user.delete()
                return
        user.save()

    @contextmanager
    def away(self, store: str) -> Iterator[None]:
        if store != "away":
            yield
            return
        self.sql("alter table django_session rename to away")
        try:
            yield
        finally:
            self.sql("alter table away rename to django_session")

    def ask(self, rule: str, method: str, headers: dict[str, str], cookies: list[str]) -> str:
        """passes, login or broken: what login_required or permission_required makes of it."""
        self.client.cookies.clear()
        extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        if cookies:
            extra["HTTP_COOKIE"] = cookies[0]
        response = self.client.generic(method, f"/django/{rule}", **extra)
        return {200: "passes", 302: "login"}.get(response.status_code, "broken")


def mistake(it: Situation, wanted: str, response: Response, path: str) -> str | None:
    """What is wrong with a gate's answer, if something is."""
    statuses = {"passes": (200, 204), "login": (302,), "401": (401,), "403": (403,), "503": (503,)}
    if response.status not in statuses[wanted]:
        return f"{response.status}, not {wanted}"
    if response.status == 302:
        where = urlsplit(response.header("Location") or "")
        if where.path != "/accounts/login/" or parse_qs(where.query) != {"next": [path]}:
            return f"Location: {response.header('Location')}"
    if response.all("Set-Cookie"):
        return f"Set-Cookie: {response.all('Set-Cookie')}"
    return None


def wanted_of(it: Situation, members: str, rule: str) -> str:
    """What a gate has to answer where Django answers that."""
    nobody = "login" if KINDS[it.kind][2] else "401"
    if rule == "broken":  # for a gate an ID that no user can have is nobody's
        return "503" if it.store == "away" else nobody
    if rule == "passes":
        return "passes"
    return "403" if members == "passes" else nobody


class Comparison:
    def __init__(self, project: Project, gates: Gates) -> None:
        self.project, self.gates = project, gates
        self.mistakes: list[str] = []
        self.seen: Counter[str] = Counter()

    def run(self, it: Situation) -> None:
        from django.test import override_settings

        secrets, (method, headers, _) = SECRETS[it.secrets], KINDS[it.kind]
        project = self.project
        user = project.make_user(it.rights)
        with override_settings(SECRET_KEY=secrets.signed, SECRET_KEY_FALLBACKS=[]):
            data = project.data_of(it.data, user)
            key, twin, other = (project.keep(data, it.store) for _ in range(3))
        project.change(user, it.user)
        with override_settings(SECRET_KEY=secrets.application, SECRET_KEY_FALLBACKS=list(secrets.fallbacks)), project.away(it.store):
            # Django may end a session, so that it is asked with another one of the same content each time.
            rule = project.ask(it.rule, method, headers, COOKIES[it.cookie](twin))
            members = project.ask("members", method, headers, COOKIES[it.cookie](other))
            self.seen[f"Django: {rule}"] += 1
            before = project.row(key) if it.store != "away" else []
            self.ask_gates(it, rule, members, key)
            if it.store != "away" and project.row(key) != before:
                self.mistakes.append(f"{it}: the session was changed by being looked at")
            if it.store != "away":
                self.count(it, key, before, rule)
        if it.store == "away":
            self.gates.wait(secrets.gate, it.rule)

    def ask_gates(self, it: Situation, rule: str, members: str, key: str) -> None:
        secrets, (method, headers, _) = SECRETS[it.secrets], KINDS[it.kind]
        cookies = COOKIES[it.cookie](key)
        sent = {**headers, **({"Cookie": cookies[0]} if cookies else {})}
        reason = difference(it)
        answers = {name: self.gates.ask(name, secrets.gate, it.rule, method, sent) for name in self.gates.fronts}
        path = f"/{secrets.gate}/{it.rule}?a=b&c=%2F"
        nobody = "login" if KINDS[it.kind][2] else "401"
        wanted = wanted_of(it, members, rule)
        if len({answer.status in (200, 204) for answer in answers.values()}) > 1 or len({a.status for a in answers.values() if a.status > 299}) > 1:
            self.mistakes.append(f"{it}: they differ: { {name: answer.status for name, answer in answers.items()} }")
            return
        found = {name: mistake(it, wanted, answer, path) for name, answer in answers.items()}
        if reason and any(found.values()):
            self.seen[reason] += 1
            if reason not in LETS_IN:  # in all others nobody is logged in for the gate
                found = {name: mistake(it, nobody, answer, path) for name, answer in answers.items()}
            else:
                found = {}
        for name, wrong in found.items():
            if wrong:
                self.mistakes.append(f"{it}: {name}: {wrong}; Django: {rule}, members: {members}")
        self.seen[f"the gates: {answers['nginx'].status}"] += 1

    def count(self, it: Situation, key: str, before: list[tuple[object, ...]], rule: str) -> None:
        """A gate that counts keeps what Django would have kept, and what it does not understand."""
        from django.contrib.sessions.backends.db import SessionStore

        secrets, (method, headers, _) = SECRETS[it.secrets], KINDS[it.kind]
        name = list(self.gates.fronts)[self.project.number % 3]
        cookies = COOKIES[it.cookie](key)
        had = SessionStore(key).load() if before else {}
        self.gates.ask(name, secrets.gate, "count", "GET", {"Cookie": cookies[0]} if cookies else {})
        after = self.project.row(key)
        if after != before:
            self.seen["counted"] += 1
            has = SessionStore(key).load()
            if {**had, "n": None} != {**has, "n": None} and had:
                self.mistakes.append(f"{it}: {name} has changed the session by counting: {had} {has}")
            if before and before[0][1] != after[0][1] and not had and difference(it) is None:
                self.mistakes.append(f"{it}: {name} has written over what can't be read")
        if len(before) > len(after):
            self.mistakes.append(f"{it}: {name} has ended the session")
        again = self.project.ask(it.rule, method, headers, cookies)
        if again != rule and not (rule != "passes" and again != "passes"):
            self.mistakes.append(f"{it}: Django answers {again} after {name} has counted, {rule} before")


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tuile-situations-")))
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        database = data / "db.sqlite3"
        application.configure(str(database))
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        if os.geteuid() == 0:
            shutil.chown(data, "www-data")
            shutil.chown(database, "www-data")
        gates = Gates(Site(folder / "gates", 1, f"sqlite://{database}", OLD), stack)
        comparison = Comparison(Project(database), gates)
        situations = generate(int(sys.argv[1]))
        for it in situations:
            comparison.run(it)
    print(json.dumps(comparison.seen, indent=1))
    for what in ("Django: passes", "Django: broken", "counted", *(f"the gates: {status}" for status in (204, 302, 401, 403, 503)), *DIFFERENCES):
        if not comparison.seen[what]:
            comparison.mistakes.append(f"no situation was of this kind: {what}")
    print("\n".join(comparison.mistakes[:40]))
    print(f"{len(situations)} situations, {len(comparison.mistakes)} mistakes")
    sys.exit(1 if comparison.mistakes else 0)


if __name__ == "__main__":
    main()
