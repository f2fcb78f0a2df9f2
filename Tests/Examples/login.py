"""The login: its form, the forged one, the wrong password, the key that changes, the logout."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlencode

from program import SECRET, Visitor, check, folder, server

# As they stand in ?next=, which the server decodes once.
ELSEWHERE = [
    "//evil.test/", "/%5Cevil.test", "/%2Fevil.test", "%2F%2Fevil.test", "https://evil.test/", "evil.test", "%09//evil.test",
    "/%09/evil.test", "/%0A/evil.test", "/%0D%0A/evil.test", "/%09%5Cevil.test", "/%09%09//evil.test", "/%1F/evil.test",
    "/%252Fevil.test", "/%255Cevil.test", "/%2509/evil.test", "/%25252Fevil.test", "/%25/evil.test", "/%25zz", "/a%0D%0AX-Evil:1",
    "/a%250D%250AX-Evil:1", "/%7F/evil.test",
]
HERE = {"/private%3Fa%3D1%26b%3D%2525": "/private?a=1&b=%25", "/a%2520b//c": "/a%20b//c", "/a?b=%255C": "/a?b=%5C"}


def fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def log_in(visitor: Visitor, next_page: str = "", **changed: str) -> tuple[int, str, str]:
    form = fields(visitor.get("/login" + (f"?next={next_page}" if next_page else "")).body)
    check(set(form) == {"csrfmiddlewaretoken", "next"}, form)
    sent = {**form, "name": "anna", "password": "geheim & co", **changed}
    answer = visitor.get("/login", urlencode(sent).encode())
    return answer.status, answer.headers.get("Location", ""), answer.body


def run(url: str) -> None:
    visitor = Visitor(url)
    check("guest" in visitor.get("/").body)
    check(visitor.cookie("sessionid") is None)
    answer = visitor.get("/private")
    check((answer.status, answer.headers["Location"]) == (303, "/login?next=/private"))

    check("No such user" in log_in(visitor, password="wrong")[2])
    check("No such user" in log_in(visitor, name="otto")[2])
    check(log_in(visitor, csrfmiddlewaretoken="x" * 64)[0] == 403)
    check(log_in(visitor, csrfmiddlewaretoken="")[0] == 403)
    check("too old" in log_in(visitor, next="/private:forged")[2])
    check(log_in(visitor, password="x" * 9000)[0] == 413)
    check(visitor.cookie("sessionid") is None, "nobody was logged in")
    forged = visitor.get("/logout", b"", {"Origin": "http://evil.test"})
    check(forged.status == 403)

    check(log_in(visitor, "/private")[:2] == (303, "/private"))
    key = visitor.cookie("sessionid")
    check(key is not None and "anna" in visitor.get("/private").body)
    check(log_in(visitor)[:2] == (303, "/") and visitor.cookie("sessionid") != key, "each login has a key of its own")
    for page in ELSEWHERE:
        check(log_in(visitor, page)[:2] == (303, "/"), page)
    for page, decoded in HERE.items():
        check(log_in(visitor, page)[:2] == (303, decoded), page)

    form = fields(visitor.get("/").body)
    check(visitor.get("/logout", urlencode(form).encode()).status == 303)
    check(visitor.cookie("sessionid") is None and "guest" in visitor.get("/").body)
    check(visitor.get("/none").status == 404)


with folder() as here:
    (here / "secret").write_text(SECRET + "\n")
    hashed = subprocess.run(["openssl", "passwd", "-6", "geheim & co"], capture_output=True, text=True, check=True).stdout
    (here / "user").write_text(f"anna:{hashed}")
    with server("--user-file", str(here / "user"), "--secret-file", str(here / "secret")) as url:
        run(url)
    with server("--user-file", str(here / "user"), "--store", f"sqlite://{here}/db", LOGIN_SECRET=SECRET) as url:
        run(url)
