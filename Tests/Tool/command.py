"""The command, called as a shell calls it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TUILE_BUILD", ROOT / "build"))
SECRET = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
OLDER = "5UTG79BG16QmtsL4F28GzL2cEpVZzAQlxJ4SXRVxfCQGgXkH1z"
FINE, NO, USAGE, ERROR = range(4)
VALGRIND = ("valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite")  # fmt: skip


def tuile(
    *words: str, secret: str | None = SECRET, text: str | bytes = b"", prefix: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], **variables}
    if secret is not None:
        environment["TUILE_SECRET"] = secret
    done = subprocess.run(
        [*prefix, os.environ.get("TUILE_TOOL", str(BUILD / "tuile")), *words],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True, env=environment, timeout=300,
    )  # fmt: skip
    assert done.returncode in (FINE, NO, USAGE, ERROR), (words, done.returncode, done.stderr)
    return done


def says(*words: str, code: int = FINE, **more: Any) -> str:
    """What it wrote, without the last line end."""
    done = tuile(*words, **more)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout.decode().removesuffix("\n")


def answers(*words: str, code: int = FINE, **more: Any) -> dict[str, Any]:
    """The JSON that it wrote."""
    answer: dict[str, Any] = json.loads(says(*words, "--json", code=code, **more))
    return answer


def vectors(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((ROOT / f"Tests/vectors/{name}.json").read_text())["cases"]
    return cases
