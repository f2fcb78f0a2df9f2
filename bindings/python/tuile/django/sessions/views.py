"""`Your devices`: where a user is logged in, and a way to end it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from .. import lists, owners
from .shown import shown

__all__ = ["devices"]


@sensitive_post_parameters("end")
@never_cache
@csrf_protect
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def devices(request: HttpRequest, template_name: str = "tuile_sessions/devices.html") -> HttpResponse:
    """The sessions of the user who asks, and of nobody else. A POST with `end=ID` ends one, with `end_others` all but this one."""
    if request.method == "POST":
        return _ended(request)
    sessions = [shown(found) for found in owners.sessions(request.user, request.session)]
    # This one comes first.
    sessions.sort(key=lambda found: not found.current)
    return render(request, template_name, {"sessions": sessions, "others": sum(not found.current for found in sessions)})


def _ended(request: HttpRequest) -> HttpResponse:
    id = request.POST.get("end", "")
    if "end_others" in request.POST:
        count = owners.revoke_all(request.user, keep=request.session)
        text = ngettext("%d other session was ended.", "%d other sessions were ended.", count) % count
        messages.success(request, text, fail_silently=True)
    elif id and id == lists.id_of(request.session.session_key):
        logout(request)
    elif id and owners.revoke(request.user, id):
        messages.success(request, _("The session was ended."), fail_silently=True)
    else:
        messages.warning(request, _("That session had ended already."), fail_silently=True)
    return HttpResponseRedirect(request.path)
