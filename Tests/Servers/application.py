"""The application behind nginx and Apache: a real Django, in a process of its own.

python application.py DATABASE migrates the file, makes the user anna with the password
"secret", and otto, and serves on a free port of 127.0.0.1, which it prints.
"""

from __future__ import annotations

import json
import sys
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"


def log_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.GET.get("user"), password=request.GET.get("password"))
    if user is None:
        return HttpResponse("the login page", status=200)
    login(request, user)
    request.session["name"] = "Änna \"A\""
    request.session["evil"] = "x\r\nX-Admin: 1"
    request.session["camelCase"] = {"a": [1, None]}
    return HttpResponse("welcome")


def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("good bye")


def who(request: HttpRequest) -> HttpResponse:
    """What Django says, and what the server in front told it."""
    told = request.headers.get("X-User", "-")
    pages = request.session.get("pages", 0)
    return HttpResponse(f"{request.user.pk} {told} {pages}")


def put(request: HttpRequest) -> HttpResponse:
    """Values of the test's for the session."""
    request.session.update(json.loads(request.GET["data"]))
    return HttpResponse("put")


@login_required
def members(request: HttpRequest) -> HttpResponse:
    return HttpResponse("members")


@user_passes_test(lambda user: user.is_staff)
def staff(request: HttpRequest) -> HttpResponse:
    return HttpResponse("staff")


@permission_required("auth.view_user")
def viewers(request: HttpRequest) -> HttpResponse:
    return HttpResponse("viewers")


def headers(request: HttpRequest) -> JsonResponse:
    """The request's, as WSGI gives them to Django."""
    return JsonResponse({name: value for name, value in request.META.items() if name.startswith("HTTP_X")})


def cached(request: HttpRequest) -> HttpResponse:
    """What any cache may keep: how often it was made."""
    cached.made = getattr(cached, "made", 0) + 1  # type: ignore[attr-defined]
    response = HttpResponse(str(cached.made))  # type: ignore[attr-defined]
    for name, value in json.loads(request.GET.get("headers", '{"Cache-Control": "public, max-age=600, s-maxage=600"}')).items():
        response.headers[name] = value
    return response


def expire(request: HttpRequest) -> HttpResponse:
    request.session.set_expiry(1)
    return HttpResponse("a second left")


def count(request: HttpRequest) -> HttpResponse:
    """Django's own counter, the control of the one in front."""
    request.session["control"] = request.session.get("control", 0) + 1
    return HttpResponse(str(request.session["control"]))


urlpatterns = [
    path("control", count),
    path("accounts/login/", log_in),
    path("accounts/logout/", log_out),
    path("expire", expire),
    path("put", put),
    path("django/members", members),
    path("django/staff", staff),
    path("django/viewers", viewers),
    path("headers", headers),
    path("cached", cached),
    path("", who),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def database_of(where: str) -> dict[str, object]:
    """A path, or postgresql:///NAME?host=…&port=…&user=…"""
    if not where.startswith("postgresql:"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": where, "OPTIONS": {"timeout": 20}}
    url = urlsplit(where)
    options = {name: values[0] for name, values in parse_qs(url.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.strip("/"),
        **{name.upper(): options[name] for name in ("host", "port", "user")},
    }


def configure(database: str) -> None:
    settings.configure(
        SECRET_KEY=SECRET,
        USE_TZ=True,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DATABASES={"default": database_of(database)},
    )
    django.setup()


def main() -> None:
    configure(sys.argv[1])
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    for name in ("anna", "otto"):
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password="secret")
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
