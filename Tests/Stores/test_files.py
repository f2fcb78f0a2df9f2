"""SQLite and files: what others may read, what only reads, what lies there and is not ours, a file that is replaced
meanwhile, several processes that begin at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from store import FULL, KEY, LATER, Refused, Store, native
from tuile.sessions import Manager

SECRET = "secret" * 8
RECORD = "~0123456789abcdef0123456789abcdef0123456"
PAST = 1_000_000_000_000_000


def refused(url: str) -> Refused:
    with pytest.raises(Refused) as caught:
        Store(url)
    return caught.value


def logged(url: str) -> tuple[Manager, list[str]]:
    lines: list[str] = []
    return Manager(store=url, secret=SECRET, log=lambda level, text: lines.append(f"{level}: {text}")), lines


def count(manager: Manager, key: str = "") -> tuple[int, str]:
    with manager.begin(f"sessionid={key}" if key else "") as session:
        number = session.add_int("count")
        session.commit(200)
        assert session.session_key is not None
        return number, session.session_key


# ---- URLs ----


def test_a_relative_path_is_not_written_to_the_root_folder() -> None:
    for scheme in ("sqlite", "file", "cached+sqlite"):
        for path in ("tuile-relative.db", "/tuile-relative.db", "./tuile-relative.db"):
            problem = refused(f"{scheme}:///{path}")
            assert problem.status == native.E_SYNTAX and "/" in problem.message
            assert not Path("/tuile-relative.db").exists()
    # The control: one who says so gets it.
    if os.getuid() == 0:
        Store("sqlite:///tuile-relative.db?mode=rwc").close()
        for path in Path("/").glob("tuile-relative.db*"):
            path.unlink()


@pytest.mark.parametrize("url", ["redsi://", "redsi://host/0", "sqlite3:///srv/app.db", "mysql://x", "cached+redsi://x"])
def test_an_unknown_scheme_is_what_is_wrong(url: str) -> None:
    problem = refused(url)
    assert problem.status == native.E_MISSING and "scheme" in problem.message and "package" not in problem.message
    for known in ("memory", "cookie", "file", "sqlite", "redis", "postgresql"):
        assert known in problem.message
    # Also where the secret is missing, too.
    with pytest.raises(Exception, match="scheme"):
        Manager(store=url)


# ---- what others may read ----


def test_a_folder_that_others_may_list_is_refused_or_told(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    # Only a folder above keeps them out.
    manager, lines = logged(f"file://{folder}")
    manager.close()
    assert len(lines) == 1 and lines[0].startswith("warning: ") and "0700" in lines[0]
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "sessions"
        folder.mkdir()
        for mode in (0o755, 0o750, 0o704, 0o777):
            folder.chmod(mode)
            problem = refused(f"file://{folder}")
            assert problem.status == native.E_STORE and "list" in problem.message
            Store(f"file://{folder}?others=list").close()
        for mode in (0o700, 0o711, 0o710):
            folder.chmod(mode)
            manager, lines = logged(f"file://{folder}")
            manager.close()
            assert lines == []


def test_a_database_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/app.db"
    for mode, told in ((0o600, 0), (0o644, 1), (0o640, 0), (0o604, 1)):
        Store(url).close()
        (tmp_path / "app.db").chmod(mode)
        manager, lines = logged(url)
        count(manager)
        manager.close()
        assert len([line for line in lines if line.startswith("warning: ") and "0600" in line]) == told, lines


# ---- what is not ours ----


def test_a_sweep_leaves_what_has_not_the_form_of_a_session(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    with Manager(store=f"file://{folder}", secret=SECRET) as manager:
        _, key = count(manager)
    theirs = {"sessionidreport2024": b"quarterly figures", "sessionidemptyfile": b"", "sessionidnulnulnul": b"\0\0",
              "sessionidcolonsss": b"a:b:c", "sessionidjsonjson": b'{"a": 1}'}  # fmt: skip
    for name, content in theirs.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, (1, 1))
    with Store(f"file://{folder}") as store:
        assert store.create("not a session", 5, key="programsown") and store.create("1", 5, key=RECORD)
        os.utime(folder / f"sessionid{key}", (1, 1))
        # Ours: the session that expired, what a program kept there by itself, and the record.
        assert store.sweep(PAST * 2) == 3
        assert store.create("1", key=RECORD)
    assert {path.name: path.read_bytes() for path in folder.glob("session*")} == theirs


def test_what_is_no_session_is_where_no_id_leads(tmp_path: Path) -> None:
    with Store(f"file://{tmp_path}/files") as store:
        assert store.create("1", key=RECORD) and store.create("x")
        store.own("ada")
        assert store.keys() == [(KEY, LATER)]
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == [".tuile", f"sessionid{KEY}"]
    with Store(f"sqlite://{tmp_path}/app.db") as store:
        assert store.create("1", key=RECORD) and store.create("x") and store.keys() == [(KEY, LATER)]
        store.own("ada")
    with sqlite3.connect(tmp_path / "app.db") as database:
        assert database.execute("SELECT session_key FROM django_session").fetchall() == [(KEY,)]
        assert database.execute("SELECT session_key FROM tuile_session_record").fetchall() == [(RECORD,)]


# ---- modes ----

WRITES: list[Callable[[Store], object]] = [
    lambda store: store.create("x", key="anotherkey"),
    lambda store: store.put("x"),
    lambda store: store.put("x", key=RECORD),
    lambda store: store.replace("x", "y"),
    lambda store: store.touch(LATER),
    lambda store: store.remove(),
    lambda store: store.own("ada"),
    lambda store: store.disown("ada"),
    lambda store: store.sweep(1),
]


def reads(store: Store) -> None:
    assert store.load() == (b"x", LATER) and store.load(key=RECORD) == (b"1", LATER)
    assert store.keys() == [(KEY, LATER)] and store.owners() == ["ada"]


@pytest.mark.parametrize("scheme", ["sqlite", "file"])
def test_a_store_that_is_only_read(tmp_path: Path, scheme: str) -> None:
    url = f"{scheme}://{tmp_path}/kept"
    for mode in ("ro", "rw"):
        assert refused(f"{url}?mode={mode}").status == native.E_STORE
        assert not (tmp_path / "kept").exists()
    with Store(url) as store:
        store.create("x")
        store.own("ada")
        store.put("1", key=RECORD)
        with Store(f"{url}?mode=ro") as reader:  # beside one that writes
            reads(reader)
    with Store(f"{url}?mode=ro") as store:
        reads(store)
        for call in WRITES:
            with pytest.raises(Refused) as caught:
                call(store)
            assert caught.value.status == native.E_STORE and "mode=ro" in caught.value.message
    with Store(f"{url}?mode=rw") as store:
        reads(store)
        assert store.replace("x", "x") == native.OK


@pytest.mark.parametrize("scheme", ["sqlite", "file"])
def test_a_read_only_mount(tmp_path: Path, scheme: str) -> None:
    """One for the test alone, in a namespace of its own."""
    (tmp_path / "kept").mkdir(mode=0o700)
    url = f"{scheme}://{tmp_path}/kept/it"
    with Store(url) as store:
        store.create("x")
        store.own("ada")
        store.put("1", key=RECORD)
    mount = f"mount --bind {tmp_path}/kept {tmp_path}/kept && mount -o remount,bind,ro {tmp_path}/kept"
    space = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (answer := subprocess.run([*space, mount], capture_output=True, text=True, check=False)).returncode != 0:
        pytest.skip(f"nothing can be mounted here: {answer.stderr.strip()}")
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_files as t\n"
    program += f"with t.Store({url + '?mode=ro'!r}) as store: t.reads(store)\n"
    program += f"assert t.refused({url!r}).status == t.native.E_STORE\n"
    answer = subprocess.run([*space, f"{mount} && exec {sys.executable} -c \"$0\"", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_modes_that_are_none_are_refused(tmp_path: Path) -> None:
    for scheme in ("sqlite", "file"):
        for mode in ("", "r", "RO", "memory"):
            assert refused(f"{scheme}://{tmp_path}/kept?mode={mode}").status == native.E_SYNTAX


# ---- a file that goes ----


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_database_that_goes_under_a_running_server_is_noticed(tmp_path: Path, how: str) -> None:
    path, other = tmp_path / "app.db", tmp_path / "other.db"
    manager, lines = logged(f"sqlite://{path}")
    _, key = count(manager)
    with Manager(store=f"sqlite://{other}", secret=SECRET) as beside:
        _, kept = count(beside)
    for file in tmp_path.glob("app.db*"):
        file.unlink()
    if how == "replaced":
        other.rename(path)
    assert count(manager, key)[0] == 1
    assert len([line for line in lines if "replaced or deleted" in line]) == 1
    if how == "replaced":
        assert count(manager, kept)[0] == 2
    _, fresh = count(manager)
    manager.close()
    with Manager(store=f"sqlite://{path}", secret=SECRET) as manager:
        assert count(manager, fresh)[0] == 2
    assert path.stat().st_mode & 0o777 == 0o600


# ---- several at once ----

OPENING = """
import sys; sys.path.insert(0, {folder!r})
from store import Store
sys.stdin.readline()
Store({url!r}).close()
"""


@pytest.mark.parametrize("journal", ["new", "delete"])
def test_several_processes_begin_at_once(tmp_path: Path, journal: str) -> None:
    for round in range(60 if FULL else 8):
        path = tmp_path / f"{round}.db"
        if journal != "new":
            with sqlite3.connect(path) as database:
                database.execute(f"PRAGMA journal_mode={journal}")
                database.execute("CREATE TABLE x (y)")
        program = OPENING.format(folder=str(Path(__file__).parent), url=f"sqlite://{path}?busy=60000")
        openers = [
            subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.write("\n")
            opener.stdin.flush()
        for opener in openers:
            assert opener.communicate(timeout=120)[1] == "" and opener.returncode == 0


def test_opening_waits_for_one_who_writes(tmp_path: Path) -> None:
    """In the moment that SQLite does not wait for by itself: it holds the old journal's lock."""
    path = tmp_path / "app.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=DELETE")
    writer.execute("CREATE TABLE x (y)")
    writer.execute("BEGIN EXCLUSIVE")
    program = OPENING.format(folder=str(Path(__file__).parent), url=f"sqlite://{path}?busy=60000")
    opener = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, text=True)
    assert opener.stdin is not None
    opener.stdin.write("\n")
    opener.stdin.flush()
    time.sleep(0.5)
    assert opener.poll() is None
    writer.execute("COMMIT")
    writer.close()
    assert opener.wait(120) == 0
