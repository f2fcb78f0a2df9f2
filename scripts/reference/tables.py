"""Tables of the site that are gathered from where each thing is defined; what is missing there is an error."""

import difflib
import json
import re
import sys

import settings
from interface import ROOT, Section

STORES = {"Memory": "Sources/Tuile/Stores/MemoryOptions.swift", "File": "Sources/Tuile/Stores/FileOptions.swift",
          "SQLite": "Sources/Tuile/Stores/SQLiteOptions.swift", "Redis": "Sources/TuileRedis/RedisOptions.swift",
          "memcached": "Sources/TuileMemcached/MemcachedOptions.swift", "PostgreSQL": "Sources/TuilePostgreSQL/PostgreSQLOptions.swift"}


def known(path: str) -> list[str]:
    """The options that a store's message for an unknown one lists."""
    said = re.search(r'static let known: StaticString =\s*"+(.*?)"', (ROOT / path).read_text(), re.S)
    assert said, path
    text = re.sub(r"\([^)]*\)|\\\n|, and what libpq knows", "", said[1])
    return re.findall(r"[a-z_]+", text)


def section_rows(page: str, heading: str) -> list[tuple[list[str], list[str]]]:
    """(names, cells) of the tables of options under a heading."""
    text = (ROOT / page).read_text()
    part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert part, (page, heading)
    found, inside = [], False
    for line in part[1].splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith("| option"):
            inside = True
        elif inside and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.append((re.findall(r"`([a-z_]+)(?:=[^`]*)?`", cells[0]), cells))
    return found


def options() -> str:
    out: list[tuple[str, str, str, str]] = []
    for store, path in STORES.items():
        rows = section_rows("docs/stores.md", store)
        said = {name for names, cells in rows for name in names}
        texts = " ".join(" ".join(cells) for _, cells in rows)
        for name in known(path):
            if name not in said and not re.search(rf"\b{name}\b", texts):
                sys.exit(f"docs/stores.md: {store} does not say what the option {name} is")
        for names, cells in rows:
            for name in names:
                out.append((name, f"[{store}](stores.md#{store.lower()})", cells[1], cells[-1]))
    for names, cells in section_rows("docs/layouts.md", "Options"):
        out += [(name, f"[layout](layouts.md#options) {cells[1]}", cells[2], cells[-1]) for name in names]
    lines = ["| option | of | default | what it is |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {store} | {default} | {text} |" for name, store, default, text in sorted(out)]
    # Links inside the cells are of the page that they come from.
    return re.sub(r"\]\(#", "](stores.md#", "\n".join(lines))


def statuses(sections: list[Section]) -> str:
    advice = {}
    for line in (ROOT / "docs/tables/statuses.txt").read_text().splitlines():
        name, python, text = (part.strip() for part in line.split("|"))
        advice[name] = (python, text)
    named = settings.statuses(sections)
    if named.keys() != advice.keys():
        sys.exit(f"docs/tables/statuses.txt: {', '.join(sorted(named.keys() ^ advice.keys()))}")
    lines = ["| status | | means | Python | what to do |", "| --- | ---: | --- | --- | --- |"]
    lines += [f"| `{name}` | {number} | {text} | {advice[name][0]} | {advice[name][1]} |" for name, (number, text) in named.items()]
    return "\n".join(lines)


def metrics_table() -> str:
    rows = section_rows_of_metrics()
    return "\n".join(["| metric | is |", "| --- | --- |", *rows])


def section_rows_of_metrics() -> list[str]:
    text = (ROOT / "docs/operations.md").read_text()
    part = re.search(r"\| metric \| is \|\n\| --- \| --- \|\n((?:\|.*\n)+)", text)
    assert part
    named = set(re.findall(r"`(tuile_\w+)`", part[1]))
    used = set(re.findall(r"\b(tuile_\w+?)(?:_bucket|_count|_sum)?\b(?=[\[\s){,]|$)", " ".join(expressions())))
    if not used <= named:
        sys.exit(f"docs/grafana.json: no such metric: {', '.join(sorted(used - named))}")
    return part[1].splitlines()


def expressions() -> list[str]:
    board = json.loads((ROOT / "docs/grafana.json").read_text())
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def check() -> None:
    """What can be wrong without the headers having been read."""
    options()
    metrics_table()


def step(number: int) -> str:
    """A step of the tutorial: what is new in it."""
    path = ROOT / f"bindings/c/examples/tutorial/step{number}.c"
    if number == 1:
        return f"```c\n{path.read_text()}```"
    before = path.with_name(f"step{number - 1}.c").read_text().splitlines()
    lines = list(difflib.unified_diff(before, path.read_text().splitlines(), lineterm="", n=1))[2:]
    return "```diff\n" + "\n".join(re.sub(r"^@@.*", "@@", line) for line in lines[1:]) + "\n```"


def fill(text: str, sections: list[Section], prose) -> str:  # type: ignore[no-untyped-def]
    """A page with what is gathered in place of its lines `<!-- here: name -->`."""
    makers = {"settings": lambda: settings.table(sections), "explanations": lambda: settings.explanations(sections, prose),
              "options": options, "statuses": lambda: statuses(sections), "metrics": metrics_table}
    text = re.sub(r"^<!-- here: step (\d) -->$", lambda m: step(int(m[1])), text, flags=re.M)
    return re.sub(r"^<!-- here: (\w+) -->$", lambda m: makers[m[1]](), text, flags=re.M)
