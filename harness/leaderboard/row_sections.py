"""Rows by what their methods may see: one that reads likelihoods or gold judgments is not held against one that reads
an order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.leaderboard.board_model import Row, Table

NOTHING = "nothing"


class By(StrEnum):
    """What the rows of a table can be parted by."""

    sees = "sees"


def by_sees(rows: Sequence[Row]) -> dict[str, tuple[Row, ...]]:
    """Rows by what they see, in words: nothing, then one thing, then several; places and tests stay those of the whole
    table."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(sorted(row.sees)) or (NOTHING,)].append(row)
    ordered = sorted(groups, key=lambda sees: (sees != (NOTHING,), len(sees), sees))
    return {" and ".join(sees): tuple(groups[sees]) for sees in ordered}


def sections(table: Table, by: By | None) -> list[tuple[str, Table]]:
    """The parts of `table` with their headings; the whole table without a heading where it is not parted."""
    if by is None:
        return [("", table)]
    return [(f"sees {sees}", replace(table, rows=rows)) for sees, rows in by_sees(table.rows).items()]
