"""The real browser behind nginx and Apache, which bind the sessions of a Django project that knows nothing of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bound_browser import BoundBrowser, BoundPage
from people import ENDPOINT, Clock, Thief, User, endpoint
from secure import Exchange, Secure

HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "Servers"))

import configured  # noqa: E402
from through import through  # noqa: E402

NAME = "a.test"
#: Seconds: what a copy is good for, in tests that wait until it is not.
SHORT = 4
DIRECTIVES = {
    "nginx": "tuile_device_bound on; tuile_cookie_secure on; tuile_device_path {path}; tuile_device_seconds {seconds};",
    "apache": "TuileDeviceBound On\nTuileCookieSecure On\nTuileDevicePath {path}\nTuileDeviceSeconds {seconds}",
}


@dataclass
class Project:
    port: int
    folder: Path
    secret: str
    output: Iterator[str]


@contextmanager
def open_folder() -> Iterator[Path]:
    """One that www-data, as which the servers' children run, may look into: pytest's own is closed again by each other run."""
    with tempfile.TemporaryDirectory(prefix="tuile-bound-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextmanager
def _project(outer: Path, *settings: str) -> Iterator[Project]:
    folder = outer / "site"
    command: list[str | Path] = [sys.executable, HERE / "unchanged_site.py", folder, *settings]
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "Django did not start"
        port, secret = line.split(maxsplit=1)
        if os.geteuid() == 0:  # as whom the servers' children run
            shutil.chown(folder, "www-data")
            shutil.chown(folder / "db.sqlite3", "www-data")
        yield Project(int(port), folder, secret.strip(), iter(process.stdout))
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with open_folder() as folder, _project(folder) as project:
        yield project


@pytest.fixture(scope="module")
def saving() -> Iterator[Project]:
    """It saves each session with each response, and sets the cookie once more."""
    with open_folder() as folder, _project(folder, "SESSION_SAVE_EVERY_REQUEST = True") as project:
        yield project


class Visitor(User):
    """The login's answer has no offer: the page after it has."""

    def log_in(self, name: str = "anna", more: str = "") -> None:
        self.site.forget()
        self.open(f"/login?user={name}{more}")
        self.open("/page")
        self.settle()

    def read(self, path: str) -> Any:
        """A request that was sent in the last moment of its cookie's life may come too late: a script tries again."""
        end = time.monotonic() + 60
        while (found := super().read(path)) == 401 and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def settle(self) -> None:
        """Until the offer that a page had is taken up."""
        (made, *_) = endpoint(self.site, 1, lambda one: one.status == 200 and not one.sent("Sec-Secure-Session-Id"))
        self.page.keys.append({"site": f"https://{self.site.name}", "id": json.loads(made.body)["session_identifier"]})
        self.wait_until_bound()
        self.site.forget()


