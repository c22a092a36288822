"""The leaderboard for exported pages: the columns of the dashboard, with all its groups of columns, and links to the
runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dashboard.export.grid import Grid, GridCell, GridLine, Link
from dashboard.export.grid import column as grid_column
from dashboard.tables.table import TableDisplay, displayed_columns
from dashboard.words import FILTERS
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column
from harness.leaderboard.column_layouts import arranged, method_lines
from harness.leaderboard.filters import FACETS, choices


class Facet(NamedTuple):
    """What rows can be filtered by. A row passes when it has `any` of the value, nothing but (`only`) it, or is
    `without` it."""

    name: str
    label: str
    how: str
    choices: tuple[str, ...]


_HOW = {"sees": "only", "without": "without"}

_LOOKS = {
    "method": "name",
    "interval": "tight",
    "against_baseline": "tight",
    "variant": "wide",
    "flags": "name",
    "losses": "tight",
    "uncertain_by": "tight",
    "baseline": "name",
}
"""How some columns look; others by what is in them."""


def facets(table: Table) -> tuple[Facet, ...]:
    """The filters of the dashboard that could hide a row of `table`."""
    found = (
        Facet(name, label, _HOW.get(name, "any"), tuple(choices(table, name))) for name, (label, _) in FILTERS.items()
    )
    return tuple(facet for facet in found if facet.choices)


def leaderboard(table: Table, pages: Mapping[str, str]) -> Grid:
    """All rows of `table`; `pages` are the addresses of its runs by their ids."""
    found, available = displayed_columns(table, table.rows, TableDisplay(labels=True)), arranged("page", table)
    headings = tuple(grid_column(one.heading_of_values, _kind(one), _LOOKS.get(one.name)) for one in found)
    lines = tuple(
        GridLine(tuple(_cell(one, available, row, pages) for one in found), _facets(row)) for row in table.rows
    )
    return Grid(headings, lines)


def _kind(column: Column) -> str:
    if column.name == "interval":
        return "text"
    return column.kind if column.kind in ("text", "place") else "number"


def _facets(row: Row) -> dict[str, str]:
    # Texts of the board hold no line breaks, so that a line is a value.
    return {name: "\n".join(facet(row)) for name, facet in FACETS.items()}


def _cell(column: Column, available: Sequence[Column], row: Row, pages: Mapping[str, str]) -> GridCell:
    text, value = column.text(row), column.value(row)
    if column.name == "method":
        note = " · ".join(method_lines(available, row)[1:])
        return GridCell("", text, links=(Link(pages[row.run_ids[0]], text, row.run_ids[0]),), note=note)
    if column.name == "runs":
        links = tuple(Link(pages[tag], str(number), tag) for number, tag in enumerate(row.run_ids, 1))
        return GridCell("", text, links=links)
    if column.kind == "text":
        return GridCell(text, text)
    if column.kind == "seconds":
        text = "" if value is None else f"{value:,.0f}"
    mood = row.against.verdict if column.name == "against_baseline" and row.against else ""
    return GridCell(text, "" if value is None else str(value), mood)
