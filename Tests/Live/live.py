"""What all tests here share: helpers in other languages, random keys, payloads."""

from __future__ import annotations

import importlib.metadata
import json
import os
import random
import secrets
import shutil
import string
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from tuile import _native
from tuile.signing import BadSignature, Tokens

#: Whose versions a run tells.
PACKAGES = (
    "aiohttp-session", "cryptography", "django", "flask", "itsdangerous", "jwcrypto", "PyJWT", "starlette", "tornado",
)  # fmt: skip
HERE = Path(__file__).resolve().parent
SEED = int(os.environ.get("TUILE_LIVE_SEED") or secrets.randbelow(10**9))
NOW = int(time.time())
NATIVE_LOADS = _native.lib.tuile_token_loads


class Refused(Exception):
    """The framework did not take what it was given."""


class Helper:
    """A program that answers one line of JSON for each line of JSON.

    Its first line says what it runs on, and what it would need besides:
    {"versions": {name: version}, "missing": {name: why}}.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        hello = self._line()
        self.versions: dict[str, str] = hello["versions"]
        self.missing: dict[str, str] = hello.get("missing", {})

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Refused("the helper ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __call__(self, op: str, **request: Any) -> Any:
        assert self.process.stdin is not None
        # ASCII: some readers of lines take U+2028 for the end of one.
        self.process.stdin.write(json.dumps({"op": op, **request}).encode("ascii") + b"\n")
        self.process.stdin.flush()
        answer = self._line()
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    def need(self, name: str) -> None:
        if name in self.missing:
            pytest.skip(f"{name}: {self.missing[name]}")


_helpers: dict[str, Helper | str] = {}


def helper(name: str, *command: str | Path) -> Helper:
    """Starts a helper, or skips the test and says why there is none."""
    if name not in _helpers:
        _helpers[name] = _start(*command)
    found = _helpers[name]
    if isinstance(found, str):
        pytest.skip(f"{name}: {found}")
    return found


def _start(*command: str | Path) -> Helper | str:
    if not shutil.which(command[0]):
        return f"{Path(command[0]).name} is not there; Tests/Live/install and Tests/Live/run get it"
    # A file, which never fills up as a pipe does.
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            return Helper(process)
        except Refused:
            process.wait()
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            return "; ".join(said[:2]) or "the helper ended at once"


def versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    for started in _helpers.values():
        if isinstance(started, Helper):
            found |= started.versions
    return found


def stop_helpers() -> None:
    for started in _helpers.values():
        if isinstance(started, Helper):
            started.process.stdin.close()  # type: ignore[union-attr]
            started.process.wait(10)


# What a secret in a text file looks like, and what survives no carelessness with encodings.
_KEY = string.ascii_letters + string.digits + "!#$%^&*()-_=+ :./\\'\"é日🍪"
_TEXT = (
    string.ascii_letters
    + string.digits
    + " \"'\\/%:;.,|-=*~+!()[]{}@#$^`?\b\f\n\r\t\0\x1b\x7f\x80<>&é☕日🍪\u2028\u2029\ufeff"
)


def random_for(*what: object) -> random.Random:
    return random.Random(f"{SEED} {what}")


def key(random_: random.Random, size: int = 50) -> str:
    return "".join(random_.choices(_KEY, k=size))


def keys(*what: object, count: int = 3, size: int = 50) -> list[str]:
    random_ = random_for("keys", *what)
    return [key(random_, size) for _ in range(count)]


def raw_keys(*what: object, size: int, count: int = 3) -> list[bytes]:
    random_ = random_for("raw keys", *what)
    return [random_.randbytes(size) for _ in range(count)]


def text(random_: random.Random, most: int = 40) -> str:
    return "".join(random_.choices(_TEXT, k=random_.randrange(most)))


def _value(random_: random.Random, depth: int) -> Any:
    kind = random_.randrange(5 if depth > 2 else 7)
    if kind == 0:
        return random_.choice([None, True, False, 0, -1, 0.5, -2.25, 9007199254740991, -9007199254740991])
    if kind == 1:
        return random_.randrange(-(2**53), 2**53)
    if kind in (2, 3, 4):
        return text(random_)
    if kind == 5:
        return [_value(random_, depth + 1) for _ in range(random_.randrange(5))]
    return _object(random_, depth + 1)


def _object(random_: random.Random, depth: int = 0) -> dict[str, Any]:
    # A letter in front: JavaScript puts keys that are numbers first.
    return {"k" + text(random_, 6): _value(random_, depth) for _ in range(random_.randrange(7))}


TEXTS = [
    "",
    "plain",
    "a.b.c--d|e:f",
    'quote " and \\ and /',
    "<script>&amp;</script>",
    "line\u2028and\u2029paragraph",
    "é ☕ 日本 🍪",
    "\x00\x01\b\t\n\f\r\x1f\x7f",
    "100% %41 +",
    "x" * 4096,
    *(text(random_for("text", i)) for i in range(10)),
]
#: Numbers as Python writes them.
FLOATS = {"floats": [1e-7, 1e16, 1e22, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf")]}

#: Half a pair of surrogates, which JSON can hold as an escape.
HALF = {"half": "a\ud800b\udc00"}

# Named by number: random text is no good name.
each_text = pytest.mark.parametrize("text", TEXTS, ids=[f"text {number}" for number in range(len(TEXTS))])

#: JSON objects whose numbers every language writes in the same way.
OBJECTS: list[dict[str, Any]] = [
    {},
    {"a": 1},
    {"text": TEXTS[7] + TEXTS[5] + TEXTS[6] + TEXTS[4] + TEXTS[3]},
    {"nested": {"list": [1, [2, [3, {"deep": None}]], {}], "empty": [], "no": False}, "yes": True},
    {"": "empty key", "é<&>\u2028": "☕"},
    {"long": "é<" * 600 + "x" * 2200},
    *(_object(random_for("object", i)) for i in range(14)),
]

#: Whole numbers that a double can't hold.
BIG = {"big": 9007199254740993, "bigger": 2**70, "negative": -(2**64)}


def short(objects: list[Any] = OBJECTS, most: int = 1200) -> list[Any]:
    """Those that fit in one cookie of 4 KB after all encoding."""
    return [one for one in objects if len(json.dumps(one)) <= most]


def compact(value: Any) -> str:
    """The JSON that we are handed: ASCII, so that each dialect has to make its own of it."""
    return json.dumps(value, separators=(",", ":"))


def written(tokens: Tokens, value: Any, now: int = NOW, compress: bool = True) -> str:
    """Our token of a JSON value at a time."""
    return tokens._dumps(compact(value), compress, now)


def signed(tokens: Tokens, value: str, now: int = NOW) -> str:
    return tokens._sign(value, now)


def loaded_text(tokens: Tokens, token: str) -> str:
    """The JSON in a token as the framework wrote it."""
    return tokens._read(NATIVE_LOADS, token, None, NOW)[0].decode()


def sorted_keys(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True))


def changed(token: str, random_: random.Random) -> str:
    """The token with one character replaced by another of base64; not one of the last, whose
    spare bits some frameworks let be anything."""
    at = random_.randrange(max(1, len(token) - 3))
    other = random_.choice([c for c in string.ascii_letters + string.digits if c != token[at]])
    return token[:at] + other + token[at + 1 :]


def refuses(tokens: Tokens, token: str, **options: Any) -> None:
    with pytest.raises(BadSignature):
        tokens.open_json(token, **options)
