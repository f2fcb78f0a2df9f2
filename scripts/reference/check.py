"""Follows every link of the site, without a network: files and anchors; nothing is loaded from elsewhere."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src"):
                self.targets.append(value or "")
                # Only an <a> may lead elsewhere: nothing is loaded from a network.
                if tag != "a" and re.match(r"\w+:|//", value or ""):
                    self.targets[-1] = f"loads:{value}"
            elif name == "id":
                self.anchors.append(value or "")


def read(path: Path) -> Links:
    links = Links()
    links.feed(path.read_text())
    return links


def check(folder: Path) -> int:
    """How many links there are; ends the program if one leads nowhere."""
    pages = {path.name: read(path) for path in sorted(folder.glob("*.html"))}
    wrong = [f"{name}: the anchor {anchor} is there twice" for name, links in pages.items()
             for anchor in sorted({a for a in links.anchors if links.anchors.count(a) > 1})]
    every = [(name, target) for name, links in pages.items() for target in links.targets]
    for name, target in every:
        if re.match(r"(https?|mailto):", target):
            continue
        file, _, anchor = target.partition("#")
        file = file.partition("?")[0] or name
        if not (folder / file).is_file():
            wrong.append(f"{name}: {target} leads nowhere")
        elif anchor and anchor not in pages[file].anchors:
            wrong.append(f"{name}: {target} names no anchor")
    if wrong:
        sys.exit("\n".join(wrong))
    return len(every)
