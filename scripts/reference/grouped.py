"""Copies of the headers that speak Doxygen's commands, for Breathe.

The headers' comments are prose that C programmers read as it stands. Here their statuses become lists, their
names links, "Since" Doxygen's command; each numbered section becomes a group, which is a page of the site.
"""

import re
import subprocess
import sys
from pathlib import Path

import comment
import interface
from interface import CPP, HEADERS, Section
from links import DRAFT, PROSE, UNDECLARED, substituted

SETTINGS = interface.SETTINGS.replace("WARN_AS_ERROR = FAIL_ON_WARNINGS", "WARN_AS_ERROR = NO\nWARNINGS = NO") + "SHOW_INCLUDE_FILES = NO\n"


def group(section: Section) -> str:
    """The name of a section's group, and of its page."""
    kind = {"tuile.h": "c", "tuile/types.h": "types", "tuile_http.h": "c"}.get(section.header, "cpp")
    return f"{kind}-{section.slug}"


def escaped(text: str) -> str:
    return re.sub(r'--+|::|[\\@&$#<>%"]', lambda m: "\\" + m[0], text)


class Writer:
    def __init__(self, sections: list[Section]) -> None:
        self.sections = sections
        self.names: dict[str, str] = {}
        for section in sections:
            for item in section.items:
                if not section.header.endswith(".hpp"):
                    self.names[item.name] = group(section)
                    for value in item.members:
                        if value.kind == "enumvalue":
                            self.names[value.name] = group(section)
        self.numbers = {s.number: group(s) for s in sections if s.number}
        self.better = interface.marked()

    def unknown(self) -> list[str]:
        """Names in comments that nothing declares."""
        mentioned = {(name, item.name) for s in self.sections for item in s.items for one in (item, *item.members)
                     for text in one.text for name in re.findall(r"\b(?:tuile|TUILE)_\w+\b", text)}
        return [f"{where}: {name} is not declared" for name, where in sorted(mentioned)
                if name not in self.names and name not in UNDECLARED]

    def prose(self, text: str) -> str:
        def piece(match: re.Match[str]) -> str:
            if match["rfc"]:
                part = f"#section-{match['part']}" if match["part"] and "bis" not in match["number"] else ""
                target = DRAFT if "bis" in match["number"] else f"https://www.rfc-editor.org/rfc/rfc{match['number']}{part}"
                return f'<a href="{target}">{match["rfc"]}</a>'
            if match["section"]:
                return match[0]
            # Sphinx makes links of those that are names.
            return f"<tt>{escaped(match['code'] or match['quoted'] or match[0])}</tt>"

        return substituted(PROSE, text, piece, escaped)

    def markdown(self, text: str) -> str:
        """A section's own paragraph, as a page has it."""

        def piece(match: re.Match[str]) -> str:
            if match["section"] and int(match["section"]) in self.numbers:
                return f"[{match[0]}]({self.numbers[int(match['section'])]}.md)"
            if match["rfc"] or match["section"]:
                return match[0]
            return f"`{match['code'] or match['quoted'] or match[0]}`"

        return substituted(PROSE, text, piece, lambda t: re.sub(r"([*_<\[\]])", r"\\\1", t).replace("://", ":\\//"))

    def answers(self, made: comment.Comment) -> list[str]:
        if not made.answers:
            return []
        rows = []
        for statuses, when in made.answers:
            heads = ", ".join(f"<tt>{name}</tt>" for name in statuses)
            rows.append(f"<li>{heads}{': ' if heads and when else ''}{self.prose(when)}</li>")
        return ["\\par Returns\n<ul>" + "".join(rows) + "</ul>", *([self.prose(made.remarks)] if made.remarks else [])]

    def documented(self, match: re.Match[str]) -> str:
        """One comment, in Doxygen's commands."""
        mark, body = match[1], match[2]
        text = re.sub(r"^[ \t]*\* ?", "", body, flags=re.M).strip()
        paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", text)]
        paragraphs = self.better.get(interface.letters(paragraphs), paragraphs)
        made = comment.parse(paragraphs)
        out = [self.prose(p) for p in made.text] + self.answers(made)
        if made.source:
            out.append("\\par Source\n" + self.prose(made.source))
        if made.since:
            out.append(f"\\since {made.since}")
        said = "\n\n".join(out)
        return f"{mark} {said} */"

    def header(self, name: str) -> str:
        source = HEADERS[name].read_text()
        if name.endswith(".hpp"):
            source = interface.wrappers_documented(source)
        source = re.sub(r"(/\*\*<?)(.*?)\*/", self.documented, source, flags=re.DOTALL)
        return self.grouped(name, source)

    def grouped(self, name: str, source: str) -> str:
        """The header with its sections as groups."""
        sections = [s for s in self.sections if s.header == name]
        if not sections:
            return source
        if name.endswith(".hpp"):  # inside the namespace
            start = f"\\1/** \\\\defgroup {group(sections[0])} {sections[0].title}\n \\\\{{ */\n"
            source = re.sub(r"(inline namespace TUILE_ERRORS \{\n)", start, source)
            end = "}  // namespace TUILE_ERRORS"
            return source.replace(end, "/** \\} */\n" + end) + f"/** \\file {name}\n{name} */\n"
        pieces = re.split(r"(?m)^(?=/\* =+\n \* \d+\. |/\* -{3,} .+ -- \*/)", source)
        if len(pieces) > len(sections):  # what stands above the first section is the first's
            pieces[0:2] = ["".join(pieces[0:2])]
        assert len(pieces) == len(sections), (name, len(pieces), len(sections))
        out = []
        for section, piece in zip(sections, pieces):
            start, end = f"/** \\defgroup {group(section)} {section.title}\n \\{{ */\n", "\n/** \\} */\n"
            lines = piece.split("\n")
            # Not around the guards and includes, which are the same in every file.
            begin = next((i for i, line in enumerate(lines) if line.startswith(("/**", "namespace", "#define TUILE_VERSION"))), 0)
            out.append("\n".join([*lines[:begin], start, *lines[begin:]]) + end)
        return "".join(out) + f"/** \\file {name}\n{name} */\n"


def write(folder: Path) -> Writer:
    """Doxygen's XML for Breathe, in FOLDER/xml."""
    writer = Writer(interface.read())
    if unknown := writer.unknown():
        sys.exit("\n".join(unknown))
    for name in HEADERS:
        copy = folder / "headers" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(writer.header(name))
    run = subprocess.run(["doxygen", "-"], input=SETTINGS + f"OUTPUT_DIRECTORY = {folder}\n", cwd=folder / "headers",
                         stderr=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(run.stderr.rstrip() or f"doxygen ended with {run.returncode}")
    return writer
