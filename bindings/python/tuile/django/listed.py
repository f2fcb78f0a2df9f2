"""Sessions on Django's connection whose owners' lists are there, too."""

from __future__ import annotations

from typing import Any, Optional

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.db import router, transaction

from . import lists
from .configuration import most_owned
from .owned import OwnedSession, owner_in


class ListedSession(OwnedSession, db.SessionStore):
    """One that keeps its owner's list up to date, in the transactions that save it."""

    # Who owned it as it was read or saved last, and the key that it had before.
    _listed: Optional[str] = None
    _key_before: Optional[str] = None

    def _was_read(self, data: dict[str, Any]) -> None:
        self._listed = owner_in(data) if lists.are_kept() else None

    def _gets_another_key(self, before: Optional[str]) -> None:
        self._key_before = before if self._listed else None

    def _list(self, data: dict[str, Any], using: str) -> bool:
        """Brings the owner's list up to date, in the transaction that saves the session; whether its entry is new."""
        if not lists.are_kept():
            return False
        key, owner = str(self.session_key), owner_in(data)
        if owner is None:
            if self._listed is not None:
                lists.remove(using, key)
            return False
        if owner == self._listed and self._key_before is None and lists.is_fresh(key, owner):
            return False
        return lists.write(using, key, owner, self._client or ("", ""), self._key_before)

    def _did_list(self, data: dict[str, Any], using: str, is_new: bool) -> None:
        """After the transaction."""
        if not lists.are_kept():
            return
        key, owner = str(self.session_key), owner_in(data)
        self._listed, self._key_before = owner, None
        if owner is None:
            return
        if not lists.is_fresh(key, owner):
            lists.wrote(using, key, owner)
        if is_new:
            lists.bound(self.model, owner, key, most_owned())

    def keep_listed(self) -> None:
        if not lists.are_kept():
            return
        data, using = self._get_session(), str(router.db_for_write(self.model))
        with transaction.atomic(using=using):
            is_new = self._list(data, using)
        self._did_list(data, using, is_new)

    def delete(self, session_key: Optional[str] = None) -> None:
        super().delete(session_key)
        self._unlist(session_key)

    async def adelete(self, session_key: Optional[str] = None) -> None:
        await super().adelete(session_key)
        await sync_to_async(self._unlist)(session_key)

    def _unlist(self, key: Optional[str]) -> None:
        if lists.are_kept():
            lists.remove(str(router.db_for_write(self.model)), self.session_key if key is None else key)

    @classmethod
    def clear_expired(cls) -> None:
        super().clear_expired()
        if lists.are_kept():
            lists.sweep(cls.get_model_class())

    @classmethod
    async def aclear_expired(cls) -> None:
        await super().aclear_expired()
        if lists.are_kept():
            await sync_to_async(lists.sweep)(cls.get_model_class())
