"""The folder that Sphinx reads: the pages of docs/, the project's files beside it, and pages for the headers."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grouped
import tables
from grouped import group
from interface import HEADERS, ROOT, Section

# Files of the project that are pages of the site, too.
FILES = {"CONTRIBUTING.md": "contributing", "SECURITY.md": "reporting", "CHANGELOG.md": "changes", "bench/README.md": "measurements"}
TITLES = {"tuile.h": "{number}. {title}", "tuile/types.h": "Types: {lower}", "tuile_http.h": "C servers: tuile_http.h"}


def examples() -> list[Path]:
    folder = ROOT / "bindings/c/examples"
    return [*sorted(path for path in folder.glob("*.*") if path.suffix in (".c", ".cc", ".h")), *sorted(folder.glob("tutorial/*.[ch]"))]


class Sources:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tables.check()
        shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.writer = grouped.write(folder.parent / "doxygen")
        self.pages = {ROOT / name: page for name, page in FILES.items()} | {ROOT / "README.md": "index"}
        self.pages |= {path: path.stem for path in (ROOT / "docs").glob("*.md")}
        self.pages |= {path: f"example-{path.name.replace('.', '-')}" for path in examples()}
        self.pages |= {ROOT / "include/tuile.h": "c-api", ROOT / "include/tuile/types.h": "types-basics", HEADERS["tuile_http.h"]: "c-servers",
                       HEADERS["tuile.hpp"]: "cpp"}

    def target(self, source: Path, href: str) -> str:
        """A link of a page as Sphinx reads it."""
        file, _, anchor = href.partition("#")
        if re.match(r"\w+:", href) or not file:
            return href
        if anchor in self.writer.names:
            return f"{self.writer.names[anchor]}.md#c.{anchor}"
        page = self.pages.get((source.parent / file).resolve())
        if page is None and file.endswith(".json") and (source.parent / file).exists():
            return href
        if page is None:
            sys.exit(f"{source.relative_to(ROOT)}: {href} has no page")
        return f"{page}.md" + (f"#{anchor}" if anchor else "")

    def linked(self, source: Path, text: str) -> str:
        def link(match: re.Match[str]) -> str:
            target = self.target(source, match[2])
            # What the headers declare has its place in another page's HTML: Sphinx finds it by its name.
            if "#c." in target and re.fullmatch(r"\[`\w+(\(\))?`\]", match[1]):
                return match[1][1:-1]
            return f"{match[1]}({target})"

        parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
        parts[::2] = [re.sub(r"(\[[^\]]*\])\(([^)\s]+)\)", link, part) for part in parts[::2]]
        return "".join(parts)

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.md").write_text(text)

    def title(self, section: Section) -> str:
        form = TITLES.get(section.header, "C++: {lower}")
        return form.format(number=section.number, title=section.title, lower=section.title[0].lower() + section.title[1:])

    def reference(self) -> list[str]:
        """A page for each section of each header."""
        made = []
        for section in self.writer.sections:
            prose = "\n\n".join(map(self.writer.markdown, section.prose))
            include = {"tuile/types.h": "tuile.h"}.get(section.header, "tuile.hpp" if section.header.endswith(".hpp") else section.header)
            self.write(group(section), f"# {self.title(section)}\n\n`#include <{include}>`\n\n{prose}\n\n"
                       f"```{{eval-rst}}\n.. doxygengroup:: {group(section)}\n   :content-only:\n   :members:\n```\n")
            made.append(group(section))
        return made

    def lead(self, header: str) -> str:
        """What the comment at the top of a header says; what is indented there is code."""
        top = re.match(r"/\* \S+ - (.*?)\s*\*/", HEADERS[header].read_text(), re.DOTALL)
        assert top
        out = []
        for paragraph in re.sub(r"^ \* ?", "", top[1][0].upper() + top[1][1:], flags=re.M).split("\n\n"):
            code = "".join(line.removeprefix("  ") for line in paragraph.splitlines(True))
            out.append(f"```cpp\n{code}\n```" if paragraph.startswith("  ") else paragraph.replace("<", "\\<"))
        return "\n\n".join(out)

    def all(self) -> None:
        for path in self.folder.glob("*.md"):
            text = tables.fill(path.read_text(), self.writer.sections, self.writer.markdown)
            path.write_text(self.linked(ROOT / "docs" / path.name, text))
        for name, page in FILES.items():
            text = (ROOT / name).read_text()
            if name == "CHANGELOG.md":
                text = re.sub(r"^(\w+): ", r"- **\1:** ", text, flags=re.M)
            self.write(page, self.linked(ROOT / name, text))
        reference = self.reference()
        self.write("cpp", f"# C++: tuile.hpp\n\n{self.lead('tuile.hpp')}\n\n" + toctree([r for r in reference if r.startswith("cpp-")]))
        for path in examples():
            language = "cpp" if path.suffix == ".cc" else "c"
            self.write(self.pages[path], f"# {path.name}\n\n```{language}\n{path.read_text()}```\n")
        self.write("examples", "# Programs\n\nEach is compiled and run by the tests.\n\n" + toctree([self.pages[p] for p in examples()]))
        with (self.folder / "c-api.md").open("a") as page:
            page.write("\n" + toctree([r for r in reference if not r.startswith("cpp-")], hidden=True))
        items = [item for s in self.writer.sections for item in s.items if not s.header.endswith(".hpp")]
        kinds = {item.name: (item.kind, item.name) for item in items}
        kinds |= {v.name: (v.kind, f"{item.name}.{v.name}") for item in items for v in item.members if v.kind == "enumvalue"}
        (self.folder / "names.json").write_text(json.dumps(kinds))


def toctree(pages: list[str], hidden: bool = False) -> str:
    return "```{toctree}\n:maxdepth: 1\n" + (":hidden:\n" if hidden else "") + "\n" + "\n".join(pages) + "\n```\n"


def build(work: Path, site: Path) -> None:
    """Sphinx's HTML of everything; any warning ends it."""
    sources = Sources(work / "source")
    sources.all()
    environment = os.environ | {"TUILE_SOURCE": str(ROOT), "TUILE_XML": str(work / "doxygen/xml"), "TUILE_NAMES": str(work / "source/names.json"),
                                "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0"}
    command = ["/usr/bin/python3", "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", str(work / "doctrees"), str(work / "source"), str(site)]
    run = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(run.stderr.replace(f"{work}/source/", "") or "sphinx failed")
    mend(site)
    for left in (".buildinfo", "objects.inv"):
        (site / left).unlink(missing_ok=True)


def mend(site: Path) -> None:
    """What Debian's build of furo has lost: the reader's choice of a dark mode, its script, and a style sheet that it looks for on the host."""
    script = site / "_static/scripts/furo.js"
    said = script.read_text()
    loads = 'import Gumshoe from "./gumshoe-patched.js";'
    if loads in said:  # which a script that is no module can't
        script.write_text(script.with_name("gumshoe-patched.js").read_text() + said.replace(loads, ""))
    path = site / "_static/styles/furo.css"
    text = path.read_text()
    normal = Path("/usr/share/javascript/normalize.css/normalize.css")
    text = re.sub(r"@import url\(/javascript/normalize\.css/normalize\.css\);", lambda _: normal.read_text() if normal.exists() else "", text)
    dark = re.search(r'body\[data-theme="dark"\] \{(\s*--.*?)\}', text, re.S)
    if dark and "prefers-color-scheme" not in text:
        text += f"@media (prefers-color-scheme: dark) {{ body:not([data-theme=light]) {{{dark[1]}}} }}\n"
    path.write_text(text)
