"""Device-bound sessions: a request for the endpoint, and one whose bound session came without its bound cookie."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import byref, sizeof
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

from . import _native as native
from .errors import StoreError

if TYPE_CHECKING:
    from .session import Session

#: A request's header of that name, or None.
HeaderOf = Callable[[str], Union[str, bytes, None]]
_HEADERS = {
    "proof": "Secure-Session-Response",
    "identifier": "Sec-Secure-Session-Id",
    "skipped": "Secure-Session-Skipped",
    "fetch_site": "Sec-Fetch-Site",
    "fetch_mode": "Sec-Fetch-Mode",
    "fetch_dest": "Sec-Fetch-Dest",
}
#: How a login's response offers a browser to bind the session.
OFFER = "Secure-Session-Registration"


class DeviceAnswer(NamedTuple):
    """A whole response, to be sent as it is: its status, its headers and its body.

    :param status: 200, 400, 401, 403, 404, 405, or 503 where the store gave no answer.
    :param headers: names and values, without a Content-Length.
    :param body: JSON, HTML or text; may be empty.

    .. versionadded:: 0.2.0
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def request_of(method: str, header: HeaderOf) -> native.DeviceRequest:
    """What device-bound sessions have to know of a request, beside its cookies."""
    request = native.DeviceRequest()
    native.lib.tuile_device_request_init(byref(request), sizeof(request))
    values = {name: _octets(header(sent)) for name, sent in _HEADERS.items()}
    values["method"] = _octets(method)
    for name, octets in values.items():
        setattr(request, name, native.Bytes(octets, len(octets)))
    # They are borrowed.
    request.owners = values
    return request


def _octets(value: Union[str, bytes, None]) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode("latin-1", "replace")


def answered(session: Session, path: str, method: str, header: HeaderOf) -> Optional[DeviceAnswer]:
    """What is sent in place of the application's page; None: the page is.

    ``path`` is the URL's, as the browser has it. An outage is status 503: the browser comes again.
    """
    endpoint = session._manager.device_path
    if endpoint is None or (path != endpoint and not session.is_device_bound):
        return None
    request = request_of(method, header)
    try:
        return session.answer_device(request) if path == endpoint else session.refusal(request)
    except StoreError:
        return DeviceAnswer(503, [("Cache-Control", "no-store"), ("Content-Type", "text/plain")], b"The store gave no answer.\n")


# ---- the form of a bound ID, for who makes IDs himself ----

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_RANDOM, _BINDING, _CHECK = 20, 12, 8


def binding_of(key: Optional[str]) -> Optional[str]:
    """What all IDs of a bound session have in common; None: the session is not bound."""
    if not key or len(key) != _RANDOM + _BINDING + _CHECK:
        return None
    return key[_RANDOM:-_CHECK] if key[-_CHECK:] == _check(key[:-_CHECK]) else None


def bound_key(random: str, binding: str) -> str:
    """A new ID of the same binding; of what is random 20 characters count."""
    start = random[:_RANDOM] + binding
    return start + _check(start)


def _check(start: str) -> str:
    digest = sha256(b"tuile bound session id\0" + start.encode("utf-8", "surrogatepass")).digest()
    return "".join(_ALPHABET[(digest[2 * i] << 8 | digest[2 * i + 1]) % 36] for i in range(_CHECK))
