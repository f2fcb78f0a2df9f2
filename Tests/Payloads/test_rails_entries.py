"""Entries of Rails' cache, in its three formats: what Rails stored (Tests/vectors/layout_ruby.json), what Ruby itself makes of
what is written here, and what nobody should store."""

from __future__ import annotations

import base64
import json
import pathlib
import random
import re
import shutil
import struct
import subprocess
import zlib
from typing import Any

import payloads
import pytest

VECTORS = json.loads((pathlib.Path(__file__).resolve().parents[1] / "vectors/layout_ruby.json").read_text())
FORMS = {"app6": 0, "app70": 1, "app": 2}
CASES = [(query.partition("namespace=")[2], case) for query, cases in VECTORS.items() if query.partition("namespace=")[2] in FORMS for case in cases]
RUBY = shutil.which("ruby")


def without_times(entry: bytes) -> bytes:
    """Times are each write's own; of zlib what comes out."""
    if entry[:2] == b"\x00\x11":
        payload = zlib.decompress(entry[15:]) if entry[2] & 0x80 else entry[15:]
        return entry[:3] + entry[11:15] + payload
    if entry[:1] in (b"\x00", b"\x01"):
        return entry[:1] + re.sub(rb"f.17[0-9.]+$", b"f", zlib.decompress(entry[1:]) if entry[0] else entry[1:], flags=re.DOTALL)
    head, _, tail = entry.rpartition(b"@created_at")
    return head + re.sub(rb"f.17[0-9.]+:", b"f:", tail, flags=re.DOTALL)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]['name']}")
def test_what_rails_stored(case: tuple[str, dict[str, Any]]) -> None:
    name, one = case
    stored, now = base64.b64decode(one["value"]), one["saved_at"] * 1_000_000
    status, shown = payloads.rails(0, stored)
    assert status == payloads.OK
    if one["json"] is not None:
        assert json.loads(shown) == one["json"]
    status, same = payloads.rails(0, stored, shown, now, now + 7_200_000_000)
    assert status == payloads.OK and without_times(same) == without_times(stored)
    status, new = payloads.rails(0, stored, json.dumps(json.loads(shown) | {"hits": 41}).encode(), now, now + 7_200_000_000)
    assert status == payloads.OK and without_times(new) == without_times(base64.b64decode(one["after"]))
    # The end is inside, where Rails looks for it.
    if FORMS[name] == 2:
        assert struct.unpack("<d", new[3:11])[0] == one["saved_at"] + 7200
    elif FORMS[name] == 1:
        end = b"f\x10%d" % (one["saved_at"] + 7200)
        assert (zlib.decompress(new[1:]) if new[0] else new[1:]).endswith(end[:1] + b"\x0f" + end[2:])
    else:
        assert b"@created_atf\x0f%d" % one["saved_at"] in new and b"@expires_inf\n7.2e3" in new


def test_there_are_vectors_of_each_form() -> None:
    assert {name for name, _ in CASES} == set(FORMS) and len(CASES) == 48


LOADER = """
require 'active_support'
require 'active_support/cache'
require 'json'
STDIN.each_line do |line|
  entry = line.unpack1('m')
  value, expires = case entry.bytes.first(2)
  when [0x00, 0x11]
    payload = entry.byteslice(15..)
    payload = Zlib::Inflate.inflate(payload) if entry.getbyte(2) & 0x80 != 0
    [Marshal.load(payload), entry.unpack1('@3E')]
  when [0x04, 0x08]
    found = Marshal.load(entry)
    [found.value, found.expires_at]
  else
    payload = entry.byteslice(1..)
    Marshal.load(entry.getbyte(0) == 1 ? Zlib::Inflate.inflate(payload) : payload)
  end
  puts JSON.generate([value, expires])
end
"""


