"""A Django project with its admin, whose settings alone say that logins are bound."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path

SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
BOUND = "tuile.django.middleware.DeviceBoundMiddleware"
_folder = tempfile.TemporaryDirectory(prefix="tuile-bound-")


def configure(**more: Any) -> None:
    settings.configure(
        SECRET_KEY=SECRET,
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        ROOT_URLCONF=__name__,
        STATIC_URL="static/",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "tuile.django.sessions",
        ],
        MIDDLEWARE=[
            BOUND,
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        SESSION_ENGINE="tuile.django",
        SESSION_COOKIE_SECURE=True,
        LOGIN_URL="/login",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": Path(_folder.name) / "db.sqlite3",
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        **more,
    )
    django.setup()


def prepare() -> None:
    """Tables and users, once."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name in ("anna", "otto"):
        if not User.objects.filter(username=name).exists():
            User.objects.create_superuser(name, password="secret")


configure()


# ---- views: nothing in them knows of binding ----


def log_in(request: HttpRequest) -> HttpResponse:
    if "user" not in request.GET:
        return HttpResponse("the login page")
    from django.contrib.auth.models import User

    login(request, User.objects.get(username=request.GET["user"]))
    if "next" in request.GET:
        return HttpResponseRedirect(request.GET["next"], status=303)
    return HttpResponse("welcome")


def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("good bye")


def page(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.user.username, "count": request.session.get("count", 0)})


def count(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.user.username, "count": request.session.add_int("count")})  # type: ignore[attr-defined]


@login_required
def members(request: HttpRequest) -> JsonResponse:
    return page(request)


def cycle(request: HttpRequest) -> JsonResponse:
    request.session.cycle_key()
    return page(request)


def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for everybody")


def sessions(request: HttpRequest) -> JsonResponse:
    from tuile.django import owners

    found = owners.sessions(request.user, request.session)
    return JsonResponse([{"id": one.id, "current": one.current, "device_bound": one.device_bound} for one in found], safe=False)


def revoke(request: HttpRequest) -> JsonResponse:
    from tuile.django import owners

    return JsonResponse(owners.revoke(request.user, request.GET["id"]), safe=False)


urlpatterns = [
    path("admin/", admin.site.urls),
    path("login", log_in),
    path("logout", log_out),
    path("page", page),
    path("count", count),
    path("members", members),
    path("cycle", cycle),
    path("public", public),
    path("sessions", sessions),
    path("revoke", revoke),
]
