"""Random JSON, signed by Django and by Tuile at one time: equal to the byte, and read by the other."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

import django_project
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing as django_signing
from django_project import SECRET
from tuile import signing
from tuile.sessions import Manager

VECTORS = Path(__file__).parents[1] / "vectors"
TIME = 1749730710
SALT = "django.contrib.sessions.SessionStore"
TEXT = string.ascii_letters + string.digits + ' "\\/\b\f\n\r\t\0\x7f<>&é☕日🍪\u2028'


def random_value(random_: random.Random, depth: int = 0) -> Any:
    kind = random_.randrange(5 if depth > 3 else 7)
    if kind == 0:
        return random_.choice([None, True, False, 0, -0.0, 1e100, 9007199254740993, 2**70, 5e-324])
    if kind == 1:
        return random_.randrange(-(2**63), 2**63)
    if kind == 2:
        return random_.uniform(-1, 1) * 10.0 ** random_.randrange(-30, 30)
    if kind in (3, 4):
        return "".join(random_.choices(TEXT, k=random_.randrange(40)))
    if kind == 5:
        return [random_value(random_, depth + 1) for _ in range(random_.randrange(6))]
    return random_object(random_, depth + 1)


def random_object(random_: random.Random, depth: int = 0) -> dict[str, Any]:
    return {"".join(random_.choices(TEXT, k=5)): random_value(random_, depth) for _ in range(random_.randrange(8))}


def vectors(name: str) -> list[Any]:
    return json.loads((VECTORS / name).read_text())["cases"]


@pytest.mark.parametrize("seed", range(300))
def test_tokens_of_random_json_are_equal_to_the_byte(seed: int) -> None:
    payload, compress = random_object(random.Random(seed)), bool(seed % 2)
    with django_project.frozen(TIME):
        theirs = django_signing.dumps(payload, key=SECRET, salt=SALT, compress=compress)
    signer = signing.TimestampSigner(key=SECRET, salt=SALT)
    text = json.dumps(payload, separators=(",", ":"))
    assert signer._dumps(text, compress, TIME) == theirs
    # As text: -0.0 == 0.0 would hide a difference.
    assert json.dumps(signing.loads(theirs, key=SECRET, salt=SALT), separators=(",", ":")) == text


def test_sessions_of_random_json_pass_to_and_fro(django_database: Path) -> None:
    with Manager(store=f"sqlite://{django_database}", secret=SECRET) as manager:
        for seed in range(60):
            payload = random_object(random.Random(1000 + seed)) | {"seed": seed}
            with manager.begin("") as session:
                session.update(payload)
                session.commit(200)
                key = session.session_key
            django_session = SessionStore(key)
            assert json.dumps(dict(django_session.items())) == json.dumps(payload)
            django_session["back"] = True
            django_session.save()
            with manager.begin(f"sessionid={key}") as session:
                assert json.dumps(dict(session)) == json.dumps(payload | {"back": True})


@pytest.mark.parametrize("case", vectors("django_sessions.json"), ids=lambda case: case["kind"])
def test_session_vectors_both_ways(case: dict[str, Any]) -> None:
    signer = signing.TimestampSigner(key=case["secret"], salt=case["salt"])
    token = case.get("session_data") or case["token"]
    text = json.dumps(case["payload"], separators=(",", ":"))
    assert signer._loads(token, 60, case["time"] + 60) == text
    assert signer._dumps(text, True, case["time"]) == token


@pytest.mark.parametrize(
    "case", [case for case in vectors("django_signing.json") if "payload" in case], ids=lambda case: case["kind"]
)
def test_dumps_vectors_both_ways(case: dict[str, Any]) -> None:
    text = json.dumps(case["payload"], separators=(",", ":"))
    signer = signing.TimestampSigner(
        key=case["secret"], salt=case["salt"], fallback_keys=case.get("fallbacks", ())
    )
    assert signer._loads(case["token"], 60, case["time"] + 60) == text
    if not case.get("fallbacks"):
        assert signer._dumps(text, case["compress"], case["time"]) == case["token"]


def test_every_cut_and_every_changed_character_is_refused() -> None:
    token = signing.dumps({"user": 7}, key=SECRET)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        for bad in (token[:place], token[:place] + other + token[place + 1 :]):
            with pytest.raises(signing.BadSignature):
                signing.loads(bad, key=SECRET)
