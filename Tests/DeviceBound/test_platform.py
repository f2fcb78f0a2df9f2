"""The cases of the Web Platform Tests (`device-bound-session-credentials/`) that a server has a part in, by their names, with Tuile as the server.

`create-session`, `refresh-with-continue-false`, `allowed-refresh-initiators` (a link from another site) and `debug-header` are in test_bound.py:
a login, a logout, a link, an endpoint that fails. Not here: what only a browser decides by instructions that Tuile never gives (`multiple-credentials`,
`session-cookie-has-no-attributes`, `set-scope-specification`, `set-early-challenge`, `set-authorization`, `registration-sends-challenge`, `refresh-replaces-config`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bound_browser import BoundBrowser
from people import ENDPOINT, LIFE, Clock, User, endpoint
from plain_site import wsgi
from secure import Exchange, Secure

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"


def with_headers(application: Callable[..., Any], **more: tuple[str, str]) -> Callable[..., Any]:
    """By path, without its slash, one more header of the answer."""

    def changed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        extra = more.get(environ["PATH_INFO"][1:])
        return application(environ, lambda status, headers, *_: start_response(status, [*headers, *([extra] if extra else [])]))

    return changed


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def site(file: Any, clock: Clock, settings: dict[str, Any]) -> Iterator[Secure]:
    clock.ahead = 0
    application, manager = wsgi(
        store="memory:", secret=SECRET, cookie_secure=True, clock=clock, device_bound=True, device_path=ENDPOINT, device_seconds=LIFE, **settings
    )
    changed = with_headers(application, cleared=("Clear-Site-Data", '"cookies"'), emptied=("Clear-Site-Data", '"storage"'))
    with Secure(changed, file, "c.test") as site:
        yield site
    manager.close()


def is_refresh(exchange: Exchange) -> bool:
    return exchange.path == ENDPOINT and exchange.sent("Sec-Secure-Session-Id") is not None


def test_clear_cookies_site_data(user: User) -> None:
    """Cookies and key are gone at once: nobody is logged in, nothing is refreshed, and another login is bound."""
    user.log_in()
    user.fetch("/cleared")
    assert "sessionid" not in user.cookies()
    user.site.forget()
    assert user.read("/page")["user"] == ""
    assert not any(is_refresh(one) and one.status == 200 and b'"credentials"' in one.body for one in user.site.exchanges)
    user.log_in("otto")
    user.expire()
    assert user.read("/page")["user"] == "otto"


def test_clear_site_data(user: User) -> None:
    """The key is gone with what is stored, and the cookies are not: the page says that it was lost, and the next login is bound."""
    user.log_in()
    user.fetch("/emptied")
    user.expire()
    user.site.forget()
    assert user.read("/page") == 401 and not any(is_refresh(one) for one in user.site.exchanges)
    user.open("/page")
    assert user.cookies() == {}, "a page that lost its key is rid of its cookies"
    user.log_in("otto")
    user.expire()
    assert user.read("/page")["user"] == "otto"


def test_fetch_no_credentials(user: User) -> None:
    """A request that sends no cookie starts no refresh."""
    user.log_in()
    user.expire()
    user.site.forget()
    status = user.page.evaluate("fetch('/page', {credentials: 'omit'}).then((r) => r.status)")
    assert status == 200 and not any(is_refresh(one) for one in user.site.exchanges)
    assert user.read("/page")["user"] == "anna"


def test_credentials_matching(user: User) -> None:
    """Instructions and Set-Cookie say the same of the bound cookie, or each request would refresh."""
    user.site.forget()
    user.open("/login?user=anna")
    (made, *_) = endpoint(user.site, 1, lambda one: one.status == 200)
    user.wait_until_bound()
    (told,) = json.loads(made.body)["credentials"]
    (given,) = [value for value in made.all("Set-Cookie") if value.startswith(told["name"] + "=")]
    attributes = {word.strip() for word in re.split(";", given)[1:] if not word.strip().startswith("Max-Age")}
    assert attributes == {word.strip() for word in told["attributes"].split(";")}
    user.site.forget()
    for _ in range(3):
        assert user.read("/page")["user"] == "anna"
    assert not any(one.path == ENDPOINT for one in user.site.exchanges)


def test_multiple_registrations(user: User) -> None:
    """One login after another, each with a key of its own, of which the last one counts."""
    user.log_in()
    user.open("/logout")
    user.log_in("otto")
    assert user.read("/page")["user"] == "otto"
    user.expire()
    assert user.read("/page")["user"] == "otto"
    assert [name for name in user.cookies() if name.startswith("__Host-")] == [user.bound_cookie()]


def test_refresh_does_not_send_challenge(user: User) -> None:
    """A refresh whose answer has no body and no challenge: 204 is a success without a new cookie, and the next request refreshes again."""
    user.log_in()
    user.expire()
    user.site.fault = lambda exchange: 204 if exchange.path == ENDPOINT else None
    assert user.read("/page") == 401
    user.site.fault = lambda _: None
    assert user.read("/page")["user"] == "anna"


def test_resolving_urls_and_set_scope_origin(user: User) -> None:
    """Where the browser refreshes is the path that the offer named, of this host and port."""
    user.site.forget()
    user.open("/login?user=anna")
    (made, *_) = endpoint(user.site, 1, lambda one: one.status == 200)
    user.wait_until_bound()
    said = json.loads(made.body)
    assert said["scope"]["include_site"] is False and said.get("refresh_url", ENDPOINT) == ENDPOINT
    origin = said["scope"].get("origin")
    assert origin is None or not origin.endswith("/")


class TestOfAWholeSite:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"cookie_domain": "c.test"}

    def test_include_site(self, user: User, browser: BoundBrowser) -> None:
        user.site.forget()
        user.open("/login?user=anna")
        (made, *_) = endpoint(user.site, 1, lambda one: one.status == 200)
        assert json.loads(made.body)["scope"]["include_site"] is True


def test_third_party_registration(user: User, elsewhere: Secure) -> None:
    """Another site's script that fetches the login's page: its answer's cookie is Lax and not kept, and nothing of ours is bound by it."""
    user.page.open(elsewhere.url("/"))
    user.site.forget()
    user.page.evaluate(f"fetch({user.site.url('/login?user=otto')!r}, {{credentials: 'include', mode: 'no-cors'}}).then(() => 0, () => 0)")
    user.site.wait_for("/login")
    assert not any(name.startswith("__Host-") for name in user.cookies())
    user.log_in()
    assert user.read("/page")["user"] == "anna"


def test_not_secure_connection(clock: Clock) -> None:
    """Without `cookie_secure` nothing is bound: it is an error at the start, since the browser would do nothing, in silence."""
    from tuile.errors import TuileError

    with pytest.raises((TuileError, ValueError), match="cookie_secure"):
        wsgi(store="memory:", secret=SECRET, cookie_secure=False, clock=clock, device_bound=True)
