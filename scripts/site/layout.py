"""What every page has around its text: navigation, search, the way on."""

import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class Page:
    file: str
    title: str
    body: str
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    group: str = ""
    short: str = ""  # its name in the navigation

    @property
    def label(self) -> str:
        return html.escape(self.short or self.title, quote=False)


def breakable(text: str) -> str:
    """Text in which a line may end behind an underscore or a pair of colons."""
    return re.sub(r"(_|::)(?=\w)", r"\1<wbr>", html.escape(text, quote=False))


def navigation(pages: list[Page], here: Page) -> str:
    out, group = [], ""
    for page in pages:
        if page.group != group:
            group = page.group
            out.append(f"{'</ul>' if out else ''}<h2>{group}</h2><ul>")
        current = ' aria-current="page"' if page is here else ""
        out.append(f'<li><a href="{page.file}"{current}>{page.label}</a></li>')
    return "".join(out) + "</ul>"


def on_this_page(page: Page) -> str:
    shown = [h for h in page.headings if h[0] in (2, 3)]
    if len(shown) < 2:
        return ""
    rows = "".join(f'<li class="level{level}"><a href="#{anchor}">{breakable(text)}</a></li>' for level, text, anchor in shown)
    return f'<aside class="toc"><h2>On this page</h2><ul>{rows}</ul></aside>'


def way_on(pages: list[Page], here: Page) -> str:
    if here not in pages:
        return ""
    at = pages.index(here)
    before = f'<a rel="prev" href="{pages[at - 1].file}"><small>{pages[at - 1].group}</small>{pages[at - 1].label}</a>' if at else "<span></span>"
    after = f'<a rel="next" href="{pages[at + 1].file}"><small>{pages[at + 1].group}</small>{pages[at + 1].label}</a>' if at + 1 < len(pages) else ""
    return f'<nav class="way" aria-label="Previous and next page">{before}{after}</nav>'


def whole(page: Page, pages: list[Page], version: str) -> str:
    title = "Tuile" if page.file == "index.html" else f"{page.title} · Tuile"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title, quote=False)}</title>
<link rel="icon" href="tuile.svg">
<link rel="stylesheet" href="style.css">
</head>
<body class="{'front' if page.file == 'index.html' else 'inner'}">
<a class="skip" href="#text">To the text</a>
<input type="checkbox" id="menu" autocomplete="off" aria-label="Show the list of pages">
<header class="bar"><label for="menu" title="Pages"><span></span></label>
<a class="home" href="index.html"><img src="tuile.svg" alt="" width="26" height="26">Tuile <small>{version}</small></a>
<search hidden><input type="search" id="search" placeholder="Search" aria-label="Search" autocomplete="off" spellcheck="false"><ol id="found"></ol></search></header>
<div class="frame">
<nav class="side" aria-label="Pages">{navigation(pages, page)}</nav>
<main id="text">
{page.body}
{way_on(pages, page)}
</main>
{on_this_page(page)}
</div>
<script src="index.js" defer></script>
<script src="search.js" defer></script>
</body>
</html>
"""


def index(pages: list[Page], names: list[tuple[str, str, str]]) -> str:
    """What search looks in: [name, what it is, address]."""
    rows = [[p.title, p.group, p.file] for p in pages]
    rows += [[text, p.title, f"{p.file}#{anchor}"] for p in pages if not p.group.startswith(("C ", "C++", "Types"))
             for level, text, anchor in p.headings]
    rows += [list(name) for name in names]
    return "const pages = " + json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + ";\n"
