"""A project of Django's own `startproject`, with some pages, in a process of its own. Nothing in it knows of Tuile.

python unchanged_site.py FOLDER [SETTING=VALUE…] makes it, serves it on a free port of 127.0.0.1, and prints that port and its SECRET_KEY.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

VIEWS = '''

import os, time

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse


def log_in(request):
    if "user" not in request.GET:
        return HttpResponse("the login page")
    login(request, User.objects.get(username=request.GET["user"]))
    return HttpResponseRedirect(request.GET["next"], status=303) if "next" in request.GET else HttpResponse("welcome")


def log_out(request):
    logout(request)
    return HttpResponse("good bye")


def page(request):
    values = {name: request.session.get(name, 0) for name in ("count", "late")}
    return JsonResponse({"user": request.user.username, **values})


def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return page(request)


def late(request):
    """Reads the session, and saves it once a file is there."""
    request.session["late"] = 1
    print("reading", request.session.get("count"), flush=True)
    end = time.monotonic() + 300
    while not os.path.exists(request.GET["file"]) and time.monotonic() < end:
        time.sleep(0.02)
    return page(request)


urlpatterns += [path("login", log_in), path("logout", log_out), path("page", page), path("tally", count), path("late", late), path("members", login_required(page))]
'''


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *given: object) -> None:
        pass


def main() -> None:
    folder, *more = sys.argv[1:]
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", folder], check=True)
    settings = Path(folder) / "shop/settings.py"
    with settings.open("a") as file:
        file.write("\nALLOWED_HOSTS = ['*']\nSESSION_COOKIE_SECURE = True\nLOGIN_URL = '/login'\n")
        file.write("SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\nUSE_X_FORWARDED_HOST = True\n")
        file.write("PASSWORD_HASHERS = ['django.contrib.auth.hashers.MD5PasswordHasher']\nDATABASES['default']['OPTIONS'] = {'timeout': 20}\n")
        file.writelines(f"{line}\n" for line in more)
    with (Path(folder) / "shop/urls.py").open("a") as file:
        file.write(VIEWS)
    sys.path.insert(0, folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    from django.conf import settings as configured
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    for name in ("anna", "otto"):
        User.objects.create_superuser(name, password="secret")
    assert not any(name.split(".")[0] == "tuile" for name in sys.modules)
    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    print(server.server_port, configured.SECRET_KEY, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
