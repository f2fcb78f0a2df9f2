"""Cookies and tokens: what Django made, and what nobody should get past."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tuile import cookies, errors, signing

VECTORS = Path(__file__).resolve().parents[3] / "Tests/vectors"


def cases(name: str, kind: str) -> list[dict[str, Any]]:
    found = [case for case in json.loads((VECTORS / name).read_text())["cases"] if case["kind"].startswith(kind)]
    assert found
    return found


@pytest.mark.parametrize("case", cases("django_signing.json", "Signer"))
def test_signer_vectors(case: dict[str, Any]) -> None:
    signer = signing.Signer(key=case["secret"], salt=case["salt"], fallback_keys=case.get("fallbacks", ()))
    assert signer.unsign(case["token"]) == case["value"]
    if not case.get("fallbacks"):
        assert signer.sign(case["value"]) == case["token"]


@pytest.mark.parametrize("case", cases("django_signing.json", "TimestampSigner"))
def test_timestamp_signer_vectors(case: dict[str, Any]) -> None:
    signer = signing.TimestampSigner(key=case["secret"], salt=case["salt"], fallback_keys=case.get("fallbacks", ()))
    if not case.get("fallbacks"):
        assert signer._sign(case["value"], case["time"]) == case["token"]
    assert signer._unsign(case["token"], 60, case["time"] + 60) == case["value"]
    with pytest.raises(signing.SignatureExpired):
        signer._unsign(case["token"], 60, case["time"] + 61)
    with pytest.raises(signing.SignatureExpired):
        signer.unsign(case["token"], timedelta(days=1))


def test_a_token_of_another_salt_or_key_is_refused() -> None:
    token = signing.Signer(key="k", salt="a").sign("v")
    for key, salt in (("k", "b"), ("l", "a")):
        with pytest.raises(signing.BadSignature):
            signing.Signer(key=key, salt=salt).unsign(token)


@pytest.mark.parametrize("token", ["", ":", "::", "a" * 100_000, "\0", "\ud800", "é:é:é", ".:1uPgt4:x"])
def test_a_hostile_token_is_a_bad_signature(token: str) -> None:
    for unsign in (signing.Signer(key="k").unsign, lambda text: signing.loads(text, key="k")):
        with pytest.raises(signing.BadSignature):
            unsign(token)


@pytest.mark.parametrize("age", [2**63, 2**64, -(2**64), 2.0**70])
def test_an_age_over_64_bits_is_refused_and_not_cut(age: float) -> None:
    signer = signing.TimestampSigner(key="k")
    with pytest.raises(OverflowError):
        signer.unsign(signer.sign("v"), max_age=age)


def test_the_lowest_age_is_not_taken_for_none() -> None:
    signer = signing.TimestampSigner(key="k")
    with pytest.raises(signing.SignatureExpired):
        signer.unsign(signer.sign("v"), max_age=-(2**63))


def test_repr_of_a_signer_shows_no_key() -> None:
    assert "hush" not in repr(signing.Signer(key="hush-hush"))


@pytest.mark.parametrize("case", cases("django_cookies.json", "parse_cookie"))
def test_parses_names_as_django_does(case: dict[str, Any]) -> None:
    # Values stay raw here, where Django unquotes them; a name is never decoded.
    assert cookies.parse(case["header"]).keys() == case["cookies"].keys()
    for name, value in cookies.parse(case["header"]).items():
        if not value.startswith('"'):
            assert case["cookies"][name] == value


@pytest.mark.parametrize("field", ["name", "value", "path", "domain"])
@pytest.mark.parametrize("character", ["\r", "\n", "\0", ";"])
def test_no_field_can_start_a_header_or_attribute(field: str, character: str) -> None:
    fields = {"name": "n", "value": "v", field: f"a{character}b"}
    with pytest.raises(errors.TuileError) as caught:
        cookies.SetCookie(**fields).header()
    assert isinstance(caught.value, ValueError)


def test_what_browsers_refuse_is_refused() -> None:
    with pytest.raises(errors.CookieRuleError):
        cookies.SetCookie("a", same_site="None").header()
    with pytest.raises(errors.LimitError):
        cookies.SetCookie("a", "v" * 4096).header()


def test_deleting_is_written_as_django_writes_it() -> None:
    assert (
        cookies.SetCookie("sessionid").delete_header()
        == 'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/'
    )
