"""Pages of a project whose users see their sessions."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from tuile.django import owners


def log_in(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username=request.GET["name"]))
    return HttpResponse("welcome")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


def static(request: HttpRequest) -> HttpResponse:
    return HttpResponse("no session is asked for")


def visit(request: HttpRequest) -> HttpResponse:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(str(request.session["visits"]))


def password(request: HttpRequest) -> HttpResponse:
    request.user.set_password("new")
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse(str(owners.revoke_all(request.user, keep=request.session)))


def mine(request: HttpRequest) -> HttpResponse:
    found = owners.sessions(request.user, request.session)
    return HttpResponse(" ".join(f"{one.user_agent}{'*' * one.current}" for one in found))


urlpatterns = [
    path("login", log_in),
    path("page", page),
    path("static", static),
    path("visit", visit),
    path("password", password),
    path("mine", mine),
    path("devices/", include("tuile.django.sessions.urls")),
    path("admin/", admin.site.urls),
]
