"""The Markdown pages as HTML: code coloured, names and files linked to their pages."""

import html
import re
import sys
from pathlib import Path

from links import Links
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

FORMATTER = HtmlFormatter(nowrap=True)


def coloured(code: str, language: str) -> str:
    return highlight(code, get_lexer_by_name(language, stripnl=False), FORMATTER)


def slug(heading: str, taken: set[str]) -> str:
    """A heading's anchor, as forges make it."""
    name = re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
    unique, count = name, 0
    while unique in taken:
        count += 1
        unique = f"{name}-{count}"
    taken.add(unique)
    return unique


class Guide:
    """Renders pages; `pages` has each linked file's page."""

    def __init__(self, links: Links, pages: dict[Path, str]) -> None:
        self.links, self.pages = links, pages
        self.markdown = MarkdownIt("commonmark").enable("table")
        for rule in ("heading_open", "link_open", "code_inline", "fence", "code_block", "table_open", "table_close"):
            self.markdown.add_render_rule(rule, getattr(type(self), rule))

    def page(self, path: Path, text: str | None = None) -> tuple[str, str, list[tuple[int, str, str]]]:
        """(title, body, headings) of a page; a heading is (level, text, anchor)."""
        tokens = self.markdown.parse(path.read_text() if text is None else text)
        headings: list[tuple[int, str, str]] = []
        taken: set[str] = set()
        for before, token in zip(tokens, tokens[1:]):
            if before.type == "heading_open":
                plain = "".join(child.content for child in token.children or [])
                headings.append((int(before.tag[1]), plain, slug(plain, taken)))
                before.meta = {"anchor": headings[-1][2]}
            linked = False
            for child in token.children or []:
                linked = child.type == "link_open" or (linked and child.type != "link_close")
                if child.type == "link_open":
                    child.attrSet("href", self.target(path, str(child.attrGet("href"))))
                elif child.type == "code_inline" and not linked and before.type != "heading_open":
                    child.meta = {"href": self.links.names.get(child.content.removesuffix("()"))}
        body = self.markdown.renderer.render(tokens, self.markdown.options, {})
        return headings[0][1], body, headings[1:]

    def target(self, path: Path, href: str) -> str:
        """A link of a Markdown file as the site has it."""
        if re.match(r"https?://|#", href):
            return href
        file, _, fragment = href.partition("#")
        if fragment in self.links.names:
            return self.links.names[fragment]
        page = self.pages.get((path.parent / file).resolve())
        if page is None:
            sys.exit(f"{path.name}: {href} has no page")
        return page + (f"#{fragment}" if fragment else "")

    # markdown-it's rules of rendering; it passes its renderer first.

    @staticmethod
    def heading_open(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        token = tokens[index]
        name = token.meta["anchor"]
        return f'<{token.tag} id="{name}"><a class="self" href="#{name}">#</a>' if token.tag != "h1" else "<h1>"

    @staticmethod
    def link_open(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        return f'<a href="{html.escape(tokens[index].attrGet("href"))}">'

    @staticmethod
    def code_inline(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        shown = f"<code>{html.escape(tokens[index].content, quote=False)}</code>"
        href = tokens[index].meta.get("href")
        return f'<a href="{href}">{shown}</a>' if href else shown

    @staticmethod
    def fence(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        token = tokens[index]
        return f"<pre>{coloured(token.content, token.info.strip() or 'text')}</pre>\n"

    @staticmethod
    def code_block(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        return f"<pre>{html.escape(tokens[index].content, quote=False)}</pre>\n"

    @staticmethod
    def table_open(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        return '<div class="wide"><table>\n'

    @staticmethod
    def table_close(renderer, tokens, index, options, env):  # type: ignore[no-untyped-def]
        return "</table></div>\n"
