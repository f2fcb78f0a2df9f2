"""What frameworks stored themselves (vectors.jsonl: made by them, versions in its first line; the stored bytes without
what a layout has around them): it reads as they read it, and with `hits` set to 41 it is what they stored then."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import payloads
import pytest

LINES = (pathlib.Path(__file__).resolve().parent / "vectors.jsonl").read_text("ascii").splitlines()
VERSIONS = json.loads(LINES[0])["versions"]
CASES = [json.loads(line) for line in LINES[1:]]

# The framework's own doing, apart from `hits`: redis-session-store makes each hash, the same one twice, too,
# one of Rails' own; Laravel drops what was flashed, and adds `_flash`; a float's exponent is Rust's.
OTHER = {"rails-redis-session-store": {"login", "nested", "same_twice", "symbols", "hashes"},
         "laravel-file": {"flash", "scalars", "cart", "objects", "dates", "references"},
         "flask-session-redis-json": {"scalars"}, "django-redis-json": {"empty"}}


def simple(value: Any) -> Any:
    """Without what only the framework's own code can say of an object; Rails' hash as a hash."""
    if isinstance(value, dict):
        if value.get("$type") == "object":
            return simple(value["like"]) if "like" in value else {"$type": "object"}
        return {key: simple(item) for key, item in value.items()}
    return [simple(item) for item in value] if isinstance(value, list) else value


def wanted(case: dict[str, Any]) -> Any:
    session = simple(case["session"])
    if case["case"] == "number_key" and case["format"] == "php_serialize":
        # The session's own keys are names.
        return {str(key): value for key, value in session["items"]}
    if case["case"] == "big_numbers" and case["format"] == "json":
        # Python's JSON has these.
        session |= {"nan": "nan", "inf": "inf", "ninf": "-inf"}
    if case["case"] == "cycle" and case["format"] == "pickle":
        session["cycle"] = [1, {"$type": "cycle"}]
    if case["layout"] == "rails-redis-session-store" and case["case"] == "symbols":
        session["opts"]["items"][0][0] = {"$type": "symbol", "value": "theme"}
    # PHP's empty array.
    return session or {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layout']}-{case['case']}")
def test_what_frameworks_stored(case: dict[str, Any]) -> None:
    stored = base64.b64decode(case["stored"])
    shown = payloads.read(case["format"], stored)
    if "session" in case:
        assert simple(json.loads(shown, parse_constant=lambda name: str(float(name)))) == wanted(case)
    # Nothing changes: nothing is written anew.
    if stored:
        assert payloads.rewrite(case["format"], stored, shown) == stored
    if "after" in case:
        new = payloads.rewrite(case["format"], stored, json.dumps(json.loads(shown) | {"hits": 41}).encode())
        if case["case"] not in OTHER.get(case["layout"], ()):
            assert new == base64.b64decode(case["after"])


def test_there_are_vectors_of_each_format() -> None:
    assert {case["format"] for case in CASES} == set(payloads.FORMATS)
    assert len(CASES) > 150 and len(VERSIONS) > 10 and sum("after" in case for case in CASES) > 150
