"""A page of Django's that counts, and one that looks: what gunicorn serves for servers.py."""

from __future__ import annotations

import json
import os
import sys

from django.conf import settings

settings.configure(**json.loads(os.environ["BENCH_SETTINGS"]), ROOT_URLCONF=__name__)

from django.core.wsgi import get_wsgi_application  # noqa: E402  settings come first
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


def count(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(str(request.session["count"]))


def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.session["count"]))


urlpatterns = [path("", count), path("look", look)]
sys.modules.setdefault("counted", sys.modules[__name__])
application = get_wsgi_application()
