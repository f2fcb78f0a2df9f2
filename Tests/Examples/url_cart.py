"""A visitor whose browser takes no cookies, from the first page on; CGI, called as a server calls it."""

from __future__ import annotations

import html
import re
import subprocess
from urllib.parse import urlencode, urlsplit

from program import COMMAND, SECRET, check, environment, folder

FIELD = re.compile(r'name="form" value="([^"]+)"')
LINK = re.compile(r'<a href="([^"]+)"')


def call(link: str, body: str | None = None, **more: str) -> str:
    request = {"REQUEST_METHOD": "GET" if body is None else "POST", "SCRIPT_NAME": "/cart", "QUERY_STRING": urlsplit(link).query}
    if body is not None:
        request["CONTENT_LENGTH"] = str(len(body))
    done = subprocess.run(
        COMMAND, input=body or "", capture_output=True, text=True, env=environment(**request, **more), timeout=120
    )
    check(done.returncode == 0, (done.returncode, done.stderr))
    return done.stdout


def one(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    check(found is not None, page)
    assert found is not None
    return html.unescape(found.group(1))


def items(page: str) -> int:
    return int(one(re.compile(r'id="items">(\d+)<'), page))


with folder() as here:
    settings = {"TUILE_STORE": f"sqlite://{here}/db", "TUILE_SECRET": SECRET}
    first = call("/cart", **settings)
    link, field = one(LINK, first), one(FIELD, first)
    check(items(first) == 0 and re.fullmatch(r"/cart\?sid=\w+", link) is not None, link)
    check("Referrer-Policy: no-referrer" in first, first)
    # The first page's own form and link work.
    for count in (1, 2):
        page = call(link, urlencode({"form": field, "item": "1"}), **settings)
        check(page.startswith("Status: 200") and items(page) == count, page)
    check(items(call(link, **settings)) == 2)
    # Without the field, with another session's, or with a key that the visitor made up: nothing is added.
    other = call("/cart", **settings)
    for body in ("item=1", urlencode({"form": one(FIELD, other), "item": "1"}), "form=x&item=1"):
        check(call(link, body, **settings).startswith("Status: 403"), body)
    check(items(call(link, **settings)) == 2)
    invented = call("/cart?sid=" + "a" * 32, **settings)
    check(items(invented) == 0 and "a" * 32 not in invented, "a key that the visitor chose")
    # Who leaves has a new key, and the old link leads to nothing.
    page = call(link, urlencode({"form": field, "leave": "1"}), **settings)
    check(items(page) == 0 and one(LINK, page) != link, page)
    check(items(call(link, **settings)) == 0)
    check(call(link, **{**settings, "TUILE_STORE": f"sqlite://{here}/no/db"}).startswith("Status: 503"))
