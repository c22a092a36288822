"""Whether ratios fell since an earlier run: seconds differ between machines, ratios in one run hardly do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import Row

FALL = 0.2
"""The share of an earlier ratio that a row may lose: less is noise on shared machines."""


def fallen(rows: Sequence[Row], earlier: Path) -> list[str]:
    """A line for each row whose ratio fell by more than `FALL` since the run that wrote `earlier` (``--json``); rows of
    other work are not compared."""
    told = json.loads(earlier.read_text(encoding="utf-8"))["rows"]
    before = {(row["name"], row["work"], row["peer"]): row["ratio"] for row in told if row["ratio"] is not None}
    return list(_lines(rows, before))


def _lines(rows: Sequence[Row], before: dict[tuple[str, str, str], float]) -> Iterator[str]:
    for row in rows:
        then = before.get((row.name, row.work, row.peer))
        if then is not None and row.ratio is not None and row.ratio < (1 - FALL) * then:
            yield f"{row.name}, against {row.peer}: {row.ratio:.2f} times as fast, {then:.2f} before"
