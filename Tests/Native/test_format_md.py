"""The numbers that the format's description claims, worked out again."""

from __future__ import annotations

import base64
import hmac
import math
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import make_vectors
import native_format as format_
from native_format import Tokens

HERE = Path(__file__).parent
# It may have become a part of docs/formats.md.
PLACES = HERE / "FORMAT.md", HERE.parents[1] / "docs" / "formats.md"
TEXTS = [place.read_text(encoding="utf-8") for place in PLACES if place.exists()]
TEXT = next(text for text in TEXTS if "## Tuile's own tokens" in text)
YEAR = timedelta(days=365.2425).total_seconds()


def claims(*wanted: str) -> None:
    for words in wanted:
        assert words in TEXT, words


def odds(messages: int, bits: int) -> float:
    """That two of 2**messages random numbers are equal, as a power of two; exact up to where it nears 1."""
    count = Fraction(2) ** messages
    return math.log2(count * (count - 1) / 2 / Fraction(2) ** bits)


def test_the_odds_of_equal_salts_nonces_and_keys() -> None:
    for messages in (32, 48, 64, 80):
        columns = [odds(messages, bits) for bits in (192, 96, 256)]
        said = [f"2^−{-round(column)}" if column < 0 else "certain" for column in columns]
        assert all(abs(column - round(column)) < 0.01 for column in columns)
        claims(f"| 2^{messages} | {said[0]} | {said[1]} | {said[2]} |")
    assert round(odds(32, 96)) == round(odds(80, 192)) == -33
    claims("the odds of a repeat are 2^−33", f"2^{256 - 80} for 2^80 tokens")
    claims(f"2^32 are made in {2**32 / 1e6 / 60:.0f} minutes")
    years = 2**80 / 1e6 / YEAR
    claims(f"{years / 1e10:.1f} × 10^10 years")


def test_the_odds_of_a_forgery() -> None:
    # GHASH of one block of associated data, the text's, and one of lengths: a polynomial of that degree.
    blocks = 1 + 4096 // 16 + 1
    claims(f"({blocks} blocks in 2^128)", "at most 2^−119.9 a try")
    assert blocks / 2**128 <= 2**-119.9


def test_the_odds_of_one_key_id() -> None:
    pairs = 65 * 64 // 2
    claims(f"odds of {pairs / 2**32 * 1e7:.1f} × 10^−7")


def test_sizes_and_times() -> None:
    for kind, overhead, empty, most in (("sealed", 55, 74, 3017), ("signed", 47, 63, 3025)):
        tokens = Tokens(kind, b"k" * 32, b"", b"")
        assert len(format_.decode(tokens.make(b"", 0))) == overhead
        assert len(tokens.make(b"", 0)) == empty
        assert len(tokens.make(bytes(most), 0)) <= 4096 < len(tokens.make(bytes(most + 1), 0))
    claims("55 octets sealed and 47 signed", "74 and 63 for an empty text", "3017 octets sealed, of 3025 signed")
    claims(f"the year {int(1970 + (2**40 - 1) / YEAR)}")


def test_no_salt_is_32_zero_octets_or_none() -> None:
    assert hmac.digest(b"", b"secret", "sha256") == hmac.digest(bytes(32), b"secret", "sha256")


def test_the_labels_differ_in_their_first_13_octets() -> None:
    labels = [*format_.LABEL.values(), b"tuile v1 key id"]
    assert len({label[:13] for label in labels}) == 3


def test_the_example() -> None:
    secret, head = b"0123456789abcdef0123456789abcdef", "01440fe4e200684ac59600684ad3a6"
    claims(secret.decode(), format_.key_id(secret).hex(), head[10:20], head[20:30])
    example = [case for case in make_vectors.made()["cases"] if case["text"] == "hello"]
    for case in example:
        info = format_.info(format_.VERSION[case["kind"]], b"cart", b"cart")
        key = format_.hkdf(secret, info, 32)
        claims(info.hex(), key.hex(), case["token"])
        octets = base64.urlsafe_b64decode(case["token"] + "==")
        assert octets[1:15].hex() == head[2:]
        if case["kind"] == "sealed":
            salt = octets[15:39]
            claims(salt.hex(), hmac.digest(key, salt, "sha256").hex())
    assert [case["kind"] for case in example] == ["sealed", "signed"]
