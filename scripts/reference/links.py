"""Where a name is described, and prose with its names linked."""

import html
import re
from collections.abc import Callable

import comment
from interface import Item, Section

DRAFT = "https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/"
PROSE = re.compile(
    r"`(?P<code>[^`]+)`|(?P<rfc>RFC (?P<number>\d+(?:bis)?)(?:, sections? (?P<part>[\d.]+\d|\d))?)|\bsection (?P<section>\d+)\b"
    r"|(?P<call>\b(?!tuile)[a-z]\w*\(\))|\b(?P<name>(?:TUILE|tuile)_\w+)\b|(?<![\w*])(?P<pointer>\*\*?[a-z]\w*)|(?<!\w)'(?P<quoted>[^'\s]+|<[^']+>)'(?!\w)"
    r"|(?P<snake>(?<![\w/-])(?:_[a-z]+(?:_[a-z0-9]+)*|[a-z]+(?:_[a-z0-9]+)+|[A-Z]+(?:_[A-Z]+)+))\b|\b(?P<null>NULL|SIZE_MAX)\b")


def page_of(section: Section) -> str:
    """The file name of a section's page."""
    kind = {"tuile.h": "c", "tuile/types.h": "types", "tuile_http.h": "c"}.get(section.header, "cpp")
    return f"{kind}-{section.slug}.html"


def anchor(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name.replace("::", ".").replace("operator", "operator-")).strip("-")


class Links:
    """Every name of the C interface, and C++'s classes, with its page and anchor."""

    def __init__(self, sections: list[Section]) -> None:
        self.names: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.numbers = {s.number: page_of(s) for s in sections if s.number}
        self.statuses: dict[str, str] = {}
        for section in sections:
            for item in section.items:
                known = self.classes if section.header.endswith(".hpp") else self.names
                if known is self.names or item.kind in ("class", "struct"):
                    known[item.name] = f"{page_of(section)}#{anchor(item.name)}"
                self.add_values(item, page_of(section))

    def add_values(self, item: Item, page: str) -> None:
        for value in item.members:
            if value.kind == "enumvalue":
                self.names[value.name] = f"{page}#{value.name}"
                if item.name == "tuile_status":
                    self.statuses[value.name] = " ".join(value.text)

    def code(self, text: str, bold: str = "") -> str:
        """A declaration, its types linked and the name that it declares bold."""

        def word(match: re.Match[str]) -> str:
            name = match[0]
            if name == bold:
                return f"<b>{html.escape(name)}</b>"
            href = self.names.get(name) or (self.classes.get(name) if not name.startswith("tuile") else None)
            return f'<a href="{href}">{name}</a>' if href else html.escape(name)

        return re.sub(r"operator\W+(?=\()|\w+|[<>&\"']", word, text)

    def prose(self, text: str, above: str = "") -> str:
        """A comment's paragraph as HTML. `above` is the page that "as above" speaks of."""
        if above:
            text = re.sub(r"\bas above\b", "as [above]", text)

        def piece(match: re.Match[str]) -> str:
            if match["rfc"]:
                part = f"#section-{match['part']}" if match["part"] and "bis" not in match["number"] else ""
                target = DRAFT if "bis" in match["number"] else f"https://www.rfc-editor.org/rfc/rfc{match['number']}{part}"
                return f'<a href="{target}">{match["rfc"]}</a>'
            if match["section"]:
                page = self.numbers.get(int(match["section"]))
                return f'<a href="{page}">{match[0]}</a>' if page else match[0]
            code = match["code"] or match["quoted"] or match[0]
            shown = f"<code>{html.escape(code, quote=False)}</code>"
            return f'<a href="{self.names[code]}">{shown}</a>' if code in self.names else shown

        return substituted(PROSE, text, piece).replace("[above]", f'<a href="{above}">the section says</a>')

    def unknown(self, sections: list[Section]) -> list[str]:
        """Names in comments that nothing declares."""
        mentioned = {(name, item.name) for section in sections for item in section.items for one in (item, *item.members)
                     for text in one.text for name in re.findall(r"\b(?:tuile|TUILE)_\w+\b", text)}
        return [f"{where}: {name} is not declared" for name, where in sorted(mentioned)
                if name not in self.names and name not in UNDECLARED]


# A variable of the environment, what modules export, and the name of what is no status.
UNDECLARED = {"TUILE_MODULE_PATH", "tuile_module_open", "TUILE_UNKNOWN"}


def escaped(text: str) -> str:
    return html.escape(text, quote=False)


def substituted(pattern: re.Pattern[str], text: str, piece: Callable[[re.Match[str]], str],
                rest: Callable[[str], str] = escaped) -> str:
    """`text` with what the pattern finds as `piece` makes it, all else as `rest` does."""
    out, end = [], 0
    for match in pattern.finditer(text):
        out += [rest(text[end:match.start()]), piece(match)]
        end = match.end()
    return "".join([*out, rest(text[end:])])


def summary(item: Item) -> str:
    return comment.parse(item.text).summary
