"""SECURITY.md and docs/security.md say in the same words what is and what is no boundary."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sections(path: str) -> dict[str, str]:
    parts = (ROOT / path).read_text().split("\n## ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def test_one_list_of_boundaries() -> None:
    reporting, page = sections("SECURITY.md"), sections("docs/security.md")
    for name in ("What is a boundary", "What is none"):
        assert reporting[name] == page[name]
        assert reporting[name].count("\n- ") >= 3
    for what in ("can write to a store", "Redis", "several dialects", "gate", "copied"):
        assert what in reporting["What is none"]


def test_it_names_nobody() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert "[SECURITY.md](../SECURITY.md)" in (ROOT / "docs/security.md").read_text()
    assert [word for word in text.split() if "@" in word] == ["`maintainers@tuile.invalid`"]
    assert "maintainers@tuile.invalid" in (ROOT / "debian/README.source").read_text()
