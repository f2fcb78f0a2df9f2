"""Which pages the site has, and in which order."""

import re
import shutil
import sys
from pathlib import Path

import interface
from guide import Guide, coloured
from interface import ROOT, Section
from layout import HERE, Page, index, whole
from links import Links, page_of, summary
from reference import Reference

# Every file of docs/ has a place here.
GUIDE = {
    "Begin": {"README.md": "Overview", "docs/getting-started.md": "", "docs/python-tutorial.md": ""},
    "Guide": {"docs/cookies.md": "", "docs/formats.md": "", "docs/sessions.md": "", "docs/device-bound.md": "", "docs/stores.md": "", "docs/payloads.md": "Payloads", "docs/layouts.md": "Layouts", "docs/python.md": "",
              "docs/tool.md": "The command tuile"},
    "Servers": {"docs/servers.md": "C servers", "docs/nginx.md": "", "docs/apache.md": "", "docs/gate.md": "", "docs/operations.md": "", "docs/concurrency.md": "Concurrency",
                "docs/security.md": ""},
    "Project": {"docs/building.md": "", "docs/architecture.md": "", "CONTRIBUTING.md": "", "docs/abi-stability.md": "", "bench/README.md": "Measurements", "SECURITY.md": "", "CHANGELOG.md": ""},
}
CARDS = [
    ("getting-started.html", "Getting started", "Install the packages, count a visitor's pages in C, look at the same session in Python."),
    ("c-api.html", "The C interface", "Every function, type and status, by section, with what it returns and when."),
    ("python-tutorial.html", "Django in five minutes", "Change one line of the settings; keep the sessions, lose no update."),
    ("sessions.html", "Sessions", "What a session does, how long it lives, whose it is, and where it is kept."),
    ("formats.html", "Formats of tokens", "The signed and encrypted cookies of eleven frameworks, to the byte."),
    ("nginx.html", "nginx and Apache", "Only who is logged in gets through; the application learns who it is."),
]


def file_of(path: str) -> str:
    return {"README.md": "index.html", "bench/README.md": "measurements.html", "CHANGELOG.md": "changes.html", "SECURITY.md": "reporting.html", "CONTRIBUTING.md": "contributing.html"}.get(path, f"{Path(path).stem}.html")


def front(body: str, version: str) -> str:
    """README with its first paragraph as the head of the site, and ways into it."""
    lead = re.search(r"<h1>.*?</h1>\s*<p>(.*?)</p>", body, re.DOTALL)
    assert lead
    first, _, rest = lead[1].partition(". ")
    cards = "".join(f'<a href="{file}"><b>{title}</b>{text}</a>' for file, title, text in CARDS)
    head = (f'<div class="hero"><h1><img src="tuile.svg" alt="" width="64" height="64">Tuile</h1><p class="lead">{first}.</p>'
            f'<p>{rest}</p></div><nav class="cards" aria-label="Where to begin">{cards}</nav>')
    return head + body[lead.end():]


def example_pages() -> list[Path]:
    return sorted(path for path in (ROOT / "bindings/c/examples").glob("*.[ch]"))


def code_page(path: Path) -> tuple[str, str]:
    """An example: its comment as text, the whole file coloured."""
    return path.name, f'<h1>{path.name}</h1>\n<pre class="file">{coloured(path.read_text(), "c")}</pre>'


def reference_pages(sections: list[Section], links: Links) -> list[Page]:
    reference = Reference(links)
    made = []
    for section in sections:
        group, title, short = {
            "tuile.h": ("C reference", f"{section.number}. {section.title}", ""),
            "tuile/types.h": ("Types", f"Types: {section.title[0].lower()}{section.title[1:]}", section.title),
            "tuile_http.h": ("C reference", "C servers: tuile_http.h", ""),
        }.get(section.header, ("C++", f"C++: {section.title[0].lower()}{section.title[1:]}", section.title))
        body, headings = reference.page(section, title)
        made.append(Page(page_of(section), title, body, headings, group, short))
    body = f'<h1>C++: tuile.hpp</h1>{reference.lead("tuile.hpp")}'
    made.append(Page("cpp.html", "C++: tuile.hpp", body, [], "C++", "tuile.hpp"))
    order = ["C reference", "Types", "C++"]
    return sorted(made, key=lambda page: (order.index(page.group), page.file != "cpp.html" and page.group == "C++"))


def all_pages(sections: list[Section], links: Links, version: str) -> list[Page]:
    paths = {ROOT / path: file_of(path) for group in GUIDE.values() for path in group} | {ROOT / "docs/c-api.md": "c-api.html"}
    if missing := set((ROOT / "docs").glob("*.md")) - paths.keys():
        sys.exit(f"scripts/site/pages.py: no place for {', '.join(sorted(p.name for p in missing))}")
    examples = {path: f"example-{path.name.replace('.', '-')}.html" for path in example_pages()}
    headers = {ROOT / "include/tuile.h": "c-api.html", ROOT / "include/tuile/types.h": "types-basics.html",
               ROOT / "bindings/c/tuile.hpp": "cpp.html", ROOT / "bindings/c/tuile_http.h": "c-servers.html"}
    guide = Guide(links, paths | examples | headers)

    def written(path: str, group: str, short: str) -> Page:
        text = (ROOT / path).read_text()
        if path == "CHANGELOG.md":
            text = re.sub(r"^(\w+): ", r"- **\1:** ", text, flags=re.M)
        title, body, headings = guide.page(ROOT / path, text)
        return Page(file_of(path), title, front(body, version) if path == "README.md" else body, headings, group, short)

    pages = [written(path, group, short) for group, paths in GUIDE.items() if group != "Project" for path, short in paths.items()]
    pages += [written("docs/c-api.md", "C reference", ""), *reference_pages(sections, links)]
    pages += [Page(file, *code_page(path), [], "Examples") for path, file in examples.items()]
    return pages + [written(path, "Project", short) for path, short in GUIDE["Project"].items()]


def write(folder: Path) -> int:
    """Writes the site and says how many pages it has."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "tuile.svg").exists():
        sys.exit(f"{folder} has other files than a site: name a new folder")
    version = (ROOT / "VERSION").read_text().strip()
    sections = interface.read()
    links = Links(sections)
    if unknown := links.unknown(sections):
        sys.exit("\n".join(unknown))
    pages = all_pages(sections, links, version)
    names = [(item.name, summary(item).replace("`", ""), links.names[item.name]) for s in sections for item in s.items if item.name in links.names]
    names += [(value.name, item.name, links.names[value.name]) for s in sections for item in s.items for value in item.members
              if value.kind == "enumvalue"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for page in pages:
        (folder / page.file).write_text(whole(page, pages, version))
    (folder / "index.js").write_text(index(pages, names))
    for file in ("search.js", "tuile.svg"):
        shutil.copyfile(HERE / file, folder / file)
    (folder / "style.css").write_text((HERE / "style.css").read_text())
    return len(pages)
