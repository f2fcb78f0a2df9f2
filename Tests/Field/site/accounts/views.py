"""What real projects do with sessions, good and bad."""

import asyncio

from django.contrib import messages
from django.contrib.auth import aget_user, login, update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.csrf import csrf_exempt


def plain(request):
    return HttpResponse("plain")


def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"{request.user} {request.session['count']}")


def look(request):
    return JsonResponse(dict(request.session.items()))


@csrf_exempt
def signup(request):
    request.session["cart"] = ["tea"]
    with transaction.atomic():
        user = User.objects.create_user(request.POST["name"], password="a long password")
        login(request, user)
        messages.success(request, f"Welcome, {user}")
        if request.POST.get("then") == "undo":
            transaction.set_rollback(True)
    if request.POST.get("then") == "fail":
        1 / 0
    if request.POST.get("then") == "refuse":
        transaction.set_rollback(True)
        return HttpResponse("no", status=409)
    return HttpResponseRedirect("/")


def error(request):
    request.session["error"] = True
    status = int(request.GET.get("status", 0))
    if not status:
        raise ValueError("an error")
    return HttpResponse("an error", status=status)


def caught(request):
    """Saves in a transaction that is rolled back, and goes on."""
    try:
        with transaction.atomic():
            request.session["inner"] = True
            request.session.save()
            1 / 0
    except ZeroDivisionError:
        return HttpResponse("caught")


def lock(request):
    with transaction.atomic():
        if request.session.session_key:
            list(Session.objects.select_for_update().filter(pk=request.session.session_key))
        request.session["locked"] = True
        request.session.save()
    return HttpResponse("locked")


def act(request, what):
    session = request.session
    if what == "clear":
        session.clear()
    elif what == "clear-and-set":
        session.clear()
        session["new"] = 1
    elif what == "flush":
        session.flush()
    elif what == "cycle":
        session.cycle_key()
    elif what == "expire":
        seconds = request.GET["seconds"]
        session.set_expiry(None if seconds == "none" else float(seconds) if "." in seconds else int(seconds))
    elif what == "test":
        if session.test_cookie_worked():
            session.delete_test_cookie()
            return HttpResponse("worked")
        session.set_test_cookie()
    elif what == "delete":
        del session["count"]
    elif what == "nested":
        session.setdefault("cart", []).append("milk")
        session.modified = True
    elif what == "save":
        session["saved"] = 1
        session.save()
    elif what == "password":
        request.user.set_password("another long password")
        request.user.save()
        update_session_auth_hash(request, request.user)
    elif what == "unserializable":
        session["x"] = object()
    return HttpResponse(f"{what} {session.get_expiry_age()} {session.get_expire_at_browser_close()}")


@transaction.non_atomic_requests
async def slow(request):
    await request.session.aset("slow", True)
    await request.session.asave()
    await request.session.aset("later", True)
    await asyncio.sleep(float(request.GET.get("seconds", 0)))
    return HttpResponse(f"{await aget_user(request)}")
