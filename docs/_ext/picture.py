"""Pictures made from text, drawn into the page in its own colours.

    ```{picture} NAME
    What it shows, for who does not see it.
    ```

`pictures/NAME.dot` is Graphviz's. `pictures/NAME.txt` is a sequence: a line `columns: A | B | C`, then lines
`1 > 2: what is said`, `2: what happens there` and `-- a heading`.
"""

from __future__ import annotations

import html
import re
import subprocess
import textwrap
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

WIDTH, LINE, SIDE = 440, 16, 52
LETTER = 6.6  # the width of one, about, of 13 pixels


def text(x: float, y: float, said: str, anchor: str = "middle", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{weight}>{html.escape(said)}</text>'


def sequence(source: str) -> tuple[int, int, str]:
    """A sequence's width, height and drawing."""
    first, *lines = [line.strip() for line in source.strip().splitlines() if line.strip()]
    names = [name.strip() for name in first.removeprefix("columns:").split("|")]
    step = (WIDTH - 2 * SIDE) / (len(names) - 1)
    at = [SIDE + step * i for i in range(len(names))]
    y, out = 44.0, []
    for line in lines:
        message = re.match(r"(\d) > (\d): (.*)", line)
        here = re.match(r"(\d): (.*)", line)
        if message:
            start, end = at[int(message[1]) - 1], at[int(message[2]) - 1]
            room = max(int((abs(end - start) + 60) / LETTER), 16)
            middle = min(max((start + end) / 2, 60), WIDTH - 60)
            for part in textwrap.wrap(message[3], room):
                y += LINE
                out.append(text(middle, y, part))
            y += 8
            tip = -7 if end > start else 7
            out.append(f'<path d="M{start:g} {y:g}H{end + tip / 7 * 2:g}" stroke="currentColor" fill="none"/>'
                       f'<path d="M{end:g} {y:g}l{tip} -4v8z" fill="currentColor"/>')
            y += 8
        elif here:
            x = at[int(here[1]) - 1]
            parts = textwrap.wrap(here[2], 26)
            wide = max(map(len, parts)) * LETTER + 14
            left = min(max(x - wide / 2, 1), WIDTH - wide - 1)
            high = len(parts) * LINE + 8
            y += 8
            out.append(f'<rect class="box" x="{left:g}" y="{y:g}" width="{wide:g}" height="{high}" rx="4"/>')
            out += [text(left + wide / 2, y + 15 + LINE * i, part) for i, part in enumerate(parts)]
            y += high + 4
        else:
            y += LINE + 12
            out.append(text(4, y, line.removeprefix("--").strip(), "start", bold=True))
            y += 4
    height = int(y + 14)
    rails = [f'<path d="M{x:g} 34V{height - 4}" stroke="currentColor" stroke-dasharray="2 4" opacity=".6"/>' for x in at]
    heads = []
    for x, name in zip(at, names):
        wide = max(len(name) * LETTER + 20, 60)
        left = min(max(x - wide / 2, 1), WIDTH - wide - 1)
        heads.append(f'<rect class="box" x="{left:g}" y="6" width="{wide:g}" height="28" rx="6"/>' + text(left + wide / 2, 25, name, bold=True))
    return WIDTH, height, "".join([*rails, *heads, *out])


def graph(source: str) -> tuple[int, int, str]:
    """What Graphviz draws, in the page's colours and letters."""
    run = subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True)
    box = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', run.stdout)
    body = re.search(r"(<g id=.*</g>)\s*</svg>", run.stdout, re.S)
    assert box and body
    drawn = re.sub(r"<!--.*?-->|<title>.*?</title>\n?| id=\"[^\"]*\"", "", body[1], flags=re.S)
    drawn = re.sub(r'<polygon fill="white" stroke="(transparent|none)"[^>]*/>', "", drawn)
    drawn = drawn.replace('stroke="black"', 'stroke="currentColor"').replace('fill="black"', 'fill="currentColor"')
    drawn = re.sub(r' font-family="[^"]*"', "", drawn)
    return round(float(box[1])), round(float(box[2])), drawn


class Picture(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        base = Path(self.env.srcdir) / "pictures" / self.arguments[0]
        self.env.note_dependency(str(base))
        kind = graph if base.with_suffix(".dot").exists() else sequence
        path = base.with_suffix(".dot" if kind is graph else ".txt")
        self.env.note_dependency(str(path))
        width, height, drawn = kind(path.read_text())
        said = " ".join(" ".join(self.content).split())
        if not said:
            raise self.error("a picture says in words what it shows")
        svg = (f'<svg role="img" aria-label="{html.escape(said)}" viewBox="0 0 {width} {height}" font-size="13" fill="currentColor" '
               f'xmlns="http://www.w3.org/2000/svg">{drawn}</svg>')
        figure = f'<figure class="picture" style="--width:{round(width * 1.2)}px">{svg}<figcaption>{html.escape(said)}</figcaption></figure>'
        return [nodes.raw("", figure, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
