"""Django's file backend and file:///folder have the same sessions, both ways, to their expiry."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.file import SessionStore
from django.test import Client
from django.test.utils import override_settings
from django_project import SECRET
from tuile.sessions import Manager, SessionDeleted

AGE = 1209600
FAR = datetime(2090, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
EXPIRIES = [None, 0, 300, timedelta(hours=3), FAR]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of Django's file backend, which is now its session engine."""
    path = tmp_path / "sessions"
    path.mkdir()
    with override_settings(SESSION_FILE_PATH=str(path), SESSION_ENGINE="django.contrib.sessions.backends.file"):
        if hasattr(SessionStore, "_storage_path"):
            del SessionStore._storage_path
        yield path
        if hasattr(SessionStore, "_storage_path"):
            del SessionStore._storage_path


def opened(folder: Path, options: str = "fsync=off") -> Manager:
    return Manager(store=f"file://{folder}?{options}", secret=SECRET)


def by_tuile(folder: Path, expiry: int | timedelta | datetime | None = None) -> str:
    with opened(folder) as manager, manager.begin("") as session:
        session["by"] = "tuile"
        session.set_expiry(expiry)
        session.commit(200)
        assert session.session_key is not None
        return session.session_key


def by_django(expiry: int | timedelta | datetime | None = None) -> str:
    session = SessionStore()
    session["by"] = "django"
    session.set_expiry(expiry)
    session.save()
    assert session.session_key is not None
    as_by_the_clock(folder_of(session), session.session_key)
    return session.session_key


def folder_of(session: SessionStore) -> Path:
    return Path(session._get_storage_path())


def as_by_the_clock(folder: Path, key: str) -> None:
    """One of Django's files in a thousand has a time of whole microseconds, as a time that was set has.

    That is right as long as nobody sets the file's time, which is what age_file does.
    """
    path = folder / f"sessionid{key}"
    times = path.stat()
    if times.st_mtime_ns % 1000 == 0:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))


def seen_by_tuile(folder: Path, key: str) -> dict[str, object]:
    with opened(folder) as manager, manager.begin(f"sessionid={key}") as session:
        return dict(session)


def age_file(folder: Path, key: str, seconds: int) -> None:
    """As if the file had been written so much earlier."""
    path = folder / f"sessionid{key}"
    times = path.stat()
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns - seconds * 1_000_000_000))


def keys(folder: Path) -> set[str]:
    return {path.name.removeprefix("sessionid") for path in folder.iterdir() if path.name.startswith("sessionid")}


def test_each_reads_and_changes_what_the_other_wrote(folder: Path) -> None:
    key = by_tuile(folder)
    session = SessionStore(key)
    assert session["by"] == "tuile"
    session["by"] = "both"
    session.save()
    with opened(folder) as manager, manager.begin(f"sessionid={key}") as own:
        assert own["by"] == "both"
        own["more"] = [1, {"a": None}]
        own.commit(200)
    assert dict(SessionStore(key).items()) == {"by": "both", "more": [1, {"a": None}]}
    assert seen_by_tuile(folder, by_django()) == {"by": "django"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir() if path.is_file())


@pytest.mark.parametrize("expiry", EXPIRIES)
def test_django_sees_the_expiry_that_tuile_set(folder: Path, expiry: int | timedelta | datetime | None) -> None:
    key = by_tuile(folder, expiry)
    session = SessionStore(key)
    assert session["by"] == "tuile"
    wanted = {None: AGE, 0: AGE, 300: 300, EXPIRIES[3]: 10800}.get(expiry, (FAR - datetime.now(timezone.utc)).total_seconds())
    assert abs(session.get_expiry_age() - wanted) < 60
    assert session.get_expire_at_browser_close() == (expiry == 0)


@pytest.mark.parametrize("expiry", EXPIRIES)
def test_tuile_sees_the_expiry_that_django_set(folder: Path, expiry: int | timedelta | datetime | None) -> None:
    key = by_django(expiry)
    with opened(folder) as manager, manager.begin(f"sessionid={key}") as session:
        assert session["by"] == "django"
        assert abs(session.get_expiry_age() - SessionStore(key).get_expiry_age()) < 60


def test_a_default_session_ends_for_both_when_its_file_is_too_old(folder: Path) -> None:
    for key in (by_tuile(folder), by_django()):
        age_file(folder, key, AGE - 60)
        assert seen_by_tuile(folder, key) and SessionStore(key).get("by")
        age_file(folder, key, 120)
        assert seen_by_tuile(folder, key) == {} and SessionStore(key).get("by") is None


def test_an_absolute_date_that_django_set_goes_before_the_files_time(folder: Path) -> None:
    end = datetime.now(timezone.utc) + timedelta(seconds=2)
    far, near = by_django(FAR), by_django(end)
    age_file(folder, far, 10 * AGE)
    while seen_by_tuile(folder, near):
        time.sleep(0.05)
    assert datetime.now(timezone.utc) >= end and seen_by_tuile(folder, far)


def test_idle_seconds_that_django_set_count_from_its_last_write(folder: Path) -> None:
    key = by_django(300)
    age_file(folder, key, 290)
    assert seen_by_tuile(folder, key)
    age_file(folder, key, 20)
    # Django itself never lets such a file expire.
    assert not seen_by_tuile(folder, key) and SessionStore(key)["by"] == "django"


