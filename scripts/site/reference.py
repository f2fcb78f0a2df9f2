"""The reference as HTML: a page for each section of a header."""

import html
import re

import comment
from guide import coloured
from interface import HEADERS, Item, Section
from layout import breakable
from links import Links, anchor, page_of, summary

Headings = list[tuple[int, str, str]]


class Reference:
    def __init__(self, links: Links) -> None:
        self.links = links

    def page(self, section: Section, title: str) -> tuple[str, Headings]:
        """(body, headings) of a section."""
        header = section.header if not section.header.endswith(".hpp") else "tuile.hpp"
        include = f"#include &lt;{'tuile.h' if header == 'tuile/types.h' else header}&gt;"
        body = [f"<h1>{html.escape(title, quote=False)}</h1>", f'<p class="include"><code>{include}</code></p>']
        if section.header not in ("tuile.h", "tuile/types.h"):
            body.append(self.lead(section.header))
        body += [f"<p>{self.links.prose(text)}</p>" for text in section.prose]
        if len(section.items) > 2:
            body.append(self.contents(section))
        headings: Headings = []
        taken: dict[str, int] = {}
        for item in section.items:
            name = self.unique(anchor(item.name), taken)
            headings.append((2, item.name, name))
            body.append(self.item(item, name, section))
        return "\n".join(body), headings

    @staticmethod
    def unique(name: str, taken: dict[str, int]) -> str:
        taken[name] = taken.get(name, 0) + 1
        return name if taken[name] == 1 else f"{name}-{taken[name]}"

    def lead(self, header: str) -> str:
        """What the comment at the top of a header says; what is indented there is code."""
        top = re.match(r"/\* \S+ - (.*?)\s*\*/", HEADERS[header].read_text(), re.DOTALL)
        assert top
        out = []
        for paragraph in re.sub(r"^ \* ?", "", top[1][0].upper() + top[1][1:], flags=re.M).split("\n\n"):
            indented = "".join(line.removeprefix("  ") for line in paragraph.splitlines(True))
            out.append(f"<pre>{coloured(indented, 'cpp')}</pre>" if paragraph.startswith("  ")
                       else f"<p>{self.links.prose(' '.join(paragraph.split()))}</p>")
        return "\n".join(out)

    def contents(self, section: Section) -> str:
        taken: dict[str, int] = {}
        rows = []
        for item in section.items:
            name = self.unique(anchor(item.name), taken)
            rows.append(f'<tr><td><a href="#{name}"><code>{html.escape(item.name)}</code></a></td>'
                        f"<td>{self.links.prose(summary(item))}</td></tr>")
        return '<table class="contents">\n' + "\n".join(rows) + "\n</table>"

    def item(self, item: Item, name: str, section: Section) -> str:
        made = comment.parse(item.text)
        above = page_of(section)
        since = f'<span class="since">since {made.since}</span>' if made.since else ""
        out = [f'<section class="item"><h2 id="{name}"><a class="self" href="#{name}">#</a>{breakable(item.name)}{since}</h2>']
        if item.code:
            out.append(f"<pre>{self.links.code(item.code, item.name)}</pre>")
        out += [f"<p>{self.links.prose(text, above)}</p>" for text in made.text]
        out.append(self.answers(made, above))
        if made.remarks:
            out.append(f"<p>{self.links.prose(made.remarks, above)}</p>")
        if made.source:
            out.append(f'<p class="source">{self.links.prose(made.source)}</p>')
        if item.kind == "enum":
            out.append(self.values(item))
        elif item.kind == "struct" and section.header == "tuile/types.h":
            out.append(self.fields(item))
        else:
            out.append(self.methods(item, name))
        return "\n".join(part for part in out if part) + "</section>"

    def answers(self, made: comment.Comment, above: str) -> str:
        """What a function returns; a status that says no more has what its own comment says."""
        rows = []
        for statuses, when in made.answers:
            if not statuses:
                word = "else" if when.startswith("else ") else "also"
                rows.append(f"<dt>{word}</dt><dd>{self.links.prose(when.removeprefix('else '), above)}</dd>")
                continue
            names = " ".join(f'<a href="{self.links.names[s]}"><code>{s}</code></a>' for s in statuses)
            if when:
                text = self.links.prose(when, above)
            else:
                own = " ".join(self.links.statuses[s] for s in statuses) if len(statuses) == 1 else ""
                text = f'<span class="own">{self.links.prose(own)}</span>'
            rows.append(f"<dt>{names}</dt><dd>{text}</dd>")
        return '<h3 class="returns">Returns</h3><dl>' + "\n".join(rows) + "</dl>" if rows else ""

    def values(self, item: Item) -> str:
        rows = [f'<dt id="{v.name}"><code>{v.name}</code> <span class="value">{html.escape(v.code)}</span></dt>'
                f"<dd>{self.links.prose(' '.join(v.text))}</dd>" for v in item.members]
        return "<dl>" + "\n".join(rows) + "</dl>"

    def fields(self, item: Item) -> str:
        rows = [f"<dt><code>{self.links.code(f.code, f.name)}</code></dt><dd>{self.links.prose(' '.join(f.text))}</dd>"
                for f in item.members]
        return '<dl class="fields">' + "\n".join(rows) + "</dl>"

    def methods(self, item: Item, owner: str) -> str:
        taken: dict[str, int] = {}
        rows = []
        for method in item.members:
            name = self.unique(f"{owner}.{anchor(method.name)}", taken)
            rows.append(f'<dt id="{name}"><code>{self.links.code(method.code, method.name)}</code></dt>'
                        f"<dd>{self.links.prose(' '.join(method.text))}</dd>")
        return '<dl class="fields">' + "\n".join(rows) + "</dl>" if rows else ""
