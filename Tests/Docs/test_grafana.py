"""The dashboard's queries, and the table of metrics, against what the library writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from tuile.sessions import Manager

ROOT = Path(__file__).resolve().parents[2]


class Query(NamedTuple):
    expression: str
    legend: str


def queries() -> list[Query]:
    board = json.loads((ROOT / "docs/grafana.json").read_text())
    return [Query(one["expr"], one.get("legendFormat", "")) for panel in board["panels"] for one in panel.get("targets", [])]


def written() -> dict[str, set[str]]:
    """Each series of a manager that has done something, and the labels of its samples."""
    with Manager(store="memory:") as manager:
        with manager.begin("") as session:
            session["name"] = "Ada"
            session.commit()
        found: dict[str, set[str]] = {}
        for line in manager.metrics().splitlines():
            if not line.startswith("#"):
                name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()  # type: ignore[union-attr]
                found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels or ""))
        return found


def wrong(query: Query, series: dict[str, set[str]]) -> set[str]:
    """Names and labels that the library does not write."""
    names = set(re.findall(r"\btuile_\w+", query.expression))
    labels = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query.expression) for label in group.split(",")}
    labels |= set(re.findall(r"[{,]\s*(\w+)\s*(?:=|!=)", query.expression)) | set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    known = set.intersection(*(series.get(name, set()) for name in names)) if names else set()
    return (names - series.keys()) | (labels - known)


def test_the_dashboard_asks_for_what_the_library_writes() -> None:
    series = written()
    assert len(queries()) > 10
    assert {query.expression: found for query in queries() if (found := wrong(query, series))} == {}


def test_the_pages_name_what_the_library_writes() -> None:
    series = {re.sub("_(bucket|sum|count)$", "", name) for name in written()}
    for page in ("operations", "metrics", "many-machines"):
        named = set(re.findall(r"\btuile_\w+(?:_total|_seconds)\b", (ROOT / f"docs/{page}.md").read_text()))
        assert named <= series, page
    rows = re.findall(r"^\| (`tuile_.*?) \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"tuile_\w+", " ".join(rows))) >= series, "a metric is in no table"


def test_a_wrong_name_and_a_wrong_label_are_noticed() -> None:
    series = written()
    assert wrong(Query("sum(rate(tuile_nothing_total[5m]))", ""), series) == {"tuile_nothing_total"}
    assert wrong(Query("sum by (le, shop) (rate(tuile_store_seconds_bucket[5m]))", "{{store}}"), series) == {"shop", "store"}
    assert wrong(Query('tuile_loads_total{job="x"}', ""), series) == {"job"}
