"""What the commands of ``python -m tuile`` do, each to an answer of names and values."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from ctypes import byref, c_size_t, c_void_p
from typing import Any, NoReturn, Optional
from urllib.parse import unquote

from . import _native as native
from . import arguments, cookies, errors, signing
from .sessions import Manager, Session

USAGE = 2
Answer = dict[str, Any]


class JSON(str):
    """JSON as it was found."""


def absent(message: str = "") -> errors.TuileError:
    """An ordinary no: something is not there."""
    problem = native.failure(native.ABSENT)
    return type(problem)(message) if message else problem


def _word(word: str) -> str:
    """A word, or standard input for ``-``, without the end of its last line."""
    if word != "-":
        return word
    return arguments.text(sys.stdin.buffer.read()).removesuffix("\n").removesuffix("\r")


def _keyring(given: argparse.Namespace) -> signing.Keyring:
    ring = signing.Keyring(allow_weak=given.allow_weak)
    if given.secret_file is not None:
        ring.add_file(given.secret_file, given.key_format, shared=given.allow_shared)
    elif "TUILE_SECRET" in os.environ:
        ring.add_environment("TUILE_SECRET", given.key_format)
    else:
        usage("no secret: give --secret-file FILE or the environment variable TUILE_SECRET")
    return ring


def usage(message: str) -> NoReturn:
    print(f"tuile: {message}", file=sys.stderr)
    raise SystemExit(USAGE)


# -- tokens


def _salt(given: argparse.Namespace, is_json: bool) -> str:
    if given.salt is not None:
        return str(given.salt)
    if given.dialect == "django":
        return "django.core.signing" + ("" if is_json else ".Signer" if given.no_time else ".TimestampSigner")
    if given.dialect == "itsdangerous":
        return "itsdangerous" if is_json else "itsdangerous.Signer"
    return ""


def _tokens(given: argparse.Namespace) -> signing.Tokens:
    own = given.dialect in ("sealed", "signed")
    return signing.Tokens(
        given.dialect, key=_keyring(given), salt=_salt(given, given.command in ("dumps", "loads")), name=given.name,
        timed=not given.no_time, digest=given.digest, derivation=given.derivation, iterations=given.iterations,
        lifetime=getattr(given, "lifetime", None), legacy=given.allow_weak if own else given.legacy,
    )  # fmt: skip


def keygen(given: argparse.Namespace) -> Answer:
    return {"key": signing.generate_key()}


def sign(given: argparse.Namespace) -> Answer:
    return {"token": _tokens(given)._sign(_word(given.text), given.now)}


def dumps(given: argparse.Namespace) -> Answer:
    return {"token": _tokens(given)._dumps(_word(given.text), given.compress, given.now)}


def verify(given: argparse.Namespace) -> Answer:
    opened = _tokens(given).open(_word(given.text), max_age=given.max_age, now=_now(given))
    return {"value": opened.value, "signed": opened.timestamp, "secret": opened.key}


def loads(given: argparse.Namespace) -> Answer:
    tokens, token = _tokens(given), _word(given.text)
    payload, verified = tokens._read(native.lib.tuile_token_loads, token, given.max_age, _now(given))
    opened = tokens._opened(JSON(arguments.text(payload)), verified)
    return {"value": opened.value, "signed": opened.timestamp, "secret": opened.key}


def _now(given: argparse.Namespace) -> Optional[int]:
    return None if given.now == native.UNSET else int(given.now)


# -- cookies


def cookie_parse(given: argparse.Namespace) -> Answer:
    header = _word(given.header)
    if not given.set_cookie:
        found = [{"name": name, "value": cookies.decode(value, given.encoding)} for name, value in cookies.pairs(header, given.mode)]
        return {"cookies": found}
    cookie = cookies.SetCookie.parse(header)
    answer: Answer = {"name": cookie.name, "value": cookies.decode(cookie.value, given.encoding)}
    for name in ("domain", "path", "max_age", "expires", "same_site", "priority"):
        value = getattr(cookie, name)
        if value not in (None, ""):
            answer[name] = value.lower() if name in ("same_site", "priority") else value
    return {**answer, "secure": cookie.secure, "http_only": cookie.http_only, "partitioned": cookie.partitioned}


def cookie_build(given: argparse.Namespace) -> Answer:
    if given.value is None and not given.delete:
        usage("cookie build needs a name and a value")
    cookie = cookies.SetCookie(
        given.name, "" if given.delete else cookies.encode(_word(given.value), given.encoding), max_age=given.max_age,
        expires=given.expires, domain=given.domain, path=given.path, secure=given.secure, http_only=given.http_only,
        same_site=given.same_site and given.same_site.capitalize(), partitioned=given.partitioned,
        priority=given.priority and given.priority.capitalize(),
        skip_rules=cookies.Rule.VALUE if given.encoding.startswith("quoted") else cookies.Rule(0),
    )  # fmt: skip
    return {"set_cookie": cookie.delete_header() if given.delete else cookie.header()}


# -- sessions


def _store(given: argparse.Namespace) -> str:
    store = getattr(given, "url", None) or given.store or os.environ.get("TUILE_STORE") or usage("no store: give --store URL or the environment variable TUILE_STORE")
    if store.startswith("env:"):
        store = os.environ.get(store[4:]) or usage(f"the environment has no {store[4:]}")
    return str(store)


def _manager(given: argparse.Namespace) -> Manager:
    return Manager(store=_store(given), secret=_keyring(given))


def _loaded(manager: Manager, word: str) -> Session:
    key = "" if word == "new" else _word(word)
    if ";" in key:
        usage("a session ID has no ;")
    session = manager.begin(f"{manager.cookie_name}={key}" if key else "")
    found = session.load()
    # In a request what another secret signed counts as none; an administrator has to know.
    if manager.stats()["bad_signatures"]:
        raise errors.BadSignature("the signature does not match")
    if not found and word != "new":
        raise absent()
    return session


def session_get(given: argparse.Namespace) -> Answer:
    with _manager(given) as manager, _loaded(manager, given.key) as session:
        if given.name is None:
            return {"values": dict(session), "expires_if_saved_now": int(session.get_expiry_date().timestamp())}
        if given.name not in session:
            raise absent()
        return {"value": session[given.name]}


def session_set(given: argparse.Namespace) -> Answer:
    if given.key == given.value == "-":
        usage("standard input can't be both the key and the value")
    with _manager(given) as manager, _loaded(manager, given.key) as session:
        if given.value is not None:
            session[given.name] = json.loads(_word(given.value))
        elif session.pop(given.name, absent) is absent:
            raise absent()
        if given.owner is not None:
            session.owner = given.owner
        headers = dict(session.commit())
        if manager.store_name == "cookie:":
            return {"set_cookie": headers["Set-Cookie"]}
        return {"key": session.session_key} if given.key == "new" else {}


def session_list(given: argparse.Namespace) -> Answer:
    with _manager(given) as manager:
        found = [
            {
                "id": row.id, "created": int(row.created.timestamp()), "seen": int(row.seen.timestamp()),
                "expires": int(row.expires.timestamp()), "user_agent": row.user_agent, "address": row.address,
                "device_bound": row.device_bound,
            }
            for row in manager.sessions(given.owner)
        ]  # fmt: skip
    return {"sessions": found}


def session_revoke(given: argparse.Namespace) -> Answer:
    if given.all == (given.id is not None):
        usage("session revoke needs an ID as session list gives it, or --all")
    with _manager(given) as manager:
        if given.all:
            return {"revoked": manager.revoke_all(given.owner)}
        if not manager.revoke(given.owner, given.id):
            raise absent()
        return {"revoked": 1}


def session_clear_expired(given: argparse.Namespace) -> Answer:
    """Needs no secret: what is expired is told from its time alone."""
    store, removed, limit = c_void_p(), c_size_t(), arguments.count(given.limit, "--limit")
    native.check(native.lib.tuile_store_open, native.view(_store(given)), byref(store))
    try:
        native.check(native.lib.tuile_store_sweep, store, time.time_ns() // 1000, limit, byref(removed))
    finally:
        native.lib.tuile_store_close(store)
    return {"removed": removed.value, "perhaps_more": removed.value == limit}


def check(given: argparse.Namespace) -> Answer:
    """Needs no secret: what is written is a session that nobody knows, which goes at once."""
    store = _store(given)
    scheme, _, path = store.partition("://")
    # Opening would make the file or folder of a path that was mistyped.
    if scheme in ("sqlite", "file") and not os.path.exists(unquote(path.partition("?")[0])):
        raise absent("there is nothing at that path, or it can't be reached; nothing was made")
    with Manager(store=store, secret=signing.generate_key()) as manager:
        manager.check()
    return {"store": "can be read and written"}
