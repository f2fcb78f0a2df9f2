"""The configuration's test: it asks, says what is wrong and where, and makes nothing."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import configured
import pytest
from configured import Site
from processes import BUILD, free_port, wait_for_port

NAMES = {"nginx": ("tuile_store", "tuile_previous_store", "tuile_revocations"), "apache": ("TuileStore", "TuilePreviousStore", "TuileRevocations")}
Test = Callable[..., tuple[int, str]]


@pytest.fixture
def tested(site: Site, kind: str) -> Test:
    """Its exit status, and all that it says."""

    def tested(http: str = "") -> tuple[int, str]:
        status, said = getattr(configured, f"{kind}_test")(site, http=http)
        log = site.folder / "error.log"
        return status, said + (log.read_text() if log.exists() else "")

    return tested


def directive(kind: str, which: int, value: object) -> str:
    return f"{NAMES[kind][which]} {value}" + (";" if kind == "nginx" else "")


def line_of(site: Site, kind: str, text: str) -> str:
    lines = (site.folder / f"{kind}.conf").read_text().splitlines()
    return f"{kind}.conf:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_a_mistyped_path_is_an_error_and_makes_no_file(site: Site, kind: str, tested: Test) -> None:
    folder = site.folder / "data"
    folder.mkdir()
    folder.chmod(0o777)
    for which in range(3):
        right = site.store
        site.store = f"sqlite://{folder}/mistyped" if which == 0 else right
        status, said = tested(directive(kind, which, f"sqlite://{folder}/mistyped") if which else "")
        assert status != 0 and re.search(rf"{NAMES[kind][which]}: .*not there", said), said
        assert line_of(site, kind, "mistyped") in said, said
        assert list(folder.iterdir()) == []
        site.store = right


def test_a_file_that_is_to_be_made_is_not_made_by_the_test(site: Site, kind: str, tested: Test) -> None:
    folder = site.folder / "data"
    folder.mkdir()
    folder.chmod(0o777)
    site.store = f"sqlite://{folder}/new?mode=rwc"
    status, said = tested()
    assert status == 0, said
    assert list(folder.iterdir()) == []
    folder.chmod(0o700)
    if os.geteuid() == 0:
        status, said = tested()
        assert status != 0 and f"{NAMES[kind][0]}: " in said, said


def test_a_folder_that_is_not_the_server_s(site: Site, kind: str, tested: Test) -> None:
    if os.geteuid() != 0:
        pytest.skip("the server's user is another one only for root")
    folder = site.folder / "data"
    folder.mkdir(mode=0o700)
    (folder / "db").touch(mode=0o600)
    site.store = f"sqlite://{folder}/db"
    status, said = tested()
    assert status != 0 and NAMES[kind][0] in said and line_of(site, kind, "data/db") in said, said
    assert (folder / "db").stat().st_size == 0 and len(list(folder.iterdir())) == 1


needs_redis = pytest.mark.skipif(
    not (BUILD / "libtuile-redis.so").exists() or shutil.which("redis-server") is None, reason="there is no Redis, or no module for it"
)


@pytest.fixture
def redis(site: Site) -> Iterator[int]:
    port, log = free_port(), site.folder / "redis.log"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "right"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, text=True, cwd=site.folder)
    wait_for_port(port, process, log)
    yield port
    process.terminate()
    process.wait(60)


@needs_redis
def test_a_redis_that_gives_no_answer_shows(site: Site, kind: str, tested: Test, redis: int) -> None:
    site.store = f"redis://:right@127.0.0.1:{redis}/0"
    status, said = tested()
    assert status == 0 and NAMES[kind][0] + ":" not in said, said
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nothing listens
        for store in (
            f"redis://127.0.0.1:{closed.getsockname()[1]}/0",
            f"redis://:wrong@127.0.0.1:{redis}/0",
            f"redis://127.0.0.1:{redis}/0",
            f"redis://:right@127.0.0.1:{redis}/99",
            "redis://no.such.host.invalid/0",
        ):
            site.store = store
            status, said = tested()
            assert re.search(rf"\b{NAMES[kind][0]}: .+ in .*{kind}\.conf:\d+", said), (store, said)
            assert "right" not in re.sub(r"redis://\S+", "", said) and "wrong@" not in said
            if kind == "nginx":
                assert "[warn]" in said or "[emerg]" in said


@needs_redis
def test_each_of_the_stores_is_asked(site: Site, kind: str, tested: Test, redis: int) -> None:
    for which in (1, 2):
        status, said = tested(directive(kind, which, f"redis://:wrong@127.0.0.1:{redis}/0"))
        assert re.search(rf"\b{NAMES[kind][which]}: .+ in .*{kind}\.conf:\d+", said), said
        assert line_of(site, kind, NAMES[kind][which]) in said


def test_the_test_changes_nothing(site: Site, kind: str, tested: Test, database: Path) -> None:
    before = {path: (path.stat().st_size, path.read_bytes()) for path in database.parent.iterdir()}
    status, said = tested()
    assert status == 0, said
    assert {path: (path.stat().st_size, path.read_bytes()) for path in database.parent.iterdir()} == before
