"""A session of the library, before it is a dictionary."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from ctypes import byref, c_bool, c_int64, sizeof
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from . import _flat as flat
from . import _native as native
from . import arguments
from .device import DeviceAnswer
from .errors import ArgumentError
from .lifetime import Handle, Uncopyable

if TYPE_CHECKING:
    from .manager import Manager

_Self = TypeVar("_Self", bound="SessionHandle")
_Answer = TypeVar("_Answer")


def _copied(answer: native.DeviceAnswer) -> DeviceAnswer:
    pairs = [answer.headers[i] for i in range(answer.header_count)]
    headers = [(native.copy(one.name).decode("latin-1"), native.copy(one.value).decode("latin-1")) for one in pairs]
    return DeviceAnswer(answer.http_status, headers, native.copy(answer.body))


# What changes a session, so that a commit has something to save.
CHANGES = frozenset(
    "add_int append clear cycle_id remove set_expiry set_expiry_time set_json set_lifetime "
    "set_owner update".split()
)


def committed(text: bytes) -> tuple[str, str]:
    """What a flat commit says: the session's key, or an empty text, and the headers of the response, names and values
    with a NUL behind each."""
    key, _, headers = text.decode("latin-1").partition("\0")
    return key, headers


class SessionHandle(Uncopyable):
    """What every session has besides its values: an ID, an end, an owner. One thread at a time is in it."""

    #: Whether a session that is left with changes warns: a framework that saves it has its own rule.
    _warns = True
    # Something was changed that no commit was asked to save.
    _unsaved = False
    # A call is under way.
    _calling = False

    _instead = "it belongs to one request; dict(session) copies its values, and a Manager begins another one"

    def __init__(self, manager: Manager, handle: Handle) -> None:
        self._handle = handle
        self._manager = manager
        # Looked up here: gevent and eventlet put one of theirs there.
        self._lock = threading.RLock()

    def _changed_inside(self) -> None:
        """The library has set a value of its own."""

    # -- the session

    @property
    def session_key(self) -> Optional[str]:
        """The session ID, once the session has one. A password: do not log it.

        :returns: None while there is none, or the cookie's can't be one.
        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.0
        """
        key = native.Bytes()

        def read(handle: int) -> Optional[str]:
            found = native.lib.tuile_session_id(handle, byref(key)) == native.OK
            return native.copy(key).decode("latin-1") if found else None

        return self._alone(read)

    def load(self) -> bool:
        """Reads the session, if that was not done yet. No outage is taken for a logout.

        :returns: whether there was one.
        :raises StoreError: the store gave no answer.
        :raises SessionUnbound: a device-bound session came without its bound cookie.
        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.0
        """
        return self._call("load") == native.OK

    def has_several_cookies(self) -> bool:
        """Whether the request had cookies of the session's name with different values: somebody may have added one.

        :returns: False for none, for one, and for several that are the same.
        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.1
        """
        several = c_bool()
        self._alone(lambda handle: native.lib.tuile_session_has_several_cookies(handle, byref(several)))
        return several.value

    def is_empty(self) -> bool:
        """Neither an ID nor data.

        :returns: whether it has neither an ID nor data.
        :raises StoreError: the store gave no answer.
        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.0
        """
        return self._bool("is_empty")

    def set_lifetime(self, seconds: int) -> None:
        """Lets the session end then, whatever is done with it: neither activity nor a new key moves that.

        :param seconds: from now; 0: no such end, or where the setting ``lifetime`` is, that one anew.
        :raises RangeError: it is negative, or beyond the year 9999.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        with self._lock:
            self._call("set_lifetime", native.int64(seconds, "seconds"))
            self._changed_inside()

    def get_lifetime(self) -> Optional[int]:
        """Seconds that are left of its longest life; None if it has no such end.

        :returns: seconds; None if it has no such end.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        seconds = c_int64()
        return seconds.value if self._call("get_lifetime", byref(seconds)) == native.OK else None

    def touch(self) -> None:
        """Has the commit keep the session alive, and send its cookie again, even if nothing was changed.

        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.1.1
        """
        self._call("touch")

    # -- its browser's device

    @property
    def is_device_bound(self) -> bool:
        """Whether the session's ID says that it is bound to a device. Nothing is read for that.

        :raises ArgumentError: the session has ended.

        .. versionadded:: 0.2.0
        """
        bound = c_bool()
        self._alone(lambda handle: native.lib.tuile_session_is_device_bound(handle, byref(bound)))
        return bound.value

    def offer_device_binding(self) -> bool:
        """Has the commit offer the browser to bind this session, with the setting ``device_bound="call"``.

        :returns: False if it is bound, or there is nothing yet that could be.
        :raises ArgumentError: sessions are not bound by this manager.
        :raises SessionUnbound: the session is bound, and came without its bound cookie.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.2.0
        """
        return self._call("offer_device_binding") == native.OK

    def answer_device(self, request: native.DeviceRequest) -> DeviceAnswer:
        """The answer to a request for ``device_path``: a browser registers a key, or proves that it has it. The adapters ask for it.

        :param request: what ``tuile.device.request_of`` made of the request.
        :returns: a whole response, to be sent as it is. The session is neither used before nor committed.
        :raises ArgumentError: sessions are not bound by this manager.
        :raises StoreError: the store gave no answer: say 503, and the browser comes again.

        .. versionadded:: 0.2.0
        """
        answer = self._device_answer("answer_device", request)
        assert answer is not None
        return answer

    def refusal(self, request: native.DeviceRequest) -> Optional[DeviceAnswer]:
        """What to send where the bound cookie did not come. The adapters ask for it.

        :param request: what ``tuile.device.request_of`` made of the request.
        :returns: a whole response with status 401; None if the cookie came, or none is needed.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.2.0
        """
        return self._device_answer("refuse", request)

    def _device_answer(self, name: str, request: native.DeviceRequest) -> Optional[DeviceAnswer]:
        answer, error, function = native.DeviceAnswer(), native.Error(), self._manager._calls.session[name]
        native.lib.tuile_device_answer_init(byref(answer), sizeof(answer))

        def call(handle: int) -> tuple[int, Optional[DeviceAnswer]]:
            status = int(function(handle, byref(request), byref(answer), byref(error)))
            return status, _copied(answer) if status == native.OK else None

        # What the answer points to is the session's, until it ends.
        status, made = self._alone(call)
        native.answered(status, error)
        return made

    # -- its owner

    @property
    def owner(self) -> Optional[str]:
        """Whose session it is, as the application calls its users; None for nobody's. Set it at a login: the commit writes
        the owner's list, and with the setting ``max_owned`` ends those of the owner's sessions that were unseen longest.

        Raises ArgumentError for what can't be an owner's name (1 to 255 bytes without NUL), or where the store keeps no lists;
        StoreError if the store gave no answer.

        .. versionadded:: 0.1.0
        """
        owner = self._text("get_owner")
        return None if owner is None else arguments.text(owner)

    @owner.setter
    def owner(self, owner: Optional[str]) -> None:
        with self._lock:
            self._call("set_owner", native.Bytes() if owner is None else native.view(owner, "owner"))
            self._changed_inside()

    def set_client(self, user_agent: str = "", address: str = "") -> None:
        """Says where the request comes from, for the owner's list. What is empty leaves there what it has.

        :param user_agent: of which 256 bytes are kept.
        :param address: of which 64 bytes are kept.
        :raises StoreError: the store gave no answer.

        .. versionadded:: 0.1.0
        """
        agent = native.view(arguments.sent(user_agent, "user_agent"))
        self._call("set_client", agent, native.view(arguments.sent(address, "address")))

    # -- the request

    def _commit(self, status: int, changes: str = "") -> tuple[str, str]:
        """Makes the changes, names and values as the library's flat call has them, and commits."""
        given = arguments.sent(changes)
        # Whoever asked is told what came of it.
        self._unsaved = False
        return committed(self._flat(self._manager._calls.commit, given, status))

    def close(self) -> None:
        """Ends the session, without waiting for a call on it in another thread. A second time is fine. What was not committed is
        gone, with a ResourceWarning; ``with`` calls this, and warns only if no exception came.

        .. versionadded:: 0.1.0
        """
        self._close(warns=True)

    def _close(self, warns: bool) -> None:
        if warns and self._warns and not self._handle.released and self._is_unsaved():
            warnings.warn("a session was left with changes that no commit() has saved", ResourceWarning, 3, source=self)
        self._handle.release()

    def _is_unsaved(self) -> bool:
        return self._unsaved

    def __del__(self) -> None:
        # Half made, or the interpreter ends: nobody could do anything about it. The handle ends by itself.
        if not self._warns:
            return
        handle = self.__dict__.get("_handle")
        if handle is None or handle.released or sys.is_finalizing():
            return
        self._close(warns=True)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: object, trace: Optional[TracebackType]) -> None:
        # Who leaves by an exception has not forgotten anything.
        self._close(warns=kind is None)

    def __repr__(self) -> str:
        return f"<Session {'ended' if self._handle.released else 'open'}>"

    # -- calls

    def _alone(self, call: Callable[..., _Answer], *given: Any) -> _Answer:
        """Calls with the handle, one thread at a time."""
        with self._lock:
            if self._calling:
                # A store's own code, which runs inside the call, or a greenlet that switched there.
                raise ArgumentError("the session is in the middle of a call")
            self._calling = True
            try:
                handle = self._handle.enter()
                try:
                    return call(handle, *given)
                finally:
                    self._handle.leave()
            finally:
                self._calling = False

    def _call(self, name: str, *given: Any) -> int:
        room, function = native.room_for_error(), self._manager._calls.session[name]
        status: int = self._alone(function, *given, room[1])
        native.settled(status, room)
        if name in CHANGES:
            self._unsaved = True
        return status

    def _change(self, name: str, *given: Any) -> Any:
        """Makes one of the changes that are flat calls; the last that it gives."""
        answer = self._alone(getattr(self._manager._calls, name), *given)
        flat.checked(*answer[:2])
        self._unsaved = True
        return answer[-1]

    def _flat(self, call: Any, *given: Any) -> bytes:
        """The text of one of the flat calls."""
        with self._lock:
            count, text = self._alone(call, *given)
            if count > flat.ROOM:
                text = self._alone(flat.again, count)
        made: bytes = flat.checked(count, text)
        return made

    def _text(self, name: str) -> Optional[bytes]:
        """A copy of what the library lends for as long as the session is there; None if there is none."""
        view, error, function = native.Bytes(), native.Error(), self._manager._calls.session[name]

        def read(handle: int) -> tuple[int, bytes]:
            status = int(function(handle, byref(view), byref(error)))
            return status, native.copy(view) if status == native.OK else b""

        status, text = self._alone(read)
        native.answered(status, error)
        return text if status == native.OK else None

    def _ask(self, name: str) -> bool:
        """What functions answer that can't fail."""
        return bool(self._alone(self._manager._calls.session[name]))

    def _bool(self, name: str) -> bool:
        answer = c_bool()
        self._call(name, byref(answer))
        return answer.value
