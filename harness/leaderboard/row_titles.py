"""A name for every row of a table that no other row of it has: what people choose rows by, and what stands in a link."""

from __future__ import annotations

from collections import Counter

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, RowFacts, Table


def titles(table: Table) -> dict[str, Row]:
    """The rows of `table` by their names, in its order."""
    names = [title(row) for row in table.rows]
    counts = Counter(names)
    return {name if counts[name] == 1 else f"{name} [{row.run_ids[0]}]": row for name, row in zip(names, table.rows, strict=True)}


def title(row: RowFacts) -> str:
    """What is to be said of `row` to know it: method, teacher, losses, labels and the settings in which its table has others."""
    labels = f"{row_texts.labels(row)} labels" if row.budget else ""
    return " · ".join(part for part in (row.method, row.teacher, row_texts.losses(row), labels, row.variant) if part)
