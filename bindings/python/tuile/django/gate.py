"""``python -m tuile.django.gate nginx --secret-file FILE``: a project's settings as those of a gate.

For nginx's module and the daemon ``tuile gate`` (``nginx``) or for Apache's module (``apache``), to be included:
where sessions are, their cookie, who the users are, where they log in. The secrets go into FILE, for its owner alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, Union
from urllib.parse import quote

import django
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import router
from django.urls import NoReverseMatch, reverse

from . import configuration
from .url import database_url

Value = Union[str, int, bool]
Setting = tuple[str, tuple[Value, ...]]
# What is named otherwise in Apache than by its words: each of them begins with a capital.
_IN_APACHE = {"tuile_cookie_samesite": "TuileCookieSameSite", "tuile_cookie_httponly": "TuileCookieHttpOnly", "tuile_login_url": "TuileLoginURL"}
_JSON = "django.contrib.sessions.serializers.JSONSerializer"
_OF_A_DATABASE = ("django.contrib.sessions.backends.db", "django.contrib.sessions.backends.cached_db")
_USER = {"username": "username", "password": "password", "active": "is_active", "staff": "is_staff", "superuser": "is_superuser"}


def _sessions_url() -> str:
    engine = settings.SESSION_ENGINE
    if settings.SESSION_SERIALIZER != _JSON:
        raise ImproperlyConfigured(f"SESSION_SERIALIZER is {settings.SESSION_SERIALIZER}: a gate reads JSON alone")
    if engine == "tuile.django.session" and configuration.names_a_store():
        store = settings.TUILE_STORE
        if not isinstance(store, str) or store.startswith("memory:"):
            raise ImproperlyConfigured("TUILE_STORE is no store that another process can open")
        return database_url(store.removeprefix("django:")) if store.startswith("django:") else store
    if engine in _OF_A_DATABASE or engine == "tuile.django.session":
        from django.contrib.sessions.models import Session

        return database_url(router.db_for_read(Session) or "default")
    if engine == "django.contrib.sessions.backends.signed_cookies":
        return "cookie:"
    if engine == "django.contrib.sessions.backends.file":
        folder = os.path.abspath(settings.SESSION_FILE_PATH or tempfile.gettempdir())
        return f"file://{quote(folder)}?prefix={quote(settings.SESSION_COOKIE_NAME, safe='')}&age={int(settings.SESSION_COOKIE_AGE)}"
    raise ImproperlyConfigured(f"SESSION_ENGINE is {engine}: no store of a gate's reads its sessions")


def _cookie() -> Iterator[Setting]:
    yield "tuile_cookie_name", (settings.SESSION_COOKIE_NAME,)
    if settings.SESSION_COOKIE_DOMAIN:
        yield "tuile_cookie_domain", (settings.SESSION_COOKIE_DOMAIN,)
    yield "tuile_cookie_path", (settings.SESSION_COOKIE_PATH,)
    yield "tuile_cookie_samesite", (str(settings.SESSION_COOKIE_SAMESITE or "unset").lower(),)
    yield "tuile_cookie_secure", (bool(settings.SESSION_COOKIE_SECURE),)
    yield "tuile_cookie_httponly", (bool(settings.SESSION_COOKIE_HTTPONLY),)
    yield "tuile_expire_at_browser_close", (bool(settings.SESSION_EXPIRE_AT_BROWSER_CLOSE),)


def _life(options: dict[str, Any]) -> Iterator[Setting]:
    if options.get("policy"):
        yield "tuile_policy", (options["policy"],)
    else:
        yield "tuile_cookie_age", (int(settings.SESSION_COOKIE_AGE),)
        for name in ("lifetime", "refresh"):
            if options.get(name):
                yield f"tuile_{name}", (options[name],)
    if configuration.device_bound():
        yield "tuile_device_bound", (True,)
    for name in ("max_data", "previous_store", "revocations"):
        if options.get(name):
            yield f"tuile_{name}", (options[name],)


def _users(sessions: str) -> Iterator[Setting]:
    """The users whom Django checks, where they are in a database that a gate can ask."""
    from django.contrib.auth import get_user_model

    model = get_user_model()
    users = database_url(router.db_for_read(model) or "default")
    yield "tuile_django_users", ("on" if sessions == users else users,)
    if model._meta.db_table != "auth_user":
        yield "tuile_django_user_table", (model._meta.db_table,)
    names = {"id": "id", **_USER}
    for name, usual in names.items():
        field = model._meta.pk.name if name == "id" else str(model.USERNAME_FIELD) if name == "username" else usual
        try:
            column = str(getattr(model._meta.get_field(field), "column", "") or "")
        except FieldDoesNotExist:
            column = ""
        if column != usual:
            yield "tuile_django_user_column", (name, column)
    for field in ("groups", "user_permissions"):
        try:
            relation: Any = model._meta.get_field(field)
        except FieldDoesNotExist:
            continue
        if (column := relation.m2m_column_name()) != "user_id":
            yield "tuile_django_user_column", ("member", column)
            return


def _login_url() -> str:
    url = str(settings.LOGIN_URL)
    if "/" in url:
        return url
    try:
        return reverse(url)
    except NoReverseMatch as problem:
        raise ImproperlyConfigured(f"LOGIN_URL: {problem}") from problem


def gate_settings(secret_file: str) -> list[Setting]:
    """All of them. ImproperlyConfigured for what a gate can't have."""
    configuration.require_settings()
    sessions = _sessions_url()
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    weak = ("weak",) if any(len(_bytes(secret)) < 32 for secret in secrets) else ()
    found: list[Setting] = [("tuile_store", (sessions,)), ("tuile_secret_file", (os.path.abspath(secret_file), *weak))]
    found += [*_cookie(), *_life(getattr(settings, "TUILE_OPTIONS", {}))]
    if "django.contrib.auth" in settings.INSTALLED_APPS:
        found += _users(sessions)
    return [*found, ("tuile_login_url", (_login_url(),))]


