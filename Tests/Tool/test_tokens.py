"""keygen, sign, verify, dumps, loads: against the frameworks' tokens and the frameworks."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from command import ERROR, NO, OLDER, SECRET, USAGE, answers, says, tuile, vectors
from django.core import signing
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

DJANGO = [case for case in vectors("django_signing") if case["kind"] in ("Signer", "TimestampSigner")]
DUMPS = [case for case in vectors("django_signing") if case["kind"] == "dumps"]


@pytest.mark.parametrize("case", DJANGO, ids=lambda case: case["token"][:20])
def test_django_signers(case: dict[str, str]) -> None:
    plain = ["--no-time"] if case["kind"] == "Signer" else []
    options = [*plain, "--salt", case["salt"]]
    now = [] if plain else ["--now", case["time"]]
    assert says("sign", *options, *map(str, now), "--", "-", text=case["value"] + "\n") == case["token"]
    assert answers("verify", *options, "-", text=case["token"])["value"] == case["value"]
    assert says("verify", *options, "-", text=case["token"] + "x", code=NO) == ""


@pytest.mark.parametrize("case", DUMPS, ids=lambda case: case["token"][:20])
def test_django_dumps(case: dict[str, str]) -> None:
    compress = ["--compress"] if case["compress"] else []
    text = json.dumps(case["payload"])
    if json.loads(text) == case["payload"]:
        made = says("dumps", *compress, "--salt", case["salt"], "--now", str(case["time"]), "-", text=text)
        assert signing.loads(made, key=case["secret"], salt=case["salt"]) == case["payload"]
    assert answers("loads", "--salt", case["salt"], "-", text=case["token"])["value"] == case["payload"]


def test_the_libraries_read_what_it_writes_and_the_other_way_round() -> None:
    assert signing.TimestampSigner(key=SECRET, salt="django.core.signing.TimestampSigner").unsign(says("sign", "é")) == "é"
    assert signing.loads(says("dumps", '{"a": [1]}'), key=SECRET) == {"a": [1]}
    assert says("loads", signing.dumps({"a": 1}, key=SECRET)) == '{"a":1}'
    assert says("loads", signing.dumps({"a": 1}, key=OLDER), code=NO) == ""
    assert TimestampSigner(SECRET).unsign(says("sign", "--dialect", "itsdangerous", "hello")) == b"hello"
    theirs = URLSafeTimedSerializer(SECRET).dumps({"a": 1})
    assert isinstance(theirs, str)
    assert says("loads", "--dialect", "itsdangerous", theirs) == '{"a":1}'


def test_an_older_secret_reads_and_does_not_write(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n{OLDER}\n")
    file.chmod(0o600)
    options = ("--secret-file", str(file))
    found = answers("verify", *options, says("sign", "x", secret=OLDER), secret=None)
    assert (found["value"], found["secret"]) == ("x", 1)
    assert says("verify", says("sign", *options, "x", secret=None)) == "x"
    file.chmod(0o604)
    assert answers("sign", *options, "x", secret=None, code=ERROR)["error"] == "TUILE_E_FILE"
    assert b"secret" in tuile("sign", "x", secret=None).stderr
    assert tuile("sign", "x", secret=None).returncode == USAGE
    assert says("sign", "x", secret="short", code=ERROR) == ""
    assert says("sign", "--allow-weak", "x", secret="short").startswith("x:")
    assert file.stat().st_mode & stat.S_IROTH


def test_ages() -> None:
    token = says("sign", "--now", "1000", "x")
    assert says("verify", "--now", "1060", "--max-age", "60", token) == "x"
    assert answers("verify", "--now", "1061", "--max-age", "60", token, code=NO)["error"] == "TUILE_EXPIRED"


def test_a_new_key_signs() -> None:
    key = says("keygen")
    assert key != says("keygen") and len(key) == 43
    for dialect in ("sealed", "signed"):
        token = says("sign", "--dialect", dialect, "--salt", "p", "hello", secret=key)
        assert says("verify", "--dialect", dialect, "--salt", "p", token, secret=key) == "hello"
        assert says("verify", "--dialect", dialect, "--salt", "q", token, secret=key, code=NO) == ""


def test_octets_come_out_as_they_are() -> None:
    token = says("sign", "--dialect", "sealed", "-", text=b"\xff\x00\x1b[2J\n")
    assert tuile("verify", "--dialect", "sealed", token).stdout == b"\xff\x00\x1b[2J\n"
    assert answers("verify", "--dialect", "sealed", token)["value_hex"] == "ff001b5b324a"
