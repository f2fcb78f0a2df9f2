"""What the headers declare, read by Doxygen.

Their comments are prose, not Doxygen's commands: copies in which every special
character is escaped are what it reads, and its warnings are errors.
"""

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP = {"answer": "Answers", "cookies": "Cookies", "signing": "Signing", "sessions": "Sessions", "state": "State without cookies",
       "queue": "Coroutines"}
HEADERS = {
    "tuile.h": ROOT / "include/tuile.h",
    "tuile/types.h": ROOT / "include/tuile/types.h",
    "tuile.hpp": ROOT / "bindings/c/tuile.hpp",
    "tuile_http.h": ROOT / "bindings/c/tuile_http.h",
    **{f"tuile/{part}.hpp": ROOT / f"bindings/c/tuile/{part}.hpp" for part in CPP},
}
# In the C++ headers what throws is described, and nothing of the namespace `detail`.
SETTINGS = """
PROJECT_NAME = tuile
INPUT = .
RECURSIVE = YES
FILE_PATTERNS = *.h *.hpp
EXCLUDE_SYMBOLS = tuile::*detail *::iterator TUILE_LOOK_AT_IT TUILE_ERRORS TUILE_COMPOUND_
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
AUTOLINK_SUPPORT = NO
MARKDOWN_SUPPORT = NO
TYPEDEF_HIDES_STRUCT = YES
SORT_MEMBER_DOCS = NO
EXTRACT_STATIC = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = TUILE_ERRORS=thrown TUILE_LOOK_AT_IT= TUILE_MUST_CHECK= TUILE_NONNULL(...)= __cplusplus=201703 __cpp_exceptions __cpp_impl_coroutine MHD_VERSION _FCGIAPP_H
QUIET = YES
WARN_AS_ERROR = FAIL_ON_WARNINGS
WARN_FORMAT = "$file:$line: $text"
"""


@dataclass
class Item:
    """One declaration. Text is the comment's paragraphs."""

    kind: str
    name: str
    header: str
    line: int
    text: list[str]
    code: str
    members: list["Item"] = field(default_factory=list)
    section: str = ""


@dataclass
class Section:
    title: str
    header: str
    line: int
    number: int = 0
    prose: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower().replace("'", "")).strip("-")


def escaped(source: str) -> str:
    """A header whose comments say to Doxygen what they say to a reader."""

    def comment(match: re.Match[str]) -> str:
        return match[1] + re.sub(r'--+|::|[\\@&$#<>%"]', lambda m: "\\" + m[0], match[2]) + match[3]

    return re.sub(r"(/\*\*<?)(.*?)(\*/)", comment, source, flags=re.DOTALL)


def wrappers_documented(source: str) -> str:
    """A C++ header in which a method that is one C function of its name says so."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        method = re.match(r"  (?!static|return)\w.*? (\w+)\(.*\{", line)
        if method and not lines[number - 1].endswith(("*/", ">")):
            body = "\n".join(lines[number:number + 4]).split("\n  }\n")[0]
            if called := re.search(rf"\btuile_\w+_{method[1]}\b", body):
                lines[number] = f"  /** {called[0]} */{line}"
    return "\n".join(lines)


def doxygen(folder: Path) -> list[ET.Element]:
    """Doxygen's XML of all headers, with `folder` to work in."""
    for name, path in HEADERS.items():
        copy = folder / "in" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        # Functions and macros count, and must be documented, where their file is.
        copy.write_text(escaped(wrappers_documented(text) if name.endswith(".hpp") else text) + f"/** \\file {name}\n{name} */\n")
    run = subprocess.run(["doxygen", "-"], input=SETTINGS + f"OUTPUT_DIRECTORY = {folder}\n", cwd=folder / "in",
                         stderr=subprocess.PIPE, text=True)
    if run.returncode or run.stderr:
        sys.exit(run.stderr.replace(f"{folder}/in/", "").rstrip() or f"doxygen ended with {run.returncode}")
    return [ET.parse(path).getroot()[0] for path in sorted((folder / "xml").glob("*.xml"))
            if path.name.startswith(("struct", "class", "namespacetuile", "tuile", "types", "answer", "union")) or "_8h" in path.name]


