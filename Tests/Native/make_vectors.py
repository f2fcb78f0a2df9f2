"""Writes native.json with native_format.py: tokens with fixed salts, which no real sealed token may have."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from native_format import LAST_TIME, Tokens

FILE = Path(__file__).with_name("native.json")
SECRET = "0123456789abcdef0123456789abcdef"
OTHER = "a secret with an é and more than thirty-two bytes"
TIME = 1749730710

# secret, purpose, name, time, lifetime, text
CASES: list[tuple[str, str, str, int, int | None, str]] = [
    (SECRET, "cart", "cart", TIME, None, ""),
    (SECRET, "cart", "cart", TIME, 3600, "hello"),
    (SECRET, "cart", "cart", TIME, 1, '{"user":42,"name":"Zoë","items":[1,2.5,null,true]}'),
    (SECRET, "", "", TIME, None, "no purpose and no name"),
    (SECRET, "ab", "c", TIME, None, "the border between purpose and name"),
    (SECRET, "a", "bc", TIME, None, "the border between purpose and name"),
    (SECRET, "a\x001:b", "c", TIME, None, "a purpose that looks like the next part"),
    (SECRET, "a", "b\x001:c", TIME, None, "a name that looks like the next part"),
    (SECRET, "achats ☕", "panier", TIME, 60, "日本語 🍪\n\t\x00\x7f"),
    (SECRET, "p" * 300, "n" * 300, TIME, None, "long purpose, long name"),
    (SECRET, "cart", "cart", TIME, 86400, "x" * 1000),
    (SECRET, "cart", "cart", TIME, None, "one of each size modulo 3: 0"),
    (SECRET, "cart", "cart", TIME, None, "one of each size modulo 3: 1."),
    (SECRET, "cart", "cart", TIME, None, "one of each size modulo 3: 2.."),
    (SECRET, "cart", "cart", 0, None, "the first second"),
    (SECRET, "cart", "cart", 0, 1, "an end of 1"),
    (SECRET, "cart", "cart", LAST_TIME, None, "the last second"),
    (SECRET, "cart", "cart", LAST_TIME - 10, 10, "the last end"),
    (OTHER, "cart", "cart", TIME, 3600, "another secret"),
    ("k" * 64, "cart", "cart", TIME, None, "a secret of one block"),
    ("k" * 65, "cart", "cart", TIME, None, "a secret of more than a block"),
]
FIELDS = ("secret", "purpose", "name", "time", "lifetime", "text")


def made() -> dict[str, Any]:
    cases = []
    for kind in ("sealed", "signed"):
        for number, values in enumerate(CASES):
            secret, purpose, name, time, lifetime, text = values
            salt = hashlib.sha256(b"salt %d" % number).digest()[:24]
            tokens = Tokens(kind, secret.encode(), purpose.encode(), name.encode())
            token = tokens.make(text.encode(), time, lifetime, salt)
            cases.append({"kind": kind} | dict(zip(FIELDS, values)) | {"token": token})
    return {"made_by": "Tuile 0.1", "cases": cases}


def written() -> str:
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in made()["cases"])
    return f'{{"made_by": "Tuile 0.1", "cases": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