def _bytes(secret: Union[str, bytes]) -> bytes:
    return secret if isinstance(secret, bytes) else secret.encode()


def written(found: list[Setting], server: str) -> str:
    lines = []
    for name, values in found:
        words = ["on" if value is True else "off" if value is False else str(value) for value in values]
        if bad := [word for word in words if not word.isprintable() or "${" in word]:
            raise ImproperlyConfigured(f"{name}: {bad[0]!r} can't stand in a configuration")
        if name == "tuile_login_url" and "$" in words[0]:
            raise ImproperlyConfigured(f"LOGIN_URL: {words[0]!r} would have a variable of nginx's")
        quoted = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words]
        if server == "apache":
            name = _IN_APACHE.get(name) or name.title().replace("_", "")
        line = f"{name} {' '.join(quoted)}" + (";" if server == "nginx" else "")
        # Apache takes what is of authorization in sections alone.
        lines += ['<Location "/">', line, "</Location>"] if name == "TuileLoginURL" else [line]
    return "".join(f"{line}\n" for line in lines)


def _keep(path: str, content: bytes) -> None:
    """A file for its owner alone, whole or as it was. Who owned it goes on to."""
    try:
        before = os.stat(path)
    except FileNotFoundError:
        before = None
    number, made = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix=".tuile-")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if before is not None and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(made, before.st_uid, before.st_gid)
        os.replace(made, path)
    except BaseException:
        os.unlink(made)
        raise


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tuile.django.gate", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("server", choices=("nginx", "apache"), help="whose syntax; that of `tuile gate` is nginx's")
    parser.add_argument("--secret-file", required=True, metavar="FILE", help="gets SECRET_KEY and SECRET_KEY_FALLBACKS")
    parser.add_argument("--output", metavar="FILE", help="instead of standard output; it may have a database's password")
    given = parser.parse_args()
    try:
        django.setup()
        text = written(gate_settings(given.secret_file), given.server)
        secrets = [_bytes(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
        if any(secret.strip() != secret or b"\n" in secret or b"\r" in secret or not secret for secret in secrets):
            raise ImproperlyConfigured("a SECRET_KEY with blanks around it, or an end of a line in it, can't be a line of a file")
        _keep(given.secret_file, b"".join(secret + b"\n" for secret in secrets))
        if given.output:
            _keep(given.output, text.encode())
        else:
            sys.stdout.write(text)
    except (ImproperlyConfigured, OSError) as problem:
        print(f"tuile.django.gate: {problem}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
