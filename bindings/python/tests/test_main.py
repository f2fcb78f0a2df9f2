"""python -m tuile says what the command says, word for word, where both have it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Optional

import pytest
from tuile import __main__ as main
from tuile import _native as native
from tuile.sessions import Manager

ROOT = Path(__file__).resolve().parents[3]
TOOL = Path(os.environ.get("TUILE_TOOL", ROOT / "build/tuile"))
SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
Said = tuple[int, bytes]


def run(program: list[str], words: list[str], text: bytes, secret: Optional[str], **more: str) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "TUILE_LIBRARY": native.lib._name, **more}
    if secret is not None:
        environment["TUILE_SECRET"] = secret
    return subprocess.run([*program, *words], input=text, capture_output=True, env=environment, timeout=60)


def python(*words: str, text: bytes = b"", secret: Optional[str] = SECRET, **more: str) -> Said:
    done = run([sys.executable, "-m", "tuile"], list(words), text, secret, **more)
    assert b"Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def tool(*words: str, text: bytes = b"", secret: Optional[str] = SECRET, **more: str) -> Said:
    if not TOOL.exists():
        pytest.skip("the command is not built")
    done = run([str(TOOL)], list(words), text, secret, **more)
    return done.returncode, done.stdout


TOKEN = "hello:1uPgt4:x"
CASES: list[tuple[list[str], bytes]] = [
    (["sign", "--now", "1000", "héllo"], b""),
    (["sign", "--now", "1000", "--", "-"], b"from standard input\r\n"),
    (["sign", "--now", "1000", "--", "-"], b"octets \xff\xfe"),
    (["sign", "--no-time", "x"], b""),
    (["sign", "--no-time", "--salt", "s", "--dialect", "itsdangerous", "x"], b""),
    (["sign", "--dialect", "cookie-signature", "--no-time", "x"], b""),
    (["sign", "--now", "1000", "--json", "x"], b""),
    (["dumps", "--now", "1000", '{"a":[1,2.5,null]}'], b""),
    (["dumps", "--now", "1000", "--compress", json.dumps({"a": "x" * 200})], b""),
    (["dumps", "--now", "1000", "--dialect", "flask", '{"a":1}'], b""),
    (["dumps", "--now", "1000", "{not json"], b""),
    (["verify", TOKEN], b""), (["verify", "--json", TOKEN], b""), (["loads", TOKEN], b""),
    (["cookie", "parse", "a=1; b=%41; c=2"], b""), (["cookie", "parse", "--json", "a=1; b=é"], b""),
    (["cookie", "parse", "--encoding", "percent", "a=%C3%A9"], b""), (["cookie", "parse", ";"], b""),
    (["cookie", "parse", "--mode", "strict", "a=1;b=2"], b""),
    (["cookie", "parse", "--set-cookie", "a=1; Path=/; SameSite=Lax; Max-Age=60; Secure; Priority=High"], b""),
    (["cookie", "parse", "--set-cookie", "--json", "a=1; Domain=a.test; HttpOnly; Partitioned"], b""),
    (["cookie", "build", "a", "b c", "--encoding", "percent", "--secure", "--same-site", "lax"], b""),
    (["cookie", "build", "a", "b;c", "--encoding", "quoted", "--http-only", "--priority", "high", "--json"], b""),
    (["cookie", "build", "a", "--delete", "--path", "/x"], b""), (["cookie", "build", "a", "b;c"], b""),
    (["cookie", "build", "a", "b", "--same-site", "none"], b""), (["cookie", "build", "a"], b""),
    (["cookie", "build", "a", "b", "--max-age", "sixty"], b""), (["session", "get", "x", "--store", "memori:"], b""),
    (["session", "get", "abcdefgh", "--store", "memory:"], b""), (["session", "revoke", "ada", "--store", "memory:"], b""),
    (["sign", "--dialect", "flaskk", "x"], b""), (["nothing"], b""), ([], b""),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_it_is_the_commands(number: int) -> None:
    words, text = CASES[number]
    code, said = tool(*words, text=text)
    if code == main.ERROR and "--json" in words:
        # Each says in its own words what is wrong.
        assert python(*words, text=text)[0] == code
    else:
        assert python(*words, text=text) == (code, said)


def test_each_reads_the_others_tokens() -> None:
    for dialect in ("django", "itsdangerous", "flask", "starlette", "sealed", "signed", "rack", "rails-signed", "keygrip"):
        options = ["--dialect", dialect, "--salt", "p", "--name", "n"]
        if dialect != "keygrip":
            code, token = python("dumps", *options, '{"a":[1]}')
            assert code == 0 and json.loads(tool("loads", *options, "-", text=token)[1]) == {"a": [1]}, dialect
            code, token = tool("dumps", *options, '{"a":[1]}')
            assert code == 0 and python("loads", *options, "-", text=token) == tool("loads", *options, "-", text=token), dialect
            assert python("loads", *options, "-", text=token, secret=SECRET[::-1]) == (main.NO, b"")


def test_ages_and_secrets(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n{SECRET[::-1]}\n")
    file.chmod(0o600)
    token = python("sign", "--now", "1000", "x", secret=SECRET[::-1])[1]
    options = ["--secret-file", str(file), "--now", "1060"]
    assert python("verify", *options, "--max-age", "60", "--json", "-", text=token, secret=None) == (0, b'{"value":"x","signed":1000,"secret":1}\n')
    code, said = python("verify", *options, "--max-age", "59", "--json", "-", text=token, secret=None)
    assert code == main.NO and json.loads(said)["error"] == "TUILE_EXPIRED"
    assert python("sign", "x", secret=None) == (2, b"") and python("sign", "x", secret="short") == (main.ERROR, b"")
    file.chmod(0o644)
    code, said = python("sign", "--secret-file", str(file), "--json", "x", secret=None)
    assert code == main.ERROR and json.loads(said)["error"] == "TUILE_E_FILE"
    for program in (python, tool):
        assert program("sign", "--secret-file", str(file), "--allow-shared", "x", secret=None)[0] == 0


def test_sessions(tmp_path: Path) -> None:
    store = f"sqlite://{tmp_path / 's.db'}"
    options = ["--store", store]
    assert python("check", store) == (main.NO, b"") and not (tmp_path / "s.db").exists()
    code, said = python("session", "set", "new", "n", "[1,2]", "--owner", "ada", *options)
    key = said.decode().strip()
    assert code == 0 and python("check", "--store", store, secret=None) == (0, b"store: can be read and written\n")
    for program in (python, tool):
        assert program("session", "get", key, "n", *options, "--json") == (0, b'{"value":[1,2]}\n')
        code, said = program("session", "get", key, *options, "--json")
        assert json.loads(said)["values"] == {"n": [1, 2]}
        assert program("session", "get", key, "other", *options) == (main.NO, b"")
        code, said = program("session", "get", key, *options, secret=SECRET[::-1])
        assert (code, said) == (main.NO, b"")
    with Manager(store=store, secret=SECRET) as manager:
        assert manager.sessions("ada")[0].id.encode() in python("session", "list", "ada", *options)[1]
    listed = python("session", "list", "ada", "--json", *options)
    by_tool = tool("session", "list", "ada", "--json", *options)
    # The command has looked through the whole store, too.
    assert listed[0] == by_tool[0] and json.loads(by_tool[1]) == json.loads(listed[1]) | {"unreadable": 0}
    assert python("session", "set", key, "n", *options) == (0, b"")
    assert python("session", "set", key, "n", *options) == (main.NO, b"")
    assert python("session", "set", key, "n", "{", *options) == (main.ERROR, b"")
    assert python("session", "revoke", "ada", json.loads(listed[1])["sessions"][0]["id"], *options) == (0, b"revoked: 1\n")
    assert python("session", "revoke", "ada", "--all", *options) == (main.NO, b"revoked: 0\n")
    assert python("session", "get", key, TUILE_STORE=store) == (main.NO, b"")
    assert python("session", "clear-expired", "--json", *options, secret=None) == (0, b'{"removed":0,"perhaps_more":false}\n')


def test_a_new_key_signs() -> None:
    key = python("keygen")[1].decode().strip()
    assert len(key) == 43 and python("sign", "x", secret=key)[0] == 0


@pytest.mark.parametrize("name", main._COMMANDS_OWN)
def test_what_only_the_command_has_is_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main([name, "--store", "x"])
    assert caught.value.code == 2 and "the library has no function for it" in capsys.readouterr().err


def test_a_terminal_is_not_moved() -> None:
    assert main.shown("a\x1b[2J\u202e\udcffé\n") == "a\\x1b[2J\\xe2\\x80\\xae\\xffé\\x0a"
