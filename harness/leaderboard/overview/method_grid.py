"""Methods over collections: what each is worth on each collection, by the tests of that collection's own table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table

_ORDER = ("ours", "baseline", "external", "reference", "control")


class GridKey(NamedTuple):
    """What rows of different collections must share to stand in one line. Losses and settings may be others on each:
    a cell counts them."""

    category: str
    method: str
    teacher: str
    budget: int

    @property
    def name(self) -> str:
        """Method, teacher and labels."""
        amount = f"{self.budget:,} labels" if self.budget else ""
        return " · ".join(part for part in (self.method, self.teacher, amount) if part)


class MethodCell(NamedTuple):
    """A method on a collection: its rows there, one for each of its settings."""

    rows: tuple[Row, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What the tests say of the rows: better, worse or nothing; nothing at all for a row that was not tested."""
        return tuple(row.against.verdict for row in self.rows if row.against)

    @property
    def text(self) -> str:
        """'▲ +0.136', '+0.012', '2 of 4 ▲' for several settings, and the mean alone of a row that is not tested."""
        if len(self.rows) > 1:
            counts = {mark: self.verdicts.count(verdict) for verdict, mark in row_texts.MARKS.items() if mark}
            told = [f"{count} of {len(self.rows)} {mark}" for mark, count in counts.items() if count]
            return ", ".join(told) or f"none of {len(self.rows)} shown"
        (row,) = self.rows
        if row.against is None:
            return "baseline"
        return f"{row_texts.mark(row)} {row.against.difference:+.3f}".strip()

    @property
    def mood(self) -> str:
        """The verdict where all rows have the same one, otherwise nothing."""
        found = set(self.verdicts)
        return found.pop() if len(found) == 1 else ""


@dataclass(frozen=True)
class GridRow:
    """A method on all tables, None where it was not run."""

    key: GridKey
    mark: str
    """'placebo', 'oracle', 'simulated' or 'control', where it is one."""
    cells: tuple[MethodCell | None, ...]

    @property
    def name(self) -> str:
        """Its name, marked."""
        return f"{self.key.name} ({self.mark})" if self.mark else self.key.name


def method_grid(tables: Sequence[Table]) -> list[GridRow]:
    """Every method of `tables`, a cell a table; ours first, then baselines, references and controls."""
    found: dict[GridKey, dict[int, list[Row]]] = {}
    for place, table in enumerate(tables):
        for row in table.rows:
            found.setdefault(_key(row), {}).setdefault(place, []).append(row)
    lines = []
    for key in sorted(found, key=lambda key: (_place(found[key]), _ORDER.index(key.category), key[1:])):
        cells = (found[key].get(place) for place in range(len(tables)))
        mark = row_texts.doubt(next(iter(found[key].values()))[0])
        lines.append(GridRow(key, mark, tuple(MethodCell(tuple(rows)) if rows else None for rows in cells)))
    return lines


def _key(row: Row) -> GridKey:
    return GridKey(row.category, row.method, row.teacher or "", row.budget or 0)


def _place(rows: dict[int, list[Row]]) -> bool:
    """Rows of teachers that are not real come last, whatever their method."""
    return any(row_texts.doubt(row) not in ("", "control") for members in rows.values() for row in members)
