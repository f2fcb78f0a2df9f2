"""Who the application is told a visitor is: nothing that a client says gets through."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

import configured
import pytest
from configured import Site
from conftest import Start
from visitor import Visitor

SITES = {
    "nginx": """
      underscores_in_headers on; ignore_invalid_headers off;
      tuile_identity_header X-User _auth_user_id;
      tuile_identity_header X-Name name;
      location = /headers { proxy_pass http://127.0.0.1:APPLICATION; proxy_set_header Host x; }
      location /own/ { tuile_identity_header X-Other value; proxy_pass http://127.0.0.1:APPLICATION/; }
      location /off/ { tuile_identity_header off; proxy_pass http://127.0.0.1:APPLICATION/; }
      location /away/ { tuile_session off; proxy_pass http://127.0.0.1:APPLICATION/; }
      location /moved/ { rewrite ^/moved(/.*)$ $1 last; }
      location /gone/ { error_page 404 = /off/headers; root /nowhere; }
    """,
    "apache": """
      <Location />
        TuileIdentityHeader X-User _auth_user_id
        TuileIdentityHeader X-Name name
      </Location>
      <Location /own>
        TuileIdentityHeader X-Other value
      </Location>
      <Location /off>
        TuileIdentityHeader Off
      </Location>
      <Location /away>
        TuileSession Off
      </Location>
    """,
}
PROXIED = {"nginx": "", "apache": "".join(f"ProxyPass /{name}/ http://127.0.0.1:APPLICATION/\n" for name in ("own", "off", "away"))}


def ask(port: int, path: str, cookie: str | None, claims: list[tuple[str, str]]) -> dict[str, str]:
    """The headers X-… that Django gets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", path)
    for name, value in claims:
        connection.putheader(name, value)
    if cookie is not None:
        connection.putheader("Cookie", f"sessionid={cookie}")
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    told: dict[str, str] = json.loads(text)
    return {name: value for name, value in told.items() if not name.startswith("HTTP_X_FORWARDED")}


SPELLINGS = ["X-User", "X_User", "x-user", "x_user", "X-USER", "X_USER", "X_uSer", "X-Name", "X_Name", "X-Other", "X_OTHER"]


@pytest.fixture
def port(start: Start, site: Site, kind: str) -> int:
    application = str(site.application)
    return start(site, http=PROXIED[kind].replace("APPLICATION", application), locations=SITES[kind].replace("APPLICATION", application)).port


def test_no_spelling_of_a_claim_gets_through(port: int, kind: str) -> None:
    visitor = Visitor(port)
    visitor.log_in()
    claims = [(name, "99") for name in SPELLINGS for _ in range(2)] + [("X-Kept", "1")]
    known = {"HTTP_X_USER": "1"}  # The name is none that WSGI and this client agree on: see below.
    for path in ("/headers", "/own/headers"):
        told = ask(port, path, visitor.cookie, claims)
        assert told.pop("HTTP_X_NAME", "").encode("latin-1").decode() == 'Änna "A"'
        assert told == {**known, "HTTP_X_KEPT": "1"}, path
    for path in ("/off/headers", "/away/headers"):
        assert ask(port, path, visitor.cookie, claims) == {"HTTP_X_KEPT": "1"}, path
    for cookie in (None, "a" * 32, ""):
        for path in ("/headers", "/own/headers", "/off/headers", "/away/headers"):
            assert ask(port, path, cookie, claims) == {"HTTP_X_KEPT": "1"}, (path, cookie)
    if kind == "nginx":
        assert ask(port, "/moved/headers", visitor.cookie, claims)["HTTP_X_USER"] == "1"
        assert ask(port, "/gone/x", visitor.cookie, claims) == {"HTTP_X_KEPT": "1"}


def test_one_claim_alone_gets_through_nowhere(port: int) -> None:
    for name in SPELLINGS:
        assert ask(port, "/headers", None, [(name, "99")]) == {}, name
        assert ask(port, "/off/headers", None, [(name, "99")]) == {}, name


def test_values_are_those_of_the_session(port: int) -> None:
    visitor = Visitor(port)
    visitor.put(value=[1, "a"], name="\r\nX-User: 99")
    assert ask(port, "/own/headers", visitor.cookie, []) == {"HTTP_X_OTHER": '[1,"a"]'}
    visitor.put(value=None)
    assert ask(port, "/own/headers", visitor.cookie, []) == {}


MISTAKES = {
    "nginx": [
        ("tuile_identity_header Cookie x;", "can't set this header"),
        ("tuile_identity_header X_User x;", "letters, digits"),
        ("tuile_identity_header X-A x; tuile_identity_header x-a y;", "duplicate"),
        ("tuile_identity_header on;", "takes off"),
        ("tuile_identity_header X-A '';", "takes a key"),
        ("tuile_session off; tuile_identity_header X-A x;", "need a tuile_store"),
    ],
    "apache": [
        ("TuileIdentityHeader Transfer-Encoding x", "can't set this header"),
        ("TuileIdentityHeader X:User x", "letters, digits"),
        ("TuileIdentityHeader X-A x\nTuileIdentityHeader x-a y", "twice"),
        ("TuileIdentityHeader On", "takes Off"),
    ],
}


def test_mistakes_show_in_the_configurations_test(site: Site, kind: str) -> None:
    for extra, message in MISTAKES[kind]:
        where = f"location /x {{ {extra} }}" if kind == "nginx" else f"<Location /x>\n{extra}\n</Location>"
        status, said = getattr(configured, f"{kind}_test")(site, locations=where)
        assert status != 0 and message in said, (extra, said)


CACHES = {
    "nginx": """
      location = /cached { proxy_cache c; proxy_cache_key $uri; proxy_pass http://127.0.0.1:APPLICATION; }
      location = /told/cached { tuile_identity_header X-User _auth_user_id; proxy_cache c; proxy_cache_key $uri; proxy_pass http://127.0.0.1:APPLICATION/cached; }
      location = /guarded/cached { tuile_require on; proxy_cache c; proxy_cache_key $uri; proxy_pass http://127.0.0.1:APPLICATION/cached; }
      location = /guarded/headers { tuile_require on; proxy_pass http://127.0.0.1:APPLICATION/cached; }
      location /guarded/files/ { tuile_require on; expires 1h; add_header Cache-Control "public"; alias MEMBERS/; }
    """,
    "apache": """
      LoadModule cache_module /usr/lib/apache2/modules/mod_cache.so
      LoadModule cache_disk_module /usr/lib/apache2/modules/mod_cache_disk.so
      LoadModule expires_module /usr/lib/apache2/modules/mod_expires.so
      CacheRoot FOLDER
      CacheEnable disk /cached
      CacheEnable disk /guarded
      CacheIgnoreHeaders Set-Cookie
      Alias /guarded/files MEMBERS
      <Location /guarded>
        Require tuile-session
      </Location>
      <Location /guarded/files>
        ExpiresActive On
        ExpiresDefault "access plus 1 hour"
        Header append Cache-Control public
      </Location>
    """,
}
GUARDED = "ProxyPass /guarded/files !\nProxyPass /guarded/headers http://127.0.0.1:APPLICATION/cached\nProxyPass /guarded/ http://127.0.0.1:APPLICATION/\n"


def words(header: str | None) -> set[str]:
    return {word.strip() for word in (header or "").split(",")}


def test_what_a_requirement_protects_is_private(start: Start, site: Site, kind: str) -> None:
    values = {"APPLICATION": str(site.application), "MEMBERS": str(site.members), "FOLDER": str(site.folder / "cache")}
    (site.folder / "cache").mkdir()
    (site.folder / "cache").chmod(0o777)
    http = f"proxy_cache_path {site.folder}/cache keys_zone=c:1m;" if kind == "nginx" else GUARDED
    locations = CACHES[kind]
    for name, value in values.items():
        http, locations = http.replace(name, value), locations.replace(name, value)
    front = start(site, http=http, locations=locations)
    visitor, other = Visitor(front.port), Visitor(front.port)
    visitor.log_in()
    other.log_in()
    assert visitor.get("/cached").body == visitor.get("/cached").body  # the control: the cache keeps it
    for path in ("/guarded/cached", "/told/cached") if kind == "nginx" else ("/guarded/cached",):
        answers = [who.get(path) for who in (visitor, other, visitor)]
        assert [answer.status for answer in answers] == [200] * 3
        assert len({answer.body for answer in answers}) == 3, path
    for said, expected in (
        ('{"Cache-Control": "public, max-age=600, s-maxage=600"}', {"private", "max-age=600"}),
        ('{"Cache-Control": "no-store"}', {"no-store"}),
        ('{"Cache-Control": "Public,Private=\\"Set-Cookie, X\\""}', {"private"}),
        ('{"CDN-Cache-Control": "max-age=600", "Surrogate-Control": "max-age=600"}', {"private"}),
    ):
        response = visitor.get(f"/guarded/headers?headers={configured.quote(said)}")
        assert words(", ".join(response.all("Cache-Control"))) == expected, said
        assert response.all("CDN-Cache-Control") == response.all("Surrogate-Control") == []
        assert response.header("Vary") == "Cookie"
    response = visitor.get("/guarded/files/page.html")
    found = words(", ".join(response.all("Cache-Control")))
    assert response.body == "for members\n" and "private" in found and "public" not in found and "max-age=3600" in found
    refused = Visitor(front.port).get("/guarded/files/page.html")
    assert refused.status == 401 and "public" not in words(", ".join(refused.all("Cache-Control")))
