"""inspect: what servers and Chromium say to each other of device-bound sessions, from real traffic."""

from __future__ import annotations

import json
from typing import Any

import pytest
from command import FINE, NO, answers, tuile

REGISTRATION = '(ES256 RS256);path="/dbsc/register";challenge="_6EwNRbMwMscYGje7OAMx1wn6bt-JlDN";authorization="FgRqG3aU"'
PROOF_OF_REGISTRATION = (
    "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImRTMEV1S1VlZmRHdDRTM05CSXZ3TmJ5VldtcFBLNjVpLWVxYVZ5WGI2Mm8iLCJ5Ijoi"
    "MklBaGo3TUpjcGJwSVphSUhRdzhlckdDd1lMMWc3Q1pDUEdXSnBvcFZETSJ9LCJ0eXAiOiJkYnNjK2p3dCJ9.eyJhdXRob3JpemF0aW9uIjoiRmdScUczYVUiLCJqdGkiOiJfNkV3"
    "TlJiTXdNc2NZR2plN09BTXgxd242YnQtSmxETiJ9.OHI3mWTqQgwF3rq3-AW_YyWQKsyioaKhsr3fKhq3X92ZVL8SbCyTmJmJ5snwT4Q7G8MVVcdsDhrU6CgWi96-og"
)
PROOF_OF_REFRESH = (
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0.eyJqdGkiOiJSam9YUV82QmJ5QkNlQmlSMElIZ1RYQzhTZlg3UC04USJ9."
    "ISJjNzkpkl1auelaIJtwM_gfiPKAj5kOkNMcnb1LvoinLjKjbxmuaRTjX6gkWQ8MtXHcFG4ggt6xXqONW1ze3A"
)


def parts(found: dict[str, Any]) -> list[tuple[str, str]]:
    assert found["note"] == "not checked: no secret here can tell" and "genuine" not in found
    return [(part["part"], part["text"]) for part in found["parts"]]


@pytest.mark.parametrize("name", ["", "Secure-Session-Registration: ", "secure-session-registration:"])
def test_a_registration(name: str) -> None:
    found = answers("inspect", name + REGISTRATION)
    assert found["looks_like"].endswith("a registration that is offered to the browser")
    assert parts(found) == [
        ("algorithm", "ES256"),
        ("algorithm", "RS256"),
        ("path", "/dbsc/register"),
        ("challenge", "_6EwNRbMwMscYGje7OAMx1wn6bt-JlDN"),
        ("authorization", "FgRqG3aU"),
    ]


def test_two_registrations_in_one_header() -> None:
    found = answers("inspect", 'Secure-Session-Registration: (ES256);path="/a", (RS256);path="/b"')
    assert parts(found) == [("algorithm", "ES256"), ("path", "/a"), ("algorithm", "RS256"), ("path", "/b")]


@pytest.mark.parametrize("name", ["", "Secure-Session-Challenge: "])
def test_a_challenge(name: str) -> None:
    found = answers("inspect", name + '"RjoXQ_6BbyBCeBiR0IHgTXC8SfX7P-8Q";id="dbs-MNH83nAjGshf"')
    assert parts(found) == [("challenge", "RjoXQ_6BbyBCeBiR0IHgTXC8SfX7P-8Q"), ("id", "dbs-MNH83nAjGshf")]


@pytest.mark.parametrize("form", ["{}", "Secure-Session-Response: {}", 'Secure-Session-Response: "{}"'])
def test_proofs(form: str) -> None:
    found = answers("inspect", form.format(PROOF_OF_REGISTRATION))
    assert "with the browser's key" in found["looks_like"]
    header, claims, signature = found["parts"]
    assert json.loads(header["holds"])["jwk"]["crv"] == "P-256"
    assert json.loads(claims["holds"]) == {"authorization": "FgRqG3aU", "jti": "_6EwNRbMwMscYGje7OAMx1wn6bt-JlDN"}
    assert signature["part"] == "signature, ECDSA"
    found = answers("inspect", form.format(PROOF_OF_REFRESH))
    assert "registered before" in found["looks_like"]
    assert json.loads(found["parts"][1]["holds"]) == {"jti": "RjoXQ_6BbyBCeBiR0IHgTXC8SfX7P-8Q"}


def test_what_a_browser_says_beside_it() -> None:
    found = answers("inspect", 'Secure-Session-Skipped: quota_exceeded;session_identifier="dbs-1"')
    assert parts(found) == [("reason", "quota_exceeded"), ("session_identifier", "dbs-1")]
    assert "anybody can say so" in found["looks_like"]
    assert parts(answers("inspect", "Sec-Secure-Session-Id: dbs-1")) == [("session identifier", "dbs-1")]


@pytest.mark.parametrize("text", ['"', '"a', '"a\\', "(", "(ES256", "()", "(ES256);", '(ES256);path="', "(ES256);path=;", "(;path=", "," * 50])
@pytest.mark.parametrize("name", ["Registration", "Challenge", "Response", "Skipped"])
def test_what_is_broken_is_answered(name: str, text: str) -> None:
    for given in (text, f"Secure-Session-{name}: {text}"):
        done = tuile("inspect", "-", "--json", text=given)
        assert done.returncode in (FINE, NO) and "genuine" not in json.loads(done.stdout), done
