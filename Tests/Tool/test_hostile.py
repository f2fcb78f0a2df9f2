"""What nobody meant: a message and an exit code, never a crash; nothing lost under valgrind."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from command import BUILD, ERROR, FINE, NO, SECRET, USAGE, VALGRIND, answers, says, tuile, vectors

TOKENS = [
    "e30:1uPgt4:c-5CM1HXmwURrVk7Ore_d4xVQUXkP8jUpZCZzjMIoWU", "e30=.aErFlg.vnlgS3Nn15-pIXQZARWsuz008ZY",
    "Fe26.2*1*a*b*c**d*e~2", "s%3Ahello.DGLAoiGc5Qcrr2My%2BlyZAxirMS9JHIMDkjREeVPjD4s",
    *(case["cookie_value"] for case in vectors("rails")[:2] + vectors("gorilla")[:2]),
]  # fmt: skip
EDGES = ["", "-" * 5, ":", "::", ".", "..", "--", "----", "|", "*", "Fe26.2*", "s:", "s:.", "%", "%zz", "=", "A" * 44 + "=",
         "a" * 43 + "=", "AQ" * 40, "Ag" * 40, "a" * 27, ".".join("a" * 5), ":" + "a" * 43, "::" + "a" * 43, "." + "a" * 27,
         "." * 3 + "a" * 27, "x:zzzzzzzzz:" + "a" * 43, "x:zzzzzzzzzz:" + "a" * 43, "\xff" * 50]  # fmt: skip


def broken(seed: int) -> bytes:
    chance = random.Random(seed)
    octets = bytearray(chance.choice(TOKENS).encode())
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(octets))
        octets[at : at + chance.randint(0, 3)] = chance.choice([b"", b"\0", b"\xff", b".", b":", b"--", b"|", b"%", b"="])
        octets = octets or bytearray(b"x")
    return bytes(octets)


@pytest.mark.parametrize("secret", [SECRET, None])
def test_inspect(secret: str | None) -> None:
    for token in [*(edge.encode("latin-1") for edge in EDGES), *map(broken, range(300))]:
        done = tuile("inspect", "--json", "--name", "n", "-", text=token, secret=secret)
        assert done.returncode in (FINE, NO), (token, done)
        assert b'"genuine":true' not in done.stdout or b"%" in token or b"=" in token, token


def test_commands_that_are_none() -> None:
    for words in ([], ["no"], ["cookie"], ["cookie", "no"], ["sign"], ["sign", "a", "b"], ["sign", "--no", "a"], ["sign", "--salt"],
                  ["sign", "--dialect", "no", "a"], ["sign", "--now", "x", "a"], ["sign", "--now", "9" * 30, "a"],
                  ["keygen", "--secret-file", "x"], ["cookie", "build", "a"], ["sign", "-x", "a"], ["sign\x1b[2J"]):  # fmt: skip
        done = tuile(*words)
        assert (done.returncode, done.stdout) == (USAGE, b""), (words, done)
        assert done.stderr and b"\x1b" not in done.stderr


def test_input_has_a_limit() -> None:
    assert answers("sign", "-", text=b"a" * ((16 << 20) + 1), code=ERROR)["error"] == "TUILE_E_LIMIT"
    assert len(says("sign", "-", text=b"a" * 1_000_000)) > 1_000_000


def test_output_that_can_not_be_written() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([BUILD / "tuile", "keygen"], stdout=full, stderr=subprocess.PIPE, timeout=300, check=False)
    assert done.returncode == ERROR and b"could not be written" in done.stderr


def test_cookies() -> None:
    found = answers("cookie", "parse", 'a=1; b="x y"; =z; q')["cookies"]
    assert found == [{"name": "a", "value": "1"}, {"name": "b", "value": '"x y"'}, {"name": "", "value": "z"},
                     {"name": "", "value": "q"}]  # fmt: skip
    assert answers("cookie", "parse", "", code=NO) == {"cookies": []}
    assert answers("cookie", "parse", "--mode", "strict", "a b", code=ERROR)["error"] == "TUILE_E_SYNTAX"
    # One that is not of the encoding does not hide the others.
    found = answers("cookie", "parse", "--encoding", "base64url", "a=YQ; b=!; c=Yw", code=ERROR)["cookies"]
    assert [cookie.get("value") for cookie in found] == ["a", None, "c"] and found[1]["raw"] == "!" and found[1]["error"]
    assert answers("cookie", "parse", "-", text=b"a=\xff\xfe")["cookies"] == [{"name": "a", "value_hex": "fffe"}]
    assert answers("cookie", "parse", "-", text="a=1;" * 3001, code=ERROR)["error"] == "TUILE_E_LIMIT"
    header = says("cookie", "build", "--secure", "--same-site", "none", "--max-age", "60", "--encoding", "percent", "a", "é;")
    assert header == "a=%C3%A9%3B; Max-Age=60; Path=/; SameSite=None; Secure" or set(header.split("; ")) == {
        "a=%C3%A9%3B", "Max-Age=60", "Path=/", "SameSite=None", "Secure"}  # fmt: skip
    parsed = answers("cookie", "parse", "--set-cookie", "--encoding", "percent", header)
    assert parsed == {"name": "a", "value": "é;", "path": "/", "max_age": 60, "same_site": "none", "secure": True,
                      "http_only": False, "partitioned": False}  # fmt: skip
    assert "Max-Age=0" in says("cookie", "build", "--delete", "a")
    assert answers("cookie", "build", "--same-site", "none", "a", "b", code=ERROR)["error"] == "TUILE_E_RULE"
    assert answers("cookie", "build", "a", "b\r\nX: y", code=ERROR)["error"] == "TUILE_E_SYNTAX"


def test_under_valgrind(tmp_path: Path) -> None:
    store = f"sqlite://{tmp_path}/db"
    key = answers("session", "set", "--store", store, "new", "n", "1")["key"]
    for words, text in [
        (["keygen"], ""), (["dumps", "--compress", '{"a":"' + "b" * 500 + '"}'], ""), (["verify", "x:y:z"], ""),
        *((["inspect", "--name", "n", "-"], token) for token in [*TOKENS, "AQ" * 40, "x:zzzzzzzzz:" + "a" * 43]),
        (["cookie", "parse", "a=b; c=d", "--json"], ""), (["cookie", "build", "a", "b"], ""),
        (["session", "get", "--store", store, key], ""), (["session", "set", "--store", store, key, "m", "2"], ""),
        (["session", "list", "--store", store, "42"], ""), (["session", "clear-expired", "--store", store], ""),
        (["migrate", store, f"file://{tmp_path}/files"], key + "\nx\n"), (["bench", "--count", "5"], ""),
    ]:  # fmt: skip
        done = tuile(*words, text=text, prefix=VALGRIND)
        assert b"==" not in done.stderr, (words, done.stderr.decode())
