"""The CGI program, called as a server calls it."""

from __future__ import annotations

import re
import subprocess

from program import COMMAND, SECRET, check, environment, folder


def call(cookie: str = "", **more: str) -> tuple[str, str]:
    """The response and what went to the server's log."""
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=environment(HTTP_COOKIE=cookie, **more), timeout=120)
    check(done.returncode == 0, (done.returncode, done.stderr))
    return done.stdout, done.stderr


with folder() as here:
    settings = {"TUILE_STORE": f"sqlite://{here}/db", "TUILE_SECRET": SECRET}
    response, _ = call(**settings)
    found = re.search(r"^Set-Cookie: (sessionid=\w+);", response, re.MULTILINE)
    check(found is not None and response.endswith("\n\n1\n"), response)
    assert found is not None
    check(call(found.group(1), **settings)[0].endswith("\n\n2\n"))
    check(call("sessionid=" + "a" * 32, **settings)[0].endswith("\n\n1\n"), "a key that the client chose")
    for wrong in ({"TUILE_STORE": f"sqlite://{here}/no/db"}, {"TUILE_SECRET": ""}, {"TUILE_STORE": ""}):
        response, log = call(found.group(1), **{**settings, **wrong})
        check(response.startswith("Status: 503") and "Set-Cookie" not in response, response)
        check(log.startswith("cgi_count: ") and SECRET not in log, log)