def test_each_sweeps_what_the_other_let_expire(folder: Path) -> None:
    def expired() -> set[str]:
        own, django, gone = by_tuile(folder), by_django(), by_tuile(folder, timedelta(seconds=-5))
        age_file(folder, own, AGE + 60)
        age_file(folder, django, AGE + 60)
        return {own, django} | ({gone} if gone in keys(folder) else set())

    alive = {by_tuile(folder), by_django(), by_django(FAR), by_tuile(folder, 300), by_tuile(folder, FAR)}
    age_file(folder, sorted(alive)[0], 10)
    expired()
    with opened(folder) as manager:
        assert manager.clear_expired() >= 2
    assert keys(folder) == alive
    expired()
    SessionStore.clear_expired()
    assert keys(folder) == alive
    assert (folder / ".tuile" / "lock").exists()


def test_a_sweep_removes_old_temporary_files_and_leaves_what_is_not_ours(folder: Path) -> None:
    key = by_tuile(folder)
    names = [f"sessionid{key}_out_abc_d1ef", "sessionid", "sessionid.txt", "other", f"sessionid{key}_in_abcdefgh"]
    for name in names:
        (folder / name).write_text("x")
    with opened(folder) as manager:
        manager.clear_expired()
    # Nothing of an hour: only the time of the last change counts, which nobody can set.
    assert {path.name for path in folder.iterdir()} >= set(names)


def test_djangos_empty_place_is_no_session_and_is_not_overwritten(folder: Path) -> None:
    key = "emptyplace0123456789"
    (folder / f"sessionid{key}").touch()
    assert seen_by_tuile(folder, key) == {}
    with opened(folder) as manager, manager.begin(f"sessionid={key}") as session:
        session["a"] = 1
        session.commit(200)
        assert session.session_key != key
    assert (folder / f"sessionid{key}").read_bytes() == b""


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    key = by_tuile(folder)
    elsewhere = tmp_path / "elsewhere"
    (folder / f"sessionid{key}").rename(elsewhere)
    (folder / f"sessionid{key}").symlink_to(elsewhere)
    with opened(folder) as manager, manager.begin(f"sessionid={key}") as session:
        with pytest.raises(Exception, match="plain file"):
            dict(session)


def test_one_login_serves_both(folder: Path, django_database: Path) -> None:
    client = Client()
    client.force_login(User.objects.create_user("ada", password="engine"))
    key = client.cookies["sessionid"].value
    assert client.get("/").content == b"ada 1"
    with opened(folder) as manager:
        with manager.begin(f"sessionid={key}") as session:
            assert session["_auth_user_id"] == "1"
            session.add_int("count")
            session.commit(200)
        assert client.get("/").content == b"ada 3"
        with manager.begin(f"sessionid={key}") as session:
            session["slow"] = True
            assert "_auth_user_id" in session
            client.logout()
            with pytest.raises(SessionDeleted):
                session.commit(200)
    assert key not in keys(folder)
    assert client.get("/").content == b"AnonymousUser 1"


def test_djangos_logout_is_final_against_a_save_at_the_same_moment(folder: Path) -> None:
    """Django takes no lock: nothing but the exchange of the names can see it."""
    saved = 0
    with opened(folder) as manager:
        for _ in range(1500):
            with manager.begin("") as session:
                session["a"] = 0
                session.commit(200)
                key = session.session_key
            assert key is not None
            path = folder / f"sessionid{key}"
            together = threading.Barrier(2)

            def log_out() -> None:
                together.wait()
                SessionStore(key).delete()

            thread = threading.Thread(target=log_out)
            thread.start()
            with manager.begin(f"sessionid={key}") as session:
                session["a"] = 1
                together.wait()
                try:
                    session.commit(200)
                    saved += 1
                except SessionDeleted:
                    pass
            thread.join()
            assert not path.exists()
    assert 0 < saved


def test_a_folder_that_is_gone_is_no_missing_session(folder: Path) -> None:
    key = by_tuile(folder)
    with opened(folder) as manager:
        folder.rename(folder.with_name("moved"))
        assert_found(manager, key)
        for path in sorted(folder.with_name("moved").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        folder.with_name("moved").rmdir()
        with manager.begin(f"sessionid={key}") as session, pytest.raises(Exception, match="folder failed"):
            dict(session)


def assert_found(manager: Manager, key: str) -> None:
    with manager.begin(f"sessionid={key}") as session:
        assert session["by"] == "tuile"


def test_the_prefix_and_the_age_are_djangos_settings(folder: Path) -> None:
    with override_settings(SESSION_COOKIE_NAME="app", SESSION_COOKIE_AGE=600):
        with Manager(
            store=f"file://{folder}?prefix=app&age=600", secret=SECRET, cookie_name="app", cookie_age=600
        ) as manager:
            with manager.begin("") as session:
                session["by"] = "tuile"
                session.commit(200)
                key = session.session_key
            assert SessionStore(key)["by"] == "tuile"
            path = folder / f"app{key}"
            assert abs(path.stat().st_mtime - time.time()) < 60
