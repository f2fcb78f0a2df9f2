"""What the adapters share: a session's headers among those of a response, and what browsers take."""

from __future__ import annotations

import logging
from typing import Optional

from . import arguments
from .errors import StoreError, TuileError
from .jar import Jar
from .manager import Manager
from .session import Session, SessionDeleted
from .settings import Given

INTERRUPTED = b"The session was ended by another request.\n"
#: What is wrong and fails no page.
log = logging.getLogger("tuile")


def manager_of(manager: Optional[Manager], settings: Given) -> Manager:
    """The manager that a middleware was given, or one of its settings."""
    if manager is None:
        return Manager(**settings)
    if settings:
        raise TypeError(f"{', '.join(settings)}: the manager that is given has its settings already")
    if not isinstance(manager, Manager):
        raise TypeError(f"manager has to be a tuile.sessions.Manager, not {type(manager).__name__}")
    return manager


def without_second_vary(added: list[tuple[str, str]], vary: list[str]) -> list[tuple[str, str]]:
    """The headers of a session that its response has not yet, whose own Vary headers have those values."""
    if not vary:
        return added
    known = {word.strip().lower() for value in vary for word in value.split(",")}
    return [pair for pair in added if pair[0].lower() != "vary" or not known & {"cookie", "*"}]


def committed(session: Session, status: int) -> list[tuple[str, str]]:
    """Commits, and gives the response's headers. The response fails with that only where a change
    would be lost: who only read has what he asked for, or was told when he asked."""
    changed = session.modified and status < 500
    try:
        return session.commit(status)
    except (SessionDeleted, StoreError) as problem:
        return uncommitted(problem, changed, session.accessed)


def uncommitted(problem: BaseException, changed: bool, accessed: bool) -> list[tuple[str, str]]:
    """What `committed` gives if that was the commit's end."""
    if changed or not isinstance(problem, (SessionDeleted, StoreError)):
        raise problem
    if isinstance(problem, StoreError):
        log.warning("the session was left as it is: %s", problem)
    return [("Vary", "Cookie")] if accessed else []


def refusal(set_cookie: str, pair: bytes, domain: str, path: str) -> Optional[str]:
    """Why a browser would not keep and send back a cookie; None if it would."""
    url = f"https://{domain or 'host.example'}{path}"
    # Which domains are public suffixes depends on the browser's list and date.
    with Jar(public_suffix=lambda _: False) as jar:
        try:
            jar.receive(url, set_cookie.encode("latin-1"))
            sent = jar.header(url) or ""
        except TuileError as problem:
            return str(problem)
    return None if arguments.octets(sent) == pair else "name or attributes end the header early"
