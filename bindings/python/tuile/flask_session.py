"""Flask's ``session``, kept by Tuile."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionMixin

from .handle import CHANGES
from .session import EXACT, Expiry, ServedSession, compact, scan

_TAGGED = TaggedJSONSerializer()
_CHANGES = CHANGES | {"flush"}
# Flask-Login asks for it after each request, and has set it in the same request, if at all.
_PASSING = "_remember"


class FlaskSession(ServedSession, SessionMixin):
    """What Flask's own session is to an application, with the methods of :class:`tuile.sessions.Session`.

    What is changed in place is saved, too: ``modified = True`` is not needed, and does no harm.

    .. versionadded:: 0.1.0
    """

    # Whether the response says Vary: Cookie, since the proxy was used or was not; None: nobody has said.
    _seen: Optional[bool] = None
    # What the application said of `modified`; None: nothing.
    _told: Optional[bool] = None
    # Values that change with a login.
    _login_keys: frozenset[str] = frozenset()
    _logged_in = False
    _interface: Any = None
    # The library has answered the request; there is nothing to save.
    _answered = False
    _passed = False

    def _dumps(self, value: Any) -> str:
        # A scalar has no tag.
        return compact(value) if value.__class__ in EXACT else _TAGGED.dumps(value)

    def _loads(self, text: str) -> Any:
        if '" ' not in text:
            # Nor has a name that begins with a space, as all tags do.
            return scan(text, 0)[0]
        if text.startswith('{" '):
            values = json.loads(text)
            if not _is_tagged(values):
                # A name that looks like one of the serializer's tags is a name here.
                return {name: _TAGGED.loads(json.dumps(value)) for name, value in values.items()}
        return _TAGGED.loads(text)

    def _call(self, name: str, *arguments: object) -> int:
        if self._told is False and name in _CHANGES:
            self._told = None
        return super()._call(name, *arguments)

    def _change(self, name: str, *given: Any) -> Any:
        if self._told is False:
            self._told = None
        return super()._change(name, *given)

    # -- what Flask asks

    @property
    def accessed(self) -> bool:
        return self.used if self._seen is None else self._seen

    @accessed.setter
    def accessed(self, value: bool) -> None:
        self._seen = value

    @property
    def used(self) -> bool:
        """Something was read or changed; the proxy alone, which every template has, asks for nothing.

        .. versionadded:: 0.1.1
        """
        return super().accessed or self._told is True

    @property
    def modified(self) -> bool:
        return super().modified if self._told is None else self._told

    @modified.setter
    def modified(self, value: bool) -> None:
        self._told = value

    @property
    def permanent(self) -> bool:
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        if self.get("_permanent") is bool(value):
            # Said before each request, as many applications do, it is no change of what is stored.
            self.modified = True
        else:
            self["_permanent"] = bool(value)

    # -- a dictionary's, where a mapping has none or does otherwise

    def __contains__(self, key: object) -> bool:
        if key == _PASSING and self._values is None and not self._passed:
            # Not worth a question to the store, least of all where that gave no answer.
            return False
        return super().__contains__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._passed |= key == _PASSING
        if key in self._login_keys and self.get(key) != value:
            self._logged_in = True
        super().__setitem__(key, value)

    def update(self, *others: Any, **named: Any) -> None:
        """Sets many values in one call.

        :param others: a dictionary, or pairs.
        :param named: values by names.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.1
        """
        values = dict(*others, **named)
        self._logged_in |= any(self.get(key) != values[key] for key in self._login_keys & values.keys())
        self._passed |= _PASSING in values
        if len(values) == 1:
            self.__setitem__(*values.popitem())
        else:
            super().update(values)
        self.modified = True

    def copy(self) -> dict[str, Any]:
        """A dictionary, as from Flask's own session.

        :returns: a dictionary of its values.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.1
        """
        return dict(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(self.copy(), memo)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._dict())

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**other, **self}

    def __ior__(self, other: Any) -> FlaskSession:  # type: ignore[misc]
        self.update(other)
        return self

    def __repr__(self) -> str:
        # No question to the store, which may be what is being debugged.
        return f"<FlaskSession {'that was not read' if self._values is None else self._values}>"

    def set_expiry(self, value: Expiry) -> None:
        """When the session ends.

        :param value: idle seconds, 0 until the browser closes, a fixed time, or None for Flask's own rule.
        :raises ArgumentTypeError: it is none of these.
        :raises RangeError: no date up to the year 9999 holds it.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.1
        """
        super().set_expiry(value)
        if value == 0 and self.permanent:
            self.permanent = False


def _is_tagged(values: dict[str, Any]) -> bool:
    """Flask's form of a dictionary whose one name is a tag's."""
    inner = values.get(" di") if len(values) == 1 else None
    return isinstance(inner, dict) and [name[-2:] for name in inner] == ["__"]