def forwarded(application: Callable[..., Any], kind: str) -> Callable[..., Any]:
    """What stands for TLS says how the browser has asked; Apache adds the host's name itself."""

    def tell(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        said = {"HTTP_X_FORWARDED_PROTO": "https", **({} if kind == "apache" else {"HTTP_X_FORWARDED_HOST": environ["HTTP_HOST"]})}
        return application({**environ, **said}, start_response)

    return tell


Begin = Callable[..., Visitor]


@pytest.fixture(params=["nginx", "apache"])
def begin(request: pytest.FixtureRequest, browser: BoundBrowser, file: Path, clock: Clock) -> Iterator[Begin]:
    """Starts the server in front of a project, and gives its user with a tab."""
    started: list[ExitStack] = []

    def start(project: Project, seconds: int = SHORT) -> Visitor:
        stack = ExitStack()
        started.append(stack)
        folder = stack.enter_context(open_folder())
        site = configured.Site(folder, project.port, f"sqlite://{project.folder}/db.sqlite3", project.secret)
        directives = DIRECTIVES[request.param].format(path=ENDPOINT, seconds=seconds)
        front = getattr(configured, request.param)(site, http=directives)
        stack.callback(front.stop)
        secure = stack.enter_context(Secure(forwarded(through(front.port), request.param), file, NAME))
        clock.ahead = 0
        browser.clear_cookies()
        visitor = Visitor(browser, secure, clock)
        stack.callback(visitor.close)
        visitor.open("/login")
        secure.wait_for("/favicon.ico")
        secure.forget()
        return visitor

    yield start
    for stack in started:
        stack.close()


def wait_until_nobody(thief: Thief) -> None:
    """Its copy's life is over."""
    end = time.monotonic() + 300
    while thief.user():
        assert time.monotonic() < end, "a copy is served for ever"
        time.sleep(0.1)
    thief.is_nobody()


def test_a_login_is_bound_and_a_copy_is_nobody_s(begin: Begin, project: Project) -> None:
    user = begin(project)
    user.log_in()
    before = user.read("/tally")["count"]
    thief = Thief(user)
    assert thief.user() == "anna", "within the cookie's life a copy is as good"
    wait_until_nobody(thief)
    # Its owner's browser refreshes, and goes on with what there was.
    assert user.read("/tally") == {"user": "anna", "count": before + 1, "late": 0}
    thief.is_nobody()
    user.open("/admin/")
    assert user.page.evaluate("document.getElementById('user-tools').textContent").find("anna") > 0
    assert thief.ask("/admin/")[0] == 401


def test_the_admin_s_login_by_its_form(begin: Begin, project: Project) -> None:
    user = begin(project)
    user.open("/admin/login/?next=/admin/")
    user.page.evaluate("document.getElementById('id_username').value = 'anna'; document.getElementById('id_password').value = 'secret'; document.querySelector('form').submit()")
    user.settle()
    thief = Thief(user)
    wait_until_nobody(thief)
    assert user.read("/page")["user"] == "anna"


def test_five_requests_and_two_tabs_at_once(begin: Begin, project: Project) -> None:
    user = begin(project)
    user.log_in()
    other = BoundPage(user.browser)
    other.open(user.site.url("/page"))
    wait_until_nobody(Thief(user))
    go = "Promise.all([...Array(5)].map(() => fetch('/page').then((r) => r.json()))).then((all) => all.map((one) => one.user))"
    other.evaluate(f"window.both = {go}; 0")
    assert user.page.evaluate(go) == ["anna"] * 5
    assert other.evaluate("window.both") == ["anna"] * 5
    other.close()


def test_a_link_from_another_site(begin: Begin, project: Project, elsewhere: Secure) -> None:
    user = begin(project)
    user.log_in()
    wait_until_nobody(Thief(user))
    user.site.forget()
    user.page.open(elsewhere.url("/"))
    user.page.evaluate(f"document.body.innerHTML = '<a href=\"{user.site.url('/members')}\">there</a>'; document.querySelector('a').click()")
    first, *_, last = user.site.wait_for("/members", 2)
    assert first.status == 401 and ("Refresh", "0") in first.headers and not first.all("Set-Cookie")
    assert last.status == 200
    assert user.page.wait_until("document.querySelector('pre')?.textContent ?? ''").startswith('{"user": "anna"')


def test_a_logout_and_another_login(begin: Begin, project: Project) -> None:
    user = begin(project)
    user.log_in()
    thief = Thief(user)
    user.open("/logout")
    assert thief.user() == "" and user.read("/page")["user"] == ""
    user.log_in("otto")
    assert user.read("/page")["user"] == "otto" and thief.user() == ""
    # Another user logs in where one is: Django gives the session another ID, which is bound anew.
    user.log_in("anna")
    assert user.read("/page")["user"] == "anna"
    wait_until_nobody(Thief(user))
    assert user.read("/page")["user"] == "anna"


def test_a_project_that_saves_every_session_with_every_response(begin: Begin, saving: Project) -> None:
    """A response that was under way sets the old cookie again: some page or a refresh binds all the same."""
    user = begin(saving)
    user.site.forget()
    user.open("/login?user=anna&next=/page")
    before = Thief(user, {"sessionid": user.site.wait_for("/page")[0].cookies["sessionid"]})
    end = time.monotonic() + 300
    while len(user.cookies()["sessionid"]) != 40 or before.user():
        found = user.read("/page")
        assert isinstance(found, dict) and found["user"] == "anna", [(one.path, one.status, one.cookies, one.body[:300]) for one in user.site.exchanges[-6:]]
        user.open("/page")
        assert time.monotonic() < end, "it is not bound"
    first = user.read("/tally")["count"]
    thief = Thief(user)
    wait_until_nobody(thief)
    assert user.read("/tally")["count"] == first + 1
    user.open("/page")
    thief.is_nobody()
    assert before.user() == ""


def test_what_was_under_way_brings_no_copy_back_for_good(begin: Begin, project: Project, tmp_path: Path) -> None:
    """Django reads the session before it is bound, and saves it whole afterwards, under its ID of before, with that cookie."""
    user = begin(project, 600)
    user.site.forget()
    user.open("/login?user=anna")
    before, file = Thief(user), tmp_path / "go"
    user.page.evaluate(f"window.late = fetch('/late?file={file}').then((r) => r.json()); 0")
    assert next(project.output).startswith("reading")
    other = BoundPage(user.browser)
    other.open(user.site.url("/page"))
    user.settle()
    file.touch()
    assert user.page.evaluate("window.late")["late"] == 1
    assert user.cookies()["sessionid"] == before.cookies["sessionid"], "Django has set the old cookie again"
    # The next page offers anew, and what Django has saved is bound.
    other.open(user.site.url("/page"))
    user.settle()
    assert user.read("/page") == {"user": "anna", "count": 0, "late": 1}
    before.wait_until_nobody()
    assert before.user() == ""
    other.close()


def test_who_has_no_such_browser_is_served_as_ever(begin: Begin, project: Project) -> None:
    user = begin(project)
    somebody = Thief(user, {})
    _, _, headers = somebody.ask("/login?user=otto")
    somebody.cookies = dict([value.partition(";")[0].partition("=")[::2] for name, value in headers if name.lower() == "set-cookie"])
    seen: list[Exchange] = []
    for _ in range(3):
        assert somebody.user() == "otto"
        seen += user.site.seen("/page")
    assert seen and not any(one.all("Secure-Session-Registration") for one in seen)
