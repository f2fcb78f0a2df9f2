"""Frameworks that are called by a script instead of served: Laravel, Symfony and Rails, each with what its own login leaves
in the session. The scripts are those of Tests/Stores."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from frameworks import Browser, Framework

SCRIPTS = Path(__file__).resolve().parents[1] / "Stores"


class OfPHP(Framework):
    """One process for each request."""

    script = ""
    settings: dict[str, Any] = {}

    @contextmanager
    def running(self) -> Iterator[Framework]:
        sys.path.insert(0, str(SCRIPTS))
        php_frameworks = pytest.importorskip("php_frameworks")
        if not php_frameworks.has_extension("redis"):
            pytest.skip("php-redis is not installed")
        self.root = php_frameworks.frameworks()
        yield self

    def ask(self, sid: str, *words: str) -> Any:
        place = urlsplit(self.redis)
        settings = {**self.settings, "driver": "redis", "redis": place.hostname, "port": place.port, "root": self.root}
        command = ["php", str(SCRIPTS / self.script), json.dumps(settings), sid, *words]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


class Laravel(OfPHP):
    """In Redis, by its cache."""

    cookie_name, secret = "laravel_session", "base64:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    script = "layout_laravel.php"
    settings = {"prefix": "laravel_database_", "cache_prefix": "laravel_cache", "serialization": "php", "encrypt": False, "lifetime": 120, "key": secret}

    def __init__(self, folder: Path, redis: str) -> None:
        super().__init__(folder, redis)
        self.url = f"{redis}?layout=laravel"

    def visit(self, browser: Browser, **values: object) -> None:
        self.sid = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
        self.ask(self.sid, "write", json.dumps({"seen": True, **values}))
        browser.cookies[self.cookie_name] = self.ask(self.sid, "cookie", self.cookie_name)

    def forged(self, cookie: str) -> list[str]:
        middle = len(cookie) // 2
        return [self.sid, cookie[:middle] + ("a" if cookie[middle] != "a" else "b") + cookie[middle + 1 :]]

    def log_in(self, browser: Browser) -> str:
        # As SessionGuard names it: `login_web_` and the SHA-1 of its class.
        self.visit(browser, login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d=7)
        return "7"

    def log_out(self, browser: Browser) -> None:
        self.ask(self.sid, "destroy")


class Symfony(OfPHP):
    """In Redis, by its RedisSessionHandler, with the security token of the firewall `main`."""

    cookie_name, script = "PHPSESSID", "layout_symfony.php"

    def __init__(self, folder: Path, redis: str) -> None:
        super().__init__(folder, redis)
        self.url = f"{redis}?layout=symfony"

    def visit(self, browser: Browser) -> None:
        self.sid = secrets.token_hex(13)
        self.ask(self.sid, "write", json.dumps({"seen": True}))
        browser.cookies[self.cookie_name] = self.sid

    def log_in(self, browser: Browser) -> str:
        self.visit(browser)
        self.ask(self.sid, "login", json.dumps({"id": 3, "username": "anna"}))
        return "anna"

    def log_out(self, browser: Browser) -> None:
        self.ask(self.sid, "destroy")


class Rails(Framework):
    """Debian's, with its cache in Redis and Devise's value."""

    cookie_name = "_app_session"

    def __init__(self, folder: Path, redis: str) -> None:
        super().__init__(folder, redis)
        self.url = f"{redis}?layout=rails-cache&namespace=app"

    @contextmanager
    def running(self) -> Iterator[Framework]:
        if shutil.which("ruby") is None:
            pytest.skip("there is no ruby on the PATH")
        command = ["ruby", str(SCRIPTS / "layout_ruby.rb"), "rails-cache", self.redis, "-"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            yield self
        finally:
            self.process.communicate(timeout=60)

    def ask(self, command: str, sid: str, *words: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        try:
            self.process.stdin.write(json.dumps([command, sid, *words]) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line and self.process.wait(60) == 3:
            pytest.skip(f"Rails is not installed: {self.process.stderr.read().strip()}")
        assert line, self.process.stderr.read()
        return str(json.loads(line)[1])

    def visit(self, browser: Browser, **values: object) -> None:
        self.sid = self.ask("write", "", json.dumps({"seen": True, **values}))
        assert re.fullmatch("[0-9a-f]{32}", self.sid)
        browser.cookies[self.cookie_name] = self.sid

    def log_in(self, browser: Browser) -> str:
        self.visit(browser, **{"warden.user.user.key": [[7], "$2a$12$abcdefghijklmnopqrstuv"]})
        return "7"

    def log_out(self, browser: Browser) -> None:
        self.ask("destroy", self.sid)


FRAMEWORKS: dict[str, type[Framework]] = {"laravel": Laravel, "symfony": Symfony, "rails-cache": Rails}
