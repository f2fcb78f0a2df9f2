"""Python's own http.cookies and http.cookiejar, Django and Werkzeug; a missing one is skipped."""

import datetime
import importlib.metadata
import platform
import time

VALUE = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef"
TOKEN = "h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL"
SET_COOKIE = (
    f"sessionid={TOKEN}; Domain=example.com; expires=Thu, 26 Jun 2025 11:48:30 GMT; HttpOnly; "
    "Max-Age=1209600; Partitioned; Path=/; SameSite=None; Secure"
)
HEADERS = {n: "; ".join(f"cookie_{i:02d}={VALUE[:73]}" for i in range(n)) for n in (3, 12, 50)}
EXPIRES = datetime.datetime.fromtimestamp(1750938510, datetime.timezone.utc)


def run(call, at_least):
    times, start = 0, time.perf_counter()
    while True:
        for _ in range(8):
            call()
        times += 8
        took = time.perf_counter() - start
        if took >= at_least:
            return took * 1e9 / times


def measure(peer, op, call):
    """Warms up, then takes the best of five runs."""
    run(call, 0.1)
    print(f"{peer}\t{op}\t{min(run(call, 0.2) for _ in range(5)):.1f}", flush=True)


def measure_parse(peer, parse, text=lambda value: value):
    """`parse` makes a dict of a header; `text` gets the string from one of its values."""

    def visit(header):
        for name, value in parse(header).items():
            _ = name, text(value)

    for n, header in HEADERS.items():
        assert [text(v) for v in parse(header).values()] == [VALUE[:73]] * n
        measure(peer, f"parse_{n}", lambda: visit(header))
    measure(peer, "get_one", lambda: text(parse(HEADERS[12])["cookie_07"]))


def measure_write(peer, write):
    print(f"# {peer} writes {write()}")
    measure(peer, "write_full", write)


def python():
    import http.cookiejar
    import http.cookies
    import urllib.request

    print(f"# python {platform.python_version()}")
    measure_parse("python", http.cookies.SimpleCookie, lambda morsel: morsel.value)

    # It takes the date as text only.
    expires = EXPIRES.strftime("%a, %d %b %Y %H:%M:%S GMT")
    fields = {"domain": "example.com", "path": "/", "max-age": 1209600, "expires": expires}
    fields |= {"samesite": "None", "secure": True, "httponly": True}
    knows_partitioned = http.cookies.Morsel().isReservedKey("partitioned")
    if knows_partitioned:
        fields["partitioned"] = True

    def write():
        morsel = http.cookies.Morsel()
        morsel.set("sessionid", TOKEN, TOKEN)
        for name, value in fields.items():
            morsel[name] = value
        return morsel.OutputString()

    measure_write("python", write)
    # A version that does not know Partitioned gives up on the whole cookie.
    text = SET_COOKIE if knows_partitioned else SET_COOKIE.replace(" Partitioned;", "")
    if text != SET_COOKIE:
        print("# python parses Set-Cookie without Partitioned")
    assert http.cookies.SimpleCookie(text)["sessionid"]["max-age"] == "1209600"
    measure("python", "parse_set_cookie", lambda: http.cookies.SimpleCookie(text)["sessionid"].value)

    jar, expires = http.cookiejar.CookieJar(), int(time.time()) + 86400 * 300
    for h in range(300):
        # What it makes of a cookie of a response without Domain.
        host = {"domain": f"host{h:03d}.example{h // 10:02d}.com", "domain_specified": False, "domain_initial_dot": False}
        path = {"path": "/", "path_specified": True}
        rest = {"version": 0, "port": None, "port_specified": False, "secure": False, "discard": False, "rest": {}}
        for i in range(10):
            jar.set_cookie(
                http.cookiejar.Cookie(
                    name=f"c{i}", value=VALUE[:32], expires=expires, comment=None, comment_url=None, **host, **path, **rest
                )
            )
    request = urllib.request.Request("https://host150.example15.com/some/path")

    def look_up():
        request.remove_header("Cookie")
        jar.add_cookie_header(request)
        return request.get_header("Cookie")

    assert look_up().count("=") == 10
    measure("python", "jar_header_3000", look_up)


def django():
    from django.conf import settings
    from django.http import HttpResponse, parse_cookie

    settings.configure()
    print(f"# django {importlib.metadata.version('django')}")
    measure_parse("django", parse_cookie)
    response = HttpResponse()

    # It wants the date or Max-Age and makes the date of the latter by itself.
    def write():
        response.cookies.clear()
        response.set_cookie(
            "sessionid", TOKEN, max_age=1209600, domain="example.com", secure=True, httponly=True, samesite="None"
        )
        return response.cookies["sessionid"].OutputString()

    measure_write("django", write)


def werkzeug():
    from werkzeug.http import dump_cookie, parse_cookie

    print(f"# werkzeug {importlib.metadata.version('werkzeug')}")
    measure_parse("werkzeug", parse_cookie)
    fields = {"max_age": 1209600, "expires": EXPIRES, "path": "/", "domain": "example.com", "secure": True}
    fields |= {"httponly": True, "samesite": "None", "partitioned": True}
    measure_write("werkzeug", lambda: dump_cookie("sessionid", TOKEN, **fields))


for peer in (python, django, werkzeug):
    try:
        peer()
    except ModuleNotFoundError:
        print(f"# {peer.__name__}: not installed")
