"""Manual pages of section 3, in mdoc: one for each function and type, and libtuile(3)."""

import re
import textwrap
from pathlib import Path

import comment
import interface
from interface import HEADERS, ROOT, Item, Section
from links import PROSE, substituted

BOLD, ITALIC, ROMAN = r"\fB", r"\fI", r"\fR"


def escaped(text: str) -> str:
    return re.sub(r"[^\x00-\x7f]", lambda m: f"\\[u{ord(m[0]):04X}]", text.replace("\\", "\\e"))


def code(text: str) -> str:
    return escaped(text).replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")


def quoted(text: str) -> str:
    """An argument of a macro."""
    return f'"{code(text)}"'


def prose(text: str) -> str:
    """A paragraph, every sentence on lines of its own, as mdoc wants it."""

    def marked(match: re.Match[str]) -> str:
        if match["rfc"]:
            return match[0]
        if match["section"]:
            return f"{match[0]} of libtuile(3)"
        shown = match["code"] or match["quoted"] or match[0]
        # Parameters and fields are italic. No hyphen at a line's end: it would read as part of the name.
        font = ITALIC if re.fullmatch(r"\**[a-z_]+", shown) and not shown.startswith("tuile_") else BOLD
        return f"{font}\\%{code(shown)}{ROMAN}"

    lines = []
    for sentence in comment.sentences(text):
        said = substituted(PROSE, sentence, marked, escaped)
        lines += textwrap.wrap(said, 78, break_long_words=False, break_on_hyphens=False)
    return "\n".join(re.sub(r"^(?=[.'])", r"\\&", line) for line in lines)


def paragraphs(texts: list[str]) -> str:
    return "\n.Pp\n".join(prose(text) for text in texts)


def literal(text: str) -> str:
    return ".Bd -literal\n" + "\n".join(re.sub(r"^(?=[.'])", r"\\&", code(line)) for line in text.split("\n")) + "\n.Ed"


def listed(rows: list[tuple[str, str]]) -> str:
    return ".Bl -tag -width Ds\n" + "\n".join(f".It {head}\n{text}".rstrip() for head, text in rows) + "\n.El"


def definition(item: Item) -> str:
    """A type as the header has it, without the comments inside."""
    text = re.sub(r"[ \t]*/\*.*?\*/", "", "\n".join(HEADERS[item.header].read_text().split("\n")[item.line - 1:]), flags=re.DOTALL)
    end = re.search(r"^\} \w+;|;$" if item.kind == "typedef" else r"^\} \w+;", text, re.M)
    assert end, item.name
    return re.sub(r"\n(\s*\n)+", "\n", text[:end.end()])


