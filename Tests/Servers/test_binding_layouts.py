"""nginx and Apache bind the sessions of frameworks whose layouts Tuile reads: the framework's own login, which takes the new ID."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import open_folder
from frameworks import Browser as Logged
from frameworks import Framework, Served
from processes import ROOT, Front
from test_layouts import FRAMEWORKS, SERVERS, Settings, echo, pytestmark, redis, running_framework  # noqa: F401
from through import through

sys.path.insert(0, str(ROOT / "bindings/python/tests"))
from test_device_bound import Browser  # noqa: E402

OFFER = "Secure-Session-Registration"
PAGE = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document", "sec_fetch_site": "same-origin"}


# The others with TUILE_FULL=1.
FEW = ["php", "express"]


@pytest.fixture(scope="module", params=list(FRAMEWORKS) if os.environ.get("TUILE_FULL") else FEW)
def framework(request: pytest.FixtureRequest, redis: str) -> Iterator[Framework]:  # noqa: F811
    with running_framework(request.param, redis) as running:
        yield running


class Binding(Settings):
    def lines(self, style: str) -> str:
        more = {"device_bound": "on", "cookie_secure": "on", "device_path": "/device"}
        if not self.framework.secret:
            self.secret.write_text("a secret for what browsers sign, and of nothing else\n")
            self.secret.chmod(0o600)
            more["secret_file"] = str(self.secret)
        name = "Tuile{}" if style == "apache" else "tuile_{}"
        end = "" if style == "apache" else ";"
        given = "".join(f"{name.format(key.title().replace('_', '') if style == 'apache' else key)} {value}{end}\n" for key, value in more.items())
        return super().lines(style) + given


@pytest.fixture(params=["nginx", "apache"])
def server(request: pytest.FixtureRequest, framework: Framework, echo: int) -> Iterator[Front]:  # noqa: F811
    with open_folder() as name:
        if os.geteuid() == 0:
            shutil.chown(name, "www-data")
        front = SERVERS[request.param](Binding(Path(name), framework), echo)
        yield front
        front.stop()


def test_a_framework_s_login_is_bound(framework: Framework, server: Front) -> None:  # noqa: F811
    anna = Logged()
    name = framework.log_in(anna)
    browser = Browser(through(server.port))
    browser.cookies = dict(anna.cookies)

    def who(browser: Browser) -> tuple[int, str]:
        status, headers, body = browser.ask("/who")
        return status, dict(headers).get("X-Who") or body.decode()

    assert who(browser) == (200, name)
    before = browser.cookies[framework.cookie_name]
    browser.register(browser.ask("/who", **PAGE)[1])
    after = browser.cookies[framework.cookie_name]
    assert after != before and who(browser) == (200, name) and browser.refresh() == 200
    assert OFFER not in dict(browser.ask("/who", **PAGE)[1])
    thief = Browser(browser.application)
    thief.cookies = {framework.cookie_name: after}
    assert who(thief)[0] == 401 and thief.ask("/members")[0] == 401
    if isinstance(framework, Served):
        # The framework itself finds its session under the bound ID, and ends it.
        anna.cookies[framework.cookie_name] = after
        framework.log_out(anna)
        assert who(browser)[1] in ("", "nobody")