def test_ruby_reads_what_is_written() -> None:
    """Of the format 6.1 by ActiveSupport's own class, whatever version Debian has."""
    if RUBY is None or subprocess.run([RUBY, "-e", "require 'active_support/cache'"], capture_output=True, check=False).returncode:
        pytest.skip("Debian's ruby-activesupport is not installed")
    chance, entries, wanted = random.Random(7), [], []
    for size in (0, 1, 5, 40, 200):
        for form in range(3):
            session: dict[str, Any] = {f"name{i}": chance.choice([i, 1.5, "žluť" * 9, None, [True, {"a": -(2**40)}]]) for i in range(size)}
            status, made = payloads.rails(form, b"", json.dumps(session).encode(), 1_700_000_000_000_000, 1_700_000_100_500_000)
            assert status == payloads.OK and (len(made) < 1100 or size >= 40)
            session |= {"@value": "as of Rails", "hits": 41}
            status, made = payloads.rails(2 - form, made, json.dumps(session).encode(), 1_700_000_000_000_000, 1_700_000_200_500_000)
            assert status == payloads.OK
            entries.append(base64.b64encode(made).decode())
            wanted.append([session, 1_700_000_200.5])
    done = subprocess.run([RUBY, "-e", LOADER], input="\n".join(entries), capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == wanted


def test_it_stays_compressed_or_plain() -> None:
    """What Rails did not compress, as it is set to, stays so; what becomes short is short."""
    long, short = json.dumps({"a": "x" * 3000}).encode(), b'{"a":1}'
    for form in range(3):
        _, packed = payloads.rails(form, b"", long, 0, 10**15)
        assert len(packed) < 300
        _, less = payloads.rails(form, packed, short, 0, 10**15)
        assert len(less) < 150 and b"x\x9c" not in less
        _, again = payloads.rails(form, less, long, 0, 10**15)
        assert again == packed
    plain = b"\x00\x11\x01" + packed[3:15] + zlib.decompress(packed[15:])
    status, new = payloads.rails(2, plain, long, 0, 10**15)
    assert status == payloads.OK and new == plain


def test_in_memcached_an_entry_is_a_string_of_marshal_s() -> None:
    count = 0
    for query, cases in VECTORS.items():
        for case in cases if query.endswith("=rails72") else ():
            stored = base64.b64decode(case["value"])
            size = stored[3] - 5 if stored[3] > 5 else int.from_bytes(stored[4 : 4 + stored[3]], "little")
            entry = stored[-size:]
            status, shown = payloads.rails(0, stored)
            assert status == payloads.OK and payloads.rails(0, entry) == (status, shown)
            wanted = json.dumps(json.loads(shown) | {"hits": 41}).encode()
            _, new = payloads.rails(0, stored, wanted, 0, 10**15)
            _, plain = payloads.rails(0, entry, wanted, 0, 10**15)
            assert new[:3] == stored[:3] and new.endswith(plain) and len(new) == len(base64.b64decode(case["after"]))
            count += 1
    assert count == 16


def test_without_an_end_and_from_later_rails() -> None:
    hash_ = b"\x04\x08{\x06I\"\x06a\x06:\x06ETi\x06"
    for stored in (
        b"\x00\x11\x01" + struct.pack("<d", -1) + b"\xff\xff\xff\xff" + hash_,
        b"\x00\x04\x08[\x06" + hash_[2:],
        # Rails 7 writes the format 6.1 with the end itself.
        b"\x04\x08o: ActiveSupport::Cache::Entry\t:\x0b@value{\x06I\"\x06a\x06:\x06ETi\x06:\r@version0:\x10@created_atf\x060:\x10@expires_inf\x0f1700000000",
    ):
        assert payloads.rails(0, stored) == (payloads.OK, b'{"a":1}')
        status, new = payloads.rails(0, stored, b'{"a":2}', 0, 1_600_000_000_000_000)
        assert status == payloads.OK and payloads.rails(0, new) == (payloads.OK, b'{"a":2}')
        if stored[:1] == b"\x04":
            assert new.endswith(b"@created_atf\x060:\x10@expires_inf\n1.6e9")


def test_what_is_no_entry_of_a_session() -> None:
    _, good = payloads.rails(2, b"", b'{"a":1}', 0, 10**15)
    _, list_ = payloads.rails(1, b"", b'{"a":1}', 0, 10**15)
    _, entry = payloads.rails(0, b"", b'{"a":1}', 0, 10**15)
    bomb = zlib.compress(b"\x04\x08{\x06I\"\x06a\x06:\x06ET\"\x04" + (1 << 26).to_bytes(4, "little") + bytes(1 << 26))
    bad = [
        b"", b"\x00", b"\x01", b"\x00\x11", b"\x00\x11\x01", good[:15], b"\x04\x08", b"\x04\x08{\x00",
        # A string, a version, what does not inflate, an end that is no time.
        good[:2] + b"\x02" + good[3:], good[:11] + b"\x01\x00\x00\x00" + good[15:], good[:2] + b"\x81" + good[3:],
        good[:3] + struct.pack("<d", float("nan")) + good[11:], good[:3] + struct.pack("<d", float("inf")) + good[11:],
        good[:15] + bomb, good[:2] + b"\x81" + good[3:15] + bomb, b"\x01" + bomb, b"\x00" + bomb,
        # More members, another class, itself inside of itself, no hash.
        b"\x00\x04\x08[\x08" + list_[5:] + b"0", b"\x00\x04\x08[\x00", b"\x00\x04\x08[\x06i\x06", b"\x00\x04\x08[\x06@\x00",
        b"\x00\x04\x08[\x06{\x06I\"\x06a\x06:\x06ET@\x00", b"\x00" + good[15:],
        entry.replace(b"ActiveSupport::Cache::Entry", b"ActiveSupport::Cache::Entrz"), entry.replace(b"@version", b"@versiom"),
        entry.replace(b"@version0", b"@versionT"), entry.replace(b":\x0b@value", b":\x0b@valuf"), entry + b"0",
        entry.replace(b"@version0", b"@version@\x00"),
    ]  # fmt: skip
    for stored in bad:
        assert payloads.rails(0, stored)[0] == payloads.MALFORMED, stored[:80]
        assert stored == b"" or payloads.rails(0, stored, b'{"a":2}')[0] == payloads.MALFORMED, stored[:80]