class Manual:
    def __init__(self, sections: list[Section]) -> None:
        self.sections = [s for s in sections if s.header in ("tuile.h", "tuile/types.h")]
        # Macros have no page of their own: libtuile(3) has them.
        self.pages = {item.name: (item, section) for section in self.sections for item in section.items if item.kind != "define"}
        self.macros = {item.name: item for section in self.sections for item in section.items if item.kind == "define"}
        self.constants = {value.name: (item.name, " ".join(value.text)) for section in self.sections for item in section.items
                          for value in item.members if value.kind == "enumvalue"}
        self.version = (ROOT / "VERSION").read_text().strip()
        command = (ROOT / "bindings/c/tool/tuile.1").read_text()
        date = re.search(r"^\.Dd .*", command, re.M)
        assert date
        self.date = date[0]

    def head(self, name: str, summary: str) -> list[str]:
        # In a page's name nothing but text may stand.
        summary = summary.replace("`", "").rstrip("?:")
        said = escaped(summary[0].lower() + summary[1:] if re.match(r"[A-Z][a-z]", summary) else summary)
        return [self.date, f".Dt {name.upper()} 3", f".Os Tuile {self.version}", ".Sh NAME", f".Nm {name}", f".Nd {said}",
                ".Sh LIBRARY", "libtuile (\\-ltuile)", ".Sh SYNOPSIS", ".In tuile.h"]

    def see_also(self, name: str, texts: list[str]) -> str:
        """What a page speaks of: functions, types, and the types of constants."""
        words = re.findall(r"\b(?:tuile|TUILE)_\w+", " ".join(texts))
        found = {self.constants[w][0] if w in self.constants else w for w in words}
        # Every other page is about a status, an error or bytes.
        shown = sorted((found & self.pages.keys()) - {name} - {"tuile_status", "tuile_error", "tuile_bytes"})
        rows = [f".Xr {one} 3" for one in ["libtuile", *shown]]
        return ".Sh SEE ALSO\n" + " ,\n".join(rows)

    def answers(self, made: comment.Comment) -> str:
        rows = []
        for statuses, when in made.answers:
            if statuses:
                own = self.constants[statuses[0]][1] if len(statuses) == 1 else ""
                rows.append((" , ".join(f"Dv {s}" for s in statuses), prose(when or own)))
            else:
                word = "else" if when.startswith("else ") else "also"
                rows.append((word, prose(when.removeprefix("else "))))
        return listed(rows)

    def function(self, item: Item, section: Section) -> str:
        made = comment.parse(item.text)
        declared = re.match(r"(.+?)(\w+)\((.*)\);?$", " ".join(item.code.split()))
        assert declared
        out = self.head(item.name, made.summary)
        out += [f".Ft {quoted(declared[1].strip())}", f".Fo {item.name}"]
        out += [f".Fa {quoted(a.strip())}" for a in declared[3].split(",") if a != "void"] + [".Fc"]
        out += [".Sh DESCRIPTION", paragraphs([*made.text, made.remarks] if made.remarks else made.text)]
        # A section may have nothing to say but its functions.
        if section.prose:
            out += [f".Ss {section.title}", paragraphs(section.prose)]
        if made.answers:
            out += [".Sh RETURN VALUES", self.answers(made)]
        out.append(self.see_also(item.name, [item.code, *item.text]))
        if made.source:
            out += [".Sh STANDARDS", escaped(made.source) + "."]
        out += [".Sh HISTORY", f".Fn {item.name}", f"is there since Tuile {made.since}."]
        return "\n".join(out)

    def type(self, item: Item) -> str:
        made = comment.parse(item.text)
        text = definition(item)
        out = [*self.head(item.name, made.summary), literal(text), ".Sh DESCRIPTION", paragraphs(made.text)]
        preset = f"{item.name.upper()}_INIT"
        if preset in self.macros:
            out += [".Pp", f".Dv {preset}", prose(self.macros[preset].text[0][0].lower() + self.macros[preset].text[0][1:])]
        if item.members:
            out.append(listed([(f"Dv {m.name} {code(m.code)}" if item.kind == "enum" else f"Vt {quoted(m.code)}",
                                prose(" ".join(m.text))) for m in item.members]))
        spoken = [text, *item.text, *(t for m in item.members for t in m.text)]
        used = [other.name for other, _ in self.pages.values() if re.search(rf"\b{item.name}\b", other.code)]
        return "\n".join([*out, self.see_also(item.name, [*spoken, *used])])

    def overview(self) -> str:
        """libtuile(3): what holds for every function, and all of them by section."""
        out = [*self.head("libtuile", "cookies, signing and sessions for any web server"), ".Pp",
               "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs tuile)", ".Sh DESCRIPTION",
               "What holds for every function:", ".Bl -bullet"]
        out += [f".It\n{prose(rule)}" for rule in interface.introduction()] + [".El"]
        for section in self.sections:
            title = f"{section.number}. {section.title}" if section.number else f"Types: {section.title[0].lower()}{section.title[1:]}"
            rows = [(f"Xr {item.name} 3" if item.name in self.pages else f"Dv {quoted(item.code.removeprefix('#define '))}",
                     prose(comment.parse(item.text).summary)) for item in section.items]
            out += [f".Ss {title}", *([paragraphs(section.prose)] if section.prose else []), listed(rows)]
        return "\n".join([*out, ".Sh SEE ALSO", ".Xr tuile 1"])


def write(folder: Path) -> int:
    """Writes all pages and says how many."""
    manual = Manual(interface.read())
    folder.mkdir(parents=True, exist_ok=True)
    # Other pages may be there, too.
    for old in folder.glob("tuile_*.3"):
        old.unlink()
    for name, (item, section) in manual.pages.items():
        text = manual.function(item, section) if item.kind == "function" else manual.type(item)
        (folder / f"{name}.3").write_text(text + "\n")
    (folder / "libtuile.3").write_text(manual.overview() + "\n")
    return len(manual.pages) + 1
