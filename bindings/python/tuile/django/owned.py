"""Whose a session is, and where its request comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from ..device import binding_of
from ..errors import ArgumentError
from . import lists
from .configuration import keeps_owners, names_a_store, tracks_owners

#: In the data: the owner that the application named, and the user who logged in.
OWNER, LOGIN = "_session_owner", "_auth_user_id"


def owner_of(user: Any) -> str:
    """What lists call a user: as Django's login keeps it in the session. Text is a name already."""
    if not isinstance(user, str):
        try:
            user = user._meta.pk.value_to_string(user)
        except AttributeError:
            raise ArgumentError("an owner has to be a user or text") from None
    if not is_valid(user):
        raise ArgumentError("an owner has to have 1 to 255 bytes of UTF-8 without NUL")
    return str(user)


def is_valid(owner: object) -> bool:
    """Whether a list can have this name."""
    if not isinstance(owner, str) or "\0" in owner:
        return False
    try:
        return 1 <= len(owner.encode()) <= 255
    except UnicodeEncodeError:
        return False


def owner_in(data: dict[str, Any]) -> Optional[str]:
    """Whose a session with this data is."""
    owner = data.get(OWNER)
    if owner is None and tracks_owners():
        owner = data.get(LOGIN)
    owner = str(owner) if owner.__class__ is int else owner
    return owner if isinstance(owner, str) and is_valid(owner) else None


class OwnedSession(SessionBase):
    """A session that may have an owner, whose sessions are listed.

    .. versionadded:: 0.1.1
    """

    _client: Optional[lists.Client] = None

    if TYPE_CHECKING:
        # Django's, which its stubs leave out.
        def _get_session(self, no_load: bool = False) -> dict[str, Any]: ...
        async def _aget_session(self, no_load: bool = False) -> dict[str, Any]: ...

    @property
    def owner(self) -> Optional[str]:
        """Whose session it is: the user who logged in, or who was set. Listed once it is saved. To set it where no lists are
        kept is ImproperlyConfigured; what can't be an owner is an ArgumentError.

        .. versionadded:: 0.1.1
        """
        return owner_in(self._get_session())

    @owner.setter
    def owner(self, owner: Any) -> None:
        self._own(self._get_session(), owner)

    async def aget_owner(self) -> Optional[str]:
        """``owner``, for async views.

        :returns: None: nobody's.

        .. versionadded:: 0.1.1
        """
        return owner_in(await self._aget_session())

    async def aset_owner(self, owner: Any) -> None:
        """Sets ``owner``, for async views.

        :param owner: a user of Django's, a name, or None: nobody.
        :raises ImproperlyConfigured: no lists are kept.
        :raises ArgumentError: what can't be an owner.

        .. versionadded:: 0.1.1
        """
        self._own(await self._aget_session(), owner)

    def _own(self, data: dict[str, Any], owner: Any) -> None:
        if owner is not None:
            require_lists()
            data[OWNER] = owner_of(owner)
        else:
            data.pop(OWNER, None)
        self.modified = True

    # What it means for the offer to bind it: a login of the application's own, and what that said.
    _was_cycled = _offers_binding = False

    @property
    def is_device_bound(self) -> bool:
        """Whether the session's key says that it is bound to its browser's device.

        .. versionadded:: 0.2.0
        """
        return binding_of(self.session_key) is not None

    def offer_device_binding(self) -> None:
        """Has the response offer the browser to bind this session, with ``device_bound="call"``.

        .. versionadded:: 0.2.0
        """
        self._offers_binding = self.modified = True

    def set_client(self, user_agent: str = "", address: str = "") -> None:
        """Says where the request comes from, for the owner's list.

        :param user_agent: of which 256 characters are kept; empty: what the list has stays.
        :param address: of which 64 characters are kept; empty: what the list has stays.

        .. versionadded:: 0.1.1
        """
        self._client = user_agent, address

    def keep_listed(self) -> None:
        """After a request that only read the session: its entry says when it was seen, to the minute.

        .. versionadded:: 0.1.1
        """
        raise NotImplementedError


def require_lists() -> None:
    """ImproperlyConfigured where no lists of owners are kept."""
    if keeps_owners():
        return
    raise ImproperlyConfigured(
        "the store of TUILE_STORE keeps no lists of owners"
        if names_a_store()
        else 'lists of owners need "tuile.django.sessions" in INSTALLED_APPS, and `manage.py migrate`'
    )


def _logged_in(*, request: Any, **_: Any) -> None:
    session = getattr(request, "session", None)
    # A middleware that said it knows better.
    if isinstance(session, OwnedSession) and session._client is None and isinstance(request, HttpRequest):
        session.set_client(*client_of(request))


def client_of(request: HttpRequest) -> lists.Client:
    meta = request.META
    return str(meta.get("HTTP_USER_AGENT", "")), str(meta.get("REMOTE_ADDR", ""))


user_logged_in.connect(_logged_in, dispatch_uid="tuile.django")
