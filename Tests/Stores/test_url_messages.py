"""What is wrong with a store's URL: the message names the option, says what there is, and where it stands; no part of
what may be a password is in it."""

from __future__ import annotations

import pytest
from store import BUILD, Refused, Store, native

REDIS = "redis://127.0.0.1:1"
POSTGRESQL = "postgresql://127.0.0.1:1/db"


def refused(url: str) -> Refused:
    scheme = url.removeprefix("cached+").split(":")[0]
    if scheme in ("redis", "postgresql") and not (BUILD / f"libtuile-{scheme}.so").exists():
        pytest.skip("the module is not built")
    with pytest.raises(Refused) as caught:
        Store(url)
    assert caught.value.status == native.E_SYNTAX, caught.value.message
    return caught.value


@pytest.mark.parametrize(
    "url, option, there_are",
    [
        ("memory:?bus=1", "bus", "max_bytes"), ("memory:?max_bytes=100000&bus=1", "bus", "max_bytes"),
        ("sqlite:///nowhere/db?bus=1", "bus", "busy, synchronous, mode"), ("file:///nowhere/s?busy=1&bus", "bus", "busy, age, prefix, fsync, others, mode"),
        (f"{REDIS}?bus=1", "bus", "db, user, password, password_file, prefix, connect,"), (f"{REDIS}/3?pool=4&bus=1", "bus", "db, user, password,"),
        (f"{POSTGRESQL}?bus=1", "bus", "prepare, mode, timeout, wait, pool, idle, retries, connect, and what libpq knows"),
        (f"{POSTGRESQL}?sslmode=disable&open=lazy", "open", "prepare, mode,"), (f"cached+{REDIS}?bus=1", "bus", "db, user,"),
        ("cached+memory:?bus=1#memory:", "bus", "max_bytes"), ("cached+memory:#memory:?bus=1", "bus", "max_bytes"),
        ("cached+memory:#memory:?fresh=5&bus=1", "bus", "max_bytes"), ("cached+memory:#memory:?bus=1&fresh=5", "bus", "max_bytes"),
    ],
)  # fmt: skip
def test_an_option_that_is_none_is_named(url: str, option: str, there_are: str) -> None:
    problem = refused(url)
    assert f"the store's URL has an unknown option: {option}; there are: {there_are}" in problem.message
    assert problem.args[2] == url.rindex(option)


@pytest.mark.parametrize(
    "url, said",
    [
        ("sqlite:///nowhere/db?mode=wr", "mode (ro, rw, rwc)"), ("file:///nowhere/s?fsync=never", "fsync (off, data, full)"),
        (f"{REDIS}?verify=maybe", "verify (none, peer)"), (f"{REDIS}?open=soon", "open (now, lazy)"), (f"{REDIS}?mode=x", "mode (ro, rw, rwc)"),
        (f"{POSTGRESQL}?prepare=no", "prepare (on, off)"), (f"{POSTGRESQL}?mode=", "mode (ro, rw, rwc)"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_answered_with_the_right_ones(url: str, said: str) -> None:
    problem = refused(url)
    assert problem.message == f"an option of the store's URL has a wrong value; it may have: {said}"
    assert problem.args[2] == url.index("?") + 1


@pytest.mark.parametrize(
    "url, said",
    [
        ("sqlite:///nowhere/db?busy=x", "busy (0 to "), ("file:///nowhere/s?mode=rwc&age=-1", "age ("), ("memory:?max_bytes=1", "max_bytes (65536 to "),
        (f"{REDIS}?timeout=0", "timeout (1 to 600000)"), (f"{REDIS}?db=a", "db (0 to 1048575)"), (f"{POSTGRESQL}?pool=0", "pool (1 to 1024)"),
        ("cached+memory:#memory:?fresh=x", "fresh (0 to 31536000)"),
    ],
)  # fmt: skip
def test_a_number_out_of_its_range_is_answered_with_the_range(url: str, said: str) -> None:
    problem = refused(url)
    assert f"an option of the store's URL has no number, or one out of its range: {said}" in problem.message
    assert problem.args[2] == url.index(said.split(" ")[0])


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pa?hidden&hidden=1@127.0.0.1:1", "redis://:12?hidden@127.0.0.1:1", f"{REDIS}?password=pa&hidden", f"{REDIS}?PassWord=pa&hidden=1",
        f"{REDIS}?sentinel_password=pa&hidden", f"{POSTGRESQL}?sslpassword=pa&hidden=1", "postgresql://ada:pa?hidden&hidden@127.0.0.1:1/db",
        f"{REDIS}?mode=hidden", f"{REDIS}?pool=hidden", "sqlite:///nowhere/db?mode=hidden", f"{POSTGRESQL}?prepare=hidden", f"{REDIS}/hidden",
        f"{REDIS}?h%69dden=1", f"{REDIS}?hidden%0A=1", f"{POSTGRESQL}?hidden\n=1",
    ],
)  # fmt: skip
def test_what_may_be_a_secret_is_not_said(url: str) -> None:
    said = refused(url).message
    assert "hidden" not in said and "h%69dden" not in said and "\n" not in said
