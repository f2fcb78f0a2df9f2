"""No addition is lost, whichever processes and threads add to one session at once."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve()
os.environ.setdefault("TUILE_LIBRARY", str(HERE.parents[3] / "build/libtuile.so.0"))
# The processes that the example spawns find the package by it.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE.parents[1]), str(HERE.parents[1] / "examples"), os.environ.get("PYTHONPATH", "")]
)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE.parents[1]))
    monkeypatch.syspath_prepend(str(HERE.parents[1] / "examples"))
    return importlib.import_module("lost_update")


@pytest.mark.parametrize(("processes", "threads"), [(1, 8), (4, 1), (4, 4)])
def test_tuile_counts_every_addition(example: ModuleType, tmp_path: Path, processes: int, threads: int) -> None:
    count = example.run(example.add_by_tuile, str(tmp_path / "s.db"), processes, threads, 100)
    assert count == processes * threads * 100


def test_control_djangos_backend_loses_some(example: ModuleType, tmp_path: Path) -> None:
    # If this ever finds nothing lost, then the test above proves nothing.
    assert example.run(example.add_by_django, str(tmp_path / "s.db"), 4, 2, 50) < 400
