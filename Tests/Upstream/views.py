"""Runs Django's tests of views that use sessions with tuile.django on one store.

    python views.py FOLDER_OF_DJANGOS_TESTS STORE

A test may fail only if it fails on Django's own signed_cookies too, and only for a store that is
a cookie; on the others none may.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LABELS = """
auth_tests.test_views auth_tests.test_login auth_tests.test_basic auth_tests.test_middleware auth_tests.test_remote_user
auth_tests.test_auth_backends test_client test_client_regress messages_tests csrf_tests async.test_async_auth flatpages_tests
""".split()


def failures(tests: Path, settings: str, store: str | None) -> tuple[set[str], str]:
    """The names of the tests that fail, and the line that says how many ran."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TUILE_TEST_FOLDER": folder}
        if store is not None:
            environment["TUILE_TEST_STORE"] = store.replace("FOLDER", folder)
        command = [sys.executable, "runtests.py", f"--settings={settings}", "--parallel=1", *LABELS]
        result = subprocess.run(command, cwd=tests, env=environment, capture_output=True, text=True)
    ran = re.search(r"^Ran \d+ tests.*$", result.stderr, re.MULTILINE)
    if ran is None:
        sys.exit(result.stdout + result.stderr)
    return set(re.findall(r"^(?:FAIL|ERROR): .*\((.*)\)", result.stderr, re.MULTILINE)), ran[0]


def main() -> None:
    tests, store = Path(sys.argv[1]), sys.argv[2]
    found, ran = failures(tests, "django_settings", store)
    expected: set[str] = set()
    if store.startswith("cookie:"):
        expected, _ = failures(tests, "django_settings_cookies", None)
    if found - expected:
        sys.exit(f"{store}: these fail and should not: {', '.join(sorted(found - expected))}")
    excused = f", {len(found)} fail as they do on Django's signed_cookies" if found else ""
    print(f"{store or 'the database'}: {ran}{excused}")


if __name__ == "__main__":
    main()
