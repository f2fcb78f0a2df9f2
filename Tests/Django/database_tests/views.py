"""Views that use sessions in transactions."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path


def signup(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        user = User.objects.create_user(request.GET["name"])
        request.session["cart"] = ["tea"]
        login(request, user)
        if "fail" in request.GET:
            raise ValueError("after the login")
        if "undo" in request.GET:
            transaction.set_rollback(True)
    return HttpResponse("welcome")


def count(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"{request.user} {request.session['count']}")


async def acount(request: HttpRequest) -> HttpResponse:
    seen = await request.session.aget("count", 0) + 1
    await request.session.aset("count", seen)
    return HttpResponse(f"{await request.auser()} {seen}")


urlpatterns = [path("signup", signup), path("count", count), path("acount", acount)]
