"""What revocations keep in a store: records that are no sessions."""

from __future__ import annotations

from store import KEY, Store
from tuile.sessions import Manager

SECRET = "a secret that has its thirty-two bytes and more"


def logged_out(url: str) -> str:
    """The cookie of a session that was logged out, with a copy of it left."""
    with Manager(store="cookie:", secret=SECRET, revocations=url) as manager:
        with manager.begin("") as session:
            session["n"] = 1
            copy = dict(session.commit(200))["Set-Cookie"].split(";")[0]
        with manager.begin(copy) as session:
            session.flush()
    return copy


def end(url: str, owner: str) -> None:
    with Manager(store="cookie:", secret=SECRET, revocations=url) as manager:
        manager.revoke_all(owner)


def is_logged_out(url: str, copy: str) -> bool:
    with Manager(store="cookie:", secret=SECRET, revocations=url) as manager, manager.begin(copy) as session:
        return dict(session) == {}


def keeps_revocations(url: str) -> None:
    """Every server sees them, and no walk shows them among the sessions."""
    copy = logged_out(url)
    end(url, "bob")
    assert is_logged_out(url, copy)
    with Store(url) as store:
        assert store.create("{}")
        assert [key for key, _ in store.keys()] == [KEY]
        store.remove(KEY)
