"""Names of the C interface in the pages' text are links to their place in the reference; and what readers without a mouse need."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

ROLES = {"function": "func", "struct": "struct", "enum": "enum", "enumvalue": "enumerator", "define": "macro", "typedef": "type"}


class Names(SphinxTransform):
    default_priority = 400

    def apply(self, **_: Any) -> None:
        # Breathe's "Public Members" above the fields of each struct: they have nothing else.
        for rubric in list(self.document.findall(nodes.rubric)):
            if "breathe-sectiondef-title" in rubric["classes"]:
                rubric.parent.remove(rubric)
        # A store's URL in a sentence is no link.
        for reference in list(self.document.findall(nodes.reference)):
            if reference.get("refuri", "").startswith("file:"):
                reference.replace_self(nodes.literal("", reference.astext()))
        names: dict[str, tuple[str, str]] = self.app.names  # type: ignore[attr-defined]
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext().removesuffix("()")
            inside = (literal.parent, literal.parent.parent)
            if name not in names or any(isinstance(n, (nodes.reference, nodes.title, pending_xref)) for n in inside):
                continue
            kind, target = names[name]
            link = pending_xref("", refdomain="c", reftype=ROLES[kind], reftarget=target, refdoc=self.env.docname, refwarn=True)
            literal.replace_self(link)
            link += literal


def reachable(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """For who has no mouse, or no eyes: code and tables that are wider than the screen are scrolled by keys, too, and the
    contents' headings have a level."""
    if body := context.get("body"):
        context["body"] = body.replace("<pre>", '<pre tabindex="0">').replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
    if tree := context.get("furo_navigation_tree"):
        context["furo_navigation_tree"] = tree.replace(' role="heading"', ' role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, bool]:
    app.names = json.loads(Path(os.environ["TUILE_NAMES"]).read_text())  # type: ignore[attr-defined]
    app.add_transform(Names)
    # After the theme's.
    app.connect("html-page-context", reachable, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
