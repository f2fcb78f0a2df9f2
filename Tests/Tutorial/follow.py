"""Turns a tutorial into one shell script, and its indented blocks into what the script has to print.

    python follow.py PAGE WHEEL PORT SCRIPT EXPECTED
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def main() -> None:
    page, wheel, port, script, expected = sys.argv[1:]
    text = Path(page).read_text()
    steps, wanted = ["set -euo pipefail", "set +m"], []
    # A file's name stands at the end of the paragraph before its block.
    for before, language, block, plain in re.findall(r"([^\n]*)\n\n(?:```(\w+)\n(.*?)```|((?:    [^\n]*\n)+))", text, re.DOTALL):
        if language == "sh":
            steps.append(block.replace("pip install tuile", f"pip install -q '{wheel}'").replace("8000", port))
        elif language == "python":
            name = re.findall(r"`([\w/]+\.py)`:$", before)
            assert name, f"a block of Python has no file's name before it: {before!r}"
            steps.append(f"cat > {name[0]} <<'END'\n{block}END")
        elif plain:
            wanted.append(re.sub(r"^    ", "", plain, flags=re.MULTILINE))
    assert len(steps) > 5 and wanted
    Path(script).write_text("\n".join(steps) + "\n")
    Path(expected).write_text("".join(wanted))


main()
