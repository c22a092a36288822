"""Rows by what their methods may see: one that reads likelihoods or gold judgments is not held against one that reads an order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.board.model import Row

NOTHING = "nothing"


def by_sees(rows: Sequence[Row]) -> dict[str, tuple[Row, ...]]:
    """Rows by what they see, in words: nothing, then one thing, then several; places and tests stay those of the whole table."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(sorted(row.sees)) or (NOTHING,)].append(row)
    ordered = sorted(groups, key=lambda sees: (sees != (NOTHING,), len(sees), sees))
    return {" and ".join(sees): tuple(groups[sees]) for sees in ordered}
