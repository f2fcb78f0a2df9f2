"""A user's sessions: listed, and ended.

Each of them says when it began, when it was last seen, its browser and its address
(:class:`tuile.owners.OwnedSession`). A user is one of Django's, or an owner's name as ``request.session.owner``
has it. ImproperlyConfigured where no lists are kept: sessions in a cookie, or in the database without
``"tuile.django.sessions"`` in ``INSTALLED_APPS``.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any, Optional

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from ..owners import OwnedSession
from . import lists
from .configuration import manager, names_a_store
from .owned import owner_of, require_lists

__all__ = ["OwnedSession", "arevoke", "arevoke_all", "asessions", "revoke", "revoke_all", "sessions"]


def sessions(user: Any, current: Optional[SessionBase] = None) -> list[OwnedSession]:
    """A user's sessions, the one seen last first; ``current``, as ``request.session``, is marked.

    :param user: one of Django's, or an owner's name.
    :param current: ``request.session``, whose entry is marked.
    :returns: a list of :class:`tuile.owners.OwnedSession`.
    :raises ImproperlyConfigured: no lists are kept.
    :raises ArgumentError: what is neither a user nor a name.
    :raises StoreError: the store of TUILE_STORE gave no answer; without it, Django's own DatabaseError.

    .. versionadded:: 0.1.1
    """
    owner, key = owner_of(user), current.session_key if current is not None else None
    require_lists()
    if not names_a_store():
        return lists.sessions(_model(), owner, key)
    here = lists.id_of(key) if key else ""
    return [replace(found, current=True) if found.id == here else found for found in manager().sessions(owner)]


def revoke(user: Any, id: str) -> bool:
    """Ends the session of a user that has this id, at once and for good.

    :param user: one of Django's, or an owner's name.
    :param id: as :func:`sessions` named it.
    :returns: False if the user has no such session any more.
    :raises ImproperlyConfigured: no lists are kept.
    :raises ArgumentError: what is neither a user nor a name.
    :raises StoreError: the store of TUILE_STORE gave no answer; without it, Django's own DatabaseError.

    .. versionadded:: 0.1.1
    """
    owner = owner_of(user)
    require_lists()
    return manager().revoke(owner, id) if names_a_store() else lists.revoke(_model(), owner, id)


def revoke_all(user: Any, keep: Optional[SessionBase] = None) -> int:
    """Ends all sessions of a user, as after a change of the password.

    After ``update_session_auth_hash(request, user)``, which gives the session a new key:
    ``revoke_all(user, keep=request.session)``.

    :param user: one of Django's, or an owner's name.
    :param keep: ``request.session``, which stays.
    :returns: how many were ended.
    :raises ImproperlyConfigured: no lists are kept.
    :raises ArgumentError: what is neither a user nor a name.
    :raises StoreError: the store of TUILE_STORE gave no answer; without it, Django's own DatabaseError.

    .. versionadded:: 0.1.1
    """
    owner = owner_of(user)
    require_lists()
    if not names_a_store():
        return lists.revoke_all(_model(), owner, keep.session_key if keep is not None else None)
    kept = getattr(keep, "_kept", None)
    if keep is None or kept is None or keep.session_key is None:
        return manager().revoke_all(owner)
    session = kept.begun(keep.session_key).session
    session.load()
    # One that is in its cookie gets a new one.
    keep.modified = True
    return manager().revoke_all(owner, session)


asessions = sync_to_async(sessions)
arevoke = sync_to_async(revoke)
arevoke_all = sync_to_async(revoke_all)


def _model() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
