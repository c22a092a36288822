"""The leaderboard for exported pages: the columns of the dashboard, with all its groups of columns, and links to the runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.export.grid import Column, Grid, GridCell, GridLine, Link, column
from dashboard.tables.table import TableDisplay, columns
from dashboard.words import FILTERS
from harness.labelling.labels.ranking import VERDICTS
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.filters import FACETS, choices


class Facet(NamedTuple):
    """What rows can be filtered by. A row passes when it has `any` of the value, nothing but (`only`) it, or is `without` it."""

    name: str
    label: str
    how: str
    choices: tuple[str, ...]


_HOW = {"sees": "only", "without": "without"}

_TEXTS: dict[str, Callable[[Row], str]] = {"#": row_texts.place, "labels": row_texts.labels, "USD": row_texts.usd}
"""Columns whose texts are those of the terminal."""
_FORMS = {"tokens": ",.0f", "train s": ",.0f", "all s": ",.0f", **{f"labels {verdict}": ".0%" for verdict in VERDICTS}}
_COLUMNS = {
    "#": column("#", "place"),
    "method": column("method", "text", "name"),
    "95 %": column("95 %", "text", "tight"),
    "against baseline": column("against baseline", "number", "tight"),
    "settings": column("settings", "text", "wide"),
    "flags": column("flags", "text", "name"),
    "losses": column("losses", "text", "tight"),
    "uncertain by": column("uncertain by", "text", "tight"),
    "tested against": column("tested against", "text", "name"),
}
"""How some columns look; others by what is in them."""


def facets(table: Table) -> tuple[Facet, ...]:
    """The filters of the dashboard that could hide a row of `table`."""
    found = (Facet(name, label, _HOW.get(name, "any"), tuple(choices(table, name))) for name, (label, _) in FILTERS.items())
    return tuple(facet for facet in found if facet.choices)


def leaderboard(table: Table, pages: Mapping[str, str]) -> Grid:
    """All rows of `table`; `pages` are the addresses of its runs by their ids."""
    values = columns(table, table.rows, TableDisplay(labels=True))
    headings = tuple(_COLUMNS.get(name) or column(name, _kind(cells_)) for name, cells_ in values.items())
    lines = tuple(
        GridLine(tuple(_cell(one, values[one.heading][number], row, table, pages) for one in headings), _facets(row))
        for number, row in enumerate(table.rows)
    )
    return Grid(headings, lines)


def _kind(values: Sequence[Any]) -> str:
    return "text" if any(isinstance(value, str) for value in values) else "number"


def _facets(row: Row) -> dict[str, str]:
    # Texts of the board hold no line breaks, so that a line is a value.
    return {name: "\n".join(facet(row)) for name, facet in FACETS.items()}


def _cell(one: Column, value: Any, row: Row, table: Table, pages: Mapping[str, str]) -> GridCell:
    if one.heading == "method":
        return GridCell("", value, links=(Link(pages[row.run_ids[0]], value, row.run_ids[0]),))
    if one.heading == "runs":
        links = tuple(Link(pages[tag], str(number), tag) for number, tag in enumerate(row.run_ids, 1))
        return GridCell("", str(value), links=links)
    if one.heading == "against baseline":
        found = row.against
        return GridCell(value, str(found.difference), found.verdict) if found else GridCell("", "")
    if one.heading in _TEXTS:
        return GridCell(_TEXTS[one.heading](row), "" if value is None else str(value))
    if value is None or one.kind == "text":
        return GridCell(value or "", value or "")
    if one.heading in table.metrics:
        return GridCell(row_texts.number(value), str(value))
    return GridCell(format(value, _FORMS.get(one.heading, "")), str(value))
