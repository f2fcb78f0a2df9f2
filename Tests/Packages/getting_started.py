"""Writes docs/getting-started.md as a shell program that checks what is printed.

getting_started.py PORT: the pages' port 8000 is replaced, so that nobody else's is met.
"""

import re
import sys
from pathlib import Path

text = (Path(__file__).resolve().parents[2] / "docs/getting-started.md").read_text()
blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
assert [kind for kind, _ in blocks].count("sh") >= 6, "the page has lost its blocks"
print("set -eum\nset -o pipefail")
for (kind, body), following in zip(blocks, [*blocks[1:], ("", "")]):
    assert kind in ("sh", "text"), kind
    if kind == "text":
        continue
    body = body.replace("8000", sys.argv[1])
    if following[0] == "text":
        print(f"{{\n{body}}} > printed\ncat printed\ncat > expected <<'EXPECTED'\n{following[1]}EXPECTED\ndiff expected printed\nrm expected printed")
    else:
        print(body)
print("echo 'getting started: done'")
