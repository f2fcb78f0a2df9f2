"""What administrators meet: passwords on the command line, files of secrets as editors leave them, help, check."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from command import ERROR, FINE, NO, SECRET, USAGE, answers, says, tuile

PASSWORDS = [
    "redis://user:hidden@host", "redis://:hidden@host", "rediss://:hidden@[::1]:6379/0", "unix://:hidden@/run/redis.sock",
    "postgresql://user:hidden@host/db", "postgres://user:hidden@/db", "redis://:hid/den@host", "redis://:hidden#@host",
    "postgresql://user:hid%40den@host", "other://user:hidden@host", "redis://host?password=hidden",
    "redis://host?pool=4&password=hidden", "redis://host?PASSWORD=hidden", "redis://host?passw%6Frd=hidden",
    "redis://host?p%61ssword=hidden&x", "postgresql://host/db?sslpassword=hidden", "postgresql://host/db?user=a&password=hidden",
    "postgresql://host/db?oauth_client_secret=hidden", "postgresql://host/db?scram_client_key=hidden",
    "redis://host?sentinel=a&sentinel_password=hidden", "cached+redis://:hidden@host", "cached+redis://:hidden@host#memory:",
    "cached+sqlite:///srv/db#redis://:hidden@host", "cached+sqlite:///srv/db#redis://host?password=hidden",
    "cached+postgresql://host/db?sslpassword=hidden#redis://host", "cached+memory:?password=hidden#memory:",
    "cached+file:///srv/a#cached+redis://:hidden@host", "sqlite://user:hidden@/srv/db",
]  # fmt: skip
HARMLESS = [
    "redis://user@127.0.0.1:1", "redis://127.0.0.1:1?user=a&password_file=/nowhere", "redis://127.0.0.1:1?password=",
    "postgresql://me@127.0.0.1:1/db?application_name=a:b@c", "postgresql://127.0.0.1:1/db?passfile=/nowhere",
    "postgresql://127.0.0.1:1/db?sslkey=/nowhere", "unix:///nowhere/a:b@c", "sqlite:///nowhere/a:b@c", "file:///nowhere/a:b@c/d",
    "cached+sqlite:///nowhere/a:b@c#redis://127.0.0.1:1", "redis://127.0.0.1:1?ca=/a@b:c",
]  # fmt: skip


@pytest.mark.parametrize("url", PASSWORDS)
def test_a_password_on_the_command_line(url: str) -> None:
    for words in (["session", "clear-expired", "--store", url], ["migrate", "memory:", url], ["migrate", url, "memory:"],
                  ["check", url], ["serve", url], ["session", "list", "--store", url]):  # fmt: skip
        done = tuile(*words)
        assert done.returncode == USAGE and b"can be seen by others" in done.stderr, (words, done)
        assert b"hid" not in done.stderr
    # Not on the command line: it is the store that answers.
    done = tuile("session", "clear-expired", "--store", "env:ELSEWHERE", ELSEWHERE="no" + url)
    assert b"can be seen" not in done.stderr


@pytest.mark.parametrize("url", HARMLESS)
def test_what_is_no_password(url: str) -> None:
    done = tuile("session", "clear-expired", "--store", url)
    assert done.returncode != USAGE and b"can be seen" not in done.stderr, done


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xef\xbb\xbf" + SECRET.encode(), "byte order mark"), (SECRET.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + SECRET.encode("utf-16-be"), "UTF-16"), (f"SECRET_KEY = '{SECRET}'\n".encode(), "name stands before it"),
        (f"export TUILE_SECRET={SECRET}".encode(), "name stands before it"), (f"{SECRET}\nsecret: {SECRET}".encode(), "name stands"),
        (f'"SECRET_KEY": "{SECRET}"'.encode(), "name stands before it"), (f"'{SECRET}'\n".encode(), "in quotes"),
        (f'"{SECRET}"\r\n'.encode(), "in quotes"), (f" {SECRET}\n".encode(), "spaces around"), (f"{SECRET} \r\n".encode(), "spaces around"),
        (f"{SECRET}\t".encode(), "spaces around"), (f"{SECRET}\r{SECRET}\r".encode(), "carriage return"),
        (f"{SECRET}\0\n".encode(), "NUL"), (b"\n\n", "no key"), (b"", "no key"),
    ],
)  # fmt: skip
def test_files_of_secrets(tmp_path: Path, text: bytes, said: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text)
    file.chmod(0o600)
    done = tuile("sign", "--secret-file", str(file), "a", secret=None)
    assert done.returncode == ERROR and said in done.stderr.decode(), done
    assert str(file).encode() in done.stderr and SECRET.encode() not in done.stderr


def test_a_file_of_secrets_that_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.touch(0o600)
    for text in (SECRET, SECRET + "\r\n", f"\n{SECRET}\n\n"):
        file.write_bytes(text.encode())
        assert says("verify", "--secret-file", str(file), says("sign", "a"), secret=None) == "a"
    # A '=' in a secret is no assignment, and what is meant as it stands can be written in hex.
    odd = "a=bc:d'e" + SECRET
    file.write_text(odd)
    assert says("verify", "--secret-file", str(file), says("sign", "a", secret=odd), secret=None) == "a"
    file.write_text((f" {SECRET} ".encode()).hex())
    assert says("sign", "--secret-file", str(file), "--key-format", "hex", "a", secret=None)
    file.chmod(0o640)
    done = tuile("sign", "--secret-file", str(file), "a", secret=None)
    assert done.returncode == ERROR and b"chmod 600" in done.stderr and str(file).encode() in done.stderr
    # A group's, and a secret mounted into a container: by saying so, and never one that others may write.
    for mode in (0o640, 0o444, 0o644):
        file.chmod(mode)
        assert tuile("sign", "--secret-file", str(file), "--key-format", "hex", "a", secret=None).returncode == ERROR
        assert says("sign", "--secret-file", str(file), "--allow-shared", "--key-format", "hex", "a", secret=None)
    for mode in (0o620, 0o602, 0o666, 0o660):
        file.chmod(mode)
        done = tuile("sign", "--secret-file", str(file), "--allow-shared", "--key-format", "hex", "a", secret=None)
        assert done.returncode == ERROR and b"chmod go-w" in done.stderr
    assert b"TUILE_SECRET" in tuile("sign", "a", secret=" " + SECRET).stderr


def test_files_of_block_secrets(tmp_path: Path) -> None:
    file = tmp_path / "block"
    file.touch(0o600)
    words = ("--dialect", "gorilla", "--name", "n", "--block-secret-file", str(file))
    tokens = []
    for key in (b"0123456789abcdef", b"0123456789abcdef\n", b"0123456789abcdef\r\n"):
        file.write_bytes(key)
        tokens.append(says("dumps", *words, '{"a":1}'))
        assert all(says("loads", *words, token) for token in tokens)
    file.write_bytes(b"0123456789abcde\n")  # 16 octets, the last of which is no line end
    assert tuile("loads", *words, tokens[0]).returncode != FINE
    for key in (b"\xef\xbb\xbf0123456789abcdef", b"30313233343536373839616263646566" * 2, b"", b"0123456789abcdef "):
        file.write_bytes(key)
        done = tuile("dumps", *words, "1")
        assert done.returncode == ERROR and str(file).encode() in done.stderr and b"16, 24 or 32" in done.stderr, (key, done)
    file.write_bytes(b"0123456789abcdef")
    file.chmod(0o644)
    done = tuile("dumps", *words, "1")
    assert done.returncode == ERROR and b"chmod 600" in done.stderr and str(file).encode() in done.stderr
    assert says("dumps", *words, "--allow-shared", "1")
    file.chmod(0o664)
    assert tuile("dumps", *words, "--allow-shared", "1").returncode == ERROR


def test_help() -> None:
    assert says("help") == says("--help") == says("-h")
    assert says("help", "session", "set") == says("session", "set", "--help") == says("session", "set", "-h")
    assert says("help", "sign") == says("sign", "--help")
    for first, commands in {"session": ["get", "set", "list", "revoke", "end", "clear-expired"], "cookie": ["parse", "build"]}.items():
        shown = says(first, "--help")
        assert shown == says(first, "-h") == says("help", first)
        assert all(f"  {first} {command} " in shown for command in commands) and "keygen" not in shown
        done = tuile(first)
        assert done.returncode == USAGE and not done.stdout and f"  {first} ".encode() in done.stderr
    for words in (["help", "no"], ["help", "session", "no"], ["session", "no"], ["session", "no", "--help"], ["help", "sign", "x"]):
        done = tuile(*words)
        assert done.returncode == USAGE and not done.stdout and words[1].encode() in done.stderr, words


def test_check(tmp_path: Path) -> None:
    for url in ("memory:", f"sqlite://{tmp_path}/a%20b", f"file://{tmp_path}/files"):
        if url != "memory:":
            # What is not there is not made.
            assert answers("check", url, secret=None, code=NO)["error"] == "TUILE_ABSENT"
            assert not (tmp_path / ("a b" if "sqlite" in url else "files")).exists()
            assert says("session", "set", "--store", url, "new", "n", "1")
        found = answers("check", url, secret=None)
        assert found["readable"] and found["writable"] and found["lists_of_owners"]
        assert all(0 <= found[f"{what}_microseconds"] < 100_000_000 for what in ("open", "read", "write"))
        assert answers("check", secret=None, TUILE_STORE=url).keys() == answers("check", "--store", url, secret=None).keys()
    # Nothing is left behind.
    assert len(answers("session", "list", "--store", f"sqlite://{tmp_path}/a%20b", secret=None)["sessions"]) == 1
    assert len(answers("session", "list", "--store", f"file://{tmp_path}/files", secret=None)["sessions"]) == 1
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("create table django_session (session_key text, wrong text)")
    database.close()
    assert answers("check", f"sqlite://{other}", secret=None, code=ERROR)["error"] == "TUILE_E_CORRUPT"
    assert answers("check", f"sqlite://{tmp_path}", secret=None, code=ERROR)["error"]
    assert answers("check", "cookie:", secret=None, code=ERROR)["error"] == "TUILE_E_ARGUMENT"
    assert tuile("check").returncode == USAGE


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_check_where_nothing_can_be_written(tmp_path: Path) -> None:
    store = tmp_path / "db"
    assert says("session", "set", "--store", f"sqlite://{store}", "new", "n", "1")
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    done = tuile("check", f"sqlite://{store}", secret=None, prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    assert done.returncode == ERROR and not done.stdout, done
