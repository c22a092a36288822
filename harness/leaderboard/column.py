"""A column of the board: what is shown of every row, whatever shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row

Kind = Literal["text", "number", "place", "money", "seconds", "share", "interval"]
Group = Literal["core", "intervals", "tests", "metrics", "costs", "labels", "settings"]
LAST = 9
"""The rank of columns that a narrow terminal drops first."""


@dataclass(frozen=True)
class Column:
    """What is shown of every row of a table."""

    name: str
    """The key in JSON and CSV."""
    heading: str
    help: str
    value: Callable[[Row], Any]
    """The number or text itself, None where the row has none."""
    text: Callable[[Row], str]
    """The same as people read it, empty where there is nothing."""
    kind: Kind = "text"
    group: Group = "core"
    """What it belongs to: pages show and hide groups; where there is little room, settings stand in the cell of the
    method."""
    rank: int = LAST
    """A narrow terminal drops the largest first; 0 is never dropped."""
    optional: bool = False
    """Whether pages leave it out where no row has a text."""
    slot: str = ""
    """The name that layouts call it by where that is not its own: those of metrics depend on the table."""

    @property
    def layout_name(self) -> str:
        """What layouts call it."""
        return self.slot or self.name

    @property
    def key(self) -> tuple[str, str]:
        """Its own among the columns of a table, whatever a metric is called."""
        return self.layout_name, self.name

    @property
    def leads(self) -> bool:
        """Whether rows are sorted and tested by it."""
        return self.slot == "lead"

    @property
    def heading_of_values(self) -> str:
        """The heading over bare numbers, with their unit."""
        return f"{self.heading} s" if self.kind == "seconds" else self.heading


def marked(column: Column, row: Row) -> str:
    """The text of a cell, with ▲ or ▼ beside the leading metric where the row differs from its baseline."""
    return column.text(row) + (row_texts.mark(row) if column.leads else "")


def filled(available: Sequence[Column], rows: Sequence[Row]) -> tuple[Column, ...]:
    """Without the optional columns in which none of `rows` has a text."""
    return tuple(column for column in available if not column.optional or any(map(column.text, rows)))
