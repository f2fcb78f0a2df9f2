"""The admin's page of live sessions: who, since when, last seen, browser, address; and a way to end them.

It shows no key of a session, which would be as good as the user's password: in no address, form or log.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Optional

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model, logout
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext as _

from ...owners import OwnedSession
from .. import lists, owners
from ..configuration import names_a_store
from ..owned import is_valid, owner_of
from .models import ListedSession
from .shown import shown

_PAGE = 100
_MOST_USERS = 20


class ListedSessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's class has no parameters.
    """What needs a key of the table in an address, as editing does, is not there."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name=f"{self.opts.app_label}_{self.opts.model_name}_changelist")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Optional[dict[str, Any]] = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._ended(request)
        query, page = request.GET.get("q", "").strip(), _number(request.GET.get("p"))
        more = False
        if query:
            found = [(owner, one) for owner in _owners(query) for one in owners.sessions(owner, request.session)]
        elif names_a_store():
            found = []
        else:
            model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
            found, more = lists.latest(model, page * _PAGE, _PAGE, request.session.session_key)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Live sessions"),
            "opts": self.opts,
            "rows": _rows(found, self.admin_site.name),
            "query": query,
            "page": page,
            "more": more,
            # Such a store knows the sessions of each user, but no order among all.
            "asks_for_a_user": names_a_store() and not query,
            "may_end": self.has_delete_permission(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/tuile_sessions/listedsession/change_list.html", context)

    def _ended(self, request: HttpRequest) -> HttpResponse:
        if not self.has_delete_permission(request):
            raise PermissionDenied
        owner, id = request.POST.get("owner", ""), request.POST.get("id", "")
        if is_valid(owner) and owners.revoke(owner, id):
            LogEntry.objects.create(
                user_id=request.user.pk,
                content_type_id=ContentType.objects.get_for_model(self.model).pk,
                object_id=id,
                object_repr=f"{_users([owner]).get(owner, owner)}"[:200],
                action_flag=DELETION,
                change_message="",
            )
            if id == lists.id_of(request.session.session_key):
                logout(request)
            self.message_user(request, _("The session was ended."), messages.SUCCESS)
        else:
            self.message_user(request, _("That session had ended already."), messages.WARNING)
        return HttpResponseRedirect(request.get_full_path())


def _number(text: Optional[str]) -> int:
    return min(int(text), 1_000_000) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0


def _owners(query: str) -> list[str]:
    """Whose sessions are looked for: users by a part of their name, and an owner by the whole."""
    if not is_valid(query):
        return []
    users = get_user_model()._default_manager.filter(**{f"{get_user_model().USERNAME_FIELD}__icontains": query})
    return list(dict.fromkeys([*(owner_of(user) for user in users.order_by("pk")[:_MOST_USERS]), query]))


def _users(names: list[str]) -> dict[str, Any]:
    """The users behind owners' names; applications give some that are no user's."""
    key, keys = get_user_model()._meta.pk, {}
    for name in names:
        try:
            keys[name] = key.to_python(name)
        except (ValidationError, ValueError, OverflowError):
            continue
    users = get_user_model()._default_manager.in_bulk(list(set(keys.values())))
    return {name: users[value] for name, value in keys.items() if value in users}


def _rows(found: list[tuple[str, OwnedSession]], site: str) -> list[dict[str, Any]]:
    users, rows = _users([owner for owner, _ in found]), []
    for owner, session in found:
        user, link = users.get(owner), ""
        if user is not None:
            try:
                link = reverse(f"admin:{user._meta.app_label}_{user._meta.model_name}_change", args=[user.pk], current_app=site)
            except NoReverseMatch:
                pass
        rows.append({"owner": owner, "user": user if user is not None else owner, "link": link, "session": shown(session)})
    return rows


admin.site.register(ListedSession, ListedSessionAdmin)
