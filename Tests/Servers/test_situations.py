"""In front of one Django project nginx's module, Apache's module and the daemon answer as login_required and
permission_required do, and no session is worse off for it: TUILE_SITUATIONS=1000 for more of them."""

from __future__ import annotations

import os
import subprocess
import sys

from processes import HERE

COUNT = int(os.environ.get("TUILE_SITUATIONS", "120"))


def test_the_answers_are_django_s() -> None:
    """In a process of its own, whose Django has settings of its own."""
    done = subprocess.run([sys.executable, HERE / "compare.py", str(COUNT)], capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    assert f"{COUNT} situations" in done.stdout