def plain(element: ET.Element | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def paragraphs(element: ET.Element) -> list[str]:
    found = []
    for place in ("briefdescription", "detaileddescription", "inbodydescription"):
        found += [plain(p) for p in element.findall(f"{place}/para")]
    return [text for text in found if text]


def tidy(code: str) -> str:
    """Doxygen's spelling of a declaration as the project writes it."""
    code = re.sub(r"\btuile::(thrown::)?", "", code)
    code = re.sub(r"\bAnswer(?= \w+\()", "Answer<>", code)
    code = re.sub(r"\s*([*&]+)\s*", r" \1", code).replace("( ", "(").replace("< ", "<").replace(" >", ">")
    return re.sub(r"\s+", " ", code).strip()


def template(element: ET.Element) -> str:
    parameters = []
    for parameter in element.findall("templateparamlist/param"):
        default = plain(parameter.find("defval"))
        parameters.append(f"{plain(parameter.find('type'))}" + (f" = {default}" if default else ""))
    return f"template <{', '.join(parameters)}>\n" if parameters else ""


def source_of(header: str, line: int, end: str) -> str:
    """The header's own text from a line to the first `end`."""
    text = "\n".join(HEADERS[header].read_text().split("\n")[line - 1:])
    return text[:text.index(end) + len(end)]


def marked() -> dict[str, list[str]]:
    """The comments that tuile.h is written from, by the letters in them: there every parameter is marked as code."""
    found = {}
    for path in (ROOT / "Sources/Tuile/Exports").glob("*.swift"):
        for comment in re.findall(r"((?:^///.*\n)+)@_cdecl", path.read_text(), re.M):
            texts = [" ".join(p.split()) for p in re.sub(r"^/// ?", "", comment, flags=re.M).split("\n\n")]
            found[letters(texts)] = texts
    return found


def letters(texts: list[str]) -> str:
    return re.sub(r"[\s`']", "", "".join(texts))


def item_of(member: ET.Element) -> Item:
    kind, name = member.get("kind", ""), member.findtext("name", "")
    place = member.find("location")
    assert place is not None
    header, line = place.get("file", ""), int(place.get("line", 0))
    code = ""
    if kind == "function" and header == "tuile.h":
        code = source_of(header, line, ";")
    elif kind == "function":
        code = tidy(f"{plain(member.find('type'))} {name}{member.findtext('argsstring')}")
        code = template(member) + re.sub(r"^(static |inline )+", "", code)
        code = ("static " if member.get("static") == "yes" and header.startswith("tuile/") else "") + code
    elif kind == "define":
        parameters = [p.findtext("defname", "") for p in member.findall("param")]
        value = plain(member.find("initializer"))
        code = f"#define {name}" + (f"({', '.join(parameters)})" if parameters else "") + (f" {value}" if "{" not in value else "")
    elif kind == "typedef":
        code = source_of(header, line, ";")
    elif kind == "variable":
        code = tidy(f"{plain(member.find('type'))} {name}{member.findtext('argsstring')}")
        code = re.sub(rf"\(\*\) ?{name}|\( ?\*{name}\)", f"(*{name})", code)
        if ")(" in code and f"(*{name})" not in code:
            code = code.replace("(*", f"(*{name}", 1).removesuffix(f" {name}")
    made = Item(kind, name, header, line, paragraphs(member), code)
    for value in member.findall("enumvalue"):
        made.members.append(Item("enumvalue", value.findtext("name", ""), header, line, paragraphs(value),
                                 value.findtext("initializer", "")))
    return made


def public_members(compound: ET.Element) -> list[Item]:
    found = [item_of(m) for s in compound.findall("sectiondef")
             if s.get("kind", "").startswith("public") or s.get("kind") == "user-defined"
             for m in s.findall("memberdef") if m.get("prot") == "public"]
    return sorted(found, key=lambda item: item.line)


def items() -> list[Item]:
    """Every declaration, in the order of the headers."""
    found: dict[tuple[str, int, str], Item] = {}
    better = marked()
    with tempfile.TemporaryDirectory() as folder:
        for compound in doxygen(Path(folder)):
            kind = compound.get("kind", "")
            place = compound.find("location")
            if kind in ("struct", "class") and place is not None:
                name = tidy(compound.findtext("compoundname", ""))
                header, line = place.get("file", ""), int(place.get("line", 0))
                code = template(compound) + f"{kind} {name.split('::')[-1]}" if header.endswith(".hpp") else ""
                made = Item(kind, name, header, line, paragraphs(compound), code)
                made.members = public_members(compound)
                found[made.header, made.line, name] = made
            elif kind in ("file", "namespace"):
                for member in compound.findall("sectiondef/memberdef"):
                    made = item_of(member)
                    made.text = better.get(letters(made.text), made.text)
                    if made.text:
                        found.setdefault((made.header, made.line, made.name), made)
    return [found[key] for key in sorted(found)]


def sections_of(header: str) -> list[Section]:
    """Where a C header begins something new."""
    text = HEADERS[header].read_text()
    found = []
    for head in re.finditer(r"^/\* =+\n \* (\d+)\. (.+)\n((?: \*.*\n)*?) \* =+ \*/", text, re.M):
        prose = re.sub(r"^ \* ?", "", head[3], flags=re.M).strip()
        found.append(Section(head[2], header, text.count("\n", 0, head.start()) + 1, int(head[1]),
                             [" ".join(p.split()) for p in prose.split("\n\n")]))
    for head in re.finditer(r"^/\* -{3,} (.+) -- \*/", text, re.M):
        found.append(Section(head[1].capitalize(), header, text.count("\n", 0, head.start()) + 1))
    return found


def introduction() -> list[str]:
    """The rules that hold for every function, from the top of tuile.h."""
    rules = re.search(r" \* Rules that hold.*\n((?: \* .*\n)+)", HEADERS["tuile.h"].read_text())
    assert rules
    text = re.sub(r"^ \* ", "", rules[1], flags=re.M)
    return [" ".join(rule.split()) for rule in re.split(r"^- ", text, flags=re.M) if rule]


def read() -> list[Section]:
    """All sections with what they declare: functions, types, C++ and servers."""
    functions = sections_of("tuile.h")
    functions[0].line = 0  # the version's macros stand above it
    types = [Section("Basics", "tuile/types.h", 0), *sections_of("tuile/types.h")]
    parts = [Section(title, f"tuile/{part}.hpp", 0) for part, title in CPP.items()]
    http = [Section("Servers", "tuile_http.h", 0)]
    every = [*functions, *types, *parts, *http]
    for item in items():
        homes = [s for s in every if s.header == item.header and s.line <= item.line]
        if homes:
            homes[-1].items.append(item)
    return every
